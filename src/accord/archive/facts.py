"""What headers say about times, patient and device: values in, values out, no file is read."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, Final

from pydicom.datadict import DicomDictionary

from accord.archive.header import Element, Elements, first, first_text, name_text
from accord.kit import clock

# Acquisition: DateTime, else Date with Time (RD-7.1.1-START).
ACQUIRED: Final = ("0008002A", ("00080022", "00080032"))
PERFORMED_START: Final = ("", ("00400244", "00400245"))
PERFORMED_END: Final = ("", ("00400250", "00400251"))
CONTENT: Final = ("", ("00080023", "00080033"))
STUDY_MOMENT: Final = ("", ("00080020", "00080030"))
ZONE: Final = "00080201"
NO_ZONE_DIGITS: Final = 5  # +0800


def day_of(text: str | None) -> date | None:
    """Return the day of a DA value; None when it is not one."""
    digits = (text or "").replace(".", "").replace("-", "").strip()
    if len(digits) != 8 or not digits.isdigit():  # noqa: PLR2004 - YYYYMMDD
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def time_of(text: str | None) -> time | None:
    """Return the time of a TM value, also one cut to hours or minutes; None when it is not one."""
    whole, _, fraction = (text or "").replace(":", "").strip().partition(".")
    if len(whole) not in (2, 4, 6) or not whole.isdigit():
        return None
    try:
        return time(
            int(whole[:2]),
            int(whole[2:4] or 0),
            min(int(whole[4:6] or 0), 59),  # a leap second is written 60
            int(fraction[:6].ljust(6, "0")) if fraction.isdigit() else 0,
        )
    except ValueError:
        return None


def zone_of(elements: Mapping[str, Element]) -> tzinfo:
    """Return the zone of a header's dates: its own offset, else local time."""
    return _offset(first_text(elements, ZONE)) or clock.LOCAL


def moment_of(
    elements: Mapping[str, Element], where: tuple[str, tuple[str, str]]
) -> datetime | None:
    """Return the aware moment that a DT element, or a DA with a TM, tells."""
    zone = zone_of(elements)
    combined, (day_tag, time_tag) = where
    if combined:
        found = _date_time(first_text(elements, combined), zone)
        if found is not None:
            return found
    day = day_of(first_text(elements, day_tag))
    at = time_of(first_text(elements, time_tag))
    return None if day is None or at is None else datetime.combine(day, at, zone)


def acquired_at(elements: Mapping[str, Element]) -> datetime | None:
    """Return when the image was acquired."""
    return moment_of(elements, ACQUIRED)


def content_at(elements: Mapping[str, Element]) -> datetime | None:
    """Return when the image was made."""
    return moment_of(elements, CONTENT)


def names(elements: Mapping[str, Element], tag: str) -> tuple[str, ...]:
    """Return every value of an element as text."""
    values = elements.get(tag, {}).get("Value") or []
    told = (name_text(value) if isinstance(value, dict) else value for value in values)
    return tuple(str(value) for value in told if value not in (None, ""))


def numbers(elements: Mapping[str, Element], tag: str) -> tuple[float, ...]:
    """Return every value of an element that is a number."""
    values = elements.get(tag, {}).get("Value") or []
    return tuple(float(value) for value in values if isinstance(value, int | float))


def whole(elements: Mapping[str, Element], tag: str) -> int | None:
    """Return the first value of an element when it is a whole number."""
    value = first(elements, tag)
    return value if isinstance(value, int) else None


def nested(elements: Mapping[str, Element], *tags: str) -> Elements:
    """Return the first item at the end of a chain of sequences; empty when there is none."""
    place: Elements = dict(elements)
    for tag in tags:
        item = first(place, tag)
        if not isinstance(item, dict):
            return {}
        place = item
    return place


def code_of(elements: Mapping[str, Element], tag: str) -> str | None:
    """Return the code value of the first item of a code sequence."""
    item = nested(elements, tag)
    return first_text(item, "00080100") or first_text(item, "00080119")


def by_keyword(elements: Mapping[str, Element]) -> dict[str, Any]:
    """Return the standard elements by keyword: one value alone, several as a list, items nested."""
    told: dict[str, Any] = {}
    for tag, element in elements.items():
        entry = DicomDictionary.get(int(tag, 16))
        if entry is None or not entry[4]:
            continue
        values = [_plain(value) for value in element.get("Value") or []]
        if any(value is not None for value in values):
            is_list = len(values) > 1 or element["vr"] == "SQ"
            told[str(entry[4])] = values if is_list else values[0]
    return told


def earliest(moments: Sequence[datetime | None]) -> datetime | None:
    """Return the earliest that is known."""
    return min((at for at in moments if at is not None), default=None)


def latest(moments: Sequence[datetime | None]) -> datetime | None:
    """Return the latest that is known."""
    return max((at for at in moments if at is not None), default=None)


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    is_name = value.keys() <= {"Alphabetic", "Ideographic", "Phonetic"}
    return name_text(value) if is_name and value else by_keyword(value)


def _date_time(text: str | None, zone: tzinfo) -> datetime | None:
    if text is None:
        return None
    for sign in ("+", "-"):
        whole_text, found, offset = text.partition(sign)
        if found:
            text, zone = whole_text, _offset(sign + offset) or zone
            break
    day, at = day_of(text[:8]), time_of(text[8:])
    return None if day is None or at is None else datetime.combine(day, at, zone)


def _offset(text: str | None) -> tzinfo | None:
    if text is None or len(text.strip()) != NO_ZONE_DIGITS or text.strip()[0] not in "+-":
        return None
    sign, digits = text.strip()[0], text.strip()[1:]
    if not digits.isdigit():
        return None
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    try:
        return timezone(offset if sign == "+" else -offset)
    except ValueError:
        return None
