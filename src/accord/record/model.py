"""Visits, orders, reports and the examination that joins them to a study.

The dataclasses are also the bodies of the REST interface; unknown fields are refused there.
Element ids (C1.1 …) are those of the field table of clause 7.1.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

from annotated_types import Len, MaxLen

Code = Annotated[str, Len(1, 64)]
Line = Annotated[str, MaxLen(400)]
Text = Annotated[str, MaxLen(20_000)]
T = TypeVar("T")


class VisitKind(StrEnum):
    """就诊类别 (C2.6)."""

    OUTPATIENT = "OUTPATIENT"
    INPATIENT = "INPATIENT"
    EMERGENCY = "EMERGENCY"
    CHECKUP = "CHECKUP"


class Purpose(StrEnum):
    """Why the person is seen; all but CARE permit a repeat by NR09 (司法、伤残及病退等鉴定)."""

    CARE = "CARE"
    FORENSIC = "FORENSIC"
    DISABILITY = "DISABILITY"
    OCCUPATIONAL = "OCCUPATIONAL"


class Urgency(StrEnum):
    """紧急程度 (C1.9), fixed at order time."""

    ROUTINE = "ROUTINE"
    STAT = "STAT"


class OrderStatus(StrEnum):
    """State of an order."""

    PLACED = "PLACED"
    WITHDRAWN = "WITHDRAWN"


class ReportStatus(StrEnum):
    """State of a report (C10.1)."""

    PRELIMINARY = "PRELIMINARY"
    EMERGENCY = "EMERGENCY"  # signed 急诊报告, released before the final one
    FINAL = "FINAL"
    AMENDED = "AMENDED"
    WITHDRAWN = "WITHDRAWN"


NEXT_REPORT_STATUS: Final[Mapping[ReportStatus, frozenset[ReportStatus]]] = {
    ReportStatus.PRELIMINARY: frozenset(ReportStatus),
    ReportStatus.EMERGENCY: frozenset(
        {
            ReportStatus.EMERGENCY,
            ReportStatus.FINAL,
            ReportStatus.AMENDED,
            ReportStatus.WITHDRAWN,
        }
    ),
    ReportStatus.FINAL: frozenset(
        {ReportStatus.FINAL, ReportStatus.AMENDED, ReportStatus.WITHDRAWN}
    ),
    ReportStatus.AMENDED: frozenset({ReportStatus.AMENDED, ReportStatus.WITHDRAWN}),
    ReportStatus.WITHDRAWN: frozenset(),
}


class Measure(StrEnum):
    """A major measure that is planned (NR03)."""

    SURGERY = "SURGERY"
    TRANSFUSION = "TRANSFUSION"
    INTERVENTION = "INTERVENTION"
    OTHER = "OTHER"


def _must_be_aware(instance: object) -> None:
    for name, value in vars(instance).items():
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{name} needs a time zone")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """就诊: what opens the right to ask about a patient."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    number: Code
    patient_id: Code  # local id under the institution's own authority
    kind: VisitKind
    opened_at: datetime
    triage: int | None = None
    green_channel: bool = False
    purpose: Purpose = Purpose.CARE
    department: Line | None = None
    closed_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse moments without a time zone."""
        _must_be_aware(self)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """检查登记 (C3) of an ordered examination."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    accession: Code | None = None
    study_uid: Code | None = None
    registered_at: datetime | None = None
    scheduled_at: datetime | None = None
    department: Line | None = None
    device: Line | None = None
    registrar: Line | None = None
    technologist: Line | None = None
    announced_instances: int | None = None

    def __post_init__(self) -> None:
        """Refuse moments without a time zone."""
        _must_be_aware(self)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """检查前准备 (C4)."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    identity_checked: bool | None = None
    pregnancy: Line | None = None
    contrast_allergy: Line | None = None
    renal_function: Line | None = None
    consent: bool | None = None
    weight_kg: float | None = None
    implants: Line | None = None
    ready: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """检查申请单 (C1) with its registration and preparation."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    number: Code
    visit: Code
    patient_id: Code
    item_text: Line
    ordered_at: datetime
    item_code: Code | None = None  # CYHR-001 … CYHR-141, or the hospital's own
    side: Code | None = None
    position: Code | None = None
    department: Line | None = None
    physician: Line | None = None
    diagnosis: Line | None = None
    purpose: Line | None = None
    complaint: Line | None = None
    urgency: Urgency = Urgency.ROUTINE
    difficult: bool = False  # 疑难病例; counts from the version that first says so (R7.1.1-d)
    follow_up: bool = False
    planned_measure: Measure | None = None
    planned_on: date | None = None
    registration: Registration | None = None
    preparation: Preparation | None = None
    status: OrderStatus = OrderStatus.PLACED

    def __post_init__(self) -> None:
        """Refuse moments without a time zone."""
        _must_be_aware(self)


@dataclass(frozen=True, kw_only=True)
class Report:
    """诊断报告 (C8–C10) of an examination, by whoever reports it."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    number: Code
    performed_by: Code  # institution that holds the images
    status: ReportStatus
    accession: Code | None = None
    study_uid: Code | None = None
    patient_id: Code | None = None  # local id under the performer's authority
    patient_name: Line | None = None
    patient_sex: Annotated[str, Len(1, 1)] | None = None
    patient_birth_date: date | None = None
    item_text: Line | None = None
    body_part: Line | None = None
    side: Code | None = None
    modality: Code | None = None
    examined_on: date | None = None
    findings: Text | None = None
    impression: Text | None = None
    author: Line | None = None
    author_is_licensed: bool | None = None
    verifier: Line | None = None
    authored_at: datetime | None = None
    verified_at: datetime | None = None
    released_at: datetime | None = None
    positive: bool | None = None
    critical: bool | None = None
    critical_told_at: datetime | None = None
    amends: Line | None = None  # what changed, and why

    def __post_init__(self) -> None:
        """Refuse moments without a time zone."""
        _must_be_aware(self)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A document as it is kept: whose it is, which version, since when."""

    institution: str
    version: int
    at: datetime
    content: T


@dataclass(frozen=True)
class Examination:
    """检查: the act, joined from images, order and report.

    Attributes:
        items: Numbers of the items of the catalogue that were matched; empty when none was.
        item_reason: How the items were found, or why not.
        item_hints: What order and images differ in (漏扫, 多扫, 错扫); for people to look at.
        study: Facts of the images as the archive tells them; None while no image is here.
        withdrawn: Study or report was withdrawn.
    """

    id: int
    performed_by: str
    patient_id: str | None
    study_uid: str | None
    accession: str | None
    items: tuple[int, ...]
    item_reason: str
    modality: str | None
    exam_start: datetime | None
    exam_end: datetime | None
    settled_at: datetime | None
    reported_by: str | None
    report_status: ReportStatus | None
    released_at: datetime | None
    withdrawn: bool
    study: Mapping[str, Any] | None = field(repr=False, default=None)
    order: "Kept[Order] | None" = field(repr=False, default=None)
    report: "Kept[Report] | None" = field(repr=False, default=None)
    item_hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Performed:
    """The moments of an examination, for figures over many.

    Attributes:
        on: Its end, or where no image is here the release of its report.
        first_received_at: When its first image was received.
        last_received_at: When its last image was received.
        item_hints: What order and images differ in (漏扫, 多扫, 错扫).
    """

    id: int
    performed_by: str
    reported_by: str | None
    modality: str | None
    on: datetime
    exam_end: datetime | None
    report_status: ReportStatus | None
    first_received_at: datetime | None
    last_received_at: datetime | None
    item_hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExaminationChanged:
    """Event: images, order or report of an examination changed its joined row."""

    examination: int
