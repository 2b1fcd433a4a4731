"""Read an HL7 v2 message: character set, delimiters, segments, escape sequences.

Decoded first and split afterwards, since the second byte of a GB18030 character may look like a
delimiter. Nothing is guessed: what does not decode as MSH-18 declares is a fault.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final

from accord.intake.errors import (
    DATA_TYPE,
    REQUIRED_MISSING,
    SEGMENT_SEQUENCE,
    TABLE_VALUE,
    Fault,
    Place,
)
from accord.kit import clock

CHARSETS: Final = {
    "": "ascii",
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "GB 18030-2000": "gb18030",
}
NULL: Final = '""'
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_MOMENT: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.\d{1,4})?)?)?)?)?([+-]\d{4})?"
)
_LINE_BREAKS: Final = frozenset({".br", ".sp", ".ce"})
_NO_TEXT: Final = frozenset({"H", "N", ".fi", ".nf", ".in", ".ti", ".sk"})


@dataclass(frozen=True)
class Delimiters:
    """MSH-1 and MSH-2."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str


@dataclass(frozen=True)
class Head:
    """What is read of MSH before the rest can be: whom to answer, and how.

    Attributes:
        kind: Type and event, as `ADT^A04`.
        declared: MSH-18 as it stands.
        charset: Python's name of the declared character set; None when it is not one of ours.
    """

    application: str
    facility: str
    kind: str
    control_id: str
    processing: str
    version: str
    declared: str
    charset: str | None


@dataclass(frozen=True)
class Segment:
    """A segment, its fields undecoded.

    Attributes:
        number: Which of its name it is, from 1.
    """

    name: str
    number: int
    fields: Sequence[str]
    delimiters: Delimiters
    charset: str

    def place(self, field: int = 0) -> Place:
        """Return where a field stands."""
        return Place(self.name, self.number, field)

    def raw(self, field: int) -> str:
        """Return a field as it stands; empty when the segment ends before it."""
        return self.fields[field] if field < len(self.fields) else ""

    def repetitions(self, field: int) -> Iterator[tuple[str, ...]]:
        """Give the repetitions of a field as components, not unescaped."""
        raw = self.raw(field)
        if raw and raw != NULL:
            for each in raw.split(self.delimiters.repetition):
                yield tuple(each.split(self.delimiters.component))

    def text(self, field: int, component: int = 1, subcomponent: int = 1) -> str | None:
        """Return a part of a field's first repetition, unescaped; None when it is empty."""
        for components in self.repetitions(field):
            return self.part(components, component, subcomponent)
        return None

    def part(
        self, components: Sequence[str], component: int = 1, subcomponent: int = 1
    ) -> str | None:
        """Return a part of a repetition, unescaped; None when it is empty."""
        if component > len(components):
            return None
        parts = components[component - 1].split(self.delimiters.subcomponent)
        if subcomponent > len(parts):
            return None
        return self.unescaped(parts[subcomponent - 1]).strip() or None

    def unescaped(self, text: str) -> str:
        """Return text with its escape sequences resolved; unknown ones stay as they are."""
        mark = self.delimiters.escape
        if not mark or mark not in text:
            return text
        pattern = f"{re.escape(mark)}([^{re.escape(mark)}]*){re.escape(mark)}"
        return re.sub(pattern, self._resolved, text)

    def _resolved(self, found: re.Match[str]) -> str:
        code = found[1]
        own = self.delimiters
        letters = {
            "F": own.field,
            "S": own.component,
            "T": own.subcomponent,
            "R": own.repetition,
            "E": own.escape,
        }
        if code in letters:
            return letters[code]
        command = code.rstrip("+-0123456789")
        if command in _LINE_BREAKS:
            return "\n"
        if command in _NO_TEXT:
            return ""
        if code.startswith("X"):
            try:
                return bytes.fromhex(code[1:]).decode(self.charset)
            except ValueError:
                return found[0]
        return found[0]

    def needed(self, field: int, what: str, component: int = 1) -> str:
        """Return a part that has to be there.

        Raises:
            Fault: It is empty.
        """
        text = self.text(field, component)
        if text is None:
            raise Fault(REQUIRED_MISSING, self.place(field), f"缺少{what}")
        return text

    def moment(self, field: int, what: str, component: int = 1) -> datetime | None:
        """Return a moment; without an offset it is local time of the two provinces.

        Raises:
            Fault: It is no moment, or has no hours and minutes.
        """
        text = self.text(field, component)
        if text is None:
            return None
        found = _MOMENT.fullmatch(text)
        if found is None or found[4] is None:
            raise Fault(
                DATA_TYPE, self.place(field), f"{what}须为YYYYMMDDHHMM[SS][+/-ZZZZ]格式的时刻"
            )
        year, month, day, hour, minute = (int(found[group]) for group in range(1, 6))
        try:
            zone = _zone(found[7]) if found[7] else clock.LOCAL
            return datetime(year, month, day, hour, minute, int(found[6] or 0), tzinfo=zone)
        except ValueError:
            raise Fault(DATA_TYPE, self.place(field), f"{what}不是真实的时刻") from None

    def day(self, field: int, what: str) -> date | None:
        """Return a day; None when only year or month are given.

        Raises:
            Fault: It is no day.
        """
        text = self.text(field)
        if text is None:
            return None
        found = _MOMENT.fullmatch(text)
        if found is None:
            raise Fault(DATA_TYPE, self.place(field), f"{what}须为YYYYMMDD格式的日期")
        try:
            day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
        except ValueError:
            raise Fault(DATA_TYPE, self.place(field), f"{what}不是真实的日期") from None
        return day if found[3] else None


@dataclass(frozen=True)
class Message:
    """A message in segments."""

    head: Head
    segments: Sequence[Segment]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        return next((each for each in self.segments if each.name == name), None)

    def needed(self, name: str) -> Segment:
        """Return the first segment of a name.

        Raises:
            Fault: There is none.
        """
        found = self.first(name)
        if found is None:
            raise Fault(SEGMENT_SEQUENCE, Place(name), f"缺少{name}段")
        return found


def _zone(text: str) -> timezone:
    away = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return timezone(-away if text[0] == "-" else away)


def read_head(raw: bytes) -> Head | None:
    """Return what MSH says of sender, type and character set; None where there is no MSH."""
    line = re.split(rb"[\r\n]", raw[:65_536], maxsplit=1)[0]
    if not line.startswith(b"MSH") or len(line) < len("MSH|^~\\&"):
        return None
    heads = {name: _head(line, name) for name in ("utf-8", "gb18030", "latin-1")}
    # The one that declares itself; without one, the first that decodes is only for the answer.
    fitting = [head for name, head in heads.items() if head and head.charset == name]
    return next(head for head in [*fitting, *heads.values()] if head)


def _head(line: bytes, charset: str) -> Head | None:
    try:
        text = line.decode(charset)
    except UnicodeDecodeError:
        return None
    fields = text.split(text[3])
    component = fields[1][:1]

    def at(number: int) -> str:
        return fields[number - 1].strip() if number <= len(fields) else ""

    def first(number: int) -> str:
        return at(number).split(component)[0] if component else at(number)

    kind = (at(9).split(component) if component else [at(9)]) + [""]
    declared = re.split(re.escape(fields[1][1:2]) if fields[1][1:2] else "~", at(18))[0]
    return Head(
        application=first(3),
        facility=first(4),
        kind=f"{kind[0]}^{kind[1]}",
        control_id=at(10),
        processing=first(11),
        version=first(12),
        declared=declared,
        charset=CHARSETS.get(declared.upper()),
    )


def read(raw: bytes, head: Head) -> Message:
    """Return a message in segments.

    Raises:
        Fault: It does not decode as declared, its delimiters are unusable, or a line is no
            segment.
    """
    if head.charset is None:
        raise Fault(
            TABLE_VALUE,
            Place("MSH", 1, 18),
            "字符集不受支持，须声明为UNICODE UTF-8或GB 18030-2000",
        )
    try:
        text = raw.decode(head.charset)
    except UnicodeDecodeError as error:
        declared = head.declared or "（空，即ASCII）"
        raise Fault(
            DATA_TYPE,
            Place("MSH", 1, 18),
            f"第{error.start + 1}字节起不是声明的字符集{declared}，请按实际编码声明",
        ) from None
    if "\0" in text:
        raise Fault(DATA_TYPE, None, "消息含有NUL字节")
    if "\r" not in text and "\n" in text:
        raise Fault(SEGMENT_SEQUENCE, None, "段须以CR（0x0D）结束，不能只用LF")
    lines = [line.lstrip("\n") for line in text.split("\r")]
    while lines and not lines[-1].strip():
        lines.pop()
    delimiters = _delimiters(lines[0])
    counts: dict[str, int] = {}
    segments: list[Segment] = []
    for line in lines:
        name = line[:3]
        previous = segments[-1].place() if segments else Place("MSH")
        if not _NAME.fullmatch(name) or line[3:4] not in {"", delimiters.field}:
            raise Fault(
                SEGMENT_SEQUENCE,
                previous,
                "其后的一行不是段；字段内的换行须写作\\.br\\或\\X0D\\".replace(
                    "\\", delimiters.escape
                ),
            )
        counts[name] = counts.get(name, 0) + 1
        fields = line.split(delimiters.field)
        if name == "MSH":
            fields.insert(1, delimiters.field)  # MSH-1 is the delimiter itself
        segments.append(Segment(name, counts[name], fields, delimiters, head.charset))
    if counts["MSH"] > 1:
        raise Fault(SEGMENT_SEQUENCE, Place("MSH", 2), "一帧只能有一条消息")
    return Message(head, segments)


def _delimiters(line: str) -> Delimiters:
    field, encoding = line[3], line[4:].split(line[3], maxsplit=1)[0]
    chosen = field + encoding[:4]
    usable = all(" " < each < "\x7f" and not each.isalnum() for each in chosen)
    if len(encoding) not in {4, 5} or len(set(field + encoding)) != len(encoding) + 1 or not usable:
        raise Fault(
            DATA_TYPE,
            Place("MSH", 1, 2),
            "分隔符须为4个（2.7起可为5个）互不相同的ASCII标点",
        )
    return Delimiters(field, encoding[0], encoding[1], encoding[2], encoding[3])
