"""The elements of 7.1.3 (C1.1 … C10.4) and the accuracy groups of 7.1.4 (A1 … A7), as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, StrictBool, StrictStr

from accord.standard.errors import BrokenFile, UnknownName
from accord.standard.files import Source, parse
from accord.standard.schemas import Strict, Words


class Condition(StrEnum):
    """When an element applies; an element without condition always does."""

    DR = "DR"
    CT = "CT"
    MR = "MR"
    CONTRAST = "CE"
    PREGNANCY = "PREG"
    BOOKED = "booked"
    PAIRED = "paired"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the field groups.

    Args:
        id: `C1.1` … `C10.4`.
        name: Chinese name.
        hard: Whether recognition needs it.
        condition: It applies when any of these holds; always when empty.
        parts: What it needs together; it counts once.
        dicom: Alternatives in order, each the tags (`gggg,eeee`) that are needed together.
        sr: Concept code in a structured report.
        hl7: Fields of HL7 v2 that carry it.
        fhir: Path in FHIR R4 that carries it.
    """

    id: str
    name: str
    hard: bool
    condition: frozenset[Condition]
    parts: tuple[str, ...]
    dicom: tuple[tuple[str, ...], ...]
    sr: str | None
    hl7: tuple[str, ...]
    fhir: str | None
    note: str | None = None

    @property
    def group(self) -> str:
        """Group it belongs to, such as `C1`."""
        return self.id.split(".", 1)[0]

    def applies(self, holding: frozenset[Condition]) -> bool:
        """Say whether it applies to a study for which these conditions hold."""
        return not self.condition or bool(self.condition & holding)


@dataclass(frozen=True, slots=True)
class AccuracyGroup:
    """A group of 7.1.4 with the ids of its elements and what it judges beyond them."""

    id: str
    name: str
    elements: tuple[str, ...]
    beyond: tuple[str, ...]


_Tags = Annotated[
    StrictStr, Field(pattern=r"^[0-9A-F]{4},[0-9A-F]{4}(\+[0-9A-F]{4},[0-9A-F]{4})*$")
]


class _ElementEntry(Strict):
    name: Words
    hard: StrictBool = False
    condition: tuple[Condition, ...] = ()
    parts: tuple[Words, ...] = ()
    dicom: tuple[_Tags, ...] = ()
    sr: Annotated[StrictStr, Field(pattern=r"^[0-9]{6}$")] | None = None
    hl7: tuple[Words, ...] = ()
    fhir: Words | None = None
    note: Words | None = None


class _AccuracyEntry(Strict):
    name: Words
    elements: Annotated[tuple[Words, ...], Field(min_length=1)]
    beyond: tuple[Words, ...] = ()


class _ElementsFile(Strict):
    groups: dict[Annotated[StrictStr, Field(pattern=r"^C[1-9][0-9]?$")], Words]
    elements: dict[
        Annotated[StrictStr, Field(pattern=r"^C[1-9][0-9]?\.[1-9][0-9]?$")], _ElementEntry
    ]
    accuracy: dict[Annotated[StrictStr, Field(pattern=r"^A[1-9]$")], _AccuracyEntry]


@dataclass(frozen=True, slots=True)
class Fields:
    """All groups and elements, in the order of the text."""

    groups: Mapping[str, str]
    elements: Mapping[str, Element]
    accuracy: Mapping[str, AccuracyGroup]


def read(source: Source) -> Fields:
    """Return the groups and elements of a text, or say what in it is wrong."""
    given = parse(source, _ElementsFile)
    elements = {name: _element(name, entry) for name, entry in given.elements.items()}
    for element in elements.values():
        if element.group not in given.groups:
            raise BrokenFile(f"{source.name}: {element.id} belongs to no group.", file=source.name)
    accuracy = {
        name: AccuracyGroup(
            name,
            entry.name,
            tuple(found for asked in entry.elements for found in _asked(source, asked, elements)),
            entry.beyond,
        )
        for name, entry in given.accuracy.items()
    }
    return Fields(given.groups, elements, accuracy)


@lru_cache(maxsize=1)
def fields() -> Fields:
    """Return the groups and elements that come with the product."""
    text = (files("accord.standard") / "elements.yaml").read_text("utf-8")
    return read(Source("elements.yaml", text))


def elements() -> Mapping[str, Element]:
    """Return the elements of 7.1.3 by id, in the order of the text."""
    return fields().elements


def element(element_id: str) -> Element:
    """Return one element of 7.1.3."""
    found = elements().get(element_id)
    if found is None:
        raise UnknownName(f"The standard has no element {element_id}.", element=element_id)
    return found


def groups() -> Mapping[str, str]:
    """Return the names of the ten field groups by id."""
    return fields().groups


def accuracy_groups() -> Mapping[str, AccuracyGroup]:
    """Return the seven accuracy groups of 7.1.4 by id."""
    return fields().accuracy


def _element(name: str, entry: _ElementEntry) -> Element:
    return Element(
        id=name,
        name=entry.name,
        hard=entry.hard,
        condition=frozenset(entry.condition),
        parts=entry.parts,
        dicom=tuple(tuple(tags.split("+")) for tags in entry.dicom),
        sr=entry.sr,
        hl7=entry.hl7,
        fhir=entry.fhir,
        note=entry.note,
    )


def _asked(source: Source, asked: str, known: Mapping[str, Element]) -> tuple[str, ...]:
    """Return the elements a group asks for: one id, or all of a field group."""
    found = tuple(name for name in known if name == asked or name.split(".", 1)[0] == asked)
    if not found:
        raise BrokenFile(f"{source.name}: there is no element {asked}.", file=source.name)
    return found
