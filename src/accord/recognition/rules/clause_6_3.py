"""Clause 6.3, with 6.6 and 5: which items, how alike, with which modifiers, and follow-up."""

from collections.abc import Iterator

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer
from accord.recognition.lists import lists
from accord.recognition.model import Case, Check, Relation
from accord.recognition.relation import Related, relate
from accord.recognition.rules.clause_6_2 import shared_consortia
from accord.standard import rule
from accord.standard.model import Finding, Outcome, RuleSet

SIMILARITY = (
    "RD-6.3-MATCH",
    "RD-6.3-SIDE",
    "RD-6.3-VIEWS",
    "RD-6.3-CONTRAST",
    "RD-6.3-CONTAIN",
    "RD-6.3-NEAR",
    "RD-6.3-SIMILAR",
)
CARRIES_DUTY = frozenset({Relation.EQUAL, Relation.COVERS})


@rule("R6.3-1")
def is_in_the_list(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the prior's items stand in the list of the examination day and of the order day.

    Within a consortium that recognises all items the rule is waived; within another one an item
    outside the list carries no duty but may be used.
    """
    prior, versions = case.prior, case.catalogue
    because = {"items": prior.items, "at exam": versions.at_exam, "at order": versions.at_order}
    readings = ("RD-6.3-ORDER", "RD-A-BINDING")
    answer = Answer("R6.3-1", rule_set, because, readings=readings)
    shared = shared_consortia(case)
    if any(consortium.all_items for consortium in shared):
        return answer.does_not_apply("a consortium recognises all items (R6.2-6)")
    if prior.outside is not None:
        return answer.limits("OUTSIDE_THE_LIST") if shared else answer.gates("NOT_IN_THE_LIST")
    if not prior.items:
        return answer.unknown("item of the prior", code="ITEM_UNMAPPED")
    if {versions.at_exam, versions.at_order} != {catalogue.version}:
        return answer.unknown("that version of the list")
    if all(catalogue.by_no(number) for number in prior.items):
        return answer.passes()
    return answer.gates("NOT_IN_THE_LIST")


@rule("R6.3-2")
def is_alike(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the prior is equal to the order or covers it; only these carry a duty."""
    return likeness(relate(case, rule_set, catalogue), case, rule_set)


def likeness(related: Related | None, case: Case, rule_set: RuleSet) -> Finding:
    """Turn a relation into its finding.

    A name that is not mapped yet has no relation and shuts the pair: nothing is guessed.
    """
    if related is None:
        answer = Answer("R6.3-2", rule_set, {"missing": ["item"]}, readings=("RD-6.3-MATCH",))
        return answer.gates("ITEM_UNMAPPED", outcome=Outcome.NOT_EVALUABLE)
    marker = case.prior.marker_check
    because = {"relation": related.relation, "item": related.item, **related.because}
    readings = SIMILARITY if marker is None else (*SIMILARITY, "RD-6.3-MARKER")
    answer = Answer("R6.3-2", rule_set, because, ("6.3/infant_age",), readings)
    if related.relation is Relation.PARTIAL:
        return answer.limits(related.code or "PARTIAL")
    if related.relation not in CARRIES_DUTY:
        return answer.gates(related.code or related.relation)
    if related.sided and marker in {Check.FAIL, Check.UNCERTAIN}:
        return answer.limits("SIDE_MARKER_DOUBTFUL")
    return answer.passes(code=None if related.relation is Relation.EQUAL else "CONTAINS")


@rule("R6.3-3")
def has_the_modifiers(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the prior has what the order names beyond its item; else it is only partial."""
    return modifiers(relate(case, rule_set, catalogue), rule_set)


def modifiers(related: Related | None, rule_set: RuleSet) -> Finding:
    """Turn the modifiers that the related item lacks into the finding."""
    because = {} if related is None else {"lacking": related.lacking}
    answer = Answer("R6.3-3", rule_set, because, readings=("RD-6.3-MOD",))
    if related is None:
        return answer.unknown("item")
    return answer.limits("MODIFIER_MISSING") if related.lacking else answer.passes()


@rule("R6.3-4")
def is_no_follow_up(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass unless the order follows up on the prior; then NR02 is attached and no card shown."""
    signs = list(follow_up_signs(case))
    answer = Answer("R6.3-4", rule_set, {"signs": signs}, readings=("RD-6.3-FOLLOWUP",))
    return answer.limits("FOLLOW_UP") if signs else answer.passes()


def follow_up_signs(case: Case) -> Iterator[str]:
    """Give the signs by which an order follows up on the prior examination."""
    order, prior, known = case.order, case.prior, lists()
    if order.follow_up:
        yield "flagged"
    for done in order.done:
        since = prior.exam_day is None or done.on >= prior.exam_day
        if done.kind in known.follow_up_procedures and since and done.on <= case.asked_on:
            yield done.kind.value
    if order.department is not None and order.department == prior.department:
        yield from (word for word in known.follow_up_words if word in (order.text or ""))
