"""Let the fields of a study vote with its name; contradictions are named, never decided.

The name leads, then the descriptions, then Body Part Examined: technicians leave the preset of
the last patient there. The modality, the side and the contrast agent of the header count as much
as the name.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.model import Query
from accord.catalogue.names.parser import Group, Reading, parse

SEPARATOR: Final = re.compile(r"[\\;|]")
SIDES: Final = {
    **dict.fromkeys(("L", "LEFT", "左", "左侧"), frozenset("L")),
    **dict.fromkeys(("R", "RIGHT", "右", "右侧"), frozenset("R")),
    **dict.fromkeys(("B", "BOTH", "双", "双侧"), frozenset("LR")),
}
STATEMENTS: Final = ("study description", "protocol")
DESCRIPTIONS: Final = ("study description", "protocol", "series description")


@dataclass(frozen=True)
class Evidence:
    """What name and fields together say.

    Attributes:
        modality: DR, CT, MR, `other`, or nothing.
        groups: One for each part of the body.
        field_sides: Side of Laterality and of the descriptions.
        agent: The header names a contrast agent.
        lead: Which text named the part.
        contradictions: side, contrast, modality, part.
        unread: Unknown words of the leading text.
        guessed: Words taken for mistyped ones.
        concepts: Entries used.
    """

    modality: str | None
    groups: tuple[Group, ...]
    whole: Group
    agent: bool
    lead: str
    contradictions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    concepts: frozenset[str] = frozenset()
    alternatives: bool = False
    series: bool = False
    words: frozenset[str] = frozenset()
    part_words: frozenset[str] = frozenset()
    has_name: bool = True


def weigh(query: Query, lexicon: Lexicon) -> Evidence:
    """Read name and fields, let them vote, and name what contradicts."""
    field_modality = _field_modality(query.modality, lexicon.grammar)
    texts = {
        "name": query.name,
        "study description": _specific(query.study_description, lexicon),
        "protocol": _specific(query.protocol, lexicon),
        "series description": query.series_description,
        "body part": _body_part(query.body_part, lexicon.grammar),
    }
    films = field_modality == "DR"
    if field_modality is None:
        name = parse(query.name, lexicon)
        said = _modalities(name)
        films = said == {"DR"} or (not said and any(group.views for group in name.all))
    readings = {
        key: parse(text.replace("\\", " ; "), lexicon, films=films)
        for key, text in texts.items()
        if text
    }
    return _vote(query, readings, field_modality, lexicon)


def _specific(text: str, lexicon: Lexicon) -> str:
    """Return what stands behind the caret of a vendor's `Region^Protocol`, if it names a part."""
    _, caret, behind = text.partition("^")
    return behind if caret and parse(behind, lexicon).groups else text


def _field_modality(text: str, grammar: Any) -> str | None:
    values = {value.strip().upper() for value in SEPARATOR.split(text) if value.strip()}
    found = set()
    for name, codes in grammar["modalities"].items():
        if values & set(codes):
            found.add("DR" if name == "MG" else name)
    found.discard("none")
    if len(found) > 1:
        found.discard("other") if found - {"other"} else None
    return found.pop() if len(found) == 1 else None


def _body_part(text: str, grammar: Any) -> str:
    empty = set(grammar["empty_body_parts"])
    kept = [value for value in SEPARATOR.split(text) if value.strip().lower() not in empty]
    joined = " ; ".join(kept)
    return re.sub(r"_TO_|_AND_", " ; ", joined, flags=re.IGNORECASE)


def _modalities(reading: Reading) -> set[str]:
    return set().union(*(group.modalities for group in reading.all), reading.whole.modalities)


def _vote(
    query: Query, readings: dict[str, Reading], field_modality: str | None, lexicon: Lexicon
) -> Evidence:
    lead = next((key for key, reading in readings.items() if reading.groups), "")
    main = next(
        (
            key
            for key in ("name", "study description", "protocol", "series description")
            if key in readings
        ),
        "",
    )
    reading = readings.get(main, Reading())
    leading = readings.get(lead, Reading())
    groups = [replace(group) for group in leading.groups]
    if lead and main and lead != main:
        for group in groups:
            _take_all(group, reading.whole)
    concepts = frozenset().union(*(one.concepts for one in readings.values()))
    contradictions: list[str] = []
    modality = _modality(readings, reading, field_modality, contradictions)
    whole = _whole(readings, reading, main)
    agent = _agent(query.contrast_agent, lexicon)
    groups = _narrowed(groups, readings, lead, lexicon)
    targets = groups or [whole]
    _vote_sides(targets, query, readings, contradictions)
    if modality == "DR":
        _vote_views(targets, query, readings, main, lexicon)
    _vote_contrast(targets, readings, main, contradictions, agent=agent)
    if _parts_apart(groups, readings, lead, lexicon):
        contradictions.append("part")
    if not groups and query.modality.strip().upper() == "MG":
        groups = [replace(whole, part=lexicon.grammar["mammography"]["part"])]
    return Evidence(
        modality=modality,
        groups=tuple(groups),
        whole=whole,
        agent=agent,
        lead=lead,
        contradictions=tuple(dict.fromkeys(contradictions)),
        unread=_unread(targets, readings, reading, leading, modality),
        guessed=reading.guessed,
        concepts=concepts,
        words=frozenset().union(*(one.words for one in readings.values())),
        part_words=frozenset().union(*(one.part_words for one in readings.values())),
        alternatives=reading.alternatives,
        series=reading.series,
        has_name=bool(query.name.strip()),
    )


def _unread(
    targets: list[Group],
    readings: dict[str, Reading],
    main: Reading,
    leading: Reading,
    modality: str | None,
) -> tuple[str, ...]:
    """Return the unknown words of the texts that decided.

    Study Description and a Body Part Examined that nobody can read may contradict the name. Without
    a name the series speak too, but where a scan says plain or enhanced what they add is known;
    `Head bone` of a series is a kernel and no compound.
    """
    texts = [main, leading, readings.get("study description", Reading())]
    body = readings.get("body part", Reading())
    if not body.groups:
        texts.append(body)
    said = any(group.contrasts & {"plain", "enhanced", "either"} for group in targets)
    if "name" not in readings and not (modality in {"CT", "MR"} and said):
        texts += [readings[key] for key in DESCRIPTIONS if key in readings]
    series = readings.get("series description")
    return tuple(
        dict.fromkeys(
            word
            for one in texts
            for word in (*one.unread, *one.compounds)
            if not (one is series and word in one.compounds and word.isascii())
        )
    )


def _take_all(group: Group, said: Group) -> None:
    group.takes(said)
    group.techniques = [*group.techniques, *said.techniques]


def _whole(readings: dict[str, Reading], reading: Reading, main: str) -> Group:
    """Return what is said without a part, with the techniques of the other descriptions."""
    whole = replace(reading.whole)
    for key, other in readings.items():
        if key not in {main, "series description", "body part"}:
            for group in other.all:
                whole.techniques = [*whole.techniques, *group.techniques]
    return whole


def _modality(
    readings: dict[str, Reading],
    reading: Reading,
    field_modality: str | None,
    contradictions: list[str],
) -> str | None:
    said = _modalities(reading)
    if "other" in said:
        return "other"
    if not said and field_modality is None:
        said = set().union(*(_modalities(one) for one in readings.values()), set())
    weak = any(group.weak_film for group in reading.all)
    if not said and field_modality is None:
        has_views = any(group.views for one in readings.values() for group in one.all)
        return "DR" if weak or has_views else None
    if len(said) > 1:
        if field_modality is not None:
            contradictions.append("modality")
        return field_modality
    word = said.pop() if said else field_modality
    if field_modality not in {None, word}:
        if field_modality == "other":
            return "other"
        contradictions.append("modality")
    return word


def _agent(text: str, lexicon: Lexicon) -> bool:
    none = {str(value).lower() for value in lexicon.grammar["no_agent"]}
    return any(
        value.strip() and value.strip().lower() not in none for value in SEPARATOR.split(text)
    )


def _narrowed(
    groups: list[Group], readings: dict[str, Reading], lead: str, lexicon: Lexicon
) -> list[Group]:
    """Let a later text name the smaller part inside the larger one that the leading text names."""
    if len(groups) != 1:
        return groups
    (group,) = groups
    for key, reading in readings.items():
        if key == lead or len(reading.groups) != 1:
            continue
        other = reading.groups[0]
        if (
            group.part
            and other.part
            and lexicon.lies_in(other.part, group.part)
            and (key == "body part" or group.part in lexicon.grammar["wide_parts"])
        ):
            group.part = other.part
            group.word = other.word
    return groups


def _vote_sides(
    targets: list[Group], query: Query, readings: dict[str, Reading], contradictions: list[str]
) -> None:
    """Give groups without a side the one that all fields agree on; name what contradicts."""
    votes = _side_votes(query, readings)
    distinct = {frozenset(sides) for sides in votes.values()}
    if len(distinct) > 1 and _sides_clash(targets, votes):
        contradictions.append("side")
        return
    named = any(group.sides - {"either"} for group in targets)
    for group in targets:
        if not named and len(distinct) == 1:
            group.sides = set(next(iter(distinct)))
        group.sides = group.sides - {"either"}
        if not group.sides and group.soft_sides:
            group.sides = set(group.soft_sides)


def _side_votes(query: Query, readings: dict[str, Reading]) -> dict[str, set[str]]:
    votes: dict[str, set[str]] = {"laterality": set()}
    for value in SEPARATOR.split(query.laterality):
        votes["laterality"] |= SIDES.get(value.strip().upper(), frozenset())
    for key, reading in readings.items():
        votes[key] = set().union(*(group.sides for group in reading.all)) - {"either"}
    return {key: sides for key, sides in votes.items() if sides}


def _sides_clash(targets: list[Group], votes: dict[str, set[str]]) -> bool:
    """Say whether sides contradict; several parts of one order may have a side each."""
    if len(targets) == 1:
        return True
    named = set().union(*(group.sides for group in targets))
    return "laterality" in votes and bool(named) and named != votes["laterality"]


def _vote_views(
    targets: list[Group], query: Query, readings: dict[str, Reading], main: str, lexicon: Lexicon
) -> None:
    """Let View Position and the descriptions say the views that the name does not."""
    table = lexicon.grammar["view_positions"]
    header: set[str] = set()
    for value in SEPARATOR.split(query.view_position):
        header |= set(table.get(value.strip().upper(), ()))
    described = Group()
    for key in DESCRIPTIONS:
        if key in readings and key != main:
            for group in readings[key].all:
                described.views |= group.views
                described.positions |= group.positions
                described.count = described.count or group.count
    for group in targets:
        group.views = _views(group.views, header, described.views, has_name=main == "name")
        group.positions = group.positions or set(described.positions)
        group.count = group.count or described.count


def _views(own: set[str], header: set[str], described: set[str], *, has_name: bool) -> set[str]:
    """Return the views of a group: its own, made exact by the header; without a name all."""
    if not own:
        return _exact(header | described)
    if not has_name:
        if own & {"EXT", "FLEX"}:
            header = header - {"LAT"}  # a lateral view in flexion is what the header calls lateral
        return _exact(own | header) | described
    exact = header & {"AP", "PA"}
    if "FRONT" in own and len(exact) == 1:
        return (own - {"FRONT"}) | exact
    return own


def _exact(views: set[str]) -> set[str]:
    """Drop the general frontal view where the header says which one it is."""
    return views - {"FRONT"} if views & {"AP", "PA"} else views


def _vote_contrast(
    targets: list[Group],
    readings: dict[str, Reading],
    main: str,
    contradictions: list[str],
    *,
    agent: bool,
) -> None:
    """Give groups without a contrast word that of the fields; name what contradicts.

    A plain series inside an enhanced study is usual, a plain study description is a statement.
    """
    described = {key: _contrasts(readings, key) for key in DESCRIPTIONS if key != main}
    enhanced = agent or any("enhanced" in one for one in described.values())
    stated_plain = any(described.get(key) == {"plain"} for key in STATEMENTS)
    named = set().union(*(group.contrasts for group in targets))
    if ("plain" in named and "enhanced" not in named and enhanced) or (
        stated_plain and (enhanced or "enhanced" in named)
    ):
        contradictions.append("contrast")
    for group in targets:
        if not group.contrasts & {"plain", "enhanced", "either"}:
            if enhanced or "agent" in group.contrasts:
                group.contrasts = {"enhanced"}
            elif any("plain" in one for one in described.values()):
                group.contrasts = {"plain"}


def _contrasts(readings: dict[str, Reading], key: str) -> set[str]:
    reading = readings.get(key)
    if reading is None:
        return set()
    return set().union(*(group.contrasts for group in reading.all)) & {"plain", "enhanced"}


def _parts_apart(
    groups: list[Group], readings: dict[str, Reading], lead: str, lexicon: Lexicon
) -> bool:
    """Say whether two fields name parts that are not even neighbours."""
    own = {lexicon.region(group.part) for group in groups if group.part is not None}
    for key, reading in readings.items():
        if key == lead or not reading.groups:
            continue
        other: set[str] = {
            lexicon.region(group.part)
            for group in reading.groups
            if group.part and not lexicon.entries[group.part].get("vague")
        }
        if own and other and not any(_is_near(one, two, lexicon) for one in own for two in other):
            return True
    return False


def _is_near(one: str, other: str, lexicon: Lexicon) -> bool:
    if one == other or "全身" in {one, other}:
        return True
    return any({one, other} <= set(pair) for pair in lexicon.grammar["neighbours"])
