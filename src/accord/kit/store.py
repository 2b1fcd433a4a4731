"""All SQL of the technical ground: audit, accounts, sessions, systems."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.kit import clock
from accord.kit.access import Actor, ActorKind, Session, hash_token
from accord.kit.db import Prepared, Read, ask, tell
from accord.kit.tables import answered_request, audit_entry, person, session, system


@dataclass(frozen=True)
class Account:
    """A person's account as the login needs it."""

    login: str
    display: str
    password_hash: str
    active: bool
    locked_until: datetime | None


@dataclass(frozen=True)
class OpenSession:
    """A session that is still valid."""

    login: str
    display: str
    csrf: str


_APPEND = Prepared(
    insert(audit_entry).inline(),  # nobody asks for the id, so nothing comes back
    ("at", "actor_kind", "actor", "institution", "action", "subject", "detail"),
)
_SYSTEM = Prepared(
    select(system).where(system.c.key_hash == bindparam("key_hash"), system.c.active)
)


def append_audit(
    conn: Connection, actor: Actor, *, action: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """Append one entry to the audit trail."""
    tell(
        conn,
        _APPEND,
        {
            "at": clock.now(),
            "actor_kind": actor.kind.value,
            "actor": actor.id,
            "institution": actor.institution,
            "action": action,
            "subject": subject,
            "detail": json.dumps(dict(detail)),
        },
    )


def read_audit(
    conn: Connection, *, subject: str | None = None, action: str | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Return the newest entries first."""
    query = select(audit_entry).order_by(audit_entry.c.id.desc()).limit(limit)
    if subject:
        query = query.where(audit_entry.c.subject == subject)
    if action:
        query = query.where(audit_entry.c.action == action)
    return [dict(row) for row in conn.execute(query).mappings()]


def put_person(conn: Connection, login: str, display: str, password_hash: str) -> None:
    """Create an account, or give an existing one a new name and password."""
    values = {"display": display, "password_hash": password_hash, "active": True}
    conn.execute(
        upsert(person)
        .values(login=login, created_at=clock.now(), **values)
        .on_conflict_do_update(
            index_elements=[person.c.login],
            set_={**values, "failed_attempts": 0, "locked_until": None},
        )
    )


def lock_person(conn: Connection, login: str) -> Account | None:
    """Return the account of that login, its row locked until the end of the transaction."""
    row = conn.execute(select(person).where(person.c.login == login).with_for_update()).first()
    if row is None:
        return None
    return Account(row.login, row.display, row.password_hash, row.active, row.locked_until)


def count_failure(conn: Connection, login: str, *, limit: int, locked_until: datetime) -> None:
    """Count a wrong password; at `limit` lock the account and start counting anew."""
    reached = person.c.failed_attempts + 1 >= limit
    conn.execute(
        update(person)
        .where(person.c.login == login)
        .values(
            failed_attempts=case((reached, 0), else_=person.c.failed_attempts + 1),
            locked_until=case((reached, locked_until), else_=person.c.locked_until),
        )
    )


def open_session(conn: Connection, login: str, fresh: Session, at: datetime) -> None:
    """Keep a fresh session and forget earlier failures."""
    conn.execute(
        insert(session).values(
            token_hash=hash_token(fresh.token),
            login=login,
            csrf=fresh.csrf,
            created_at=at,
            seen_at=at,
            ends_at=fresh.ends_at,
        )
    )
    conn.execute(
        update(person).where(person.c.login == login).values(failed_attempts=0, locked_until=None)
    )
    conn.execute(delete(session).where(session.c.ends_at < at))


def touch_session(
    conn: Connection, token: str, at: datetime, *, idle: timedelta
) -> OpenSession | None:
    """Return the valid session of that token and note that it was used."""
    row = conn.execute(
        select(session.c.csrf, session.c.seen_at, person.c.login, person.c.display)
        .join(person)
        .where(
            session.c.token_hash == hash_token(token),
            session.c.ends_at > at,
            session.c.seen_at > at - idle,
            person.c.active,
        )
    ).first()
    if row is None:
        return None
    # Once a minute is exact enough for the idle limit and spares a write on every click.
    if at - row.seen_at > timedelta(minutes=1):
        conn.execute(
            update(session)
            .where(session.c.token_hash == hash_token(token))
            .values(seen_at=func.greatest(session.c.seen_at, at))
        )
    return OpenSession(row.login, row.display, row.csrf)


def end_session(conn: Connection, token: str) -> None:
    """Forget the session of that token."""
    conn.execute(delete(session).where(session.c.token_hash == hash_token(token)))


def put_system(
    conn: Connection,
    code: str,
    display: str,
    key: str,
    *,
    institution: str | None,
    permissions: frozenset[str],
) -> None:
    """Register a system with its key, or give a known one a new key and permissions."""
    values = {
        "display": display,
        "key_hash": hash_token(key),
        "institution": institution,
        "permissions": sorted(permissions),
        "active": True,
    }
    conn.execute(
        upsert(system)
        .values(code=code, created_at=clock.now(), **values)
        .on_conflict_do_update(index_elements=[system.c.code], set_=values)
    )


def find_system(conn: Connection, key: str) -> Actor | None:
    """Return the system that holds that key, if it is active."""
    return ask(conn, Read(_SYSTEM, {"key_hash": hash_token(key)}, _system))


def _system(rows: Sequence[Any]) -> Actor | None:
    if not rows:
        return None
    row = rows[0]
    return Actor(
        ActorKind.SYSTEM,
        row.code,
        row.display,
        row.institution,
        permissions=frozenset(row.permissions),
    )


def find_answer(conn: Connection, actor: str, key: str) -> tuple[str, dict[str, Any]] | None:
    """Return fingerprint and answer of a request that was answered before."""
    row = conn.execute(
        select(answered_request).where(
            answered_request.c.actor == actor, answered_request.c.key == key
        )
    ).first()
    return None if row is None else (row.fingerprint, row.answer)


def claim_answer(conn: Connection, actor: str, key: str, fingerprint: str) -> bool:
    """Claim the key for this transaction; waits for a twin in flight, False when it was taken."""
    claimed = conn.execute(
        upsert(answered_request)
        .values(actor=actor, key=key, fingerprint=fingerprint, answer={}, at=clock.now())
        .on_conflict_do_nothing()
        .returning(answered_request.c.key)
    ).first()
    return claimed is not None


def keep_answer(conn: Connection, actor: str, key: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer of a claimed key."""
    conn.execute(
        update(answered_request)
        .where(answered_request.c.actor == actor, answered_request.c.key == key)
        .values(answer=dict(answer))
    )
