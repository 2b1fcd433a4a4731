"""One embedded server per run of the tests, a migrated template, clones of it.

The server belongs to a small holder process, so that it outlives no run and no worker of
pytest-xdist takes it away from the others: the holder watches the controller of the run.
"""

import fcntl
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from accord.kit.postgres import Postgres

RUN = "ACCORD_TEST_RUN"
TEMPLATE = "accord_template"
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "autovacuum": "off",
}


def announce_run() -> None:
    """Name this run in the environment; the workers of pytest-xdist inherit it."""
    os.environ.setdefault(RUN, f"{os.getpid()}-{secrets.token_hex(4)}")


class Server:
    """The server of this run, started by whoever asks first."""

    def __init__(self) -> None:
        run = os.environ[RUN]
        self.folder = Path(tempfile.gettempdir()) / f"accord-tests-{run}"
        self.controller = int(run.partition("-")[0])
        self.folder.mkdir(mode=0o711, exist_ok=True)
        with self._alone():
            self.url = self._running_url() or self._start_holder()
            self._prepare_template()

    def clone(self, name: str) -> str:
        """Make a database from the template and return its address."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, TEMPLATE)
        return self.url_of(name)

    def make_empty(self, name: str) -> str:
        """Make a database without any table and return its address."""
        self._execute("CREATE DATABASE {}", name)
        return self.url_of(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def url_of(self, name: str) -> str:
        """Return the address of a database of this server."""
        return self.url.replace("@/postgres?", f"@/{name}?")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _running_url(self) -> str | None:
        address = self.folder / "url"
        return address.read_text() if address.exists() else None

    def _start_holder(self) -> str:
        with (self.folder / "holder.log").open("wb") as log:
            holder = subprocess.Popen(
                [sys.executable, __file__, str(self.folder), str(self.controller)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while time.monotonic() < until and holder.poll() is None:
            if url := self._running_url():
                holder.returncode = 0  # it lives on by design: no warning when we forget it
                return url
            time.sleep(0.05)
        raise RuntimeError((self.folder / "holder.log").read_text())

    def _prepare_template(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            row = conn.execute(
                "SELECT datistemplate FROM pg_database WHERE datname = %s", [TEMPLATE]
            ).fetchone()
            if row == (True,):
                return
        if row is not None:
            self.drop(TEMPLATE)
        make_schema(self.make_empty(TEMPLATE))
        self._execute("ALTER DATABASE {} IS_TEMPLATE true", TEMPLATE)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def make_schema(url: str) -> None:
    """Bring an empty database to the schema of this version."""
    from accord.app import migrations

    migrations.upgrade(url)


def hold(folder: Path, controller: int) -> None:
    """Run a server until the controller of the run is gone, then leave nothing behind."""
    server = Postgres(folder / "database", options=FORGETFUL, system_state=folder / "state")
    try:
        server.start()
        fresh = folder / "url.new"
        fresh.write_text(server.url_of("postgres"))
        fresh.chmod(0o600)
        fresh.rename(folder / "url")
        with suppress(ProcessLookupError):
            select.select([os.pidfd_open(controller)], [], [])
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    hold(Path(sys.argv[1]), int(sys.argv[2]))
