"""Versions of rows against a naive calendar: whatever is stated, every day reads what it should."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from accord.registry import store, tables

FIRST = date(2026, 1, 1)
DAYS = 24
PUT, AMEND, END = "put", "amend", "end"

day = st.integers(0, DAYS - 1)
steps = st.one_of(
    st.tuples(st.just(PUT), day, st.none() | st.integers(1, DAYS), st.sampled_from("ABC")),
    st.tuples(st.just(AMEND), day, st.none(), st.sampled_from("ABC")),
    st.tuples(st.just(END), day, st.none(), st.just("")),
)
KEY = {"code": "CQ-A"}


def row(name: str, since: int, until: int | None) -> dict[str, object]:
    return {
        "code": "CQ-A", "name": name, "campus": "", "licence_holder": "CQ-A", "level": "三级",
        "grade": "", "ownership": "public", "province": "重庆", "area": "",
        "registry_complete": False, "radiology_licence": "", "authority": "CQ-WJW",
        "jurisdiction": "重庆", "valid_from": on(since),
        "valid_to": None if until is None else on(until),
    }  # fmt: skip


def on(number: int) -> date:
    return FIRST + timedelta(days=number)


def names(conn: Connection) -> list[list[str]]:
    """Return the names that hold on each day."""
    table = tables.institution
    return [
        list(conn.execute(select(table.c.name).where(store.holds(table, on(number)))).scalars())
        for number in range(DAYS)
    ]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(steps, min_size=1, max_size=6))
def test_every_day_reads_what_was_stated_last(conn: Connection, made: list[tuple]):
    calendar: list[str | None] = [None] * DAYS
    with conn.begin_nested() as savepoint:
        for kind, since, length, name in made:
            until = None if length is None else since + length
            if kind == PUT:
                store.put(conn, tables.institution, KEY, row(name, since, until))
                for number in range(since, min(DAYS, until or DAYS)):
                    calendar[number] = name
            elif kind == AMEND:
                store.amend(conn, tables.institution, KEY, on(since), {"name": name})
                for number in range(since, DAYS):
                    calendar[number] = calendar[number] and name
            else:
                store.end(conn, tables.institution, KEY, on(since))
                calendar[since:] = [None] * (DAYS - since)
        assert names(conn) == [[name] if name else [] for name in calendar]
        savepoint.rollback()
