"""Clause 7.1.1: how soon images and report of an examination are there.

The performer answers for the upload, whoever reports for the report; each rule has its own clock.
Which limit applies is fixed by the order, before anybody knows how long it took (RD-7.1.1-CLASS).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accord.dataquality.answers import Answer
from accord.dataquality.model import Clocks, ReportState, ReportStep
from accord.dataquality.rules.spans import overlap
from accord.standard import rule
from accord.standard.model import Effect, Finding, Number, RuleSet, Severity

EMERGENCY_DR, EMERGENCY_CT_MR = "R7.1.1-a", "R7.1.1-b"
ROUTINE_CT_MR, SPECIAL = "R7.1.1-c", "R7.1.1-d"
UPLOAD, ARRIVAL, WAIT = "R7.1.1-e", "R7.1.1-g", "R7.1.1-h"
NO_LIMIT = "none"
STILL_OPEN = "STILL_OPEN"
REPORTING = (EMERGENCY_DR, EMERGENCY_CT_MR, ROUTINE_CT_MR, SPECIAL)
LIMITS = {
    EMERGENCY_DR: "7.1.1/emergency_dr",
    EMERGENCY_CT_MR: "7.1.1/emergency_ct_mr",
    ROUTINE_CT_MR: "7.1.1/routine_ct_mr",
    SPECIAL: "7.1.1/special",
    UPLOAD: "7.1.1/upload",
}
FINAL_LIMIT = "7.1.1/final_after_emergency"
LATE = "7.1.1/late_reconstruction"
READINGS = ("RD-7.1.1-CLASS", "RD-7.1.1-START", "RD-7.1.1-END", "RD-CONV-RANGE")
DRAFTS = frozenset({ReportState.NONE, ReportState.PRELIMINARY})
FINALS = frozenset({ReportState.FINAL, ReportState.AMENDED})
RADIOGRAPH = "DR"
SECTIONAL = frozenset({"CT", "MR"})


def classes(clocks: Clocks, rule_set: RuleSet) -> frozenset[str]:
    """Return the rules whose limit may apply; more than one where a fact is missing."""
    if clocks.modality is None:
        return frozenset({*REPORTING, NO_LIMIT})
    if clocks.modality == RADIOGRAPH:
        urgent, routine = EMERGENCY_DR, NO_LIMIT
    elif clocks.modality in SECTIONAL:
        urgent, routine = EMERGENCY_CT_MR, ROUTINE_CT_MR
    else:
        return frozenset({NO_LIMIT})
    calm = SPECIAL if _is_special(clocks, rule_set) else routine
    if clocks.emergency is None:
        return frozenset({urgent, calm})
    return frozenset({urgent if clocks.emergency else calm})


def _is_special(clocks: Clocks, rule_set: RuleSet) -> bool:
    """Say whether list or flag puts the longer limit; a flag set too late does not."""
    if clocks.special:
        return True
    if clocks.difficult_since is None or clocks.exam_end is None:
        return False
    limit = rule_set.number(LIMITS[ROUTINE_CT_MR])
    return limit.is_met_by(clocks.difficult_since - clocks.exam_end)


@dataclass(frozen=True, slots=True)
class _End:
    """When what was waited for happened, and whether it may have happened earlier than known."""

    at: datetime | None
    at_the_latest: bool = False


def _signed(clocks: Clocks, rule_set: RuleSet) -> _End:
    """Return the first release of a report signed by a physician, whatever it is called."""
    counted = [step for step in clocks.reports if _is_signed(step)]
    if rule_set.is_on("final_only"):
        counted = [step for step in counted if step.state in FINALS]
    return _End(_first(step.released_at for step in counted))


def _is_signed(step: ReportStep) -> bool:
    """Say whether a physician stands for it: as author, as verifier, or by a 急诊报告."""
    if step.state is ReportState.WITHDRAWN:
        return False
    by_name = step.state is ReportState.EMERGENCY and step.licensed is not False
    return step.licensed is True or step.verified_at is not None or by_name


def _verified(clocks: Clocks, rule_set: RuleSet) -> _End:
    """Return the first verification; of a final report without one, its release at the latest."""
    counted = [
        step
        for step in clocks.reports
        if step.state not in DRAFTS and step.state is not ReportState.WITHDRAWN
    ]
    if rule_set.is_on("final_only"):
        counted = [step for step in counted if step.state in FINALS]
    verified = _first(step.verified_at for step in counted)
    if verified is not None:
        return _End(verified)
    released = _first(step.released_at for step in counted if step.state in FINALS)
    return _End(released, at_the_latest=released is not None)


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)


def _judge_report(
    rule_id: str,
    clocks: Clocks,
    rule_set: RuleSet,
    find_end: Callable[[Clocks, RuleSet], _End],
) -> Finding:
    possible = classes(clocks, rule_set)
    if rule_id not in possible:
        why = "another class has its own limit"
        return Answer(rule_id, rule_set, {}, readings=READINGS).does_not_apply(why)
    if len(possible) > 1:
        missing = "modality" if clocks.modality is None else "emergency"
        answer = Answer(rule_id, rule_set, {}, readings=READINGS)
        return answer.unknown(missing, effect=Effect.NOTE)
    facts: dict[str, object] = {}
    if rule_id in {EMERGENCY_DR, EMERGENCY_CT_MR}:
        facts["final"] = _final_after_emergency(clocks, rule_set)
    return _judge(rule_id, clocks, rule_set, find_end(clocks, rule_set), facts)


def _judge(
    rule_id: str, clocks: Clocks, rule_set: RuleSet, end: _End, facts: dict[str, object]
) -> Finding:
    """Compare the time since the examination's end with the limit of a rule."""
    key = LIMITS[rule_id]
    limit = rule_set.number(key)
    start = clocks.exam_end
    if start is None:
        answer = Answer(rule_id, rule_set, facts, (key,), READINGS)
        return answer.unknown("exam_end", effect=Effect.NOTE)
    passed = (end.at or clocks.now) - start
    outage = overlap(start, end.at or clocks.now, clocks.outages)
    facts = facts | {
        "start": start,
        "end": end.at,
        "seconds": passed,
        "due": start + limit.duration() + outage,
    }
    if outage:
        facts["outage"] = outage
    answer = Answer(rule_id, rule_set, facts, (key,), READINGS)
    if end.at is not None and end.at < start:
        return answer.impossible("BEFORE_EXAM_END")
    if end.at is None and limit.is_met_by(passed - outage):
        return answer.unknown("end", effect=Effect.NOTE, code=STILL_OPEN)
    return _compared(answer, end, limit, passed, outage)


def _compared(
    answer: Answer, end: _End, limit: Number, passed: timedelta, outage: timedelta
) -> Finding:
    if limit.is_met_by(passed):
        return answer.passes()
    if limit.is_met_by(passed - outage):
        return answer.does_not_apply("a network outage with a ticket")
    if end.at_the_latest:
        return answer.unknown("verified_at", effect=Effect.NOTE)
    return answer.tells_source("UPLOAD_LATE" if answer.rule == UPLOAD else "REPORT_LATE")


def _final_after_emergency(clocks: Clocks, rule_set: RuleSet) -> dict[str, object]:
    """Return the own figure of the final report that follows a signed 急诊报告.

    Counted from the release of the 急诊报告; nothing where the first signed report was final.
    """
    early = _first(
        step.released_at
        for step in clocks.reports
        if step.state is ReportState.EMERGENCY and _is_signed(step)
    )
    if early is None:
        return {"outcome": "not_applicable"}
    final = _first(step.verified_at for step in clocks.reports if step.state in FINALS)
    limit = rule_set.number(FINAL_LIMIT)
    in_time = limit.is_met_by((final or clocks.now) - early)
    outcome = ("pass" if final else "not_evaluable") if in_time else "fail"
    return {"outcome": outcome, "since": early, "end": final, "due": early + limit.duration()}


@rule(EMERGENCY_DR)
def is_emergency_radiograph_reported(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass when an emergency DR has a signed, released report before its limit.

    An unsigned draft never counts, an amendment restarts nothing. Past the limit with nothing
    released is a miss; before it the question is open.
    """
    return _judge_report(EMERGENCY_DR, clocks, rule_set, _signed)


@rule(EMERGENCY_CT_MR)
def is_emergency_section_reported(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass when an emergency CT or MR has a signed, released report before its limit."""
    return _judge_report(EMERGENCY_CT_MR, clocks, rule_set, _signed)


@rule(ROUTINE_CT_MR)
def is_routine_section_reported(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass when a routine CT or MR is verified before its limit; a routine DR has none.

    A final report that says nothing of its verification passes by its release, and is not
    evaluable where that came late.
    """
    return _judge_report(ROUTINE_CT_MR, clocks, rule_set, _verified)


@rule(SPECIAL)
def is_special_case_reported(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass when a special or, in time, difficult case is verified before the longer limit."""
    return _judge_report(SPECIAL, clocks, rule_set, _verified)


@rule(UPLOAD)
def is_uploaded_in_time(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass when the last image was received before the limit after the examination's end.

    Reconstructions that were added long after are named, and do not make the upload late.
    """
    late: list[datetime] = []
    counted: list[datetime] = []
    for arrival in clocks.arrivals:
        added = (
            arrival.reconstructed
            and clocks.exam_end is not None
            and not rule_set.number(LATE).is_met_by(arrival.at - clocks.exam_end)
        )
        (late if added else counted).append(arrival.at)
    facts: dict[str, object] = {"late_reconstructions": sorted(late)} if late else {}
    finding = _judge(UPLOAD, clocks, rule_set, _End(max(counted, default=None)), facts)
    if late and finding.effect is None:
        answer = Answer(UPLOAD, rule_set, finding.because, (LIMITS[UPLOAD], LATE), READINGS)
        return answer.passes(code="LATE_RECONSTRUCTION", severity=Severity.INFO)
    return finding


@rule(ARRIVAL)
def is_report_soon_readable(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass when the first released report was readable here within the proposed limit.

    For information alone: the draft names no limit.
    """
    key = "7.1.1/report_arrival"
    readings = ("RD-7.1.1-ARRIVAL",)
    released = [
        step
        for step in clocks.reports
        if step.released_at is not None and step.state not in DRAFTS | {ReportState.WITHDRAWN}
    ]
    if not released:
        answer = Answer(ARRIVAL, rule_set, {}, (key,), readings)
        return answer.does_not_apply("no report is released")
    first = min(released, key=lambda step: (step.released_at, step.readable_at is None))
    facts = {"released": first.released_at, "readable": first.readable_at}
    answer = Answer(ARRIVAL, rule_set, facts, (key,), readings)
    if first.released_at is None or first.readable_at is None:
        return answer.unknown("readable_at", effect=Effect.NOTE)
    lag = first.readable_at - first.released_at
    answer = Answer(ARRIVAL, rule_set, facts | {"seconds": lag}, (key,), readings)
    if first.readable_at < first.released_at:
        return answer.impossible("RELEASED_LATER_THAN_READABLE", Effect.NOTE)
    if rule_set.number(key).is_met_by(lag):
        return answer.passes()
    return answer.notes("REPORT_ARRIVED_LATE", Severity.INFO)


@rule(WAIT)
def is_waiting_time_known(clocks: Clocks, rule_set: RuleSet) -> Finding:
    """Pass with the time from order to examination; the draft names no limit for it."""
    readings = ("RD-7.1.1-WAIT",)
    facts: dict[str, object] = {"ordered": clocks.ordered_at, "started": clocks.exam_start}
    answer = Answer(WAIT, rule_set, facts, readings=readings)
    if clocks.ordered_at is None or clocks.exam_start is None:
        missing = "ordered_at" if clocks.ordered_at is None else "exam_start"
        return answer.unknown(missing, effect=Effect.NOTE)
    waited = clocks.exam_start - clocks.ordered_at
    answer = Answer(WAIT, rule_set, facts | {"seconds": waited}, readings=readings)
    if clocks.exam_start < clocks.ordered_at:
        return answer.impossible("EXAM_BEFORE_ORDER", Effect.NOTE)
    return answer.passes()


TIMED = (
    is_emergency_radiograph_reported,
    is_emergency_section_reported,
    is_routine_section_reported,
    is_special_case_reported,
    is_uploaded_in_time,
    is_report_soon_readable,
    is_waiting_time_known,
)
"""In the order of the clause."""
