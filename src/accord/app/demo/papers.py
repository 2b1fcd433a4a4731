"""Turn scenes and ready orders into what hospitals send: patients, visits, orders, reports.

Pure: the day and moment of loading are arguments.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from pydicom.dataset import Dataset

from accord.app.demo import phantoms
from accord.app.demo.people import PEOPLE, Person
from accord.app.demo.region import BY_CODE, Hospital, machine_of, serial_of, staff_name
from accord.app.demo.stories import (
    EMERGENCY,
    KINDS,
    PENDING,
    UNVERIFIED,
    Guest,
    Kind,
    ReadyOrder,
    Scene,
    local_code,
    local_name,
    wording,
)
from accord.identity.model import IdType, PatientRecord, Sex
from accord.kit.clock import LOCAL, local_day
from accord.record.model import (
    Order,
    Preparation,
    Registration,
    Report,
    ReportStatus,
    Urgency,
    Visit,
    VisitKind,
)

UPLOADED_AFTER: Final = timedelta(minutes=12)
_SYNTAXES: Final = (phantoms.JPEG_LS, phantoms.EXPLICIT, phantoms.JPEG_LS, phantoms.RLE)
_SIDES: Final = {"L": "左", "R": "右", "B": "双"}


@dataclass(frozen=True)
class Papers:
    """All that one scene leaves behind, and when it left the hospital.

    Attributes:
        visited_at: When the patient was seen and the order was written.
        uploaded_at: When the last picture reached the platform.
        reporter: Institution that reports.
    """

    institution: str
    patient: PatientRecord
    visit: Visit
    order: Order
    report: Report | None
    reporter: str
    exam: phantoms.Exam
    visited_at: datetime
    uploaded_at: datetime


def patient_at(person: Person, institution: str, *, certain: bool = True) -> PatientRecord:
    """Return the person as that hospital registers them; not `certain`: without an id."""
    return PatientRecord(
        authority=institution,
        local_id=person.local_id(institution),
        name=person.name,
        sex=person.sex,
        birth_date=person.born,
        id_type=IdType.RESIDENT_CARD.value if certain else None,
        id_number=person.national_id if certain else None,
        phone=f"000-{person.serial:08d}",
    )


def accession_of(scene: Scene, index: int) -> str:
    """Return the accession number: unique in its hospital, stable over loads."""
    return f"{scene.at.removeprefix('DEMO-').replace('-', '')}{index + 1:05d}"


def papers(scene: Scene, index: int, day: date, now: datetime) -> Papers:
    """Return what a scene leaves behind when the demo is loaded on `day` at `now`.

    Args:
        scene: What happened.
        index: Its place among the scenes; picks syntax and character set.
        day: Local day of loading.
        now: Moment of loading, for the scenes of the last hours.
    """
    person, kind, hospital = PEOPLE[scene.person], KINDS[scene.kind], BY_CODE[scene.at]
    started = scene.started_at(day, now)
    visited = started - timedelta(minutes=50)
    order = _order(scene, index, visited, started)
    exam = _exam(scene, index, started, order)
    ended = started + _LASTS[kind.modality]
    reporter = BY_CODE[scene.reported_by or scene.at]
    return Papers(
        institution=hospital.code,
        patient=patient_at(person, hospital.code),
        visit=Visit(
            number=order.visit,
            patient_id=order.patient_id,
            kind=VisitKind.EMERGENCY if scene.urgency is Urgency.STAT else VisitKind.OUTPATIENT,
            opened_at=visited - timedelta(minutes=10),
            triage=2 if scene.urgency is Urgency.STAT else None,
            department=kind.department,
            closed_at=ended + timedelta(hours=30),
        ),
        order=order,
        report=None if scene.report == PENDING else _report(scene, order, started, ended, reporter),
        reporter=reporter.code,
        exam=exam,
        visited_at=visited,
        uploaded_at=ended + UPLOADED_AFTER,
    )


# Long enough for every series of the phantoms.
_LASTS: Final = {
    "CT": timedelta(minutes=9),
    "MR": timedelta(minutes=18),
    "DR": timedelta(minutes=3),
}


def _order(scene: Scene, index: int, visited: datetime, started: datetime) -> Order:
    kind, hospital = KINDS[scene.kind], BY_CODE[scene.at]
    accession = accession_of(scene, index)
    enhanced = kind.contrast
    return Order(
        number=f"R{accession}",
        visit=f"V{accession}",
        patient_id=PEOPLE[scene.person].local_id(scene.at),
        item_text=local_name(scene.at, kind.item),
        item_code=local_code(kind.item),
        ordered_at=visited,
        side=kind.side or None,
        department=kind.department,
        physician=f"{hospital.short}接诊医师",
        diagnosis=kind.diagnosis,
        purpose=kind.purpose,
        complaint=kind.complaint,
        urgency=scene.urgency,
        registration=Registration(
            accession=accession,
            study_uid=phantoms.uid("study", scene.key),
            registered_at=visited + timedelta(minutes=20),
            scheduled_at=started - timedelta(minutes=10),
            department="放射科",
            device=machine_of(hospital, kind.modality).room,
            registrar="登记员甲",
            technologist=staff_name(hospital, 0),
        ),
        preparation=Preparation(
            identity_checked=True,
            pregnancy="无",
            contrast_allergy="无" if enhanced else None,
            renal_function="eGFR 96 mL/min/1.73m²" if enhanced else None,
            consent=True if enhanced else None,
            weight_kg=62.0 if enhanced or kind.modality == "MR" else None,
            implants="无" if kind.modality == "MR" else None,
            ready=True,
        ),
    )


def _exam(scene: Scene, index: int, started: datetime, order: Order) -> phantoms.Exam:
    person, kind, hospital = PEOPLE[scene.person], KINDS[scene.kind], BY_CODE[scene.at]
    machine = machine_of(hospital, kind.modality)
    reads_plates = bool(machine.cannot_send)
    syntax = phantoms.JPEG_2000 if kind.modality == "MR" else _SYNTAXES[index % len(_SYNTAXES)]
    return phantoms.Exam(
        modality=kind.modality,
        body=kind.body,
        seed=scene.key,
        slices=kind.slices,
        contrast=kind.contrast,
        side=kind.side,
        views=kind.views,
        inverted=kind.modality == "DR" and index % 3 == 0,
        finding=scene.finding,
        syntax=syntax,
        charset="GB18030" if index % 4 == 1 else "ISO_IR 192",
        started_at=started,
        accession=order.registration.accession or "" if order.registration else "",
        patient=phantoms.Patient(
            name=scene.written or person.name,
            sex=person.sex,
            born=person.born,
            patient_id=order.patient_id,
            issuer=hospital.code,
            national_id=person.national_id,
            phone=f"000-{person.serial:08d}",
        ),
        device=phantoms.Device(
            manufacturer=machine.maker,
            model=machine.model,
            serial=serial_of(hospital, machine),
            station=machine.room,
            object_kind=machine.sends,
            exposure_index=not reads_plates,
            plate=f"P{index:03d}" if reads_plates else "",
        ),
        place=phantoms.Place(
            code=hospital.code,
            name=hospital.name,
            technologist=staff_name(hospital, 0),
        ),
        request=phantoms.Request(
            number=order.number,
            ordered_at=order.ordered_at,
            item=order.item_text,
            item_code=order.item_code or "",
            department=kind.department,
            physician=order.physician or "",
            diagnosis=kind.diagnosis,
            purpose=kind.purpose,
            history=kind.complaint,
            priority=scene.urgency.value,
        ),
        planted=scene.planted,
    )


def _report(
    scene: Scene, order: Order, started: datetime, ended: datetime, reporter: Hospital
) -> Report:
    person, kind = PEOPLE[scene.person], KINDS[scene.kind]
    words = wording(scene.kind, scene.finding)
    side = _SIDES.get(kind.side, "")
    urgent = scene.urgency is Urgency.STAT
    authored = ended + timedelta(minutes=15 if urgent else 70)
    verified = authored + timedelta(minutes=5 if urgent else 40)
    registration = order.registration
    report = Report(
        number=f"RP{order.number[1:]}",
        performed_by=scene.at,
        status=ReportStatus.FINAL,
        accession=registration.accession if registration else None,
        study_uid=registration.study_uid if registration else None,
        patient_id=order.patient_id,
        patient_name=person.name,
        patient_sex=person.sex,
        patient_birth_date=person.born,
        item_text=order.item_text,
        body_part=side + kind.part,
        side=kind.side or None,
        modality=kind.modality,
        examined_on=local_day(started),
        findings=words.findings,
        impression=words.impression,
        author=staff_name(reporter, 1),
        author_is_licensed=True,
        verifier=staff_name(reporter, 2),
        authored_at=authored,
        verified_at=verified,
        released_at=verified + timedelta(minutes=4),
        positive=words.positive,
        critical=words.critical,
        critical_told_at=verified + timedelta(minutes=8) if words.critical else None,
    )
    if scene.report == EMERGENCY:
        return replace(
            report,
            status=ReportStatus.EMERGENCY,
            verifier=None,
            verified_at=None,
            released_at=authored + timedelta(minutes=2),
        )
    if scene.report == UNVERIFIED:
        return replace(report, verifier=None, verified_at=None)
    return report


# ------------------------------------------------------------------ real images
@dataclass(frozen=True)
class GuestPapers:
    """The papers of a real image, in the hospital that sends it."""

    patient: PatientRecord
    visit: Visit
    order: Order
    report: Report


def guest_papers(
    guest: Guest, institution: str, header: Dataset, received_at: datetime
) -> GuestPapers:
    """Return papers that fit the header of a real image; the person is nobody's patient."""
    name = str(header.PatientName)
    told = header.get("StudyDate") or ""
    day = datetime.strptime(told, "%Y%m%d").replace(tzinfo=LOCAL) if told else received_at
    number = guest.file.partition(".")[0].replace("_", "-")
    patient_id, study = str(header.PatientID), str(header.StudyInstanceUID)
    sex = header.get("PatientSex") or Sex.UNKNOWN.value
    hospital = BY_CODE[institution]
    order = Order(
        number=f"R-{number}",
        visit=f"V-{number}",
        patient_id=patient_id,
        item_text=guest.called,
        ordered_at=day,
        department="放射科",
        physician=f"{hospital.short}接诊医师",
        purpose="核对收图与调阅",
        registration=Registration(study_uid=study, registered_at=day),
    )
    report = Report(
        number=f"RP-{number}",
        performed_by=institution,
        status=ReportStatus.FINAL,
        study_uid=study,
        patient_id=patient_id,
        patient_name=name,
        patient_sex=sex,
        item_text=guest.called,
        body_part=guest.part,
        findings=guest.words.findings,
        impression=guest.words.impression,
        author=staff_name(hospital, 1),
        author_is_licensed=True,
        verifier=staff_name(hospital, 2),
        authored_at=received_at,
        verified_at=received_at,
        released_at=received_at,
        positive=False,
        critical=False,
    )
    return GuestPapers(
        patient=PatientRecord(institution, patient_id, name, sex),
        visit=Visit(
            number=order.visit,
            patient_id=patient_id,
            kind=VisitKind.OUTPATIENT,
            opened_at=day,
            closed_at=day + timedelta(days=1),
        ),
        order=order,
        report=report,
    )


# ------------------------------------------------------------------ ready orders
def visit_number(ready: ReadyOrder) -> str:
    """Return the number of the visit in which a ready order waits."""
    return f"DEMO-V-{ready.key}"


def order_number(ready: ReadyOrder) -> str:
    """Return the number of a ready order."""
    return f"DEMO-R-{ready.key}"


def ready_visit(ready: ReadyOrder, now: datetime) -> Visit:
    """Return the open visit of a ready order."""
    return Visit(
        number=visit_number(ready),
        patient_id=PEOPLE[ready.person].local_id(ready.viewer),
        kind=ready.visit,
        opened_at=now - timedelta(minutes=20),
        triage=ready.triage,
        purpose=ready.purpose,
        department=_ordered(ready).department,
    )


def ready_order(ready: ReadyOrder, now: datetime) -> Order:
    """Return a ready order as the workstation writes it before it is signed."""
    kind = _ordered(ready)
    return Order(
        number=order_number(ready),
        visit=visit_number(ready),
        patient_id=PEOPLE[ready.person].local_id(ready.viewer),
        item_text=local_name(ready.viewer, ready.item),
        ordered_at=now - timedelta(minutes=2),
        side=kind.side or None,
        department=kind.department,
        physician=f"{BY_CODE[ready.viewer].short}接诊医师",
        diagnosis=kind.diagnosis,
        purpose=kind.purpose,
        complaint=kind.complaint,
        urgency=ready.urgency,
        follow_up=ready.follow_up,
        planned_measure=ready.planned,
        planned_on=local_day(now) + timedelta(days=2) if ready.planned else None,
    )


def _ordered(ready: ReadyOrder) -> Kind:
    return next(kind for kind in KINDS.values() if kind.item == ready.item)
