"""Tables of reminders, decisions, citations, notices, feedback and CDS clients; all append-only."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from accord.kit.db import metadata, moment

reminder = Table(
    "reminder",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    moment("asked_at"),
    Column("institution", String, nullable=False),
    Column("asker_kind", String, nullable=False),
    Column("asker", String, nullable=False),
    Column("via", String, nullable=False),
    Column("physician", String),
    Column("visit", String),
    Column("patient_id", String),
    Column("instance", String),
    Column("status", String, nullable=False),
    Column("because", String, nullable=False),
    Column("rule_set", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Index("ix_reminder_institution_asked_at", "institution", "asked_at"),
)

reminder_item = Table(
    "reminder_item",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("reminder_id", UUID(as_uuid=True), ForeignKey("reminder.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("order_number", String, nullable=False),
    Column("status", String, nullable=False),
    Column("advice", String),
    Column("relation", String),
    Column("examination", BigInteger),
    Column("lifted", Boolean, nullable=False),
    Column("shown", JSONB, nullable=False),
    Index("ix_reminder_item_reminder_id", "reminder_id"),
    Index("ix_reminder_item_order_number", "order_number"),
)

# Which studies an institution was shown: the archive asks this before it serves images.
shown_study = Table(
    "shown_study",
    metadata,
    Column("institution", String, primary_key=True),
    Column("study_uid", String, primary_key=True),
    Column("item_id", UUID(as_uuid=True), ForeignKey("reminder_item.id"), primary_key=True),
)

look = Table(
    "look",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("item_id", UUID(as_uuid=True), ForeignKey("reminder_item.id"), nullable=False),
    Column("examination", BigInteger, nullable=False),
    Column("what", String, nullable=False),
    Column("physician", String, nullable=False),
    moment("at"),
    Index("ix_look_item_id", "item_id"),
)

decision = Table(
    "decision",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("id", UUID(as_uuid=True), nullable=False, unique=True),
    Column("item_id", UUID(as_uuid=True), ForeignKey("reminder_item.id"), nullable=False),
    Column("examination", BigInteger, nullable=False),
    Column("outcome", String, nullable=False),
    Column("physician", String, nullable=False),
    Column("physician_name", String, nullable=False),
    Column("institution", String, nullable=False),
    moment("at"),
    Column("grounds", JSONB, nullable=False),
    Column("of", UUID(as_uuid=True), ForeignKey("decision.id"), unique=True),
    Column("unseen", Boolean, nullable=False),
    Column("advice", String, nullable=False),
    Column("on_card", Boolean, nullable=False),
    Column("lifted_by", JSONB, nullable=False),
    Index("ix_decision_item_id", "item_id"),
    Index("ix_decision_institution_at", "institution", "at"),
)

citation = Table(
    "citation",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column(
        "decision_id",
        UUID(as_uuid=True),
        ForeignKey("decision.id"),
        nullable=False,
        unique=True,
    ),
    Column("institution", String, nullable=False),
    Column("patient_id", String, nullable=False),
    Column("result", String, nullable=False),
    Column("item", String, nullable=False),
    Column("performed_by", String, nullable=False),
    Column("performer", String, nullable=False),
    Column("reporter", String),
    moment("exam_time"),
    Column("study_uid", String, nullable=False),
    Column("cited_by", String, nullable=False),
    moment("cited_at"),
    Column("link", String, nullable=False),
    Column("unseen", Boolean, nullable=False),
    Index("ix_citation_institution_cited_at", "institution", "cited_at"),
    Index("ix_citation_study_uid", "study_uid"),
)

notice = Table(
    "patient_notice",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column(
        "decision_id",
        UUID(as_uuid=True),
        ForeignKey("decision.id"),
        nullable=False,
        unique=True,
    ),
    Column("informer", String, nullable=False),
    Column("informer_name", String, nullable=False),
    moment("at"),
    Column("purpose", String, nullable=False),
    Column("necessity", String, nullable=False),
    Column("informed", String, nullable=False),
    Column("relation", String),
)

# A shown prior that turned out not to be certainly the patient's; kept once, never taken back.
unlinked = Table(
    "unlinked_prior",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("item_id", UUID(as_uuid=True), ForeignKey("reminder_item.id"), nullable=False),
    Column("examination", BigInteger, nullable=False),
    Column("study_uid", String),
    Column("institution", String, nullable=False),
    Column("physicians", JSONB, nullable=False),
    moment("at"),
    UniqueConstraint("item_id", "examination"),
    Index("ix_unlinked_prior_institution_at", "institution", "at"),
)

# A question to the QC centre, not a fault: it becomes a finding only when a reviewer confirms it.
doubt = Table(
    "doubt",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("decision_id", UUID(as_uuid=True), ForeignKey("decision.id"), nullable=False),
    Column("ground", String, nullable=False),
    Column("pick", String),
    Column("asked_about", String, nullable=False),
    Column("examination", BigInteger, nullable=False),
    moment("opened_at"),
    UniqueConstraint("decision_id", "ground"),
    Index("ix_doubt_asked_about_opened_at", "asked_about", "opened_at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("card", UUID(as_uuid=True), ForeignKey("reminder_item.id"), nullable=False),
    moment("received_at"),
    moment("happened_at"),
    Column("sender", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", String, nullable=False),
    UniqueConstraint("card", "content_hash"),
)

cds_client = Table(
    "cds_client",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("display", String, nullable=False),
    Column("institution", String, nullable=False),
    Column("keys", JSONB, nullable=False),
    Column("active", Boolean, nullable=False),
    moment("registered_at"),
)

used_token = Table(
    "used_token",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("token_id", String, primary_key=True),
    moment("expires_at"),
    Index("ix_used_token_expires_at", "expires_at"),
)
