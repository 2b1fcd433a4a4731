"""Which items of the catalogue an examination is, from its order and its images (R7.2-1, R6.3-2).

Names are read by the parser of `catalogue.names`; an approved alias wins over it and never crosses
side, contrast or modality. A source that says nothing is silent; two sources that say different
things give no item, never a pick (left is never right). What was performed counts: an order of two
parts whose images show one is the one, with a hint that the other is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from accord import catalogue
from accord.archive.model import StudyFacts
from accord.catalogue.model import CODE_PREFIX, Catalogue, How
from accord.catalogue.names import matcher
from accord.catalogue.names.aliases import aliased
from accord.catalogue.names.model import Answer, Kind, Query, SeriesName
from accord.catalogue.names.study import compare, match_study
from accord.record.model import Order, Report

GIVEN: Final = frozenset({Kind.ITEM, Kind.MULTIPLE})
WITHOUT_IMAGES: Final = frozenset({"SR", "PR", "KO", "SEG", "REG", "DOC", "RWV", "RTSTRUCT"})
CONTRADICTIONS: Final = {"side": "侧别", "contrast": "平扫与增强", "modality": "检查类别"}


@dataclass(frozen=True)
class Matched:
    """The items found, the sentence that says how or why not, and what order and images differ in.

    Attributes:
        items: Numbers of the items performed.
        because: How they were found, or why none was.
        hints: 漏扫, 多扫, 错扫: for people and for data and image quality.
        series: The series of each item, where the images tell.
    """

    items: tuple[int, ...]
    because: str
    hints: tuple[str, ...] = ()
    series: Mapping[int, tuple[str, ...]] | None = None


def match_items(
    known: Catalogue,
    institution: str,
    aliases: Mapping[tuple[str, str], int],
    *,
    order: Order | None,
    report: Report | None,
    facts: StudyFacts | None,
) -> Matched:
    """Return the items on which every source that names one agrees."""
    matching = matcher.load(known.version)
    names = Names(known, matching, institution, aliases)
    found: dict[str, tuple[int, ...]] = {}
    modality = _modality(facts)
    if order is not None:
        found["申请单编码"] = _coded(known, order)
        asked = Query(order.item_text, modality=modality, laterality=order.side or "")
        found["申请单项目名称"] = _given(names.read(asked))
    if report is not None and report.item_text:
        asked = Query(report.item_text, modality=report.modality or modality)
        found["报告项目名称"] = _given(names.read(asked))
    images = None
    if facts is not None:
        query = query_of(facts)
        images = match_study(matching, query)
        alias = _alias(aliases, institution, facts.study_description)
        if alias is not None:
            images = aliased(images, alias, known)
        found["影像"] = _given(images)
    found = {source: items for source, items in found.items() if items}
    contradiction = _contradiction(matching, order, facts)
    matched = _agreed(known, found, contradiction)
    if images is None or not matched.items:
        return matched
    return Matched(matched.items, matched.because, matched.hints, images.series or None)


@dataclass(frozen=True)
class Names:
    """Reads the names of one institution: printed, approved, or parsed."""

    known: Catalogue
    matching: matcher.Matcher
    institution: str
    aliases: Mapping[tuple[str, str], int]

    def read(self, query: Query) -> Answer:
        """Return the answer to a name; approved and printed ones win unless fields contradict."""
        match = self.known.match(query.name, institution=self.institution, aliases=self.aliases)
        answer = self.matching.match(query)
        if match.item is None:
            return answer
        if match.how is How.ALIAS:
            return aliased(answer, match.item.no, self.known)
        if answer.contradictions:
            return answer
        return Answer(Kind.ITEM, (match.item.no,), parts=answer.parts)


def items_of_order(
    known: Catalogue, institution: str, aliases: Mapping[tuple[str, str], int], order: Order
) -> tuple[int, ...]:
    """Return the items an order asks for, by its code or its name; none when that is unsure."""
    coded = _coded(known, order)
    if coded:
        return coded
    names = Names(known, matcher.load(known.version), institution, aliases)
    answer = names.read(Query(order.item_text, laterality=order.side or ""))
    number = _alias(aliases, institution, order.item_code)
    if not _given(answer) and number is not None:
        answer = aliased(answer, number, known)
    return _given(answer)


def _alias(
    aliases: Mapping[tuple[str, str], int], institution: str, name: str | None
) -> int | None:
    return aliases.get((institution, catalogue.fold(name))) if name else None


def _coded(known: Catalogue, order: Order) -> tuple[int, ...]:
    if order.item_code is None or not is_national(order.item_code):
        return ()
    item = known.by_code(order.item_code)
    return () if item is None else (item.no,)


def _given(answer: Answer) -> tuple[int, ...]:
    return answer.items if answer.kind in GIVEN else ()


def _modality(facts: StudyFacts | None) -> str:
    if facts is None:
        return ""
    return "\\".join(one for one in facts.modalities if one not in WITHOUT_IMAGES)


def query_of(facts: StudyFacts, name: str = "") -> Query:
    """Return what the headers of a study say, as the matcher asks it."""
    series = tuple(
        SeriesName(
            uid=one.series_uid,
            description=one.description,
            protocol=one.protocol,
            body_part=one.body_part,
            laterality=_both(one.laterality, one.image_laterality),
            view_position=one.view_position,
            contrast_agent=one.contrast_agent,
        )
        for one in facts.series
        if one.modality not in WITHOUT_IMAGES
    )
    return Query(
        name=name,
        modality=_modality(facts),
        study_description=facts.study_description or facts.requested_procedure or "",
        series=series,
    )


def _both(*values: str | None) -> str | None:
    return "\\".join(dict.fromkeys(value for value in values if value)) or None


def _contradiction(
    matching: matcher.Matcher, order: Order | None, facts: StudyFacts | None
) -> str | None:
    """Name the side, contrast or modality in which order and images contradict each other."""
    if order is None or facts is None:
        return None
    answer = match_study(matching, query_of(facts, name=order.item_text))
    words = [CONTRADICTIONS[one] for one in answer.contradictions if one in CONTRADICTIONS]
    return "、".join(words) or None


def _agreed(
    known: Catalogue, found: Mapping[str, tuple[int, ...]], contradiction: str | None
) -> Matched:
    if contradiction is not None:
        hint = f"申请与影像的{contradiction}相互矛盾（疑似错扫）"
        return Matched((), f"各来源的检查项目相互矛盾：{hint}", (hint,))
    if not found:
        return Matched((), "院内项目名称尚未映射到互认项目")
    ordered = found.get("申请单编码") or found.get("申请单项目名称") or ()
    imaged = found.get("影像", ())
    hints = tuple(hint.sentence for hint in compare(ordered, imaged, known))
    performed = _performed(found, imaged)
    if performed is None:
        told = "；".join(f"{source}为{_numbers(items)}" for source, items in found.items())
        return Matched((), f"各来源的检查项目相互矛盾：{told}", hints)
    names = "、".join(item.name for no in performed if (item := known.by_no(no)))
    return Matched(performed, f"{'、'.join(found)}：{names}", hints)


def _performed(
    found: Mapping[str, tuple[int, ...]], imaged: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return what was performed: what the images show, if every source has it in common."""
    sets = [frozenset(items) for items in found.values()]
    if len(set(sets)) == 1:
        return next(iter(found.values()))
    if not imaged:
        return None
    shown = frozenset(imaged)
    return imaged if all(one <= shown or shown <= one for one in sets) else None


def _numbers(items: tuple[int, ...]) -> str:
    return "、".join(f"第{no}项" for no in items)


def is_national(code: str) -> bool:
    """Say whether a code is one of the catalogue and not a number of the hospital's own."""
    return code.strip().upper().startswith(CODE_PREFIX)
