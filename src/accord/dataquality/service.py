"""Measure an examination by the rules of clause 7.1, and keep what was found.

Results are added, never overwritten. What was told for other documents, or by another rule set,
is not used again: it is measured anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from accord import catalogue, standard
from accord.dataquality import store
from accord.dataquality.evidence import Beside, gather
from accord.dataquality.model import StudyEvidence
from accord.dataquality.rules import RULES
from accord.dataquality.store import Evaluation
from accord.identity import service as identity
from accord.identity.model import IdType, Patient
from accord.identity.rules.numbers import read_citizen_number
from accord.kit import clock
from accord.kit.settings import get_settings
from accord.record import service as record
from accord.record.model import Examination, Visit
from accord.registry import service as registry
from accord.standard.model import Finding, RuleSet

_EVIDENCE = TypeAdapter(StudyEvidence)
CITIZENS = frozenset({IdType.RESIDENT_CARD, IdType.HMT_RESIDENCE})


def measure(conn: Connection, examination: Examination) -> tuple[Finding, ...]:
    """Return the findings of clause 7.1 about an examination, without keeping them."""
    return ask(evidence_of(conn, examination), standard.load(get_settings().rule_set))


def ask(evidence: StudyEvidence, rule_set: RuleSet) -> tuple[Finding, ...]:
    """Ask every rule of clause 7.1 about the evidence of a study."""
    return tuple(rule(evidence, rule_set) for rule in RULES)


def keep(conn: Connection, number: int) -> None:
    """Measure an examination and add the result, unless the newest one is of the same documents."""
    examination = record.find_examination(conn, number)
    if examination is None:
        return
    rule_set = standard.load(get_settings().rule_set)
    before = store.newest(conn, [number]).get(number)
    if before is not None and _still_holds(before, examination, rule_set):
        return
    evidence = evidence_of(conn, examination)
    evaluation = Evaluation(
        examination=number,
        basis=basis_of(examination),
        rule_set=rule_set.version,
        fingerprint=rule_set.fingerprint,
        findings=ask(evidence, rule_set),
        evaluated_at=clock.now(),
    )
    store.add(conn, evaluation, _without_persons(evidence))


def findings_of(
    conn: Connection, examinations: Sequence[Examination]
) -> Mapping[int, tuple[Finding, ...]]:
    """Return the findings about each examination: the kept ones, or measured now."""
    rule_set = standard.load(get_settings().rule_set)
    kept = store.newest(conn, [examination.id for examination in examinations])
    found = {}
    for examination in examinations:
        evaluation = kept.get(examination.id)
        if evaluation is not None and _still_holds(evaluation, examination, rule_set):
            found[examination.id] = evaluation.findings
        else:
            found[examination.id] = measure(conn, examination)
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
    day = clock.local_day(examination.exam_end or clock.now())
    study = examination.study or {}
    code = examination.performed_by
    serial = (study.get("device") or {}).get("serial")
    patient = examination.patient_id and identity.find_patient(conn, code, examination.patient_id)
    beside = Beside(
        patient=patient or None,
        number_agrees=_number_agrees(conn, patient or None, study),
        visit=_visit_of(conn, examination),
        performer=registry.find_institution(conn, code, day),
        device=registry.find_device(conn, code, serial, day) if serial else None,
    )
    return gather(examination, beside, catalogue.load())


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


def _without_persons(evidence: StudyEvidence) -> Mapping[str, Any]:
    """Return the evidence as JSON without the person, who stands in the documents alone."""
    plain: dict[str, Any] = _EVIDENCE.dump_python(evidence, mode="json")
    del plain["elements"]
    for side in ("header", "stated"):
        plain[side] = {key: None if value is None else "…" for key, value in plain[side].items()}
    return plain
