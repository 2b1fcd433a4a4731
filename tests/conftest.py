"""Fixtures of the whole suite."""

import os
import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from accord.kit.db import Database
from support import database as embedded

pytest_plugins = ["support.tools"]

NEEDS_DATABASE = {"conn", "database", "empty_database_url", "server"}


def pytest_configure(config: pytest.Config) -> None:
    embedded.announce_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if NEEDS_DATABASE & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")


@pytest.fixture(scope="session")
def server() -> embedded.Server:
    """The embedded server of this run."""
    return embedded.Server()


@pytest.fixture(scope="session")
def worker_database(server: embedded.Server) -> Iterator[Database]:
    """The database of this worker; tests reach it through `conn`."""
    name = f"worker_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    database = Database(server.clone(name))
    yield database
    database.close()
    server.drop(name)


@pytest.fixture
def conn(worker_database: Database) -> Iterator[Connection]:
    """A transaction that is rolled back at the end of the test."""
    with worker_database.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        transaction.rollback()


@pytest.fixture
def database(server: embedded.Server) -> Iterator[Database]:
    """A migrated database of the test's own, for code that commits."""
    name = f"own_{secrets.token_hex(6)}"
    own = Database(server.clone(name))
    yield own
    own.close()
    server.drop(name)


@pytest.fixture
def empty_database_url(server: embedded.Server) -> Iterator[str]:
    """The address of a database without any table."""
    name = f"empty_{secrets.token_hex(6)}"
    yield server.make_empty(name)
    server.drop(name)
