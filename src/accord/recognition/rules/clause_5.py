"""Clause 5: 以质量控制合格为前提."""

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer
from accord.recognition.model import Case
from accord.recognition.rules.clause_6_4 import is_qualified
from accord.recognition.rules.clause_6_5 import is_whole
from accord.standard import rule
from accord.standard.model import Finding, Outcome, RuleSet

RULE = "R5-2"


@rule(RULE)
def is_shown_to_be_of_quality(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the item is qualified and the study gate is passed; else no duty is left.

    Only what passed carries a duty: a gate that could not be evaluated does not.
    """
    qualified = is_qualified(case, rule_set, catalogue)
    return quality_comes_first(qualified, is_whole(case, rule_set, catalogue), rule_set)


def quality_comes_first(qualified: Finding, whole: Finding, rule_set: RuleSet) -> Finding:
    """Join the findings on qualification and study, where both are known already."""
    because = {finding.rule: finding.outcome for finding in (qualified, whole)}
    answer = Answer(RULE, rule_set, because, readings=("RD-CONV-EFFECT",))
    if Outcome.NOT_APPLICABLE in because.values():
        return answer.does_not_apply("own prior")
    if set(because.values()) == {Outcome.PASS}:
        return answer.passes()
    return answer.limits("QUALITY_NOT_SHOWN")
