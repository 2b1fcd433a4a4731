"""Visits, orders and reports are kept in versions and joined with their images in any order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Connection

from accord.app.demo.phantoms import Patient, Place, Request
from accord.archive import service as archive
from accord.archive.model import Way
from accord.archive.service import Sender
from accord.identity import service as identity
from accord.identity.model import PatientRecord, Sex
from accord.kit import audit, clock, db
from accord.kit import store as kit_store
from accord.kit.access import Actor, ActorKind
from accord.kit.blobs import BlobStore
from accord.kit.errors import Conflict, Forbidden
from accord.kit.once import once
from accord.kit.settings import Settings
from accord.record import service
from accord.record.errors import (
    IllegalStatus,
    NotOurExamination,
    PatientDiffers,
    UnknownPatient,
    UnknownVisit,
    UrgencyIsFixed,
)
from accord.record.model import (
    Order,
    OrderStatus,
    Registration,
    Report,
    ReportStatus,
    Urgency,
    Visit,
    VisitKind,
)
from support.builders import encoded, make_study

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HIS = Actor(ActorKind.SYSTEM, "his-a", "HIS", institution="A")


def register(conn: Connection, local_id: str = "P1") -> None:
    record = PatientRecord(
        authority="A", local_id=local_id, name="张三", sex=Sex.MALE, birth_date=date(1970, 5, 1)
    )
    identity.register_patient(conn, HIS, record)


def visit(**what: object) -> Visit:
    given = {"number": "V1", "patient_id": "P1", "kind": VisitKind.OUTPATIENT, "opened_at": AT}
    return Visit(**{**given, **what})


def order(**what: object) -> Order:
    given = {
        "number": "O1",
        "visit": "V1",
        "patient_id": "P1",
        "item_text": "胸部CT平扫",
        "item_code": "CYHR-094",
        "ordered_at": AT,
        "registration": Registration(accession="ACC1"),
    }
    return Order(**{**given, **what})


def report(**what: object) -> Report:
    given = {
        "number": "R1",
        "performed_by": "A",
        "status": ReportStatus.FINAL,
        "accession": "ACC1",
        "patient_id": "P1",
        "released_at": AT + timedelta(hours=2),
    }
    return Report(**{**given, **what})


@pytest.fixture
def send_images(conn: Connection, tmp_path: Path) -> Callable[[], str]:
    """Send a small CT of accession ACC1 as institution A; return its study UID."""
    settings = Settings(data_dir=tmp_path)
    blobs = BlobStore(tmp_path / "objects")

    def send() -> str:
        objects = make_study(
            modality="CT",
            accession="ACC1",
            patient=replace(Patient(), patient_id="P1"),
            place=Place(),
            request=Request(),
        )
        sender = Sender(Way.IMPORT, "A", Actor.process("import"))
        for dataset in objects:
            archive.receive(
                conn,
                sender,
                BytesIO(encoded(dataset)),
                blobs=blobs,
                bounds=archive.bounds_of(settings),
                largest=settings.max_object_size,
            )
        return str(objects[0].StudyInstanceUID)

    return send


def test_a_visit_needs_a_registered_patient(conn):
    with pytest.raises(UnknownPatient):
        service.put_visit(conn, HIS, visit())


def test_an_order_needs_its_visit_and_the_same_patient(conn):
    register(conn)
    with pytest.raises(UnknownVisit):
        service.put_order(conn, HIS, order())
    service.put_visit(conn, HIS, visit())
    with pytest.raises(PatientDiffers):
        service.put_order(conn, HIS, order(patient_id="P2"))
    assert service.put_order(conn, HIS, order()).version == 1


def test_every_version_of_an_order_is_kept(conn):
    register(conn)
    service.put_visit(conn, HIS, visit())
    service.put_order(conn, HIS, order())
    service.put_order(conn, HIS, order())
    amended = service.put_order(conn, HIS, order(purpose="复查"))
    withdrawn = service.withdraw_order(conn, HIS, "O1")
    assert (amended.version, withdrawn.version) == (2, 3)
    assert service.find_order(conn, "A", "O1").content.status is OrderStatus.WITHDRAWN
    versions = service.versions_of_order(conn, "A", "O1")
    assert [kept.content.purpose for kept in versions] == [None, "复查", "复查"]


def test_the_urgency_of_an_order_cannot_be_changed_later(conn):
    register(conn)
    service.put_visit(conn, HIS, visit())
    service.put_order(conn, HIS, order())
    with pytest.raises(UrgencyIsFixed):
        service.put_order(conn, HIS, order(urgency=Urgency.STAT))


def test_a_closed_visit_is_not_open(conn):
    register(conn)
    service.put_visit(conn, HIS, visit())
    assert len(service.open_visits(conn, "A", "P1", AT + timedelta(hours=1))) == 1
    service.put_visit(conn, HIS, visit(closed_at=AT + timedelta(minutes=30)))
    assert service.open_visits(conn, "A", "P1", AT + timedelta(hours=1)) == []


def test_a_stranger_cannot_report_on_another_institution(conn):
    with pytest.raises(NotOurExamination):
        service.put_report(conn, HIS, report(performed_by="B"))


def test_an_actor_without_institution_writes_nothing(conn):
    with pytest.raises(Forbidden):
        service.put_report(conn, Actor(ActorKind.PERSON, "x", "x"), report())


def test_a_final_report_does_not_become_a_draft_again(conn):
    service.put_report(conn, HIS, report())
    with pytest.raises(IllegalStatus):
        service.put_report(conn, HIS, report(status=ReportStatus.PRELIMINARY))
    assert service.put_report(conn, HIS, report(status=ReportStatus.AMENDED)).version == 2


def test_acts_are_audited_with_ids_alone(conn):
    register(conn)
    service.put_visit(conn, HIS, visit())
    (entry,) = kit_store.read_audit(conn, subject="visit:A/V1")
    assert entry["action"] == "record.visit.kept"
    assert "张三" not in str(kit_store.read_audit(conn))


@pytest.mark.parametrize("sequence", list(permutations(["images", "order", "report"])))
def test_images_order_and_report_join_in_any_order(conn, send_images, sequence):
    register(conn)
    service.put_visit(conn, HIS, visit())
    study = None
    for arriving in sequence:
        if arriving == "images":
            study = send_images()
        elif arriving == "order":
            service.put_order(conn, HIS, order())
        else:
            service.put_report(conn, HIS, report())
        service.join(conn, "A", "ACC1", None)
    found = service.find_examination_of_study(conn, study)
    assert found.items == (94,)
    assert found.report_status is ReportStatus.FINAL
    assert found.order.content.number == "O1"
    assert found.report.content.number == "R1"
    assert found.exam_end is not None
    keys = db.ask(conn, identity.keys_of_persons("A", ["P1"]))["P1"]
    since = found.exam_end - timedelta(days=1)
    assert [each.id for each in service.candidates(conn, keys, since)] == [found.id]
    assert service.candidates(conn, keys, found.exam_end + timedelta(seconds=1)) == ()


def test_a_report_for_another_study_of_the_accession_does_not_serve_this_one(conn, send_images):
    study = send_images()
    service.put_report(conn, HIS, report(study_uid="1.2.3"))
    service.join(conn, "A", "ACC1", None)
    assert service.find_examination_of_study(conn, study).report is None


def test_a_foreign_study_uid_is_not_joined(conn, send_images):
    study = send_images()
    other = Actor(ActorKind.SYSTEM, "his-b", "HIS", institution="B")
    service.put_report(
        conn, other, report(performed_by="B", accession="X", study_uid=study, patient_id="Q")
    )
    service.join(conn, "B", "X", study)
    service.join(conn, "A", "ACC1", study)
    found = service.find_examination_of_study(conn, study)
    assert found.performed_by == "A"
    assert found.report is None


def test_a_repeated_key_acts_once_and_another_request_is_refused(conn):
    calls = []

    def act() -> dict[str, int]:
        calls.append(1)
        return {"n": len(calls)}

    assert once(conn, HIS, "k", b"one", act) == {"n": 1}
    assert once(conn, HIS, "k", b"one", act) == {"n": 1}
    with pytest.raises(Conflict):
        once(conn, HIS, "k", b"two", act)
    assert once(conn, HIS, None, b"one", act) == {"n": 2}


def test_the_clock_is_used_for_versions(conn):
    register(conn)
    with clock.freeze(AT):
        assert service.put_visit(conn, HIS, visit()).at == AT
    audit.record(conn, HIS, action="test.done", subject="test:1")
