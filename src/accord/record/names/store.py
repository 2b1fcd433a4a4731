"""All SQL of an institution's own names."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.kit import clock
from accord.record import tables
from accord.record.names.model import LocalName, State

NAMES = tables.local_name


def _name(row: Row[Any]) -> LocalName:
    values = {column.name: getattr(row, column.name) for column in NAMES.columns}
    return LocalName(**values | {"state": State(row.state)})


def find(conn: Connection, institution: str, name: str, *, lock: bool = False) -> LocalName | None:
    """Return one name, its row locked on request."""
    query = select(NAMES).where(NAMES.c.institution == institution, NAMES.c.name == name)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _name(row)


def put_proposal(conn: Connection, values: Mapping[str, Any]) -> None:
    """Keep a proposal; what the department or the centre decided about the name stays."""
    fresh = {
        name: values[name]
        for name in ("written", "code", "count", "query", "answer", "lexicon", "technique_code")
    }
    conn.execute(
        upsert(NAMES)
        .values(**values, state=State.PROPOSED.value, proposed_at=clock.now())
        .on_conflict_do_update(index_elements=[NAMES.c.institution, NAMES.c.name], set_=fresh)
    )


def put_answer(
    conn: Connection, institution: str, name: str, answer: Mapping[str, Any], lexicon: str
) -> None:
    """Replace the matcher's answer by the one of a newer lexicon."""
    conn.execute(
        update(NAMES)
        .where(NAMES.c.institution == institution, NAMES.c.name == name)
        .values(answer=answer, lexicon=lexicon)
    )


def put_step(conn: Connection, institution: str, name: str, values: Mapping[str, Any]) -> None:
    """Keep what a step of the approval decided."""
    conn.execute(
        update(NAMES)
        .where(NAMES.c.institution == institution, NAMES.c.name == name)
        .values(**values)
    )


def names_of(
    conn: Connection, institution: str, states: Collection[State], *, limit: int
) -> list[LocalName]:
    """Return an institution's names in these states, the most used first."""
    rows = conn.execute(
        select(NAMES)
        .where(NAMES.c.institution == institution, NAMES.c.state.in_([one.value for one in states]))
        .order_by(NAMES.c["count"].desc(), NAMES.c.name)
        .limit(limit)
    )
    return [_name(row) for row in rows]


def names_of_other_lexicon(conn: Connection, institution: str, fingerprint: str) -> list[LocalName]:
    """Return an institution's names that were matched with another lexicon."""
    rows = conn.execute(
        select(NAMES)
        .where(NAMES.c.institution == institution, NAMES.c.lexicon != fingerprint)
        .order_by(NAMES.c.name)
    )
    return [_name(row) for row in rows]


def remove_alias(conn: Connection, institution: str, name: str) -> None:
    """Take an alias out of use."""
    alias = tables.item_alias
    conn.execute(alias.delete().where(alias.c.institution == institution, alias.c.name == name))


def unmapped_in_records(conn: Connection, institution: str) -> list[tuple[str, int, datetime]]:
    """Return the names of examinations that no item was found for: name, how often, last seen."""
    exam, order = tables.examination, tables.exam_order
    name = func.coalesce(
        func.nullif(order.c.content["item_text"].astext, ""),
        exam.c.study["study_description"].astext,
    )
    query = (
        select(name.label("name"), func.count().label("times"), func.max(exam.c.changed_at))
        .select_from(exam.outerjoin(order, order.c.id == exam.c.order_id))
        .where(
            exam.c.performed_by == institution,
            func.cardinality(exam.c["items"]) == literal(0),
            name.is_not(None),
            name != literal(""),
        )
        .group_by(name)
        .order_by(func.count().desc(), name)
    )
    return [(row[0], int(row[1]), row[2]) for row in conn.execute(query)]


def keep_lexicon(conn: Connection, fingerprint: str, content: Mapping[str, Any]) -> None:
    """Keep what a lexicon was, once."""
    conn.execute(
        upsert(tables.name_lexicon)
        .values(fingerprint=fingerprint, content=content, at=clock.now())
        .on_conflict_do_nothing()
    )


def find_lexicon(conn: Connection, fingerprint: str) -> Mapping[str, Any] | None:
    """Return what a lexicon was."""
    content: Mapping[str, Any] | None = conn.execute(
        select(tables.name_lexicon.c.content).where(
            tables.name_lexicon.c.fingerprint == fingerprint
        )
    ).scalar()
    return content
