"""R-ID-1 at the gate: no prior is evaluated or shown unless both are certainly one person.

Whether they are is decided in `accord.identity`; here the answer only opens or shuts the case.
"""

from accord.dataquality.answers import Answer
from accord.recognition.model import Case
from accord.standard.model import Finding, Outcome, RuleSet

RULE = "R-ID-1"


def is_certainly_one_person(case: Case, rule_set: RuleSet) -> Finding:
    """Pass on a certain link only; unknown shuts the case as an uncertain one does."""
    because = {"certain": case.identity.certain, "by": case.identity.because}
    answer = Answer(RULE, rule_set, because, readings=("RD-ID-CERTAIN",))
    if case.identity.certain:
        return answer.passes()
    unknown = case.identity.certain is None
    outcome = Outcome.NOT_EVALUABLE if unknown else Outcome.FAIL
    return answer.gates("IDENTITY_NOT_CERTAIN", outcome=outcome)
