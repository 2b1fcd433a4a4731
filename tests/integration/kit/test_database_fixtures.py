"""The fixtures themselves: isolation between tests, real commits where a test wants them."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from accord.kit.db import Database


def test_conn_has_the_migrated_schema(conn: Connection):
    assert conn.execute(text("SELECT to_regclass('audit_entry') IS NOT NULL")).scalar()
    assert conn.execute(text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")).scalar()


def test_own_database_keeps_what_is_committed(database: Database):
    with database.begin() as conn:
        conn.execute(text("CREATE TABLE kept (n int)"))
        conn.execute(text("INSERT INTO kept VALUES (7)"))
    with database.begin() as conn:
        assert conn.execute(text("SELECT n FROM kept")).scalar() == 7


def test_audit_entry_cannot_be_changed(database: Database):
    with database.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO audit_entry (at, actor_kind, actor, action, subject, detail)"
                " VALUES (now(), 'process', 'x', 'a', 'b:c', '{}')"
            )
        )
    for statement in ("UPDATE audit_entry SET actor = 'y'", "DELETE FROM audit_entry"):
        with pytest.raises(ProgrammingError, match="append-only"):
            execute(database, statement)


def execute(database: Database, statement: str) -> None:
    with database.begin() as conn:
        conn.execute(text(statement))
