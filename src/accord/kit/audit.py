"""The audit trail: append-only, written in the transaction of the act it tells of.

Every entry names who, what, on which subject and with which ids; names and numbers of patients
never enter it. The database refuses UPDATE and DELETE on the table (see the migrations).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from accord.kit import store
from accord.kit.access import Actor


def record(
    conn: Connection,
    actor: Actor,
    *,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one entry.

    Args:
        conn: The transaction of the act.
        actor: Who did it.
        action: Dotted name of what happened, e.g. `registry.institution.created`.
        subject: What it happened to, as `kind:id`.
        detail: Ids, codes and counts (JSON).
    """
    store.append_audit(conn, actor, action=action, subject=subject, detail=dict(detail or {}))
