"""Approved local names: they win over the parser, but never cross side, contrast or modality."""

from dataclasses import replace

from accord.catalogue.model import Catalogue, Contrast, Item, Modality, Side
from accord.catalogue.names.model import Answer, Kind, Parts

WORDS = {"modality": "检查类别", "side": "侧别", "contrast": "平扫与增强"}


def crossings(parts: Parts, item: Item) -> tuple[str, ...]:
    """Return in which of modality, side and contrast the parts contradict an item.

    What the parts do not say contradicts nothing; both sides contradict an item of one side.
    """
    found = []
    if parts.modality in set(Modality) and parts.modality != item.modality:
        found.append("modality")
    one_sided = item.laterality in {Side.LEFT, Side.RIGHT}
    said = parts.laterality in {Side.LEFT, Side.RIGHT, Side.BOTH}
    if said and parts.laterality != item.laterality:
        both_item = item.laterality is Side.BOTH
        if one_sided or both_item:
            found.append("side")
    if item.contrast is not Contrast.NOT_APPLICABLE and parts.contrast not in {None, item.contrast}:
        found.append("contrast")
    return tuple(found)


def aliased(answer: Answer, number: int, catalogue: Catalogue) -> Answer:
    """Return the approved item in place of the parser's answer, or name what it would cross."""
    item = catalogue.by_no(number)
    if item is None:
        return answer
    crossed = (*crossings(answer.parts, item), *_contradicted(answer))
    if crossed:
        words = "、".join(WORDS[one] for one in dict.fromkeys(crossed))
        return replace(
            answer,
            kind=Kind.AMBIGUOUS,
            items=tuple(sorted({number, *answer.items})),
            because=(*answer.because, f"已审批映射为第{number}项，与名称或影像的{words}矛盾"),
            contradictions=tuple(dict.fromkeys((*answer.contradictions, *crossed))),
        )
    return replace(
        answer,
        kind=Kind.ITEM,
        items=(number,),
        confidence=1.0,
        because=(f"院内名称已审批映射为第{number}项",),
        assumptions=(),
        more=(),
    )


def _contradicted(answer: Answer) -> tuple[str, ...]:
    return tuple(one for one in answer.contradictions if one in WORDS)
