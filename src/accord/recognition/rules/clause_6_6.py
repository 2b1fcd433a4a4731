"""Clause 6.6: a prior of one's own house is information, not recognition."""

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer
from accord.recognition.model import Case
from accord.standard import rule
from accord.standard.model import Finding, RuleSet

RULE = "R6.6-1b"


@rule(RULE)
def is_from_elsewhere(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when performer and viewer have different licence holders; any campus is one's own."""
    because = {"performer": case.source.holder, "viewer": case.viewer.holder}
    answer = Answer(RULE, rule_set, because, readings=("RD-6.6-OWN",))
    if None in because.values():
        return answer.unknown("code of performer or viewer")
    return answer.gates("OWN_PRIOR") if is_own_prior(case) else answer.passes()


def is_own_prior(case: Case) -> bool:
    """Say whether performer and viewer are known to have one licence holder."""
    return case.source.holder is not None and case.source.holder == case.viewer.holder
