"""The header of a data set, read in one bounded pass without recursion.

Every length is checked against the bytes that are there before anything is read by it; sequences
are followed to a set depth and no further; long values are not read but pointed at. The result is
the DICOM JSON model (PS3.18 annex F) in UTF-8, whatever character set the object was written in.
"""

import base64
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydicom.datadict import DicomDictionary, dictionary_VR

from accord.archive.model import Pixels, Reason
from accord.archive.part10 import EXPLICIT_BIG, IMPLICIT, LONG_VRS, SHORT_VRS
from accord.archive.text import CharacterSet, character_set

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
PIXEL_DATA: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
CHARACTER_SET: Final = 0x00080005
PIXEL_REPRESENTATION: Final = "00280103"
DELIMITERS_GROUP: Final = 0xFFFE

INLINE_BINARY: Final = 1024
INLINE_TEXT: Final = 64 * 1024

TEXT_VRS: Final = frozenset({"ST", "LT", "UT", "UR"})
TEXTS: Final = frozenset({"LO", "LT", "PN", "SH", "ST"})  # of the short ones
SHORT: Final = 64
MOST_KNOWN: Final = 8192
NAME_PARTS: Final = ("Alphabetic", "Ideographic", "Phonetic")
NUMBERS: Final = {
    "US": ("H", 2), "SS": ("h", 2), "UL": ("L", 4), "SL": ("l", 4), "UV": ("Q", 8),
    "SV": ("q", 8), "FL": ("f", 4), "FD": ("d", 8),
}  # fmt: skip
WORDS: Final = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
BINARY_VRS: Final = frozenset({"OB", "UN", *WORDS})

UTF8: Final = {"vr": "CS", "Value": ["ISO_IR 192"]}

SIMPLE_VRS: Final = {vr: vr.decode() for vr in SHORT_VRS}

Element = dict[str, Any]
Elements = dict[str, Element]


@dataclass(frozen=True)
class Limits:
    """How much of a header is read.

    Attributes:
        nesting: Deepest sequence.
        elements: Most elements, those of all items together.
        size: Most bytes of values that are read.
    """

    nesting: int = 32
    elements: int = 200_000
    size: int = 16 * 1024 * 1024


@dataclass(frozen=True)
class Header:
    """What was read.

    Attributes:
        elements: The DICOM JSON model of everything but the pixels.
        pixels: Where the pixels lie; None when there are none.
        problem: Why reading stopped early; None when all of it was read.
        guessed_text: Some text was not in the declared character set.
    """

    elements: Mapping[str, Element]
    pixels: Pixels | None
    problem: Reason | None = None
    guessed_text: bool = False

    def text(self, tag: str) -> str | None:
        """Return the first value of an element as text; None when absent or empty."""
        return first_text(self.elements, tag)

    def number(self, tag: str) -> int | None:
        """Return the first value of an element as a whole number; None when it is not one."""
        value = first(self.elements, tag)
        try:
            return int(value)
        except (TypeError, ValueError, OverflowError):
            return None


def first(elements: Mapping[str, Element], tag: str) -> Any:
    """Return the first value of an element, or None."""
    values = elements.get(tag, {}).get("Value")
    return values[0] if values else None


def first_text(elements: Mapping[str, Element], tag: str) -> str | None:
    """Return the first value of an element as text, or None; names in all their parts."""
    value = first(elements, tag)
    if isinstance(value, dict):
        return name_text(value) or None
    return str(value) if value is not None and value != "" else None


def name_text(name: Mapping[str, str]) -> str:
    """Return a person name as it is written in DICOM, its parts joined by `=`."""
    return "=".join(name.get(part, "") for part in NAME_PARTS).rstrip("=")


def read_header(data: memoryview, syntax: str, limits: Limits) -> Header:
    """Return the header of a data set that is not deflated (a deflated one is inflated first)."""
    reader = _Reader(data, syntax, limits)
    problem = None
    try:
        reader.run()
    except _Padding:
        pass
    except _Stop as stop:
        problem = stop.reason
    # What we serve is UTF-8, also where the object names no character set.
    reader.root["00080005"] = UTF8.copy()
    return Header(reader.root, reader.pixels, problem, reader.guessed_text)


class _Stop(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Level:
    """A data set or a sequence that is being read."""

    end: int
    undefined: bool
    implicit: bool
    characters: CharacterSet
    elements: Elements = field(default_factory=dict)
    items: list[Elements] | None = None  # a sequence, when not None


class _Reader:
    def __init__(self, data: memoryview, syntax: str, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.big = syntax == EXPLICIT_BIG
        self.order = ">" if self.big else "<"
        self.tag_at = struct.Struct(self.order + "HH").unpack_from
        self.simple_at = struct.Struct(self.order + "HH2sH").unpack_from
        self.short_at = struct.Struct(self.order + "H").unpack_from
        self.long_at = struct.Struct(self.order + "L").unpack_from
        self.position = 0
        self.left_elements = limits.elements
        self.left_size = limits.size
        self.pixels: Pixels | None = None
        self.guessed_text = False
        top = _Level(len(data), False, syntax == IMPLICIT, character_set(""))
        self.root = top.elements
        self.levels = [top]

    def run(self) -> None:
        while self.levels:
            level = self.levels[-1]
            if self.position >= level.end and not level.undefined:
                if self.position > level.end:
                    raise _Stop(Reason.UNREADABLE)
                self.levels.pop()
            elif level.items is None:
                if not level.implicit:
                    self._read_simple_ones(level)
                self._read_element(level)
            else:
                self._read_item(level, level.items)

    # -- structure ------------------------------------------------------------------------------

    def _read_simple_ones(self, level: _Level) -> None:
        """Read on while elements are short and plain: nearly all of a header, at a third less."""
        data, position, end, elements = self.data, self.position, level.end, level.elements
        read_at, value, known = self.simple_at, self._value, KNOWN[self.order]
        first = position
        while position + 8 <= end:
            group, number, raw, length = read_at(data, position)
            vr = SIMPLE_VRS.get(raw)
            stop = position + 8 + length
            if vr is None or not number or group == DELIMITERS_GROUP or stop > end:
                break
            if self.left_elements <= 0:
                break
            self.left_elements -= 1
            tag = group << 16 | number
            key = (vr, bytes(data[position + 8 : stop])) if length <= SHORT else None
            element = known.get(key) if key and length <= self.left_size else None
            if element is None or tag == CHARACTER_SET:
                element = value(level, tag, vr, position + 8, length)
                if key and tag != CHARACTER_SET and _is_same_everywhere(*key):
                    _remember(known, key, element)
            else:
                self.left_size -= length
            elements[f"{tag:08X}"] = element
            position = stop
        if position > first:
            self.position = position

    def _read_element(self, level: _Level) -> None:
        if self.position >= level.end and not level.undefined:
            return  # the simple ones were all that was left
        position = self.position
        self._need(8, level)
        group, number = self.tag_at(self.data, position)
        tag = group << 16 | number
        if group == DELIMITERS_GROUP:
            self._end_item(level, tag)
            return
        self.left_elements -= 1
        if self.left_elements < 0:
            raise _Stop(Reason.TOO_LARGE)
        if level.implicit:
            vr = _implicit_vr(tag)
            length, value = self.long_at(self.data, position + 4)[0], position + 8
        else:
            vr, length, value = self._explicit(level, tag, position)
        if tag == 0 and self._is_padding(level):
            return
        if length == UNDEFINED:
            self._read_undefined(level, tag, vr, value)
        else:
            self._read_defined(level, tag, vr, value, length)

    def _read_defined(self, level: _Level, tag: int, vr: str, value: int, length: int) -> None:
        end = value + length
        if end > level.end:
            raise _Stop(Reason.TRUNCATED if end > len(self.data) else Reason.UNREADABLE)
        is_hidden = vr == "UN" and not self.big  # an element whose VR its writer did not know
        if is_hidden:
            vr = _implicit_vr(tag)
        if tag in PIXEL_DATA and len(self.levels) == 1:
            self.pixels = Pixels(value, length, self.big)
            self.position = end
        elif vr == "SQ":
            self._enter_sequence(level, tag, value, end=end, implicit=level.implicit or is_hidden)
        else:
            self.position = end
            if tag & 0xFFFF:  # group lengths are out of date and mean nothing
                level.elements[f"{tag:08X}"] = self._value(level, tag, vr, value, length)

    def _explicit(self, level: _Level, tag: int, position: int) -> tuple[str, int, int]:
        raw = bytes(self.data[position + 4 : position + 6])
        if raw in LONG_VRS:
            self._need(12, level)
            return raw.decode(), self.long_at(self.data, position + 8)[0], position + 12
        if raw.isalpha() and raw.isupper():
            return raw.decode(), self.short_at(self.data, position + 6)[0], position + 8
        # No VR at all: some writers slip into implicit for single elements.
        return _implicit_vr(tag), self.long_at(self.data, position + 4)[0], position + 8

    def _read_undefined(self, level: _Level, tag: int, vr: str, value: int) -> None:
        if tag in PIXEL_DATA and len(self.levels) == 1:
            self.pixels = Pixels(value, None)
            self._skip_fragments(value)
        elif vr in ("SQ", "UN"):
            implicit = level.implicit or vr == "UN"
            self._enter_sequence(level, tag, value, end=None, implicit=implicit)
        elif vr in ("OB", "OW"):
            self._skip_fragments(value)  # e.g. an encapsulated icon: not shown, not read
        else:
            raise _Stop(Reason.UNREADABLE)

    def _enter_sequence(
        self, level: _Level, tag: int, value: int, *, end: int | None, implicit: bool
    ) -> None:
        if len(self.levels) > 2 * self.limits.nesting:
            raise _Stop(Reason.TOO_DEEP)
        items: list[Elements] = []
        level.elements[f"{tag:08X}"] = {"vr": "SQ", "Value": items}
        limit = level.end if end is None else end
        self.levels.append(_Level(limit, end is None, implicit, level.characters, {}, items))
        self.position = value

    def _read_item(self, level: _Level, items: list[Elements]) -> None:
        self._need(8, level)
        group, number = self.tag_at(self.data, self.position)
        length = self.long_at(self.data, self.position + 4)[0]
        tag = group << 16 | number
        self.position += 8
        if tag == SEQUENCE_END and level.undefined:
            self.levels.pop()
            return
        if tag != ITEM:
            raise _Stop(Reason.UNREADABLE)
        undefined = length == UNDEFINED
        end = level.end if undefined else self.position + length
        if end > level.end:
            raise _Stop(Reason.TRUNCATED if end > len(self.data) else Reason.UNREADABLE)
        item = _Level(end, undefined, level.implicit, level.characters)
        items.append(item.elements)
        self.levels.append(item)

    def _end_item(self, level: _Level, tag: int) -> None:
        if tag != ITEM_END or not level.undefined:
            raise _Stop(Reason.UNREADABLE)
        self.position += 8
        self.levels.pop()

    def _skip_fragments(self, position: int) -> None:
        while True:
            if position + 8 > len(self.data):
                raise _Stop(Reason.TRUNCATED)
            group, number = self.tag_at(self.data, position)
            length = self.long_at(self.data, position + 4)[0]
            tag = group << 16 | number
            position += 8
            if tag == SEQUENCE_END:
                break
            if tag != ITEM:
                raise _Stop(Reason.UNREADABLE)
            position += length
            if position > len(self.data):
                raise _Stop(Reason.TRUNCATED)
        self.position = position

    def _need(self, count: int, level: _Level) -> None:
        if self.position + count <= level.end:
            return
        if len(self.levels) == 1 and not any(self.data[self.position : level.end]):
            raise _Padding
        raise _Stop(Reason.TRUNCATED if level.end == len(self.data) else Reason.UNREADABLE)

    def _is_padding(self, level: _Level) -> bool:
        """Say whether only zeros follow, up to the end of the file; if so, end there."""
        if len(self.levels) != 1 or any(self.data[self.position : self.position + 4096]):
            return False
        self.position = level.end
        return True

    # -- values ---------------------------------------------------------------------------------

    def _value(self, level: _Level, tag: int, vr: str, start: int, length: int) -> Element:
        if length > (INLINE_BINARY if vr in BINARY_VRS else INLINE_TEXT):
            return {"vr": vr, "BulkDataURI": f"{start}/{length}"}
        self.left_size -= length
        if self.left_size < 0:
            raise _Stop(Reason.TOO_LARGE)
        raw = bytes(self.data[start : start + length])
        if tag == CHARACTER_SET:
            level.characters = character_set(raw.decode("ascii", "replace"))
            return UTF8.copy()
        if " or " in vr:
            vr = _resolve(vr, self._is_signed(level))
        if not raw:
            return {"vr": vr}
        if vr in BINARY_VRS:
            width = WORDS.get(vr, 1)
            if self.big and width > 1:
                raw = _swap(raw, width)
            return {"vr": vr, "InlineBinary": base64.b64encode(raw).decode()}
        values = self._values(level, vr, raw)
        return {"vr": vr, "Value": values} if any(v is not None for v in values) else {"vr": vr}

    def _values(self, level: _Level, vr: str, raw: bytes) -> list[Any]:
        read = READERS.get(vr)
        if read is not None:
            return read(raw)
        if vr in NUMBERS:
            return self._numbers(vr, raw)
        if vr == "AT":
            count = len(raw) // 4
            pairs = struct.unpack_from(f"{self.order}{2 * count}H", raw)
            return [f"{g:04X}{e:04X}" for g, e in zip(pairs[::2], pairs[1::2], strict=True)]
        return self._texts(level, vr, raw)

    def _numbers(self, vr: str, raw: bytes) -> list[Any]:
        code, width = NUMBERS[vr]
        values = struct.unpack_from(f"{self.order}{len(raw) // width}{code}", raw)
        if vr in ("FL", "FD"):
            return [_finite(value) for value in values]
        return list(values)

    def _texts(self, level: _Level, vr: str, raw: bytes) -> list[Any]:
        text = level.characters.decode(raw)
        self.guessed_text |= text.guessed
        clean = text.value.replace("\0", "")
        if vr in TEXT_VRS:
            return [clean.rstrip() or None]
        parts = clean.split("\\")
        if vr == "PN":
            return [_name(part) for part in parts]
        return [part.strip() or None for part in parts]

    def _is_signed(self, level: _Level) -> bool:
        for place in (level.elements, self.root):
            value = first(place, PIXEL_REPRESENTATION)
            if value is not None:
                return bool(value == 1)
        return False


class _Padding(_Stop):
    def __init__(self) -> None:
        super().__init__(Reason.UNREADABLE)


def _name(text: str) -> dict[str, str] | None:
    parts = [part.rstrip("^ ").strip() for part in text.split("=")[:3]]
    return {key: part for key, part in zip(NAME_PARTS, parts, strict=False) if part} or None


def _decimals(raw: bytes) -> list[Any]:
    return [_decimal(part) for part in raw.decode("latin_1").split("\\")]


def _decimal(text: str) -> float | str | None:
    text = text.strip(" \0")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    # What JSON cannot carry exactly as a number stays as it was written.
    return value if value - value == 0 else text


def _integers(raw: bytes) -> list[Any]:
    return [_integer(part) for part in raw.decode("latin_1").split("\\")]


def _integer(text: str) -> int | str | None:
    text = text.strip(" \0")
    if not text:
        return None
    try:
        return int(text) if len(text) <= 12 else text  # noqa: PLR2004 - the VR's longest
    except ValueError:
        return text


def _codes(raw: bytes) -> list[Any]:
    return [part.strip(" \0") or None for part in raw.decode("latin_1").split("\\")]


def _finite(value: float) -> float | str:
    return value if value - value == 0 else str(value)


READERS: Final[dict[str, Callable[[bytes], list[Any]]]] = {
    "DS": _decimals,
    "IS": _integers,
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UI"), _codes),
}


# Values that were read before, by byte order: the objects of a series differ in a few of theirs.
# Nobody changes an element once it is read.
KNOWN: Final[dict[str, dict[tuple[str, bytes], Element]]] = {"<": {}, ">": {}}


def _is_same_everywhere(vr: str, raw: bytes) -> bool:
    """Say whether a value means the same in every character set."""
    return vr not in TEXTS or (raw.isascii() and b"\x1b" not in raw)


def _remember(
    known: dict[tuple[str, bytes], Element], key: tuple[str, bytes], element: Element
) -> None:
    if len(known) >= MOST_KNOWN:
        known.clear()
    known[key] = element


def _swap(raw: bytes, width: int) -> bytes:
    whole = len(raw) - len(raw) % width
    return b"".join(raw[at : at + width][::-1] for at in range(0, whole, width)) + raw[whole:]


def _resolve(vr: str, signed: bool) -> str:
    if vr == "US or SS":
        return "SS" if signed else "US"
    return "OW"  # of the other choices, what the implicit syntax prescribes


def _implicit_vr(tag: int) -> str:
    entry = DicomDictionary.get(tag)
    if entry is not None:
        return str(entry[0])
    if tag >> 16 & 1:
        is_creator = 0x10 <= (tag & 0xFFFF) <= 0xFF  # noqa: PLR2004 - PS3.5 7.8.1
        return "LO" if is_creator else "UN"
    if not tag & 0xFFFF:
        return "UL"
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"
