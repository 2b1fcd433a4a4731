"""Clause 6.5: recent (近期), and complete as the text asks (规范完整)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta

from accord.catalogue import Catalogue
from accord.catalogue.model import Modality
from accord.dataquality.answers import Answer, weightiest
from accord.dataquality.model import ReportState
from accord.dataquality.rules import RULES
from accord.kit.clock import LOCAL, local_day
from accord.recognition.model import Case, PriorFacts
from accord.recognition.relation import prior_subjects
from accord.standard import rule
from accord.standard.model import Effect, Finding, Outcome, RuleSet

WINDOW = "R6.5-1"
WHOLE = "R6.5-2"


@rule(WINDOW)
def is_recent(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when the evaluation falls inside the window that opens with the end of acquisition.

    Counted forward from the examination in calendar months, clamped to the month's end, first day
    not counted, last day included, holidays no extension (RD-6.5-MONTH). The examination may come
    after the order; only clocks that differ by more than the tolerance are an error.
    """
    end = case.prior.exam_end
    numbers = ("6.5/window", "6.5/other_count", "6.5/future_tolerance")
    readings = ("RD-6.5-MONTH", "RD-6.5-FUTURE")
    if end is None:
        return Answer(WINDOW, rule_set, {}, numbers, readings).unknown("exam_end")
    examined, asked = local_day(end), case.asked_on
    last_day = examined + _window(case, rule_set)
    other = examined + timedelta(days=rule_set.days("6.5/other_count"))
    because: dict[str, object] = {
        "examined": end.astimezone(LOCAL),
        "asked": case.on.astimezone(LOCAL),
        "last day": last_day,
        "days since": (asked - examined).days,
    }
    if (asked <= last_day) != (asked <= other):
        because["by days"] = {"last day": other, "inside": asked <= other}
    answer = Answer(WINDOW, rule_set, because, numbers, readings)
    if end > case.on and not rule_set.number("6.5/future_tolerance").is_met_by(end - case.on):
        return answer.gates("EXAM_IN_THE_FUTURE", outcome=Outcome.DATA_ERROR)
    return answer.passes() if asked <= last_day else answer.gates("OUT_OF_WINDOW")


def _window(case: Case, rule_set: RuleSet) -> relativedelta:
    own = case.settings.window
    if own is None:
        return relativedelta(months=rule_set.months("6.5/window"))
    return relativedelta(days=own.value) if own.unit == "days" else relativedelta(months=own.value)


@rule(WHOLE)
def is_whole(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the study is as clause 7.1 asks, its report released and its images all here."""
    return weightiest(wholeness(case, rule_set, catalogue, measured(case, rule_set)))


def wholeness(
    case: Case, rule_set: RuleSet, catalogue: Catalogue, quality: Sequence[Finding]
) -> tuple[Finding, ...]:
    """Answer R6.5-2 in its three parts: the study gate, the report, the images."""
    return (
        study_is_sound(case, rule_set, quality),
        report_is_released(case, rule_set, catalogue),
        images_are_here(case, rule_set),
    )


def measured(case: Case, rule_set: RuleSet) -> tuple[Finding, ...]:
    """Return what clause 7.1 says of the prior study: as kept, or asked now; nothing if unknown."""
    if case.prior.measured is not None:
        return case.prior.measured
    evidence = case.prior.evidence
    return () if evidence is None else tuple(ask(evidence, rule_set) for ask in RULES)


def study_is_sound(case: Case, rule_set: RuleSet, quality: Sequence[Finding]) -> Finding:
    """Pass when nothing was withdrawn and no rule of clause 7.1 shuts the study."""
    because: dict[str, object] = {finding.rule: finding.outcome for finding in quality}
    because["withdrawn"] = case.prior.withdrawn
    answer = Answer(WHOLE, rule_set, because, ("7.1.3/completeness",), ("RD-6.5-GATE",))
    if case.prior.withdrawn or case.prior.report.state is ReportState.WITHDRAWN:
        return answer.gates("WITHDRAWN")
    if any(finding.effect is Effect.GATE for finding in quality):
        return answer.gates("STUDY_NOT_SOUND")
    unknown = [finding.rule for finding in quality if finding.outcome is Outcome.NOT_EVALUABLE]
    if not quality or unknown or case.prior.withdrawn is None:
        return answer.unknown(*unknown or ("evidence",))
    return answer.passes()


@dataclass(frozen=True, slots=True)
class Due:
    """When a report is due by clause 7.1.1; routine DR has no limit (D10)."""

    number: str | None
    at: datetime | None


def report_is_due(prior: PriorFacts, rule_set: RuleSet, catalogue: Catalogue) -> Due:
    """Return the limit that applies to the report of a prior, and when it runs out."""
    modalities = {subject.key.modality for subject in prior_subjects(prior, catalogue)}
    plain = modalities == {Modality.DR}
    if prior.report.urgent:
        number = "7.1.1/emergency_dr" if plain else "7.1.1/emergency_ct_mr"
    elif prior.report.difficult:
        number = "7.1.1/special"
    elif plain or not modalities:
        return Due(None, None)
    else:
        number = "7.1.1/routine_ct_mr"
    if prior.exam_end is None:
        return Due(number, None)
    return Due(number, prior.exam_end + rule_set.duration(number))


def report_is_released(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass on a final or amended report; before it there is no duty, and a due time is told."""
    state = case.prior.report.state
    because: dict[str, object] = {"report": state}
    numbers: tuple[str, ...] = ()
    if state is not None and not state.is_released:
        due = report_is_due(case.prior, rule_set, catalogue)
        because |= _due_facts(due, case)
        numbers = () if due.number is None else (due.number,)
    answer = Answer(WHOLE, rule_set, because, numbers, ("RD-6.5-PENDING",))
    if state is None:
        return answer.unknown("report")
    if state is ReportState.WITHDRAWN:
        return answer.gates("WITHDRAWN")
    return answer.passes() if state.is_released else answer.limits("REPORT_PENDING")


def _due_facts(due: Due, case: Case) -> Mapping[str, object]:
    if due.at is None:
        return {"due": None}
    return {"due": due.at.astimezone(LOCAL), "overdue": case.on >= due.at}


def images_are_here(case: Case, rule_set: RuleSet) -> Finding:
    """Pass when all announced images were received, or, none announced, the study has settled."""
    prior = case.prior
    because = {
        "announced": prior.announced,
        "received": prior.received,
        "settled": prior.settled,
    }
    answer = Answer(WHOLE, rule_set, because, readings=("RD-6.5-PENDING",))
    if prior.announced is not None and prior.received is not None:
        here: bool | None = prior.received >= prior.announced
    else:
        here = prior.settled
    if here is None:
        return answer.unknown("settled or counts")
    return answer.passes() if here else answer.limits("ARRIVING")
