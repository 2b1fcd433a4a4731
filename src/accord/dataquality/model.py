"""What the sources of a study say about it, as the rules of clause 7.1 ask.

Sources are the order message, the RIS record, the report, the image header and the institution's
registration, trusted in that order (RD-7.1.3-SOURCE). `None` means that a source does not say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

Value = str | tuple[str, ...]
"""What a source says of an element: text, or one text for each of its parts."""


class SourceName(StrEnum):
    """Where a value comes from, in the order of trust."""

    ORDER = "order"
    RIS = "ris"
    REPORT = "report"
    HEADER = "header"
    REGISTRATION = "registration"


class ReportState(StrEnum):
    """How far a report is; `none` where it is known that there is none yet."""

    NONE = "none"
    PRELIMINARY = "preliminary"
    EMERGENCY = "emergency"
    FINAL = "final"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"

    @property
    def is_released(self) -> bool:
        """Say whether it is a final report; a signed 急诊报告 is not one yet (RD-6.5-PENDING)."""
        return self in {ReportState.FINAL, ReportState.AMENDED}


class ObjectKind(StrEnum):
    """What a DICOM object is to the format rule."""

    IMAGE = "image"
    CAPTURE = "capture"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the evidence; unknown keys are refused where one is read from outside."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class Objects(Part):
    """Objects of one kind, transfer syntax and lossy flag.

    Args:
        syntax: Transfer syntax UID (0002,0010).
        lossy: Lossy Image Compression (0028,2110), `00` or `01`.
        kind: image, capture (of a film) or document (report, key objects, presentation state).
        reversible: Whether a syntax that may be lossy was proven reversible.
        count: How many objects.
    """

    syntax: str | None = None
    lossy: str | None = None
    kind: ObjectKind = ObjectKind.IMAGE
    reversible: bool = False
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Stated(Part):
    """What header or report states about person and examination.

    Args:
        patient_id: Local patient id.
        id_number: Number of the identity document, or a keyed digest of it.
        name: Name of the patient.
        sex: M, F, O or U.
        birth_date: Day of birth.
        accession: 检查号.
        study_uid: Study Instance UID.
        modality: DR, CT or MR.
        body_part: Canonical part of the body.
        item: 序号 of the item.
        side: L, R or B.
        examined_on: Local day of the examination.
    """

    patient_id: str | None = None
    id_number: str | None = None
    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None
    accession: str | None = None
    study_uid: str | None = None
    modality: str | None = None
    body_part: str | None = None
    item: int | None = None
    side: str | None = None
    examined_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class StudyEvidence(Part):
    """Everything the rules of clause 7.1 need to know about one study.

    Args:
        modality: DR, CT or MR; decides which elements apply.
        enhanced: Whether contrast agent was given.
        booked: Whether the examination was booked.
        paired: Whether the part has two sides.
        listed: Whether the examination is an item of the list.
        sex: M, F, O or U.
        age: Completed years on the examination day.
        region: Region of the body, for the question of pregnancy: abdomen, pelvis, lumbar,
            sacrum, hip, femur, or other.
        examined_on: Local day of the examination.
        objects: Received objects.
        report: How far the report is.
        header: What the image header states.
        stated: What the report states.
        order_side: Side that the order names.
        item_side: Side that the item's name says.
        elements: By source, what it says of the elements C1.1 … C10.4.
        excused: Elements the device cannot send, approved by the QC centre.
        excused_until: Day on which the list of excused elements is reviewed.
    """

    modality: str | None = None
    enhanced: bool | None = None
    booked: bool | None = None
    paired: bool | None = None
    listed: bool | None = None
    sex: str | None = None
    age: int | None = None
    region: str | None = None
    examined_on: date | None = None
    objects: tuple[Objects, ...] = ()
    report: ReportState | None = None
    header: Stated = Stated()
    stated: Stated = Stated()
    order_side: str | None = None
    item_side: str | None = None
    elements: Mapping[SourceName, Mapping[str, Value | None]] = field(default_factory=dict)
    excused: frozenset[str] = frozenset()
    excused_until: date | None = None


@dataclass(frozen=True, kw_only=True)
class ReportStep(Part):
    """One version of a report, as it came.

    Args:
        state: How far the report was.
        licensed: Whether a licensed physician wrote it.
        authored_at: When it was written.
        verified_at: When it was verified (审核).
        released_at: When it was released to the clinician.
        readable_at: When it could be read on the platform.
    """

    state: ReportState
    licensed: bool | None = None
    authored_at: datetime | None = None
    verified_at: datetime | None = None
    released_at: datetime | None = None
    readable_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Arrival(Part):
    """Images of one series: when the last one was received, and whether they were computed later.

    Args:
        at: When the last instance was received.
        reconstructed: Whether the series is a reconstruction of earlier images.
    """

    at: datetime
    reconstructed: bool = False


@dataclass(frozen=True, kw_only=True)
class Span(Part):
    """A period, half-open."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Clocks(Part):
    """The moments of one examination that clause 7.1.1 compares.

    Args:
        now: Moment of the evaluation.
        modality: DR, CT or MR.
        emergency: Whether the order was urgent or of an emergency visit when it was placed; None
            where no order is known.
        special: Whether the item stands in the list of special items.
        difficult_since: When the case was flagged 疑难.
        ordered_at: When the order was placed.
        exam_start: First acquisition.
        exam_end: Last acquisition, the start of all limits.
        arrivals: Received series.
        reports: Every version of every report, oldest first.
        outages: Network outages with a ticket.
    """

    now: datetime
    modality: str | None = None
    emergency: bool | None = None
    special: bool = False
    difficult_since: datetime | None = None
    ordered_at: datetime | None = None
    exam_start: datetime | None = None
    exam_end: datetime | None = None
    arrivals: tuple[Arrival, ...] = ()
    reports: tuple[ReportStep, ...] = ()
    outages: tuple[Span, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Statements(Part):
    """What the sources of one examination state, as far as clause 7.1.4 can check it.

    Absent facts are `None`: presence is asked by clause 7.1.3 alone.

    Args:
        modality: DR, CT or MR.
        item_text: What was ordered, in the words of the hospital.
        item_known: Whether the ordered text or code is an item or a mapped local name; None
            where nothing was ordered.
        physician_known: Whether the ordering physician stands in the staff register; None where
            the register is not complete.
        ordered_at: When the order was placed.
        registered_at: When the examination was registered.
        exam_start: First acquisition.
        exam_end: Last acquisition.
        received_at: When the first image was received.
        diagnosis: Clinical diagnosis.
        purpose: Purpose of the examination.
        complaint: Complaint and history.
        id_state: What the id number of the patient is worth (identity.model.IdState).
        registered: What the patient's registration and the RIS record state.
        header: What the image header states.
        stated: What the report states.
        accession_uses: Studies of the institution with this 检查号.
        weight_kg: Weight.
        pregnancy: Answer to the question of pregnancy.
        allergy: Answer to the question of allergy.
        implants: Answer to the question of implants.
        renal_function: eGFR or creatinine, as written.
        device_known: Whether the serial number in the header is a registered device; None where
            the register is not complete or the header has none.
        agent: Contrast agent in the header.
        item_is_plain: Whether every item is one without contrast agent.
        measures: Parameters of the header by keyword.
        order_side: Side that the order names.
        item_side: Side that the item's name says.
        item_part: Part of the item.
        report_part: Part that the report names, where it is one of the catalogue's.
        findings: 影像所见.
        impression: 诊断意见.
        positive: 阴/阳性.
        critical: 危急值.
        critical_told_at: When the critical value was told.
        author: Who wrote the report.
        verifier: Who verified it.
        may_verify_own: Whether one person may do both there.
        report: How far the report is.
        authored_at: When it was written.
        verified_at: When it was verified.
        released_at: When it was released.
    """

    modality: str | None = None
    item_text: str | None = None
    item_known: bool | None = None
    physician_known: bool | None = None
    ordered_at: datetime | None = None
    registered_at: datetime | None = None
    exam_start: datetime | None = None
    exam_end: datetime | None = None
    received_at: datetime | None = None
    diagnosis: str | None = None
    purpose: str | None = None
    complaint: str | None = None
    id_state: str | None = None
    registered: Stated = Stated()
    header: Stated = Stated()
    stated: Stated = Stated()
    accession_uses: int | None = None
    weight_kg: float | None = None
    pregnancy: str | None = None
    allergy: str | None = None
    implants: str | None = None
    renal_function: str | None = None
    device_known: bool | None = None
    agent: str | None = None
    item_is_plain: bool | None = None
    measures: Mapping[str, str] = field(default_factory=dict)
    order_side: str | None = None
    item_side: str | None = None
    item_part: str | None = None
    report_part: str | None = None
    findings: str | None = None
    impression: str | None = None
    positive: bool | None = None
    critical: bool | None = None
    critical_told_at: datetime | None = None
    author: str | None = None
    verifier: str | None = None
    may_verify_own: bool = False
    report: ReportState | None = None
    authored_at: datetime | None = None
    verified_at: datetime | None = None
    released_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Ended(Part):
    """An examination in scope: when it ended and when its last image was received."""

    at: datetime
    uploaded_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Life(Part):
    """What an institution gave of itself in a period (clause 7.1.5).

    Args:
        since: Start of the period.
        until: End of the period, or the present moment where that is earlier.
        upload_before: Last upload before the period.
        sign_before: Last sign of life before the period, of any kind.
        uploads: Moments of successful uploads in the period.
        heartbeats: Moments of heartbeats.
        zero_reports: Moments at which a person signed that there was nothing to upload.
        downtime: Logged downtime of the platform.
        exams: Examinations in scope.
    """

    since: datetime
    until: datetime
    upload_before: datetime | None = None
    sign_before: datetime | None = None
    uploads: tuple[datetime, ...] = ()
    heartbeats: tuple[datetime, ...] = ()
    zero_reports: tuple[datetime, ...] = ()
    downtime: tuple[Span, ...] = ()
    exams: tuple[Ended, ...] = ()


CAPTURE_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.7",)
"""SOP classes that hold captures of a screen or film, by prefix."""

DOCUMENT_CLASSES: Final = (
    "1.2.840.10008.5.1.4.1.1.11",
    "1.2.840.10008.5.1.4.1.1.88",
    "1.2.840.10008.5.1.4.1.1.104",
    "1.2.840.10008.5.1.4.1.1.66",
)
"""SOP classes without pixels: presentation states, structured reports and key objects,
encapsulated documents, raw data and registrations; by prefix."""


def kind_of(sop_class: str) -> ObjectKind:
    """Return what an object of that SOP class is to the format rule."""
    for prefixes, kind in (
        (CAPTURE_CLASSES, ObjectKind.CAPTURE),
        (DOCUMENT_CLASSES, ObjectKind.DOCUMENT),
    ):
        if any(sop_class == prefix or sop_class.startswith(f"{prefix}.") for prefix in prefixes):
            return kind
    return ObjectKind.IMAGE
