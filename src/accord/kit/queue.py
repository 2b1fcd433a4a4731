"""All SQL of the job queue: procrastinate's own functions, and the clock of periodic work."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

UNIQUE_QUEUEING_LOCK = "procrastinate_jobs_queueing_lock_idx_v1"


@dataclass(frozen=True)
class Queued:
    """A job as the queue holds it."""

    id: int
    task: str
    args: Mapping[str, Any]
    attempts: int
    lock: str | None = None
    scheduled_at: datetime | None = None


def insert(
    conn: Connection,
    task: str,
    args: Mapping[str, Any],
    *,
    queue: str,
    lock: str | None,
    queueing_lock: str | None,
    scheduled_at: datetime | None,
) -> int | None:
    """Add a job; return its id, or None when one with the same queueing lock already waits.

    The waiting one is held back until the caller's transaction ends, so that it sees the rows
    for which this call was made.
    """
    values = {
        "queue": queue,
        "task": task,
        "lock": lock,
        "queueing_lock": queueing_lock,
        "args": json.dumps(dict(args), default=_as_text),
        "at": scheduled_at,
    }
    statement = text(
        "SELECT (procrastinate_defer_jobs_v1(ARRAY[ROW(:queue, :task, 0, :lock, :queueing_lock,"
        " CAST(:args AS jsonb), CAST(:at AS timestamptz))::procrastinate_job_to_defer_v1]))[1]"
    )
    while True:
        try:
            with conn.begin_nested():
                made: int = conn.execute(statement, values).scalar_one()
        except IntegrityError as error:
            if UNIQUE_QUEUEING_LOCK not in str(error.orig):
                raise
        else:
            return made
        if _hold_waiting(conn, queueing_lock):
            return None


def _hold_waiting(conn: Connection, queueing_lock: str | None) -> bool:
    """Lock the waiting job against being fetched; False when it has started meanwhile."""
    found = conn.execute(
        text(
            "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :queueing_lock"
            " AND status = 'todo' FOR SHARE"
        ),
        {"queueing_lock": queueing_lock},
    )
    return found.first() is not None


def waiting(conn: Connection, task: str | None = None) -> list[Queued]:
    """Return the jobs that wait, the oldest first."""
    rows = conn.execute(
        text(
            "SELECT id, task_name, args, attempts, lock, scheduled_at FROM procrastinate_jobs"
            " WHERE status = 'todo' AND task_name = coalesce(:task, task_name) ORDER BY id"
        ),
        {"task": task},
    )
    return [Queued(*row) for row in rows]


def make_due(conn: Connection, until: datetime) -> None:
    """Let jobs that are scheduled up to a moment run now."""
    conn.execute(
        text(
            "UPDATE procrastinate_jobs SET scheduled_at = NULL"
            " WHERE status = 'todo' AND scheduled_at <= :until"
        ),
        {"until": until},
    )


def register_worker(conn: Connection) -> int:
    """Return the id of a new worker."""
    row = conn.execute(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
    worker: int = row.scalar_one()
    return worker


def unregister_worker(conn: Connection, worker: int) -> None:
    """Forget a worker."""
    conn.execute(text("SELECT procrastinate_unregister_worker_v1(:worker)"), {"worker": worker})


def fetch(conn: Connection, worker: int) -> Queued | None:
    """Take the next due job for a worker."""
    row = conn.execute(
        text(
            "SELECT id, task_name, args, attempts, lock, scheduled_at"
            " FROM procrastinate_fetch_job_v2(NULL, :worker)"
        ),
        {"worker": worker},
    ).one()
    return None if row.id is None else Queued(*row)


def finish(conn: Connection, job: int, status: str) -> None:
    """End a job as `succeeded`, `failed` or `aborted`."""
    conn.execute(
        text(
            "SELECT procrastinate_finish_job_v1("
            ":job, CAST(:status AS procrastinate_job_status), false)"
        ),
        {"job": job, "status": status},
    )


def withdraw(conn: Connection, job: int) -> bool:
    """Delete a job that has not begun; say whether there was one."""
    done = conn.execute(
        text("SELECT procrastinate_cancel_job_v1(:job, false, true)"), {"job": job}
    ).scalar()
    return done is not None


def take_stalled(conn: Connection, silent_for: timedelta) -> list[Queued]:
    """Return, locked, the running jobs whose worker is gone or silent."""
    rows = conn.execute(
        text(
            "SELECT job.id, job.task_name, job.args, job.attempts, job.lock, job.scheduled_at"
            " FROM procrastinate_jobs job"
            " LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id"
            " WHERE job.status = 'doing'"
            " AND (worker.id IS NULL OR worker.last_heartbeat < now() - :silent_for)"
            " ORDER BY job.id FOR UPDATE OF job SKIP LOCKED"
        ),
        {"silent_for": silent_for},
    )
    return [Queued(*row) for row in rows]


def put_back(conn: Connection, job: int) -> bool:
    """Let a running job wait again; False when an equal one already waits, then it ends."""
    try:
        with conn.begin_nested():
            conn.execute(
                text("SELECT procrastinate_retry_job_v2(:job, now(), NULL, NULL, NULL)"),
                {"job": job},
            )
    except IntegrityError:
        finish(conn, job, "aborted")
        return False
    return True


def delete_finished(conn: Connection, older_than: timedelta) -> int:
    """Delete jobs that ended longer ago than that, and return how many."""
    deleted = conn.execute(
        text(
            "DELETE FROM procrastinate_jobs job"
            " WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')"
            " AND NOT EXISTS (SELECT 1 FROM procrastinate_events event"
            " WHERE event.job_id = job.id AND event.at >= now() - :older_than)"
        ),
        {"older_than": older_than},
    )
    return deleted.rowcount


def introduce_periodic(conn: Connection, name: str) -> None:
    """Make sure that a periodic task has its row.

    Asks first: ON CONFLICT alone would wait for a worker that runs the task at this moment.
    """
    conn.execute(
        text(
            "INSERT INTO periodic_run (name) SELECT CAST(:name AS varchar)"
            " WHERE NOT EXISTS (SELECT 1 FROM periodic_run WHERE name = CAST(:name AS varchar))"
            " ON CONFLICT DO NOTHING"
        ),
        {"name": name},
    )


def claim_periodic(conn: Connection, name: str, every: timedelta) -> bool:
    """Say whether a periodic task is due; then it is ours until this transaction ends."""
    due = conn.execute(
        text(
            "SELECT 1 FROM periodic_run WHERE name = :name"
            " AND (started_at IS NULL OR started_at <= now() - :every)"
            " FOR UPDATE SKIP LOCKED"
        ),
        {"name": name, "every": every},
    )
    return due.first() is not None


def note_periodic(conn: Connection, name: str) -> None:
    """Note that a periodic task started now."""
    conn.execute(
        text("UPDATE periodic_run SET started_at = now() WHERE name = :name"), {"name": name}
    )


def _as_text(value: object) -> str:
    """Write what JSON does not know: days and moments as ISO text, everything else as itself."""
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)
