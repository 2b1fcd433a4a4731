"""Collect a case: one small function for each part, each from what is stored as of its day.

Nothing here judges. What no source says stays unknown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from accord.catalogue import Catalogue
from accord.catalogue.model import Modality
from accord.dataquality.evidence import completed_years, header_side, report_state, side_of
from accord.kit.clock import local_day
from accord.recognition.model import (
    Case,
    CatalogueFacts,
    ConsortiumFacts,
    DeviceFacts,
    IdentityFacts,
    Licence,
    OrderFacts,
    Party,
    PriorFacts,
    Province,
    QualificationFacts,
    ReportFacts,
    Source,
    StaffFacts,
    TakenSide,
)
from accord.record.model import Examination, Urgency
from accord.registry import service as registry
from accord.registry.model import (
    Consortium,
    Device,
    Institution,
    ListStatus,
    Profession,
    Qualification,
    Staff,
    TestKind,
)
from accord.standard.model import Finding, RuleSet

CR_IMAGES = "1.2.840.10008.5.1.4.1.1.1"
LOCALIZER = "LOCALIZER"
THIN = "thin_slices"
IMAGING_SCOPE = "医学影像"
CERTAIN = "平台确认为同一患者"
VIEWS = {
    "PA": "PA",
    "AP": "AP",
    "LAT": "LAT",
    "LL": "LAT",
    "RL": "LAT",
    "LLO": "OBL",
    "RLO": "OBL",
    "CC": "CC",
    "MLO": "MLO",
    "272479007": "PA",
    "399348003": "AP",
    "399033003": "FRONT",
    "399067008": "LAT",
    "399182000": "OBL",
    "399162004": "CC",
    "399368009": "MLO",
}
"""View Position (0018,5101) and view codes (0054,0220) by the catalogue's tokens of views."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a case is collected for.

    Args:
        order: The order item.
        viewer: Code of the institution that asks.
        at: Moment of the evaluation at its stage.
    """

    order: OrderFacts
    viewer: str
    at: datetime


def collect(
    conn: Connection,
    asked: Asked,
    examination: Examination,
    measured: tuple[Finding, ...],
    rule_set: RuleSet,
    catalogue: Catalogue,
) -> Case:
    """Return the case of an order item and a prior of a person who is certainly the same.

    Args:
        conn: For the registry, which remembers its answers until it changes.
        asked: The order item, who asks and when.
        examination: The prior.
        measured: What clause 7.1 says of it.
        rule_set: For the numbers by which facts are named.
        catalogue: For the parts of the prior's item.
    """
    day = None if examination.exam_end is None else local_day(examination.exam_end)
    today = local_day(asked.at)
    performer = registry.find_institution(conn, examination.performed_by, day or today)
    held = None if day is None else registry.qualifications_of(conn, examination.performed_by, day)
    return Case(
        order=asked.order,
        prior=prior_facts(examination, measured, rule_set, catalogue),
        source=_source(conn, examination, performer, day or today),
        viewer=_party(conn, asked.viewer, today),
        consortia=tuple(
            _consortium(one)
            for one in registry.shared_consortia(
                conn, examination.performed_by, asked.viewer, today
            )
        ),
        qualifications=None if held is None else tuple(map(_qualification, held)),
        device=_device(conn, examination, performer, day),
        staff=_staff(conn, examination, day),
        catalogue=CatalogueFacts(at_exam=catalogue.version, at_order=catalogue.version),
        identity=IdentityFacts(certain=True, because=CERTAIN),
        on=asked.at,
    )


# ------------------------------------------------------------------ the prior
def prior_facts(
    examination: Examination,
    measured: tuple[Finding, ...],
    rule_set: RuleSet,
    catalogue: Catalogue,
) -> PriorFacts:
    """Return the prior as its images, order and report state it."""
    study: Mapping[str, Any] = examination.study or {}
    order = examination.order.content if examination.order else None
    report = examination.report.content if examination.report else None
    registration = order.registration if order else None
    taken = header_side(study) or (side_of(report.side) if report else None)
    return PriorFacts(
        items=examination.items or None,
        modality=examination.modality,
        cr_object=CR_IMAGES in study["sop_classes"] if study else None,
        plate_signs=_has_plate_signs(study) if study else None,
        single_frame=_is_single_frame(study),
        exam_start=examination.exam_start,
        exam_end=examination.exam_end,
        age=_age(examination, study),
        side=None if taken is None else TakenSide(taken),
        views=_views(examination, study, catalogue),
        techniques=_techniques(study, rule_set),
        non_contrast_series=_has_non_contrast(study),
        department=order.department if order else None,
        settled=study["settled_at"] is not None if study else None,
        announced=registration.announced_instances if registration else None,
        received=study.get("stored"),
        report=ReportFacts(
            state=report_state(examination),
            released_at=examination.released_at,
            urgent=None if order is None else order.urgency is Urgency.STAT,
        ),
        withdrawn=examination.withdrawn,
        measured=measured,
    )


def _series(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(study.get("series", ()))


def _has_plate_signs(study: Mapping[str, Any]) -> bool:
    elements, device = study.get("elements", {}), study.get("device") or {}
    signs = [device.get("plate_id"), elements.get("CassetteSize"), elements.get("ExposuresOnPlate")]
    signs += [one.get("cassette_orientation") for one in _series(study)]
    return any(sign not in {None, ""} for sign in signs)


def _is_single_frame(study: Mapping[str, Any]) -> bool | None:
    series = _series(study)
    return all(one["frames"] == one["instances"] for one in series) if series else None


def _age(examination: Examination, study: Mapping[str, Any]) -> int | None:
    report = examination.report.content if examination.report else None
    born = study.get("birth_date") or (report.patient_birth_date if report else None)
    if born is None or examination.exam_end is None:
        return None
    known = born if isinstance(born, date) else date.fromisoformat(born)
    return completed_years(known, local_day(examination.exam_end))


def _views(
    examination: Examination, study: Mapping[str, Any], catalogue: Catalogue
) -> frozenset[str] | None:
    """Return the acquired views where every image states one that the item's views are told by.

    A series of several images states only the view of its first; then nothing is known.
    """
    items = [catalogue.by_no(number) for number in examination.items]
    series = _series(study)
    told = {
        VIEWS.get(one.get("view_code") or "") or VIEWS.get((one.get("view_position") or "").upper())
        for one in series
    }
    by_one_image = series and all(one["instances"] == 1 for one in series)
    expressible = set(VIEWS.values())
    fits = all(
        item is not None and item.modality is Modality.DR and item.projections <= expressible
        for item in items
    )
    if not by_one_image or not items or not fits or None in told:
        return None
    return frozenset(view for view in told if view is not None)


def _techniques(study: Mapping[str, Any], rule_set: RuleSet) -> tuple[str, ...] | None:
    known = [one["slice_thickness"] for one in _series(study) if one.get("slice_thickness")]
    if not known:
        return None
    limit = float(rule_set.millimetres("7.3/thin_slice"))
    return (THIN,) if min(known) <= limit else ()


def _has_non_contrast(study: Mapping[str, Any]) -> bool | None:
    """Say whether a series without contrast stands beside the others, localizers aside."""
    series = [one for one in _series(study) if LOCALIZER not in (one.get("image_type") or ())]
    return any(not one.get("contrast_agent") for one in series) if series else None


# ------------------------------------------------------------------ institutions
def _source(
    conn: Connection, examination: Examination, performer: Institution | None, day: date
) -> Source:
    reporter = None
    if examination.reported_by is not None:
        released = examination.released_at
        report_day = day if released is None else local_day(released)
        reporter = _party(conn, examination.reported_by, report_day)
    listed = registry.list_status(conn, examination.performed_by, day)
    return Source(**_stated(examination.performed_by, performer, listed), reporter=reporter)


def _party(conn: Connection, code: str, day: date) -> Party:
    institution = registry.find_institution(conn, code, day)
    return Party(**_stated(code, institution, registry.list_status(conn, code, day)))


def _stated(code: str, institution: Institution | None, listed: ListStatus) -> dict[str, Any]:
    stated = {"code": code, "listed": listed.listed, "list_refreshed_at": listed.refreshed_at}
    if institution is None:
        return stated
    provinces = {province.value: province for province in Province}
    return stated | {
        "licence_holder": institution.licence_holder,
        "level": institution.level,
        "ownership": institution.ownership,
        "province": provinces.get(institution.province),
        "area": institution.area or None,
    }


def _consortium(consortium: Consortium) -> ConsortiumFacts:
    return ConsortiumFacts(
        code=consortium.code,
        kind=consortium.kind,
        members=frozenset(consortium.members),
        all_items=consortium.all_items,
        valid_from=consortium.valid_from,
        valid_to=consortium.valid_to,
    )


def _qualification(right: Qualification) -> QualificationFacts:
    return QualificationFacts(
        scope_kind=right.scope_kind,
        scope_value=right.scope_value,
        mark_scope=right.mark_scope,
        state=right.state,
        valid_from=right.valid_from,
        valid_to=right.valid_to,
        basis=right.basis,
        centre_rank=right.centre_rank,
        revoked_items=right.revoked_items,
    )


# ------------------------------------------------------------------ devices and people
def _device(
    conn: Connection, examination: Examination, performer: Institution | None, day: date | None
) -> DeviceFacts:
    complete = None if performer is None else performer.registry_complete
    named: Mapping[str, Any] = (examination.study or {}).get("device") or {}
    serial, model = named.get("serial"), named.get("model")
    if not serial or day is None:
        return DeviceFacts(model=model, registry_complete=complete)
    device = registry.find_device(conn, examination.performed_by, serial, day)
    if device is None:
        return DeviceFacts(registered=False, model=model, registry_complete=complete)
    return _tested(device, day, complete=complete)


def _tested(device: Device, day: date, *, complete: bool | None) -> DeviceFacts:
    """Return a registered device; its acceptance test stands in for the first state test."""
    acceptance = device.test_on(TestKind.ACCEPTANCE, day)
    newest = device.test_on(TestKind.STATE, day) or acceptance
    return DeviceFacts(
        registered=True,
        kind=device.kind,
        model=device.model or None,
        acceptance_passed=None if acceptance is None else acceptance.passed,
        test_passed=None if newest is None else newest.passed,
        test_from=None if newest is None else newest.valid_from,
        test_to=None if newest is None else newest.valid_to,
        registry_complete=complete,
    )


def _staff(conn: Connection, examination: Examination, day: date | None) -> StaffFacts:
    if day is None:
        return StaffFacts()
    order = examination.order.content if examination.order else None
    report = examination.report.content if examination.report else None
    registration = order.registration if order else None
    operators: Iterable[str] = (examination.study or {}).get("operators") or ()
    technologist = (registration.technologist if registration else None) or next(
        iter(operators), None
    )
    released = examination.released_at
    report_day = day if released is None else local_day(released)
    reporter = examination.reported_by or examination.performed_by
    performer = registry.find_institution(conn, examination.performed_by, day)
    at_reporter = registry.find_institution(conn, reporter, report_day)
    return StaffFacts(
        technologist=_licence(
            technologist,
            Profession.TECHNOLOGIST,
            registry.staff(conn, day, institution=examination.performed_by),
        ),
        author=_licence(
            report.author if report else None,
            Profession.PHYSICIAN,
            registry.staff(conn, report_day, institution=reporter),
        ),
        verifier=_licence(
            report.verifier if report else None,
            Profession.PHYSICIAN,
            registry.staff(conn, report_day, institution=reporter),
        ),
        performer_complete=None if performer is None else performer.registry_complete,
        reporter_complete=None if at_reporter is None else at_reporter.registry_complete,
    )


def _licence(named: str | None, profession: Profession, known: Iterable[Staff]) -> Licence | None:
    """Return the licence of the person of that code or name; none where nobody is named."""
    if not named:
        return None
    found = [one for one in known if named in {one.code, one.name}]
    fitting = [one for one in found if one.profession is profession]
    if not found:
        return Licence(registered=False)
    person = (fitting or found)[0]
    return Licence(
        registered=True,
        valid_from=person.valid_from,
        valid_to=person.valid_to,
        scope_fits=person.profession is profession and _covers(person),
    )


def _covers(person: Staff) -> bool | None:
    if person.profession is Profession.TECHNOLOGIST:
        return True
    return IMAGING_SCOPE in person.scope if person.scope else None
