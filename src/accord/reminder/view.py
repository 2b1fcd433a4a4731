"""What the reminder page shows, put together for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from accord import standard
from accord.identity import service as identity
from accord.kit import clock
from accord.mark import service as mark
from accord.recognition.explain import facts_in_words, word
from accord.recognition.model import Recommendation
from accord.record import service as record
from accord.record.model import Examination, ReportStatus
from accord.reminder import service
from accord.reminder.grounds import Ground, grounds_of
from accord.reminder.grounds import words as ground_words
from accord.reminder.judge import REPORT_WORDS, days_since
from accord.reminder.model import (
    ADVICE_WORDS,
    OUTCOME_WORDS,
    Citation,
    Decision,
    ItemState,
    KeptReminder,
    Notice,
    Outcome,
    Prior,
)
from accord.reminder.text import moment_words
from accord.standard.model import RuleSet


@dataclass(frozen=True)
class Clause:
    """One finding as the folded list of reasons shows it."""

    rule: str
    title: str
    outcome: str
    passed: bool
    effect: str
    facts: str


@dataclass(frozen=True)
class Line:
    """One prior of the quiet list."""

    prior: Prior
    when: str
    ago: str
    reason: str
    relation: str
    may_be_cited: bool


@dataclass(frozen=True)
class Card:
    """The prior that stands on the card, with its present report."""

    prior: Prior
    badge: str
    is_duty: bool
    title: str
    when: str
    ago: str
    relation: str
    reason: str
    mark: str | None
    result: str | None
    findings_text: str | None
    report: str
    author: str | None
    verifier: str | None
    released: str | None
    alarms: tuple[str, ...]
    lifted: tuple[str, ...]
    clauses: tuple[Clause, ...]
    withdrawn: bool


@dataclass(frozen=True)
class Done:
    """The newest act, and what may follow it."""

    decision: Decision
    words: str
    grounds: str
    at: str
    citation: Citation | None
    citation_time: str
    cited_at: str
    notice: Notice | None
    notice_at: str
    asks_notice: bool
    needs_purpose: bool
    may_undo: bool
    needs_ground: bool
    standing: bool


@dataclass(frozen=True)
class Page:
    """Everything the template needs."""

    kept: KeptReminder
    number: str
    patient: str
    order: str
    asked: str
    card: Card | None
    focus: Prior | None
    quiet: tuple[Line, ...]
    done: Done | None
    grounds: Sequence[Ground]
    reported: tuple[str, ...]
    siblings: tuple[tuple[int, str, bool], ...]
    quiet_key_ms: int
    undo_minutes: int
    least_text: int
    rule_set: str
    provisional: bool


def page(conn: Connection, kept: KeptReminder, examination: int | None = None) -> Page:
    """Return the page of a reminder item, with one of its priors in front."""
    rules = standard.load(kept.rule_set)
    state = service.state_of(conn, kept.item.id)
    standing = state.in_force
    chosen = examination or (standing.examination if standing else None)
    focus = kept.item.prior(chosen) if chosen else kept.item.card
    return Page(
        kept=kept,
        number=str(kept.item.id),
        patient=_patient(conn, kept),
        order=kept.item.order.item_text,
        asked=moment_words(kept.asked_at),
        card=_card(conn, focus, rules, focus.examination in state.unlinked) if focus else None,
        focus=focus,
        quiet=tuple(_line(prior) for prior in kept.item.priors if prior != focus),
        done=_done(kept, state, rules),
        grounds=tuple(grounds_of(rules).values()),
        reported=tuple(_told(each) for each in state.reported),
        siblings=tuple(
            (place + 1, str(number), number == kept.item.id)
            for place, number in enumerate(kept.siblings)
        ),
        quiet_key_ms=rules.milliseconds("5/accept_key_quiet"),
        undo_minutes=rules.minutes("5/undo_for"),
        least_text=rules.count("6.7/other_text_least"),
        rule_set=rules.version,
        provisional=rules.is_provisional,
    )


def _patient(conn: Connection, kept: KeptReminder) -> str:
    if not kept.patient_id:
        return ""
    found = identity.find_patient(conn, kept.institution, kept.patient_id)
    return f"{found.name}（{kept.patient_id}）" if found else kept.patient_id


def _card(conn: Connection, prior: Prior, rules: RuleSet, is_unlinked: bool) -> Card:
    examination = None if is_unlinked else record.find_examination(conn, prior.examination)
    report = examination.report.content if examination and examination.report else None
    ago = days_since(prior.exam_end, clock.now(), rules)
    is_duty = prior.advice is Recommendation.MUST
    return Card(
        prior=prior,
        badge=ADVICE_WORDS[prior.advice],
        is_duty=is_duty,
        title=title(prior),
        when=moment_words(prior.exam_end) if prior.exam_end else "检查时间未知",
        ago=ago.words if ago else "",
        relation=word("relation", prior.relation.value),
        reason=prior.reason,
        mark=mark.text_of(conn, examination) if examination else None,
        result=report.impression if report else None,
        findings_text=report.findings if report else None,
        report=REPORT_WORDS[report.status] if report else "" if is_unlinked else "报告未出",
        author=report.author if report else None,
        verifier=report.verifier if report else None,
        released=moment_words(report.released_at) if report and report.released_at else None,
        alarms=(service.NOT_CERTAIN,) if is_unlinked else alarms(examination),
        lifted=tuple(grounds_of(rules)[code].display for code in prior.machine_grounds),
        clauses=tuple(clause(finding, rules) for finding in prior.findings),
        withdrawn=examination is None or examination.withdrawn,
    )


def title(prior: Prior) -> str:
    """Return the one sentence that carries the decision."""
    when = "今天" if prior.ago and prior.ago.days == 0 else ""
    if prior.ago and prior.ago.days:
        when = f" {prior.ago.days} 天前"
    if prior.own:
        return f"该患者{when}已在本院做过此类检查"
    words = {
        Recommendation.MUST: "已有建议互认的同类检查",
        Recommendation.MAY: "已有可互认的同类检查",
        Recommendation.NOT_ELIGIBLE: "有既往检查，供参考",
    }
    return f"该患者{when}{words[prior.advice]}"


def alarms(examination: Examination | None) -> tuple[str, ...]:
    """Return what is shown in red: withdrawn, critical value, amended after release."""
    if examination is None:
        return ("该检查已不可用",)
    report = examination.report.content if examination.report else None
    found = []
    if examination.withdrawn:
        found.append("该检查或报告已被撤回，不能采用")
    if report is not None and report.critical:
        found.append("原报告标有危急值，请先查看")
    if report is not None and report.status is ReportStatus.AMENDED:
        what = f"：{report.amends}" if report.amends else ""
        found.append(f"原报告发布后有修订{what}")
    return tuple(found)


def clause(finding: Mapping[str, Any], rules: RuleSet) -> Clause:
    """Return a finding in words."""
    rule = str(finding["rule"])
    known = rules.rules.get(rule)
    outcome = str(finding["outcome"])
    reason = word("codes", str(finding["code"])) if finding.get("code") else ""
    facts = facts_in_words(finding.get("because") or {})
    return Clause(
        rule=rule,
        title=known.title if known else rule,
        outcome=word("outcome", outcome),
        passed=outcome in {"pass", "not_applicable"},
        effect=word("effect", str(finding["effect"])) if finding.get("effect") else "",
        facts="；".join(part for part in (reason, facts) if part),
    )


def _line(prior: Prior) -> Line:
    return Line(
        prior=prior,
        when=moment_words(prior.exam_end) if prior.exam_end else "进行中",
        ago=prior.ago.words if prior.ago else "",
        reason=prior.reason or ADVICE_WORDS[prior.advice],
        relation=word("relation", prior.relation.value),
        may_be_cited=not prior.own,
    )


def _done(kept: KeptReminder, state: ItemState, rules: RuleSet) -> Done | None:
    last = state.last
    if last is None:
        return None
    citation, notice = state.citation_of(last.id), state.notice_of(last.id)
    standing = state.in_force
    is_standing = standing is not None and standing.id == last.id
    repeats = last.is_refusal or last.outcome is Outcome.NOT_USED
    age = clock.now() - last.at
    return Done(
        decision=last,
        words=OUTCOME_WORDS[last.outcome],
        grounds=ground_words(last.grounds, rules),
        at=moment_words(last.at),
        citation=citation,
        citation_time=moment_words(citation.exam_time) if citation else "",
        cited_at=moment_words(citation.cited_at) if citation else "",
        notice=notice,
        notice_at=moment_words(notice.at) if notice else "",
        asks_notice=repeats and last.on_card and notice is None,
        needs_purpose=not kept.item.order.purpose,
        may_undo=is_standing and age <= rules.duration("5/undo_for"),
        needs_ground=is_standing
        and last.outcome is Outcome.ACCEPTED
        and age > rules.duration("5/undo_for"),
        standing=is_standing and last.outcome is not Outcome.DEFERRED,
    )


def _told(reported: Mapping[str, Any]) -> str:
    at = moment_words(datetime.fromisoformat(str(reported["at"])))
    words = "采用" if reported["outcome"] == "accepted" else "不采用"
    reason = (reported.get("reason") or {}).get("display") or reported.get("comment") or ""
    return f"{at} 医生工作站回传“{words}”{'：' + str(reason) if reason else ''}"
