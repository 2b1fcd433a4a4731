"""Versions of the schema: expand → deploy → contract, one file each, named by its date.

The tables of all packages are one metadata; the schema of procrastinate comes by a revision from
a file and is hidden from the comparison, for it is not ours to change.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.pool import NullPool

import accord
from accord.kit.db import metadata
from accord.kit.errors import CannotRun

ADVISORY_LOCK = 0x6163_636F_7264  # "accord"
NOT_OURS = "procrastinate_"


def all_tables() -> MetaData:
    """Import the tables of every package and return the one metadata they are declared in."""
    for package in pkgutil.iter_modules(accord.__path__):
        if not package.ispkg:
            continue
        name = f"accord.{package.name}.tables"
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
    return metadata


def read_sql(name: str) -> str:
    """Return the words of a file in `sql/`."""
    return (resources.files(__name__) / "sql" / name).read_text(encoding="utf-8")


def run_sql(conn: Connection, statements: str) -> None:
    """Run several statements as they are: no parameters, per cent signs mean themselves."""
    driver = conn.connection.driver_connection
    assert driver is not None  # noqa: S101 - a connection in use has a driver connection
    driver.execute(statements)


def is_ours(name: str | None, kind: str, _parents: object = None) -> bool:
    """Say whether the comparison looks at a thing of the database."""
    return not (kind == "table" and name is not None and name.startswith(NOT_OURS))


def upgrade(url: str, revision: str = "head") -> list[str]:
    """Bring the schema up to a revision and return the revisions that were applied.

    Two processes that migrate at once do it one after the other; the second finds nothing to do.

    Raises:
        CannotRun: A version that this one does not know has changed the schema.
    """
    with _exclusively(url) as conn:
        before = _current(conn)
        _refuse_unknown(before)
        command.upgrade(_configuration(conn), revision)
        conn.commit()
        after = _current(conn)
    script = ScriptDirectory.from_config(_configuration())
    applied = script.iterate_revisions(after, before) if after else ()
    return [each.revision for each in applied][::-1]


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to an earlier revision; `base` is the empty database."""
    with _exclusively(url) as conn:
        command.downgrade(_configuration(conn), revision)
        conn.commit()


def differences(url: str) -> list[str]:
    """Return what keeps the schema from being that of this version, in words; empty when equal."""
    engine = create_engine(_driver(url), poolclass=NullPool)
    with engine.connect() as conn:
        found, head = _current(conn), head_revision()
        if found != head:
            return [f"the schema is at revision {found or 'none'}, this version needs {head}"]
        context = MigrationContext.configure(
            conn, opts={"include_name": is_ours, "compare_type": True}
        )
        return [_in_words(each) for each in compare_metadata(context, all_tables())]


def head_revision() -> str | None:
    """Return the newest revision of this version."""
    return ScriptDirectory.from_config(_configuration()).get_current_head()


def is_current(url: str) -> bool:
    """Say whether the schema has the newest revision, without comparing it."""
    with create_engine(_driver(url), poolclass=NullPool).connect() as conn:
        return _current(conn) == head_revision()


def new_revision(url: str, words: str) -> list[str]:
    """Write a revision file from the differences between the schema and the tables."""
    with _exclusively(url) as conn:
        made = command.revision(_configuration(conn), message=words, autogenerate=True)
    return [each.path for each in (made if isinstance(made, list) else [made]) if each]


@contextmanager
def _exclusively(url: str) -> Iterator[Connection]:
    """Open a connection that holds the lock of the migrators, on a second one, until the end."""
    engine = create_engine(_driver(url), poolclass=NullPool)
    with engine.connect() as guard, engine.connect() as conn:
        guard.execute(text("SET lock_timeout = 0"))
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        conn.execute(text("SET lock_timeout = '4s'"))
        conn.commit()
        yield conn


def _configuration(conn: Connection | None = None) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", "accord.app:migrations")
    configuration.set_main_option("timezone", "UTC")
    configuration.set_main_option(
        "file_template",
        "%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s",
    )
    configuration.attributes["connection"] = conn
    return configuration


def _current(conn: Connection) -> str | None:
    return MigrationContext.configure(conn).get_current_revision()


def _in_words(difference: Any) -> str:
    """Say what Alembic found: `add_table examination`, `modify_type visit.at`."""
    if isinstance(difference, list):
        return "; ".join(_in_words(each) for each in difference)
    kind, *what = difference
    if kind.startswith("modify_"):
        _schema, table, column, *_ = what
        return f"{kind} {table}.{column}"
    names = [getattr(each, "name", each) for each in what if each is not None]
    return " ".join([kind, *map(str, names)])


def _refuse_unknown(revision: str | None) -> None:
    known = {
        each.revision for each in ScriptDirectory.from_config(_configuration()).walk_revisions()
    }
    if revision is not None and revision not in known:
        raise CannotRun(
            f"The database is at revision {revision}, which this version does not know: "
            "start the version that made it, or restore a copy from before it."
        )


def _driver(url: str) -> str:
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"
