"""The database: one dialect (PostgreSQL ≥ 15), SQLAlchemy Core, explicit transactions.

Stores take a `Connection` and never commit; the request, the job or the command opens the
transaction and so decides what belongs together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Column, Connection, DateTime, Engine, MetaData, create_engine, text

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


class Database:
    """A pool of connections to one database.

    Args:
        url: `postgresql://…`; the psycopg 3 driver is used whatever the scheme says.
        pool_size: Connections kept open by this process.
        statement_timeout: No statement runs longer; unset, any may.
        pre_ping: Try a pooled connection before it is used; without, the first use after a
            restart of the server fails and the pool is made anew.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout: timedelta | None = None,
        pre_ping: bool = True,
    ) -> None:
        self.url = url
        _, _, rest = url.partition("://")
        options = "-c timezone=UTC -c lock_timeout=10s"
        if statement_timeout is not None:
            options += f" -c statement_timeout={statement_timeout // timedelta(milliseconds=1)}"
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
        driver = conn.connection.driver_connection
        assert driver is not None  # noqa: S101 - a connection in use has a driver connection
        with driver.pipeline():
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
