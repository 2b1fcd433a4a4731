"""The physician decides; citation, notice and doubt follow from the act (R6.6-2 to R6.7-4)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from accord.kit import clock
from accord.kit import store as kit_store
from accord.kit.access import Actor
from accord.record import service as record
from accord.record import store as record_store
from accord.record.model import Report, ReportStatus, VisitKind
from accord.reminder import service, store
from accord.reminder.errors import (
    CitationIncomplete,
    GroundsIncomplete,
    NotAPhysician,
    NotDecidable,
    NoticeIncomplete,
    NotShown,
    UnknownReminder,
)
from accord.reminder.model import GivenGround, Looked, Outcome
from accord.reminder.service import Informing
from support.reminding import item_of

VIEWER = "DEMO-CQ04"
WORSE = GivenGround(code="NR01", pick="加重")


def actions(conn, subject):
    return [entry["action"] for entry in kit_store.read_audit(conn, subject=subject)]


@pytest.fixture
def item(site, conn):
    return item_of(site.duty(conn))


@pytest.fixture
def doctor(site):
    return site.physician(VIEWER)


def test_an_acceptance_writes_the_four_parts(site, conn, item, doctor):
    decided = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    citation = decided.citation
    assert citation.result == "心、肺、膈未见明显异常。"
    assert citation.performer == "青衣县白马镇中心卫生院"
    assert citation.exam_time < site.now
    assert (citation.cited_by, citation.cited_at) == ("王医生", decided.decision.at)
    assert citation.link.endswith(f"/viewer/open?StudyInstanceUIDs={citation.study_uid}")
    assert store.list_citations(conn, VIEWER, limit=5)[0] == citation
    assert citation not in store.list_citations(conn, "DEMO-CQ02", limit=500)
    assert actions(conn, f"decision:{decided.decision.id}") == ["reminder.decided"]
    assert actions(conn, f"citation:{citation.id}") == ["reminder.cited"]


def test_a_reporter_elsewhere_stands_in_the_citation(site, conn):
    visit = site.visit(conn, "p14", "DEMO-CQ03")
    answer = site.ask(conn, "DEMO-CQ03", site.order(visit, 1))
    decided = service.decide(conn, site.physician("DEMO-CQ03"), item_of(answer), Outcome.ACCEPTED)
    assert decided.citation.reporter == "巴渝县人民医院"


def test_accepting_without_a_look_is_stored_as_unseen(conn, item, doctor):
    assert service.decide(conn, doctor, item, Outcome.ACCEPTED).decision.unseen


@pytest.mark.parametrize(
    ("what", "unseen"), [(Looked.IMAGES, False), (Looked.REPORT, False), (Looked.PAGE, True)]
)
def test_a_look_at_images_or_report_is_seen_and_the_page_alone_is_not(
    conn, item, doctor, what, unseen
):
    kept = service.find(conn, doctor, item)
    service.look(conn, doctor, kept, kept.item.card.examination, what)
    decided = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    assert decided.decision.unseen is unseen
    assert decided.citation.unseen is unseen


def test_accepting_twice_is_one_acceptance(conn, item, doctor):
    first = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    again = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    assert again.decision == first.decision
    assert again.citation == first.citation
    assert len(store.state_of(conn, item).decisions) == 1


def test_two_who_accept_at_once_make_one_citation(site):
    with site.database.begin() as conn:
        item = item_of(site.duty(conn))

    def accept(_number):
        with site.database.begin() as conn:
            return service.decide(conn, site.physician(VIEWER), item, Outcome.ACCEPTED)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(accept, range(4)))
    assert len({each.citation.id for each in made}) == 1
    with site.database.begin() as conn:
        assert len(store.state_of(conn, item).decisions) == 1


def test_accepting_one_item_leaves_the_other_open(site, conn, doctor):
    visit = site.visit(conn, "p30", VIEWER)
    answer = site.ask(conn, VIEWER, site.order(visit, 1), site.order(visit, 1))
    first, second = (each.id for each in answer.items)
    service.decide(conn, doctor, first, Outcome.ACCEPTED)
    assert store.state_of(conn, second).last is None


def test_a_citation_without_its_result_is_refused_and_nothing_is_kept(site, conn, doctor, item):
    kept = service.find(conn, doctor, item)
    found = record.find_examination(conn, kept.item.card.examination)
    empty = replace(found.report.content, impression=None, status=ReportStatus.AMENDED)
    record_store.put(conn, found.report.institution, empty, actor="test")
    with pytest.raises(CitationIncomplete, match="检查结果"):
        service.decide(conn, doctor, item, Outcome.ACCEPTED)
    state = store.state_of(conn, item)
    assert (state.decisions, state.citations) == ((), ())


def test_a_withdrawn_examination_is_not_accepted(site, conn, doctor, item):
    kept = service.find(conn, doctor, item)
    found = record.find_examination(conn, kept.item.card.examination)
    gone = replace(found.report.content, status=ReportStatus.WITHDRAWN)
    record_store.put(conn, found.report.institution, gone, actor="test")
    record.join(conn, found.performed_by, found.accession, found.study_uid)
    with pytest.raises(NotDecidable, match="撤回"):
        service.decide(conn, doctor, item, Outcome.ACCEPTED)


def test_a_refusal_of_a_duty_needs_a_ground(conn, item, doctor):
    with pytest.raises(GroundsIncomplete, match="至少选择一项"):
        service.decide(conn, doctor, item, Outcome.REJECTED)
    with pytest.raises(GroundsIncomplete, match="至少选择一项理由"):
        service.decide(conn, doctor, item, Outcome.NOT_USED)
    assert store.state_of(conn, item).decisions == ()


def test_every_given_ground_needs_its_needs(conn, item, doctor):
    with pytest.raises(GroundsIncomplete):
        service.decide(
            conn, doctor, item, Outcome.REJECTED, grounds=[WORSE, GivenGround(code="NR11")]
        )


def test_a_choice_needs_no_ground(site, conn):
    item = item_of(site.choice(conn))
    decided = service.decide(conn, site.physician("DEMO-CQ02"), item, Outcome.NOT_USED)
    assert decided.decision.grounds == ()
    assert decided.informing.severity.value == "MINOR"


def test_a_refusal_without_the_tick_is_told_apart_by_duty(site, conn, item, doctor):
    refused = service.decide(conn, doctor, item, Outcome.REJECTED, grounds=[WORSE])
    assert refused.informing.outcome == "fail"
    assert refused.informing.severity.value == "MAJOR"
    other = item_of(site.choice(conn))
    refused = service.decide(
        conn, site.physician("DEMO-CQ02"), other, Outcome.REJECTED, grounds=[WORSE]
    )
    assert refused.informing.severity.value == "MINOR"


def test_with_an_emergency_the_tick_may_follow(conn, item, doctor):
    refused = service.decide(
        conn, doctor, item, Outcome.REJECTED, grounds=[GivenGround(code="NR07")]
    )
    assert refused.informing.outcome == "not_evaluable"


def test_one_tick_completes_the_informing_record(conn, item, doctor):
    refused = service.decide(conn, doctor, item, Outcome.REJECTED, grounds=[WORSE])
    notice = service.inform(conn, doctor, refused.decision.id, Informing())
    assert notice.purpose == "了解肺部情况"
    assert notice.necessity == "因病情变化，难以反映当前病情（加重）"
    assert (notice.informer, notice.informed, notice.relation) == (doctor.id, "本人", None)
    state = store.state_of(conn, item)
    kept = service.find(conn, doctor, item)
    assert service.informing_of(conn, kept, state).outcome == "pass"
    assert service.inform(conn, doctor, refused.decision.id, Informing()) == notice
    assert actions(conn, f"decision:{refused.decision.id}")[0] == "reminder.informed"


def test_the_tick_may_come_with_the_refusal(conn, item, doctor):
    relative = Informing(informed="家属", relation="配偶")
    refused = service.decide(
        conn, doctor, item, Outcome.REJECTED, grounds=[WORSE], informing=relative
    )
    assert refused.notice.relation == "配偶"
    assert refused.informing.outcome == "pass"


def test_an_order_without_purpose_asks_for_it(site, conn, doctor):
    item = item_of(site.duty(conn, purpose=None))
    refused = service.decide(conn, doctor, item, Outcome.REJECTED, grounds=[WORSE])
    with pytest.raises(NoticeIncomplete, match="检查目的"):
        service.inform(conn, doctor, refused.decision.id, Informing())
    notice = service.inform(conn, doctor, refused.decision.id, Informing(purpose="复查"))
    assert notice.purpose == "复查"


def test_a_relative_is_named_by_relation(conn, item, doctor):
    refused = service.decide(conn, doctor, item, Outcome.REJECTED, grounds=[WORSE])
    with pytest.raises(NoticeIncomplete, match="关系"):
        service.inform(conn, doctor, refused.decision.id, Informing(informed="家属"))


def test_an_acceptance_asks_for_no_informing(conn, item, doctor):
    accepted = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    assert accepted.informing.outcome == "not_applicable"
    with pytest.raises(NoticeIncomplete):
        service.inform(conn, doctor, accepted.decision.id, Informing())


def test_a_doubt_opens_a_question_and_other_grounds_do_not(conn, item, doctor):
    refused = service.decide(
        conn,
        doctor,
        item,
        Outcome.REJECTED,
        grounds=[GivenGround(code="NR06", pick="伪影或异物"), WORSE],
    )
    (doubt,) = store.doubts_of(conn, refused.decision.id)
    assert (doubt["ground"], doubt["asked_about"]) == ("NR06", "DEMO-SC05")
    assert actions(conn, f"doubt:{doubt['id']}") == ["reminder.doubt.opened"]


def test_an_undo_within_five_minutes_asks_nothing(conn, item, doctor):
    accepted = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    with clock.freeze(accepted.decision.at + timedelta(minutes=5)):
        undone = service.decide(conn, doctor, item, Outcome.WITHDRAWN)
    assert undone.decision.of == accepted.decision.id
    assert undone.informing.outcome == "not_applicable"
    state = store.state_of(conn, item)
    assert state.in_force is None
    assert state.citations[0].withdrawn_at == undone.decision.at
    assert service.decide(conn, doctor, item, Outcome.ACCEPTED).decision.id != accepted.decision.id


def test_after_five_minutes_an_acceptance_is_withdrawn_with_a_ground(conn, item, doctor):
    accepted = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    late = accepted.decision.at + timedelta(minutes=5, seconds=1)
    with clock.freeze(late):
        with pytest.raises(NotDecidable, match="5 分钟"):
            service.decide(conn, doctor, item, Outcome.WITHDRAWN)
        withdrawn = service.decide(
            conn,
            doctor,
            item,
            Outcome.WITHDRAWN,
            grounds=[GivenGround(code="NR06", pick="其他")],
        )
    # T50: two records, the duty to inform applies, a doubt is opened
    assert len(store.state_of(conn, item).decisions) == 2
    assert withdrawn.decision.is_refusal
    assert withdrawn.informing.severity.value == "MAJOR"
    assert len(store.doubts_of(conn, withdrawn.decision.id)) == 1
    notice = service.inform(conn, doctor, withdrawn.decision.id, Informing())
    assert notice.necessity.startswith("图像质量和方法不能满足")


def test_a_refusal_is_not_withdrawn_with_a_ground(conn, item, doctor):
    service.decide(conn, doctor, item, Outcome.REJECTED, grounds=[WORSE])
    with pytest.raises(GroundsIncomplete):
        service.decide(conn, doctor, item, Outcome.WITHDRAWN, grounds=[WORSE])


def test_nothing_decided_is_nothing_to_withdraw(conn, item, doctor):
    with pytest.raises(NotDecidable, match="没有可以撤销"):
        service.decide(conn, doctor, item, Outcome.WITHDRAWN)


def test_a_standing_decision_is_withdrawn_before_another(conn, item, doctor):
    service.decide(conn, doctor, item, Outcome.REJECTED, grounds=[WORSE])
    with pytest.raises(NotDecidable, match="先撤销"):
        service.decide(conn, doctor, item, Outcome.ACCEPTED)


def test_deferring_leaves_it_open(conn, item, doctor):
    service.decide(conn, doctor, item, Outcome.DEFERRED)
    accepted = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    assert accepted.citation is not None
    outcomes = [each.outcome for each in store.state_of(conn, item).decisions]
    assert outcomes == [Outcome.DEFERRED, Outcome.ACCEPTED]


def test_a_line_of_the_quiet_list_may_be_cited(site, conn):
    visit = site.visit(conn, "p22", "DEMO-SC01")
    (item,) = site.ask(conn, "DEMO-SC01", site.order(visit, 2)).items
    doctor = site.physician("DEMO-SC01")
    with pytest.raises(NotShown, match="指明"):
        service.decide(conn, doctor, item.id, Outcome.ACCEPTED)
    decided = service.decide(
        conn, doctor, item.id, Outcome.ACCEPTED, examination=item.quiet[0].examination
    )
    assert decided.citation is not None
    assert not decided.decision.on_card


def test_an_own_prior_is_not_cited(site, conn):
    visit = site.visit(conn, "p07", "DEMO-CQ01-2")
    (item,) = site.ask(conn, "DEMO-CQ01-2", site.order(visit, 1)).items
    with pytest.raises(NotDecidable, match="本院"):
        service.decide(
            conn,
            site.physician("DEMO-CQ01-2"),
            item.id,
            Outcome.ACCEPTED,
            examination=item.quiet[0].examination,
        )


def test_an_examination_that_was_not_shown_cannot_be_decided(conn, item, doctor):
    with pytest.raises(NotShown):
        service.decide(conn, doctor, item, Outcome.ACCEPTED, examination=999_999)


@pytest.mark.parametrize("who", ["system", "process", "radiologist"])
def test_only_a_physician_decides(site, conn, item, who):
    actor = {
        "system": site.his(VIEWER),
        "process": Actor.process("worker"),
        "radiologist": replace(site.physician(VIEWER), permissions=frozenset({"reminder.read"})),
    }[who]
    with pytest.raises(NotAPhysician):
        service.decide(conn, actor, item, Outcome.ACCEPTED)
    assert store.state_of(conn, item).decisions == ()


def test_a_physician_of_another_institution_finds_nothing(site, conn, item):
    with pytest.raises(UnknownReminder):
        service.decide(conn, site.physician("DEMO-CQ02"), item, Outcome.ACCEPTED)
    with pytest.raises(UnknownReminder):
        service.find(conn, site.physician("DEMO-CQ02"), item)


def test_an_emergency_pair_needs_no_pick_for_the_ground_the_machine_found(site, conn):
    visit = site.visit(conn, "p30", VIEWER, kind=VisitKind.EMERGENCY, triage=1)
    (item,) = site.ask(conn, VIEWER, site.order(visit, 1)).items
    decided = service.decide(
        conn,
        site.physician(VIEWER),
        item.id,
        Outcome.REJECTED,
        grounds=[GivenGround(code="NR07")],
    )
    assert decided.decision.lifted_by == ("NR07",)
    assert decided.informing.outcome == "not_evaluable"


def test_an_unknown_reminder_is_not_found(conn, doctor):
    with pytest.raises(UnknownReminder):
        service.decide(conn, doctor, uuid4(), Outcome.ACCEPTED)


def test_a_preliminary_report_is_no_result():
    report = Report(number="1", performed_by="x", status=ReportStatus.PRELIMINARY, impression="a")
    assert report.impression == "a"
    from accord.record.model import Examination, Kept

    kept = Kept("x", 1, clock.now(), report)
    examination = Examination(
        id=1,
        performed_by="x",
        patient_id=None,
        study_uid=None,
        accession=None,
        items=(),
        item_reason="",
        modality=None,
        exam_start=None,
        exam_end=None,
        settled_at=None,
        reported_by="x",
        report_status=ReportStatus.PRELIMINARY,
        released_at=None,
        withdrawn=False,
        report=kept,
    )
    assert service.result_of(examination) is None
