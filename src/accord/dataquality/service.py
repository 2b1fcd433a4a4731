"""Measure an examination by the rules of clause 7.1, and keep what was found.

Results are added, never overwritten. What was told for other documents, or by another rule set,
is not used again: it is measured anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from accord import catalogue, standard
from accord.archive import service as archive
from accord.dataquality import store
from accord.dataquality.clocks import History, gather_clocks, gather_statements
from accord.dataquality.evidence import Beside, gather
from accord.dataquality.model import Clocks, StudyEvidence
from accord.dataquality.rules import RECOGNITION, RULES, TIMED, is_accurate
from accord.dataquality.rules.completeness import by_group
from accord.dataquality.store import Evaluation
from accord.identity import service as identity
from accord.identity.model import IdType, Patient
from accord.identity.rules.numbers import read_citizen_number
from accord.kit import clock, db
from accord.kit.db import Read
from accord.kit.settings import get_settings
from accord.record import service as record
from accord.record.model import Examination, Visit
from accord.registry import service as registry
from accord.standard.model import Finding, RuleSet

_EVIDENCE = TypeAdapter(StudyEvidence)
_CLOCKS = TypeAdapter(Clocks)
CITIZENS = frozenset({IdType.RESIDENT_CARD, IdType.HMT_RESIDENCE})


@dataclass(frozen=True)
class Measured:
    """What was asked about an examination, and what was found."""

    evidence: StudyEvidence
    clocks: Clocks
    findings: tuple[Finding, ...]


def measure(conn: Connection, examination: Examination) -> tuple[Finding, ...]:
    """Return the findings of clause 7.1 about an examination, without keeping them."""
    return _measured(conn, examination, standard.load(get_settings().rule_set)).findings


def ask(evidence: StudyEvidence, rule_set: RuleSet) -> tuple[Finding, ...]:
    """Ask the rules of clause 7.1 that recognition reads about the evidence of a study."""
    return tuple(rule(evidence, rule_set) for rule in RULES)


def _measured(conn: Connection, examination: Examination, rule_set: RuleSet) -> Measured:
    """Ask every rule about an examination: those of recognition, its clocks, its statements."""
    items = catalogue.load()
    beside = beside_of(conn, examination)
    evidence = gather(examination, beside, items)
    history = _history(conn, examination, rule_set)
    clocks = gather_clocks(
        examination, evidence.modality, history, get_settings().special_items, clock.now()
    )
    statements = gather_statements(examination, beside, evidence, history, items)
    findings = (
        *ask(evidence, rule_set),
        *(rule(clocks, rule_set) for rule in TIMED),
        is_accurate(statements, rule_set),
    )
    return Measured(evidence, clocks, findings)


def keep(conn: Connection, number: int) -> None:
    """Measure an examination and add the result, unless the newest one is of the same documents."""
    examination = record.find_examination(conn, number)
    if examination is None:
        return
    rule_set = standard.load(get_settings().rule_set)
    before = store.newest(conn, [number], rules=()).get(number)
    if before is not None and _still_holds(before, examination, rule_set):
        return
    measured = _measured(conn, examination, rule_set)
    evaluation = Evaluation(
        examination=number,
        basis=basis_of(examination),
        rule_set=rule_set.version,
        fingerprint=rule_set.fingerprint,
        findings=measured.findings,
        evaluated_at=clock.now(),
    )
    store.add(conn, evaluation, _kept_evidence(measured, rule_set))


def findings_of(
    conn: Connection, examinations: Sequence[Examination]
) -> Mapping[int, tuple[Finding, ...]]:
    """Return what recognition reads about each examination: the kept findings, or asked now.

    Timeliness and accuracy judge the source and never the advice; they are not read here, and the
    answer at order time does not wait for them.
    """
    kept = db.ask(conn, kept_for(examinations)) if examinations else {}
    return findings_from(conn, examinations, kept)


def kept_for(examinations: Sequence[Examination]) -> Read[dict[int, Evaluation]]:
    """Ask what is kept about examinations for recognition, together with other questions."""
    return store.newest_of([each.id for each in examinations], rules=RECOGNITION)


def findings_from(
    conn: Connection, examinations: Sequence[Examination], kept: Mapping[int, Evaluation]
) -> Mapping[int, tuple[Finding, ...]]:
    """Return the kept findings about each examination, or ask now where they no longer hold."""
    rule_set = standard.load(get_settings().rule_set)
    found = {}
    for examination in examinations:
        evaluation = kept.get(examination.id)
        if evaluation is not None and _still_holds(evaluation, examination, rule_set):
            found[examination.id] = evaluation.findings
        else:
            found[examination.id] = ask(evidence_of(conn, examination), rule_set)
    return found


def _still_holds(evaluation: Evaluation, examination: Examination, rule_set: RuleSet) -> bool:
    same_rules = evaluation.fingerprint == rule_set.fingerprint
    return same_rules and evaluation.basis == basis_of(examination)


def basis_of(examination: Examination) -> str:
    """Return what an evaluation of this examination is based on: images, order and report."""
    study = examination.study or {}
    parts = [
        examination.study_uid,
        study.get("last_received_at"),
        study.get("stored"),
        study.get("kept_aside"),
        ",".join(map(str, examination.items)),
        examination.order and f"{examination.order.institution}@{examination.order.version}",
        examination.report and f"{examination.report.institution}@{examination.report.version}",
    ]
    return "/".join("" if part is None else str(part) for part in parts)


def evidence_of(conn: Connection, examination: Examination) -> StudyEvidence:
    """Gather the evidence of an examination from its documents and the registers of its day."""
    return gather(examination, beside_of(conn, examination), catalogue.load())


def beside_of(conn: Connection, examination: Examination) -> Beside:
    """Read what stands beside the documents of an examination, as of its day."""
    day = clock.local_day(examination.exam_end or clock.now())
    study = examination.study or {}
    code = examination.performed_by
    serial = (study.get("device") or {}).get("serial")
    patient = examination.patient_id and identity.find_patient(conn, code, examination.patient_id)
    return Beside(
        patient=patient or None,
        number_agrees=_number_agrees(conn, patient or None, study),
        visit=_visit_of(conn, examination),
        performer=registry.find_institution(conn, code, day),
        device=registry.find_device(conn, code, serial, day) if serial else None,
    )


def _history(conn: Connection, examination: Examination, rule_set: RuleSet) -> History:
    """Read what came over time about an examination; what is seldom needed only then."""
    day = clock.local_day(examination.exam_end or clock.now())
    code, order = examination.performed_by, examination.order
    complete = registry.registry_complete(conn, code, day)
    staff = registry.staff(conn, day, institution=code) if complete else ()
    return History(
        reports=record.report_history(conn, code, examination.accession, examination.study_uid),
        orders=record.versions_of_order(conn, order.institution, order.content.number)
        if order and order.version > 1
        else [order]
        if order
        else [],
        visits=record.versions_of_visit(conn, order.institution, order.content.visit)
        if order
        else [],
        arrivals=archive.arrivals(conn, examination.study_uid)
        if examination.study_uid and _came_late(examination, rule_set)
        else None,
        accession_uses=record.accession_uses(conn, code, examination.accession)
        if examination.accession
        else None,
        staff={word for one in staff for word in (one.code, one.name)} if complete else None,
        devices_complete=complete,
    )


def _came_late(examination: Examination, rule_set: RuleSet) -> bool:
    """Say whether images came so late that they may be reconstructions of earlier ones."""
    last = (examination.study or {}).get("last_received_at")
    if last is None or examination.exam_end is None:
        return False
    limit = rule_set.number("7.1.1/late_reconstruction")
    return not limit.is_met_by(datetime.fromisoformat(last) - examination.exam_end)


def _number_agrees(
    conn: Connection, patient: Patient | None, study: Mapping[str, Any]
) -> bool | None:
    """Say whether a number in the header is the registered one; none where there is no such pair.

    Only citizens' numbers are compared: headers carry other ids beside them, and a passport
    registered here says nothing about an identity card read there.
    """
    if patient is None or patient.id_type not in CITIZENS:
        return None
    told = [
        identity.has_number(conn, patient, number)
        for number in study.get("other_ids", ())
        if read_citizen_number(number, clock.today()) is not None
    ]
    if True in told:
        return True
    return False if False in told else None


def _visit_of(conn: Connection, examination: Examination) -> Visit | None:
    if examination.order is None:
        return None
    order = examination.order
    visit = record.find_visit(conn, order.institution, order.content.visit)
    return None if visit is None else visit.content


def _kept_evidence(measured: Measured, rule_set: RuleSet) -> Mapping[str, Any]:
    """Return the evidence as JSON without the person, who stands in the documents alone."""
    kept: dict[str, Any] = _EVIDENCE.dump_python(measured.evidence, mode="json")
    del kept["elements"]
    for side in ("header", "stated"):
        kept[side] = {key: None if value is None else "…" for key, value in kept[side].items()}
    kept["clocks"] = _CLOCKS.dump_python(measured.clocks, mode="json")
    kept["groups"] = by_group(measured.evidence, rule_set)
    return kept
