"""Statements that the driver runs itself: in the transaction, together, and after a lost server."""

import psycopg
import pytest
from sqlalchemy import BigInteger, Connection, bindparam, literal_column, select, text

from accord.kit import audit, db
from accord.kit.access import Actor
from accord.kit.db import Database, Prepared, Read
from accord.kit.tables import audit_entry

TWO = literal_column("2")
DOUBLE = Prepared(select((bindparam("number", type_=BigInteger) * TWO).label("twice")))
ENTRIES = Prepared(select(audit_entry.c.subject).where(audit_entry.c.action == bindparam("action")))


def double(number: object) -> Read[int]:
    return Read(DOUBLE, {"number": number}, lambda rows: int(rows[0].twice))


def entries(action: str) -> Read[list[str]]:
    return Read(ENTRIES, {"action": action}, lambda rows: [row.subject for row in rows])


def note(conn: Connection, action: str) -> None:
    audit.record(conn, Actor.process("test"), action=action, subject="thing:1")


def test_questions_asked_together_get_each_their_own_answer(conn: Connection):
    assert db.ask(conn, double(1)) == 2
    assert db.ask_together(conn, double(2), entries("test.nothing")) == (4, [])
    assert db.ask_together(conn, double(3), double(4), double(5)) == (6, 8, 10)


def test_what_the_driver_wrote_belongs_to_the_transaction(database: Database):
    with database.engine.connect() as conn, conn.begin() as transaction:
        note(conn, "test.undone")
        assert db.ask(conn, entries("test.undone")) == ["thing:1"]
        transaction.rollback()
    with database.begin() as conn:
        note(conn, "test.done")
    with database.begin() as conn:
        assert db.ask_together(conn, entries("test.undone"), entries("test.done")) == (
            [],
            ["thing:1"],
        )


def test_what_was_sent_in_one_go_is_kept_or_lost_as_one(database: Database):
    def keep(conn: Connection) -> None:
        with Database.together(conn):
            note(conn, "test.first")
            db.tell(conn, Prepared(text("SELECT 1 / CAST(:zero AS integer)")), {"zero": 0})

    with pytest.raises(psycopg.errors.DivisionByZero), database.begin() as conn:
        keep(conn)
    with database.begin() as conn:
        assert db.ask(conn, entries("test.first")) == []


def test_after_a_failed_question_the_connection_serves_the_next(database: Database):
    for _ in range(2):
        with pytest.raises(psycopg.Error), database.begin() as conn:
            db.ask_together(conn, double(1), double("no number"))
    with database.begin() as conn:
        assert db.ask(conn, double(1)) == 2


def test_a_lost_connection_takes_those_pooled_beside_it_along(database: Database):
    pooled = Database(database.url, pool_size=2, pre_ping=False)
    with pooled.begin() as one, pooled.begin() as two:
        for conn in (one, two):
            db.ask(conn, double(1))
    with database.begin() as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with pytest.raises(psycopg.OperationalError), pooled.begin() as conn:
        db.ask(conn, double(1))
    with pooled.begin() as one, pooled.begin() as two:
        assert [db.ask(conn, double(2)) for conn in (one, two)] == [4, 4]
    pooled.close()


def test_statements_are_planned_once_where_that_is_wanted(database: Database):
    once = Database(database.url, pool_size=1, plan_once=True)
    with once.begin() as conn:
        assert conn.execute(text("SHOW plan_cache_mode")).scalar() == "force_generic_plan"
    once.close()
    with database.begin() as conn:
        assert conn.execute(text("SHOW plan_cache_mode")).scalar() == "auto"
