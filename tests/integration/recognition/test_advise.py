"""From what hospitals send to the advice at the order, through the real services."""

from dataclasses import replace
from datetime import timedelta

from accord.app.demo.phantoms import Patient
from accord.kit import clock
from accord.recognition import service
from accord.recognition.model import Recommendation, Relation
from accord.record.model import ReportStatus, VisitKind
from support.pair import ASKED, BORN, ORDER, PERFORMER, STARTED, VIEWER


def advise(pair, examination, order=ORDER, at=ASKED, viewer=VIEWER):
    with clock.freeze(at):
        return service.advise(pair.conn, order, examination, viewer, at)


def deciding(advice):
    return {(one.rule, one.code) for one in advice.findings if one.effect in {"gate", "limit"}}


def test_a_sound_prior_of_a_higher_hospital_is_advised_as_must(pair):
    advice = advise(pair, pair.whole())
    assert deciding(advice) == set()
    assert advice.advice is Recommendation.MUST
    assert advice.relation is Relation.EQUAL
    assert advice.shows_card
    assert advice.interrupts


def test_every_rule_of_clause_7_1_is_among_the_findings(pair):
    advice = advise(pair, pair.whole())
    assert {"R7.1-0", "R7.1.2", "R7.1.3-0", "R7.1.3"} <= {one.rule for one in advice.findings}
    assert "R7.1.2" in {one.rule for one in advice.findings if one.outcome == "pass"}


def test_a_prior_past_the_window_is_not_eligible(pair):
    advice = advise(pair, pair.whole(), at=STARTED + timedelta(days=40))
    assert "OUT_OF_WINDOW" in advice.codes
    assert advice.advice is Recommendation.NOT_ELIGIBLE


def test_another_item_is_not_answered(pair):
    advice = advise(pair, pair.whole(), replace(ORDER, item=97))
    assert advice.relation is Relation.NONE


def test_an_emergency_lifts_the_duty(pair):
    advice = advise(pair, pair.whole(), replace(ORDER, visit=VisitKind.EMERGENCY))
    assert advice.advice is Recommendation.MAY
    assert advice.lifted_by == ("NR07",)
    assert not advice.interrupts


def test_ones_own_prior_is_information(pair):
    advice = advise(pair, pair.whole(), viewer=PERFORMER)
    assert "OWN_PRIOR" in advice.codes


def test_a_campus_of_the_performer_is_its_own_house(pair):
    advice = advise(pair, pair.whole(), viewer="CQ-A2")
    assert "OWN_PRIOR" in advice.codes


def test_images_without_a_report_wait_for_it(pair):
    pair.send_order()
    study_uid = pair.send_images()
    pair.settle()
    advice = advise(pair, pair.join(study_uid))
    assert deciding(advice) == {("R6.5-2", "REPORT_PENDING"), ("R5-2", "QUALITY_NOT_SHOWN")}
    assert advice.advice is Recommendation.MAY


def test_arriving_images_are_told_as_arriving(pair):
    pair.send_order()
    study_uid = pair.send_images()
    pair.send_report(study_uid)
    advice = advise(pair, pair.join(study_uid))
    assert "ARRIVING" in advice.codes
    assert advice.advice is Recommendation.MAY


def test_a_withdrawn_report_shuts_the_pair(pair):
    pair.send_order()
    study_uid = pair.send_images()
    pair.settle()
    pair.send_report(study_uid)
    pair.send_report(study_uid, status=ReportStatus.WITHDRAWN)
    assert "WITHDRAWN" in advise(pair, pair.join(study_uid)).codes


def test_another_person_in_the_header_is_a_contradiction(pair):
    stranger = Patient(
        name="WANG^FANG=王^芳", sex="F", born=BORN, patient_id="P1", issuer=PERFORMER
    )
    advice = advise(pair, pair.whole(patient=stranger))
    assert "NAME_DIFFERS" in advice.codes
    assert advice.advice is Recommendation.NOT_ELIGIBLE


def test_another_id_number_in_the_header_is_nr10(pair):
    stranger = Patient(
        name="ZENG^LI=曾^丽",
        sex="F",
        born=BORN,
        patient_id="P1",
        issuer=PERFORMER,
        national_id="11010519491231002X",
    )
    advice = advise(pair, pair.whole(patient=stranger))
    assert "ID_NUMBER_DIFFERS" in advice.codes
    assert advice.grounds == ("NR10",)


def test_a_lossy_study_is_never_recognised(pair):
    advice = advise(pair, pair.whole(lossy=True))
    assert {"LOSSY_MARKED", "LOSSY_SYNTAX"} & advice.codes
    assert advice.advice is Recommendation.NOT_ELIGIBLE


def test_a_report_alone_has_no_images_to_recognise(pair):
    pair.send_order()
    pair.send_report("2.25.99")
    advice = advise(pair, pair.join("2.25.99"))
    assert "NO_IMAGES" in advice.codes
    assert advice.advice is Recommendation.NOT_ELIGIBLE


def test_many_priors_are_advised_in_their_order(pair):
    examination = pair.whole()
    orders = [examination, replace(examination, performed_by=VIEWER), examination]
    with clock.freeze(ASKED):
        advice = service.advise_all(pair.conn, ORDER, orders, VIEWER, ASKED)
    own = ["OWN_PRIOR" in one.codes for one in advice]
    assert own == [False, True, False]


def test_no_priors_need_no_question(pair):
    assert service.advise_all(pair.conn, ORDER, (), VIEWER, ASKED) == ()


def test_a_viewer_that_nobody_registered_has_no_duty(pair):
    advice = advise(pair, pair.whole(), viewer="UNKNOWN")
    assert advice.advice is Recommendation.MAY
    assert {"R6.2-4", "R6.2-5", "R6.4-2"} <= {rule for rule, _ in deciding(advice)}
