"""All SQL of the registry.

Versions: `put` states what holds over a period, `amend` changes it from a day on, `end` lets it
end. None of them touches what was written before, but for the mark of when it was superseded.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.kit import clock
from accord.kit.db import Prepared, Read, ask
from accord.registry import memory
from accord.registry import tables as t
from accord.registry.model import (
    Basis,
    CentreRank,
    Consortium,
    ConsortiumKind,
    Device,
    DeviceKind,
    DeviceTest,
    HealthAuthority,
    Inspection,
    Institution,
    InstitutionList,
    Level,
    ListEntry,
    Membership,
    Ownership,
    PostHeld,
    Profession,
    QCCentre,
    Qualification,
    QualificationState,
    RoleName,
    ScopeKind,
    Staff,
    TestKind,
)
from accord.standard.model import Jurisdiction

BOOKKEEPING: Final = frozenset({"row_id", "recorded_at", "superseded_at"})
_AFTER_ALL: Final = date.max
_LOCK: Final = 0x7265_6769_7374_7279  # "registry"


# --- versions ---------------------------------------------------------------------------------


def holds(table: Table, on: date, known_at: datetime | None = None) -> ColumnElement[bool]:
    """Return the condition that a version holds on a day, as known now or at a moment."""
    return and_(
        _known(table, known_at),
        table.c.valid_from <= on,
        or_(table.c.valid_to.is_(None), table.c.valid_to > on),
    )


def _known(table: Table, at: datetime | None) -> ColumnElement[bool]:
    if at is None:
        return table.c.superseded_at.is_(None)
    return and_(
        table.c.recorded_at <= at,
        or_(table.c.superseded_at.is_(None), table.c.superseded_at > at),
    )


def _keyed(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))


def lock(conn: Connection) -> None:
    """Let nobody else change the registry until the end of the transaction.

    One lock for all of it: changes are rare, and a finer one would invite deadlocks.
    """
    conn.execute(select(func.pg_advisory_xact_lock(literal(_LOCK))))


def _versions(
    conn: Connection, table: Table, key: Mapping[str, Any], since: date, until: date | None
) -> list[dict[str, Any]]:
    """Return the versions that hold on some day of a period, locked against other writers."""
    lock(conn)
    condition = [
        _keyed(table, key),
        table.c.superseded_at.is_(None),
        or_(table.c.valid_to.is_(None), table.c.valid_to > since),
    ]
    if until is not None:
        condition.append(table.c.valid_from < until)
    rows = conn.execute(select(table).where(*condition).order_by(table.c.valid_from)).mappings()
    return [dict(row) for row in rows]


def _supersede(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    conn.execute(
        update(table)
        .where(table.c.row_id.in_([row["row_id"] for row in rows]))
        .values(superseded_at=clock.now())
    )


def _add(conn: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    fresh = [
        {name: value for name, value in row.items() if name not in BOOKKEEPING}
        | {"recorded_at": clock.now()}
        for row in rows
    ]
    if fresh:
        conn.execute(insert(table), fresh)


def put(conn: Connection, table: Table, key: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """State what holds over the period of `row`, whatever was said of those days before.

    Days outside the period keep what they had. Returns whether anything changed.
    """
    since, until = row["valid_from"], row["valid_to"]
    old = _versions(conn, table, key, since, until)
    if len(old) == 1 and all(old[0][name] == value for name, value in row.items()):
        return False
    kept = []
    for version in old:
        if version["valid_from"] < since:
            kept.append({**version, "valid_to": since})
        if until is not None and (version["valid_to"] or _AFTER_ALL) > until:
            kept.append({**version, "valid_from": until})
    if old:
        _supersede(conn, table, old)
    _add(conn, table, [*kept, row])
    touch(conn)
    return True


def amend(
    conn: Connection,
    table: Table,
    key: Mapping[str, Any],
    from_day: date,
    changes: Mapping[str, Any],
) -> int:
    """Change what holds from a day on; earlier days keep what they had.

    Returns how many versions were changed; 0 when nothing holds on that day or later.
    """
    old = [
        version
        for version in _versions(conn, table, key, from_day, None)
        if any(version[name] != value for name, value in changes.items())
    ]
    if not old:
        return 0
    fresh: list[dict[str, Any]] = []
    for version in old:
        if version["valid_from"] < from_day:
            fresh.append({**version, "valid_to": from_day})
        fresh.append({**version, **changes, "valid_from": max(version["valid_from"], from_day)})
    _supersede(conn, table, old)
    _add(conn, table, fresh)
    touch(conn)
    return len(old)


def end(conn: Connection, table: Table, key: Mapping[str, Any], on: date) -> int:
    """Let it hold no longer from that day on. Returns how many versions were cut."""
    old = _versions(conn, table, key, on, None)
    if not old:
        return 0
    _supersede(conn, table, old)
    _add(conn, table, [{**row, "valid_to": on} for row in old if row["valid_from"] < on])
    touch(conn)
    return len(old)


def owner(conn: Connection, table: Table, key: Mapping[str, Any]) -> str | None:
    """Return the authority of the newest version of that key, superseded or not."""
    return conn.execute(
        select(table.c.authority)
        .where(_keyed(table, key))
        .order_by(table.c.superseded_at.is_(None).desc(), table.c.valid_from.desc())
        .limit(1)
    ).scalar()


def history(conn: Connection, table: Table, key: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every version of that key in the order in which they were recorded."""
    rows = conn.execute(select(table).where(_keyed(table, key)).order_by(table.c.row_id))
    return [dict(row) for row in rows.mappings()]


def touch(conn: Connection) -> None:
    """Give the registry a new version, so that nobody answers from memory any longer.

    Random and not counted: a version that was rolled back must never come again.
    """
    version = uuid.uuid4()
    conn.execute(
        upsert(t.registry_state)
        .values(id=1, version=version)
        .on_conflict_do_update(index_elements=[t.registry_state.c.id], set_={"version": version})
    )
    memory.forget(conn)


def version(conn: Connection) -> uuid.UUID | None:
    """Return the version of the registry; None while nothing was ever written."""
    return ask(conn, state())


_STATE = Prepared(select(t.registry_state.c.version))


def state() -> Read[uuid.UUID | None]:
    """Ask for the version of the registry."""
    return Read(_STATE, {}, lambda rows: rows[0].version if rows else None)


# --- imports ----------------------------------------------------------------------------------


def digest_of(row: Mapping[str, Any]) -> str:
    """Return the hash by which an imported row is known again."""
    return hashlib.sha256(
        json.dumps(row, sort_keys=True, default=str, ensure_ascii=False).encode()
    ).hexdigest()


def remember_import(conn: Connection, kind: str, key: str, digest: str) -> bool:
    """Note an imported row; False when exactly this row was imported before."""
    table = t.registry_import
    known = conn.execute(
        select(table.c.digest).where(table.c.kind == kind, table.c.key == key).with_for_update()
    ).scalar()
    if known == digest:
        return False
    values = {"digest": digest, "imported_at": clock.now()}
    conn.execute(
        upsert(table)
        .values(kind=kind, key=key, **values)
        .on_conflict_do_update(index_elements=[table.c.kind, table.c.key], set_=values)
    )
    return True


# --- authorities and centres ------------------------------------------------------------------


def put_authority(conn: Connection, authority: HealthAuthority) -> None:
    """Register a health commission, or give a known one another name."""
    values = {
        "name": authority.name,
        "province": authority.province,
        "jurisdiction": authority.jurisdiction,
    }
    conn.execute(
        upsert(t.health_authority)
        .values(code=authority.code, **values)
        .on_conflict_do_update(index_elements=[t.health_authority.c.code], set_=values)
    )
    touch(conn)


def find_authority(conn: Connection, code: str) -> HealthAuthority | None:
    """Return a health commission by its code."""
    row = conn.execute(select(t.health_authority).where(t.health_authority.c.code == code)).first()
    if row is None:
        return None
    return HealthAuthority(row.code, row.name, row.province, Jurisdiction(row.jurisdiction))


def put_centre(conn: Connection, centre: QCCentre, valid_from: date) -> bool:
    """State a QC centre from a day on."""
    row = {
        "code": centre.code,
        "name": centre.name,
        "rank": centre.rank,
        "province": centre.province,
        "authority": centre.authority,
        "jurisdiction": centre.jurisdiction,
        "valid_from": valid_from,
        "valid_to": None,
    }
    return put(conn, t.qc_centre, {"code": centre.code}, row)


def find_centre(conn: Connection, code: str, on: date) -> QCCentre | None:
    """Return a QC centre as it stood on a day."""
    row = conn.execute(
        select(t.qc_centre).where(t.qc_centre.c.code == code, holds(t.qc_centre, on))
    ).first()
    if row is None:
        return None
    return QCCentre(
        row.code,
        row.name,
        CentreRank(row.rank),
        row.province,
        row.authority,
        Jurisdiction(row.jurisdiction),
    )


# --- institutions -----------------------------------------------------------------------------


def put_institution(conn: Connection, thing: Institution) -> bool:
    """State an institution over its period."""
    row = {
        "code": thing.code,
        "name": thing.name,
        "campus": thing.campus,
        "licence_holder": thing.licence_holder,
        "level": thing.level if thing.level_is_own else None,
        "grade": thing.grade,
        "ownership": thing.ownership,
        "province": thing.province,
        "area": thing.area,
        "registry_complete": thing.registry_complete,
        "radiology_licence": thing.radiology_licence,
        **_owned(thing),
    }
    return put(conn, t.institution, {"code": thing.code}, row)


def _owned(thing: Any) -> dict[str, Any]:
    return {
        "authority": thing.authority,
        "jurisdiction": thing.jurisdiction,
        "valid_from": thing.valid_from,
        "valid_to": thing.valid_to,
    }


_holder = t.institution.alias("holder")


def institutions(
    conn: Connection, on: date, *, codes: Iterable[str] | None = None, province: str | None = None
) -> tuple[Institution, ...]:
    """Return institutions as they stood on a day, by code."""
    query = (
        select(
            t.institution,
            _holder.c.level.label("holder_level"),
            _holder.c.grade.label("holder_grade"),
        )
        .outerjoin(
            _holder,
            and_(
                _holder.c.code == t.institution.c.licence_holder,
                _holder.c.superseded_at.is_(None),
                _holder.c.valid_from <= on,
                or_(_holder.c.valid_to.is_(None), _holder.c.valid_to > on),
            ),
        )
        .where(holds(t.institution, on))
        .order_by(t.institution.c.code)
    )
    if codes is not None:
        query = query.where(t.institution.c.code.in_(list(codes)))
    if province is not None:
        query = query.where(t.institution.c.province == province)
    return tuple(_institution(row) for row in conn.execute(query))


def _institution(row: Row[Any]) -> Institution:
    own = row.level is not None
    level = row.level if own else row.holder_level
    return Institution(
        code=row.code,
        name=row.name,
        level=Level(level) if level is not None else Level.UNRATED,
        ownership=Ownership(row.ownership),
        province=row.province,
        authority=row.authority,
        jurisdiction=Jurisdiction(row.jurisdiction),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        campus=row.campus,
        licence_holder=row.licence_holder,
        level_is_own=own,
        grade=row.grade if own else (row.holder_grade or ""),
        area=row.area,
        registry_complete=row.registry_complete,
        radiology_licence=row.radiology_licence,
    )


# --- consortia --------------------------------------------------------------------------------


def put_consortium(conn: Connection, thing: Consortium) -> bool:
    """State a consortium over its period; its members are stated apart."""
    row = {
        "code": thing.code,
        "name": thing.name,
        "kind": thing.kind,
        "all_items": thing.all_items,
        **_owned(thing),
    }
    return put(conn, t.consortium, {"code": thing.code}, row)


def put_membership(conn: Connection, thing: Membership) -> bool:
    """State that an institution belongs to a consortium over a period."""
    key = {"consortium": thing.consortium, "institution": thing.institution}
    return put(conn, t.consortium_member, key, {**key, **_owned(thing)})


def end_membership(conn: Connection, consortium: str, institution: str, on: date) -> int:
    """Let a membership end on a day."""
    key = {"consortium": consortium, "institution": institution}
    return end(conn, t.consortium_member, key, on)


def consortia(
    conn: Connection, on: date, *, codes: Iterable[str] | None = None
) -> tuple[Consortium, ...]:
    """Return consortia with their members of that day, by code."""
    members = (
        select(func.array_agg(t.consortium_member.c.institution.distinct()))
        .where(
            t.consortium_member.c.consortium == t.consortium.c.code, holds(t.consortium_member, on)
        )
        .scalar_subquery()
    )
    query = (
        select(t.consortium, members.label("members"))
        .where(holds(t.consortium, on))
        .order_by(t.consortium.c.code)
    )
    if codes is not None:
        query = query.where(t.consortium.c.code.in_(list(codes)))
    return tuple(_consortium(row) for row in conn.execute(query))


def shared_consortia(conn: Connection, a: str, b: str, on: date) -> tuple[Consortium, ...]:
    """Return the consortia to which both institutions belong on a day, of every kind."""
    mine = t.consortium_member.alias("mine")
    theirs = t.consortium_member.alias("theirs")
    codes = (
        select(mine.c.consortium)
        .join(theirs, theirs.c.consortium == mine.c.consortium)
        .where(
            mine.c.institution == a,
            theirs.c.institution == b,
            *(
                condition
                for member in (mine, theirs)
                for condition in (
                    member.c.superseded_at.is_(None),
                    member.c.valid_from <= on,
                    or_(member.c.valid_to.is_(None), member.c.valid_to > on),
                )
            ),
        )
    )
    return consortia(conn, on, codes=conn.execute(codes).scalars().all())


def _consortium(row: Row[Any]) -> Consortium:
    return Consortium(
        code=row.code,
        name=row.name,
        kind=ConsortiumKind(row.kind),
        authority=row.authority,
        jurisdiction=Jurisdiction(row.jurisdiction),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        all_items=row.all_items,
        members=tuple(sorted(row.members or ())),
    )


# --- devices ----------------------------------------------------------------------------------


def put_device(conn: Connection, thing: Device) -> bool:
    """State a device over its period; its tests are stated apart."""
    row = {
        "id": thing.id,
        "institution": thing.institution,
        "serial": thing.serial,
        "kind": thing.kind,
        "manufacturer": thing.manufacturer,
        "model": thing.model,
        "cannot_send": sorted(thing.cannot_send),
        "review_on": thing.review_on,
        "configuration_licence": thing.configuration_licence,
        **_owned(thing),
    }
    return put(conn, t.device, {"id": thing.id}, row)


def put_device_test(
    conn: Connection, device: str, test: DeviceTest, authority: str, jurisdiction: Jurisdiction
) -> bool:
    """State the outcome of a test and how long it counts."""
    key = {"device": device, "kind": test.kind, "tested_on": test.tested_on}
    row = {
        **key,
        "passed": test.passed,
        "standard": test.standard,
        "report_number": test.report_number,
        "authority": authority,
        "jurisdiction": jurisdiction,
        "valid_from": test.valid_from,
        "valid_to": test.valid_to,
    }
    return put(conn, t.device_test, key, row)


def devices(
    conn: Connection,
    on: date,
    *,
    institution: str | None = None,
    serial: str | None = None,
    ids: Iterable[str] | None = None,
) -> tuple[Device, ...]:
    """Return devices as they stood on a day, with all tests known now."""
    query = select(t.device).where(holds(t.device, on)).order_by(t.device.c.id)
    if institution is not None:
        query = query.where(t.device.c.institution == institution)
    if serial is not None:
        query = query.where(t.device.c.serial == serial)
    if ids is not None:
        query = query.where(t.device.c.id.in_(list(ids)))
    rows = conn.execute(query).all()
    tests = _tests(conn, [row.id for row in rows])
    return tuple(_device(row, tests.get(row.id, ())) for row in rows)


def devices_with_serial(
    conn: Connection, institution: str, serial: str, since: date, until: date | None
) -> tuple[str, ...]:
    """Return the ids of the devices of that serial number on some day of a period."""
    table = t.device
    query = (
        select(table.c.id)
        .distinct()
        .where(
            table.c.institution == institution,
            table.c.serial == serial,
            table.c.superseded_at.is_(None),
            or_(table.c.valid_to.is_(None), table.c.valid_to > since),
        )
    )
    if until is not None:
        query = query.where(table.c.valid_from < until)
    return tuple(conn.execute(query).scalars())


def _tests(conn: Connection, ids: list[str]) -> dict[str, tuple[DeviceTest, ...]]:
    if not ids:
        return {}
    table = t.device_test
    rows = conn.execute(
        select(table)
        .where(table.c.device.in_(ids), table.c.superseded_at.is_(None))
        .order_by(table.c.tested_on, table.c.row_id)
    )
    found: dict[str, tuple[DeviceTest, ...]] = {}
    for row in rows:
        test = DeviceTest(
            kind=TestKind(row.kind),
            passed=row.passed,
            tested_on=row.tested_on,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            standard=row.standard,
            report_number=row.report_number,
        )
        found[row.device] = (*found.get(row.device, ()), test)
    return found


def _device(row: Row[Any], tests: tuple[DeviceTest, ...]) -> Device:
    return Device(
        id=row.id,
        institution=row.institution,
        serial=row.serial,
        kind=DeviceKind(row.kind),
        authority=row.authority,
        jurisdiction=Jurisdiction(row.jurisdiction),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        manufacturer=row.manufacturer,
        model=row.model,
        cannot_send=frozenset(row.cannot_send),
        review_on=row.review_on,
        configuration_licence=row.configuration_licence,
        tests=tests,
    )


# --- staff ------------------------------------------------------------------------------------


def put_staff(conn: Connection, thing: Staff) -> bool:
    """State a member of the staff over the period of the licence."""
    key = {"institution": thing.institution, "code": thing.code}
    row = {
        **key,
        "name": thing.name,
        "profession": thing.profession,
        "licence": thing.licence,
        "scope": thing.scope,
        **_owned(thing),
    }
    return put(conn, t.staff, key, row)


def staff(
    conn: Connection, on: date, *, institution: str | None = None, code: str | None = None
) -> tuple[Staff, ...]:
    """Return the staff whose licence is in force on a day."""
    query = (
        select(t.staff).where(holds(t.staff, on)).order_by(t.staff.c.institution, t.staff.c.code)
    )
    if institution is not None:
        query = query.where(t.staff.c.institution == institution)
    if code is not None:
        query = query.where(t.staff.c.code == code)
    return tuple(
        Staff(
            institution=row.institution,
            code=row.code,
            name=row.name,
            profession=Profession(row.profession),
            authority=row.authority,
            jurisdiction=Jurisdiction(row.jurisdiction),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            licence=row.licence,
            scope=row.scope,
        )
        for row in conn.execute(query)
    )


# --- lists ------------------------------------------------------------------------------------


def put_list(conn: Connection, thing: InstitutionList) -> None:
    """Keep a list, or what changed of a known one."""
    values = {
        "title": thing.title,
        "authority": thing.authority,
        "jurisdiction": thing.jurisdiction,
        "published_at": thing.published_at,
        "refreshed_at": thing.refreshed_at,
    }
    conn.execute(
        upsert(t.institution_list)
        .values(id=thing.id, **values)
        .on_conflict_do_update(index_elements=[t.institution_list.c.id], set_=values)
    )
    touch(conn)


def find_list(conn: Connection, list_id: str) -> InstitutionList | None:
    """Return a list by its id."""
    row = conn.execute(select(t.institution_list).where(t.institution_list.c.id == list_id)).first()
    return None if row is None else _list(row)


def lists(conn: Connection) -> tuple[InstitutionList, ...]:
    """Return every list, drafts too."""
    rows = conn.execute(select(t.institution_list).order_by(t.institution_list.c.id))
    return tuple(_list(row) for row in rows)


def _list(row: Row[Any]) -> InstitutionList:
    return InstitutionList(
        row.id,
        row.title,
        row.authority,
        Jurisdiction(row.jurisdiction),
        row.published_at,
        row.refreshed_at,
    )


def put_entry(conn: Connection, thing: ListEntry) -> bool:
    """State that an institution is on a list over a period."""
    key = {"list_id": thing.list_id, "institution": thing.institution}
    return put(conn, t.list_entry, key, {**key, **_owned(thing)})


def end_entry(conn: Connection, list_id: str, institution: str, on: date) -> int:
    """Take an institution off a list from a day on."""
    return end(conn, t.list_entry, {"list_id": list_id, "institution": institution}, on)


def entries(conn: Connection, list_id: str, on: date) -> tuple[ListEntry, ...]:
    """Return who is on a list on a day."""
    rows = conn.execute(
        select(t.list_entry)
        .where(t.list_entry.c.list_id == list_id, holds(t.list_entry, on))
        .order_by(t.list_entry.c.institution)
    )
    return tuple(_entry(row) for row in rows)


def entry_periods(conn: Connection, until: date) -> tuple[ListEntry, ...]:
    """Return every period on every list that began by a day, as known now."""
    table = t.list_entry
    rows = conn.execute(
        select(table)
        .where(table.c.superseded_at.is_(None), table.c.valid_from <= until)
        .order_by(table.c.institution, table.c.list_id, table.c.valid_from)
    )
    return tuple(_entry(row) for row in rows)


def _entry(row: Row[Any]) -> ListEntry:
    return ListEntry(
        row.list_id,
        row.institution,
        row.authority,
        Jurisdiction(row.jurisdiction),
        row.valid_from,
        row.valid_to,
    )


def turning_days(conn: Connection, institution: str) -> tuple[date, ...]:
    """Return the days on which something changes in what the registry says of an institution.

    Between two of them every day gives the same answer: about itself and its licence holder, its
    lists, rights, devices, staff, and the consortia it belongs to with all their members.
    """
    holder = select(t.institution.c.licence_holder).where(t.institution.c.code == institution)
    joined = select(t.consortium_member.c.consortium).where(
        t.consortium_member.c.institution == institution
    )
    of_institution = (t.list_entry, t.qualification, t.device, t.staff)
    places: list[tuple[Table, ColumnElement[bool]]] = [
        (t.institution, or_(t.institution.c.code == institution, t.institution.c.code.in_(holder))),
        (t.consortium, t.consortium.c.code.in_(joined)),
        (t.consortium_member, t.consortium_member.c.consortium.in_(joined)),
        *((table, table.c.institution == institution) for table in of_institution),
    ]
    rows = conn.execute(
        union_all(
            *(
                select(table.c.valid_from, table.c.valid_to).where(
                    table.c.superseded_at.is_(None), is_meant
                )
                for table, is_meant in places
            )
        )
    ).all()
    published = conn.execute(
        select(t.institution_list.c.published_at).where(
            t.institution_list.c.published_at.is_not(None)
        )
    ).scalars()
    days = {day for row in rows for day in row if day is not None}
    return tuple(sorted(days | {clock.local_day(moment) for moment in published}))


def lists_naming(conn: Connection, institution: str, on: date) -> tuple[InstitutionList, ...]:
    """Return the lists, published or not, that name an institution on a day."""
    rows = conn.execute(
        select(t.institution_list)
        .join(t.list_entry, t.list_entry.c.list_id == t.institution_list.c.id)
        .where(t.list_entry.c.institution == institution, holds(t.list_entry, on))
    )
    return tuple(_list(row) for row in rows)


def lists_of_authority(conn: Connection, authority: str) -> tuple[InstitutionList, ...]:
    """Return the lists that an authority owns."""
    rows = conn.execute(
        select(t.institution_list).where(t.institution_list.c.authority == authority)
    )
    return tuple(_list(row) for row in rows)


# --- inspections and qualifications -----------------------------------------------------------


def add_inspection(conn: Connection, thing: Inspection) -> None:
    """Keep a concluded inspection; conclusions never change."""
    conn.execute(
        insert(t.inspection).values(
            id=thing.id,
            institution=thing.institution,
            scope_kind=thing.scope_kind,
            scope_value=thing.scope_value,
            centre=thing.centre,
            concluded_on=thing.concluded_on,
            passed=thing.passed,
            signatures=list(thing.signatures),
            jurisdiction=thing.jurisdiction,
            report_number=thing.report_number,
            recorded_at=clock.now(),
        )
    )


def find_inspection(conn: Connection, inspection_id: str) -> Inspection | None:
    """Return a concluded inspection by its id."""
    row = conn.execute(select(t.inspection).where(t.inspection.c.id == inspection_id)).first()
    if row is None:
        return None
    return Inspection(
        row.id,
        row.institution,
        ScopeKind(row.scope_kind),
        row.scope_value,
        row.centre,
        row.concluded_on,
        row.passed,
        tuple(row.signatures),
        Jurisdiction(row.jurisdiction),
        row.report_number,
    )


def put_qualification(conn: Connection, thing: Qualification) -> bool:
    """State a qualification over its period."""
    row = {
        "id": thing.id,
        "institution": thing.institution,
        "scope_kind": thing.scope_kind,
        "scope_value": thing.scope_value,
        "mark_scope": thing.mark_scope,
        "state": thing.state,
        "basis": thing.basis,
        "centre": thing.centre,
        "centre_rank": thing.centre_rank,
        "inspection": thing.inspection,
        "notice": thing.notice,
        "list_hash": thing.list_hash,
        "revoked_items": sorted(thing.revoked_items),
        "because": thing.because,
        **_owned(thing),
    }
    return put(conn, t.qualification, {"id": thing.id}, row)


def amend_qualification(
    conn: Connection, qualification_id: str, from_day: date, changes: Mapping[str, Any]
) -> int:
    """Change a qualification from a day on."""
    return amend(conn, t.qualification, {"id": qualification_id}, from_day, changes)


def versions_of_qualification(
    conn: Connection, qualification_id: str, since: date
) -> tuple[Qualification, ...]:
    """Return what holds of a qualification on that day and later, locked for a change."""
    found = _versions(conn, t.qualification, {"id": qualification_id}, since, None)
    return tuple(_qualification(row) for row in found)


def qualifications(
    conn: Connection,
    on: date,
    *,
    institution: str | None = None,
    qualification_id: str | None = None,
) -> tuple[Qualification, ...]:
    """Return qualifications of every state as they stood on a day."""
    table = t.qualification
    query = select(table).where(holds(table, on)).order_by(table.c.institution, table.c.id)
    if institution is not None:
        query = query.where(table.c.institution == institution)
    if qualification_id is not None:
        query = query.where(table.c.id == qualification_id)
    return tuple(_qualification(dict(row)) for row in conn.execute(query).mappings())


def qualification_periods(conn: Connection, until: date) -> tuple[Qualification, ...]:
    """Return every period of every qualification that began by a day, as known now."""
    table = t.qualification
    rows = conn.execute(
        select(table)
        .where(table.c.superseded_at.is_(None), table.c.valid_from <= until)
        .order_by(table.c.institution, table.c.id, table.c.valid_from)
    ).mappings()
    return tuple(_qualification(dict(row)) for row in rows)


def qualification_exists(conn: Connection, qualification_id: str) -> bool:
    """Say whether that id was ever used."""
    table = t.qualification
    return (
        conn.execute(select(table.c.row_id).where(table.c.id == qualification_id).limit(1)).first()
        is not None
    )


def _qualification(row: Mapping[str, Any]) -> Qualification:
    rank = row["centre_rank"]
    return Qualification(
        id=row["id"],
        institution=row["institution"],
        scope_kind=ScopeKind(row["scope_kind"]),
        scope_value=row["scope_value"],
        mark_scope=row["mark_scope"],
        state=QualificationState(row["state"]),
        basis=Basis(row["basis"]),
        authority=row["authority"],
        jurisdiction=Jurisdiction(row["jurisdiction"]),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        centre=row["centre"],
        centre_rank=CentreRank(rank) if rank is not None else None,
        inspection=row["inspection"],
        notice=row["notice"],
        list_hash=row["list_hash"],
        revoked_items=frozenset(row["revoked_items"]),
        because=row["because"],
    )


# --- posts and AE titles ----------------------------------------------------------------------


def put_post(conn: Connection, thing: PostHeld) -> bool:
    """State a post over a period."""
    key = {"login": thing.login, "role": thing.role}
    row = {
        **key,
        "institution": thing.institution,
        "authority": thing.authority,
        "valid_from": thing.valid_from,
        "valid_to": thing.valid_to,
    }
    return put(conn, t.post, key, row)


def end_post(conn: Connection, login: str, role: RoleName, on: date) -> int:
    """Let a post end on a day."""
    return end(conn, t.post, {"login": login, "role": role}, on)


def posts(
    conn: Connection, login: str, on: date | None = None, *, since: date | None = None
) -> tuple[PostHeld, ...]:
    """Return a person's posts on a day, or all that hold on some day from `since` on."""
    query = select(t.post).where(t.post.c.login == login, t.post.c.superseded_at.is_(None))
    if on is not None:
        query = query.where(holds(t.post, on))
    if since is not None:
        query = query.where(or_(t.post.c.valid_to.is_(None), t.post.c.valid_to > since))
    return tuple(
        PostHeld(
            row.login,
            RoleName(row.role),
            row.valid_from,
            row.valid_to,
            row.institution,
            row.authority,
        )
        for row in conn.execute(query.order_by(t.post.c.row_id))
    )


def put_ae_title(
    conn: Connection,
    title: str,
    institution: str,
    authority: str,
    jurisdiction: Jurisdiction,
    valid_from: date,
    valid_to: date | None,
) -> bool:
    """Bind a calling AE title to an institution over a period."""
    row = {
        "title": title,
        "institution": institution,
        "authority": authority,
        "jurisdiction": jurisdiction,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    return put(conn, t.ae_title, {"title": title}, row)


def institution_of_ae(conn: Connection, title: str, on: date) -> str | None:
    """Return the institution that an AE title speaks for on a day."""
    found: str | None = conn.execute(
        select(t.ae_title.c.institution).where(t.ae_title.c.title == title, holds(t.ae_title, on))
    ).scalar()
    return found


def institution_owner(conn: Connection, code: str) -> str | None:
    """Return the authority of an institution."""
    return owner(conn, t.institution, {"code": code})


OWNED: Final[Mapping[str, Table]] = {
    "institution": t.institution,
    "consortium": t.consortium,
    "device": t.device,
    "staff": t.staff,
    "qualification": t.qualification,
    "qc_centre": t.qc_centre,
    "ae_title": t.ae_title,
}


def owner_of(conn: Connection, kind: str, key: Mapping[str, Any]) -> str | None:
    """Return the authority that owns a thing, by the name of its kind."""
    return owner(conn, OWNED[kind], key)


def history_of(conn: Connection, kind: str, key: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every version of a thing, by the name of its kind."""
    return history(conn, OWNED[kind], key)


def end_of(conn: Connection, kind: str, key: Mapping[str, Any], on: date) -> int:
    """Let a thing end on a day, by the name of its kind."""
    return end(conn, OWNED[kind], key, on)
