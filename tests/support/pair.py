"""A prior at one hospital and an order at another, of one certain person, through the services."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path

from pydicom import Dataset
from sqlalchemy import Connection

from accord.app.demo.phantoms import Device, Patient, Place, Request
from accord.archive import service as archive
from accord.archive.model import Way
from accord.archive.service import Sender
from accord.identity import service as identity
from accord.identity.model import PatientRecord
from accord.identity.rules.numbers import check_digit
from accord.kit import clock, db
from accord.kit.access import Actor, ActorKind
from accord.kit.blobs import BlobStore
from accord.kit.clock import LOCAL
from accord.kit.settings import Settings
from accord.recognition.model import OrderFacts
from accord.record import service as record
from accord.record.model import (
    Examination,
    Order,
    Preparation,
    Registration,
    Report,
    ReportStatus,
    Visit,
    VisitKind,
)
from accord.registry import service as registry
from support.builders import encoded, make_study
from support.region import make_region

PERFORMER, VIEWER = "CQ-A", "CQ-B"
BORN = date(1979, 8, 15)
STARTED = datetime(2026, 3, 15, 9, 50, tzinfo=LOCAL)
ASKED = datetime(2026, 3, 20, 9, 0, tzinfo=LOCAL)
ACCESSION = "ACC1"
_SEVENTEEN = "50990019790815002"
NUMBER = _SEVENTEEN + check_digit(_SEVENTEEN)
"""A number of a region that was never assigned (third and fourth digit 99)."""

ORDER = OrderFacts(item=94, visit=VisitKind.OUTPATIENT, follow_up=False)
LATER = timedelta(minutes=30)


@dataclass
class Pair:
    """What a hospital sent about one examination, and the person who asks about it elsewhere."""

    conn: Connection
    folder: Path

    def __post_init__(self) -> None:
        with clock.freeze(STARTED - timedelta(days=400)):
            registry.import_region(self.conn, Actor.process("test"), make_region())
        for institution, local_id in ((PERFORMER, "P1"), (VIEWER, "Q1")):
            identity.register_patient(
                self.conn, system(institution), patient_record(institution, local_id)
            )
        with clock.freeze(STARTED - timedelta(hours=1)):
            record.put_visit(self.conn, system(PERFORMER), visit())

    def send_order(self, **changes: object) -> None:
        """Send the order of the prior."""
        with clock.freeze(STARTED - timedelta(hours=1)):
            record.put_order(self.conn, system(PERFORMER), replace(order(), **changes))

    def send_images(self, **what: object) -> str:
        """Send a small CT of the chest, and return its study UID."""
        settings, blobs = Settings(data_dir=self.folder), BlobStore(self.folder / "objects")
        objects = images(**what)
        sender = Sender(Way.IMPORT, PERFORMER, Actor.process("import"))
        with clock.freeze(STARTED + LATER):
            for dataset in objects:
                archive.receive(
                    self.conn,
                    sender,
                    BytesIO(encoded(dataset)),
                    blobs=blobs,
                    bounds=archive.bounds_of(settings),
                    largest=settings.max_object_size,
                )
        return str(objects[0].StudyInstanceUID)

    def settle(self) -> None:
        """Let the study count as complete."""
        with clock.freeze(STARTED + 2 * LATER):
            archive.settle(self.conn, timedelta(seconds=1))

    def send_report(self, study_uid: str, **changes: object) -> None:
        """Send the final report."""
        with clock.freeze(STARTED + 3 * LATER):
            record.put_report(self.conn, system(PERFORMER), replace(report(study_uid), **changes))

    def join(self, study_uid: str) -> Examination:
        """Join what was sent, and return the examination as a caller of the viewer finds it."""
        with clock.freeze(STARTED + 4 * LATER):
            record.join(self.conn, PERFORMER, ACCESSION, study_uid)
        (found,) = self.candidates()
        return found

    def whole(self, **images: object) -> Examination:
        """Send everything, and return the examination."""
        self.send_order()
        study_uid = self.send_images(**images)
        self.settle()
        self.send_report(study_uid)
        return self.join(study_uid)

    def candidates(self) -> tuple[Examination, ...]:
        """Return the examinations of the person who stands before the viewer."""
        keys = db.ask(self.conn, identity.keys_of_persons(VIEWER, ["Q1"]))["Q1"]
        return record.candidates(self.conn, keys, ASKED - timedelta(days=365))


def images(**what: object) -> list[Dataset]:
    """Return a small CT of the chest, one data set an image."""
    given = {
        "modality": "CT",
        "body": "chest",
        "accession": ACCESSION,
        "started_at": STARTED,
        "patient": Patient(
            name="ZENG^LI=曾^丽",
            sex="F",
            born=BORN,
            patient_id="P1",
            issuer=PERFORMER,
            national_id=NUMBER,
        ),
        "place": Place(code=PERFORMER, name="重庆第一医院", technologist="王强"),
        "request": Request(number="O1", item="胸部CT平扫"),
        "device": Device(serial="CT-001"),
    }
    return make_study(**(given | what))


def system(institution: str) -> Actor:
    """Return the information system of a hospital."""
    return Actor(ActorKind.SYSTEM, f"his-{institution}", "HIS", institution=institution)


def patient_record(institution: str, local_id: str) -> PatientRecord:
    """Return the person as a hospital registers her."""
    return PatientRecord(
        authority=institution,
        local_id=local_id,
        name="曾丽",
        sex="F",
        birth_date=BORN,
        id_type="resident_card",
        id_number=NUMBER,
    )


def visit() -> Visit:
    """Return the visit of the prior."""
    return Visit(
        number="V1",
        patient_id="P1",
        kind=VisitKind.OUTPATIENT,
        opened_at=STARTED - timedelta(hours=1),
    )


def order() -> Order:
    """Return the order of the prior, with everything its registration knows."""
    return Order(
        number="O1",
        visit="V1",
        patient_id="P1",
        item_text="胸部 CT 平扫",
        item_code="CYHR-094",
        ordered_at=STARTED - timedelta(hours=1),
        department="呼吸内科",
        physician="张医师",
        diagnosis="咳嗽待查",
        purpose="了解肺部情况",
        complaint="咳嗽一周",
        registration=Registration(
            accession=ACCESSION,
            registered_at=STARTED - timedelta(minutes=30),
            department="放射科",
            device="CT 1 室",
            registrar="登记员",
            technologist="王强",
        ),
        preparation=Preparation(identity_checked=True, ready=True),
    )


def report(study_uid: str) -> Report:
    """Return the final report of the prior."""
    return Report(
        number="R1",
        performed_by=PERFORMER,
        status=ReportStatus.FINAL,
        accession=ACCESSION,
        study_uid=study_uid,
        patient_id="P1",
        patient_name="曾丽",
        patient_sex="F",
        patient_birth_date=BORN,
        item_text="胸部 CT 平扫",
        body_part="胸部",
        modality="CT",
        examined_on=STARTED.date(),
        findings="双肺未见明显异常。",
        impression="胸部CT平扫未见明显异常。",
        author="李明",
        author_is_licensed=True,
        verifier="李明",
        authored_at=STARTED + LATER,
        verified_at=STARTED + 2 * LATER,
        released_at=STARTED + 3 * LATER,
        positive=False,
        critical=False,
    )
