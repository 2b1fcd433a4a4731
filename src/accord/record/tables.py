"""Tables of visits, orders, reports, examinations and approved local names."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from accord.kit.db import metadata, moment


def _document(name: str, *own: Column[str]) -> tuple[Table, Table]:
    """Return the table of current contents and the one that keeps every version."""
    current = Table(
        name,
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("institution", String, nullable=False),
        Column("number", String, nullable=False),
        *own,
        Column("version", Integer, nullable=False),
        moment("at"),
        Column("content", JSONB, nullable=False),
        UniqueConstraint("institution", "number"),
    )
    versions = Table(
        f"{name}_version",
        metadata,
        Column("institution", String, primary_key=True),
        Column("number", String, primary_key=True),
        Column("version", Integer, primary_key=True),
        moment("at"),
        Column("actor", String, nullable=False),
        Column("content", JSONB, nullable=False),
    )
    return current, versions


visit, visit_version = _document(
    "visit", Column("patient_id", String, nullable=False), moment("closed_at", nullable=True)
)
Index("ix_visit_institution_patient_id", visit.c.institution, visit.c.patient_id)

exam_order, exam_order_version = _document(
    "exam_order",
    Column("patient_id", String, nullable=False),
    Column("accession", String),
    Column("study_uid", String),
)
Index("ix_exam_order_institution_accession", exam_order.c.institution, exam_order.c.accession)
Index("ix_exam_order_study_uid", exam_order.c.study_uid)
Index("ix_exam_order_institution_patient_id", exam_order.c.institution, exam_order.c.patient_id)

report, report_version = _document(
    "report",
    Column("performed_by", String, nullable=False),
    Column("accession", String),
    Column("study_uid", String),
)
Index("ix_report_performed_by_accession", report.c.performed_by, report.c.accession)
Index("ix_report_study_uid", report.c.study_uid)

examination = Table(
    "examination",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("performed_by", String, nullable=False),
    Column("patient_id", String),
    Column("study_uid", String, unique=True),
    Column("accession", String),
    Column("items", ARRAY(Integer), nullable=False),
    Column("item_reason", String, nullable=False),
    Column("item_hints", ARRAY(String), nullable=False, server_default="{}"),
    Column("modality", String),
    moment("exam_start", nullable=True),
    moment("exam_end", nullable=True),
    moment("settled_at", nullable=True),
    Column("order_id", BigInteger),
    Column("report_id", BigInteger),
    Column("reported_by", String),
    Column("report_status", String),
    moment("released_at", nullable=True),
    Column("withdrawn", Boolean, nullable=False),
    Column("study", JSONB),
    moment("changed_at"),
    # The order-time question: this person's records, newest first.
    Index("ix_examination_patient", "performed_by", "patient_id", "exam_end"),
    Index("ix_examination_performed_by_accession", "performed_by", "accession"),
)

item_alias = Table(
    "item_alias",
    metadata,
    Column("institution", String, primary_key=True),
    Column("name", String, primary_key=True),  # folded as catalogue.fold does
    Column("item", Integer, nullable=False),
    Column("approved_by", String, nullable=False),
    moment("approved_at"),
)

local_name = Table(
    "local_name",
    metadata,
    Column("institution", String, primary_key=True),
    Column("name", String, primary_key=True),  # folded as catalogue.fold does
    Column("written", String, nullable=False),
    Column("code", String),
    Column("technique_code", String),
    Column("count", BigInteger, nullable=False),
    Column("query", JSONB, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("lexicon", String, nullable=False),
    Column("state", String, nullable=False),
    Column("item", Integer),
    Column("proposed_by", String, nullable=False),
    moment("proposed_at"),
    Column("approved_by", String),
    moment("approved_at", nullable=True),
    Column("confirmed_by", String),
    moment("confirmed_at", nullable=True),
    Column("reason", String),
    Index("ix_local_name_state", "institution", "state"),
)

name_lexicon = Table(
    "name_lexicon",
    metadata,
    Column("fingerprint", String, primary_key=True),
    Column("content", JSONB, nullable=False),
    moment("at"),
)
