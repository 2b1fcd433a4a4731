"""The real worker in a process of its own: prompt, patient, killed, silent about people."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
from sqlalchemy import text

from accord.kit import jobs, store
from accord.kit.db import Database
from support.processes import wait_until
from support.worker import WORKER

pytestmark = pytest.mark.processes


@pytest.fixture
def noted(database: Database) -> Database:
    with database.begin() as conn:
        conn.execute(text("CREATE TABLE noted (n int)"))
    return database


@contextmanager
def worker(database: Database) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A worker process and what it says."""
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            [sys.executable, "-c", WORKER, database.url], stderr=words, stdout=words
        )
        try:
            yield child, words
        finally:
            child.kill()
            child.wait()


def count(database: Database, number: int) -> int:
    with database.begin() as conn:
        query = text("SELECT count(*) FROM noted WHERE n = :n")
        return int(conn.execute(query, {"n": number}).scalar_one())


def said(words: IO[bytes]) -> str:
    words.seek(0)
    return words.read().decode()


def test_job_of_a_killed_worker_is_run_again_by_the_next(noted: Database):
    with noted.begin() as conn:
        jobs.defer(conn, "test.hang_once", lock="one", n=1)
        jobs.defer(conn, "test.note", lock="one", n=2)
    with worker(noted) as (first, _):
        assert wait_until(lambda: count(noted, -1) == 1)
        first.kill()
    assert count(noted, 2) == 0
    with worker(noted):
        assert wait_until(lambda: count(noted, 2) == 1, within=30)
        assert count(noted, 1) == 1


def test_periodic_task_runs_again_and_again(noted: Database):
    with worker(noted):
        assert wait_until(lambda: count(noted, 100) >= 3, within=15)


def test_waiting_worker_takes_a_new_job_at_once(noted: Database):
    with worker(noted):
        assert wait_until(lambda: count(noted, 100) >= 1)
        with noted.begin() as conn:
            jobs.defer(conn, "test.note", n=3)
        assert wait_until(lambda: count(noted, 3) == 1, within=5)


def test_failing_job_is_tried_again_then_audited_and_nobody_is_named(noted: Database):
    with noted.begin() as conn:
        jobs.defer(conn, "test.fail", n=4, who="张三")

    def failures() -> list[dict]:
        with noted.begin() as conn:
            return store.read_audit(conn, action="job.failed")

    with worker(noted) as (_, words):
        assert wait_until(lambda: len(failures()) == 1)
        assert count(noted, 4) == 0
        (entry,) = failures()
        assert entry["detail"]["task"] == "test.fail"
        assert entry["detail"]["error"] == "LookupError"
        assert "LookupError" in said(words)
        assert "张三" not in said(words) + str(entry)


def test_term_signal_lets_the_running_job_end(noted: Database):
    with noted.begin() as conn:
        jobs.defer(conn, "test.slow", n=5)
    with worker(noted) as (child, _):
        assert wait_until(lambda: count(noted, -2) == 1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
    assert count(noted, 5) == 1
    with noted.begin() as conn:
        states = conn.execute(text("SELECT status FROM procrastinate_jobs")).scalars().all()
    assert states == ["succeeded"]
