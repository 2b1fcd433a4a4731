"""Which items of the catalogue an examination is, from its order and its images (R7.2-1).

A source that says nothing is silent; two sources that say different things give no item, never a
pick (left is never right).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accord import catalogue
from accord.archive.model import StudyFacts
from accord.catalogue import Catalogue
from accord.record.model import Order, Report


@dataclass(frozen=True)
class Matched:
    """The items found, and the sentence that says how or why not."""

    items: tuple[int, ...]
    because: str


def match_items(
    known: Catalogue,
    institution: str,
    aliases: Mapping[tuple[str, str], int],
    *,
    order: Order | None,
    report: Report | None,
    facts: StudyFacts | None,
) -> Matched:
    """Return the item on which every source that names one agrees."""
    names: dict[str, str | None] = {
        "申请单编码": order.item_code if order else None,
        "申请单项目名称": order.item_text if order else None,
        "报告项目名称": report.item_text if report else None,
        "影像检查描述": facts.study_description if facts else None,
    }
    found: dict[str, int] = {}
    for source, name in names.items():
        if name:
            match = catalogue.match(name, institution=institution, aliases=aliases)
            if match.item is not None:
                found[source] = match.item.no
    numbers = set(found.values())
    if len(numbers) == 1:
        (number,) = numbers
        return Matched((number,), f"{'、'.join(found)}：{known.by_no(number).name}")
    if not numbers:
        return Matched((), "院内项目名称尚未映射到互认项目")
    told = "；".join(f"{source}为第{number}项" for source, number in found.items())
    return Matched((), f"各来源的检查项目相互矛盾：{told}")
