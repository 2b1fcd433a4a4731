"""Clause 6.7: grounds that permit a repeat; those found by machine lift the duty."""

from collections.abc import Iterator
from datetime import timedelta

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer
from accord.recognition.lists import lists
from accord.recognition.model import Case
from accord.recognition.rules.clause_6_3 import follow_up_signs
from accord.record.model import Purpose, VisitKind
from accord.standard import rule
from accord.standard.model import Finding, RuleSet

RULE = "R6.7-2"
NUMBERS = ("6.7/major_measure_within", "6.7/urgent_triage")


@rule(RULE)
def is_without_grounds(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when the machine finds no ground; grounds found turn must into may, never further."""
    found = machine_grounds(case, rule_set)
    because = {"grounds": found, "visit": case.order.visit}
    answer = Answer(RULE, rule_set, because, NUMBERS, ("RD-6.7-LIFT",))
    if found:
        return answer.limits(next(iter(found)))
    return answer.unknown("visit") if case.order.visit is None else answer.passes()


def machine_grounds(case: Case, rule_set: RuleSet) -> dict[str, list[str]]:
    """Return the grounds found by machine, each with its signs."""
    signs = {
        "NR02": [*_fast_changing(case), *follow_up_signs(case)],
        "NR03": list(_major_measures(case, rule_set)),
        "NR07": list(_urgency(case, rule_set)),
        "NR09": list(_appraisal(case)),
    }
    return {ground: found for ground, found in signs.items() if found}


def _fast_changing(case: Case) -> Iterator[str]:
    for diagnosis in case.order.diagnoses:
        code = diagnosis.strip().upper()
        yield from (
            f"{prefix} {name}"
            for prefix, name in lists().fast_changing.items()
            if code.startswith(prefix)
        )


def _major_measures(case: Case, rule_set: RuleSet) -> Iterator[str]:
    if case.order.preoperative:
        yield "preoperative"
    soon = rule_set.number("6.7/major_measure_within")
    for planned in case.order.planned:
        days = 0 if planned.on is None else (planned.on - case.asked_on).days
        if days >= 0 and soon.is_met_by(timedelta(days=days)):
            yield planned.kind.value


def _urgency(case: Case, rule_set: RuleSet) -> Iterator[str]:
    order = case.order
    if order.visit is VisitKind.EMERGENCY:
        yield "emergency visit"
    if order.triage is not None and rule_set.number("6.7/urgent_triage").is_met_by(order.triage):
        yield f"triage {order.triage}"
    if order.green_channel:
        yield "green channel"


def _appraisal(case: Case) -> Iterator[str]:
    if case.order.purpose not in {None, Purpose.CARE}:
        yield str(case.order.purpose)
