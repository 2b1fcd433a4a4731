"""Tables of the peers of MLLP and of every message that was kept."""

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, String, Table, Text, text
from sqlalchemy import UniqueConstraint as Unique

from accord.kit.db import metadata, moment

mllp_peer = Table(
    "mllp_peer",
    metadata,
    Column("application", String, primary_key=True),
    Column("facility", String, primary_key=True),
    Column("institution", String, nullable=False),
    Column("address", String),
    moment("added_at"),
)

intake_message = Table(
    "intake_message",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("application", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("control_id", String, nullable=False),
    Column("institution", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("patient", String),
    Column("raw_sealed", Text, nullable=False),  # numbers of people are never kept in the clear
    Column("digest", String, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    moment("received_at"),
    Column("state", String, nullable=False),
    Column("code", String),
    Column("reason", String),
    moment("settled_at", nullable=True),
    Unique("application", "facility", "control_id"),
    # The work list and what is to be mapped; what is done is not looked for.
    Index(
        "ix_intake_message_open",
        "institution",
        "state",
        "id",
        postgresql_where=text("state <> 'DONE'"),
    ),
)
