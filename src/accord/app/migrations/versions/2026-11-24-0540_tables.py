"""The tables of every package as they stood when the first version was put together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from accord.app.migrations import read_sql, run_sql

revision = "0540tables"
down_revision = "0430jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them, and make the audit trail append-only."""
    op.create_table(
        "ae_title",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_ae_title_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_ae_title")),
    )
    op.create_index(
        "uq_ae_title_start",
        "ae_title",
        ["title", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "answered_request",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_answered_request")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_subject_at", "audit_entry", ["subject", "at"], unique=False)
    op.create_table(
        "cds_client",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("keys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_cds_client")),
    )
    op.create_table(
        "consortium",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("all_items", sa.Boolean(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_consortium_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_consortium")),
    )
    op.create_index(
        "uq_consortium_start",
        "consortium",
        ["code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "consortium_member",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("consortium", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_consortium_member_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_consortium_member")),
    )
    op.create_index(
        "ix_consortium_member_institution", "consortium_member", ["institution"], unique=False
    )
    op.create_index(
        "uq_consortium_member_start",
        "consortium_member",
        ["consortium", "institution", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "device",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("manufacturer", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("cannot_send", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("configuration_licence", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_device_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_device")),
    )
    op.create_index(
        "ix_device_institution_serial", "device", ["institution", "serial"], unique=False
    )
    op.create_index(
        "uq_device_start",
        "device",
        ["id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "device_test",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tested_on", sa.Date(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("standard", sa.String(), nullable=False),
        sa.Column("report_number", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_device_test_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_device_test")),
    )
    op.create_index(
        "uq_device_test_start",
        "device_test",
        ["device", "kind", "tested_on", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "exam_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("study_uid", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_order")),
        sa.UniqueConstraint("institution", "number", name=op.f("uq_exam_order_institution_number")),
    )
    op.create_index(
        "ix_exam_order_institution_accession",
        "exam_order",
        ["institution", "accession"],
        unique=False,
    )
    op.create_index(
        "ix_exam_order_institution_patient_id",
        "exam_order",
        ["institution", "patient_id"],
        unique=False,
    )
    op.create_index("ix_exam_order_study_uid", "exam_order", ["study_uid"], unique=False)
    op.create_table(
        "exam_order_version",
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint(
            "institution", "number", "version", name=op.f("pk_exam_order_version")
        ),
    )
    op.create_table(
        "examination",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("performed_by", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("study_uid", sa.String(), nullable=True),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("items", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("item_reason", sa.String(), nullable=False),
        sa.Column("item_hints", postgresql.ARRAY(sa.String()), server_default="{}", nullable=False),
        sa.Column("modality", sa.String(), nullable=True),
        sa.Column("exam_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exam_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("report_id", sa.BigInteger(), nullable=True),
        sa.Column("reported_by", sa.String(), nullable=True),
        sa.Column("report_status", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("study", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examination")),
        sa.UniqueConstraint("study_uid", name=op.f("uq_examination_study_uid")),
    )
    op.create_index(
        "ix_examination_patient",
        "examination",
        ["performed_by", "patient_id", "exam_end"],
        unique=False,
    )
    op.create_index(
        "ix_examination_performed_by_accession",
        "examination",
        ["performed_by", "accession"],
        unique=False,
    )
    op.create_table(
        "health_authority",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_health_authority")),
    )
    op.create_table(
        "inspection",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_value", sa.String(), nullable=False),
        sa.Column("centre", sa.String(), nullable=False),
        sa.Column("concluded_on", sa.Date(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("signatures", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("report_number", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
    )
    op.create_index("ix_inspection_institution", "inspection", ["institution"], unique=False)
    op.create_table(
        "institution",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("campus", sa.String(), nullable=False),
        sa.Column("licence_holder", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=True),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("ownership", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("registry_complete", sa.Boolean(), nullable=False),
        sa.Column("radiology_licence", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_institution_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_institution")),
    )
    op.create_index(
        "uq_institution_start",
        "institution",
        ["code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "institution_list",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_list")),
    )
    op.create_table(
        "item_alias",
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("institution", "name", name=op.f("pk_item_alias")),
    )
    op.create_table(
        "kept_aside",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("sop_uid", sa.String(), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=True),
        sa.Column("series_uid", sa.String(), nullable=True),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("sop_class", sa.String(), nullable=False),
        sa.Column("syntax", sa.String(), nullable=False),
        sa.Column("lossy_flag", sa.String(), nullable=True),
        sa.Column("blob_store", sa.String(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("blob_offset", sa.BigInteger(), nullable=False),
        sa.Column("blob_length", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("head_length", sa.Integer(), nullable=False),
        sa.Column("header", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_aside")),
    )
    op.create_index("ix_kept_aside_study", "kept_aside", ["study_uid"], unique=False)
    op.create_index(
        "uq_kept_aside_object",
        "kept_aside",
        ["sop_uid", "sha256", "reason", sa.literal_column("coalesce(institution, '')")],
        unique=True,
    )
    op.create_table(
        "list_entry",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("list_id", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_list_entry_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_list_entry")),
    )
    op.create_index("ix_list_entry_institution", "list_entry", ["institution"], unique=False)
    op.create_index(
        "uq_list_entry_start",
        "list_entry",
        ["list_id", "institution", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "local_name",
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("written", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("technique_code", sa.String(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lexicon", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=True),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("institution", "name", name=op.f("pk_local_name")),
    )
    op.create_index("ix_local_name_state", "local_name", ["institution", "state"], unique=False)
    op.create_table(
        "name_lexicon",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_name_lexicon")),
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("local_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id_type", sa.String(), nullable=True),
        sa.Column("id_country", sa.String(), nullable=True),
        sa.Column("id_kind", sa.String(), nullable=True),
        sa.Column("id_token", sa.String(), nullable=True),
        sa.Column("id_sealed", sa.String(), nullable=True),
        sa.Column("id_state", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.String(), nullable=True),
        sa.Column("birth_order", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("quarantined", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("authority", "local_id", name=op.f("uq_patient_authority_local_id")),
    )
    op.create_index("ix_patient_id_token", "patient", ["id_token"], unique=False)
    op.create_index(
        "ix_patient_name_key_birth_date", "patient", ["name_key", "birth_date"], unique=False
    )
    op.create_index("ix_patient_person_id", "patient", ["person_id"], unique=False)
    op.create_table(
        "periodic_run",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_periodic_run")),
    )
    op.create_table(
        "person",
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("failed_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_person")),
    )
    op.create_table(
        "post",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("authority", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_post_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_post")),
    )
    op.create_index(
        "uq_post_start",
        "post",
        ["login", "role", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "qc_centre",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rank", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_qc_centre_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_qc_centre")),
    )
    op.create_index(
        "uq_qc_centre_start",
        "qc_centre",
        ["code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "qualification",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("scope_kind", sa.String(), nullable=False),
        sa.Column("scope_value", sa.String(), nullable=False),
        sa.Column("mark_scope", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("centre", sa.String(), nullable=False),
        sa.Column("centre_rank", sa.String(), nullable=True),
        sa.Column("inspection", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("list_hash", sa.String(), nullable=False),
        sa.Column("revoked_items", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_qualification_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_qualification")),
    )
    op.create_index("ix_qualification_institution", "qualification", ["institution"], unique=False)
    op.create_index(
        "uq_qualification_start",
        "qualification",
        ["id", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "registry_import",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_registry_import")),
    )
    op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.UUID(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_registry_state_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_state")),
    )
    op.create_table(
        "reminder",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("asker_kind", sa.String(), nullable=False),
        sa.Column("asker", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("physician", sa.String(), nullable=True),
        sa.Column("visit", sa.String(), nullable=True),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("instance", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("rule_set", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
    )
    op.create_index(
        "ix_reminder_institution_asked_at", "reminder", ["institution", "asked_at"], unique=False
    )
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("performed_by", sa.String(), nullable=False),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("study_uid", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("institution", "number", name=op.f("uq_report_institution_number")),
    )
    op.create_index(
        "ix_report_performed_by_accession", "report", ["performed_by", "accession"], unique=False
    )
    op.create_index("ix_report_study_uid", "report", ["study_uid"], unique=False)
    op.create_table(
        "report_version",
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("institution", "number", "version", name=op.f("pk_report_version")),
    )
    op.create_table(
        "staff",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("profession", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_staff_period")
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_staff")),
    )
    op.create_index(
        "uq_staff_start",
        "staff",
        ["institution", "code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "study",
        sa.Column("study_uid", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("patient_name", sa.String(), nullable=True),
        sa.Column("sex", sa.String(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("study_date", sa.Date(), nullable=True),
        sa.Column("study_time", sa.String(), nullable=True),
        sa.Column("study_id", sa.String(), nullable=True),
        sa.Column("referring", sa.String(), nullable=True),
        sa.Column("first_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("study_uid", name=op.f("pk_study")),
    )
    op.create_index("ix_study_accession", "study", ["institution", "accession"], unique=False)
    op.create_index("ix_study_date", "study", ["study_date", "study_uid"], unique=False)
    op.create_index("ix_study_patient", "study", ["patient_id"], unique=False)
    op.create_index(
        "ix_study_unsettled",
        "study",
        ["last_received_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "study_evaluation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("examination", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("rule_set", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_evaluation")),
    )
    op.create_index(
        "ix_study_evaluation_newest",
        "study_evaluation",
        ["examination", sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_table(
        "system",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("permissions", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_system")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_system_key_hash")),
    )
    op.create_table(
        "used_token",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "token_id", name=op.f("pk_used_token")),
    )
    op.create_index("ix_used_token_expires_at", "used_token", ["expires_at"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("institution", "number", name=op.f("uq_visit_institution_number")),
    )
    op.create_index(
        "ix_visit_institution_patient_id", "visit", ["institution", "patient_id"], unique=False
    )
    op.create_table(
        "visit_version",
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("institution", "number", "version", name=op.f("pk_visit_version")),
    )
    op.create_table(
        "archive_finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=True),
        sa.Column("sop_uid", sa.String(), nullable=True),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("kept_aside", sa.BigInteger(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept_aside"], ["kept_aside.id"], name=op.f("fk_archive_finding_kept_aside")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_finding")),
    )
    op.create_index(
        "ix_archive_finding_study", "archive_finding", ["study_uid", "code"], unique=False
    )
    op.create_index(
        "uq_archive_finding_study",
        "archive_finding",
        ["study_uid", "code"],
        unique=True,
        postgresql_where=sa.text("kept_aside IS NULL"),
    )
    op.create_table(
        "identity_decision",
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["high"], ["patient.id"], name=op.f("fk_identity_decision_high")),
        sa.ForeignKeyConstraint(["low"], ["patient.id"], name=op.f("fk_identity_decision_low")),
        sa.PrimaryKeyConstraint("low", "high", name=op.f("pk_identity_decision")),
    )
    op.create_table(
        "identity_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("patient", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("others", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("because", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["patient"], ["patient.id"], name=op.f("fk_identity_task_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_task")),
    )
    op.create_index(
        "ix_identity_task_authority", "identity_task", ["authority", "decision"], unique=False
    )
    op.create_index("ix_identity_task_patient", "identity_task", ["patient"], unique=False)
    op.create_table(
        "patient_version",
        sa.Column("patient", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient"], ["patient.id"], name=op.f("fk_patient_version_patient")
        ),
        sa.PrimaryKeyConstraint("patient", "version", name=op.f("pk_patient_version")),
    )
    op.create_table(
        "person_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("patient", sa.BigInteger(), nullable=False),
        sa.Column("from_person", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("to_person", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["patient"], ["patient.id"], name=op.f("fk_person_link_patient")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_link")),
    )
    op.create_index("ix_person_link_patient", "person_link", ["patient"], unique=False)
    op.create_table(
        "reminder_item",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reminder_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("advice", sa.String(), nullable=True),
        sa.Column("relation", sa.String(), nullable=True),
        sa.Column("examination", sa.BigInteger(), nullable=True),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        sa.Column("shown", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["reminder_id"], ["reminder.id"], name=op.f("fk_reminder_item_reminder_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_item")),
    )
    op.create_index(
        "ix_reminder_item_order_number", "reminder_item", ["order_number"], unique=False
    )
    op.create_index("ix_reminder_item_reminder_id", "reminder_item", ["reminder_id"], unique=False)
    op.create_table(
        "series",
        sa.Column("study_uid", sa.String(), nullable=False),
        sa.Column("series_uid", sa.String(), nullable=False),
        sa.Column("modality", sa.String(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("body_part", sa.String(), nullable=True),
        sa.Column("station", sa.String(), nullable=True),
        sa.Column("performed_date", sa.Date(), nullable=True),
        sa.Column("performed_time", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_uid"], ["study.study_uid"], name=op.f("fk_series_study_uid")
        ),
        sa.PrimaryKeyConstraint("study_uid", "series_uid", name=op.f("pk_series")),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["person.login"], name=op.f("fk_session_login")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index("ix_session_login", "session", ["login"], unique=False)
    op.create_table(
        "decision",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("item_id", sa.UUID(), nullable=False),
        sa.Column("examination", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("physician", sa.String(), nullable=False),
        sa.Column("physician_name", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grounds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("of", sa.UUID(), nullable=True),
        sa.Column("unseen", sa.Boolean(), nullable=False),
        sa.Column("advice", sa.String(), nullable=False),
        sa.Column("on_card", sa.Boolean(), nullable=False),
        sa.Column("lifted_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["reminder_item.id"], name=op.f("fk_decision_item_id")
        ),
        sa.ForeignKeyConstraint(["of"], ["decision.id"], name=op.f("fk_decision_of")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_decision")),
        sa.UniqueConstraint("id", name=op.f("uq_decision_id")),
        sa.UniqueConstraint("of", name=op.f("uq_decision_of")),
    )
    op.create_index("ix_decision_institution_at", "decision", ["institution", "at"], unique=False)
    op.create_index("ix_decision_item_id", "decision", ["item_id"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("card", sa.UUID(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["reminder_item.id"], name=op.f("fk_feedback_card")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("card", "content_hash", name=op.f("uq_feedback_card_content_hash")),
    )
    op.create_table(
        "instance",
        sa.Column("sop_uid", sa.String(), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=False),
        sa.Column("series_uid", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=True),
        sa.Column("sop_class", sa.String(), nullable=False),
        sa.Column("syntax", sa.String(), nullable=False),
        sa.Column("lossy_flag", sa.String(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("has_pixels", sa.Boolean(), nullable=False),
        sa.Column("pixel_offset", sa.BigInteger(), nullable=True),
        sa.Column("pixel_length", sa.BigInteger(), nullable=True),
        sa.Column("blob_store", sa.String(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        sa.Column("blob_offset", sa.BigInteger(), nullable=False),
        sa.Column("blob_length", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("head_length", sa.Integer(), nullable=False),
        sa.Column("header", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_uid", "series_uid"],
            ["series.study_uid", "series.series_uid"],
            name="fk_instance_series",
        ),
        sa.PrimaryKeyConstraint("sop_uid", name=op.f("pk_instance")),
    )
    op.create_index(
        "ix_instance_series", "instance", ["study_uid", "series_uid", "number"], unique=False
    )
    op.create_table(
        "look",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("item_id", sa.UUID(), nullable=False),
        sa.Column("examination", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("physician", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["reminder_item.id"], name=op.f("fk_look_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_look")),
    )
    op.create_index("ix_look_item_id", "look", ["item_id"], unique=False)
    op.create_table(
        "shown_study",
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=False),
        sa.Column("item_id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["reminder_item.id"], name=op.f("fk_shown_study_item_id")
        ),
        sa.PrimaryKeyConstraint("institution", "study_uid", "item_id", name=op.f("pk_shown_study")),
    )
    op.create_table(
        "citation",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("performed_by", sa.String(), nullable=False),
        sa.Column("performer", sa.String(), nullable=False),
        sa.Column("reporter", sa.String(), nullable=True),
        sa.Column("exam_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("study_uid", sa.String(), nullable=False),
        sa.Column("cited_by", sa.String(), nullable=False),
        sa.Column("cited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("unseen", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_citation_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_citation_decision_id")),
    )
    op.create_index(
        "ix_citation_institution_cited_at", "citation", ["institution", "cited_at"], unique=False
    )
    op.create_index("ix_citation_study_uid", "citation", ["study_uid"], unique=False)
    op.create_table(
        "doubt",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("pick", sa.String(), nullable=True),
        sa.Column("asked_about", sa.String(), nullable=False),
        sa.Column("examination", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_doubt_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doubt")),
        sa.UniqueConstraint("decision_id", "ground", name=op.f("uq_doubt_decision_id_ground")),
    )
    op.create_index(
        "ix_doubt_asked_about_opened_at", "doubt", ["asked_about", "opened_at"], unique=False
    )
    op.create_table(
        "patient_notice",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("decision_id", sa.UUID(), nullable=False),
        sa.Column("informer", sa.String(), nullable=False),
        sa.Column("informer_name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("necessity", sa.String(), nullable=False),
        sa.Column("informed", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_patient_notice_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_notice")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_patient_notice_decision_id")),
    )
    run_sql(op.get_bind(), read_sql("audit-append-only.sql"))


def downgrade() -> None:
    """Drop them."""
    op.drop_table("patient_notice")
    op.drop_index("ix_doubt_asked_about_opened_at", table_name="doubt")
    op.drop_table("doubt")
    op.drop_index("ix_citation_study_uid", table_name="citation")
    op.drop_index("ix_citation_institution_cited_at", table_name="citation")
    op.drop_table("citation")
    op.drop_table("shown_study")
    op.drop_index("ix_look_item_id", table_name="look")
    op.drop_table("look")
    op.drop_index("ix_instance_series", table_name="instance")
    op.drop_table("instance")
    op.drop_table("feedback")
    op.drop_index("ix_decision_item_id", table_name="decision")
    op.drop_index("ix_decision_institution_at", table_name="decision")
    op.drop_table("decision")
    op.drop_index("ix_session_login", table_name="session")
    op.drop_table("session")
    op.drop_table("series")
    op.drop_index("ix_reminder_item_reminder_id", table_name="reminder_item")
    op.drop_index("ix_reminder_item_order_number", table_name="reminder_item")
    op.drop_table("reminder_item")
    op.drop_index("ix_person_link_patient", table_name="person_link")
    op.drop_table("person_link")
    op.drop_table("patient_version")
    op.drop_index("ix_identity_task_patient", table_name="identity_task")
    op.drop_index("ix_identity_task_authority", table_name="identity_task")
    op.drop_table("identity_task")
    op.drop_table("identity_decision")
    op.drop_index(
        "uq_archive_finding_study",
        table_name="archive_finding",
        postgresql_where=sa.text("kept_aside IS NULL"),
    )
    op.drop_index("ix_archive_finding_study", table_name="archive_finding")
    op.drop_table("archive_finding")
    op.drop_table("visit_version")
    op.drop_index("ix_visit_institution_patient_id", table_name="visit")
    op.drop_table("visit")
    op.drop_index("ix_used_token_expires_at", table_name="used_token")
    op.drop_table("used_token")
    op.drop_table("system")
    op.drop_index("ix_study_evaluation_newest", table_name="study_evaluation")
    op.drop_table("study_evaluation")
    op.drop_index(
        "ix_study_unsettled", table_name="study", postgresql_where=sa.text("settled_at IS NULL")
    )
    op.drop_index("ix_study_patient", table_name="study")
    op.drop_index("ix_study_date", table_name="study")
    op.drop_index("ix_study_accession", table_name="study")
    op.drop_table("study")
    op.drop_index(
        "uq_staff_start", table_name="staff", postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.drop_table("staff")
    op.drop_table("report_version")
    op.drop_index("ix_report_study_uid", table_name="report")
    op.drop_index("ix_report_performed_by_accession", table_name="report")
    op.drop_table("report")
    op.drop_index("ix_reminder_institution_asked_at", table_name="reminder")
    op.drop_table("reminder")
    op.drop_table("registry_state")
    op.drop_table("registry_import")
    op.drop_index(
        "uq_qualification_start",
        table_name="qualification",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_index("ix_qualification_institution", table_name="qualification")
    op.drop_table("qualification")
    op.drop_index(
        "uq_qc_centre_start",
        table_name="qc_centre",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("qc_centre")
    op.drop_index(
        "uq_post_start", table_name="post", postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.drop_table("post")
    op.drop_table("person")
    op.drop_table("periodic_run")
    op.drop_index("ix_patient_person_id", table_name="patient")
    op.drop_index("ix_patient_name_key_birth_date", table_name="patient")
    op.drop_index("ix_patient_id_token", table_name="patient")
    op.drop_table("patient")
    op.drop_table("name_lexicon")
    op.drop_index("ix_local_name_state", table_name="local_name")
    op.drop_table("local_name")
    op.drop_index(
        "uq_list_entry_start",
        table_name="list_entry",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_index("ix_list_entry_institution", table_name="list_entry")
    op.drop_table("list_entry")
    op.drop_index("uq_kept_aside_object", table_name="kept_aside")
    op.drop_index("ix_kept_aside_study", table_name="kept_aside")
    op.drop_table("kept_aside")
    op.drop_table("item_alias")
    op.drop_table("institution_list")
    op.drop_index(
        "uq_institution_start",
        table_name="institution",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("institution")
    op.drop_index("ix_inspection_institution", table_name="inspection")
    op.drop_table("inspection")
    op.drop_table("health_authority")
    op.drop_index("ix_examination_performed_by_accession", table_name="examination")
    op.drop_index("ix_examination_patient", table_name="examination")
    op.drop_table("examination")
    op.drop_table("exam_order_version")
    op.drop_index("ix_exam_order_study_uid", table_name="exam_order")
    op.drop_index("ix_exam_order_institution_patient_id", table_name="exam_order")
    op.drop_index("ix_exam_order_institution_accession", table_name="exam_order")
    op.drop_table("exam_order")
    op.drop_index(
        "uq_device_test_start",
        table_name="device_test",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("device_test")
    op.drop_index(
        "uq_device_start", table_name="device", postgresql_where=sa.text("superseded_at IS NULL")
    )
    op.drop_index("ix_device_institution_serial", table_name="device")
    op.drop_table("device")
    op.drop_index(
        "uq_consortium_member_start",
        table_name="consortium_member",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_index("ix_consortium_member_institution", table_name="consortium_member")
    op.drop_table("consortium_member")
    op.drop_index(
        "uq_consortium_start",
        table_name="consortium",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("consortium")
    op.drop_table("cds_client")
    op.drop_index("ix_audit_entry_subject_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("answered_request")
    op.drop_index(
        "uq_ae_title_start",
        table_name="ae_title",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_table("ae_title")
    run_sql(op.get_bind(), "DROP FUNCTION audit_entry_is_append_only()")
