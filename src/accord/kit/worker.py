"""The worker: procrastinate's, with our tasks, transactions, retries, logs and periodic work."""

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final, Self

import structlog
from procrastinate import App, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy
from sqlalchemy.exc import OperationalError

from accord.kit import jobs
from accord.kit.db import Database

TICK: Final = 0.5  # seconds between looks at what is due
POLL: Final = 2.0  # seconds between looks at the queue; new jobs are notified anyway

log = structlog.get_logger(__name__)


class Retry(BaseRetryStrategy):  # type: ignore[misc,unused-ignore]
    """Try again after 1, 2, 4 … seconds, at most five minutes, as often as the task says."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again, or None when it was the last attempt."""
        del exception
        if job.attempts + 1 >= self.attempts:
            return None
        wait = min(2.0**job.attempts, jobs.LONGEST_WAIT.total_seconds())
        milliseconds = int(wait * random.uniform(750, 1250))  # noqa: S311 - spreads retries only
        return RetryDecision(retry_in={"milliseconds": milliseconds})


class Manager(JobManager):  # type: ignore[misc,unused-ignore]
    """procrastinate's, but a retry gives way to an equal job that already waits."""

    async def retry_job(self, job: Job, **choices: Any) -> None:
        """Let a job wait again, or end it: else it would stay `doing` and hold its lock."""
        try:
            await super().retry_job(job, **choices)
        except UniqueViolation:
            await self.finish_job(job, status=Status.ABORTED, delete_job=False)


class IdsOnly(logging.Handler):
    """Pass procrastinate's records on without their words: they carry arguments and errors."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log action, job and kind of error."""
        job = getattr(record, "job", None) or {}
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        log.warning(
            "worker",
            action=getattr(record, "action", "?"),
            job=job.get("id"),
            task=job.get("task_name"),
            error=type(error).__name__ if error else None,
        )


def build(database: Database) -> App:
    """Return procrastinate's application with every registered task."""
    app = App(
        connector=PsycopgConnector(
            conninfo=f"postgresql://{database.url.partition('://')[2]}", min_size=2, max_size=8
        ),
        worker_defaults={
            "fetch_job_polling_interval": POLL,
            "update_heartbeat_interval": jobs.HEARTBEAT.total_seconds(),
            "stalled_worker_timeout": jobs.STALLED_AFTER.total_seconds(),
        },
    )
    app.job_manager = Manager(app.connector)
    for known in jobs.TASKS.values():
        app.task(
            name=known.name, queue=known.queue, pass_context=True, retry=Retry(known.attempts)
        )(_in_transaction(database, known))
    return app


def _in_transaction(database: Database, known: jobs.Task) -> Callable[..., None]:
    def run(context: JobContext, **args: Any) -> None:
        try:
            with database.begin() as conn:
                known.run(conn, **args)
        except Exception as error:
            if context.job.attempts + 1 >= known.attempts:
                with database.begin() as conn:
                    jobs.note_failure(conn, known.name, error, subject=f"job:{context.job.id}")
            else:
                log.warning(
                    "job will be tried again",
                    job=context.job.id,
                    task=known.name,
                    error=type(error).__name__,
                )
            raise

    return run


class Ticker:
    """Runs periodic tasks of this process, each at most once at a time."""

    def __init__(self, database: Database, *, threads: int = 2) -> None:
        self.database = database
        self._stop = threading.Event()
        self._busy: set[str] = set()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="periodic")
        self._thread = threading.Thread(target=self._look, name="ticker", daemon=True)

    def __enter__(self) -> Self:
        """Start looking."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop looking and wait for what runs."""
        self._stop.set()
        self._thread.join()
        self._pool.shutdown(wait=True)

    def _look(self) -> None:
        while not self._stop.wait(TICK):
            for found in list(jobs.PERIODICS.values()):
                if found.name not in self._busy:
                    self._busy.add(found.name)
                    self._pool.submit(self._run, found)

    def _run(self, found: jobs.Periodic) -> None:
        try:
            jobs.run_if_due(self.database, found)
        except OperationalError as error:  # the database is away; the next look tries again
            log.warning("periodic", task=found.name, error=type(error).__name__)
        finally:
            self._busy.discard(found.name)


def run(database: Database, *, threads: int, grace: timedelta = timedelta(seconds=20)) -> None:
    """Run jobs and periodic tasks until SIGTERM or SIGINT.

    Args:
        database: Where the queue is; its pool must hold a connection for every thread.
        threads: Jobs that run at the same time.
        grace: How long running jobs may end by themselves; later another worker repeats them.
    """
    words = logging.getLogger("procrastinate")
    words.handlers, words.propagate = [IdsOnly(level=logging.WARNING)], False
    app = build(database)

    async def work() -> None:
        async with app.open_async():
            await app.run_worker_async(
                concurrency=threads,
                shutdown_graceful_timeout=grace.total_seconds(),
                delete_jobs="never",
            )

    with Ticker(database):
        asyncio.run(work())
