"""Clause 7.3 at the order: the image quality that was concluded or confirmed."""

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer
from accord.recognition.model import Case
from accord.standard import rule
from accord.standard.model import Effect, Finding, RuleSet

RULE = "R7.3-0"


@rule(RULE)
def is_of_diagnostic_quality(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass unless a concluded grade or a critical defect says otherwise; no grade is no fault.

    By machine alone only facts of the header count as defects; hints never gate.
    """
    prior = case.prior
    alone = {
        row["code"]
        for row in rule_set.table("7.3/critical_defects").rows
        if row["by_machine_alone"]
    }
    defects = [*prior.confirmed_defects, *(code for code in prior.machine_defects if code in alone)]
    answer = Answer(
        RULE, rule_set, {"grade": prior.grade, "defects": defects}, readings=("RD-7.3-GRADE",)
    )
    effects = {row["grade"]: row.get("effect") for row in rule_set.table("7.3/grades").rows}
    effect = None if prior.grade is None else effects[prior.grade]
    if defects or effect == Effect.GATE:
        return answer.gates("IMAGE_NOT_DIAGNOSTIC")
    return answer.limits("IMAGE_GRADE_LOW") if effect == Effect.LIMIT else answer.passes()
