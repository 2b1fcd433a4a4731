"""Read a text into groups: what it says about each part of the body.

Longest word first, in any order; a segment ends at +, 、, `and` and the like. A segment without a
part says more about the one before it (平扫+增强), or about the first one that follows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.scanning import JOINTS, SPLITTING, Count, Element, Mention, scan
from accord.catalogue.names.text import fold, tokens, without_measures

Said = Mention | Count
SPINE_JOINTS: Final = frozenset({"、", "/", "和", "及", ",", "and", "&"})
AND_WORDS: Final = frozenset({"and", "or", "或", "以及", "及其他"})
PAIR: Final = 2
LIMBS: Final = frozenset({"上肢", "下肢"})
JUNCTIONS: Final = {
    frozenset({"颈椎", "胸椎"}): "颈胸段脊柱",
    frozenset({"胸椎", "腰椎"}): "胸腰段脊柱",
}


@dataclass
class Group:
    """What a name says about one part of the body."""

    part: str | None = None
    word: str = ""
    sides: set[str] = field(default_factory=set)
    soft_sides: set[str] = field(default_factory=set)
    contrasts: set[str] = field(default_factory=set)
    modalities: set[str] = field(default_factory=set)
    weak_film: bool = False
    views: set[str] = field(default_factory=set)
    unsure_views: bool = False
    positions: set[str] = field(default_factory=set)
    techniques: list[str] = field(default_factory=list)
    fees: list[tuple[str, str]] = field(default_factory=list)
    ages: set[str] = field(default_factory=set)
    count: Count | None = None
    extra: list[str] = field(default_factory=list)

    def takes(self, other: "Group") -> None:
        """Add what a segment without a part of its own says."""
        self.sides |= other.sides
        self.soft_sides |= other.soft_sides
        self.contrasts |= other.contrasts
        self.modalities |= other.modalities
        self.weak_film |= other.weak_film
        self.views |= other.views
        self.unsure_views |= other.unsure_views
        self.positions |= other.positions
        self.fees += other.fees
        self.ages |= other.ages
        self.count = self.count or other.count

    @property
    def tells_nothing(self) -> bool:
        """Whether nothing at all was read."""
        return self == Group()


@dataclass(frozen=True)
class Reading:
    """Everything read from one text.

    Attributes:
        groups: One for each part; none when no part is named.
        whole: What is said without a part, when no group took it.
        unread: Words that the lexicon does not know.
        compounds: Known words that touch and are most likely one that the lexicon lacks.
        guessed: Words taken for mistyped ones.
        concepts: Entries used.
    """

    groups: tuple[Group, ...] = ()
    whole: Group = field(default_factory=Group)
    unread: tuple[str, ...] = ()
    compounds: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    concepts: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    part_words: frozenset[str] = frozenset()
    alternatives: bool = False
    series: bool = False

    @property
    def all(self) -> tuple[Group, ...]:
        """Return the groups, or what was said without one."""
        return self.groups or (self.whole,)


def parse(text: str, lexicon: Lexicon, *, films: bool = False) -> Reading:
    """Read a text.

    Args:
        text: A name or a field.
        lexicon: The words.
        films: Whether it is about plain films, where some words are views.
    """
    cut = tokens(without_measures(fold(text)))
    scanned = scan(cut, lexicon, films=films)
    elements = scanned.elements
    read = [one for one in elements if isinstance(one, Mention)]
    compounds = _compounds(elements, lexicon)
    elements = _either(_negated(elements, lexicon), lexicon)
    elements = _after_instead(elements)
    elements = _without_included(elements, lexicon, films=films)
    elements = _promote(elements, lexicon)
    elements = _fuse(elements, lexicon)
    mentions = [one for one in elements if isinstance(one, Mention)]
    segments = list(_segments(elements))
    groups, whole = _group(segments, lexicon)
    return Reading(
        groups=tuple(groups),
        whole=whole,
        unread=tuple(scanned.unread),
        compounds=tuple(compounds),
        guessed=tuple(scanned.guessed),
        concepts=frozenset(mention.entry.id for mention in (*mentions, *read)),
        words=frozenset(mention.text for mention in read),
        part_words=frozenset(mention.text for mention in read if mention.category == "part"),
        alternatives=any(one.entry.get("value") == "or" for one in mentions),
        series=any(one.entry.get("series") for one in mentions),
    )


def _compounds(elements: Sequence[Element], lexicon: Lexicon) -> list[str]:
    """Return words that touch and are most likely one word that the lexicon lacks.

    胸 + 骨 is neither; 股骨 + 头 is no head; 全 + 腹 is more than 腹; pelvic + bone is no cavity.
    Only parts that the grammar lets run together (头颈、胸腹) and a part inside the other (手拇指)
    are what they say.
    """
    return [
        (one.text + after.text).replace(" ", "")
        for one, after in pairwise(elements)
        if isinstance(one, Mention)
        and isinstance(after, Mention)
        and _is_compound(one, after, lexicon)
    ]


def _is_compound(one: Mention, after: Mention, lexicon: Lexicon) -> bool:
    grammar = lexicon.grammar
    if one.text in grammar["extents"]:
        return after.category == "part" and len(after.text) == 1
    if one.category != "part":
        return False
    if after.text.split(" ")[0] in grammar["tissues"]:
        limb = lexicon.region(one.entry.id) in LIMBS
        return " " not in one.text and not limb and not one.entry.get("vague")
    if after.category != "part" or 1 not in {len(one.text), len(after.text)}:
        return False
    if one.text.isascii() or after.text.isascii():
        return False
    names = {one.entry.id, after.entry.id}
    nested = len(names) == 1 or any(lexicon.lies_in(x, y) for x in names for y in names)
    return not nested and not names <= set(grammar["run_together"])


def _either(elements: Sequence[Element], lexicon: Lexicon) -> list[Element]:
    """Read 左/右 and 平扫/增强 as one of the two, whichever words say them."""
    changed = list(elements)
    for position in range(len(changed) - 2):
        one, joint, other = changed[position : position + 3]
        if not (isinstance(one, Mention) and isinstance(other, Mention)) or not _is_or(joint):
            continue
        values = {one.entry.get("value"), other.entry.get("value")}
        for category, both in (("side", {"L", "R"}), ("contrast", {"plain", "enhanced"})):
            if one.category == other.category == category and values == both:
                either = lexicon.entries[lexicon.grammar["either"][category]]
                changed[position : position + 3] = [
                    replace(one, entry=either),
                    joint,
                    replace(other, entry=either),
                ]
    return changed


def _is_or(joint: Element) -> bool:
    if isinstance(joint, Mention):
        return bool(joint.entry.get("value") == "or")
    return joint == "/"


def _is_not_including(last: Sequence[Element], negations: Collection[str]) -> bool:
    if len(last) < PAIR:
        return False
    one, other = last
    return (
        isinstance(one, Mention)
        and isinstance(other, Mention)
        and one.text.replace(" ", "") in negations
        and other.entry.get("value") == "includes"
    )


def _negated(elements: list[Element], lexicon: Lexicon) -> list[Element]:
    """Read a negation right before a word of enhancement as plain, whichever word it is."""
    grammar = lexicon.grammar
    kept: list[Element] = []
    for one in elements:
        if _is_not_including(kept[-2:], grammar["negations"]):
            kept.pop()  # 不含 says what 不 says
        before = kept[-1] if kept else None
        if (
            isinstance(one, Mention)
            and isinstance(before, Mention)
            and before.text.replace(" ", "") in grammar["negations"]
            and one.text.split(" ")[0] not in grammar["contrast_prepositions"]
            and (one.entry.get("value") == "enhanced" or one.entry.get("contrast") == "enhanced")
        ):
            kept[-1] = replace(before, entry=lexicon.entries[grammar["negated_contrast"]])
            continue
        kept.append(one)
    return kept


def _after_instead(elements: list[Element]) -> list[Element]:
    """Forget what stands before 升级, 改为: it is not what is done."""
    for position in range(len(elements) - 1, -1, -1):
        one = elements[position]
        if isinstance(one, Mention) and one.entry.get("value") == "instead":
            rest = elements[position + 1 :]
            if any(isinstance(other, Mention) and other.category == "part" for other in rest):
                return rest
    return elements


def _without_included(elements: list[Element], lexicon: Lexicon, *, films: bool) -> list[Element]:
    """Forget the joint of 小腿正侧位（含踝关节）: a film of a limb shows the joint beside it."""
    kept: list[Element] = []
    includes = False
    named = False
    for one in elements:
        if isinstance(one, Mention):
            if one.entry.get("value") == "includes":
                includes = True
                continue
            limb = one.category == "part" and lexicon.region(one.entry.id) in LIMBS
            if includes and limb and named and films:
                continue
            named |= limb
            includes = includes and one.category == "part"
        kept.append(one)
    return kept


def _promote(elements: list[Element], lexicon: Lexicon) -> list[Element]:
    """Read the bare characters of 颈、胸、腰椎 as parts of the spine."""
    bare = lexicon.grammar.get("promote", {})
    changed = list(elements)
    spine = False
    for position in range(len(changed) - 1, -1, -1):
        one = changed[position]
        if isinstance(one, Mention) and one.category == "part":
            if spine and one.text in bare:
                changed[position] = replace(one, entry=lexicon.entries[bare[one.text]])
            else:
                spine = lexicon.lies_in(one.entry.id, "脊柱") and one.text not in bare
        elif isinstance(one, Mention) or one not in SPINE_JOINTS:
            spine = False
    return changed


def _fuse(elements: list[Element], lexicon: Lexicon) -> list[Element]:
    """Join two parts side by side that together are one part of the catalogue."""
    rules = {frozenset(rule["of"]): rule["is"] for rule in lexicon.grammar.get("fuse", ())}
    changed: list[Element] = []
    for one in elements:
        if isinstance(one, Mention) and one.category == "part":
            back = _part_just_before(changed)
            if back is not None:
                earlier = changed[back]
                both = frozenset({one.entry.id, earlier.entry.id})  # type: ignore[union-attr]
                if both in rules:
                    joined = lexicon.entries[rules[both]]
                    between = [x for x in changed[back + 1 :] if isinstance(x, Mention)]
                    changed[back:] = [replace(one, entry=joined, text=joined.id), *between]
                    continue
        changed.append(one)
    return changed


def _part_just_before(elements: Sequence[Element]) -> int | None:
    for position in range(len(elements) - 1, -1, -1):
        one = elements[position]
        if isinstance(one, Mention):
            if one.category == "part":
                return position
            if one.category != "noise":
                return None
        elif one not in JOINTS:
            return None
    return None


def _segments(elements: Iterable[Element]) -> Iterator[list[Said]]:
    current: list[Said] = []
    for one in elements:
        is_and = isinstance(one, Mention) and one.text in AND_WORDS
        if is_and or (isinstance(one, str) and one in SPLITTING):
            if current:
                yield current
            current = []
            if is_and:
                continue
        elif not isinstance(one, str):
            current.append(one)
    if current:
        yield current


def _group(segments: Sequence[Sequence[Said]], lexicon: Lexicon) -> tuple[list[Group], Group]:
    groups: list[Group] = []
    latest: list[Group] = []
    pending = Group()
    for segment in segments:
        said, parts = _said(segment, lexicon)
        if not parts:
            if not latest:
                pending.takes(said)
                pending.techniques += said.techniques
            else:
                _continue(latest, said)
            continue
        latest = []
        for part, word in parts:
            own = replace(
                said,
                part=part,
                word=word,
                sides=set(said.sides),
                soft_sides=set(said.soft_sides),
                contrasts=set(said.contrasts),
                modalities=set(said.modalities),
                views=set(said.views),
                positions=set(said.positions),
                techniques=list(said.techniques),
                fees=list(said.fees),
                ages=set(said.ages),
                extra=[],
            )
            if not groups and not pending.tells_nothing:
                own.takes(pending)
                own.techniques += pending.techniques
            latest.append(own)
        groups += latest
    _inherit(groups)
    return _merged(groups), pending


def _continue(latest: Sequence[Group], said: Group) -> None:
    """Let a segment without a part say more about the one before it."""
    for group in latest:
        if said.techniques:
            group.extra += said.techniques
            group.ages |= said.ages
        else:
            group.takes(said)


def _said(segment: Sequence[Said], lexicon: Lexicon) -> tuple[Group, list[tuple[str, str]]]:
    said = Group()
    parts: list[tuple[str, str]] = []
    levels: list[str] = []
    for position, one in enumerate(segment):
        if isinstance(one, Count):
            said.count = one
        elif one.category == "level":
            levels.append(one.text)
        else:
            _hear(one, said, parts, segment[position + 1 :])
    return said, _refined(parts, levels, lexicon)


def _hear(one: Mention, said: Group, parts: list[tuple[str, str]], after: Sequence[Said]) -> None:
    """Add what one word says."""
    hearer = HEARERS.get(one.category)
    if hearer is not None:
        hearer(one, said)
    if one.category == "part":
        parts.append((one.entry.id, one.text))
        return
    if one.entry.get("value") == "with":
        _hear_with(said, after)
    implied = [one.entry.get("part"), *one.entry.get("parts", ())]
    parts += [(part, one.text) for part in implied if part]


def _hear_view(one: Mention, said: Group) -> None:
    entry = one.entry
    said.views |= set(entry.get("views", ()))
    said.unsure_views |= bool(entry.get("unsure"))
    said.positions |= set(entry.get("positions", ())) | ({entry.get("position")} - {None})
    said.soft_sides |= _sides(entry.get("side"))


def _hear_side(one: Mention, said: Group) -> None:
    said.sides |= _sides(one.entry.get("value"))


def _sides(value: str | None) -> set[str]:
    return {"L", "R"} if value == "B" else {value} if value else set()


def _hear_contrast(one: Mention, said: Group) -> None:
    if one.entry.get("value") != "with":
        said.contrasts.add(one.entry.get("value"))


def _hear_with(said: Group, after: Sequence[Said]) -> None:
    """Take a bare `with` for contrast unless it only joins a part or a view to the name."""
    nearest = next((x for x in after if isinstance(x, Mention)), None)
    if nearest is None or nearest.category not in {"part", "view", "noise"}:
        said.contrasts.add("enhanced")


def _hear_modality(one: Mention, said: Group) -> None:
    if one.entry.get("weak"):
        said.weak_film = True
    else:
        said.modalities.add(one.entry.get("value"))


def _hear_technique(one: Mention, said: Group) -> None:
    said.techniques.append(one.entry.id)
    said.modalities |= {one.entry.get("modality")} - {None}


def _hear_fee(one: Mention, said: Group) -> None:
    said.fees.append((one.entry.id, one.entry.get("strength", "weak")))
    if one.entry.get("contrast"):
        said.contrasts.add("agent")


def _hear_age(one: Mention, said: Group) -> None:
    said.ages.add(one.entry.get("value"))


def _hear_count(one: Mention, said: Group) -> None:
    said.count = said.count or Count(one.entry.get("least"), one.entry.get("most"))


HEARERS: Final[Mapping[str, Callable[[Mention, Group], None]]] = {
    "view": _hear_view,
    "side": _hear_side,
    "contrast": _hear_contrast,
    "modality": _hear_modality,
    "technique": _hear_technique,
    "fee": _hear_fee,
    "age": _hear_age,
    "count": _hear_count,
}


def _refined(
    parts: Sequence[tuple[str, str]], levels: Sequence[str], lexicon: Lexicon
) -> list[tuple[str, str]]:
    """Keep the smaller of two parts when one lies in the other; each part once."""
    names = [part for part, _ in parts]
    vague = {part for part in names if lexicon.entries[part].get("vague")}
    if vague and set(names) - vague:
        names = [part for part in names if part not in vague]
    kept: list[tuple[str, str]] = []
    for part, word in parts:
        if part not in names or any(part == other for other, _ in kept):
            continue
        if any(
            lexicon.lies_in(other, part) or part in lexicon.entries[other].get("covers", ())
            for other in names
        ):
            continue
        kept.append((part, word))
    if levels and all(part in {"脊柱", "椎间盘"} for part, _ in kept):
        distinct = frozenset(levels)
        part = JUNCTIONS.get(distinct, levels[0])
        return [(part, part)]
    return kept


def _inherit(groups: Sequence[Group]) -> None:
    """Let a group without a side, contrast, modality or view take that of its neighbours.

    Views come after the parts they are of (颈椎、腰椎正侧位), never before.
    """
    bare = [not (one.contrasts or one.views or one.modalities or one.positions) for one in groups]
    forwards, backwards = list(groups), list(reversed(groups))
    for name in ("contrasts", "modalities", "views", "positions", "ages"):
        for order in (backwards,) if name == "views" else (backwards, forwards):
            _hand_on(order, name)
    if len({frozenset(group.sides) for group in groups if group.sides}) > 1:
        return  # 左膝+右踝+肘: whose side the elbow's is cannot be told
    for place, group in [*enumerate(groups), *reversed(list(enumerate(groups)))]:
        for beside in (place - 1, place + 1):
            near = 0 <= beside < len(groups) and (bare[place] or bare[beside])
            if near and not group.sides:
                group.sides = set(groups[beside].sides)


def _hand_on(order: Iterable[Group], name: str) -> None:
    """Give what one group says to those after it that do not say it."""
    known: set[str] = set()
    for group in order:
        own: set[str] = getattr(group, name)
        if own:
            known = own
        elif known and not group.techniques:
            setattr(group, name, set(known))


def _merged(groups: Sequence[Group]) -> list[Group]:
    """Put together what is said twice about one part and side; special scans become extras."""
    merged: dict[tuple[str | None, frozenset[str]], Group] = {}
    for group in groups:
        key = (group.part, frozenset(group.sides))
        before = merged.get(key)
        if before is None:
            merged[key] = group
        elif group.techniques and not before.techniques:
            before.extra += group.techniques
        elif before.techniques and not group.techniques:
            group.extra += before.techniques
            merged[key] = group
        else:
            before.takes(group)
            before.extra += group.extra
            before.techniques += group.techniques
    return list(merged.values())
