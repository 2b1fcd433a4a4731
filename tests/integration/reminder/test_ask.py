"""One question at order time: card, quiet list, and what must look like nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accord.kit import store as kit_store
from accord.recognition.model import Recommendation, Relation
from accord.record import service as record
from accord.record.model import Purpose, VisitKind
from accord.reminder import service, store
from accord.reminder.cards import Shown, response
from accord.reminder.model import Status, Unasked


def bare(answer):
    """Return what a caller without priors is sent."""
    return response(answer, Shown(base_url="http://x", subject="any"))


def test_a_duty_makes_a_card_with_its_evidence(site, conn):
    answer = site.duty(conn)
    assert answer.status is Status.ANSWERED
    card = answer.items[0].card
    assert card is not None
    assert (card.advice, card.relation) == (Recommendation.MUST, Relation.EQUAL)
    assert card.performer == "青衣县白马镇中心卫生院"
    assert card.reason == ""
    assert card.interrupts
    assert ("项目质控", "检查日质控合格") in card.trust
    assert {finding["rule"] for finding in card.findings} >= {"R6.5-1", "R6.4-2", "R6.2-5"}


def test_question_and_answer_are_kept_with_every_finding_and_the_rule_set(site, conn):
    answer = site.duty(conn)
    (kept,) = store.items_of(conn, answer.id, "DEMO-CQ04")
    assert kept.item == answer.items[0]
    assert kept.rule_set == "2025-draft"
    assert store.items_of(conn, answer.id, "DEMO-CQ02") == ()
    (entry,) = kit_store.read_audit(conn, subject=f"reminder:{answer.id}")
    assert entry["action"] == "reminder.asked"
    assert entry["detail"]["because"] == "priors"
    assert entry["detail"]["cards"] == 1


def test_a_lower_source_is_a_choice_with_its_one_reason(site, conn):
    card = site.choice(conn).items[0].card
    assert card.advice is Recommendation.MAY
    assert card.reason == "检查机构级别低于本机构"


def test_a_pending_report_is_a_line_and_no_card(site, conn):
    visit = site.visit(conn, "p05", "DEMO-CQ02")
    (item,) = site.ask(conn, "DEMO-CQ02", site.order(visit, 1)).items
    assert item.card is None
    assert item.quiet[0].reason == "报告未出"
    assert item.status is Status.ANSWERED


def test_an_own_prior_is_a_line_and_no_card(site, conn):
    visit = site.visit(conn, "p07", "DEMO-CQ01-2")
    (item,) = site.ask(conn, "DEMO-CQ01-2", site.order(visit, 1)).items
    assert item.card is None
    assert item.quiet[0].own
    assert item.quiet[0].reason == "本院检查"


def test_an_emergency_lifts_the_duty_and_never_interrupts(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04", kind=VisitKind.EMERGENCY, triage=1)
    (item,) = site.ask(conn, "DEMO-CQ04", site.order(visit, 1)).items
    assert item.card.advice is Recommendation.MAY
    assert item.card.lifted_by == ("NR07",)
    assert not item.card.interrupts


def test_a_follow_up_order_gets_the_quiet_list_only(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    (item,) = site.ask(conn, "DEMO-CQ04", site.order(visit, 1, follow_up=True)).items
    assert item.card is None
    assert len(item.quiet) == 1


def test_only_views_in_common_is_a_line_with_its_reason(site, conn):
    visit = site.visit(conn, "p22", "DEMO-SC01")
    (item,) = site.ask(conn, "DEMO-SC01", site.order(visit, 2)).items
    assert item.card is None
    assert item.quiet[0].relation is Relation.PARTIAL
    assert item.quiet[0].reason == "部分相同"


def test_performer_and_reporter_are_both_named(site, conn):
    visit = site.visit(conn, "p14", "DEMO-CQ03")
    card = site.ask(conn, "DEMO-CQ03", site.order(visit, 1)).items[0].card
    assert card.performed_by == "DEMO-CQ04"
    assert card.reporter == "巴渝县人民医院"
    assert card.advice is Recommendation.MUST


def test_each_order_item_is_answered_for_itself(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    answer = site.ask(
        conn, "DEMO-CQ04", site.order(visit, 1), site.order(visit, 13), site.order(visit, 1)
    )
    first, knee, again = answer.items
    assert first.card is not None
    assert knee.card is None
    assert len(knee.quiet) == 1
    assert again.card == first.card
    assert len({item.id for item in answer.items}) == 3


def test_both_day_counts_are_kept_where_they_differ(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04", opened_at=site.now - timedelta(days=60))
    ended = site.ask(conn, "DEMO-CQ04", site.order(visit, 1)).items[0].card.exam_end
    for days in range(28, 34):
        at = ended + timedelta(days=days)
        (item,) = site.ask(conn, "DEMO-CQ04", site.order(visit, 1), at=at).items
        (prior,) = item.priors
        assert prior.ago.days == days
        assert prior.ago.in_months is (item.card is not None)
        assert prior.ago.in_days is (days <= 30)
        if item.card is None:
            assert prior.reason == "超过1个月"


def test_a_prior_made_for_an_appraisal_is_hidden(site, conn):
    visit = site.visit(conn, "p22", "DEMO-SC01")
    before = site.ask(conn, "DEMO-SC01", site.order(visit, 1)).items[0].priors
    source = record.find_examination(conn, before[0].examination).order
    kept = record.find_visit(conn, source.institution, source.content.visit)
    forensic = replace(kept.content, purpose=Purpose.FORENSIC)
    record.put_visit(conn, site.his(source.institution), forensic)
    answer = site.ask(conn, "DEMO-SC01", site.order(visit, 1))
    assert answer.status is Status.NONE


@pytest.fixture
def looks_of_nothing(site, conn):
    """What a person without any prior gets for the same order."""
    visit = site.visit(conn, "p33", "DEMO-CQ04")
    order = site.order(visit, 1, number="SAME")
    return bare(site.ask(conn, "DEMO-CQ04", order))


def of_p30(site, visit, **changes):
    return site.order(visit, 1, number="SAME", **changes)


def test_an_uncertain_identity_looks_like_no_priors(site, conn, looks_of_nothing):
    visit = site.visit(conn, "p30", "DEMO-CQ04", certain=False)
    answer = site.ask(conn, "DEMO-CQ04", of_p30(site, visit))
    assert bare(answer) == looks_of_nothing
    (entry,) = kit_store.read_audit(conn, subject=f"reminder:{answer.id}")
    assert entry["detail"]["because"] in {"no_identity", "no_priors"}


@pytest.mark.parametrize("number", ["no such visit", ""])
def test_an_unknown_visit_looks_like_no_priors(site, conn, looks_of_nothing, number):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    answer = site.ask(conn, "DEMO-CQ04", of_p30(site, visit), visit=number)
    assert bare(answer) == looks_of_nothing
    (entry,) = kit_store.read_audit(conn, subject=f"reminder:{answer.id}")
    assert entry["detail"]["because"] == "no_visit"


def test_a_closed_visit_looks_like_no_priors(site, conn, looks_of_nothing):
    visit = site.visit(conn, "p30", "DEMO-CQ04", closed_at=site.now)
    assert bare(site.ask(conn, "DEMO-CQ04", of_p30(site, visit))) == looks_of_nothing


def test_a_visit_that_has_not_begun_looks_like_no_priors(site, conn, looks_of_nothing):
    visit = site.visit(conn, "p30", "DEMO-CQ04", opened_at=site.now + timedelta(minutes=1))
    assert bare(site.ask(conn, "DEMO-CQ04", of_p30(site, visit))) == looks_of_nothing


def test_another_patients_visit_looks_like_no_priors(site, conn, looks_of_nothing):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    other = site.visit(conn, "p33", "DEMO-CQ04")
    order = replace(of_p30(site, visit), visit=other.number)
    answer = site.ask(conn, "DEMO-CQ04", order, patient_ids=(visit.patient_id,))
    assert bare(answer) == looks_of_nothing


def test_a_visit_of_another_institution_gives_no_right(site, conn, looks_of_nothing):
    visit = site.visit(conn, "p30", "DEMO-CQ03")
    assert bare(site.ask(conn, "DEMO-CQ04", of_p30(site, visit))) == looks_of_nothing


def test_without_a_number_the_patients_open_visit_there_counts(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    order = site.order(visit, 1)
    answer = site.ask(conn, "DEMO-CQ04", order, visit=None)
    assert answer.items[0].card is not None
    (kept,) = store.items_of(conn, answer.id, "DEMO-CQ04")
    assert kept.visit == visit.number


def test_an_unmapped_item_is_not_asked_and_says_so(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    order = site.order(visit, 1, item_code="X-9", item_text="神秘检查")
    answer = site.ask(conn, "DEMO-CQ04", order)
    assert answer.status is Status.NOT_ASKED
    assert answer.unasked is Unasked.ITEM_UNKNOWN
    assert answer.items[0].priors == ()


def test_an_approved_local_name_is_read(site, conn):
    visit = site.visit(conn, "p30", "DEMO-CQ04")
    record.approve_alias(conn, site.his("DEMO-CQ04"), "DEMO-CQ04", "胸 片 X", 1)
    order = site.order(visit, 1, item_code="LOCAL7", item_text="胸片x")
    assert site.ask(conn, "DEMO-CQ04", order).items[0].card is not None


def test_no_order_is_not_asked(site, conn):
    answer = site.ask(conn, "DEMO-CQ04", patient_ids=())
    assert answer.unasked is Unasked.NO_ORDER


def test_a_study_may_be_seen_while_the_visit_behind_its_reminder_is_open(site, conn):
    viewer = "DEMO-SC02"  # where no other test asks about this person
    visit = site.visit(conn, "p30", viewer)
    answer = site.ask(conn, viewer, site.order(visit, 1))
    study = answer.items[0].priors[0].study_uid
    assert service.was_shown(conn, viewer, study)
    assert not service.was_shown(conn, "DEMO-SC03", study)
    record.put_visit(conn, site.his(viewer), replace(visit, closed_at=site.now))
    assert not service.was_shown(conn, viewer, study)
