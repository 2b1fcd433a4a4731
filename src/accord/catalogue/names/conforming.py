"""Names of four parts: category, body part, protocol, position (R7.2-1, RD-7.2-POSITION).

A printed name of the catalogue always conforms (D9). CT and MR need no position; films do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from accord.catalogue.model import AgeGroup, Catalogue, Contrast, Item, Modality, Side
from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.lexicon import load as load_lexicon
from accord.catalogue.names.parser import parse

SIDE_WORDS: Final[Mapping[Side, str]] = {
    Side.LEFT: "左侧",
    Side.RIGHT: "右侧",
    Side.BOTH: "双侧",
    Side.NONE: "",
    Side.UNSPECIFIED: "",
}
POSITION_WORDS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"PA"}): "站立后前位",
    frozenset({"PA", "LAT"}): "站立后前位及侧位",
    frozenset({"FRONT"}): "正位",
    frozenset({"FRONT", "LAT"}): "正侧位",
    frozenset({"FRONT", "OBL"}): "正斜位",
    frozenset({"LAT"}): "侧位",
    frozenset({"LAT", "AXIAL"}): "侧轴位",
    frozenset({"OBL_L", "OBL_R"}): "双斜位",
    frozenset({"OPEN_MOUTH"}): "张口位",
    frozenset({"EXT", "FLEX"}): "过伸过屈位",
    frozenset({"CC", "MLO"}): "轴斜位",
    frozenset({"FRONT_ERECT"}): "立位",
    frozenset({"FRONT_SUPINE"}): "卧位",
}
FILM: Final = "摄影"


@dataclass(frozen=True, slots=True)
class Form:
    """The four parts of a name; `missing` says in Chinese which of them it lacks."""

    category: str | None
    part: str | None
    protocol: str | None
    position: str | None
    printed: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what the name lacks; nothing for a printed one."""
        if self.printed:
            return ()
        wanted = {"检查类别": self.category, "检查部位": self.part, "检查方案": self.protocol}
        if self.category == Modality.DR:
            wanted["体位设计"] = self.position
        return tuple(name for name, value in wanted.items() if not value)

    @property
    def conforms(self) -> bool:
        """Say whether the name has its four parts."""
        return not self.missing


def judge(name: str, catalogue: Catalogue, lexicon: Lexicon | None = None) -> Form:
    """Return the four parts that a name states; nothing is added by custom."""
    known = lexicon or load_lexicon()
    printed = catalogue.by_name(name) is not None
    said = parse(name, known)
    modalities = set().union(*(group.modalities for group in said.all))
    films = "DR" in modalities or any(group.weak_film for group in said.all)
    if films:
        said = parse(name, known, films=True)
    contrasts = set().union(*(group.contrasts for group in said.all)) & {"plain", "enhanced"}
    views = set().union(*(group.views | group.positions for group in said.all))
    category = "DR" if "DR" in modalities else next(iter(sorted(modalities)), None)
    if category is None and films and FILM in name:
        category = "DR"
    protocol: str | None = "、".join(sorted(contrasts)) or None
    if category == Modality.DR and FILM in name:
        protocol = FILM
    return Form(
        category=category,
        part="、".join(group.part for group in said.groups if group.part) or None,
        protocol=protocol,
        position="、".join(sorted(views)) if films and views else None,
        printed=printed,
    )


def form_of(item: Item) -> str:
    """Return the conforming name of an item: category, part, protocol, position."""
    part = f"{SIDE_WORDS[item.laterality]}{item.anatomy}"
    if item.age_group is AgeGroup.INFANT:
        part = f"{part}（婴幼儿）"
    if item.modality is Modality.DR:
        return f"DR {part} {FILM} {POSITION_WORDS[item.projections]}"
    protocol = "增强" if item.contrast is Contrast.ENHANCED else "平扫"
    return f"{item.modality.value} {part} {protocol}"
