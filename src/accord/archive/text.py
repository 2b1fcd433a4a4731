"""Text of a header in any character set that China's scanners send, as Unicode.

What is declared is believed unless it cannot be true: a header that declares nothing, or Latin-1,
and carries Chinese bytes is read as what the bytes are, and says that this was guessed.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

ESCAPE: Final = b"\x1b"

SINGLE: Final = {
    "ISO_IR 13": "shift_jis",
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 166": "iso8859_11",
    "ISO_IR 203": "iso8859_15",
    "ISO_IR 192": "utf_8",
    "GB18030": "gb18030",
    "GBK": "gb18030",
    "ISO 2022 IR 58": "gb2312",
    "ISO 2022 IR 149": "euc_kr",
    "ISO 2022 IR 13": "shift_jis",
}

# Escape sequence → codec of the bytes that follow it (PS3.3 C.12.1.1.2).
DESIGNATED: Final = {
    b"(B": "ascii",
    b"-A": "latin_1",
    b"-B": "iso8859_2",
    b"-C": "iso8859_3",
    b"-D": "iso8859_4",
    b"-F": "iso8859_7",
    b"-G": "iso8859_6",
    b"-H": "iso8859_8",
    b"-L": "iso8859_5",
    b"-M": "iso8859_9",
    b"-T": "iso8859_11",
    b"-b": "iso8859_15",
    b")I": "shift_jis",
    b"(J": "shift_jis",
    b"$)A": "gb2312",
    b"$)C": "euc_kr",
    b"$B": "iso2022_jp",
    b"$(D": "iso2022_jp_2",
}
NEEDS_ESCAPE: Final = frozenset({"iso2022_jp", "iso2022_jp_2"})
DELIMITER: Final = re.compile(rb"([\\^=\r\n\t\f])")

HAN_PAIRS: Final = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")
LONE_PAIR: Final = re.compile(
    rb"[A-Za-z][\x80-\xff]{2}(?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff]{2}[A-Za-z]"
)


class Text(NamedTuple):
    """A decoded value; `guessed` when its bytes were not read as declared."""

    value: str
    guessed: bool = False


class CharacterSet:
    """The character set that a data set declares in (0008,0005).

    Args:
        terms: The values of (0008,0005), in order.
    """

    def __init__(self, terms: Sequence[str]) -> None:
        cleaned = [_clean(term) for term in terms]
        first = cleaned[0] if cleaned else ""
        self.declared = "\\".join(cleaned)
        self.codec = SINGLE.get(first) or SINGLE.get(first.replace("ISO 2022 IR", "ISO_IR"))
        # With more terms, or an unknown one, the escape sequences in the bytes decide.
        self.extended = len(cleaned) > 1 or first.startswith("ISO 2022")

    def decode(self, data: bytes) -> Text:
        """Return the text; never fails: what cannot be read becomes U+FFFD."""
        if data.isascii() and ESCAPE not in data:
            return Text(data.decode("ascii"))
        if ESCAPE in data and (self.extended or self.codec is None):
            return self._decode_designated(data)
        if self.codec is None or (self.codec == "latin_1" and _looks_chinese(data)):
            return Text(_guess(data), guessed=True)
        try:
            return Text(data.decode(self.codec))
        except UnicodeDecodeError:
            return Text(_guess(data), guessed=True)

    def _decode_designated(self, data: bytes) -> Text:
        initial, *fragments = data.split(ESCAPE)
        texts = [self._decode_plain(initial)]
        for fragment in fragments:
            designator = next((key for key in DESIGNATED if fragment.startswith(key)), None)
            if designator is None:
                texts.append(self._decode_plain(fragment))
                continue
            codec = DESIGNATED[designator]
            if codec in NEEDS_ESCAPE:
                texts.append((ESCAPE + fragment).decode(codec, "replace"))
            else:
                texts.append(self._decode_until_reset(fragment[len(designator) :], codec))
        return Text("".join(texts))

    def _decode_until_reset(self, data: bytes, codec: str) -> str:
        """Decode bytes whose designation ends at the first delimiter.

        Many senders do not designate again after `^`; bytes that the first set cannot read are
        read as designated.
        """
        head, *rest = DELIMITER.split(data, maxsplit=1)
        text = head.decode(codec, "replace")
        if not rest:
            return text
        tail = b"".join(rest)
        if tail.isascii():
            return text + tail.decode("ascii")
        return text + tail.decode(codec, "replace")

    def _decode_plain(self, data: bytes) -> str:
        return data.decode(self.codec or "latin_1", "replace")


@lru_cache(maxsize=256)
def character_set(declared: str) -> CharacterSet:
    """Return the character set of a raw value of (0008,0005)."""
    return CharacterSet(declared.split("\\") if declared.strip() else [])


def _clean(term: str) -> str:
    cleaned = term.strip(" \0").upper()
    # Slips seen in the field: ISO-IR 192, ISO_IR_100, ISO 2022 GBK.
    cleaned = re.sub(r"^ISO[-_ ]IR[-_ ]?", "ISO_IR ", cleaned)
    return re.sub(r"^ISO[-_ ]2022[-_ ]IR[-_ ]?", "ISO 2022 IR ", cleaned)


def _guess(data: bytes) -> str:
    for codec in ("utf_8", "gb18030"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("latin_1")


def _looks_chinese(data: bytes) -> bool:
    """Say whether bytes declared as Latin-1 are Chinese beyond reasonable doubt."""
    try:
        data.decode("utf_8")
    except UnicodeDecodeError:
        pass
    else:
        return True
    if HAN_PAIRS.fullmatch(data) is None or LONE_PAIR.search(data) is not None:
        return False
    try:
        data.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True
