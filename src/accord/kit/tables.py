"""Tables of the technical ground: audit, accounts, sessions, systems."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from accord.kit.db import metadata, moment

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at"),
    Column("actor_kind", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("institution", String),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", JSONB, nullable=False),
    Index("ix_audit_entry_subject_at", "subject", "at"),
    Index("ix_audit_entry_at", "at"),
)

person = Table(
    "person",
    metadata,
    Column("login", String, primary_key=True),
    Column("display", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    moment("locked_until", nullable=True),
    moment("created_at"),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("login", String, ForeignKey("person.login"), nullable=False),
    Column("csrf", String, nullable=False),
    moment("created_at"),
    moment("seen_at"),
    moment("ends_at"),
    Index("ix_session_login", "login"),
)

system = Table(
    "system",
    metadata,
    Column("code", String, primary_key=True),
    Column("display", String, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("institution", String),
    Column("permissions", ARRAY(String), nullable=False),
    Column("active", Boolean, nullable=False, server_default="true"),
    moment("created_at"),
)

answered_request = Table(
    "answered_request",
    metadata,
    Column("actor", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("answer", JSONB, nullable=False),
    moment("at"),
)

periodic_run = Table(
    "periodic_run",
    metadata,
    Column("name", String, primary_key=True),
    moment("started_at", nullable=True),
)
