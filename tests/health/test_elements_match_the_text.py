"""The element table of 7.1.3 as data says what the text beside the repository says."""

import re
from pathlib import Path

import pytest

from accord.standard import elements, groups
from accord.standard.fields import Element

TEXT = Path(__file__).resolve().parents[3] / "shared" / "standard" / "rules.md"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not TEXT.is_file(), reason="no rules.md beside the repository"),
]


def rows_of_the_text() -> dict[str, list[str]]:
    lines = TEXT.read_text("utf-8").splitlines() if TEXT.is_file() else []
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells if re.fullmatch(r"C[0-9]+\.[0-9]+", row[0])}


ROWS = rows_of_the_text()


def conditions(words: str) -> set[str]:
    return {part for part in re.split(r",\s*|\s+or\s+|\s+part", words) if part}


def tags(words: str) -> set[str]:
    """Tags of a cell; (0040,2004/2005) and (0020,0060)/(0020,0062) name two each."""
    found = set()
    for group, numbers in re.findall(r"\(([0-9A-F]{4}),([0-9A-F/]+)\)", words):
        found |= {f"{group},{number}" for number in numbers.split("/")}
    return found


def fields(words: str) -> set[str]:
    """Fields of HL7 v2 of a cell; OBR-32/33 names two."""
    found = set()
    for part in re.findall(r"[A-Z0-9]{3}(?:-[0-9.]+(?:/[0-9]+)*)?", words):
        segment, _, numbers = part.partition("-")
        found |= {f"{segment}-{n}" for n in numbers.split("/")} if numbers else {segment}
    return found


def test_the_same_elements_in_the_same_order() -> None:
    assert list(elements()) == list(ROWS)


def test_the_same_groups() -> None:
    named = re.findall(r"\*\*(C[0-9]+) ([^*]+)\*\*", TEXT.read_text("utf-8"))
    assert list(groups().items()) == named


@pytest.mark.parametrize("element", elements().values(), ids=lambda element: element.id)
def test_an_element_is_as_the_text_has_it(element: Element) -> None:
    name, condition, dicom, hl7, _ = ROWS[element.id]
    assert element.hard == name.endswith(" H")
    assert set(element.condition) == conditions(condition)
    assert {tag for together in element.dicom for tag in together} == tags(
        dicom.replace("SR author ", "")
    )
    assert set(element.hl7) == fields(hl7.replace("modifier", ""))
    assert element.sr == (re.search(r"SR ([0-9]{6})", dicom) or [None, None])[1]
