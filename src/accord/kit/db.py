"""The database: one dialect (PostgreSQL ≥ 15), SQLAlchemy Core, explicit transactions.

Stores take a `Connection` and never commit; the request, the job or the command opens the
transaction and so decides what belongs together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, overload

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from pydantic_core import from_json
from sqlalchemy import Column, Connection, DateTime, Engine, MetaData, create_engine, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def moment(name: str, *, nullable: bool = False, **options: Any) -> Column[Any]:
    """Return a column for an aware moment; UTC in storage."""
    return Column(name, DateTime(timezone=True), nullable=nullable, **options)


T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
_DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Prepared:
    """A statement that is put into words once and from then on run by the driver itself.

    For the way of an order: to put a statement together anew costs several times what it takes
    to run it, even where its words come from the cache.

    Args:
        statement: Its parameters are `bindparam`s; documents are given as JSON text.
        columns: For an INSERT without values, the columns that it fills.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns

    @cached_property
    def words(self) -> bytes:
        """Return the statement in SQL."""
        columns = None if self._columns is None else list(self._columns)
        return str(self._statement.compile(dialect=_DIALECT, column_keys=columns)).encode()


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A question to the database that can be asked together with others.

    Args:
        statement: What is asked.
        values: Its parameters.
        make: Makes the answer of the rows, which have the columns as attributes.
    """

    statement: Prepared
    values: Mapping[str, Any]
    make: Callable[[Sequence[Any]], T] = field(repr=False)


def ask(conn: Connection, read: Read[T]) -> T:
    """Return the answer to one question; the first of a transaction goes with its BEGIN."""
    with _driver(conn) as driver:
        begins = driver.info.transaction_status == TransactionStatus.IDLE
        with driver.pipeline() if begins else nullcontext():
            cursor = _send(driver, read.statement, read.values)
        rows = cursor.fetchall()
    return read.make(rows)


@overload
def ask_together(conn: Connection, one: Read[T], two: Read[U], /) -> tuple[T, U]: ...
@overload
def ask_together(
    conn: Connection, one: Read[T], two: Read[U], three: Read[V], /
) -> tuple[T, U, V]: ...
def ask_together(conn: Connection, /, *reads: Read[Any]) -> tuple[Any, ...]:
    """Return the answers to questions that go to the server and come back together."""
    with _driver(conn) as driver:
        with driver.pipeline():
            cursors = [_send(driver, read.statement, read.values) for read in reads]
        # Only now: a fetch within the pipeline would be a way to the server of its own.
        found = [cursor.fetchall() for cursor in cursors]
    return tuple(read.make(rows) for read, rows in zip(reads, found, strict=True))


def tell(conn: Connection, statement: Prepared, values: Mapping[str, Any]) -> None:
    """Run a statement that returns nothing."""
    with _driver(conn) as driver:
        _send(driver, statement, values)


def _send(
    driver: psycopg.Connection[Any], statement: Prepared, values: Mapping[str, Any]
) -> psycopg.Cursor[Any]:
    cursor = driver.cursor(row_factory=namedtuple_row)
    return cursor.execute(statement.words, values, prepare=True)


@contextmanager
def _driver(conn: Connection) -> Iterator[psycopg.Connection[Any]]:
    """Give the driver's connection; once it is lost, SQLAlchemy is told.

    Raises:
        psycopg.Error: Whatever the driver raises in the block.
    """
    driver: Any = conn.connection.driver_connection
    try:
        yield driver
    except psycopg.OperationalError:
        if driver.closed:
            # A statement of its own shows it: it gives up those pooled beside this one as well.
            with suppress(DBAPIError):
                conn.exec_driver_sql("SELECT 1")
        raise


class Database:
    """A pool of connections to one database.

    Args:
        url: `postgresql://…`; the psycopg 3 driver is used whatever the scheme says.
        pool_size: Connections kept open by this process.
        statement_timeout: No statement runs longer; unset, any may.
        plan_once: Plan each prepared statement once and not for every value; for connections whose
            statements all find few rows by an index.
        pre_ping: Try a pooled connection before it is used; without, the first use after a
            restart of the server fails and the pool is made anew.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout: timedelta | None = None,
        plan_once: bool = False,
        pre_ping: bool = True,
    ) -> None:
        self.url = url
        _, _, rest = url.partition("://")
        options = "-c timezone=UTC -c lock_timeout=10s"
        if statement_timeout is not None:
            options += f" -c statement_timeout={statement_timeout // timedelta(milliseconds=1)}"
        if plan_once:
            options += " -c plan_cache_mode=force_generic_plan"
        self.engine: Engine = create_engine(
            f"postgresql+psycopg://{rest}",
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=pre_ping,
            hide_parameters=True,  # an error's words end up in logs and on terminals
            json_deserializer=from_json,  # twice as fast as the standard library's
            connect_args={"options": options},
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction: committed at the end of the block, rolled back on any error."""
        with self.engine.begin() as connection:
            yield connection

    @staticmethod
    @contextmanager
    def together(conn: Connection) -> Iterator[None]:
        """Send the statements of the block in one go; none of them may return rows.

        Their errors come at the end of the block, as the driver's.
        """
        with _driver(conn) as driver, driver.pipeline():
            yield

    def is_reachable(self) -> bool:
        """Say whether a query gets an answer now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - any failure means the same thing to the asker
            return False
        return True

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
