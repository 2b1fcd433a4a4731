"""The schema has one history: forward, back, alone, and equal to the tables."""

import re
import threading
from importlib import resources

import psycopg
import pytest

from accord.app import migrations
from accord.kit.db import Database
from accord.kit.errors import CannotRun
from support.processes import python

pytestmark = pytest.mark.database


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(statement)


def test_upgrade_leaves_no_difference_to_the_tables(empty_database_url: str):
    assert migrations.upgrade(empty_database_url)[-1] == migrations.head_revision()
    assert migrations.differences(empty_database_url) == []


def test_second_upgrade_finds_nothing_to_do(database: Database):
    assert migrations.upgrade(database.url) == []


def test_empty_database_is_behind(empty_database_url: str):
    assert not migrations.is_current(empty_database_url)
    (words,) = migrations.differences(empty_database_url)
    assert "revision none" in words


def test_schema_of_an_unknown_version_is_left_alone(database: Database):
    execute(database.url, "UPDATE alembic_version SET version_num = 'of-tomorrow'")
    assert not migrations.is_current(database.url)
    with pytest.raises(CannotRun, match="of-tomorrow"):
        migrations.upgrade(database.url)


def test_drift_is_named(database: Database):
    execute(database.url, "ALTER TABLE person ADD COLUMN stray text")
    execute(database.url, "DROP TABLE session")
    found = "\n".join(migrations.differences(database.url))
    assert "remove_column" in found
    assert "stray" in found
    assert "add_table session" in found


def test_tables_of_the_queue_are_not_compared(database: Database):
    execute(database.url, "ALTER TABLE procrastinate_jobs ADD COLUMN stray text")
    assert migrations.differences(database.url) == []


def test_two_migrators_at_once_do_it_once(empty_database_url: str):
    script = (
        "import sys; from accord.app import migrations;print(len(migrations.upgrade(sys.argv[1])))"
    )
    with (
        python(script, empty_database_url) as one,
        python(script, empty_database_url) as other,
    ):
        counts = sorted(int(each.communicate(timeout=60)[0]) for each in (one, other))
        assert (one.returncode, other.returncode) == (0, 0)
    assert counts[0] == 0
    assert counts[1] > 0
    assert migrations.differences(empty_database_url) == []


def test_migrator_waits_while_another_has_the_lock(database: Database):
    ended = threading.Event()
    with psycopg.connect(database.url) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [migrations.ADVISORY_LOCK])
        waiter = threading.Thread(
            target=lambda: (migrations.upgrade(database.url), ended.set()), daemon=True
        )
        waiter.start()
        assert not ended.wait(0.5)
    assert ended.wait(20)


def test_everything_can_be_taken_back_and_made_again(database: Database):
    migrations.downgrade(database.url, "base")
    with psycopg.connect(database.url) as conn:
        left = conn.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " UNION SELECT typname FROM pg_type WHERE typname LIKE 'procrastinate%'"
            " UNION SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%'"
        ).fetchall()
    assert left == [("alembic_version",)]
    migrations.upgrade(database.url)
    assert migrations.differences(database.url) == []


def test_frozen_schema_of_the_queue_is_that_of_the_installed_version():
    installed = resources.files("procrastinate.sql").joinpath("schema.sql").read_text("utf-8")
    assert migrations.read_sql("procrastinate-3.10.sql") == installed


CATALOGUE = """
SELECT 'column', format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable,
    column_default, identity_generation)
FROM information_schema.columns WHERE table_schema = 'public'
UNION SELECT 'constraint', conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
UNION SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


def catalogue(url: str) -> set[tuple[str, str]]:
    with psycopg.connect(url) as conn:
        return {
            (kind, words)
            for kind, words in conn.execute(CATALOGUE)
            if "procrastinate" not in words and "alembic_version" not in words
        }


def test_history_leads_to_exactly_the_tables_checks_and_indexes(
    database: Database, empty_database_url: str
):
    tables = Database(empty_database_url)
    with tables.begin() as conn:
        migrations.all_tables().create_all(conn)
    tables.close()
    migrated, declared = catalogue(database.url), catalogue(empty_database_url)
    assert len(declared) > 100
    assert migrated ^ declared == set()


def test_files_start_with_their_date():
    names = [
        entry.name
        for entry in resources.files(migrations).joinpath("versions").iterdir()
        if entry.name.endswith(".py")
    ]
    assert names
    assert [n for n in names if not re.fullmatch(r"\d{4}-\d\d-\d\d-\d{4}_\w+\.py", n)] == []
