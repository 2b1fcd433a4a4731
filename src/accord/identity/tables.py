"""Tables of patients, their versions, links and tasks.

Numbers of documents stand here as keyed hash (to find) and sealed text (to show to people who
may), telephone numbers sealed; neither is anywhere else.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from accord.kit.db import metadata, moment

patient = Table(
    "patient",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("authority", String, nullable=False),
    Column("local_id", String, nullable=False),
    Column("person_id", UUID(as_uuid=False), nullable=False),
    Column("name", String, nullable=False),
    Column("name_key", String, nullable=False),
    Column("sex", String, nullable=False),
    Column("birth_date", Date),
    Column("id_type", String),
    Column("id_country", String),
    Column("id_kind", String),
    Column("id_token", String),
    Column("id_sealed", String),
    Column("id_state", String, nullable=False),
    Column("phone_sealed", String),
    Column("birth_order", Integer),
    Column("digest", String, nullable=False),
    Column("quarantined", Boolean, nullable=False, server_default="false"),
    Column("version", Integer, nullable=False, server_default="1"),
    moment("created_at"),
    moment("updated_at"),
    UniqueConstraint("authority", "local_id"),
    Index("ix_patient_person_id", "person_id"),
    Index("ix_patient_id_token", "id_token"),
    Index("ix_patient_name_key_birth_date", "name_key", "birth_date"),
)

patient_version = Table(
    "patient_version",
    metadata,
    Column("patient", BigInteger, ForeignKey("patient.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", JSONB, nullable=False),
    moment("until"),
)

person_link = Table(
    "person_link",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("patient", BigInteger, ForeignKey("patient.id"), nullable=False),
    Column("from_person", UUID(as_uuid=False), nullable=False),
    Column("to_person", UUID(as_uuid=False), nullable=False),
    Column("reason", String, nullable=False),
    Column("by", String, nullable=False),
    moment("at"),
    Index("ix_person_link_patient", "patient"),
)

identity_decision = Table(
    "identity_decision",
    metadata,
    Column("low", BigInteger, ForeignKey("patient.id"), primary_key=True),
    Column("high", BigInteger, ForeignKey("patient.id"), primary_key=True),
    Column("same", Boolean, nullable=False),
    Column("basis", String, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", String, nullable=False),
    moment("at"),
)

identity_task = Table(
    "identity_task",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", String, nullable=False),
    Column("patient", BigInteger, ForeignKey("patient.id"), nullable=False),
    Column("authority", String, nullable=False),
    Column("others", ARRAY(BigInteger), nullable=False),
    Column("because", ARRAY(String), nullable=False),
    moment("opened_at"),
    Column("decision", String),
    Column("decided_by", String),
    Column("note", String, nullable=False, server_default=""),
    moment("decided_at", nullable=True),
    Index("ix_identity_task_authority", "authority", "decision"),
    Index("ix_identity_task_patient", "patient"),
)
