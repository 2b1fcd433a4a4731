"""Findings of clause 7.1 are kept beside each other and never used for other documents."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from accord.dataquality import jobs, service, store
from accord.dataquality.model import ReportState, SourceName
from accord.dataquality.rules import RECOGNITION
from accord.dataquality.tables import study_evaluation
from accord.kit import clock
from accord.record import service as record
from accord.record.model import ReportStatus, VisitKind
from accord.standard.model import Effect, Outcome
from support.pair import ASKED, PERFORMER, STARTED, system, visit


def test_a_sound_examination_lacks_only_the_dose_report(pair):
    examination = pair.whole()
    findings = service.findings_of(pair.conn, [examination])[examination.id]
    passed = {one.rule for one in findings if one.outcome is Outcome.PASS}
    assert passed == {"R7.1-0", "R7.1.2", "R7.1.3"}
    (missed,) = [one for one in findings if one.rule not in passed]
    assert missed.because["missing"] == ("C5.14",)


def test_the_evidence_names_the_source_of_each_element(pair):
    evidence = service.evidence_of(pair.conn, pair.whole())
    assert evidence.report is ReportState.FINAL
    assert evidence.modality == "CT"
    assert evidence.elements[SourceName.ORDER]["C1.1"] == "O1"
    assert evidence.elements[SourceName.HEADER]["C5.12"]
    assert evidence.elements[SourceName.REGISTRATION]["C3.5"] == ("CQ-A", "重庆第一医院")
    assert evidence.elements[SourceName.REPORT]["C9.1"] == "阴性"


def test_the_job_keeps_what_it_found_once(pair):
    examination = pair.whole()
    jobs.measure(pair.conn, examination=examination.id)
    jobs.measure(pair.conn, examination=examination.id)
    assert store.count(pair.conn, examination.id) == 1
    kept = store.newest(pair.conn, [examination.id])[examination.id]
    measured = service.measure(pair.conn, examination)
    assert [one.as_dict() for one in kept.findings] == [one.as_dict() for one in measured]
    assert kept.rule_set == "2025-draft"


def test_a_new_version_of_the_report_is_measured_beside_the_old_one(pair):
    pair.send_order()
    study_uid = pair.send_images()
    pair.settle()
    first = pair.join(study_uid)
    jobs.measure(pair.conn, examination=first.id)
    pair.send_report(study_uid)
    second = pair.join(study_uid)
    jobs.measure(pair.conn, examination=second.id)
    assert second.id == first.id
    assert store.count(pair.conn, first.id) == 2


def test_findings_of_older_documents_are_not_used(pair):
    pair.send_order()
    study_uid = pair.send_images()
    pair.settle()
    pending = pair.join(study_uid)
    jobs.measure(pair.conn, examination=pending.id)
    pair.send_report(study_uid, patient_sex="M")
    fresh = pair.join(study_uid)
    with clock.freeze(ASKED):
        found = service.findings_of(pair.conn, [fresh])[fresh.id]
    assert "SEX_DIFFERS" in {one.code for one in found}


def test_no_person_stands_in_the_kept_evidence(pair):
    examination = pair.whole()
    jobs.measure(pair.conn, examination=examination.id)
    kept = pair.conn.execute(select(study_evaluation.c.evidence)).scalar_one()
    assert "曾丽" not in str(kept)
    assert "P1" not in str(kept)
    assert kept["modality"] == "CT"


def test_an_examination_that_is_gone_is_no_error(pair):
    jobs.measure(pair.conn, examination=10**9)
    assert store.newest(pair.conn, []) == {}


def test_kept_findings_are_used_while_the_documents_stay(pair):
    examination = pair.whole()
    jobs.measure(pair.conn, examination=examination.id)
    kept = store.newest(pair.conn, [examination.id])[examination.id]
    read = service.findings_of(pair.conn, [examination])[examination.id]
    assert read == tuple(one for one in kept.findings if one.rule in RECOGNITION)
    assert [one.rule for one in read] == [one.rule for one in kept.findings[: len(read)]]


def test_recognition_reads_the_same_kept_or_measured_now(pair):
    examination = pair.whole()
    now = service.findings_of(pair.conn, [examination])[examination.id]
    jobs.measure(pair.conn, examination=examination.id)
    kept = service.findings_of(pair.conn, [examination])[examination.id]
    assert [one.as_dict() for one in now] == [one.as_dict() for one in kept]
    assert {one.rule for one in kept} == RECOGNITION


def test_timeliness_and_accuracy_judge_the_source_and_never_the_advice(pair):
    found = [one for one in service.measure(pair.conn, pair.whole()) if one.rule not in RECOGNITION]
    outcomes = {one.rule: one.outcome for one in found}
    assert outcomes == {
        "R7.1.1-a": Outcome.NOT_APPLICABLE,
        "R7.1.1-b": Outcome.NOT_APPLICABLE,
        "R7.1.1-c": Outcome.PASS,
        "R7.1.1-d": Outcome.NOT_APPLICABLE,
        "R7.1.1-e": Outcome.PASS,
        "R7.1.1-g": Outcome.PASS,
        "R7.1.1-h": Outcome.PASS,
        "R7.1.4": Outcome.PASS,
    }
    assert {one.effect for one in found} <= {None, Effect.SOURCE, Effect.NOTE}


def test_the_first_verification_counts_whatever_was_amended_later(pair):
    pair.whole()
    study_uid = pair.candidates()[0].study_uid
    late = STARTED + timedelta(days=3)
    pair.send_report(
        study_uid, status=ReportStatus.AMENDED, verified_at=late, released_at=late, amends="补充"
    )
    examination = pair.join(study_uid)
    (finding,) = [f for f in service.measure(pair.conn, examination) if f.rule == "R7.1.1-c"]
    assert finding.outcome is Outcome.PASS
    assert finding.because["end"] == STARTED + timedelta(hours=1)


def test_a_flag_counts_from_the_version_that_brought_it(pair):
    examination = pair.whole()
    order = examination.order.content
    with clock.freeze(examination.exam_end + timedelta(hours=24)):
        record.put_order(pair.conn, system(PERFORMER), replace(order, difficult=True))
    late = pair.join(examination.study_uid)
    (finding,) = [f for f in service.measure(pair.conn, late) if f.rule == "R7.1.1-d"]
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_a_case_flagged_in_time_has_the_longer_limit(pair):
    examination = pair.whole()
    order = examination.order.content
    with clock.freeze(examination.exam_end + timedelta(hours=20)):
        record.put_order(pair.conn, system(PERFORMER), replace(order, difficult=True))
    flagged = pair.join(examination.study_uid)
    found = {f.rule: f.outcome for f in service.measure(pair.conn, flagged)}
    assert found["R7.1.1-d"] is Outcome.PASS
    assert found["R7.1.1-c"] is Outcome.NOT_APPLICABLE


def test_an_emergency_visit_makes_the_examination_one(pair):
    with clock.freeze(STARTED - timedelta(hours=2)):
        emergency = replace(visit(), number="V2", kind=VisitKind.EMERGENCY)
        record.put_visit(pair.conn, system(PERFORMER), emergency)
    pair.send_order(visit="V2")
    study_uid = pair.send_images()
    pair.settle()
    pair.send_report(study_uid)
    with clock.freeze(STARTED + timedelta(hours=5)):
        record.put_visit(pair.conn, system(PERFORMER), replace(emergency, kind=VisitKind.INPATIENT))
    examination = pair.join(study_uid)
    found = {f.rule: f for f in service.measure(pair.conn, examination)}
    assert found["R7.1.1-b"].outcome is Outcome.PASS
    assert found["R7.1.1-c"].outcome is Outcome.NOT_APPLICABLE


def test_an_examination_without_an_order_is_measured_by_its_images_and_report(pair):
    study_uid = pair.send_images()
    pair.settle()
    pair.send_report(study_uid)
    evidence = service.evidence_of(pair.conn, pair.join(study_uid))
    assert evidence.elements[SourceName.ORDER] == {}
    assert evidence.header.id_number == evidence.stated.id_number == "registered"
