"""The page of the fields of a case says what the code reads."""

import re
from dataclasses import fields

from accord.app.docs.case_fields import _EXAMPLE, case_fields
from accord.recognition.cases import read_case
from accord.recognition.model import Case, OrderFacts, PriorFacts

TEXT = "\n\n".join(case_fields())


def test_every_part_and_field_has_a_meaning():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE)
    named = {row[0] for row in rows}
    for part in (Case, OrderFacts, PriorFacts):
        assert {one.name for one in fields(part)} <= named
    assert [row[0] for row in rows if row[3] in {"", "–"}] == []


def test_values_of_a_choice_are_listed():
    assert "`三级`, `二级`, `一级`, `未定级`" in TEXT


def test_what_a_source_inherits_from_a_party_is_told():
    section = TEXT.partition("### `source`\n")[2].partition("### ")[0]
    assert "| `level` |" in section
    assert "| `reporter` |" in section


def test_the_example_is_a_case_that_is_read():
    yaml = _EXAMPLE.partition("```yaml\n")[2].partition("```")[0]
    case = read_case(yaml)
    assert case.source.code == "TOWN1"
    assert case.prior.items == (13,)
