"""All SQL of the archive."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Row,
    Select,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.types import String, Text

from accord.archive.model import Instance, Pixels
from accord.archive.part10 import EXPLICIT_BIG
from accord.archive.query import AnyOf, Between, Condition, Level, Like
from accord.archive.tables import archive_finding, instance, kept_aside, series, study
from accord.kit.blobs import Blob

Values = Mapping[str, Any]

# Matching keys of QIDO-RS, each with the column that answers it.
STUDY_KEYS: Final = {
    "0020000D": study.c.study_uid,
    "00100010": study.c.patient_name,
    "00100020": study.c.patient_id,
    "00080050": study.c.accession,
    "00080020": study.c.study_date,
    "00080030": study.c.study_time,
    "00080090": study.c.referring,
    "00200010": study.c.study_id,
    "00081030": study.c.description,
}
SERIES_KEYS: Final = {
    "0020000E": series.c.series_uid,
    "00080060": series.c.modality,
    "00200011": series.c.number,
    "0008103E": series.c.description,
    "00180015": series.c.body_part,
    "00400244": series.c.performed_date,
    "00400245": series.c.performed_time,
}
INSTANCE_KEYS: Final = {
    "00080018": instance.c.sop_uid,
    "00080016": instance.c.sop_class,
    "00200013": instance.c.number,
}
MODALITIES_IN_STUDY: Final = "00080061"
# Whoever answers a name leaves the case alone.
NAME_KEYS: Final = frozenset({"00100010", "00080090"})


@dataclass(frozen=True)
class Known:
    """An instance that is already stored, as far as a second one is compared with it."""

    study_uid: str
    syntax: str
    blob: Blob
    head: int


@dataclass(frozen=True)
class Held:
    """Where the bytes of an instance are, and its SOP class."""

    sop_class: str
    blob: Blob


@dataclass(frozen=True)
class Owner:
    """Whose a study is."""

    institution: str | None
    patient_id: str | None
    series: frozenset[str] = frozenset()


NOBODY: Final = Owner(None, None)


# -- writing ------------------------------------------------------------------------------------


def known_instances(conn: Connection, sop_uids: Iterable[str]) -> dict[str, Known]:
    """Return what is stored under these SOP Instance UIDs."""
    if not (wanted := sorted(sop_uids)):
        return {}
    rows = conn.execute(
        select(
            instance.c.sop_uid,
            instance.c.study_uid,
            instance.c.syntax,
            instance.c.head_length,
            *_BLOB,
        ).where(instance.c.sop_uid.in_(wanted))
    )
    return {
        row.sop_uid: Known(row.study_uid, row.syntax, _blob(row), row.head_length) for row in rows
    }


def held_instances(
    conn: Connection, institution: str | None, sop_uids: Iterable[str]
) -> dict[str, Held]:
    """Return what an institution sent under these SOP Instance UIDs."""
    rows = conn.execute(
        select(instance.c.sop_uid, instance.c.sop_class, *_BLOB).where(
            instance.c.sop_uid.in_(sorted(sop_uids)), instance.c.institution == institution
        )
    )
    return {row.sop_uid: Held(row.sop_class, _blob(row)) for row in rows}


_BLOB: Final = (
    instance.c.blob_store,
    instance.c.blob_key,
    instance.c.blob_offset,
    instance.c.blob_length,
    instance.c.sha256,
)


def _blob(row: Any) -> Blob:
    return Blob(row.blob_store, row.blob_key, row.blob_offset, row.blob_length, row.sha256)


def begin_studies(conn: Connection, studies: Sequence[Values]) -> set[str]:
    """Insert the studies that are new and return their UIDs."""
    statement = (
        insert(study).on_conflict_do_nothing(index_elements=[study.c.study_uid])
    ).returning(study.c.study_uid)
    ordered = sorted(studies, key=lambda row: str(row["study_uid"]))
    return set(conn.execute(statement, ordered).scalars()) if ordered else set()


def owners_of(
    conn: Connection, study_uids: Iterable[str], series_uids: Iterable[str] = ()
) -> dict[str, Owner]:
    """Return whose each of these studies is, and which of the series it has already."""
    known = (
        select(func.coalesce(func.array_agg(series.c.series_uid), cast([], ARRAY(String))))
        .where(series.c.study_uid == study.c.study_uid, series.c.series_uid.in_(list(series_uids)))
        .scalar_subquery()
    )
    rows = conn.execute(
        select(
            study.c.study_uid, study.c.institution, study.c.patient_id, known.label("known")
        ).where(study.c.study_uid.in_(sorted(study_uids)))
    )
    return {
        row.study_uid: Owner(row.institution, row.patient_id, frozenset(row.known)) for row in rows
    }


def adopt_study(conn: Connection, study_uid: str, institution: str, patient_id: str | None) -> bool:
    """Give a study that nobody owns, and what it holds, to an institution; False when it is not so.

    Only where the institution calls the patient as the study does.
    """
    adopted = conn.execute(
        update(study)
        .where(
            study.c.study_uid == study_uid,
            study.c.institution.is_(None),
            study.c.patient_id == patient_id,
        )
        .values(institution=institution)
        .returning(study.c.study_uid)
    ).first()
    if adopted is None:
        return False
    conn.execute(
        update(instance)
        .where(instance.c.study_uid == study_uid, instance.c.institution.is_(None))
        .values(institution=institution)
    )
    return True


def begin_series(conn: Connection, several: Sequence[Values]) -> None:
    """Insert the series that are new."""
    if several:
        statement = insert(series).on_conflict_do_nothing()
        ordered = sorted(several, key=lambda row: (str(row["study_uid"]), str(row["series_uid"])))
        conn.execute(statement, ordered)


def add_instances(conn: Connection, instances: Sequence[Values]) -> set[str]:
    """Insert instances and return the UIDs of those that nobody inserted before."""
    if not instances:
        return set()
    statement = (
        insert(instance).on_conflict_do_nothing(index_elements=[instance.c.sop_uid])
    ).returning(instance.c.sop_uid)
    ordered = sorted(instances, key=lambda row: str(row["sop_uid"]))
    return set(conn.execute(statement, ordered).scalars())


def add_where_known(conn: Connection, instances: Sequence[Values]) -> set[str]:
    """Insert instances whose study and series are there already; return the UIDs inserted.

    One statement, one round trip: what nearly every object of a study needs. An instance is left
    out, for `begin_studies` and its like to look at, when its study or series is not there, the
    study is another institution's or another patient's, or its UID is taken.

    Args:
        conn: The transaction, or a connection on which every statement is one.
        instances: Rows with `patient_id` beside the columns of the table; UIDs of their own.
    """
    if not instances:
        return set()
    rows = to_json(list(instances)).decode()
    # Put into words once: compiling, even from the cache, costs more than the driver does.
    return set(conn.exec_driver_sql(_ADD_WHERE_KNOWN, {"rows": rows}).scalars())


def _add_where_known() -> Select[Any]:
    incoming = (
        func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
        .table_valued(
            *(column(field.name, field.type) for field in instance.c), column("patient_id", String)
        )
        .render_derived(name="incoming", with_types=True)
    )
    fitting = (
        select(*(incoming.c[field.name] for field in instance.c))
        .join(study, study.c.study_uid == incoming.c.study_uid)
        .join(
            series,
            and_(
                series.c.study_uid == incoming.c.study_uid,
                series.c.series_uid == incoming.c.series_uid,
            ),
        )
        .where(
            study.c.institution.is_not_distinct_from(incoming.c.institution),
            study.c.patient_id.is_not_distinct_from(incoming.c.patient_id),
        )
        .order_by(incoming.c.sop_uid)
    )
    added = (
        insert(instance)
        .from_select([field.name for field in instance.c], fitting)
        .on_conflict_do_nothing(index_elements=[instance.c.sop_uid])
        .returning(instance.c.sop_uid, instance.c.study_uid, instance.c.received_at)
        .cte("added")
    )
    arrived = (
        select(added.c.study_uid, func.max(added.c.received_at).label("at"))
        .group_by(added.c.study_uid)
        .subquery("arrived")
    )
    touched = (
        update(study)
        .where(study.c.study_uid == arrived.c.study_uid)
        .values(
            last_received_at=func.greatest(study.c.last_received_at, arrived.c.at),
            settled_at=null(),
        )
        .returning(study.c.study_uid)
        .cte("touched")
    )
    return select(added.c.sop_uid).add_cte(touched)


_DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_ADD_WHERE_KNOWN: Final = str(_add_where_known().compile(dialect=_DIALECT))


def touch_studies(conn: Connection, arrived: Mapping[str, datetime]) -> None:
    """Note when objects of these studies arrived last, so that they settle anew."""
    if not arrived:
        return
    arrival = (
        values(column("study_uid", String), column("at", DateTime(timezone=True)), name="arrival")
        .data(sorted(arrived.items()))
        .alias("arrival")
    )
    conn.execute(
        update(study)
        .where(study.c.study_uid == arrival.c.study_uid)
        .values(
            last_received_at=func.greatest(study.c.last_received_at, arrival.c.at),
            settled_at=None,
        )
    )


def add_kept_aside(conn: Connection, row: Values) -> int | None:
    """Insert an object kept aside; None when the same one was kept aside before."""
    statement = (
        insert(kept_aside).values(dict(row)).on_conflict_do_nothing().returning(kept_aside.c.id)
    )
    return conn.execute(statement).scalar()


def add_finding(conn: Connection, row: Values) -> None:
    """Insert a finding; one about a whole study only once."""
    conn.execute(insert(archive_finding).values(dict(row)).on_conflict_do_nothing())


def settle(
    conn: Connection, *, quiet_since: datetime, at: datetime
) -> list[tuple[str, str | None]]:
    """Settle the studies that have been quiet; return each with its institution."""
    quiet = (
        select(study.c.study_uid)
        .where(study.c.settled_at.is_(None), study.c.last_received_at < quiet_since)
        .order_by(study.c.last_received_at)
        .limit(1000)
        .with_for_update(skip_locked=True)
    )
    rows = conn.execute(
        update(study)
        .where(study.c.study_uid.in_(quiet.scalar_subquery()))
        .values(settled_at=at)
        .returning(study.c.study_uid, study.c.institution)
    )
    return [(row.study_uid, row.institution) for row in rows]


# -- facts --------------------------------------------------------------------------------------


def find_study(conn: Connection, study_uid: str) -> Row[Any] | None:
    """Return the row of a study."""
    return conn.execute(select(study).where(study.c.study_uid == study_uid)).first()


def studies_of_accession(conn: Connection, institution: str, accession: str) -> list[str]:
    """Return the studies that an institution sent under an accession number."""
    return list(
        conn.execute(
            select(study.c.study_uid)
            .where(study.c.institution == institution, study.c.accession == accession)
            .order_by(study.c.study_uid)
        ).scalars()
    )


def syntaxes_of(conn: Connection, study_uid: str, *, aside: bool = False) -> list[Row[Any]]:
    """Count the instances of a study by syntax and lossy flag; or the lossy ones kept aside."""
    table = kept_aside if aside else instance
    query = (
        select(table.c.syntax, table.c.lossy_flag, func.count().label("total"))
        .where(table.c.study_uid == study_uid)
        .group_by(table.c.syntax, table.c.lossy_flag)
        .order_by(table.c.syntax, table.c.lossy_flag)
    )
    if aside:
        query = query.where(kept_aside.c.reason.like("lossy%"))
    return list(conn.execute(query))


def moments_of(conn: Connection, study_uid: str, *, aside: bool = False) -> Row[Any]:
    """Return first and last acquisition and content moments of a study."""
    table = kept_aside if aside else instance
    return conn.execute(
        select(
            func.min(table.c.acquired_at).label("first_acquired"),
            func.max(table.c.acquired_at).label("last_acquired"),
            func.min(table.c.content_at).label("first_content"),
            func.max(table.c.content_at).label("last_content"),
            func.min(table.c.received_at).label("first_received"),
            func.max(table.c.received_at).label("last_received"),
            func.count().label("total"),
        ).where(table.c.study_uid == study_uid)
    ).one()


def arrivals_of(conn: Connection, study_uid: str) -> dict[str, datetime]:
    """Return when the last instance of each series was received."""
    rows = conn.execute(
        select(instance.c.series_uid, func.max(instance.c.received_at).label("at"))
        .where(instance.c.study_uid == study_uid)
        .group_by(instance.c.series_uid)
    )
    return {row.series_uid: row.at for row in rows}


def kept_aside_of(conn: Connection, study_uid: str) -> dict[str, int]:
    """Count the objects of a study that are kept aside, by reason."""
    rows = conn.execute(
        select(kept_aside.c.reason, func.count().label("total"))
        .where(kept_aside.c.study_uid == study_uid)
        .group_by(kept_aside.c.reason)
    )
    return {row.reason: row.total for row in rows}


def first_of_each_series(conn: Connection, study_uid: str) -> list[Row[Any]]:
    """Return the first instance of each series with the counts of all, in order of number."""
    counts = (
        select(
            instance.c.series_uid,
            func.count().label("instances"),
            func.sum(instance.c.frames).label("frames"),
        )
        .where(instance.c.study_uid == study_uid)
        .group_by(instance.c.series_uid)
        .subquery()
    )
    place = func.row_number().over(
        partition_by=instance.c.series_uid,
        order_by=(instance.c.number.nulls_last(), instance.c.sop_uid),
    )
    ranked = (
        select(
            instance.c.series_uid,
            instance.c.sop_class,
            instance.c.header,
            instance.c.has_pixels,
            place.label("place"),
        )
        .where(instance.c.study_uid == study_uid)
        .subquery()
    )
    firsts = select(ranked).where(ranked.c.place == 1).subquery()
    rows = conn.execute(
        select(firsts, counts.c.instances, counts.c.frames, series.c.number)
        .join(counts, counts.c.series_uid == firsts.c.series_uid)
        .join(
            series,
            and_(series.c.series_uid == firsts.c.series_uid, series.c.study_uid == study_uid),
        )
        .order_by(series.c.number.nulls_last(), firsts.c.series_uid)
    )
    return list(rows)


def first_kept_aside(conn: Connection, study_uid: str) -> Row[Any] | None:
    """Return the first lossy object of a study that is kept aside."""
    return conn.execute(
        select(kept_aside)
        .where(kept_aside.c.study_uid == study_uid, kept_aside.c.reason.like("lossy%"))
        .order_by(kept_aside.c.id)
        .limit(1)
    ).first()


def count_instances(conn: Connection) -> int:
    """Count the instances of all studies."""
    return conn.execute(select(func.count()).select_from(instance)).scalar_one()


def findings_of(conn: Connection, study_uid: str) -> list[Row[Any]]:
    """Return the findings about a study in the order they were made."""
    return list(
        conn.execute(
            select(archive_finding)
            .where(archive_finding.c.study_uid == study_uid)
            .order_by(archive_finding.c.id)
        )
    )


# -- instances ----------------------------------------------------------------------------------


def find_instances(
    conn: Connection,
    study_uid: str,
    series_uid: str | None = None,
    sop_uid: str | None = None,
) -> list[Instance]:
    """Return the instances of a study, a series, or one instance, in order of number."""
    query = select(instance).where(instance.c.study_uid == study_uid)
    if series_uid is not None:
        query = query.where(instance.c.series_uid == series_uid)
    if sop_uid is not None:
        query = query.where(instance.c.sop_uid == sop_uid)
    query = query.order_by(
        instance.c.series_uid, instance.c.number.nulls_last(), instance.c.sop_uid
    )
    return [_instance(row) for row in conn.execute(query)]


def header_texts(
    conn: Connection,
    study_uid: str,
    series_uid: str | None = None,
    sop_uid: str | None = None,
) -> list[Row[Any]]:
    """Return the headers of a study, a series or one instance as JSON text, in order of number."""
    query = select(
        instance.c.series_uid,
        instance.c.sop_uid,
        instance.c.syntax,
        instance.c.header.cast(Text).label("header"),
    ).where(instance.c.study_uid == study_uid)
    if series_uid is not None:
        query = query.where(instance.c.series_uid == series_uid)
    if sop_uid is not None:
        query = query.where(instance.c.sop_uid == sop_uid)
    query = query.order_by(
        instance.c.series_uid, instance.c.number.nulls_last(), instance.c.sop_uid
    )
    return list(conn.execute(query))


def _instance(row: Row[Any]) -> Instance:
    pixels = None
    if row.has_pixels:
        pixels = Pixels(row.pixel_offset, row.pixel_length, row.syntax == EXPLICIT_BIG)
    return Instance(
        sop_uid=row.sop_uid,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        institution=row.institution,
        sop_class=row.sop_class,
        syntax=row.syntax,
        number=row.number,
        frames=row.frames,
        blob=_blob(row),
        head=row.head_length,
        pixels=pixels,
        header=row.header,
        received_at=row.received_at,
    )


# -- searching ----------------------------------------------------------------------------------


def search(
    conn: Connection,
    level: Level,
    conditions: Mapping[str, Condition],
    *,
    limit: int,
    offset: int,
    institution: str | None = None,
) -> list[Row[Any]]:
    """Return the rows of one level that meet every condition, newest studies first.

    Args:
        conn: The transaction.
        level: What is searched.
        conditions: By tag; all must be met.
        limit: Most rows.
        offset: Rows left out at the beginning.
        institution: Only studies of this one; of every one when None.
    """
    query = _columns(level)
    if institution is not None:
        query = query.where(study.c.institution == institution)
    for tag, condition in conditions.items():
        query = query.where(_meets(tag, condition))
    order: list[ColumnElement[Any]] = [study.c.study_date.desc().nulls_last(), study.c.study_uid]
    if level is not Level.STUDY:
        order += [series.c.number.nulls_last(), series.c.series_uid]
    if level is Level.INSTANCE:
        order += [instance.c.number.nulls_last(), instance.c.sop_uid]
    return list(conn.execute(query.order_by(*order).limit(limit).offset(offset)))


def _columns(level: Level) -> Select[Any]:
    in_study = instance.c.study_uid == study.c.study_uid
    in_series = and_(in_study, instance.c.series_uid == series.c.series_uid)
    if level is Level.STUDY:
        modalities = func.array_agg(func.distinct(series.c.modality)).filter(
            series.c.modality.isnot(None)
        )
        classes = func.array_agg(func.distinct(instance.c.sop_class))
        return select(
            study,
            select(modalities)
            .where(series.c.study_uid == study.c.study_uid)
            .scalar_subquery()
            .label("modalities"),
            select(classes).where(in_study).scalar_subquery().label("sop_classes"),
            select(func.count())
            .select_from(series)
            .where(series.c.study_uid == study.c.study_uid)
            .scalar_subquery()
            .label("series_count"),
            select(func.count())
            .select_from(instance)
            .where(in_study)
            .scalar_subquery()
            .label("instance_count"),
            _first_header(in_study).label("header"),
        )
    if level is Level.SERIES:
        joined = study.join(series, series.c.study_uid == study.c.study_uid)
        return select(
            study.c.study_uid,
            study.c.institution,
            series.c.series_uid,
            select(func.count())
            .select_from(instance)
            .where(in_series)
            .scalar_subquery()
            .label("instance_count"),
            _first_header(in_series).label("header"),
        ).select_from(joined)
    joined = study.join(series, series.c.study_uid == study.c.study_uid).join(instance, in_series)
    return select(
        study.c.study_uid,
        study.c.institution,
        series.c.series_uid,
        instance.c.sop_uid,
        instance.c.syntax,
        instance.c.header,
    ).select_from(joined)


def _first_header(where: ColumnElement[bool]) -> Any:
    return (
        select(instance.c.header)
        .where(where)
        .order_by(instance.c.series_uid, instance.c.number.nulls_last(), instance.c.sop_uid)
        .limit(1)
        .correlate(study, series)
        .scalar_subquery()
    )


def _meets(tag: str, condition: Condition) -> ColumnElement[bool]:
    if tag == MODALITIES_IN_STUDY:
        return (
            select(literal_column("1"))
            .select_from(series)
            .where(
                series.c.study_uid == study.c.study_uid,
                _compare(series.c.modality, condition, any_case=False),
            )
            .correlate(study)
            .exists()
        )
    field = (STUDY_KEYS | SERIES_KEYS | INSTANCE_KEYS)[tag]
    return _compare(field, condition, any_case=tag in NAME_KEYS)


def _compare(
    field: ColumnElement[Any], condition: Condition, *, any_case: bool
) -> ColumnElement[bool]:
    match condition:
        case AnyOf(wanted):
            if any_case:
                lowered = [value.lower() for value in wanted]
                return or_(*(func.lower(part).in_(lowered) for part in _parts(field)))
            typed: Sequence[str | int | date] = wanted
            if not isinstance(field.type, String):
                typed = condition.typed(field.type.python_type)
            return field.in_(typed)
        case Between(low, high):
            bounds = [field >= low] if low is not None else []
            bounds += [field <= high] if high is not None else []
            return and_(*bounds)
        case Like(pattern):
            if any_case:
                return or_(*(part.ilike(pattern, escape="\\") for part in _parts(field)))
            return field.like(pattern, escape="\\")


def _parts(name: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return a name as a whole and its alphabetic and ideographic parts: any of them may match."""
    return [name, func.split_part(name, "=", 1), func.split_part(name, "=", 2)]
