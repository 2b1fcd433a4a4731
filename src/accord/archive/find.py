"""C-FIND (PS3.4 annex C): its identifier read into a query of the archive, and what is answered.

The same keys are matched as by QIDO-RS, in the same way. Only what the asking institution sent is
found.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydicom.dataset import Dataset
from sqlalchemy import Connection, Row

from accord.archive import store
from accord.archive.header import UTF8, Limits, name_text, read_header
from accord.archive.query import MATCHED, Level, Query, parse

PATIENT_ROOT: Final = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT: Final = "1.2.840.10008.5.1.4.1.2.2.1"
LIMITS: Final = Limits(nesting=8, elements=2000, size=256 * 1024)
STEP: Final = 200
MOST_MATCHES: Final = 10_000

CHARACTER_SET: Final = "00080005"
LEVEL: Final = "00080052"
RETRIEVE_TITLE: Final = "00080054"
AVAILABILITY: Final = "00080056"
TIME_ZONE: Final = "00080201"
PATIENT_ID: Final = "00100020"
STUDY_UID: Final = "0020000D"
SERIES_UID: Final = "0020000E"
SOP_UID: Final = "00080018"
NOT_MATCHED: Final = frozenset({CHARACTER_SET, LEVEL, RETRIEVE_TITLE, AVAILABILITY, TIME_ZONE})


class Name(StrEnum):
    """Levels as they are written."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


# What must be named above each level; the patient only where the patient is the root.
ABOVE: Final[Mapping[Name, tuple[str, ...]]] = {
    Name.PATIENT: (),
    Name.STUDY: (PATIENT_ID,),
    Name.SERIES: (PATIENT_ID, STUDY_UID),
    Name.IMAGE: (PATIENT_ID, STUDY_UID, SERIES_UID),
}
SEARCHED: Final = {
    Name.PATIENT: Level.STUDY,
    Name.STUDY: Level.STUDY,
    Name.SERIES: Level.SERIES,
    Name.IMAGE: Level.INSTANCE,
}
PATIENT_KEYS: Final = frozenset({"00100010", PATIENT_ID})


class DoesNotFit(Exception):
    """An identifier that cannot be read, or is none of its model; its words are for the peer."""


@dataclass(frozen=True)
class Search:
    """What is to be found.

    Attributes:
        name: The level as it was asked.
        query: What is matched.
        asked: Tags of the identifier with their VR: what every answer carries.
        ignores: Some key with a value is not matched here.
    """

    name: Name
    query: Query
    asked: Mapping[str, str]
    ignores: bool


def read(model: str, data: bytes, syntax: str) -> Search:
    """Return what an identifier asks for.

    Args:
        model: SOP Class UID of the query model.
        data: The identifier.
        syntax: Its transfer syntax.

    Raises:
        DoesNotFit: It cannot be read, or lacks its level or a unique key above it.
        QueryInvalid: A value is malformed or asks for too much.
    """
    header = read_header(memoryview(data), syntax, LIMITS)
    if header.problem is not None:
        raise DoesNotFit("identifier cannot be read")
    try:
        name = Name(header.text(LEVEL) or "")
    except ValueError:
        raise DoesNotFit("no such query level") from None
    if name is Name.PATIENT and model != PATIENT_ROOT:
        raise DoesNotFit("no such query level in the study root")
    above = ABOVE[name] if model == PATIENT_ROOT else ABOVE[name][1:]
    values = {tag: _value(element) for tag, element in header.elements.items()}
    for tag in above:
        if not values.get(tag) or any(sign in values[tag] for sign in "*?\\"):
            raise DoesNotFit("a unique key above the level is missing")
    level = SEARCHED[name]
    matched = PATIENT_KEYS if name is Name.PATIENT else MATCHED[level]
    keys = [(tag, values[tag]) for tag in values if tag in matched]
    ignores = any(values[tag] for tag in values.keys() - matched - NOT_MATCHED)
    asked = {tag: str(element["vr"]) for tag, element in header.elements.items()}
    return Search(name, parse(level, keys), asked, ignores)


def _value(element: Mapping[str, Any]) -> str:
    values = [name_text(one) if isinstance(one, dict) else one for one in element.get("Value", [])]
    if element.get("vr") == "SQ":
        return "".join(_value(one) for item in element["Value"] for one in item.values())
    return "\\".join("" if one is None else str(one) for one in values)


def rows(conn: Connection, search: Search, institution: str | None, start: int) -> list[Row[Any]]:
    """Return a page of `STEP` rows of what an institution sent, from a row on."""
    if institution is None:
        return []
    query = search.query
    return store.search(
        conn, query.level, query.conditions, limit=STEP, offset=start, institution=institution
    )


def once(search: Search, found: Iterator[Row[Any]]) -> Iterator[Row[Any]]:
    """Leave out, on the level of patients, the further studies of a patient."""
    seen = set()
    for row in found:
        if search.name is Name.PATIENT:
            if row.patient_id in seen:
                continue
            seen.add(row.patient_id)
        yield row


def answer(search: Search, row: Row[Any], ae_title: str) -> Dataset:
    """Return the data set of a match: every attribute that was asked for, empty where unknown.

    Text is UTF-8.
    """
    header: Mapping[str, Any] = row.header or {}
    known = {**header, **_counted(row), LEVEL: _element("CS", search.name.value)}
    known |= {RETRIEVE_TITLE: _element("AE", ae_title), AVAILABILITY: _element("CS", "ONLINE")}
    told = {
        tag: known[tag] if "Value" in known.get(tag, {}) else {"vr": vr}
        for tag, vr in search.asked.items()
    }
    told |= {tag: known[tag] for tag in (LEVEL, RETRIEVE_TITLE)}
    for tag in ABOVE[search.name][1:]:
        told[tag] = known[tag]
    told[CHARACTER_SET] = UTF8
    match = Dataset()
    for tag, element in told.items():
        try:
            match.update(Dataset.from_json({tag: element}, _no_bulk))
        except (TypeError, ValueError, OverflowError):  # a header's value that its VR forbids
            match.add_new(int(tag, 16), element["vr"], None)
    return match


def _no_bulk(_address: str) -> bytes:
    return b""


def _counted(row: Row[Any]) -> dict[str, Any]:
    values = row._asdict()
    found = {STUDY_UID: _element("UI", row.study_uid)}
    for tag, vr, name in (
        (SERIES_UID, "UI", "series_uid"),
        (SOP_UID, "UI", "sop_uid"),
        ("00201206", "IS", "series_count"),
        ("00201208" if "series_uid" not in values else "00201209", "IS", "instance_count"),
    ):
        if name in values:
            found[tag] = _element(vr, values[name])
    for tag, vr, name in (("00080061", "CS", "modalities"), ("00080062", "UI", "sop_classes")):
        if name in values:
            found[tag] = _element(vr, *(values[name] or ()))
    return found


def _element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}
