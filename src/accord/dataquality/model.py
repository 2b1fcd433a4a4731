"""What the sources of a study say about it, as the rules of clause 7.1 ask.

Sources are the order message, the RIS record, the report, the image header and the institution's
registration, trusted in that order (RD-7.1.3-SOURCE). `None` means that a source does not say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
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
