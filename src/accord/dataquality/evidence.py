"""Gather from images, order, report and registers what the rules of clause 7.1 ask about a study.

Pure: everything was read before. A source that says nothing stays silent; nothing is filled in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydicom.datadict import keyword_for_tag

from accord import standard
from accord.catalogue import Catalogue, Item
from accord.catalogue.model import AcquiredSides, Contrast, Side
from accord.dataquality.model import (
    ObjectKind,
    Objects,
    ReportState,
    SourceName,
    Stated,
    StudyEvidence,
    Value,
    kind_of,
)
from accord.identity.model import IdState, Patient
from accord.kit.clock import local_day
from accord.record.model import Examination, Order, Preparation, Registration, Report, Visit
from accord.registry.model import Device, Institution
from accord.standard.fields import Element

REGIONS: Mapping[str, frozenset[str]] = {
    "abdomen": frozenset({"腹部", "上腹部", "下腹部", "全腹部", "肾上腺"}),
    "pelvis": frozenset({"骨盆", "盆腔"}),
    "lumbar": frozenset({"腰椎", "腰骶段脊柱", "胸腰段脊柱"}),
    "sacrum": frozenset({"骶尾椎", "骶椎", "尾骨", "骶髂关节"}),
    "hip": frozenset({"髋关节"}),
    "femur": frozenset({"股骨"}),
}
"""Parts of the catalogue by the regions of the question of pregnancy (RD-7.1.3-PREG)."""

MODALITIES = {"CT": "CT", "MR": "MR", "DX": "DR", "CR": "DR", "RF": "DR", "MG": "DR", "DR": "DR"}
SIDES = {"L": "L", "左": "L", "R": "R", "右": "R", "B": "B", "双": "B"}
REQUEST = "RequestAttributesSequence"
LOSSY = frozenset({"lossy_syntax", "lossy_marked"})
ABSENT = frozenset({IdState.MISSING, IdState.PLACEHOLDER})


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What stands beside images, order and report.

    Attributes:
        patient: The patient as registered.
        number_agrees: Whether the id number in the header is the registered one; None where the
            header has none or none is registered.
        visit: The visit of the order.
        performer: The institution that performed the examination, on its day.
        device: The device by its serial number, on that day.
    """

    patient: Patient | None = None
    number_agrees: bool | None = None
    visit: Visit | None = None
    performer: Institution | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class _Sources:
    """The parts of an examination, those that are missing as empty ones."""

    examination: Examination
    beside: Beside
    study: Mapping[str, Any] = field(default_factory=dict)
    order: Order | None = None
    report: Report | None = None
    item: Item | None = None

    @property
    def registration(self) -> Registration:
        return (self.order and self.order.registration) or Registration()

    @property
    def preparation(self) -> Preparation:
        return (self.order and self.order.preparation) or Preparation()


def gather(examination: Examination, beside: Beside, catalogue: Catalogue) -> StudyEvidence:
    """Return the evidence of an examination."""
    items = [item for number in examination.items if (item := catalogue.by_no(number))]
    sources = _Sources(
        examination=examination,
        beside=beside,
        study=examination.study or {},
        order=examination.order.content if examination.order else None,
        report=examination.report.content if examination.report else None,
        item=items[0] if items else None,
    )
    day = None if examination.exam_end is None else local_day(examination.exam_end)
    header, stated = _header(sources, day), _stated(sources)
    order_side = side_of(sources.order.side) if sources.order else None
    device = beside.device
    return StudyEvidence(
        modality=_modality(sources),
        enhanced=_is_enhanced(sources),
        booked=sources.registration.scheduled_at is not None,
        paired=sources.item is not None and sources.item.laterality is not Side.NONE,
        listed=bool(items),
        sex=_sex(sources),
        age=_age(sources, day),
        region=_region(sources.item),
        examined_on=day,
        objects=tuple(_objects(sources.study)),
        report=report_state(examination),
        header=header,
        stated=stated,
        order_side=order_side,
        item_side=_item_side(sources.item, {header.side, stated.side, order_side}),
        elements={
            SourceName.ORDER: dict(_of_order(sources)),
            SourceName.RIS: dict(_of_ris(sources)),
            SourceName.REPORT: dict(_of_report(sources)),
            SourceName.HEADER: dict(_of_header(sources.study)),
            SourceName.REGISTRATION: dict(_of_registration(beside)),
        },
        excused=frozenset() if device is None else device.cannot_send,
        excused_until=None if device is None else device.review_on,
    )


def report_state(examination: Examination) -> ReportState:
    """Return how far the report of an examination is."""
    status = examination.report_status
    return ReportState.NONE if status is None else ReportState(status.value.lower())


def side_of(text: str | None) -> str | None:
    """Read L, R, B, 左, 右 or 双 at the beginning of what a source writes about the side."""
    return SIDES.get((text or "").strip().upper()[:1])


def header_side(study: Mapping[str, Any]) -> str | None:
    """Return the side that the headers of all series state together; none where none does."""
    named = {
        side
        for series in study.get("series", ())
        for side in (side_of(series.get("image_laterality") or series.get("laterality")),)
        if side is not None
    }
    if len(named) > 1:
        return "B"
    return next(iter(named), None)


def _modality(sources: _Sources) -> str | None:
    if sources.item is not None:
        return sources.item.modality.value
    told = sources.examination.modality
    return None if told is None else MODALITIES.get(told)


def _is_enhanced(sources: _Sources) -> bool:
    if sources.item is not None and sources.item.contrast is Contrast.ENHANCED:
        return True
    return any(series.get("contrast_agent") for series in sources.study.get("series", ()))


def _sex(sources: _Sources) -> str | None:
    patient = sources.beside.patient
    return patient.sex.value if patient else sources.study.get("sex")


def _age(sources: _Sources, day: date | None) -> int | None:
    patient = sources.beside.patient
    born = (patient.birth_date if patient else None) or _day(sources.study.get("birth_date"))
    return None if born is None or day is None else completed_years(born, day)


def completed_years(born: date, day: date) -> int:
    """Return the age on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _region(item: Item | None) -> str | None:
    if item is None:
        return None
    return next((name for name, parts in REGIONS.items() if item.anatomy in parts), "other")


def _item_side(item: Item | None, named: set[str | None]) -> str | None:
    """Return the side of the item; taken in one pass it is both, unless a source names one."""
    if item is None or item.laterality is Side.NONE:
        return None
    if item.laterality is not Side.UNSPECIFIED:
        return item.laterality.value
    in_one_pass = item.acquired is AcquiredSides.BOTH and named == {None}
    return Side.BOTH.value if in_one_pass else None


def _day(text: object) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else None


# ------------------------------------------------------------------ what is compared (7.1.2)
def _header(sources: _Sources, day: date | None) -> Stated:
    study = sources.study
    if not study:
        return Stated()
    modalities = {MODALITIES.get(name) for name in study.get("modalities", ())} - {None}
    return Stated(
        patient_id=study.get("patient_id"),
        id_number=_compared_number(sources, "header"),
        name=study.get("patient_name"),
        sex=study.get("sex"),
        birth_date=_day(study.get("birth_date")),
        accession=study.get("accession"),
        study_uid=study.get("study_uid"),
        modality=next(iter(modalities)) if len(modalities) == 1 else None,
        side=header_side(study),
        examined_on=day,
    )


def _stated(sources: _Sources) -> Stated:
    report = sources.report
    if report is None:
        return Stated()
    return Stated(
        patient_id=report.patient_id,
        id_number=_compared_number(sources, "registered"),
        name=report.patient_name,
        sex=report.patient_sex,
        birth_date=report.patient_birth_date,
        accession=report.accession,
        study_uid=report.study_uid,
        modality=MODALITIES.get((report.modality or "").upper()),
        side=side_of(report.side),
        examined_on=report.examined_on,
    )


def _compared_number(sources: _Sources, whose: str) -> str | None:
    """Return a word that is equal on both sides exactly where the numbers are; never a number."""
    agrees = sources.beside.number_agrees
    return None if agrees is None else "registered" if agrees else whose


def _objects(study: Mapping[str, Any]) -> Iterator[Objects]:
    kinds = {kind_of(sop_class) for sop_class in study.get("sop_classes", ())}
    kind = next(iter(kinds)) if len(kinds) == 1 else ObjectKind.IMAGE
    for entry in study.get("syntaxes", ()):
        yield Objects(
            syntax=entry.get("transfer_syntax"),
            lossy=entry.get("lossy_flag"),
            kind=kind,
            count=entry.get("count", 1),
        )
    aside = study.get("kept_aside_reasons", {})
    lossy = sum(count for reason, count in aside.items() if reason in LOSSY)
    if lossy and study.get("stored"):
        yield Objects(lossy="01", count=lossy)


# ------------------------------------------------------------------ what is there (7.1.3)
Told = Iterator[tuple[str, Value | None]]


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)


def _texts(*values: object) -> tuple[str, ...]:
    return tuple(_text(value) for value in values)


def _of_order(sources: _Sources) -> Told:
    order, visit = sources.order, sources.beside.visit
    if order is None:
        return
    yield "C1.1", order.number
    yield "C1.2", _text(order.ordered_at)
    yield "C1.3", order.department
    yield "C1.4", order.physician
    yield "C1.5", order.item_text or order.item_code
    yield "C1.6", order.diagnosis
    yield "C1.7", order.purpose
    yield "C1.8", order.complaint
    yield "C1.9", order.urgency.value
    yield "C2.4", order.patient_id
    yield "C2.6", None if visit is None else visit.kind.value
    yield "C6.1", order.item_text
    yield "C6.2", order.item_code


def _of_ris(sources: _Sources) -> Told:
    registration, preparation = sources.registration, sources.preparation
    patient = sources.beside.patient
    if patient is not None:
        yield "C2.1", patient.name
        yield "C2.2", patient.sex.value
        yield "C2.3", _text(patient.birth_date)
        yield "C2.4", patient.local_id
        if patient.id_type is not None and patient.id_state not in ABSENT:
            yield "C2.5", _texts(patient.id_type, patient.id_state)
    yield "C3.1", registration.accession
    yield "C3.2", registration.study_uid
    yield "C3.3", _text(registration.registered_at)
    yield "C3.4", _text(registration.scheduled_at)
    yield "C3.6", registration.department
    yield "C3.7", registration.device
    yield "C3.8", registration.registrar
    yield "C4.1", _text(preparation.identity_checked or None)
    yield "C4.2", preparation.pregnancy
    yield "C4.3", preparation.contrast_allergy
    yield "C4.4", preparation.renal_function
    yield "C4.5", _text(preparation.consent or None)
    yield "C4.6", _text(preparation.weight_kg)
    yield "C4.7", preparation.implants
    yield "C4.8", _text(preparation.ready or None)
    yield "C5.1", registration.technologist
    if sources.item is not None:
        yield "C6.3", sources.item.code
    # The platform itself holds the images and judges the mark of every examination.
    if sources.study:
        yield "C10.3", "ONLINE" if sources.study.get("stored") else None
        yield "C10.4", "由平台判定"


def _of_report(sources: _Sources) -> Told:
    report = sources.report
    if report is None:
        return
    yield "C2.1", report.patient_name
    yield "C2.2", report.patient_sex
    yield "C2.3", _text(report.patient_birth_date)
    yield "C2.4", report.patient_id
    yield "C3.1", report.accession
    yield "C3.2", report.study_uid
    yield "C6.1", report.item_text
    yield "C7.1", report.body_part
    yield "C8.1", report.findings
    yield "C8.2", report.impression
    yield "C8.3", report.author
    yield "C8.4", report.verifier
    yield "C8.5", _texts(report.authored_at, report.verified_at)
    if report.positive is not None:
        yield "C9.1", "阳性" if report.positive else "阴性"
    if report.critical is not None:
        yield "C9.2", "有" if report.critical else "无"
    yield "C10.1", report.status.value
    yield "C10.2", _text(report.released_at)


def _of_header(study: Mapping[str, Any]) -> Told:
    if not study:
        return
    header = study.get("elements", {})
    requests: Sequence[Any] = header.get(REQUEST) or ({},)
    told: dict[str, Any] = {**(requests[0] if isinstance(requests[0], dict) else {}), **header}
    for element in standard.elements().values():
        found = next(_alternatives(element, told), None)
        if found is not None:
            yield element.id, found
    yield "C5.2", _moments(study)
    # Some elements are told by series: the first that tells one speaks for the study.
    series = study.get("series", ())
    for name, keys in (("C5.6", ("view_position", "view_code")), ("C5.15", ("contrast_agent",))):
        value = _first_of(series, keys)
        if value is not None:
            yield name, value
    if study.get("other_ids"):
        yield "C2.5", ("other", str(study["other_ids"][0]))


def _moments(study: Mapping[str, Any]) -> tuple[str, ...]:
    return _texts(study.get("exam_start"), study.get("exam_end"))


def _first_of(series: Sequence[Mapping[str, Any]], keys: Iterable[str]) -> str | None:
    found = (one.get(key) for one in series for key in keys)
    return next((str(value) for value in found if value), None)


def _alternatives(element: Element, told: Mapping[str, Any]) -> Iterator[Value]:
    """Give what the header says of an element, by each of its alternatives that says anything."""
    for tags in element.dicom:
        values = [plain(told.get(_keyword(tag))) for tag in tags]
        if element.parts:
            if any(values):
                yield tuple(values)
        elif all(values):
            yield " ".join(values)


def _keyword(tag: str) -> str:
    keyword: str = keyword_for_tag(int(tag.replace(",", ""), 16))
    return keyword


def plain(value: object) -> str:
    """Return the text of a header value; of a sequence, the first text that stands in it."""
    if isinstance(value, list):
        return "\\".join(text for part in value if (text := plain(part)))
    if isinstance(value, dict):
        return next((text for part in value.values() if (text := plain(part))), "")
    return _text(value).strip()


def _of_registration(beside: Beside) -> Told:
    performer, device = beside.performer, beside.device
    if performer is not None:
        yield "C3.5", _texts(performer.code, performer.name)
    if device is not None:
        yield "C3.7", device.model or device.id
        yield "C5.3", _texts(device.manufacturer, device.model, device.serial)
