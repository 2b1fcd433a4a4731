"""All SQL of visits, orders, reports and examinations."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    String,
    Table,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.kit import clock
from accord.kit.db import Prepared, Read, ask
from accord.record import tables
from accord.record.model import Examination, Kept, Order, Performed, Report, ReportStatus, Visit

D = TypeVar("D", Visit, Order, Report)

_ADAPTERS: Mapping[type, TypeAdapter[Any]] = {
    Visit: TypeAdapter(Visit),
    Order: TypeAdapter(Order),
    Report: TypeAdapter(Report),
}
_TABLES: Mapping[type, tuple[Table, Table]] = {
    Visit: (tables.visit, tables.visit_version),
    Order: (tables.exam_order, tables.exam_order_version),
    Report: (tables.report, tables.report_version),
}


def _keys(document: Visit | Order | Report) -> dict[str, Any]:
    """Return the indexed columns of a document."""
    match document:
        case Visit():
            return {"patient_id": document.patient_id, "closed_at": document.closed_at}
        case Order():
            registration = document.registration
            return {
                "patient_id": document.patient_id,
                "accession": registration and registration.accession,
                "study_uid": registration and registration.study_uid,
            }
        case Report():
            return {
                "performed_by": document.performed_by,
                "accession": document.accession,
                "study_uid": document.study_uid,
            }


def as_json(document: Visit | Order | Report) -> dict[str, Any]:
    """Return a document as the JSON that is stored and shown; empty fields left out."""
    content: dict[str, Any] = _ADAPTERS[type(document)].dump_python(
        document, mode="json", exclude_none=True
    )
    return content


def _kept(kind: type[D], institution: str, version: int, at: datetime, content: Any) -> Kept[D]:
    return Kept(institution, version, at, _ADAPTERS[kind].validate_python(content))


def find(
    conn: Connection, kind: type[D], institution: str, number: str, *, lock: bool = False
) -> Kept[D] | None:
    """Return the current version of a document, its row locked on request."""
    if not lock:
        return ask(conn, current(kind, institution, number))
    table, _ = _TABLES[kind]
    query = select(table).where(table.c.institution == institution, table.c.number == number)
    row = conn.execute(query.with_for_update()).first()
    if row is None:
        return None
    return _kept(kind, row.institution, row.version, row.at, row.content)


_CURRENT: Mapping[type, Prepared] = {
    kind: Prepared(
        select(table).where(
            table.c.institution == bindparam("institution"), table.c.number == bindparam("number")
        )
    )
    for kind, (table, _) in _TABLES.items()
}


def current(kind: type[D], institution: str, number: str) -> Read[Kept[D] | None]:
    """Ask for the current version of a document."""

    def make(rows: Sequence[Any]) -> Kept[D] | None:
        if not rows:
            return None
        row = rows[0]
        return _kept(kind, row.institution, row.version, row.at, row.content)

    return Read(_CURRENT[kind], {"institution": institution, "number": number}, make)


def put(conn: Connection, institution: str, document: D, *, actor: str) -> Kept[D]:
    """Keep a document as a new version; the same content again changes nothing."""
    kind = type(document)
    current, versions = _TABLES[kind]
    # Two writers of one number queue up here, whether or not the row exists yet.
    conn.execute(
        select(
            func.pg_advisory_xact_lock(
                func.hashtextextended(f"{current.name}/{institution}/{document.number}", 0)
            )
        )
    )
    before = find(conn, kind, institution, document.number, lock=True)
    if before is not None and before.content == document:
        return before
    at = clock.now()
    version = before.version + 1 if before else 1
    content = as_json(document)
    values = {"version": version, "at": at, "content": content, **_keys(document)}
    conn.execute(
        upsert(current)
        .values(institution=institution, number=document.number, **values)
        .on_conflict_do_update(
            index_elements=[current.c.institution, current.c.number], set_=values
        )
    )
    conn.execute(
        insert(versions).values(
            institution=institution,
            number=document.number,
            version=version,
            at=at,
            actor=actor,
            content=content,
        )
    )
    return Kept(institution, version, at, document)


def versions_of(conn: Connection, kind: type[D], institution: str, number: str) -> list[Kept[D]]:
    """Return every version of a document, oldest first."""
    _, versions = _TABLES[kind]
    rows = conn.execute(
        select(versions)
        .where(versions.c.institution == institution, versions.c.number == number)
        .order_by(versions.c.version)
    )
    return [_kept(kind, row.institution, row.version, row.at, row.content) for row in rows]


def open_visits(
    conn: Connection, institution: str, patient_id: str, at: datetime
) -> list[Kept[Visit]]:
    """Return the patient's visits that are open at that moment, newest first."""
    rows = conn.execute(
        select(tables.visit)
        .where(
            tables.visit.c.institution == institution,
            tables.visit.c.patient_id == patient_id,
            or_(tables.visit.c.closed_at.is_(None), tables.visit.c.closed_at > at),
        )
        .order_by(tables.visit.c.at.desc())
    )
    return [_kept(Visit, row.institution, row.version, row.at, row.content) for row in rows]


def visits(
    conn: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Kept[Visit]]:
    """Return the current versions of the visits of these (institution, number) pairs."""
    return ask(conn, visits_of(keys)) if keys else {}


def _key(name: str) -> ColumnElement[Any]:
    return func.unnest(bindparam(name, type_=ARRAY(String)))


_VISIT_KEYS = select(_key("institutions").label("institution"), _key("numbers").label("number"))
_VISITS = Prepared(
    select(tables.visit).join(
        wanted := _VISIT_KEYS.subquery("wanted"),
        and_(
            tables.visit.c.institution == wanted.c.institution,
            tables.visit.c.number == wanted.c.number,
        ),
    )
)


def visits_of(
    keys: Collection[tuple[str, str]],
) -> Read[dict[tuple[str, str], Kept[Visit]]]:
    """Ask for the current versions of the visits of these (institution, number) pairs."""
    wanted = sorted(set(keys))
    values = {
        "institutions": [institution for institution, _ in wanted],
        "numbers": [number for _, number in wanted],
    }
    return Read(_VISITS, values, _visits)


def _visits(rows: Sequence[Any]) -> dict[tuple[str, str], Kept[Visit]]:
    return {
        (row.institution, row.number): _kept(
            Visit, row.institution, row.version, row.at, row.content
        )
        for row in rows
    }


def list_documents(
    conn: Connection, kind: type[D], institution: str, *, limit: int, patient_id: str | None = None
) -> list[Kept[D]]:
    """Return the institution's newest documents, on request of one patient alone."""
    current, _ = _TABLES[kind]
    query = select(current).where(current.c.institution == institution)
    if patient_id is not None:
        query = query.where(current.c.patient_id == patient_id)
    rows = conn.execute(query.order_by(current.c.at.desc(), current.c.number).limit(limit))
    return [_kept(kind, row.institution, row.version, row.at, row.content) for row in rows]


def _is_meant(
    table: Table, owner: str, performed_by: str, accession: str | None, study_uid: str | None
) -> ColumnElement[bool]:
    """Match by study UID; by accession only where the document names no other study."""
    by_study = table.c.study_uid == study_uid if study_uid else literal(value=False)
    by_accession = (
        and_(
            table.c.accession == accession,
            or_(table.c.study_uid.is_(None), table.c.study_uid == study_uid)
            if study_uid
            else literal(value=True),
        )
        if accession
        else literal(value=False)
    )
    return and_(table.c[owner] == performed_by, or_(by_study, by_accession))


def find_meant(
    conn: Connection,
    kind: type[Order] | type[Report],
    performed_by: str,
    accession: str | None,
    study_uid: str | None,
) -> tuple[int, Any] | None:
    """Return row id and document of the newest order or report that means this examination."""
    current, _ = _TABLES[kind]
    owner = "institution" if kind is Order else "performed_by"
    row = conn.execute(
        select(current)
        .where(_is_meant(current, owner, performed_by, accession, study_uid))
        .order_by(current.c.at.desc(), current.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return row.id, _kept(kind, row.institution, row.version, row.at, row.content)


def report_history(
    conn: Connection, performed_by: str, accession: str | None, study_uid: str | None
) -> list[Kept[Report]]:
    """Return every version of every report that means this examination, oldest first."""
    current, versions = tables.report, tables.report_version
    rows = conn.execute(
        select(versions)
        .join(
            current,
            and_(
                current.c.institution == versions.c.institution,
                current.c.number == versions.c.number,
            ),
        )
        .where(_is_meant(current, "performed_by", performed_by, accession, study_uid))
        .order_by(versions.c.at, versions.c.institution, versions.c.number, versions.c.version)
    )
    return [_kept(Report, row.institution, row.version, row.at, row.content) for row in rows]


def accession_uses(conn: Connection, performed_by: str, accession: str) -> int:
    """Return how many studies of an institution carry that accession number."""
    table = tables.examination
    return conn.execute(
        select(func.count(table.c.study_uid.distinct())).where(
            table.c.performed_by == performed_by, table.c.accession == accession
        )
    ).scalar_one()


def performed(
    conn: Connection, institution: str, since: datetime, until: datetime
) -> list[Performed]:
    """Return the moments of what an institution performed or reported in a period, by time.

    The rows stay slim: nothing of images, orders and reports is read.
    """
    exam = tables.examination
    on = func.coalesce(exam.c.exam_end, exam.c.released_at)
    received = (exam.c.study["first_received_at"], exam.c.study["last_received_at"])
    rows = conn.execute(
        select(
            exam.c.id,
            exam.c.performed_by,
            exam.c.reported_by,
            exam.c.modality,
            exam.c.exam_end,
            exam.c.report_status,
            exam.c.item_hints,
            on.label("on"),
            *(
                moment.astext.label(name)
                for name, moment in zip(("first", "last"), received, strict=True)
            ),
        )
        .where(
            or_(exam.c.performed_by == institution, exam.c.reported_by == institution),
            exam.c.withdrawn.is_(False),
            on >= since,
            on < until,
        )
        .order_by(on, exam.c.id)
    )
    return [
        Performed(
            id=row.id,
            performed_by=row.performed_by,
            reported_by=row.reported_by,
            modality=row.modality,
            on=row.on,
            exam_end=row.exam_end,
            report_status=ReportStatus(row.report_status) if row.report_status else None,
            first_received_at=_moment(row.first),
            last_received_at=_moment(row.last),
            item_hints=tuple(row.item_hints),
        )
        for row in rows
    ]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def lock_examination(conn: Connection, performed_by: str, key: str) -> None:
    """Let one transaction at a time join the examinations of an accession or study."""
    conn.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"exam/{performed_by}/{key}", 0)))
    )


def put_examination(conn: Connection, values: Mapping[str, Any]) -> int:
    """Insert the joined row, or replace the one of the same study or waiting accession."""
    table = tables.examination
    performed_by, study_uid = values["performed_by"], values["study_uid"]
    same_study = table.c.study_uid == study_uid if study_uid else literal(value=False)
    waiting = and_(
        table.c.performed_by == performed_by,
        table.c.accession == values["accession"],
        table.c.study_uid.is_(None),
    )
    found = conn.execute(
        select(table.c.id)
        .where(or_(same_study, waiting))
        .order_by(table.c.study_uid.is_(None))
        .limit(1)
    ).scalar()
    fresh = {**values, "changed_at": clock.now()}
    if found is None:
        return int(conn.execute(insert(table).values(fresh).returning(table.c.id)).scalar_one())
    conn.execute(update(table).where(table.c.id == found).values(fresh))
    return int(found)


def _examinations() -> Select[Any]:
    exam, order, report = tables.examination, tables.exam_order, tables.report
    return (
        select(
            exam,
            order.c.institution.label("order_institution"),
            order.c.version.label("order_version"),
            order.c.at.label("order_at"),
            order.c.content.label("order_content"),
            report.c.institution.label("report_institution"),
            report.c.version.label("report_version"),
            report.c.at.label("report_at"),
            report.c.content.label("report_content"),
        )
        .outerjoin(order, order.c.id == exam.c.order_id)
        .outerjoin(report, report.c.id == exam.c.report_id)
    )


def _examination(row: Any) -> Examination:
    return Examination(
        id=row.id,
        performed_by=row.performed_by,
        patient_id=row.patient_id,
        study_uid=row.study_uid,
        accession=row.accession,
        items=tuple(row.items),
        item_reason=row.item_reason,
        item_hints=tuple(row.item_hints),
        modality=row.modality,
        exam_start=row.exam_start,
        exam_end=row.exam_end,
        settled_at=row.settled_at,
        reported_by=row.reported_by,
        report_status=ReportStatus(row.report_status) if row.report_status else None,
        released_at=row.released_at,
        withdrawn=row.withdrawn,
        study=row.study,
        order=row.order_content
        and _kept(Order, row.order_institution, row.order_version, row.order_at, row.order_content),
        report=row.report_content
        and _kept(
            Report, row.report_institution, row.report_version, row.report_at, row.report_content
        ),
    )


def find_examination(conn: Connection, number: int) -> Examination | None:
    """Return one examination with its order and report."""
    return next(iter(ask(conn, Read(_EXAMINATION, {"id": number}, _examinations_in))), None)


_EXAMINATION = Prepared(
    _examinations().where(tables.examination.c.id == bindparam("id", type_=BigInteger))
)


def find_examination_of_study(conn: Connection, study_uid: str) -> Examination | None:
    """Return the examination whose images are that study."""
    row = conn.execute(_examinations().where(tables.examination.c.study_uid == study_uid)).first()
    return None if row is None else _examination(row)


def examinations_of(
    conn: Connection, patients: Sequence[tuple[str, str]], since: datetime, *, limit: int
) -> tuple[Examination, ...]:
    """Return the examinations of these (institution, local id) pairs, newest first.

    Those without an end of acquisition yet (images arriving, report alone) are included.
    """
    wanted = sorted(set(patients))
    values = {
        "institutions": [institution for institution, _ in wanted],
        "patients": [patient for _, patient in wanted],
        "since": since,
        "most": limit,
    }
    return ask(conn, Read(_CANDIDATES, values, _examinations_in))


def _candidates() -> Select[Any]:
    exam = tables.examination
    keys = select(
        _key("institutions").label("institution"), _key("patients").label("patient")
    ).subquery("wanted")
    return (
        _examinations()
        .join(
            keys,
            and_(exam.c.performed_by == keys.c.institution, exam.c.patient_id == keys.c.patient),
        )
        .where(
            or_(
                exam.c.exam_end.is_(None),
                exam.c.exam_end >= bindparam("since", type_=DateTime(timezone=True)),
            )
        )
        .order_by(exam.c.exam_end.desc().nulls_first(), exam.c.id.desc())
        .limit(bindparam("most", type_=BigInteger))
    )


_CANDIDATES = Prepared(_candidates())


def _examinations_in(rows: Sequence[Any]) -> tuple[Examination, ...]:
    return tuple(_examination(row) for row in rows)


def examinations_at(conn: Connection, institution: str, *, limit: int) -> tuple[Examination, ...]:
    """Return the newest examinations performed at an institution."""
    rows = conn.execute(
        _examinations()
        .where(tables.examination.c.performed_by == institution)
        .order_by(tables.examination.c.changed_at.desc())
        .limit(limit)
    )
    return tuple(_examination(row) for row in rows)


def aliases_of(
    conn: Connection, institution: str, names: Collection[str] | None = None
) -> dict[tuple[str, str], int]:
    """Return (institution, folded name) → item as approved; given names, of those alone."""
    query = select(tables.item_alias).where(tables.item_alias.c.institution == institution)
    if names is not None:
        query = query.where(tables.item_alias.c.name.in_(sorted(names)))
    rows = conn.execute(query)
    return {(row.institution, row.name): row.item for row in rows}


def put_alias(
    conn: Connection, institution: str, name: str, item: int, *, approved_by: str
) -> None:
    """Approve a folded local name for an item."""
    values = {"item": item, "approved_by": approved_by, "approved_at": clock.now()}
    conn.execute(
        upsert(tables.item_alias)
        .values(institution=institution, name=name, **values)
        .on_conflict_do_update(
            index_elements=[tables.item_alias.c.institution, tables.item_alias.c.name],
            set_=values,
        )
    )
