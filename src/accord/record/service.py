"""Keep visits, orders and reports, and join them with the images to one examination.

Everything a hospital sends is kept in versions; joining is repeated whenever images, order or
report change, so that the order of arrival does not matter.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection

from accord import catalogue
from accord.archive import service as archive
from accord.archive.model import StudyFacts
from accord.identity import service as identity
from accord.kit import audit, clock, events, jobs
from accord.kit.access import Actor
from accord.kit.db import Read
from accord.kit.errors import Forbidden
from accord.record import store
from accord.record.errors import (
    IllegalStatus,
    NotOurExamination,
    PatientDiffers,
    UnknownOrder,
    UnknownPatient,
    UnknownReport,
    UnknownVisit,
    UrgencyIsFixed,
)
from accord.record.items import match_items
from accord.record.model import (
    NEXT_REPORT_STATUS,
    Examination,
    ExaminationChanged,
    Kept,
    Order,
    OrderStatus,
    Performed,
    Report,
    ReportStatus,
    Visit,
)
from accord.registry import service as registry

log = structlog.get_logger(__name__)

# More priors of one person than this are never shown at one order.
MOST_CANDIDATES: Final = 200

_FACTS: Final = TypeAdapter(StudyFacts)


def institution_of(actor: Actor) -> str:
    """Return the institution for which the actor speaks.

    Raises:
        Forbidden: The actor belongs to none.
    """
    if actor.institution is None:
        raise Forbidden("此操作须以医疗机构的身份进行。")
    return actor.institution


def put_visit(conn: Connection, actor: Actor, visit: Visit) -> Kept[Visit]:
    """Keep a visit, or a new version of it (closing it is a version with `closed_at`).

    Raises:
        UnknownPatient: The patient was not registered by this institution.
    """
    institution = institution_of(actor)
    if identity.find_patient(conn, institution, visit.patient_id) is None:
        raise UnknownPatient("该患者尚未登记，请先登记患者再登记就诊。")
    kept = store.put(conn, institution, visit, actor=actor.id)
    audit.record(
        conn,
        actor,
        action="record.visit.kept",
        subject=f"visit:{institution}/{visit.number}",
        detail={"version": kept.version},
    )
    return kept


def open_visits(
    conn: Connection, institution: str, patient_id: str, at: datetime
) -> list[Kept[Visit]]:
    """Return the patient's open visits there, newest first (R6.6-6: who may ask)."""
    return store.open_visits(conn, institution, patient_id, at)


def patients_meant(
    conn: Connection, performed_by: str, accession: str | None, study_uid: str | None
) -> frozenset[str]:
    """Return the local ids of the patients whom order, images and report of an examination name.

    The images of the study where one is named, else those of the accession.
    """
    named: set[str | None] = set()
    for kind in (Order, Report):
        found = store.find_meant(conn, kind, performed_by, accession, study_uid)
        named.add(found[1].content.patient_id if found else None)
    uids = [study_uid] if study_uid else []
    if not uids and accession:
        uids = [*archive.studies_of_accession(conn, performed_by, accession)]
    for uid in uids:
        facts = archive.study_facts(conn, uid)
        if facts is not None and facts.institution == performed_by:
            named.add(facts.patient_id)
    return frozenset(each for each in named if each)


def find_visit(conn: Connection, institution: str, number: str) -> Kept[Visit] | None:
    """Return a visit of that institution."""
    return store.find(conn, Visit, institution, number)


def visit_of(institution: str, number: str) -> Read[Kept[Visit] | None]:
    """Ask for a visit, for a question that goes together with others."""
    return store.current(Visit, institution, number)


def visits_of(keys: Collection[tuple[str, str]]) -> Read[dict[tuple[str, str], Kept[Visit]]]:
    """Ask for the visits of these (institution, number) pairs, together with other questions."""
    return store.visits_of(keys)


def find_visits(
    conn: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Kept[Visit]]:
    """Return the visits of these (institution, number) pairs, with one query."""
    return store.visits(conn, keys)


def put_order(conn: Connection, actor: Actor, order: Order) -> Kept[Order]:
    """Keep an order, or a new version of it.

    Raises:
        UnknownVisit: Its visit is not one of this institution.
        PatientDiffers: Its visit is another patient's.
        UrgencyIsFixed: An amendment tries to change the urgency.
    """
    institution = institution_of(actor)
    visit = store.find(conn, Visit, institution, order.visit)
    if visit is None:
        raise UnknownVisit("申请单所属的就诊号不存在，请先登记就诊。")
    if visit.content.patient_id != order.patient_id:
        raise PatientDiffers("申请单与就诊记录的患者不一致。")
    before = store.find(conn, Order, institution, order.number, lock=True)
    if before and before.content.urgency is not order.urgency:
        raise UrgencyIsFixed("紧急程度以开单时为准，不能在修改时变更。")
    kept = store.put(conn, institution, order, actor=actor.id)
    audit.record(
        conn,
        actor,
        action="record.order.kept",
        subject=f"order:{institution}/{order.number}",
        detail={"version": kept.version, "status": order.status.value},
    )
    registration = order.registration
    if registration and (registration.accession or registration.study_uid):
        join_later(conn, institution, registration.accession, registration.study_uid)
    return kept


def find_order(conn: Connection, institution: str, number: str) -> Kept[Order]:
    """Return an order of that institution.

    Raises:
        UnknownOrder: There is none.
    """
    kept = store.find(conn, Order, institution, number)
    if kept is None:
        raise UnknownOrder("没有这张申请单。")
    return kept


def versions_of_order(conn: Connection, institution: str, number: str) -> list[Kept[Order]]:
    """Return every version of an order, oldest first.

    Raises:
        UnknownOrder: There is none.
    """
    found = store.versions_of(conn, Order, institution, number)
    if not found:
        raise UnknownOrder("没有这张申请单。")
    return found


def withdraw_order(conn: Connection, actor: Actor, number: str) -> Kept[Order]:
    """Withdraw an order; withdrawing again changes nothing."""
    kept = find_order(conn, institution_of(actor), number)
    return put_order(conn, actor, replace(kept.content, status=OrderStatus.WITHDRAWN))


def put_report(conn: Connection, actor: Actor, report: Report) -> Kept[Report]:
    """Keep a report, or its next version.

    A report on another institution's images (基层检查、上级诊断, R6.2-7) is taken only from a
    member of a consortium of both.

    Raises:
        NotOurExamination: The institutions share no consortium.
        IllegalStatus: The status cannot follow the present one.
    """
    institution = institution_of(actor)
    if report.performed_by != institution and not registry.shared_consortia(
        conn, institution, report.performed_by, clock.today()
    ):
        raise NotOurExamination("报告机构与检查机构不在同一医联体内，不能代为报告。")
    before = store.find(conn, Report, institution, report.number, lock=True)
    if before is not None and before.content != report:
        present = before.content.status
        if report.status not in NEXT_REPORT_STATUS[present]:
            raise IllegalStatus(f"报告状态不能由 {present} 变为 {report.status}。")
    kept = store.put(conn, institution, report, actor=actor.id)
    audit.record(
        conn,
        actor,
        action="record.report.kept",
        subject=f"report:{institution}/{report.number}",
        detail={"version": kept.version, "status": report.status.value},
    )
    join_later(conn, report.performed_by, report.accession, report.study_uid)
    return kept


def find_report(conn: Connection, institution: str, number: str) -> Kept[Report]:
    """Return a report of that institution.

    Raises:
        UnknownReport: There is none.
    """
    kept = store.find(conn, Report, institution, number)
    if kept is None:
        raise UnknownReport("没有这份报告。")
    return kept


def versions_of_report(conn: Connection, institution: str, number: str) -> list[Kept[Report]]:
    """Return every version of a report, oldest first.

    Raises:
        UnknownReport: There is none.
    """
    found = store.versions_of(conn, Report, institution, number)
    if not found:
        raise UnknownReport("没有这份报告。")
    return found


def versions_of_visit(conn: Connection, institution: str, number: str) -> list[Kept[Visit]]:
    """Return every version of a visit, oldest first."""
    return store.versions_of(conn, Visit, institution, number)


def report_history(
    conn: Connection, performed_by: str, accession: str | None, study_uid: str | None
) -> list[Kept[Report]]:
    """Return every version of every report that means this examination, oldest first."""
    return store.report_history(conn, performed_by, accession, study_uid)


def accession_uses(conn: Connection, performed_by: str, accession: str) -> int:
    """Return how many studies of an institution carry that accession number."""
    return store.accession_uses(conn, performed_by, accession)


def performed(
    conn: Connection, institution: str, since: datetime, until: datetime
) -> list[Performed]:
    """Return the moments of what an institution performed or reported in a period, by time."""
    return store.performed(conn, institution, since, until)


def orders_at(conn: Connection, institution: str, *, limit: int) -> list[Kept[Order]]:
    """Return the institution's newest orders."""
    return store.list_documents(conn, Order, institution, limit=limit)


def examinations_at(conn: Connection, institution: str, *, limit: int) -> tuple[Examination, ...]:
    """Return the newest examinations performed at an institution."""
    return store.examinations_at(conn, institution, limit=limit)


def withdraw_report(conn: Connection, actor: Actor, number: str) -> Kept[Report]:
    """Withdraw a report; withdrawing again changes nothing."""
    kept = find_report(conn, institution_of(actor), number)
    return put_report(conn, actor, replace(kept.content, status=ReportStatus.WITHDRAWN))


def join_later(
    conn: Connection, performed_by: str, accession: str | None, study_uid: str | None
) -> None:
    """Join an accession or a study by a job; one that already waits serves this cause as well."""
    jobs.defer(
        conn,
        "record.join",
        lock=f"record.join/{performed_by}/{accession or study_uid}",
        queueing_lock=f"record.join/{performed_by}/{accession}/{study_uid}",
        performed_by=performed_by,
        accession=accession,
        study_uid=study_uid,
    )


def join(
    conn: Connection, performed_by: str, accession: str | None, study_uid: str | None
) -> tuple[int, ...]:
    """Join images, order and report of an accession or a study; return the examinations.

    One accession may have several studies; each becomes an examination of its own, and a report
    that names no study serves them all.
    """
    if study_uid is not None:
        return tuple(_join_one(conn, performed_by, accession, study_uid))
    if accession is None:
        return ()
    studies: list[str | None] = [*archive.studies_of_accession(conn, performed_by, accession)]
    joined: list[int] = []
    for uid in studies or [None]:
        joined += _join_one(conn, performed_by, accession, uid)
    return tuple(joined)


def _join_one(
    conn: Connection, performed_by: str, accession: str | None, study_uid: str | None
) -> list[int]:
    facts = archive.study_facts(conn, study_uid) if study_uid else None
    if facts is not None and facts.institution != performed_by:
        # A document may name any study UID; only the institution that performed it is joined.
        facts = None
    accession = (facts.accession if facts else None) or accession
    store.lock_examination(conn, performed_by, accession or study_uid or "")
    order = store.find_meant(conn, Order, performed_by, accession, study_uid)
    report = store.find_meant(conn, Report, performed_by, accession, study_uid)
    if facts is None and report is None:
        return []
    values = _joined(conn, performed_by, accession, facts, order, report)
    examination = store.put_examination(conn, values)
    events.publish(conn, ExaminationChanged(examination))
    return [examination]


def _joined(
    conn: Connection,
    performed_by: str,
    accession: str | None,
    facts: StudyFacts | None,
    order: tuple[int, Kept[Order]] | None,
    report: tuple[int, Kept[Report]] | None,
) -> dict[str, Any]:
    order_content = order[1].content if order else None
    report_content = report[1].content if report else None
    matched = match_items(
        catalogue.load(),
        performed_by,
        store.aliases_of(conn, performed_by),
        order=order_content,
        report=report_content,
        facts=facts,
    )
    patient_id = (
        (facts.patient_id if facts else None)
        or (order_content.patient_id if order_content else None)
        or (report_content.patient_id if report_content else None)
    )
    withdrawn = report_content is not None and report_content.status is ReportStatus.WITHDRAWN
    return {
        "performed_by": performed_by,
        "patient_id": patient_id,
        "study_uid": facts.study_uid if facts else None,
        "accession": accession,
        "items": list(matched.items),
        "item_reason": matched.because,
        "item_hints": list(matched.hints),
        "modality": facts.modalities[0] if facts and facts.modalities else None,
        "exam_start": facts.exam_start if facts else None,
        "exam_end": facts.exam_end if facts else None,
        "settled_at": facts.settled_at if facts else None,
        "order_id": order[0] if order else None,
        "report_id": report[0] if report else None,
        "reported_by": report[1].institution if report else None,
        "report_status": report_content.status.value if report_content else None,
        "released_at": report_content.released_at if report_content else None,
        "withdrawn": withdrawn,
        "study": _FACTS.dump_python(facts, mode="json") if facts else None,
    }


def candidates(
    conn: Connection, keys: Sequence[tuple[str, str]], since: datetime
) -> tuple[Examination, ...]:
    """Return a person's examinations since then at every institution, newest first.

    Args:
        conn: A transaction.
        keys: (authority, local id) of the patients that certainly are the person (R-ID-1).
        since: No examination before.
    """
    return store.examinations_of(conn, keys, since, limit=MOST_CANDIDATES)


def find_examination(conn: Connection, number: int) -> Examination | None:
    """Return one examination with its order and report."""
    return store.find_examination(conn, number)


def find_examination_of_study(conn: Connection, study_uid: str) -> Examination | None:
    """Return the examination whose images are that study."""
    return store.find_examination_of_study(conn, study_uid)


def find_aliases(
    conn: Connection, institution: str, names: Collection[str]
) -> dict[tuple[str, str], int]:
    """Return what an institution's folded local names were approved for."""
    return store.aliases_of(conn, institution, names)


def approve_alias(conn: Connection, actor: Actor, institution: str, name: str, item: int) -> None:
    """Approve a local name of an institution for an item of the catalogue (R7.2-1)."""
    folded = catalogue.fold(name)
    catalogue.load().by_no(item)
    store.put_alias(conn, institution, folded, item, approved_by=actor.id)
    audit.record(
        conn,
        actor,
        action="record.alias.approved",
        subject=f"alias:{institution}",
        detail={"name": folded, "item": item},
    )
