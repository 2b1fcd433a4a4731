"""Jobs commit with their cause, run in transactions of their own and are never lost."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from accord.kit import clock, jobs, queue, store
from accord.kit.db import Database


@pytest.fixture(autouse=True)
def tasks() -> Iterator[list[dict]]:
    """Tasks of this test alone, and what they were called with."""
    calls: list[dict] = []
    before, periodics = dict(jobs.TASKS), dict(jobs.PERIODICS)

    @jobs.task("test.note")
    def note(conn: Connection, **args: object) -> None:
        conn.execute(text("INSERT INTO noted VALUES (:n)"), {"n": args.get("n", 0)})
        calls.append(args)

    @jobs.task("test.fail", retry=2)
    def fail(conn: Connection, **args: object) -> None:
        conn.execute(text("INSERT INTO noted VALUES (-1)"))
        raise LookupError("张三 has no such thing")

    yield calls
    jobs.TASKS.clear()
    jobs.TASKS.update(before)
    jobs.PERIODICS.clear()
    jobs.PERIODICS.update(periodics)


@pytest.fixture
def noted(database: Database) -> Database:
    with database.begin() as conn:
        conn.execute(text("CREATE TABLE noted (n int)"))
    return database


def numbers(database: Database) -> list[int]:
    with database.begin() as conn:
        return list(conn.execute(text("SELECT n FROM noted ORDER BY n")).scalars())


def test_job_commits_with_its_row(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        conn.execute(text("INSERT INTO noted VALUES (1)"))
        jobs.defer(conn, "test.note", n=2)
    assert jobs.run_pending(noted) == 1
    assert numbers(noted) == [1, 2]


def test_job_is_rolled_back_with_its_row(noted: Database, tasks: list[dict]):
    with noted.engine.connect() as conn:
        conn.execute(text("INSERT INTO noted VALUES (1)"))
        jobs.defer(conn, "test.note", n=2)
        conn.rollback()
    assert jobs.run_pending(noted) == 0
    assert numbers(noted) == []


def test_job_is_invisible_before_its_cause_commits(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", n=2)
        assert jobs.run_pending(noted) == 0
    assert jobs.run_pending(noted) == 1


def test_failed_job_leaves_nothing_of_its_transaction(noted: Database):
    with noted.begin() as conn:
        jobs.defer(conn, "test.fail")
    with pytest.raises(LookupError):
        jobs.run_pending(noted)
    assert numbers(noted) == []


def test_queueing_lock_keeps_one_waiting_job(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        first = jobs.defer(conn, "test.note", queueing_lock="one", n=1)
        second = jobs.defer(conn, "test.note", queueing_lock="one", n=2)
    assert first is not None
    assert second is None
    jobs.run_pending(noted)
    assert tasks == [{"n": 1}]


def test_waiting_job_is_held_back_for_a_cause_that_relies_on_it(noted: Database, tasks: list):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", queueing_lock="one", n=1)
    with noted.begin() as conn:
        assert jobs.defer(conn, "test.note", queueing_lock="one", n=2) is None
        assert jobs.run_pending(noted) == 0
    assert jobs.run_pending(noted) == 1


def test_scheduled_job_waits_for_its_moment(noted: Database, tasks: list[dict]):
    in_a_week = clock.now() + timedelta(days=7)
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", schedule_at=in_a_week, n=1)
    assert jobs.run_pending(noted) == 0
    assert jobs.run_pending(noted, until=in_a_week - timedelta(seconds=1)) == 0
    assert jobs.run_pending(noted, until=in_a_week) == 1


def test_days_and_moments_arrive_as_iso_text(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", day=clock.today())
    jobs.run_pending(noted)
    assert tasks == [{"day": clock.today().isoformat()}]


def test_task_that_defers_itself_for_ever_is_stopped(noted: Database):
    @jobs.task("test.again")
    def again(conn: Connection) -> None:
        jobs.defer(conn, "test.again")

    with noted.begin() as conn:
        jobs.defer(conn, "test.again")
    with pytest.raises(RuntimeError, match="defer itself"):
        jobs.run_pending(noted, limit=5)


def test_name_belongs_to_one_task():
    with pytest.raises(ValueError, match="registered twice"):
        jobs.task("test.note")(lambda conn: None)


def stall(database: Database, worker_silent_for: timedelta) -> int:
    """Take a job with a worker that has been silent, and return the job's id."""
    with database.begin() as conn:
        worker = queue.register_worker(conn)
        job = queue.fetch(conn, worker)
        conn.execute(
            text("UPDATE procrastinate_workers SET last_heartbeat = now() - :silent"),
            {"silent": worker_silent_for},
        )
    assert job is not None
    return job.id


def test_job_of_a_silent_worker_is_run_again(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", n=5)
    stall(noted, jobs.STALLED_AFTER + timedelta(seconds=1))
    assert jobs.run_pending(noted) == 0
    jobs.run_periodic(noted, "jobs.sweep")
    assert jobs.run_pending(noted) == 1
    assert tasks == [{"n": 5}]


def test_job_of_a_living_worker_is_left_alone(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", n=5)
    stall(noted, jobs.STALLED_AFTER - timedelta(seconds=3))
    jobs.run_periodic(noted, "jobs.sweep")
    assert jobs.run_pending(noted) == 0


def test_stalled_job_gives_way_to_an_equal_one_that_waits(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", queueing_lock="one", n=1)
    stall(noted, timedelta(minutes=1))
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", queueing_lock="one", n=2)
    jobs.run_periodic(noted, "jobs.sweep")
    jobs.run_pending(noted)
    assert tasks == [{"n": 2}]


def test_job_that_keeps_killing_its_worker_fails_and_is_audited(noted: Database):
    with noted.begin() as conn:
        jobs.defer(conn, "test.fail")
    for _ in range(2):
        job = stall(noted, timedelta(minutes=1))
        jobs.run_periodic(noted, "jobs.sweep")
    with noted.begin() as conn:
        assert queue.waiting(conn) == []
        (entry,) = store.read_audit(conn, subject=f"job:{job}")
    assert entry["detail"]["error"] == "WorkerLost"


def test_finished_jobs_are_deleted_after_a_day(noted: Database, tasks: list[dict]):
    with noted.begin() as conn:
        jobs.defer(conn, "test.note", n=1)
        jobs.defer(conn, "test.note", n=2)
    jobs.run_pending(noted)
    with noted.begin() as conn:
        conn.execute(
            text(
                "UPDATE procrastinate_events SET at = at - interval '25 hours'"
                " WHERE job_id = (SELECT min(id) FROM procrastinate_jobs)"
            )
        )
    jobs.run_periodic(noted, "jobs.delete_finished")
    with noted.begin() as conn:
        left = conn.execute(text("SELECT args FROM procrastinate_jobs")).scalars().all()
    assert left == [{"n": 2}]


def test_periodic_runs_when_due_and_not_before(noted: Database):
    @jobs.periodic("test.tick", every=timedelta(hours=1))
    def tick(conn: Connection) -> None:
        conn.execute(text("INSERT INTO noted VALUES (1)"))

    found = jobs.PERIODICS["test.tick"]
    assert jobs.run_if_due(noted, found)
    assert not jobs.run_if_due(noted, found)
    assert numbers(noted) == [1]


def test_periodic_runs_on_one_worker_at_a_time(noted: Database):
    inner: list[bool] = []

    @jobs.periodic("test.tick", every=timedelta(hours=1))
    def tick(conn: Connection) -> None:
        inner.append(jobs.run_if_due(noted, jobs.PERIODICS["test.tick"]))

    assert jobs.run_if_due(noted, jobs.PERIODICS["test.tick"])
    assert inner == [False]


def test_failing_periodic_is_audited_without_its_words(noted: Database):
    @jobs.periodic("test.tick", every=timedelta(hours=1))
    def tick(conn: Connection) -> None:
        conn.execute(text("INSERT INTO noted VALUES (1)"))
        raise LookupError("张三")

    assert jobs.run_if_due(noted, jobs.PERIODICS["test.tick"])
    assert not jobs.run_if_due(noted, jobs.PERIODICS["test.tick"])
    assert numbers(noted) == []
    with noted.begin() as conn:
        (entry,) = store.read_audit(conn, subject="periodic:test.tick")
    assert entry["detail"]["error"] == "LookupError"
    assert "张三" not in str(entry)
