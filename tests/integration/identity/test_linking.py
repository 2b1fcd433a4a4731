"""Registering patients of several hospitals: one person only where R-ID-1 is certain."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from accord.identity import service, store
from accord.identity.errors import BadPatient, ForeignPatient, NotOnePerson, UnknownTask
from accord.identity.model import (
    PatientRecord,
    PersonUnlinked,
    TaskDecision,
    TaskKind,
)
from accord.kit import crypto, db, events
from accord.kit.access import Actor, ActorKind
from accord.registry import service as registry
from support.region import make_region

FEED = Actor.process("test.feed")
NUMBER = "509900197008150028"
ZENG = PatientRecord("CQ-A", "1", "曾丽", "F", date(1970, 8, 15), "01", NUMBER, phone="13900001111")
HERE = replace(ZENG, authority="SC-A", local_id="77")
REGIONAL = Actor(ActorKind.PERSON, "mpi.cq", "区域", authority="CQ-WJW")
CLERK = Actor(ActorKind.PERSON, "mpi.cqa", "院内", institution="CQ-A")

pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture
def told() -> Iterator[list[object]]:
    """Events of this test."""
    seen: list[object] = []

    def note(_conn: Connection, event: object) -> None:
        seen.append(event)

    events.subscribe(PersonUnlinked, note)
    yield seen
    events._handlers[PersonUnlinked].remove(note)


def register(conn: Connection, record: PatientRecord = ZENG, **changes: object):
    return service.register_patient(conn, FEED, replace(record, **changes))


def open_kinds(conn: Connection) -> list[TaskKind]:
    return [task.kind for task in service.open_tasks(conn, FEED)]


def test_equal_verified_id_is_one_person(conn: Connection, told: list[object]):
    one, two = register(conn), register(conn, HERE)
    assert one.id_state == "verified"
    assert one.person_id == two.person_id
    assert service.person_of(conn, "SC-A", "77") == one.person_id
    assert [each.id for each in store.of_person(conn, one.person_id)] == [one.id, two.id]
    assert told == []
    assert open_kinds(conn) == []
    links = store.links_of(conn, two.id)
    assert [(link["to_person"], link["reason"]) for link in links] == [(one.person_id, "linked")]


def test_persons_asked_for_together_are_those_that_are_asked_for_one_by_one(conn: Connection):
    one, two = register(conn), register(conn, HERE)
    register(conn, local_id="2", id_type=None, id_number=None, name="无名氏")
    kept_apart = register(conn, HERE, local_id="78", name="王敏")
    assert kept_apart.quarantined
    asked = db.ask(conn, service.keys_of_persons("CQ-A", ["1", "2", "3"]))
    assert asked == {"1": (("CQ-A", "1"), ("SC-A", "77"))}
    assert asked["1"] == tuple(
        (each.authority, each.local_id) for each in store.of_person(conn, one.person_id)
    )
    assert db.ask(conn, service.keys_of_persons("SC-A", [kept_apart.local_id])) == {}
    assert set(db.ask(conn, service.keys_of_persons("SC-A", [two.local_id]))) == {"77"}


def test_pinyin_and_fifteen_digits_link(conn: Connection):
    one = register(conn)
    two = register(conn, HERE, name="CENG^LI", id_number="509900700815002")
    assert one.person_id == two.person_id


def test_equal_local_ids_of_two_hospitals_mean_nothing(conn: Connection):
    one = register(conn)
    two = register(conn, HERE, local_id="1", id_type=None, id_number=None, name="王强")
    assert one.person_id != two.person_id
    assert service.person_of(conn, "CQ-A", "1") != service.person_of(conn, "SC-A", "1")


def test_contradiction_is_quarantined_and_left_to_people(conn: Connection):
    one = register(conn)
    two = register(conn, HERE, name="王敏")
    assert two.quarantined
    assert two.person_id != one.person_id
    assert service.person_of(conn, "SC-A", "77") is None
    assert service.person_of(conn, "CQ-A", "1") == one.person_id
    [task] = service.open_tasks(conn, FEED)
    assert (task.kind, task.because) == (TaskKind.CONTRADICTION, ("name_differs",))
    assert [other.id for other in task.others] == [one.id]


def test_birth_year_that_differs_from_the_number_is_quarantined(conn: Connection):
    """T34."""
    two = register(conn, HERE, birth_date=date(1971, 8, 15))
    assert two.quarantined
    assert service.person_of(conn, "SC-A", "77") is None
    [task] = service.open_tasks(conn, FEED)
    assert task.because == ("id_contradicts_record",)


def test_derived_birth_date_is_a_task_and_no_link(conn: Connection):
    """T43."""
    one = register(conn)
    two = register(conn, HERE, birth_date=date(1970, 1, 1))
    assert not two.quarantined
    assert one.person_id != two.person_id
    [task] = service.open_tasks(conn, FEED)
    assert (task.kind, task.because) == (TaskKind.ID_NOT_VERIFIED, ("derived_birth_date",))


def test_unidentified_patient_has_no_person_to_anybody(conn: Connection):
    register(conn, name="无名氏", id_type=None, id_number=None)
    register(conn, HERE, name="无名氏", id_type=None, id_number=None)
    assert service.person_of(conn, "CQ-A", "1") is None
    assert open_kinds(conn) == []


def test_placeholder_number_never_links(conn: Connection):
    one = register(conn, id_number="111111111111111111")
    two = register(conn, HERE, id_number="111111111111111111")
    assert one.person_id != two.person_id
    assert TaskKind.ID_NOT_VERIFIED in open_kinds(conn)


def test_namesake_without_a_number_is_a_task_and_nothing_else(conn: Connection):
    one = register(conn)
    two = register(conn, HERE, id_type=None, id_number=None)
    assert one.person_id != two.person_id
    [task] = service.open_tasks(conn, FEED)
    assert task.kind is TaskKind.POSSIBLE_SAME
    assert [other.id for other in task.others] == [one.id]


def test_correction_links_and_closes_the_tasks(conn: Connection):
    one = register(conn)
    register(conn, HERE, name="王敏")
    two = register(conn, HERE)
    assert (two.person_id, two.quarantined, two.version) == (one.person_id, False, 2)
    assert open_kinds(conn) == []


def test_borrowed_card_does_not_keep_its_owner_from_her_own(conn: Connection):
    one = register(conn)
    assert register(conn, HERE, name="王敏").quarantined
    three = register(conn, authority="CQ-B", local_id="5")
    assert (three.person_id, three.quarantined) == (one.person_id, False)
    assert service.person_of(conn, "SC-A", "77") is None


def test_correction_of_the_first_one_releases_the_second(conn: Connection):
    register(conn, name="曾莉")
    two = register(conn, HERE)
    assert two.quarantined
    one = register(conn)
    assert service.person_of(conn, "SC-A", "77") == one.person_id
    assert open_kinds(conn) == []


def test_correction_that_contradicts_takes_it_out_again(conn: Connection, told: list[object]):
    one, _two = register(conn), register(conn, HERE)
    told.clear()
    two = register(conn, HERE, name="王敏")
    assert two.person_id != one.person_id
    assert two.quarantined
    assert told == [PersonUnlinked(two.id, one.person_id)]


def test_oldest_that_leaves_does_not_take_the_person_along(conn: Connection):
    one, two = register(conn), register(conn, HERE)
    three = register(conn, HERE, authority="CQ-B", local_id="9")
    changed = register(conn, name="王敏")
    assert changed.person_id != one.person_id
    known = {each.id for each in store.of_person(conn, one.person_id)}
    assert known == {two.id, three.id}


def test_who_joins_takes_the_person_of_the_others_however_old(conn: Connection):
    one = register(conn, id_type=None, id_number=None, birth_date=None)
    two, three = register(conn, HERE), register(conn, HERE, authority="CQ-B", local_id="9")
    assert one.id < two.id
    assert register(conn).person_id == two.person_id == three.person_id


def test_same_record_twice_changes_nothing(conn: Connection):
    one = register(conn)
    again = register(conn)
    assert again == one
    entries = conn.execute(
        text("SELECT count(*) FROM audit_entry WHERE subject = :subject"),
        {"subject": f"patient:{one.id}"},
    ).scalar()
    assert entries == 1


def test_source_merges_two_of_its_own_ids(conn: Connection):
    one = register(conn)
    two = register(conn, local_id="2", id_type=None, id_number=None, birth_date=None)
    assert one.person_id != two.person_id
    merged = service.link_by_source(conn, FEED, "CQ-A", "1", "2")
    assert service.person_of(conn, "CQ-A", "2") == merged.person_id == one.person_id


def test_source_cannot_merge_what_contradicts(conn: Connection):
    one = register(conn)
    register(conn, local_id="2", id_type=None, id_number=None, sex="M")
    service.link_by_source(conn, FEED, "CQ-A", "1", "2")
    assert service.person_of(conn, "CQ-A", "2") is None
    assert service.person_of(conn, "CQ-A", "1") == one.person_id
    assert open_kinds(conn) == [TaskKind.CONTRADICTION]


def test_people_link_what_the_machine_may_not(conn: Connection):
    registry.import_region(conn, FEED, make_region())
    one = register(conn, authority="CQ-B", local_id="5")
    two = register(conn, id_type=None, id_number=None)
    [task] = service.open_tasks(conn, REGIONAL)
    service.decide_task(conn, REGIONAL, task.id, TaskDecision.LINKED, "电话核实为同一人")
    assert service.person_of(conn, "CQ-A", "1") == one.person_id
    assert service.open_tasks(conn, REGIONAL) == ()
    service.unlink(conn, REGIONAL, two.id, "患者本人否认")
    assert service.person_of(conn, "CQ-A", "1") != one.person_id
    assert register(conn, phone="13900002222", id_type=None, id_number=None).person_id != (
        one.person_id
    )


def test_what_people_keep_apart_stays_apart(conn: Connection):
    registry.import_region(conn, FEED, make_region())
    one = register(conn, authority="CQ-B", local_id="5")
    register(conn, name="王敏")
    [task] = service.open_tasks(conn, REGIONAL)
    service.decide_task(conn, REGIONAL, task.id, TaskDecision.KEPT_APART, "冒用证件")
    assert register(conn).person_id != one.person_id
    assert service.person_of(conn, "CQ-A", "1") is not None


def test_clerk_of_a_hospital_sees_no_other_hospitals_patients(conn: Connection):
    register(conn, HERE)
    register(conn, id_type=None, id_number=None)
    [task] = service.open_tasks(conn, CLERK)
    assert task.patient.authority == "CQ-A"
    assert task.others == ()
    with pytest.raises(NotOnePerson):
        service.decide_task(conn, CLERK, task.id, TaskDecision.LINKED, "同一人")
    with pytest.raises(ForeignPatient):
        service.unlink(conn, CLERK, task.patient.id, "拆分")


def test_task_of_another_authority_is_unknown(conn: Connection):
    registry.import_region(conn, FEED, make_region())
    register(conn)
    register(conn, HERE, id_type=None, id_number=None)
    [task] = service.open_tasks(conn, FEED)
    assert service.open_tasks(conn, REGIONAL) == ()
    with pytest.raises(UnknownTask):
        service.decide_task(conn, REGIONAL, task.id, TaskDecision.LINKED, "同一人")


def test_only_the_own_institution_registers(conn: Connection):
    hospital = Actor(ActorKind.SYSTEM, "his", "HIS", institution="CQ-B")
    with pytest.raises(ForeignPatient):
        service.register_patient(conn, hospital, ZENG)


@pytest.mark.parametrize(
    "changes",
    [
        {"local_id": " "},
        {"name": "  "},
        {"local_id": NUMBER},
        {"local_id": "509900700815002"},
        {"sex": "男"},
        {"birth_date": date(2099, 1, 1)},
    ],
)
def test_impossible_record_is_refused_without_repeating_it(
    conn: Connection, changes: dict[str, object]
):
    with pytest.raises(BadPatient) as refused:
        register(conn, **changes)
    assert NUMBER not in str(refused.value)
    assert "曾丽" not in str(refused.value)


def test_number_read_elsewhere_is_compared(conn: Connection):
    patient = register(conn)
    assert service.has_number(conn, patient, "509900700815002") is True
    assert service.has_number(conn, patient, " 50990019700815002８") is True
    assert service.has_number(conn, patient, "519900197008150038") is False
    without = register(conn, local_id="2", id_type=None, id_number=None)
    assert service.has_number(conn, without, NUMBER) is None


def test_links_survive_a_new_key(conn: Connection, keys: Path):
    one = register(conn)
    assert crypto.get_crypto().rotate("mac", "identity") == "k2"
    crypto.get_crypto().rotate("seal", "identity")
    two = register(conn, HERE)
    assert one.person_id == two.person_id
    assert register(conn) == one  # still known as the same record
    assert service.has_number(conn, one, NUMBER) is True
    assert sorted(path.name for path in keys.glob("*.k*")) == [
        "mac.identity.k1", "mac.identity.k2", "seal.identity.k1", "seal.identity.k2",
    ]  # fmt: skip


def test_no_number_stands_anywhere_in_the_database(
    conn: Connection, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        register(conn)
        register(conn, HERE, name="王敏", id_number="509900700815002")
        register(conn, HERE)
        register(conn, local_id="9", id_type="passport", id_number="E87654321")
    secrets = (NUMBER, "509900700815002", "87654321", "13900001111")
    tables = conn.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ).scalars()
    scanned = 0
    for table in tables.all():
        for row in conn.execute(text(f'SELECT t::text FROM "{table}" AS t')).scalars():
            scanned += 1
            assert not any(secret in row for secret in secrets), table
    assert scanned > 10
    assert not any(secret in caplog.text for secret in secrets)
    assert NUMBER not in repr(ZENG)
