"""Plain films: the views of a name against the views of the items (R6.3-2, projections).

All views of an item and no other: the item. More: `multiple`, the items covered and the rest as
`extra_views`. Fewer or others: outside the catalogue. What custom adds to a name (the usual view of
a part) stands in the grammar and is an assumption of the answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from accord.catalogue.model import Item, Side
from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.model import Kind
from accord.catalogue.names.outcome import PAIR, Outcome, ambiguous, out, with_extra_views
from accord.catalogue.names.parser import Group
from accord.catalogue.names.scanning import Count

FRONTAL: Final = frozenset({"FRONT", "AP", "PA"})
BOTH_OBLIQUES: Final = frozenset({"OBL_L", "OBL_R"})
NO_SUCH_VIEW: Final = "该体位不在互认项目目录内"


@dataclass(frozen=True, slots=True)
class Views:
    """Views in the words of the catalogue, and what of them was assumed."""

    tokens: frozenset[str]
    assumptions: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Film:
    """One part of the body in plain films: what was read, and the items it can be."""

    group: Group
    part: str
    anatomy: str
    items: tuple[Item, ...]

    @property
    def candidates(self) -> tuple[int, ...]:
        """Return the items of the side that was said, or of every side."""
        sides = self.group.sides
        wanted = {Side(side) for side in sides} or {Side.LEFT, Side.RIGHT}
        if len(sides) == PAIR:
            wanted |= {Side.BOTH}
        return tuple(
            item.no
            for item in self.items
            if item.laterality in {*wanted, Side.NONE, Side.UNSPECIFIED} and item.age_group is None
        )


@dataclass(frozen=True)
class Films:
    """Decides plain films with the items of one catalogue, by part."""

    lexicon: Lexicon
    by_part: Mapping[tuple[str, str], tuple[Item, ...]]

    @property
    def _grammar(self) -> Mapping[str, Any]:
        return self.lexicon.grammar

    def decide(self, group: Group, part: str, spec: Any) -> Outcome:
        """Return the answer for one part of the body."""
        if spec == "out":
            return out(part, f"DR目录内没有{part}")
        if isinstance(spec, str):
            outcome = self._decide(self._film(group, part, spec))
            only = self._grammar["views_of_part"].get(part)
            if only is None or group.views == set(only) or not outcome.items:
                return outcome
            return ambiguous(part, outcome.items, f"{part}可以是{spec}的一部分")
        which, parts = next(iter(spec.items()))
        outcomes = [self._decide(self._film(group, part, one)) for one in parts]
        numbers = tuple(dict.fromkeys(no for one in outcomes for no in one.items))
        if not numbers:
            return out(part, f"DR目录内没有{part}的该体位")
        if which == "all" and all(one.kind is Kind.ITEM for one in outcomes):
            return Outcome(Kind.MULTIPLE, numbers, (f"{part}含几个项目",), part=part)
        return ambiguous(part, numbers, f"{part}可以是几个项目之一")

    def _film(self, group: Group, part: str, anatomy: str) -> Film:
        return Film(group, part, anatomy, self.by_part.get(("DR", anatomy), ()))

    def _decide(self, film: Film) -> Outcome:
        views = self._views(film)
        if isinstance(views, Outcome):
            return views
        aged = _by_age(film, views.tokens)
        if aged is not None:
            return aged
        if film.anatomy in self._grammar["alone_only"] and len(views.tokens) > 1:
            return out(film.part, f"{film.anatomy}正位以外另有体位，为其他检查")
        outcome = _by_views(film, views)
        if outcome.kind is Kind.AMBIGUOUS and film.anatomy in self._grammar["pair_is_usual"]:
            both = tuple(
                item.no
                for item in film.items
                if item.laterality is Side.BOTH and item.projections <= views.tokens
            )
            return replace(outcome, items=(*both, *outcome.items))
        return with_extra_views(outcome) if views.more else outcome

    # ------------------------------------------------------------------ which views
    def _views(self, film: Film) -> Views | Outcome:
        if film.group.unsure_views:
            return ambiguous(film.part, film.candidates, "体位数目可有几种理解")
        tokens = frozenset(film.group.views)
        breast = self._grammar["mammography"]
        if film.anatomy == breast["part"]:
            tokens = frozenset(breast.get(token, token) for token in tokens)
        if film.anatomy == self._grammar["frontal_by_position"]["part"]:
            return self._by_position(film, tokens)
        said: Views | Outcome = Views(tokens) if tokens else self._unsaid(film)
        if isinstance(said, Outcome):
            return said
        if film.anatomy == self._grammar["frontal_is_pa"]["part"]:
            return self._postero_anterior(film, said)
        front = frozenset("FRONT" if token in FRONTAL else token for token in said.tokens)
        return self._obliques(film, replace(said, tokens=front))

    def _unsaid(self, film: Film) -> Views | Outcome:
        """Return what is taken when a name has no view: by a number, a position, or custom."""
        if film.group.count is not None:
            return _counted(film, film.group.count)
        upright = film.group.positions & {"standing", "weight_bearing"}
        if upright and film.anatomy != self._grammar["frontal_is_pa"]["part"]:
            return out(film.part, "只有站立或负重，没有目录内的体位")
        usual = self._grammar["usual_views"].get(film.anatomy)
        if usual is None:
            return ambiguous(film.part, film.candidates, "没有体位")
        return Views(frozenset(usual), ("views",))

    def _postero_anterior(self, film: Film, said: Views) -> Views | Outcome:
        """Take a frontal chest as the standing PA view, unless something says otherwise."""
        rule = self._grammar["frontal_is_pa"]
        refused = said.tokens & set(rule["refused_views"])
        refused |= film.group.positions & set(rule["refused_positions"])
        if refused and "infant" not in film.group.ages:
            return out(film.part, "目录内的胸部正位为站立后前位")
        tokens = frozenset("PA" if token in FRONTAL else token for token in said.tokens)
        return replace(said, tokens=tokens)

    def _obliques(self, film: Film, said: Views) -> Views | Outcome:
        """Read an oblique without a side as both where the catalogue has both, else as one."""
        if "OBL" in said.tokens and film.anatomy in self._grammar["both_obliques"]:
            if said.tokens == {"OBL"}:
                numbers = tuple(item.no for item in film.items if item.projections == BOTH_OBLIQUES)
                return ambiguous(film.part, numbers, "未说明左斜位或右斜位")
            tokens = (said.tokens - {"OBL"}) | BOTH_OBLIQUES
            return replace(said, tokens=tokens, assumptions=(*said.assumptions, "obliques"))
        if said.tokens & BOTH_OBLIQUES and any("OBL" in item.projections for item in film.items):
            return replace(said, tokens=(said.tokens - BOTH_OBLIQUES) | {"OBL"})
        return said

    def _by_position(self, film: Film, tokens: frozenset[str]) -> Views | Outcome:
        """Read a frontal view by the position that its items ask for (立位, 卧位)."""
        table = self._grammar["frontal_by_position"]
        positions = film.group.positions
        frontal = frozenset(table[one] for one in positions if one in table)
        rest = tokens - FRONTAL
        if frontal and not (rest and not tokens & FRONTAL):
            return Views(frontal | rest)
        if rest and not tokens & FRONTAL:
            return Views(rest)
        if positions and not rest:
            return out(film.part, NO_SUCH_VIEW)
        return ambiguous(film.part, tuple(item.no for item in film.items), "未说明立位或卧位")


def _counted(film: Film, count: Count) -> Views | Outcome:
    """Return the views that a number stands for: those of the one item it fits, or more."""
    wanted = {Side(side) for side in film.group.sides} | {Side.NONE, Side.UNSPECIFIED}
    if len(film.group.sides) == PAIR:
        wanted |= {Side.BOTH}
    pairs = {
        item.projections
        for item in film.items
        if len(item.projections) == PAIR
        and (not film.group.sides or item.laterality in wanted)
        and not item.projections & {"OBL_L", "EXT"}
    }
    if count.most == 1 and all(len(item.projections) > 1 for item in film.items):
        return out(film.part, "少于项目的体位")
    usual = [one for one in pairs if one in USUAL_PAIRS]
    one_pair = len({item.projections for item in film.items if len(item.projections) == PAIR}) == 1
    if count.least == count.most == PAIR and usual:
        return Views(usual[0], ("views",))
    if count.least > PAIR and len(pairs) == 1 and (one_pair or film.group.sides):
        return Views(next(iter(pairs)), ("views",), more=True)
    return ambiguous(film.part, film.candidates, "体位数目不能确定体位")


USUAL_PAIRS: Final = frozenset(
    {frozenset({"FRONT", "LAT"}), frozenset({"PA", "LAT"}), frozenset({"CC", "MLO"})}
)


def _by_age(film: Film, views: frozenset[str]) -> Outcome | None:
    """Return the infant's item, or both when a child's age is not said (RD-A-INFANT)."""
    infants = [item for item in film.items if item.age_group is not None]
    if not infants or not film.group.ages:
        return None
    frontal = bool(views & FRONTAL)
    if "infant" in film.group.ages:
        if not frontal:
            return out(film.part, NO_SUCH_VIEW)
        single = Outcome(
            Kind.ITEM, (infants[0].no,), (f"{film.anatomy}，婴幼儿，正位",), part=film.part
        )
        return single if views <= FRONTAL else with_extra_views(single)
    if not frontal:
        return None
    adults = [item.no for item in film.items if item.projections == views]
    return ambiguous(film.part, (infants[0].no, *adults), "未说明是否3岁以下")


def _by_views(film: Film, views: Views) -> Outcome:
    """Cover the views with items of the side that was said."""
    items = [item for item in film.items if item.age_group is None]
    read = f"{film.anatomy}，{'、'.join(sorted(views.tokens))}"

    def of(*sides: Side) -> Outcome:
        return _covered([one for one in items if one.laterality in sides], views, read, film.part)

    sides = film.group.sides
    if not any(item.laterality in {Side.LEFT, Side.RIGHT} for item in items):
        return _covered(items, views, read, film.part)
    if len(sides) == 1:
        return of(Side(next(iter(sides))))
    if sides and any(item.laterality is Side.BOTH for item in items):
        return of(Side.BOTH)
    halves = (of(Side.LEFT), of(Side.RIGHT))
    numbers = tuple(no for one in halves for no in one.items)
    if not numbers:
        return halves[0]
    if not sides:
        return ambiguous(film.part, numbers, read, "没有侧别")
    return replace(
        halves[0],
        kind=Kind.MULTIPLE,
        items=tuple(sorted(numbers)),
        because=(read, "双侧，含左右两项"),
    )


def _covered(items: Iterable[Item], views: Views, read: str, part: str) -> Outcome:
    """Return the largest items inside the views; what is left over makes the order more."""
    inside: Sequence[Item] = [item for item in items if item.projections <= views.tokens]
    largest = [
        item for item in inside if not any(item.projections < one.projections for one in inside)
    ]
    if not largest:
        return out(part, f"{read}：目录内没有这些体位的项目")
    left = views.tokens - frozenset().union(*(item.projections for item in largest))
    numbers = tuple(item.no for item in largest)
    if left:
        why = (f"{read}：多于项目的体位",)
        more = ("extra_views",)
        return Outcome(Kind.MULTIPLE, numbers, why, views.assumptions, more, part)
    kind = Kind.ITEM if len(numbers) == 1 else Kind.MULTIPLE
    return Outcome(kind, numbers, (read,), views.assumptions, part=part)
