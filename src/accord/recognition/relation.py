"""How a past examination answers an order item: equal, covering, partial, similar or not at all.

Each part of the key is compared alone; the worst part decides. Never right for left (RD-6.3-SIDE).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from accord.catalogue import Catalogue, Item
from accord.catalogue.model import AcquiredSides, AgeGroup, Contrast, Key, Side
from accord.recognition.lists import relations
from accord.recognition.model import (
    Case,
    OrderFacts,
    Outside,
    Position,
    PriorFacts,
    Relation,
    TakenSide,
)
from accord.standard.model import RuleSet

INFANT_AGE = "6.3/infant_age"
PELVIS = "whole_abdomen_contains_pelvis"
_RANK = (Relation.EQUAL, Relation.COVERS, Relation.PARTIAL, Relation.SIMILAR, Relation.NONE)


class Fit(IntEnum):
    """How one part of the prior fits the same part of the order; the greater, the worse."""

    SAME = 0
    CONTAINS = 1
    LESS = 2
    NOT = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared: an item of the list, or the key of something outside it."""

    key: Key
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """How the prior answers the order, part by part.

    Args:
        relation: The relation; none of the list's where it could not be told.
        item: 序号 of the prior's item that was compared.
        because: Fit of each part, and what else a reader should know.
        code: Word for the main reason of a relation that carries no duty.
        lacking: Modifiers that the order names and the prior lacks (R6.3-3).
        sided: Whether a side was compared.
    """

    relation: Relation
    item: int | None = None
    because: dict[str, object] = field(default_factory=dict)
    code: str | None = None
    lacking: tuple[str, ...] = ()
    sided: bool = False


def order_subject(order: OrderFacts, catalogue: Catalogue) -> Subject | None:
    """Return what is ordered; none while the order's name is not mapped."""
    item = None if order.item is None else catalogue.by_no(order.item)
    if item is not None:
        return Subject(item.key, item)
    return None if order.outside is None else Subject(_key(order.outside))


def prior_subjects(prior: PriorFacts, catalogue: Catalogue) -> tuple[Subject, ...]:
    """Return what the prior is; nothing while its name is not mapped."""
    items = (catalogue.by_no(number) for number in prior.items or ())
    subjects = tuple(Subject(item.key, item) for item in items if item is not None)
    outside = () if prior.outside is None else (Subject(_key(prior.outside)),)
    return subjects + outside


def relate(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Related | None:
    """Return the best relation of any item of the prior to the order; none if one is unmapped."""
    order = order_subject(case.order, catalogue)
    priors = prior_subjects(case.prior, catalogue)
    if order is None or not priors:
        return None
    compared = (_compare(case, order, prior, rule_set) for prior in priors)
    return min(compared, key=lambda related: _RANK.index(related.relation))


def _key(outside: Outside) -> Key:
    return Key(
        modality=outside.modality,
        anatomy=outside.anatomy,
        laterality=outside.laterality,
        contrast=outside.contrast,
        projections=outside.projections,
    )


def _compare(case: Case, order: Subject, prior: Subject, rule_set: RuleSet) -> Related:
    ordered, acquired = _ordered_side(case.order, order), _acquired_side(case.prior, prior)
    because: dict[str, object] = {"ordered_side": ordered, "acquired_side": acquired}
    doubtful = {
        subject.item.no: subject.item.needs_confirmation
        for subject in (order, prior)
        if subject.item and subject.item.needs_confirmation
    }
    if doubtful:
        because["needs_confirmation"] = doubtful
    number = prior.item.no if prior.item else None
    lacking = tuple(_lacking(case.order, case.prior, order, prior))
    fits = _fits(case, order, prior, rule_set)
    fits["modifiers"] = Fit.LESS if lacking else Fit.SAME
    because |= {part: fit.name for part, fit in fits.items()}
    relation, code = _judge(fits, order, prior)
    if (
        fits["side"] is Fit.CONTAINS
        and acquired is TakenSide.BOTH
        and isinstance(ordered, TakenSide)
    ):
        because["look_at"] = ordered
    sided = ordered is not Side.NONE or acquired is not Side.NONE
    return Related(relation, number, because, code, lacking, sided)


def _fits(case: Case, order: Subject, prior: Subject, rule_set: RuleSet) -> dict[str, Fit]:
    sides = _ordered_side(case.order, order), _acquired_side(case.prior, prior)
    doubtful = _contradicts_itself(case.order, order) or _is_contradicted(case.prior, prior)
    return {
        "anatomy": _anatomy(order.key, prior.key, contains_pelvis=rule_set.is_on(PELVIS)),
        "age": _age(case.prior.age, order, prior, rule_set),
        "side": Fit.NOT if doubtful else _side(*sides),
        "views": _views(case.prior, order.key, prior),
        "contrast": _contrast(case.prior, order.key, prior.key),
    }


def _judge(fits: dict[str, Fit], order: Subject, prior: Subject) -> tuple[Relation, str | None]:
    """Join the parts; contradictions come first, near pairs before the rule of views."""
    other_modality = order.key.modality is not prior.key.modality
    near = not other_modality and _is_near(order.key, prior.key)
    similar = _is_similar(order.key.anatomy, prior.key.anatomy)
    if not (similar if other_modality else near or fits["anatomy"] is not Fit.NOT):
        return Relation.NONE, "NOT_SIMILAR"
    if fits["side"] is Fit.NOT:
        return Relation.NONE, "OTHER_SIDE"
    if other_modality:
        return Relation.SIMILAR, "SIMILAR"
    if near:
        return Relation.PARTIAL, "NEAR"
    if fits["views"] is Fit.NOT:
        return Relation.NONE, "OTHER_VIEWS"
    return _within_one_part(max(fits.values()), order, prior)


def _within_one_part(worst: Fit, order: Subject, prior: Subject) -> tuple[Relation, str | None]:
    if worst is Fit.LESS:
        return Relation.PARTIAL, "PARTIAL"
    is_equal = worst is Fit.SAME and order.key == prior.key
    return (Relation.EQUAL if is_equal else Relation.COVERS), None


def _anatomy(order: Key, prior: Key, *, contains_pelvis: bool) -> Fit:
    if order.anatomy == prior.anatomy:
        return Fit.SAME
    if _contains(prior.anatomy, order.anatomy, contains_pelvis=contains_pelvis):
        return Fit.CONTAINS
    if _contains(order.anatomy, prior.anatomy, contains_pelvis=contains_pelvis):
        return Fit.LESS
    return Fit.NOT


def _contains(whole: str, part: str, *, contains_pelvis: bool) -> bool:
    return any(
        entry.whole == whole and part in entry.parts and (entry.only_if is None or contains_pelvis)
        for entry in relations().contained
    )


def _is_near(order: Key, prior: Key) -> bool:
    pair = frozenset({order.anatomy, prior.anatomy})
    if pair in relations().near[order.modality]:
        return True
    views = order.projections ^ prior.projections
    return order.anatomy == prior.anatomy and (
        (order.modality, order.anatomy, frozenset(views)) in relations().near_views
    )


def _is_similar(order: str, prior: str) -> bool:
    return order == prior or frozenset({order, prior}) in relations().similar


def _age(age: int | None, order: Subject, prior: Subject, rule_set: RuleSet) -> Fit:
    """Compare age groups: the infant item is contained in the others below its age (D18)."""
    asked, given = _age_group(order), _age_group(prior)
    if asked is given is None:
        return Fit.SAME
    if asked is None or age is None or not rule_set.number(INFANT_AGE).is_met_by(age):
        return Fit.LESS
    return Fit.SAME if given is asked else Fit.CONTAINS


def _age_group(subject: Subject) -> AgeGroup | None:
    return None if subject.item is None else subject.item.age_group


Taken = TakenSide | Side | None
"""A side, `Side.NONE` where the part has none, or `None` where nobody says."""

ONE_SIDE: frozenset[Taken] = frozenset({TakenSide.LEFT, TakenSide.RIGHT})


def _ordered_side(order: OrderFacts, subject: Subject) -> Taken:
    return _named_side(subject) or order.side or _in_one_pass(subject)


def _acquired_side(prior: PriorFacts, subject: Subject) -> Taken:
    """Return the side that was acquired; of an item of both sides the facts win over its name."""
    named = _named_side(subject)
    if named is TakenSide.BOTH:
        return prior.side or named
    return named or prior.side or _in_one_pass(subject)


def _contradicts_itself(order: OrderFacts, subject: Subject) -> bool:
    named = _named_side(subject)
    return isinstance(named, TakenSide) and order.side not in {None, named}


def _is_contradicted(prior: PriorFacts, subject: Subject) -> bool:
    return _named_side(subject) in ONE_SIDE and prior.side not in {None, _named_side(subject)}


def _named_side(subject: Subject) -> Taken:
    match subject.key.laterality:
        case Side.NONE:
            return Side.NONE
        case Side.UNSPECIFIED:
            return None
        case side:
            return TakenSide(side.value)


def _in_one_pass(subject: Subject) -> TakenSide | None:
    both = subject.item is not None and subject.item.acquired is AcquiredSides.BOTH
    return TakenSide.BOTH if both else None


def _side(ordered: Taken, acquired: Taken) -> Fit:
    if ordered in ONE_SIDE and acquired in ONE_SIDE:
        return Fit.SAME if ordered is acquired else Fit.NOT
    if Side.NONE in {ordered, acquired} or ordered is acquired is TakenSide.BOTH:
        return Fit.SAME
    return Fit.CONTAINS if acquired is TakenSide.BOTH else Fit.LESS


def _views(prior_facts: PriorFacts, order: Key, prior: Subject) -> Fit:
    if not order.projections:
        return Fit.SAME
    acquired = prior_facts.views if prior_facts.views is not None else prior.key.projections
    if relations().never_pa & set(_positions(prior_facts, prior)):
        acquired = acquired - {"PA"} | ({"AP"} if "PA" in acquired else frozenset())
    answered = [bool(relations().accepted(view) & acquired) for view in order.projections]
    if all(answered):
        return Fit.SAME
    return Fit.LESS if any(answered) else Fit.NOT


def _contrast(prior_facts: PriorFacts, order: Key, prior: Key) -> Fit:
    if order.contrast is prior.contrast:
        return Fit.SAME
    if order.contrast is Contrast.PLAIN and prior_facts.non_contrast_series:
        return Fit.CONTAINS
    return Fit.LESS


def _positions(prior: PriorFacts, subject: Subject) -> Iterable[Position]:
    if prior.positions is not None:
        return prior.positions
    named = None if subject.item is None else subject.item.position
    return () if named is None else (Position(named),)


def _lacking(
    order: OrderFacts, prior: PriorFacts, ordered: Subject, acquired: Subject
) -> Iterator[str]:
    wanted = set(order.positions)
    if ordered.item is not None and ordered.item.position is not None:
        wanted.add(Position(ordered.item.position))
    taken = set(_positions(prior, acquired))
    if Position.WEIGHT_BEARING in taken:
        taken.add(Position.STANDING)
    yield from sorted(wanted - taken)
    yield from sorted(set(order.manoeuvres) - set(prior.manoeuvres or ()))
    yield from sorted(set(order.techniques) - set(prior.techniques or ()))
    if ordered.key.contrast is Contrast.ENHANCED:
        yield from sorted(set(order.phases) - set(prior.phases or ()))
