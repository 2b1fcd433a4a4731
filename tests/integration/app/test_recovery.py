"""PostgreSQL is killed under a running worker: both come back and no job is lost."""

import sys
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from accord.app import migrations
from accord.app.supervisor import Process, Supervisor, environment
from accord.kit import jobs
from accord.kit.db import Database
from accord.kit.postgres import Postgres
from support.processes import kill, short_folder
from support.worker import WORKER

pytestmark = pytest.mark.processes


def numbers(database: Database) -> set[int]:
    try:
        with database.begin() as conn:
            return set(conn.execute(text("SELECT n FROM noted")).scalars())
    except OperationalError:
        return set()


@pytest.mark.timeout(120)
def test_jobs_survive_a_killed_database_and_the_worker_goes_on():
    with short_folder() as folder:
        server = Postgres(folder / "database", options={"shared_buffers": "32MB"})
        url = server.start()
        migrations.upgrade(url)
        database = Database(url)
        with database.begin() as conn:
            conn.execute(text("CREATE TABLE noted (n int)"))
            jobs.defer(conn, "test.note", n=1)
        worker = Process("work", [sys.executable, "-c", WORKER, url], environment())
        supervisor = Supervisor([worker])
        started = time.monotonic()
        killed_at = 0.0

        def look() -> None:
            nonlocal killed_at
            if server.pid is None:
                server.start()
                with database.begin() as conn:
                    jobs.defer(conn, "test.note", n=2)
            elif not killed_at and 1 in numbers(database):
                kill(server.pid)
                killed_at = time.monotonic()
            elif 2 in numbers(database) or time.monotonic() - started > 60:
                supervisor.stop()

        supervisor.each_tick = look
        supervisor.run()
        seen = numbers(database)
        back_after = time.monotonic() - killed_at
        database.close()
        server.remove()
    assert {1, 2} <= seen
    assert back_after < 20
