"""Tables of the registry.

Rows that hold for a period are versions: a change marks the old row superseded and adds rows, so
that any day can be read as it was known at any moment. Of the rows not superseded no two of one
key overlap; the store keeps that under a lock.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    String,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from accord.kit.db import metadata, moment


def _dated(name: str, key: tuple[str, ...], *columns: Any, owned: bool = True) -> Table:
    """Return a table of versions with half-open periods, looked up by its key."""
    ownership = (
        (
            Column("authority", String, nullable=False),
            Column("jurisdiction", String, nullable=False),
        )
        if owned
        else ()
    )
    return Table(
        name,
        metadata,
        Column("row_id", BigInteger, Identity(always=True), primary_key=True),
        *columns,
        *ownership,
        Column("valid_from", Date, nullable=False),
        Column("valid_to", Date),
        moment("recorded_at"),
        moment("superseded_at", nullable=True),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        Index(
            f"uq_{name}_start",
            *key,
            "valid_from",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )


health_authority = Table(
    "health_authority",
    metadata,
    Column("code", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("province", String, nullable=False),
    Column("jurisdiction", String, nullable=False),
)

qc_centre = _dated(
    "qc_centre",
    ("code",),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("rank", String, nullable=False),
    Column("province", String, nullable=False),
)

institution = _dated(
    "institution",
    ("code",),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("campus", String, nullable=False),
    Column("licence_holder", String, nullable=False),
    Column("level", String),
    Column("grade", String, nullable=False),
    Column("ownership", String, nullable=False),
    Column("province", String, nullable=False),
    Column("area", String, nullable=False),
    Column("registry_complete", Boolean, nullable=False),
    Column("radiology_licence", String, nullable=False),
)

consortium = _dated(
    "consortium",
    ("code",),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("all_items", Boolean, nullable=False),
)

consortium_member = _dated(
    "consortium_member",
    ("consortium", "institution"),
    Column("consortium", String, nullable=False),
    Column("institution", String, nullable=False),
)
Index("ix_consortium_member_institution", consortium_member.c.institution)

device = _dated(
    "device",
    ("id",),
    Column("id", String, nullable=False),
    Column("institution", String, nullable=False),
    Column("serial", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("manufacturer", String, nullable=False),
    Column("model", String, nullable=False),
    Column("cannot_send", ARRAY(String), nullable=False),
    Column("review_on", Date),
    Column("configuration_licence", String, nullable=False),
)
Index("ix_device_institution_serial", device.c.institution, device.c.serial)

device_test = _dated(
    "device_test",
    ("device", "kind", "tested_on"),
    Column("device", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("tested_on", Date, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("standard", String, nullable=False),
    Column("report_number", String, nullable=False),
)

staff = _dated(
    "staff",
    ("institution", "code"),
    Column("institution", String, nullable=False),
    Column("code", String, nullable=False),
    Column("name", String, nullable=False),
    Column("profession", String, nullable=False),
    Column("licence", String, nullable=False),
    Column("scope", String, nullable=False),
)

institution_list = Table(
    "institution_list",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("authority", String, nullable=False),
    Column("jurisdiction", String, nullable=False),
    moment("published_at", nullable=True),
    moment("refreshed_at", nullable=True),
)

list_entry = _dated(
    "list_entry",
    ("list_id", "institution"),
    Column("list_id", String, nullable=False),
    Column("institution", String, nullable=False),
)
Index("ix_list_entry_institution", list_entry.c.institution)

inspection = Table(
    "inspection",
    metadata,
    Column("id", String, primary_key=True),
    Column("institution", String, nullable=False),
    Column("scope_kind", String, nullable=False),
    Column("scope_value", String, nullable=False),
    Column("centre", String, nullable=False),
    Column("concluded_on", Date, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("signatures", ARRAY(String), nullable=False),
    Column("jurisdiction", String, nullable=False),
    Column("report_number", String, nullable=False),
    moment("recorded_at"),
    Index("ix_inspection_institution", "institution"),
)

qualification = _dated(
    "qualification",
    ("id",),
    Column("id", String, nullable=False),
    Column("institution", String, nullable=False),
    Column("scope_kind", String, nullable=False),
    Column("scope_value", String, nullable=False),
    Column("mark_scope", String, nullable=False),
    Column("state", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("centre", String, nullable=False),
    Column("centre_rank", String),
    Column("inspection", String, nullable=False),
    Column("notice", String, nullable=False),
    Column("list_hash", String, nullable=False),
    Column("revoked_items", ARRAY(Integer), nullable=False),
    Column("because", String, nullable=False),
)
Index("ix_qualification_institution", qualification.c.institution)

post = _dated(
    "post",
    ("login", "role"),
    Column("login", String, nullable=False),
    Column("role", String, nullable=False),
    Column("institution", String),
    Column("authority", String),
    owned=False,
)

ae_title = _dated(
    "ae_title",
    ("title",),
    Column("title", String, nullable=False),
    Column("institution", String, nullable=False),
)

registry_import = Table(
    "registry_import",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("digest", String, nullable=False),
    moment("imported_at"),
)

registry_state = Table(
    "registry_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", UUID(as_uuid=True), nullable=False),
    CheckConstraint("id = 1", name="only_one"),
)
