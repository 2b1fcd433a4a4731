"""Which items of the catalogue an examination is, from its order and its images (R7.2-1).

A source that says nothing is silent; two sources that say different things give no item, never a
pick (left is never right).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from accord.archive.model import StudyFacts
from accord.catalogue.model import CODE_PREFIX, Catalogue, Item
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
    found: dict[str, Item] = {}
    if order is not None and order.item_code is not None and is_national(order.item_code):
        item = known.by_code(order.item_code)
        if item is not None:
            found["申请单编码"] = item
    names = {
        "申请单项目名称": order.item_text if order else None,
        "报告项目名称": report.item_text if report else None,
        "影像检查描述": facts.study_description if facts else None,
    }
    for source, name in names.items():
        item = known.match(name, institution=institution, aliases=aliases).item
        if item is not None:
            found[source] = item
    items = {item.no: item for item in found.values()}
    if not items:
        return Matched((), "院内项目名称尚未映射到互认项目")
    if len(items) > 1:
        told = "；".join(f"{source}为第{item.no}项" for source, item in found.items())
        return Matched((), f"各来源的检查项目相互矛盾：{told}")
    (item,) = items.values()
    return Matched((item.no,), f"{'、'.join(found)}：{item.name}")


def is_national(code: str) -> bool:
    """Say whether a code is one of the catalogue and not a number of the hospital's own."""
    return code.strip().upper().startswith(CODE_PREFIX)
