"""Write an item the way hospitals might: other words, orders, scripts, widths, side marks.

Made from the lexicon and a few turns of speech, reproducible by a seed. What comes out has the
item as its only right answer; tests and `accord bench names` use it.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from accord.catalogue.model import AgeGroup, Contrast, Item, Modality, Side
from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.matcher import Matcher
from accord.catalogue.names.model import Query

SIDES: Final[Mapping[Side, Mapping[bool, Sequence[str]]]] = {
    Side.LEFT: {True: ("左", "左侧", "(左)", "左側"), False: ("LEFT", "LT", "Lt.", "L")},
    Side.RIGHT: {True: ("右", "右侧", "（右）", "右側"), False: ("RIGHT", "RT", "Rt.", "R")},
    Side.BOTH: {True: ("双", "双侧", "两侧", "雙側"), False: ("BOTH", "BILATERAL", "Bilat")},
}
CONTRASTS: Final[Mapping[Contrast, Mapping[bool, Sequence[str]]]] = {
    Contrast.PLAIN: {
        True: ("平扫", "（平扫）", "平扫描", "平掃"),
        False: ("W/O", "without contrast", "plain", "non-contrast"),
    },
    Contrast.ENHANCED: {
        True: ("增强", "平扫+增强", "强化", "增强扫描", "增強"),
        False: ("W/WO", "with contrast", "C+", "with and without contrast"),
    },
    Contrast.NOT_APPLICABLE: {True: ("",), False: ("",)},
}
VIEWS: Final[Mapping[frozenset[str], Mapping[bool, Sequence[str]]]] = {
    frozenset({"PA"}): {
        True: ("站立后前位", "后前位", "正位", "立位正位"),
        False: ("PA", "PA erect"),
    },
    frozenset({"PA", "LAT"}): {
        True: ("正侧位", "后前位及侧位", "正位+侧位", "正、侧位"),
        False: ("PA/LAT", "PA AND LATERAL", "PA & LAT"),
    },
    frozenset({"FRONT"}): {True: ("正位", "前后位", "正位片"), False: ("AP", "AP view")},
    frozenset({"FRONT", "LAT"}): {
        True: ("正侧位", "正侧", "正位+侧位", "正、侧位", "侧正位", "正側位"),
        False: ("AP/LAT", "AP AND LATERAL", "AP & LAT", "(AP, LAT)", "AP+LAT"),
    },
    frozenset({"FRONT", "OBL"}): {
        True: ("正斜位", "正斜", "正位+斜位", "正位及斜位"),
        False: ("AP/OBL", "PA AND OBLIQUE", "(AP, OBLIQUE)"),
    },
    frozenset({"LAT"}): {
        True: ("侧位", "侧位片", "側位"),
        False: ("LAT", "LATERAL", "lateral view"),
    },
    frozenset({"LAT", "AXIAL"}): {
        True: ("侧轴位", "轴侧位", "侧位+轴位"),
        False: ("AXIAL AND LATERAL", "LAT + AXIAL"),
    },
    frozenset({"OBL_L", "OBL_R"}): {
        True: ("双斜位", "左右斜位", "双斜"),
        False: ("BOTH OBLIQUES", "bilateral obliques"),
    },
    frozenset({"OPEN_MOUTH"}): {
        True: ("张口位", "开口位"),
        False: ("OPEN MOUTH", "open mouth view"),
    },
    frozenset({"EXT", "FLEX"}): {
        True: ("过伸过屈位", "动力位", "功能位", "过屈过伸位"),
        False: ("FLEXION/EXTENSION", "flex/ext"),
    },
    frozenset({"CC", "MLO"}): {
        True: ("轴斜位", "CC+MLO", "头尾位及内外斜位"),
        False: ("CC/MLO", "CC AND MLO"),
    },
    frozenset({"FRONT_ERECT"}): {True: ("立位平片", "站立位正位"), False: ("AP ERECT", "upright")},
    frozenset({"FRONT_SUPINE"}): {True: ("卧位平片", "仰卧位正位"), False: ("AP SUPINE", "supine")},
}
MODALITIES: Final[Mapping[Modality, Mapping[bool, Sequence[str]]]] = {
    Modality.DR: {True: ("DR", "", "X线", "数字化摄影"), False: ("XR", "", "X-RAY", "DR")},
    Modality.CT: {True: ("CT", "螺旋CT", "CT"), False: ("CT", "CT SCAN")},
    Modality.MR: {True: ("MRI", "MR", "磁共振", "核磁共振"), False: ("MRI", "MR")},
}
DICOM: Final = {Modality.DR: ("DX", "CR", "DR"), Modality.CT: ("CT",), Modality.MR: ("MR",)}
INFANT: Final = {True: ("婴幼儿", "新生儿", "（婴儿）"), False: ("infant", "NEWBORN")}
JOINTS: Final = {True: ("", "", " ", "　"), False: (" ", " ", "-", "_", "  ")}
FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@dataclass(frozen=True, slots=True)
class Variant:
    """A name and the item that is its only right answer."""

    query: Query
    item: int


def variants(
    matcher: Matcher, modality: Modality, count: int, *, seed: int = 4
) -> Iterator[Variant]:
    """Yield names of the items of a modality, each item in turn."""
    chance = random.Random(f"{seed}/{modality}")  # noqa: S311 - variety, not secrets
    items = [item for item in matcher.catalogue.items if item.modality is modality]
    words = {item.no: words_for(matcher.lexicon, item) for item in items}
    for number in range(count):
        item = items[number % len(items)]
        yield Variant(_query(item, words[item.no], chance), item.no)


def words_for(lexicon: Lexicon, item: Item) -> list[str]:
    """Return the words that name the part of an item in its modality, whatever the contrast."""
    found = []
    for name, entry in lexicon.entries.items():
        only = lexicon.grammar["views_of_part"].get(name)
        if entry.category != "part" or (only and item.projections != frozenset(only)):
            continue
        spec = entry.get(item.modality.value)
        if isinstance(spec, dict):
            spec = spec.get(item.contrast.value)
        if (spec or name) == item.anatomy:
            found += [term.text for term in entry.terms]
    return found


def _written(pieces: Sequence[str], joint: str) -> str:
    """Join the pieces, a bracket between two that would read as another word together."""
    name = pieces[0]
    for piece in pieces[1:]:
        both_latin = name[-1].isascii() and name[-1].isalnum() and piece[0].isascii()
        other_word = name[-1] in "左右双两侧斜" and piece[0] in "侧側双雙左右"
        if other_word:
            name += f"（{piece}）"
        elif both_latin and not joint:
            name += f" {piece}"
        else:
            name += f"{joint}{piece}"
    return name


def _query(item: Item, words: Sequence[str], chance: random.Random) -> Query:
    part = chance.choice(words)
    chinese = not part.isascii()
    pieces = [part, chance.choice(MODALITIES[item.modality][chinese])]
    if item.age_group is AgeGroup.INFANT:
        pieces.append(chance.choice(INFANT[chinese]))
    if item.laterality in SIDES:
        pieces.append(chance.choice(SIDES[item.laterality][chinese]))
    pieces.append(chance.choice(CONTRASTS[item.contrast][chinese]))
    if item.projections:
        pieces.append(chance.choice(VIEWS[item.projections][chinese]))
    chance.shuffle(pieces)
    joint = (
        chance.choice(("", "", " ", "　")) if chinese else chance.choice((" ", " ", "-", "_", "  "))
    )
    name = _written([piece for piece in pieces if piece], joint)
    if not chinese:
        name = chance.choice((str.upper, str.lower, str.title, str))(name)
    if chance.random() < 0.2:  # noqa: PLR2004 - a fifth in full width
        name = name.translate(FULL_WIDTH)
    modality = "MG" if item.anatomy == "乳腺" else chance.choice(DICOM[item.modality])
    return Query(name, modality)
