"""A `Database` over one connection, so that requests of a test are rolled back at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Connection

from accord.kit import access

PASSWORD = "correct horse battery"


class BorrowedDatabase:
    """Gives every transaction as a savepoint of the test's own transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a savepoint: kept at the end of the block, rolled back on any error."""
        with self._conn.begin_nested():
            yield self._conn


@lru_cache(maxsize=1)
def password_hash() -> str:
    """Return the hash of PASSWORD; made once, for it is slow on purpose."""
    return access.hash_password(PASSWORD)
