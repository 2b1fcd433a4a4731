"""Ask every rule about a case, then judge once: identity first, then all findings together.

The engine advises; it never decides (R5-1).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from accord.catalogue import Catalogue
from accord.dataquality.answers import weightiest
from accord.recognition.model import Advice, Case, Recommendation, Relation, SiteChoices
from accord.recognition.relation import Related, relate
from accord.recognition.rules import clause_3_2, clause_6_2, clause_6_3, clause_6_5
from accord.recognition.rules.clause_5 import quality_comes_first
from accord.recognition.rules.clause_6_1 import is_in_scope
from accord.recognition.rules.clause_6_4 import is_qualified_for, marks_are_entitled
from accord.recognition.rules.clause_6_6 import is_from_elsewhere
from accord.recognition.rules.clause_6_7 import is_without_grounds, machine_grounds
from accord.recognition.rules.clause_7_3 import is_of_diagnostic_quality
from accord.recognition.rules.identity import is_certainly_one_person
from accord.standard.model import Effect, Finding, Outcome, Reading, RuleSet

DATA_ERROR = "NR10"
ABNORMAL_DATA = frozenset(
    {
        "IDENTITY_NOT_CERTAIN",
        "ID_NUMBER_DIFFERS",
        "BIRTH_DATE_DIFFERS",
        "EXAM_IN_THE_FUTURE",
    }
)
"""Codes of failed gates that are NR10, found by machine."""

OF_GROUNDS = frozenset({"R6.7-2", "R6.3-4"})
"""Rules whose limit is a ground found by machine: it lifts a duty, so it is judged last."""


def evaluate(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Advice:
    """Advise about one order item and one prior; the same case always gets the same advice.

    Unless both patients are certainly one person, nothing of the prior is evaluated. Else every
    rule is asked, and all findings are kept, in the decision order of the standard's rules.
    """
    chosen = with_choices(rule_set, case.settings)
    identity = is_certainly_one_person(case, chosen)
    if identity.outcome is not Outcome.PASS:
        return judge((identity,), None, (), case, chosen, catalogue)
    related = relate(case, chosen, catalogue)
    findings = (identity, *ask(case, related, chosen, catalogue))
    relation = Relation.NONE if related is None else related.relation
    grounds = tuple(machine_grounds(case, chosen))
    return judge(findings, relation, grounds, case, chosen, catalogue)


def ask(
    case: Case, related: Related | None, rule_set: RuleSet, catalogue: Catalogue
) -> Iterator[Finding]:
    """Ask every rule, in the decision order; what one answers never keeps another from asking."""
    yield is_from_elsewhere(case, rule_set, catalogue)
    yield is_in_scope(case, rule_set, catalogue)
    yield clause_6_3.is_in_the_list(case, rule_set, catalogue)
    yield clause_6_3.likeness(related, case, rule_set)
    yield clause_6_3.modifiers(related, rule_set)
    yield clause_6_2.is_eligible_by_level(case, rule_set, catalogue)
    yield clause_6_2.is_evaluated(case, rule_set, catalogue)
    yield clause_6_2.is_listed(case, rule_set, catalogue)
    yield clause_6_2.is_reported_by_the_listed(case, rule_set, catalogue)
    qualified = is_qualified_for(related, case, rule_set, catalogue)
    yield qualified
    yield marks_are_entitled(case, rule_set, catalogue)
    yield clause_3_2.device_is_tested(case, rule_set)
    yield clause_3_2.staff_is_licensed(case, rule_set)
    yield clause_6_5.is_recent(case, rule_set, catalogue)
    quality = clause_6_5.measured(case, rule_set)
    yield from quality
    whole = clause_6_5.wholeness(case, rule_set, catalogue, quality)
    yield from whole
    yield quality_comes_first(qualified, weightiest(whole), rule_set)
    yield is_of_diagnostic_quality(case, rule_set, catalogue)
    yield clause_6_2.is_bound_although_private(case, rule_set, catalogue)
    yield clause_6_2.is_in_one_consortium(case, rule_set, catalogue)
    yield from clause_6_2.duty(case, rule_set)
    yield clause_6_3.is_no_follow_up(case, rule_set, catalogue)
    yield is_without_grounds(case, rule_set, catalogue)


def judge(
    findings: tuple[Finding, ...],
    relation: Relation | None,
    grounds: tuple[str, ...],
    case: Case,
    rule_set: RuleSet,
    catalogue: Catalogue,
) -> Advice:
    """Turn findings into advice: a gate shuts, a limit lowers, a ground found by machine lifts."""
    without_grounds = recommend(one for one in findings if one.rule not in OF_GROUNDS)
    advice = recommend(findings)
    lifted = without_grounds is Recommendation.MUST and advice is Recommendation.MAY
    abnormal = any(one.code in ABNORMAL_DATA and one.effect is Effect.GATE for one in findings)
    return Advice(
        advice=advice,
        relation=relation,
        findings=findings,
        grounds=grounds + ((DATA_ERROR,) if abnormal else ()),
        lifted_by=grounds if lifted else (),
        readings=tuple(dict.fromkeys(name for one in findings for name in one.readings)),
        rule_set=rule_set.version,
        fingerprint=rule_set.fingerprint,
        catalogue=catalogue.version,
        evaluated_at=case.on,
    )


def recommend(findings: Iterable[Finding]) -> Recommendation:
    """Return the advice that the effects of the findings leave (RD-CONV-EFFECT)."""
    effects = {finding.effect for finding in findings}
    if Effect.GATE in effects:
        return Recommendation.NOT_ELIGIBLE
    return Recommendation.MAY if Effect.LIMIT in effects else Recommendation.MUST


def with_choices(rule_set: RuleSet, choices: SiteChoices) -> RuleSet:
    """Return the rule set with the switches that a case sets itself."""
    changed = {
        name: value
        for name in rule_set.switches
        if (value := getattr(choices, name, None)) is not None
    }
    if not changed:
        return rule_set
    readings = {key: _switched(reading, changed) for key, reading in rule_set.readings.items()}
    told = tuple(f"{name} = {value} (case)" for name, value in sorted(changed.items()))
    return replace(rule_set, readings=readings, overrides=rule_set.overrides + told)


def _switched(reading: Reading, changed: Mapping[str, bool]) -> Reading:
    switch = reading.switch
    if switch is None or switch.name not in changed:
        return reading
    return replace(reading, switch=replace(switch, value=changed[switch.name], source="case"))
