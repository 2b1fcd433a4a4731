"""A study's series map to items: chest and abdomen in one study are two items, each with series.

The order's items and the images' items are compared: what is missing, what is too much, what is
another side, contrast or part (hints 漏扫, 多扫, 错扫; a person decides).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accord.catalogue.model import Catalogue, Item
from accord.catalogue.names.matcher import Matcher
from accord.catalogue.names.model import Answer, Kind, Query, SeriesName
from accord.catalogue.names.parser import Reading, parse

MANY = "\\"


def match_study(matcher: Matcher, query: Query) -> Answer:
    """Return the answer for a study whose series are known.

    Series that name parts in different regions are matched part by part; a series that names
    none belongs to the study as a whole.
    """
    films = query.modality.upper() in {"DX", "CR", "DR", "MG"}
    parts = {one.uid: _part_of(matcher, one, films=films) for one in query.series}
    distinct = _apart(matcher, [part for part in parts.values() if part])
    if len(distinct) < 2:  # noqa: PLR2004
        answer = matcher.match(_joined(query, query.series))
        uids = tuple(one.uid for one in query.series)
        return (
            replace(answer, series=dict.fromkeys(answer.items, uids)) if _given(answer) else answer
        )
    answers = {
        part: matcher.match(
            replace(
                _joined(query, [one for one in query.series if parts[one.uid] in inside]),
                study_description="",
            )
        )
        for part, inside in distinct.items()
    }
    return _together(answers, distinct, parts)


def _given(answer: Answer) -> bool:
    return answer.kind in {Kind.ITEM, Kind.MULTIPLE}


def _part_of(matcher: Matcher, series: SeriesName, *, films: bool) -> str | None:
    for text in (series.description, series.protocol, series.body_part):
        reading: Reading = parse(text or "", matcher.lexicon, films=films)
        if len(reading.groups) == 1 and reading.groups[0].part:
            return reading.groups[0].part
    return None


def _apart(matcher: Matcher, parts: Sequence[str]) -> dict[str, set[str]]:
    """Return the parts that are no parts of each other, each with those inside it."""
    lexicon = matcher.lexicon
    names = sorted(set(parts))
    vague = {name for name in names if lexicon.entries[name].get("vague")}
    outer = [
        name
        for name in names
        if name not in vague and not any(lexicon.lies_in(name, other) for other in names)
    ]
    return {
        name: {name, *(other for other in names if lexicon.lies_in(other, name))} for name in outer
    }


def _joined(query: Query, series: Sequence[SeriesName]) -> Query:
    def union(values: Sequence[str | None]) -> str:
        return MANY.join(dict.fromkeys(value for value in values if value))

    return replace(
        query,
        body_part=union([one.body_part for one in series]) or query.body_part,
        view_position=union([one.view_position for one in series]) or query.view_position,
        laterality=union([one.laterality for one in series]) or query.laterality,
        series_description=union([one.description for one in series]),
        protocol=union([one.protocol for one in series]),
        contrast_agent=union([one.contrast_agent for one in series]) or query.contrast_agent,
        series=(),
    )


def _together(
    answers: Mapping[str, Answer],
    distinct: Mapping[str, set[str]],
    parts: Mapping[str, str | None],
) -> Answer:
    listed = {part: answer for part, answer in answers.items() if _given(answer)}
    first = next(iter((listed or answers).values()))
    because = tuple(reason for answer in answers.values() for reason in answer.because)
    if not listed:
        return replace(first, because=because)
    series = {
        number: tuple(uid for uid, own in parts.items() if own in distinct[part])
        for part, answer in listed.items()
        for number in answer.items
    }
    numbers = tuple(dict.fromkeys(no for answer in listed.values() for no in answer.items))
    return Answer(
        kind=Kind.MULTIPLE if len(numbers) > 1 or len(listed) < len(answers) else Kind.ITEM,
        items=numbers,
        confidence=min(answer.confidence for answer in listed.values()),
        because=because,
        parts=replace(first.parts, anatomy=tuple(answers)),
        more=("extra_scan",) if len(listed) < len(answers) else (),
        series=series,
        concepts=frozenset().union(*(answer.concepts for answer in answers.values())),
    )


@dataclass(frozen=True, slots=True)
class Hint:
    """What differs between order and images: `missing`, `extra` or `wrong`, with a sentence."""

    kind: str
    sentence: str


def compare(
    ordered: Sequence[int], imaged: Sequence[int], catalogue: Catalogue
) -> tuple[Hint, ...]:
    """Return what was ordered and not imaged, imaged and not ordered, or taken for another."""
    if not ordered or not imaged:
        return ()
    missing = [item for no in ordered if no not in imaged and (item := catalogue.by_no(no))]
    extra = [item for no in imaged if no not in ordered and (item := catalogue.by_no(no))]
    if missing and extra:
        return tuple(_wrong(item, extra) for item in missing)
    return (
        *(Hint("missing", f"申请含“{item.name}”，影像中未见（疑似漏扫）") for item in missing),
        *(Hint("extra", f"影像含“{item.name}”，申请中没有（疑似多扫）") for item in extra),
    )


def _wrong(ordered: Item, imaged: Sequence[Item]) -> Hint:
    nearest = max(imaged, key=lambda item: _likeness(ordered, item))
    what = [
        word
        for word, differs in (
            ("类别", ordered.modality != nearest.modality),
            ("部位", ordered.anatomy != nearest.anatomy),
            ("侧别", ordered.laterality != nearest.laterality),
            ("平扫或增强", ordered.contrast != nearest.contrast),
            ("体位", ordered.projections != nearest.projections),
        )
        if differs
    ]
    return Hint(
        "wrong",
        f"申请为“{ordered.name}”，影像为“{nearest.name}”，{'、'.join(what)}不同（疑似错扫）",
    )


def _likeness(one: Item, other: Item) -> int:
    return (
        4 * (one.anatomy == other.anatomy)
        + 2 * (one.laterality == other.laterality)
        + (one.contrast == other.contrast)
    )
