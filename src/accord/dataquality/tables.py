"""Table of the findings of clause 7.1 about an examination; rows are added, never changed."""

from sqlalchemy import BigInteger, Column, Identity, Index, String, Table, desc
from sqlalchemy.dialects.postgresql import JSONB

from accord.kit.db import metadata, moment

study_evaluation = Table(
    "study_evaluation",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("examination", BigInteger, nullable=False),
    Column("basis", String, nullable=False),  # what was read; another one needs a new evaluation
    Column("rule_set", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("findings", JSONB, nullable=False),
    moment("evaluated_at"),
)
Index("ix_study_evaluation_newest", study_evaluation.c.examination, desc(study_evaluation.c.id))
