"""What holds of any case: worse facts never help, unknown ones never oblige."""

from copy import deepcopy
from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from accord import catalogue, standard
from accord.catalogue.model import Side
from accord.recognition.cases import make_case, merge
from accord.recognition.judge import ask, evaluate, recommend
from accord.recognition.model import Case, Recommendation, Relation
from accord.recognition.relation import relate
from accord.standard.model import Effect, Outcome

RULES, ITEMS = standard.load("2025-draft"), catalogue.load("2025-draft")
RANK = {Recommendation.NOT_ELIGIBLE: 0, Recommendation.MAY: 1, Recommendation.MUST: 2}
NO_LIMIT = {"R3.2-1", "R6.2-1", "R6.2-2", "R6.2-6", "R6.4-3"}
"""Rules whose unknowns are no limit by their own reading."""


def qualification(**changes):
    plain = {
        "scope_kind": "family",
        "scope_value": "CT-胸",
        "mark_scope": "川渝",
        "state": "passed",
        "valid_from": "2026-01-01",
        "centre_rank": "provincial",
    }
    return [plain | changes]


# Values of one fact from the best to the worst; None is unknown.
LADDERS = {
    "identity.certain": [True, None, False],
    "viewer.listed": [True, None, False],
    "source.listed": [True, None, False],
    "source.level": ["三级", "二级", "一级"],
    "source.reporter": [
        {"code": "R", "listed": True},
        {"code": "R", "listed": None},
        {"code": "R", "listed": False},
    ],
    "viewer.ownership": ["public", None, "private"],
    "viewer.level": ["一级", "二级", "三级"],
    "prior.withdrawn": [False, None, True],
    "prior.settled": [True, None],
    "prior.grade": [None, "low", "waste"],
    "prior.confirmed_defects": [[], ["K5"]],
    "prior.report.state": ["final", "preliminary"],
    "prior.exam_end": ["2026-03-15 10:00:00", None, "2026-01-15 10:00:00"],
    "prior.items": [[94], [107], [83]],
    "prior.evidence.objects": [
        [{"syntax": "1.2.840.10008.1.2.4.70"}],
        [{"syntax": None}],
        [{"syntax": "1.2.840.10008.1.2.4.70", "lossy": "01"}],
    ],
    "prior.evidence.stated.birth_date": ["1979-08-15", "1979-08-16"],
    "prior.evidence.elements.ris.C2.1": ["曾丽", None],
    "order.visit": ["OUTPATIENT", "EMERGENCY"],
    "order.follow_up": [False, True],
    "order.triage": [None, 3, 2, 1],
    "device.kind": ["CT", "CR_READER"],
    "settings.in_force.四川": [True, False],
    "qualifications": [
        qualification(),
        qualification(mark_scope="重庆"),
        qualification(centre_rank="county"),
        [],
    ],
    "catalogue.at_exam": ["2025-draft", None],
}


def put(whole, path, value):
    """Set a fact; element ids have a dot of their own."""
    keys = path.split(".")
    if "elements" in keys:
        keys = [*keys[:4], ".".join(keys[4:])]
    over = value
    for key in reversed(keys):
        over = {key: over}
    return merge(whole, over)


@st.composite
def situations(draw):
    """Some facts, each somewhere on its ladder, and one of them to be made worse."""
    paths = draw(st.lists(st.sampled_from(sorted(LADDERS)), min_size=1, max_size=5, unique=True))
    steps = {path: draw(st.integers(0, len(LADDERS[path]) - 1)) for path in paths}
    return steps, draw(st.sampled_from(paths))


def case_of(steps):
    whole = {}
    for path, step in steps.items():
        whole = put(whole, path, deepcopy(LADDERS[path][step]))
    return make_case(whole)


@settings(max_examples=300, deadline=None)
@given(situations(), st.integers(1, 3))
@example(({"qualifications": 2, "prior.exam_end": 0}, "prior.exam_end"), 1)
@example(({"source.reporter": 2, "prior.report.state": 0}, "prior.report.state"), 1)
def test_advice_never_improves_when_a_fact_gets_worse(situation, further):
    steps, path = situation
    worse = steps | {path: min(steps[path] + further, len(LADDERS[path]) - 1)}
    before = evaluate(case_of(steps), RULES, ITEMS)
    after = evaluate(case_of(worse), RULES, ITEMS)
    assert RANK[after.advice] <= RANK[before.advice]


def test_no_pair_of_facts_is_better_for_one_of_them_being_worse():
    for pair in combinations(sorted(LADDERS), 2):
        ranks = {
            steps: RANK[evaluate(case_of(dict(zip(pair, steps, strict=True))), RULES, ITEMS).advice]
            for steps in product(*(range(len(LADDERS[path])) for path in pair))
        }
        for (one, other), rank in ranks.items():
            for worse in ((one + 1, other), (one, other + 1)):
                assert ranks.get(worse, 0) <= rank, (pair, (one, other), worse)


@settings(max_examples=200, deadline=None)
@given(situations())
def test_what_could_not_be_evaluated_never_yields_must(situation):
    advice = evaluate(case_of(situation[0]), RULES, ITEMS)
    unknown = [
        finding
        for finding in advice.findings
        if finding.outcome is Outcome.NOT_EVALUABLE and finding.rule not in NO_LIMIT
    ]
    if unknown:
        assert advice.advice is not Recommendation.MUST
    assert all(finding.effect in {Effect.LIMIT, Effect.GATE} for finding in unknown)


@settings(max_examples=100, deadline=None)
@given(situations(), st.randoms(use_true_random=False))
def test_the_order_of_the_rules_does_not_matter(situation, random):
    case = case_of(situation[0])
    findings = list(ask(case, relate(case, RULES, ITEMS), RULES, ITEMS))
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert recommend(shuffled) is recommend(findings)


@settings(max_examples=100, deadline=None)
@given(situations())
def test_a_stored_case_replays_to_the_same_advice(situation):
    case = case_of(situation[0])
    adapter = TypeAdapter(Case)
    replayed = adapter.validate_json(adapter.dump_json(case))
    assert evaluate(replayed, RULES, ITEMS) == evaluate(case, RULES, ITEMS)


@settings(max_examples=200, deadline=None)
@given(situations())
def test_lifted_advice_was_must_and_is_may(situation):
    advice = evaluate(case_of(situation[0]), RULES, ITEMS)
    if advice.lifted_by:
        assert advice.advice is Recommendation.MAY
        assert set(advice.lifted_by) <= set(advice.grounds)
    if advice.advice is Recommendation.MUST:
        assert not advice.grounds
        assert advice.relation in {Relation.EQUAL, Relation.COVERS}


@pytest.fixture(scope="module")
def relations():
    """Every item ordered against every item as the only prior, nothing else known of either."""
    base = make_case({"prior": {"age": 2}})
    found = {}
    for order, prior in product(ITEMS.items, repeat=2):
        facts = make_case_of(base, order.no, prior.no)
        found[order.no, prior.no] = relate(facts, RULES, ITEMS).relation
    return found


def make_case_of(base, order, prior):
    return replace(
        base,
        order=replace(base.order, item=order),
        prior=replace(base.prior, items=(prior,)),
    )


def test_an_item_is_equal_to_itself_unless_its_side_is_open(relations):
    for item in ITEMS.items:
        expected = Relation.PARTIAL if item.no in {12, 61, 98} else Relation.EQUAL
        assert relations[item.no, item.no] is expected


def test_no_two_items_are_equal(relations):
    equal = {pair for pair, relation in relations.items() if relation is Relation.EQUAL}
    assert all(order == prior for order, prior in equal)


def test_two_items_never_cover_each_other(relations):
    covers = {pair for pair, relation in relations.items() if relation is Relation.COVERS}
    assert covers
    assert not {(prior, order) for order, prior in covers} & covers


def test_left_is_never_given_for_right(relations):
    one_sided = {Side.LEFT, Side.RIGHT}
    for order, prior in product(ITEMS.items, repeat=2):
        sides = {order.laterality, prior.laterality}
        if sides == one_sided:
            assert relations[order.no, prior.no] is Relation.NONE


def test_only_other_modalities_are_similar(relations):
    for (order, prior), relation in relations.items():
        if relation is Relation.SIMILAR:
            assert ITEMS.by_no(order).modality is not ITEMS.by_no(prior).modality
        if relation in {Relation.EQUAL, Relation.COVERS, Relation.PARTIAL}:
            assert ITEMS.by_no(order).modality is ITEMS.by_no(prior).modality
