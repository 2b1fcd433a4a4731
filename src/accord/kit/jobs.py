"""Work done later: deferred in the transaction of its cause, run once or more, never lost.

Tasks take ids and read everything else from the database. They are idempotent: a worker that
dies in the middle leaves its job to another one.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection

from accord.kit import audit, queue
from accord.kit.access import Actor
from accord.kit.db import Database

HEARTBEAT: Final = timedelta(seconds=3)
STALLED_AFTER: Final = timedelta(seconds=10)
SWEEP_EVERY: Final = timedelta(seconds=5)
KEEP_FINISHED: Final = timedelta(days=1)
ATTEMPTS: Final = 6
LONGEST_WAIT: Final = timedelta(minutes=5)

WORKER: Final = Actor.process("work")

Function = TypeVar("Function", bound=Callable[..., None])
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Task:
    """A kind of job.

    Attributes:
        name: `package.verb_thing`.
        run: `run(conn, **args)` in a transaction of its own.
        queue: Which workers take it.
        attempts: How often it is tried before it counts as failed.
    """

    name: str
    run: Callable[..., None]
    queue: str
    attempts: int


@dataclass(frozen=True)
class Periodic:
    """Something that runs every so often, on one worker at a time."""

    name: str
    run: Callable[[Connection], None]
    every: timedelta


TASKS: dict[str, Task] = {}
PERIODICS: dict[str, Periodic] = {}


def _refuse_second(registry: dict[str, Any], name: str, function: Callable[..., None]) -> None:
    known = registry.get(name)
    if known is not None and _place(known.run) != _place(function):
        raise ValueError(f"{name} is registered twice")


def _place(function: Callable[..., None]) -> tuple[str, str]:
    """Return where a function stands; a module that is loaded twice stands in one place."""
    return function.__module__, function.__qualname__


def task(
    name: str, *, queue: str = "default", retry: int = ATTEMPTS
) -> Callable[[Function], Function]:
    """Register `function(conn, **args)` as the task of that name."""

    def register(function: Function) -> Function:
        _refuse_second(TASKS, name, function)
        TASKS[name] = Task(name, function, queue, retry)
        return function

    return register


def periodic(name: str, *, every: timedelta) -> Callable[[Function], Function]:
    """Register `function(conn)` to run every so often while a worker lives.

    At most one worker runs it at a time. What it wrote and the note that it ran commit together.
    """

    def register(function: Function) -> Function:
        _refuse_second(PERIODICS, name, function)
        PERIODICS[name] = Periodic(name, function, every)
        return function

    return register


def defer(
    conn: Connection,
    name: str,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    schedule_at: datetime | None = None,
    **args: Any,
) -> int | None:
    """Put a job into the queue, in the caller's transaction.

    Args:
        conn: The transaction of the cause; job and cause commit or vanish together.
        name: The task.
        lock: Jobs of one lock run one after the other, in the order they came.
        queueing_lock: While a job of this lock waits, further ones are not added.
        schedule_at: Not before this moment.
        args: Ids and other small JSON values; never names of people.

    Returns:
        The job's id, or None when one with the same queueing lock already waits.
    """
    known = TASKS.get(name)
    return queue.insert(
        conn,
        name,
        args,
        queue=known.queue if known else "default",
        lock=lock,
        queueing_lock=queueing_lock,
        scheduled_at=schedule_at,
    )


def withdraw(conn: Connection, job: int) -> bool:
    """Take a job back that has not begun, its work having been done otherwise; say if it had not.

    Args:
        conn: The transaction in which the work is noted as done.
        job: The id that `defer` returned.
    """
    return queue.withdraw(conn, job)


def run_pending(database: Database, *, until: datetime | None = None, limit: int = 10_000) -> int:
    """Run the waiting jobs here and now, one after the other, and return how many ran.

    For tests and for commands that want to see the end. The first failure is raised as it is.

    Args:
        database: Where the queue is.
        until: Also run jobs that are scheduled up to this moment.
        limit: More jobs than this look like a task that defers itself for ever.
    """
    with database.begin() as conn:
        worker = queue.register_worker(conn)
    try:
        for count in range(limit):
            if until is not None:
                with database.begin() as conn:
                    queue.make_due(conn, until)
            with database.begin() as conn:
                job = queue.fetch(conn, worker)
            if job is None:
                return count
            run_job(database, job)
    finally:
        with database.begin() as conn:
            queue.unregister_worker(conn, worker)
    raise RuntimeError(f"more than {limit} jobs: does a task defer itself?")


def run_job(database: Database, job: queue.Queued) -> None:
    """Run a fetched job to its end; a failure ends it and is raised."""
    try:
        with database.begin() as conn:
            TASKS[job.task].run(conn, **job.args)
    except BaseException:
        with database.begin() as conn:
            queue.finish(conn, job.id, "failed")
        raise
    with database.begin() as conn:
        queue.finish(conn, job.id, "succeeded")


def run_periodic(database: Database, name: str) -> None:
    """Run a periodic task now, whether or not it is due."""
    found = PERIODICS[name]
    with database.begin() as conn:
        queue.introduce_periodic(conn, name)
        queue.note_periodic(conn, name)
        found.run(conn)


def run_if_due(database: Database, found: Periodic) -> bool:
    """Run a periodic task if it is due and no other worker runs it; say whether it ran.

    A failure is noted like a run, so that it is tried again after its interval, not at once.
    """
    with database.begin() as conn:
        queue.introduce_periodic(conn, found.name)
    try:
        with database.begin() as conn:
            if not queue.claim_periodic(conn, found.name, found.every):
                return False
            queue.note_periodic(conn, found.name)
            found.run(conn)
    except Exception as error:  # noqa: BLE001 - one failing task must not stop the others
        with database.begin() as conn:
            queue.note_periodic(conn, found.name)
            note_failure(conn, found.name, error, subject=f"periodic:{found.name}")
    return True


def note_failure(conn: Connection, name: str, error: BaseException, *, subject: str) -> None:
    """Log and audit a failure by ids, kind and place; its words may carry patients' data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    detail = {"task": name, "error": type(error).__name__, "place": place}
    log.error("job failed", subject=subject, **detail)
    audit.record(conn, WORKER, action="job.failed", subject=subject, detail=detail)


class WorkerLost(RuntimeError):
    """The worker died in the middle of this job, again and again."""


@periodic("jobs.sweep", every=SWEEP_EVERY)
def sweep(conn: Connection) -> None:
    """Let jobs of dead workers wait again; give up on one that keeps killing its worker."""
    for job in queue.take_stalled(conn, STALLED_AFTER):
        known = TASKS.get(job.task)
        if job.attempts + 1 >= (known.attempts if known else ATTEMPTS):
            queue.finish(conn, job.id, "failed")
            note_failure(conn, job.task, WorkerLost(), subject=f"job:{job.id}")
        else:
            put_back = queue.put_back(conn, job.id)
            log.warning("stalled job", job=job.id, task=job.task, again=put_back)


@periodic("jobs.delete_finished", every=timedelta(minutes=10))
def delete_finished(conn: Connection) -> None:
    """Delete jobs that ended more than a day ago; what they did stands in the audit trail."""
    deleted = queue.delete_finished(conn, KEEP_FINISHED)
    if deleted:
        log.info("finished jobs deleted", count=deleted)
