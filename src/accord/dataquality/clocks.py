"""Gather the moments of an examination for clause 7.1.1, and what its sources state for 7.1.4.

Pure: everything was read before. A version of a document counts from when it came, so that a flag
or a report cannot be dated back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from accord.catalogue import Catalogue
from accord.catalogue.model import Contrast
from accord.dataquality.evidence import Beside, plain
from accord.dataquality.model import (
    Arrival,
    Clocks,
    ReportState,
    ReportStep,
    Stated,
    Statements,
    StudyEvidence,
)
from accord.record.model import (
    Examination,
    Kept,
    Order,
    Preparation,
    Registration,
    Report,
    Urgency,
    Visit,
    VisitKind,
)

CATALOGUE_CODE = "CYHR-"
DERIVED = "DERIVED"
UNKNOWN_SEX = "U"


@dataclass(frozen=True, kw_only=True)
class History:
    """What came over time about one examination.

    Attributes:
        reports: Every version of every report, oldest first.
        orders: Every version of its order, oldest first.
        visits: Every version of the order's visit, oldest first.
        arrivals: Last reception of each series; asked only where something came late.
        accession_uses: Studies of the institution with its accession number.
        staff: Codes and names in the staff register; None where that is not complete.
        devices_complete: Whether the device register is complete.
    """

    reports: Sequence[Kept[Report]] = ()
    orders: Sequence[Kept[Order]] = ()
    visits: Sequence[Kept[Visit]] = ()
    arrivals: Mapping[str, datetime] | None = None
    accession_uses: int | None = None
    staff: Collection[str] | None = None
    devices_complete: bool = False


def gather_clocks(
    examination: Examination,
    modality: str | None,
    history: History,
    special_items: Collection[int],
    now: datetime,
) -> Clocks:
    """Return the moments of an examination."""
    order = examination.order
    return Clocks(
        now=now,
        modality=modality,
        emergency=None if order is None else _is_emergency(order, history),
        special=any(item in special_items for item in examination.items),
        difficult_since=_difficult_since(history.orders),
        ordered_at=None if order is None else order.content.ordered_at,
        exam_start=examination.exam_start,
        exam_end=examination.exam_end,
        arrivals=tuple(_arrivals(examination, history)),
        reports=tuple(_step(kept) for kept in history.reports),
    )


def _is_emergency(order: Kept[Order], history: History) -> bool:
    """Say whether the order was urgent, or its visit an emergency when it was placed."""
    if order.content.urgency is Urgency.STAT:
        return True
    placed = history.orders[0].at if history.orders else order.at
    then = [kept for kept in history.visits if kept.at <= placed][-1:] or history.visits[:1]
    return any(kept.content.kind is VisitKind.EMERGENCY for kept in then)


def _difficult_since(orders: Sequence[Kept[Order]]) -> datetime | None:
    """Return since when, without a break, the order says 疑难."""
    since = None
    for kept in orders:
        if not kept.content.difficult:
            since = None
        elif since is None:
            since = kept.at
    return since


def _step(kept: Kept[Report]) -> ReportStep:
    report = kept.content
    return ReportStep(
        state=ReportState(report.status.value.lower()),
        licensed=report.author_is_licensed,
        authored_at=report.authored_at,
        verified_at=report.verified_at,
        released_at=report.released_at,
        readable_at=kept.at,
    )


def _arrivals(examination: Examination, history: History) -> list[Arrival]:
    study = examination.study or {}
    if not study.get("stored"):
        return []
    if history.arrivals is None:
        return [Arrival(at=datetime.fromisoformat(study["last_received_at"]))]
    derived = {
        series["series_uid"]
        for series in study.get("series", ())
        if tuple(series.get("image_type") or ())[:1] == (DERIVED,)
    }
    return [
        Arrival(at=at, reconstructed=series in derived) for series, at in history.arrivals.items()
    ]


def gather_statements(
    examination: Examination,
    beside: Beside,
    evidence: StudyEvidence,
    history: History,
    catalogue: Catalogue,
) -> Statements:
    """Return what the sources of an examination state."""
    study = examination.study or {}
    order = examination.order.content if examination.order else None
    report = examination.report.content if examination.report else None
    registration = (order and order.registration) or Registration()
    preparation = (order and order.preparation) or Preparation()
    items = [item for number in examination.items if (item := catalogue.by_no(number))]
    first = study.get("first_received_at")
    header = study.get("elements", {})
    plain_statements = Statements(
        modality=evidence.modality,
        item_known=_item_known(examination),
        exam_start=examination.exam_start,
        exam_end=examination.exam_end,
        received_at=datetime.fromisoformat(first) if first else None,
        id_state=None if beside.patient is None else beside.patient.id_state.value,
        registered=_registered(beside, registration),
        header=_known(evidence.header),
        stated=_known(evidence.stated),
        accession_uses=history.accession_uses,
        registered_at=registration.registered_at,
        weight_kg=preparation.weight_kg,
        pregnancy=preparation.pregnancy,
        allergy=preparation.contrast_allergy,
        implants=preparation.implants,
        renal_function=preparation.renal_function,
        device_known=_device_known(study, beside, history),
        agent=next(
            (one["contrast_agent"] for one in study.get("series", ()) if one.get("contrast_agent")),
            None,
        ),
        item_is_plain=all(item.key.contrast is Contrast.PLAIN for item in items) if items else None,
        measures={keyword: plain(value) for keyword, value in header.items()},
        order_side=evidence.order_side,
        item_side=evidence.item_side,
        item_part=items[0].anatomy if len(items) == 1 else None,
        report=evidence.report,
    )
    return _with_report(_with_order(plain_statements, order, history), report, catalogue)


def _with_order(facts: Statements, order: Order | None, history: History) -> Statements:
    if order is None:
        return facts
    known = None
    if order.physician and history.staff is not None:
        known = order.physician.strip() in history.staff
    return replace(
        facts,
        item_text=order.item_text,
        physician_known=known,
        ordered_at=order.ordered_at,
        diagnosis=order.diagnosis,
        purpose=order.purpose,
        complaint=order.complaint,
    )


def _with_report(facts: Statements, report: Report | None, catalogue: Catalogue) -> Statements:
    if report is None:
        return facts
    parts = {item.anatomy for item in catalogue.items}
    return replace(
        facts,
        report_part=report.body_part if report.body_part in parts else None,
        findings=report.findings,
        impression=report.impression,
        positive=report.positive,
        critical=report.critical,
        critical_told_at=report.critical_told_at,
        author=report.author,
        verifier=report.verifier,
        authored_at=report.authored_at,
        verified_at=report.verified_at,
        released_at=report.released_at,
    )


def _item_known(examination: Examination) -> bool | None:
    """Say whether what was ordered is in the dictionary; a hospital's own code is not judged."""
    order = examination.order
    if order is None:
        return None
    if examination.items:
        return True
    code = order.content.item_code
    return False if code is None or code.startswith(CATALOGUE_CODE) else None


def _registered(beside: Beside, registration: Registration) -> Stated:
    patient = beside.patient
    numbers = Stated(accession=registration.accession, study_uid=registration.study_uid)
    if patient is None:
        return numbers
    return _known(
        replace(
            numbers,
            patient_id=patient.local_id,
            name=patient.name,
            sex=patient.sex.value,
            birth_date=patient.birth_date,
        )
    )


def _known(stated: Stated) -> Stated:
    """Return what is stated without a sex that says it is unknown."""
    return replace(stated, sex=None) if stated.sex == UNKNOWN_SEX else stated


def _device_known(study: Mapping[str, object], beside: Beside, history: History) -> bool | None:
    device = study.get("device")
    serial = device.get("serial") if isinstance(device, Mapping) else None
    if not serial:
        return None
    if beside.device is not None:
        return True
    return False if history.devices_complete else None
