"""All SQL of peers and kept messages."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.intake.model import Arrival, Peer, Received, State
from accord.intake.tables import intake_message, mllp_peer
from accord.kit import clock

_SHOWN: Final = [
    intake_message.c[name]
    for name in (
        "id",
        "application",
        "facility",
        "institution",
        "control_id",
        "kind",
        "patient",
        "received_at",
        "state",
        "code",
        "reason",
    )
]


def put_peer(conn: Connection, peer: Peer) -> None:
    """Keep a peer, or change the one of that application and facility."""
    values = {
        "institution": peer.institution,
        "address": peer.address,
        "added_at": clock.now(),
    }
    conn.execute(
        upsert(mllp_peer)
        .values(application=peer.application, facility=peer.facility, **values)
        .on_conflict_do_update(index_elements=["application", "facility"], set_=values)
    )


def remove_peer(conn: Connection, application: str, facility: str) -> bool:
    """Forget a peer; say whether there was one."""
    removed = conn.execute(
        delete(mllp_peer).where(
            mllp_peer.c.application == application, mllp_peer.c.facility == facility
        )
    )
    return removed.rowcount > 0


def peers(conn: Connection) -> tuple[Peer, ...]:
    """Return every peer."""
    rows = conn.execute(
        select(
            mllp_peer.c.application,
            mllp_peer.c.facility,
            mllp_peer.c.institution,
            mllp_peer.c.address,
        ).order_by(mllp_peer.c.application, mllp_peer.c.facility)
    )
    return tuple(Peer(*row) for row in rows)


def add(conn: Connection, arrival: Arrival, raw_sealed: str, digest: str) -> bool:
    """Keep a message; False when one of its sender and control id is kept already."""
    code, reason = arrival.fault or (None, None)
    added = conn.execute(
        upsert(intake_message)
        .values(
            application=arrival.peer.application,
            facility=arrival.peer.facility,
            institution=arrival.peer.institution,
            control_id=arrival.control_id,
            kind=arrival.kind,
            patient=arrival.patient,
            raw_sealed=raw_sealed,
            digest=digest,
            answer=arrival.answer,
            received_at=clock.now(),
            state=State.WAITING if arrival.fault else State.PENDING,
            code=code,
            reason=reason,
        )
        .on_conflict_do_nothing()
        .returning(intake_message.c.id)
    )
    return added.first() is not None


def answered(conn: Connection, peer: Peer, control_id: str) -> tuple[str, bytes]:
    """Return digest and answer of the message that is kept under a control id."""
    row = conn.execute(
        select(intake_message.c.digest, intake_message.c.answer).where(
            intake_message.c.application == peer.application,
            intake_message.c.facility == peer.facility,
            intake_message.c.control_id == control_id,
        )
    ).one()
    return row.digest, bytes(row.answer)


def pending(conn: Connection, institution: str, *, limit: int) -> list[tuple[Received, str]]:
    """Return the oldest messages of an institution that are to be mapped, with their bytes."""
    rows = conn.execute(
        select(*_SHOWN, intake_message.c.raw_sealed)
        .where(
            intake_message.c.institution == institution,
            intake_message.c.state == State.PENDING,
        )
        .order_by(intake_message.c.id)
        .limit(limit)
    )
    return [(_received(row), row.raw_sealed) for row in rows]


def find(conn: Connection, number: int, *, lock: bool = False) -> tuple[Received, str] | None:
    """Return a message and its sealed bytes."""
    query = select(*_SHOWN, intake_message.c.raw_sealed).where(intake_message.c.id == number)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return None if row is None else (_received(row), row.raw_sealed)


def listed(
    conn: Connection, states: Collection[State], institution: str | None, *, limit: int
) -> list[Received]:
    """Return messages in some states, the oldest first."""
    query = select(*_SHOWN).where(intake_message.c.state.in_(list(states)))
    if institution is not None:
        query = query.where(intake_message.c.institution == institution)
    return [
        _received(row) for row in conn.execute(query.order_by(intake_message.c.id).limit(limit))
    ]


def settle(
    conn: Connection, number: int, state: State, code: str | None = None, reason: str | None = None
) -> None:
    """Note what became of a message."""
    conn.execute(
        update(intake_message)
        .where(intake_message.c.id == number)
        .values(state=state, code=code, reason=reason, settled_at=clock.now())
    )


def reopen(conn: Connection, institution: str, patient: str, codes: Sequence[str]) -> int:
    """Let the waiting messages of a patient that lacked something be tried again; count them."""
    changed = conn.execute(
        update(intake_message)
        .where(
            intake_message.c.institution == institution,
            intake_message.c.patient == patient,
            intake_message.c.state == State.WAITING,
            intake_message.c.code.in_(codes),
        )
        .values(state=State.PENDING)
    )
    return int(changed.rowcount)


def _received(row: Any) -> Received:
    values = {column.name: getattr(row, column.name) for column in _SHOWN}
    return Received(**{**values, "state": State(row.state)})
