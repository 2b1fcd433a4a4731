"""Ask at order time, decide, cite, inform (clauses 6.6 and 6.7).

One engine for every door: CDS Hooks, REST and the order page all call `ask`. The engine advises;
only an authenticated physician of the asking institution decides (R5-1), and nothing here ever
keeps an order from being placed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection

from accord import standard
from accord.dataquality import service as dataquality
from accord.identity import service as identity
from accord.kit import audit, clock, db
from accord.kit.access import Actor, ActorKind
from accord.kit.db import Database
from accord.kit.settings import get_settings
from accord.recognition.model import Recommendation
from accord.record import service as record
from accord.record.model import Examination, Kept, ReportStatus, Visit
from accord.registry import service as registry
from accord.reminder import store
from accord.reminder.access import DECIDE
from accord.reminder.errors import (
    CitationIncomplete,
    GroundsIncomplete,
    NotAPhysician,
    NotDecidable,
    NoticeIncomplete,
    NotShown,
    UnknownCitation,
    UnknownDecision,
    UnknownReminder,
)
from accord.reminder.grounds import check as check_grounds
from accord.reminder.grounds import grounds_of
from accord.reminder.grounds import words as ground_words
from accord.reminder.judge import Asking, judge, read_items, showable, visits_behind
from accord.reminder.model import (
    Answer,
    Citation,
    Decision,
    GivenGround,
    ItemAnswer,
    ItemState,
    KeptReminder,
    Looked,
    Notice,
    Outcome,
    Prior,
    Question,
    Status,
    Unasked,
    Unlinked,
)
from accord.reminder.rules import CitationNote, Repeat, has_four_parts, is_informed
from accord.standard.model import Finding, RuleSet
from accord.standard.model import Outcome as RuleOutcome

NECESSITY_UNNAMED = "经医师判断，仍需进行本次检查"
SELF = "本人"
NOT_CERTAIN = "患者身份关联已解除，该检查不能确定属于该患者，不能查看或采用。"
MOST_AT_ONCE = 8  # ids of a patient that are looked up together with the visit


def rule_set() -> RuleSet:
    """Return the version of the standard that answers at this site."""
    return standard.load(get_settings().rule_set)


# --- ask ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asker:
    """What gives the right to an answer, and about whom.

    Attributes:
        visit: The open visit of the asking institution.
        keys: The keys by which the certain person of the visit's patient is known anywhere.
    """

    visit: Visit | None
    keys: tuple[tuple[str, str], ...] | None


def ask(conn: Connection, actor: Actor, question: Question, at: datetime) -> Answer:
    """Answer a question and keep question and answer; the caller commits before it sends.

    Without an open visit of the asking institution, or without certain identity, the answer is
    the one for a patient without priors (R6.6-6).
    """
    rules = rule_set()
    asker = _find_asker(conn, question, at)
    visit = asker.visit
    answer, because = _answer(conn, question, asker, at, rules)
    with Database.together(conn):
        store.keep_answer(conn, actor, question, answer, because=because, visit=visit)
        audit.record(
            conn,
            actor,
            action="reminder.asked",
            subject=f"reminder:{answer.id}",
            detail={
                "via": question.via,
                "status": answer.status.value,
                "because": because,
                "orders": len(question.orders),
                "cards": sum(1 for item in answer.items if item.card),
                "priors": sum(len(item.priors) for item in answer.items),
            },
        )
    return answer


def _answer(
    conn: Connection, question: Question, asker: Asker, at: datetime, rules: RuleSet
) -> tuple[Answer, str]:
    empty = Answer(
        id=uuid4(),
        status=Status.NOT_ASKED,
        asked_at=at,
        institution=question.institution,
        rule_set=rules.version,
        fingerprint=rules.fingerprint,
    )
    if not question.orders:
        return replace(empty, unasked=Unasked.NO_ORDER), Unasked.NO_ORDER.value
    items = [
        ItemAnswer(
            id=uuid4(),
            order=order,
            status=Status.NONE if read.numbers else Status.NOT_ASKED,
            items=read.numbers,
            item_names=read.names,
            unasked=None if read.numbers else Unasked.ITEM_UNKNOWN,
        )
        for order, read in read_items(conn, question.institution, question.orders)
    ]
    if all(item.unasked for item in items):
        unknown = Unasked.ITEM_UNKNOWN
        return replace(empty, items=tuple(items), unasked=unknown), unknown.value
    asking, because = _priors(conn, question, asker, at, rules)
    results: Mapping[int, str] = {}
    if asking is not None:
        items = [item if item.unasked else judge(conn, asking, item) for item in items]
        because = "priors" if any(item.priors for item in items) else "no_priors"
        results = _results(asking.priors, items)
    answered = any(item.status is Status.ANSWERED for item in items)
    status = Status.ANSWERED if answered else Status.NONE
    return replace(empty, items=tuple(items), status=status, results=results), because


def _results(priors: Sequence[Examination], items: Sequence[ItemAnswer]) -> Mapping[int, str]:
    """Return the result of every prior that has a card."""
    carded = {item.card.examination for item in items if item.card}
    told = {prior.id: result_of(prior) for prior in priors if prior.id in carded}
    return {number: result for number, result in told.items() if result}


def _priors(
    conn: Connection, question: Question, asker: Asker, at: datetime, rules: RuleSet
) -> tuple[Asking | None, str]:
    """Return what the priors are judged with, or why there is nothing to judge.

    Without a visit or a person the same query runs for nobody, so that the time tells nothing.
    """
    since = at - relativedelta(months=rules.months("6.6/quiet_list"))
    priors = record.candidates(conn, asker.keys or (), since)
    if asker.visit is None:
        return None, "no_visit"
    if asker.keys is None:
        return None, "no_identity"
    visits, kept = db.ask_together(
        conn, record.visits_of(visits_behind(priors)), dataquality.kept_for(priors)
    )
    shown = showable(priors, visits)
    measured = dataquality.findings_from(conn, shown, kept)
    return Asking(question.institution, asker.visit, shown, measured, at, rules), ""


def _find_asker(conn: Connection, question: Question, at: datetime) -> Asker:
    """Return the visit and the person, by one way to the server where the question names both."""
    if question.visit is None or not 0 < len(question.patient_ids) <= MOST_AT_ONCE:
        return _find_asker_by_patient(conn, question, at)
    kept, persons, state = db.ask_together(
        conn,
        record.visit_of(question.institution, question.visit),
        identity.keys_of_persons(question.institution, question.patient_ids),
        registry.state(),
    )
    registry.recall_as_of(conn, state)
    visit = _open_visit([kept] if kept else [], question, at)
    return Asker(visit, persons.get(visit.patient_id) if visit else None)


def _find_asker_by_patient(conn: Connection, question: Question, at: datetime) -> Asker:
    """Return the visit, then its person: the question names no visit, or names no patient."""
    if question.visit is not None:
        kept = record.find_visit(conn, question.institution, question.visit)
        found = [kept] if kept else []
    else:
        found = [
            kept
            for patient in question.patient_ids
            for kept in record.open_visits(conn, question.institution, patient, at)
        ]
    visit = _open_visit(found, question, at)
    patient = visit.patient_id if visit else ""
    persons = db.ask(conn, identity.keys_of_persons(question.institution, (patient,)))
    return Asker(visit, persons.get(patient))


def _open_visit(found: Sequence[Kept[Visit]], question: Question, at: datetime) -> Visit | None:
    """Return the visit that gives the right to ask (R6.6-6): open, and of that patient."""
    for kept in found:
        visit = kept.content
        is_open = visit.opened_at <= at and (visit.closed_at is None or at < visit.closed_at)
        if is_open and (not question.patient_ids or visit.patient_id in question.patient_ids):
            return visit
    return None


def note_outage(
    conn: Connection, actor: Actor, reminder: UUID | None, detail: Mapping[str, Any]
) -> None:
    """Audit that an order proceeded unanswered (REMINDER_UNAVAILABLE, R6.6-1)."""
    audit.record(
        conn,
        actor,
        action="reminder.unavailable",
        subject=f"reminder:{reminder or 'unknown'}",
        detail={"code": "REMINDER_UNAVAILABLE", **detail},
    )


def was_shown(conn: Connection, institution: str, study_uid: str) -> bool:
    """Say whether the institution may open a study because a reminder showed it.

    It may while a visit behind such a reminder is open, and for good once it has cited the study.
    """
    now = clock.now()
    for number in store.visits_shown(conn, institution, study_uid):
        kept = record.find_visit(conn, institution, number)
        if kept and (kept.content.closed_at is None or now < kept.content.closed_at):
            return True
    return store.is_cited(conn, institution, study_uid)


# --- read ---------------------------------------------------------------------------------------


def find(conn: Connection, actor: Actor, item: UUID, *, lock: bool = False) -> KeptReminder:
    """Return a reminder item of the actor's institution.

    Raises:
        UnknownReminder: There is none of that id that the actor may see.
    """
    found = store.find_item(conn, item, actor.institution or "", lock=lock)
    if found is None:
        raise UnknownReminder("没有这条提醒，或它不属于您的机构。")
    return found


def state_of(conn: Connection, item: UUID) -> ItemState:
    """Return what happened to a reminder item so far."""
    return store.state_of(conn, item)


def find_decision(conn: Connection, actor: Actor, decision: UUID) -> Decision:
    """Return a decision of the actor's institution.

    Raises:
        UnknownDecision: There is none of that id that the actor may see.
    """
    found = store.find_decision(conn, decision, actor.institution or "")
    if found is None:
        raise UnknownDecision("没有这条决定，或它不属于您的机构。")
    return found


def find_citation(conn: Connection, actor: Actor, citation: UUID) -> Citation:
    """Return a citation in the records of the actor's institution.

    Raises:
        UnknownCitation: There is none of that id that the actor may see.
    """
    found = store.find_citation(conn, citation, actor.institution or "")
    if found is None:
        raise UnknownCitation("没有这条引用记录，或它不属于您的机构。")
    return found


# --- a prior that was another's -----------------------------------------------------------------


def tell_unlinked(conn: Connection, actor: Actor, patient_id: int, from_person: str) -> int:
    """Tell whoever was shown or cited a prior that is no longer certainly the patient's.

    Everybody who was asked about is looked at, the patient that left and those who stayed; what
    is told once is not told again (RD-ID-UNLINK).

    Returns:
        How many shown priors were newly told.
    """
    items = store.items_for(conn, identity.keys_apart(conn, patient_id, from_person))
    numbers = {prior.examination for kept in items for prior in kept.item.priors}
    owners = {number: _owner(record.find_examination(conn, number)) for number in numbers}
    askers = {(kept.institution, kept.patient_id or "") for kept in items}
    persons = identity.certain_persons(conn, askers | {each for each in owners.values() if each})
    told = 0
    for kept in items:
        asker = (kept.institution, kept.patient_id or "")
        for prior in kept.item.priors:
            owner = owners[prior.examination]
            known = persons.get(owner) if owner else None
            if owner != asker and (known is None or known != persons.get(asker)):
                told += _tell_unlinked(conn, actor, kept, prior)
    return told


def _owner(examination: Examination | None) -> tuple[str, str] | None:
    if examination is None or examination.patient_id is None:
        return None
    return examination.performed_by, examination.patient_id


def _tell_unlinked(conn: Connection, actor: Actor, kept: KeptReminder, prior: Prior) -> bool:
    state = store.state_of(conn, kept.item.id)
    notice = Unlinked(
        id=uuid4(),
        item=kept.item.id,
        examination=prior.examination,
        study_uid=prior.study_uid,
        institution=kept.institution,
        physicians=tuple(
            sorted(
                {look.physician for look in state.looks}
                | {decision.physician for decision in state.decisions}
            )
        ),
        at=clock.now(),
    )
    if not store.add_unlinked(conn, notice):
        return False
    cited = [
        str(citation.id)
        for citation in state.citations
        for decision in state.decisions
        if decision.id == citation.decision and decision.examination == prior.examination
    ]
    audit.record(
        conn,
        actor,
        action="reminder.unlinked",
        subject=f"reminder_item:{kept.item.id}",
        detail={"notice": str(notice.id), "examination": prior.examination, "citations": cited},
    )
    return True


# --- look ---------------------------------------------------------------------------------------


def look(
    conn: Connection, actor: Actor, kept: KeptReminder, examination: int, what: Looked
) -> None:
    """Record that the actor opened images or report of a shown prior.

    Raises:
        NotShown: The examination is not one of this reminder, or is not certainly the patient's.
    """
    if kept.item.prior(examination) is None:
        raise NotShown("该检查不在本次提醒之内。")
    if what is not Looked.PAGE and examination in store.state_of(conn, kept.item.id).unlinked:
        raise NotShown(NOT_CERTAIN)
    store.add_look(conn, kept.item.id, examination, what, actor.id, clock.now())
    audit.record(
        conn,
        actor,
        action="reminder.looked",
        subject=f"reminder_item:{kept.item.id}",
        detail={"examination": examination, "what": what.value},
    )


# --- decide -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Informing:
    """What the physician ticked about informing the patient; all has a default."""

    purpose: str | None = None
    necessity: str | None = None
    informed: str = SELF
    relation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision with what it left behind, and what R6.6-4 says of it now."""

    decision: Decision
    citation: Citation | None = None
    notice: Notice | None = None
    informing: Finding | None = None


def decide(
    conn: Connection,
    actor: Actor,
    item: UUID,
    outcome: Outcome,
    *,
    examination: int | None = None,
    grounds: Sequence[GivenGround] = (),
    informing: Informing | None = None,
) -> Decided:
    """Record a physician's decision about one order item and one shown prior (R6.6-2).

    The same acceptance again changes nothing. Everything it leaves behind (citation, notice,
    doubt, audit) commits with it or not at all.

    Args:
        conn: The transaction.
        actor: The physician.
        item: The reminder item.
        outcome: What is decided.
        examination: The prior it is about; the card's by default.
        grounds: Grounds of clause 6.7, the primary first.
        informing: The tick 「已告知」, if it came along.

    Raises:
        NotAPhysician: The actor is not a physician of the asking institution.
        NotShown: The examination was not shown by this reminder.
        NotDecidable: An earlier decision stands, or the prior was withdrawn.
        GroundsIncomplete: A refusal lacks a ground, or a ground lacks what it needs.
        CitationIncomplete: A part of the citation is missing.
    """
    kept = _for_physician(conn, actor, item)
    if outcome is Outcome.WITHDRAWN:
        return _withdraw(conn, actor, kept, grounds, informing)
    prior = _prior(kept, examination)
    state = store.state_of(conn, item)
    rules = standard.load(kept.rule_set)
    standing = state.in_force
    if standing is not None and standing.outcome is not Outcome.DEFERRED:
        if (standing.outcome, standing.examination) == (outcome, prior.examination):
            return _again(conn, kept, state, standing, rules)
        raise NotDecidable("该医嘱项目已有决定，请先撤销原决定再作新的决定。")
    if outcome is Outcome.ACCEPTED and prior.examination in state.unlinked:
        raise NotDecidable(NOT_CERTAIN)
    _check_outcome(outcome, prior, grounds, rules)
    decision = _decision(actor, kept, prior, outcome, grounds, state)
    citation = None
    if outcome is Outcome.ACCEPTED:
        citation = _cite(conn, actor, kept, prior, decision, rules)
    _keep(conn, actor, decision, prior, rules)
    if citation is not None:
        store.add_citation(conn, citation, kept.institution)
        _audit_citation(conn, actor, citation)
    notice = None
    if informing is not None:
        notice = _inform(conn, actor, kept, decision, informing, rules)
    return Decided(
        decision=decision,
        citation=citation,
        notice=notice,
        informing=_informing(conn, kept, decision, informed=notice is not None, rules=rules),
    )


def _for_physician(conn: Connection, actor: Actor, item: UUID) -> KeptReminder:
    if actor.kind is not ActorKind.PERSON or not actor.may(DECIDE) or actor.institution is None:
        raise NotAPhysician("只有本机构接诊医师本人登录后才能作出决定。")
    return find(conn, actor, item, lock=True)


def _prior(kept: KeptReminder, examination: int | None) -> Prior:
    if examination is None and kept.item.card is None:
        raise NotShown("该医嘱项目没有提醒卡片，请指明所依据的既往检查。")
    prior = kept.item.card if examination is None else kept.item.prior(examination)
    if prior is None:
        raise NotShown("该检查不在本次提醒之内。")
    return prior


def _check_outcome(
    outcome: Outcome, prior: Prior, grounds: Sequence[GivenGround], rules: RuleSet
) -> None:
    if outcome is Outcome.REJECTED:
        check_grounds(grounds, rules, found=prior.machine_grounds)
        return
    if grounds:
        raise GroundsIncomplete("只有不采用或撤销时才填写理由。")
    if outcome is Outcome.NOT_USED and prior.advice is Recommendation.MUST:
        raise GroundsIncomplete("建议互认的检查不采用时，须至少选择一项理由。")
    if outcome is Outcome.ACCEPTED and prior.own:
        raise NotDecidable("本院既往检查可直接查阅，不需要互认引用。")


def _decision(
    actor: Actor,
    kept: KeptReminder,
    prior: Prior,
    outcome: Outcome,
    grounds: Sequence[GivenGround],
    state: ItemState,
) -> Decision:
    is_card = kept.item.card is not None and kept.item.card.examination == prior.examination
    return Decision(
        id=uuid4(),
        item=kept.item.id,
        examination=prior.examination,
        outcome=outcome,
        physician=actor.id,
        physician_name=actor.display,
        institution=kept.institution,
        at=clock.now(),
        grounds=tuple(grounds),
        unseen=outcome is Outcome.ACCEPTED and not state.has_looked(prior.examination),
        advice=prior.advice,
        on_card=is_card,
        lifted_by=tuple(prior.lifted_by),
    )


def _keep(conn: Connection, actor: Actor, decision: Decision, prior: Prior, rules: RuleSet) -> None:
    store.add_decision(conn, decision)
    audit.record(
        conn,
        actor,
        action="reminder.decided",
        subject=f"decision:{decision.id}",
        detail={
            "item": str(decision.item),
            "outcome": decision.outcome.value,
            "examination": decision.examination,
            "grounds": [ground.code for ground in decision.grounds],
            "of": str(decision.of) if decision.of else None,
            "unseen": decision.unseen,
        },
    )
    known = grounds_of(rules)
    doubted = [(uuid4(), one) for one in decision.grounds if known[one.code].opens_doubt]
    if doubted and decision.is_refusal:
        store.add_doubts(conn, decision, prior.performed_by, doubted)
        for number, ground in doubted:
            audit.record(
                conn,
                actor,
                action="reminder.doubt.opened",
                subject=f"doubt:{number}",
                detail={"decision": str(decision.id), "ground": ground.code},
            )


def _again(
    conn: Connection, kept: KeptReminder, state: ItemState, standing: Decision, rules: RuleSet
) -> Decided:
    notice = state.notice_of(standing.id)
    return Decided(
        decision=standing,
        citation=state.citation_of(standing.id),
        notice=notice,
        informing=_informing(conn, kept, standing, informed=notice is not None, rules=rules),
    )


def _withdraw(
    conn: Connection,
    actor: Actor,
    kept: KeptReminder,
    grounds: Sequence[GivenGround],
    informing: Informing | None,
) -> Decided:
    """Take the standing decision back: freely for some minutes, later with a ground."""
    rules = standard.load(kept.rule_set)
    state = store.state_of(conn, kept.item.id)
    standing = state.in_force
    if standing is None:
        raise NotDecidable("没有可以撤销的决定。")
    prior = _prior(kept, standing.examination)
    if grounds:
        if standing.outcome is not Outcome.ACCEPTED:
            raise GroundsIncomplete("只有撤销已采用的结果时才填写理由。")
        check_grounds(grounds, rules, found=prior.machine_grounds)
    elif clock.now() - standing.at > rules.duration("5/undo_for"):
        minutes = rules.minutes("5/undo_for")
        raise NotDecidable(f"已超过 {minutes} 分钟，不能直接撤销；撤销已采用的结果请选择一项理由。")
    decision = replace(
        _decision(actor, kept, prior, Outcome.WITHDRAWN, grounds, state), of=standing.id
    )
    _keep(conn, actor, decision, prior, rules)
    notice = None
    if informing is not None and decision.is_refusal:
        notice = _inform(conn, actor, kept, decision, informing, rules)
    return Decided(
        decision=decision,
        notice=notice,
        informing=_informing(conn, kept, decision, informed=notice is not None, rules=rules),
    )


# --- cite ---------------------------------------------------------------------------------------


def _cite(
    conn: Connection,
    actor: Actor,
    kept: KeptReminder,
    prior: Prior,
    decision: Decision,
    rules: RuleSet,
) -> Citation:
    """Return the citation of an acceptance from the examination as it stands now."""
    examination = record.find_examination(conn, prior.examination)
    if examination is None or examination.withdrawn:
        raise NotDecidable("该检查或报告已被撤回，不能采用。")
    note = _note(conn, actor, examination, decision)
    finding = has_four_parts(note, rules)
    if finding.outcome is not RuleOutcome.PASS:
        missing = "、".join(str(word) for word in finding.because["words"])  # type: ignore[attr-defined]
        raise CitationIncomplete(f"引用记录缺少：{missing}。未写入病历，请补全后再采用。")
    assert note.result and note.performer and note.exam_time  # noqa: S101, PT018 - the rule passed
    assert note.study_uid and note.link  # noqa: S101, PT018
    return Citation(
        id=uuid4(),
        decision=decision.id,
        result=note.result,
        performer=note.performer,
        reporter=note.reporter,
        exam_time=note.exam_time,
        study_uid=note.study_uid,
        cited_by=actor.display,
        cited_at=decision.at,
        link=note.link,
        item=prior.item,
        performed_by=examination.performed_by,
        patient_id=kept.patient_id or "",
        unseen=decision.unseen,
    )


def _note(
    conn: Connection, actor: Actor, examination: Examination, decision: Decision
) -> CitationNote:
    elsewhere = examination.reported_by not in {None, examination.performed_by}
    return CitationNote(
        result=result_of(examination),
        performer=institution_name(conn, examination.performed_by),
        reported_elsewhere=elsewhere,
        reporter=institution_name(conn, examination.reported_by) if elsewhere else None,
        exam_time=examination.exam_end,
        cited_by=actor.display,
        cited_at=decision.at,
        study_uid=examination.study_uid,
        link=viewer_address(examination.study_uid) if examination.study_uid else None,
    )


def result_of(examination: Examination) -> str | None:
    """Return the result that may be cited: the impression of a released report."""
    report = examination.report
    if report is None or report.content.status is ReportStatus.PRELIMINARY:
        return None
    return report.content.impression


def institution_name(conn: Connection, code: str | None) -> str | None:
    """Return the name of an institution as it stands today."""
    found = registry.find_institution(conn, code, clock.today()) if code else None
    return found.name if found else None


def viewer_address(study_uid: str) -> str:
    """Return where the viewer opens a study."""
    return f"{get_settings().inner_url}/viewer/open?StudyInstanceUIDs={study_uid}"


def _audit_citation(conn: Connection, actor: Actor, citation: Citation) -> None:
    audit.record(
        conn,
        actor,
        action="reminder.cited",
        subject=f"citation:{citation.id}",
        detail={"decision": str(citation.decision), "study": citation.study_uid},
    )


# --- inform -------------------------------------------------------------------------------------


def inform(conn: Connection, actor: Actor, decision: UUID, informing: Informing) -> Notice:
    """Record the tick 「已告知」 for a repeat; ticking again returns the record that exists.

    Raises:
        UnknownDecision: There is no such decision at the actor's institution.
        NoticeIncomplete: The decision repeats nothing, or the purpose is missing.
    """
    found = find_decision(conn, actor, decision)
    kept = _for_physician(conn, actor, found.item)
    notice = store.state_of(conn, found.item).notice_of(decision)
    if notice is not None:
        return notice
    if not (found.is_refusal or found.outcome is Outcome.NOT_USED):
        raise NoticeIncomplete("该决定没有重复检查，不需要告知记录。")
    return _inform(conn, actor, kept, found, informing, standard.load(kept.rule_set))


def _inform(
    conn: Connection,
    actor: Actor,
    kept: KeptReminder,
    decision: Decision,
    informing: Informing,
    rules: RuleSet,
) -> Notice:
    purpose = (informing.purpose or kept.item.order.purpose or "").strip()
    if not purpose:
        raise NoticeIncomplete("申请单没有检查目的，请填写检查目的后再确认已告知。")
    if informing.informed != SELF and not (informing.relation or "").strip():
        raise NoticeIncomplete("告知对象不是患者本人时，请填写与患者的关系。")
    necessity = ground_words(decision.grounds, rules) or (informing.necessity or "").strip()
    notice = Notice(
        id=uuid4(),
        decision=decision.id,
        informer=actor.id,
        informer_name=actor.display,
        at=clock.now(),
        purpose=purpose,
        necessity=necessity or NECESSITY_UNNAMED,
        informed=informing.informed,
        relation=informing.relation if informing.informed != SELF else None,
    )
    store.add_notice(conn, notice)
    audit.record(
        conn,
        actor,
        action="reminder.informed",
        subject=f"decision:{decision.id}",
        detail={
            "notice": str(notice.id),
            "informed": "self" if notice.relation is None else "relative",
        },
    )
    return notice


def informing_of(conn: Connection, kept: KeptReminder, state: ItemState) -> Finding | None:
    """Return what R6.6-4 says of the newest decision that stands or was taken back."""
    last = state.last
    if last is None:
        return None
    informed = state.notice_of(last.id) is not None
    return _informing(conn, kept, last, informed=informed, rules=standard.load(kept.rule_set))


def _informing(
    conn: Connection, kept: KeptReminder, decision: Decision, *, informed: bool, rules: RuleSet
) -> Finding:
    visit = record.find_visit(conn, kept.institution, kept.visit) if kept.visit else None
    is_open = None
    if visit is not None:
        closed_at = visit.content.closed_at
        is_open = closed_at is None or clock.now() < closed_at
    repeat = Repeat(
        refused=decision.is_refusal or decision.outcome is Outcome.NOT_USED,
        on_card=decision.on_card,
        duty=decision.advice is Recommendation.MUST and not decision.lifted_by,
        grounds=(*(one.code for one in decision.grounds), *decision.lifted_by),
        informed=informed,
        visit_open=is_open,
    )
    return is_informed(repeat, rules)
