"""Two hospitals that register one person at the same moment end in one person."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import text

from accord.identity import service, store
from accord.identity.model import PatientRecord
from accord.kit.access import Actor
from accord.kit.db import Database

FEED = Actor.process("test.feed")
ZENG = PatientRecord("H0", "1", "曾丽", "F", date(1970, 8, 15), "01", "509900197008150028")

pytestmark = pytest.mark.usefixtures("keys")


def register_at_once(database: Database, records: list[PatientRecord]) -> list[str]:
    """Register every record in a thread of its own, all of them started together."""
    together = Barrier(len(records))

    def register(record: PatientRecord) -> str:
        with database.begin() as conn:
            together.wait()
            return service.register_patient(conn, FEED, record).person_id

    with ThreadPoolExecutor(len(records)) as pool:
        return list(pool.map(register, records))


def test_same_person_at_eight_hospitals_at_once(database: Database):
    records = [replace(ZENG, authority=f"H{number}") for number in range(8)]
    persons = register_at_once(database, records)
    with database.begin() as conn:
        kept = {service.person_of(conn, record.authority, "1") for record in records}
        assert len(store.of_person(conn, persons[0])) == 8
    assert kept == {persons[0]}


def test_same_patient_sent_twice_at_once_is_kept_once(database: Database):
    persons = register_at_once(database, [ZENG] * 6)
    with database.begin() as conn:
        assert conn.execute(text("SELECT count(*) FROM patient")).scalar() == 1
        assert conn.execute(text("SELECT count(*) FROM patient_version")).scalar() == 0
    assert len(set(persons)) == 1


def test_contradicting_records_at_once_leave_one_person_each(database: Database):
    records = [ZENG, replace(ZENG, authority="H1", name="王敏")]
    persons = register_at_once(database, records)
    assert len(set(persons)) == 2
    with database.begin() as conn:
        quarantined = conn.execute(text("SELECT count(*) FROM patient WHERE quarantined")).scalar()
    assert quarantined == 1
