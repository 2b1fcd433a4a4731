"""No rule of the text is lost between the text and the clause files, nor between file and code."""

import re
from pathlib import Path

import pytest
import yaml

from accord.app.answers import all_answers
from accord.standard import published
from accord.standard.model import AnsweredBy

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "standard"
STANDARD = published()

RULE_IDS = re.findall(
    r"\S+",
    """
    R3.2-1 R3.3-1 R-ID-1 R5-1 R5-2 R5-3 R6.1-1 R6.1-2
    R6.2-1 R6.2-2 R6.2-3 R6.2-4 R6.2-5 R6.2-6 R6.2-7 R6.3-1 R6.3-2 R6.3-3 R6.3-4
    R6.4-1 R6.4-2 R6.4-3 R6.4-4 R6.4-5 R6.5-1 R6.5-2 R6.5-3
    R6.6-1 R6.6-1b R6.6-2 R6.6-3 R6.6-4 R6.6-5 R6.6-6 R6.7-1 R6.7-2 R6.7-3 R6.7-4
    R7.1-0 R7.1.1-a R7.1.1-b R7.1.1-c R7.1.1-d R7.1.1-e R7.1.1-f R7.1.1-g R7.1.1-h
    R7.1.2 R7.1.3-0 R7.1.3 R7.1.4 R7.1.5 R7.2-1 R7.2-2
    R7.3-0 R7.3-1 R7.3-2 R7.3-3 R7.3-4 R7.3-5 R7.3-6 R8-1
    R9.1-1 R9.2-1 R9.3-1 R9.4-1 R10.1-1 R10.2-1 R10.3-1 R10.3-2 R10.3-3
    """,
)


def shared(name: str) -> str:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"no {name} beside the repository; the embedded list is checked instead")
    return path.read_text("utf-8")


def rules_named_in(text: str) -> set[str]:
    """Rules stand in bold at the start of their paragraph, or first in a row of a table."""
    bold = re.findall(r"\*\*(R[A-Z0-9.-]*[0-9][a-z]?)(?=[\s*])", text)
    rows = re.findall(r"^\| (R[0-9.]+-[0-9a-z]+) \|", text, re.MULTILINE)
    return {*bold, *rows}


def test_every_rule_of_the_list_has_a_home() -> None:
    assert set(STANDARD.rules) == set(RULE_IDS)


@pytest.mark.shared
def test_every_rule_of_the_text_has_a_home() -> None:
    named = rules_named_in(shared("rules.md"))
    assert len(named) > 60
    assert named - set(STANDARD.rules) == set()
    assert set(STANDARD.rules) - named == set()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["rules.md", "endemic.md", "quality_forms.md"])
def test_every_reading_of_the_text_is_registered(name: str) -> None:
    named = set(re.findall(r"\bRD-[A-Z0-9.]+(?:-[A-Z0-9]+)*", shared(name)))
    assert named
    assert named - set(STANDARD.readings) == set()


@pytest.mark.shared
def test_no_reading_is_registered_that_the_text_does_not_name() -> None:
    text = "".join(shared(name) for name in ("rules.md", "endemic.md", "quality_forms.md"))
    assert [name for name in STANDARD.readings if name not in text] == []


@pytest.mark.shared
def test_every_drafting_defect_of_the_text_is_registered() -> None:
    named = set(re.findall(r"^\| (D[0-9]+) \|", shared("rules.md"), re.MULTILINE))
    assert named == set(STANDARD.defects)


@pytest.mark.shared
def test_every_quote_is_of_the_text() -> None:
    def bare(words: str) -> str:
        return re.sub(r"[\s*「」“”()（）:：]", "", words)

    text = bare(shared("rules.md"))
    lost = [
        f"{rule.id}: {part}"
        for rule in STANDARD.rules.values()
        for part in rule.quote.split("…")
        if bare(part) not in text
    ]
    assert lost == []


def test_only_rules_that_a_function_answers_have_one() -> None:
    wrong = {
        rule_id: STANDARD.rule(rule_id).answered_by
        for rule_id in all_answers()
        if STANDARD.rule(rule_id).answered_by is not AnsweredBy.RULE
    }
    assert wrong == {}


def test_a_function_answers_in_the_package_its_rule_names() -> None:
    elsewhere = {
        rule_id: answer.__module__
        for rule_id, answer in all_answers().items()
        if answer.__module__.split(".")[1] != STANDARD.rule(rule_id).where
    }
    assert elsewhere == {}


def test_every_answered_rule_has_a_table_of_cases() -> None:
    without = [
        rule_id
        for rule_id in all_answers()
        if not (ROOT / "tests" / "rules" / f"{rule_id}.yaml").is_file()
    ]
    assert without == []


def test_every_table_of_cases_belongs_to_an_answered_rule_and_has_cases() -> None:
    tables = sorted((ROOT / "tests" / "rules").glob("R*.yaml"))
    stray = [path.stem for path in tables if path.stem not in all_answers()]
    empty = [path.stem for path in tables if len(yaml.safe_load(path.read_text("utf-8"))) < 3]
    assert (stray, empty) == ([], [])
