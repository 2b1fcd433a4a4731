"""Cut a text into what the lexicon knows: mentions, numbers of views, joints; the rest is unread.

The longest word wins at every place. A word without blanks is cut into known ones, and a long word
that is one slip away from exactly one known word is read as that word; neither decides anything
that the words themselves do not say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accord.catalogue.names.lexicon import END, LEAST_TYPED, Entry, Lexicon, lacking_one
from accord.catalogue.names.text import BRACKET

SPLITTING: Final = frozenset("+,、;&\\和及与并加")
JOINTS: Final = frozenset(
    {"/", BRACKET, "、", "和", "及", "与", "and", "und", "et", "&", "+", ",", "以"}
)
SHORT_PIECES: Final = frozenset({"ct", "mr", "ap", "pa", "lt", "rt", "hr"})
LEVELS: Final = {
    "c": "颈椎",
    "颈": "颈椎",
    "t": "胸椎",
    "胸": "胸椎",
    "d": "胸椎",
    "l": "腰椎",
    "腰": "腰椎",
    "s": "",
    "骶": "",
}
LEAST_THORACIC: Final = 3
"""T1 and T2 are weightings of MR before they are vertebrae."""

HIGHEST_LEVEL: Final = 12
COUNT_WORDS: Final = frozenset(
    {"view", "views", "v", "projections", "projection", "vws", "vw", "ebenen", "ebene", "planes"}
)
ORDINALS: Final = frozenset({"st", "nd", "rd", "th"})
OPEN_ENDED: Final = frozenset({"min", "minimum", "least", "more", "plus"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A word that the lexicon knows, where it stands."""

    entry: Entry
    text: str

    @property
    def category(self) -> str:
        """What the word tells."""
        return self.entry.category


@dataclass(frozen=True, slots=True)
class Count:
    """A number of views that the name announces."""

    least: int
    most: int


Element = Mention | Count | str


@dataclass
class Scanned:
    """Everything that was found in a text, in order, and what was not known."""

    elements: list[Element] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)


def scan(cut: Sequence[str], lexicon: Lexicon, *, films: bool) -> Scanned:
    """Read tokens from left to right."""
    cut, guessed = _mended(cut, lexicon)
    found = Scanned(guessed=guessed)
    at = 0
    while at < len(cut):
        at = _step(cut, at, lexicon, found, films=films)
    return found


def _step(cut: Sequence[str], at: int, lexicon: Lexicon, found: Scanned, *, films: bool) -> int:
    """Read what stands at one place and return the next place."""
    count, after = _count(cut, at)
    if count is not None:
        found.elements.append(count)
        return after
    entry, after = _longest(cut, at, lexicon, films=films)
    level = _level(cut, at)
    if level is not None and after - at <= 1:
        if level:
            found.elements.append(Mention(Entry(level, "level", {}, ()), level))
        return _after_numbers(cut, at + 1)
    if entry is not None:
        found.elements.append(Mention(entry, " ".join(cut[at:after])))
        return after
    _keep(cut[at], found)
    return at + 1


def _keep(token: str, found: Scanned) -> None:
    """Keep a joint, or a word that nobody knows; one letter may be it (C+), a number is not."""
    if token in SPLITTING or token in JOINTS:
        found.elements.append(token)
    elif token.isalpha():
        found.unread.append(token)


def _after_numbers(cut: Sequence[str], at: int) -> int:
    while at < len(cut) and (cut[at].isdigit() or cut[at] == "/"):
        at += 1
    return at


def _longest(
    cut: Sequence[str], at: int, lexicon: Lexicon, *, films: bool
) -> tuple[Entry | None, int]:
    node: Any = lexicon.trie
    best: tuple[Entry | None, int] = (None, at)
    position = at
    while position < len(cut):
        node = node.get(cut[position])
        if node is None:
            break
        position += 1
        if END in node:
            best = (_chosen(node[END], films=films), position)
    return best


def _chosen(entries: Sequence[Entry], *, films: bool) -> Entry:
    """Return the entry that fits plain films or not, where a word has two meanings."""
    if len(entries) == 1:
        return entries[0]
    return next((one for one in entries if (one.category == "view") == films), entries[0])


def _count(cut: Sequence[str], at: int) -> tuple[Count | None, int]:
    """Read `2 views`, `2v`, `2 or 3 views`, `1-3 views`, `minimum 2 views`, `3+ views`."""
    if not cut[at].isdigit() or len(cut[at]) > 1:
        return None, at
    least = int(cut[at])
    most, position = _most(cut, at + 1, least)
    if at and cut[at - 1] in OPEN_ENDED:
        most = max(most, least + 1)
    if position < len(cut) and cut[position] in COUNT_WORDS:
        return Count(least, most), position + 1
    return None, at


def _most(cut: Sequence[str], at: int, least: int) -> tuple[int, int]:
    """Return the upper end of a number of views, and where it ends."""
    here = cut[at] if at < len(cut) else ""
    after = cut[at + 1] if at + 1 < len(cut) else ""
    if here in {"or", "/", "to"} and after.isdigit():
        return int(after), at + 2
    if here == "or" and after == "more":
        return least + 1, at + 2
    if here.isdigit() and after in COUNT_WORDS:
        return int(here), at + 1  # `1-3 views`: the joint was dropped
    if here in {"+", *OPEN_ENDED}:
        return least + 1, at + 1
    return least, at


def _level(cut: Sequence[str], at: int) -> str | None:
    """Return the part of the spine of a level such as L4 or C3-7."""
    part = LEVELS.get(cut[at])
    if part is None or at + 1 >= len(cut):
        return None
    number = cut[at + 1]
    if not number.isdigit() or not 1 <= int(number[:3]) <= HIGHEST_LEVEL:
        return None
    if cut[at] == "t" and int(number) < LEAST_THORACIC:
        return None
    if at + 2 < len(cut) and cut[at + 2] in {*COUNT_WORDS, *ORDINALS}:
        return None
    return part


def _mended(cut: Sequence[str], lexicon: Lexicon) -> tuple[list[str], list[str]]:
    """Return the tokens with unknown words cut or corrected, and the words that were."""
    mended: list[str] = []
    guessed: list[str] = []
    for token in cut:
        if (
            len(token) < LEAST_TYPED
            or not token.isalpha()
            or not token.isascii()
            or token in lexicon.words
        ):
            mended.append(token)
        else:
            found = _pieces(token, lexicon) or _mistyped(token, lexicon)
            mended += found or [token]
            if found:
                guessed.append(token)
    return mended, guessed


def _pieces(token: str, lexicon: Lexicon) -> list[str] | None:
    """Return the fewest words that a word without blanks (`BonyPelvis`) is made of."""
    ways: list[list[str] | None] = [[]] + [None] * len(token)
    for end in range(1, len(token) + 1):
        for start in range(end):
            piece = token[start:end]
            before = ways[start]
            if before is None or not _is_piece(piece, token, start, lexicon):
                continue
            now = ways[end]
            if now is None or len(before) + 1 < len(now):
                ways[end] = [*before, piece]
    return ways[-1]


def _is_piece(piece: str, token: str, start: int, lexicon: Lexicon) -> bool:
    if piece in {"l", "r"}:
        return start in {0, len(token) - 1}
    if len(piece) < 3:  # noqa: PLR2004
        return piece in SHORT_PIECES
    return piece in lexicon.words


def _mistyped(token: str, lexicon: Lexicon) -> list[str] | None:
    """Return the one word that differs by a letter, if exactly one does.

    Never one that tells nothing: what is mistyped there may be a part (cheek, check).
    """
    near = lexicon.near_words
    found: set[str] = set()
    for form in lacking_one(token):
        found |= near.get(form, frozenset())
    slips = [word for word in found if is_one_slip(token, word)]
    if len(slips) != 1 or all(
        lexicon.entries[owner].category == "noise" for owner in lexicon.words[slips[0]]
    ):
        return None
    return slips


def is_one_slip(typed: str, word: str) -> bool:
    """Say whether one letter is missing, too many, wrong, or two neighbours are exchanged."""
    if len(typed) == len(word):
        wrong = [place for place, (a, b) in enumerate(zip(typed, word, strict=True)) if a != b]
        if len(wrong) <= 1:
            return True
        first, last = wrong[0], wrong[-1]
        return (
            len(wrong) == 2  # noqa: PLR2004
            and last == first + 1
            and typed[first] == word[last]
            and typed[last] == word[first]
        )
    shorter, longer = sorted((typed, word), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    return any(shorter == longer[:place] + longer[place + 1 :] for place in range(len(longer)))
