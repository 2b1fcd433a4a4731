"""All SQL of patients, links and tasks."""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    any_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.identity import tables as t
from accord.identity.model import (
    Facts,
    IdState,
    IdType,
    Patient,
    Sex,
    Task,
    TaskDecision,
    TaskKind,
)
from accord.identity.rules.placing import Basis, Decided, Member
from accord.kit import clock
from accord.kit.db import Prepared, Read

PATIENT = t.patient


@dataclass(frozen=True)
class Kept:
    """A patient with what only the matching and the reveal need."""

    patient: Patient
    token: str | None
    kind: str | None
    sealed: str | None
    country: str | None
    digest: str

    def member(self, mine: Collection[str]) -> Member:
        """Return it as one of a group."""
        patient = self.patient
        return Member(
            patient.id, patient.person_id, self.facts(mine), patient.id_state, patient.quarantined
        )

    def facts(self, mine: Collection[str] = ()) -> Facts:
        """Return what it is compared by.

        Args:
            mine: Keyed hashes of one number by every key of the site; they count as one.
        """
        verified = self.patient.id_state is IdState.VERIFIED
        key = self.token if verified else None
        if key in mine:
            key = min(mine)
        return Facts(
            self.patient.name,
            self.patient.sex,
            self.patient.birth_date,
            key,
            self.kind if verified else None,
        )


def lock(conn: Connection, *parts: str) -> None:
    """Let nobody else work on the thing of that name until the end of the transaction."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    conn.execute(select(func.pg_advisory_xact_lock(literal(number))))


def new_person_id() -> str:
    """Return the id of a new person; it says nothing."""
    return str(uuid.uuid4())


def add(conn: Connection, values: Mapping[str, Any]) -> int:
    """Keep a new patient in a person of its own."""
    now = clock.now()
    number = conn.execute(
        insert(PATIENT)
        .values(**values, person_id=new_person_id(), created_at=now, updated_at=now)
        .returning(PATIENT.c.id)
    ).scalar_one()
    return int(number)


def amend(conn: Connection, patient_id: int, values: Mapping[str, Any]) -> None:
    """Keep what the patient was as a version, and what it is now."""
    row = conn.execute(select(PATIENT).where(PATIENT.c.id == patient_id)).one()
    content = {
        name: str(value) if isinstance(value, date) else value
        for name, value in row._mapping.items()  # noqa: SLF001 - the public name of SQLAlchemy
        if name not in {"id", "created_at", "updated_at", "version"}
    }
    conn.execute(
        insert(t.patient_version).values(
            patient=patient_id, version=row.version, content=content, until=clock.now()
        )
    )
    conn.execute(
        update(PATIENT)
        .where(PATIENT.c.id == patient_id)
        .values(**values, version=row.version + 1, updated_at=clock.now())
    )


def find(conn: Connection, authority: str, local_id: str) -> Kept | None:
    """Return the patient of that key."""
    row = conn.execute(
        select(PATIENT).where(PATIENT.c.authority == authority, PATIENT.c.local_id == local_id)
    ).first()
    return None if row is None else _kept(row)


def get(conn: Connection, ids: Iterable[int]) -> tuple[Kept, ...]:
    """Return patients by their ids, in order of these."""
    rows = conn.execute(select(PATIENT).where(PATIENT.c.id.in_(list(ids))).order_by(PATIENT.c.id))
    return tuple(_kept(row) for row in rows)


def of_person(conn: Connection, person_id: str) -> tuple[Patient, ...]:
    """Return the patients of a person that are not in quarantine."""
    try:
        person = str(uuid.UUID(person_id))
    except ValueError:
        return ()
    rows = conn.execute(
        select(PATIENT)
        .where(PATIENT.c.person_id == person, ~PATIENT.c.quarantined)
        .order_by(PATIENT.c.id)
    )
    return tuple(_kept(row).patient for row in rows)


_ME, _SAME = PATIENT.alias("me"), PATIENT.alias("same")
_PERSONS = Prepared(
    select(
        _ME.c.local_id.label("asked"),
        _ME.c.name,
        _ME.c.quarantined,
        _SAME.c.authority,
        _SAME.c.local_id,
    )
    .outerjoin(_SAME, and_(_SAME.c.person_id == _ME.c.person_id, ~_SAME.c.quarantined))
    .where(
        _ME.c.authority == bindparam("authority"),
        _ME.c.local_id == any_(bindparam("local_ids", type_=ARRAY(String))),
    )
    .order_by(_SAME.c.id)
)


@dataclass(frozen=True)
class Whose:
    """A patient's name and standing, and the keys of all patients that are the same person."""

    name: str
    quarantined: bool
    keys: tuple[tuple[str, str], ...]


def persons_of(authority: str, local_ids: Collection[str]) -> Read[dict[str, Whose]]:
    """Ask for the persons of some patients of an authority, with every key of each person."""
    return Read(_PERSONS, {"authority": authority, "local_ids": list(local_ids)}, _whose)


def _whose(rows: Sequence[Any]) -> dict[str, Whose]:
    found: dict[str, Whose] = {}
    for row in rows:
        known = found.get(row.asked)
        keys = known.keys if known else ()
        if row.authority is not None:
            keys = (*keys, (row.authority, row.local_id))
        found[row.asked] = Whose(row.name, row.quarantined, keys)
    return found


def group(conn: Connection, patient_id: int, tokens: Collection[str]) -> tuple[Kept, ...]:
    """Return, locked, everybody whom a change of one patient may concern.

    These are its person, those of the same number, those that people or its source tied to it,
    and the persons of all of them.
    """
    decision = t.identity_decision
    tied = union(
        select(decision.c.low).where(decision.c.high == patient_id),
        select(decision.c.high).where(decision.c.low == patient_id),
    )
    near: list[ColumnElement[bool]] = [PATIENT.c.id == patient_id, PATIENT.c.id.in_(tied)]
    if tokens:
        near.append(PATIENT.c.id_token.in_(list(tokens)))
    persons = conn.execute(select(PATIENT.c.person_id).distinct().where(or_(*near))).scalars().all()
    rows = conn.execute(_members(persons).with_for_update())
    return tuple(_kept(row) for row in rows)


def _members(persons: Iterable[str]) -> Select[Any]:
    return select(PATIENT).where(PATIENT.c.person_id.in_(list(persons))).order_by(PATIENT.c.id)


def decisions(conn: Connection, ids: Collection[int]) -> dict[tuple[int, int], Decided]:
    """Return what was decided of pairs of these patients."""
    table = t.identity_decision
    rows = conn.execute(
        select(table).where(table.c.low.in_(list(ids)), table.c.high.in_(list(ids)))
    )
    return {(row.low, row.high): Decided(row.same, Basis(row.basis)) for row in rows}


def decide(
    conn: Connection, a: int, b: int, *, same: bool, basis: Basis, by: str, reason: str
) -> None:
    """Keep what people or a source decided of a pair; the last word counts."""
    values = {"same": same, "basis": basis, "by": by, "reason": reason, "at": clock.now()}
    table = t.identity_decision
    conn.execute(
        upsert(table)
        .values(low=min(a, b), high=max(a, b), **values)
        .on_conflict_do_update(index_elements=[table.c.low, table.c.high], set_=values)
    )


def move(conn: Connection, patient: Patient, to_person: str, reason: str, by: str) -> None:
    """Put a patient into another person and keep that it was done."""
    conn.execute(update(PATIENT).where(PATIENT.c.id == patient.id).values(person_id=to_person))
    conn.execute(
        insert(t.person_link).values(
            patient=patient.id,
            from_person=patient.person_id,
            to_person=to_person,
            reason=reason,
            by=by,
            at=clock.now(),
        )
    )


def set_quarantine(conn: Connection, patient_id: int, quarantined: bool) -> None:
    """Put a patient into quarantine, or let it out."""
    conn.execute(update(PATIENT).where(PATIENT.c.id == patient_id).values(quarantined=quarantined))


def links_of(conn: Connection, patient_id: int) -> list[dict[str, Any]]:
    """Return how a patient moved between persons, oldest first."""
    table = t.person_link
    rows = conn.execute(select(table).where(table.c.patient == patient_id).order_by(table.c.id))
    return [dict(row) for row in rows.mappings()]


def namesakes(
    conn: Connection, name_key: str, birth_date: date, *, without_person: str, most: int
) -> tuple[Kept, ...]:
    """Return patients of other persons with the same name and birth date."""
    rows = conn.execute(
        select(PATIENT)
        .where(
            PATIENT.c.name_key == name_key,
            PATIENT.c.birth_date == birth_date,
            PATIENT.c.person_id != without_person,
        )
        .order_by(PATIENT.c.id)
        .limit(most)
    )
    return tuple(_kept(row) for row in rows)


def _kept(row: Row[Any]) -> Kept:
    patient = Patient(
        id=row.id,
        person_id=row.person_id,
        authority=row.authority,
        local_id=row.local_id,
        name=row.name,
        sex=Sex(row.sex),
        birth_date=row.birth_date,
        id_type=IdType(row.id_type) if row.id_type else None,
        id_state=IdState(row.id_state),
        quarantined=row.quarantined,
        version=row.version,
        updated_at=row.updated_at,
    )
    return Kept(patient, row.id_token, row.id_kind, row.id_sealed, row.id_country, row.digest)


# --- tasks --------------------------------------------------------------------------------------


def open_task(
    conn: Connection,
    kind: TaskKind,
    patient: Patient,
    others: Iterable[int],
    because: tuple[str, ...],
) -> int:
    """Open a task, or bring the open one of that kind and patient up to date."""
    table = t.identity_task
    values = {"others": sorted(set(others)), "because": list(because)}
    known = conn.execute(
        update(table)
        .where(table.c.patient == patient.id, table.c.kind == kind, table.c.decision.is_(None))
        .values(**values)
        .returning(table.c.id)
    ).scalar()
    if known is not None:
        return int(known)
    number = conn.execute(
        insert(table)
        .values(
            kind=kind,
            patient=patient.id,
            authority=patient.authority,
            opened_at=clock.now(),
            **values,
        )
        .returning(table.c.id)
    ).scalar_one()
    return int(number)


def close_tasks(
    conn: Connection,
    patient_id: int,
    kinds: Collection[TaskKind],
    decision: TaskDecision,
    by: str,
    note: str = "",
) -> list[int]:
    """Close the open tasks of these kinds about a patient."""
    table = t.identity_task
    return list(
        conn.execute(
            update(table)
            .where(
                table.c.patient == patient_id,
                table.c.kind.in_([kind.value for kind in kinds]),
                table.c.decision.is_(None),
            )
            .values(decision=decision, decided_by=by, note=note, decided_at=clock.now())
            .returning(table.c.id)
        ).scalars()
    )


def tasks(
    conn: Connection, *, authorities: Collection[str] | None = None, most: int = 200
) -> tuple[Task, ...]:
    """Return open tasks, oldest first; of these assigning authorities alone, if given."""
    table = t.identity_task
    query = select(table).where(table.c.decision.is_(None)).order_by(table.c.id).limit(most)
    if authorities is not None:
        query = query.where(table.c.authority.in_(list(authorities)))
    return _tasks(conn, conn.execute(query).all())


def settled_tasks(conn: Connection, ids: Collection[int]) -> list[int]:
    """Return the open "possibly the same" tasks of these patients that a link has answered."""
    table = t.identity_task
    other = PATIENT.alias("other")
    elsewhere = (
        select(other.c.id)
        .where(other.c.id == any_(table.c.others), other.c.person_id != PATIENT.c.person_id)
        .exists()
    )
    return list(
        conn.execute(
            select(table.c.id)
            .join(PATIENT, PATIENT.c.id == table.c.patient)
            .where(
                table.c.patient.in_(list(ids)),
                table.c.kind == TaskKind.POSSIBLE_SAME,
                table.c.decision.is_(None),
                ~elsewhere,
            )
        ).scalars()
    )


def find_task(conn: Connection, task_id: int) -> Task | None:
    """Return a task, open or closed, its row locked."""
    table = t.identity_task
    rows = conn.execute(select(table).where(table.c.id == task_id).with_for_update()).all()
    found = _tasks(conn, rows)
    return found[0] if found else None


def _tasks(conn: Connection, rows: Iterable[Row[Any]]) -> tuple[Task, ...]:
    rows = list(rows)
    ids = {number for row in rows for number in (row.patient, *row.others)}
    known = {kept.patient.id: kept.patient for kept in get(conn, ids)}
    return tuple(
        Task(
            id=row.id,
            kind=TaskKind(row.kind),
            patient=known[row.patient],
            others=tuple(known[number] for number in row.others),
            because=tuple(row.because),
            opened_at=row.opened_at,
            decision=TaskDecision(row.decision) if row.decision else None,
            decided_by=row.decided_by,
            note=row.note,
        )
        for row in rows
    )


def close_task(conn: Connection, task_id: int, decision: TaskDecision, by: str, note: str) -> None:
    """Close one task."""
    table = t.identity_task
    conn.execute(
        update(table)
        .where(table.c.id == task_id)
        .values(decision=decision, decided_by=by, note=note, decided_at=clock.now())
    )
