"""A worker with tasks of the tests, to be run as a process of its own: `-c WORKER URL`."""

WORKER = """
import sys, time
from datetime import timedelta
from sqlalchemy import text
from accord.kit import jobs, logs, worker
from accord.kit.db import Database

database = Database(sys.argv[1])
logs.configure("INFO")

def note(n):
    with database.begin() as conn:
        conn.execute(text("INSERT INTO noted VALUES (:n)"), {"n": n})

@jobs.task("test.note")
def quick(conn, n):
    conn.execute(text("INSERT INTO noted VALUES (:n)"), {"n": n})

@jobs.task("test.hang_once")
def hang_once(conn, n):
    tries = conn.execute(text("SELECT count(*) FROM noted WHERE n = -1")).scalar_one()
    note(-1)
    if tries == 0:
        time.sleep(600)
    conn.execute(text("INSERT INTO noted VALUES (:n)"), {"n": n})

@jobs.task("test.slow")
def slow(conn, n):
    note(-2)
    time.sleep(1.5)
    conn.execute(text("INSERT INTO noted VALUES (:n)"), {"n": n})

@jobs.task("test.fail", retry=2)
def fail(conn, n, who):
    conn.execute(text("INSERT INTO noted VALUES (:n)"), {"n": n})
    raise LookupError(who)

@jobs.periodic("test.tick", every=timedelta(seconds=1))
def tick(conn):
    conn.execute(text("INSERT INTO noted VALUES (100)"))

worker.run(database, threads=2)
"""
