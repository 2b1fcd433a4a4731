import json

import pytest
import typer
from typer.testing import CliRunner

from accord.app.cli import standard
from accord.kit.settings import get_settings
from accord.standard.errors import UnknownName

SEEN_FROM_OUTSIDE = ("id", "clause", "text", "quote", "modal", "severity", "answered_by", "who")


@pytest.fixture(autouse=True)
def as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACCORD_RULES_DIR", raising=False)
    monkeypatch.delenv("ACCORD_RULE_SET", raising=False)
    get_settings.cache_clear()


def run(*arguments: str) -> str:
    app = typer.Typer()
    standard.add(app)
    result = CliRunner().invoke(app, ["standard", *arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_list_prints_every_rule_in_the_order_of_the_text() -> None:
    listed = json.loads(run("list", "--json"))
    ids = [rule["id"] for rule in listed["rules"]]
    assert (ids[0], ids[-1], len(ids)) == ("R3.2-1", "R10.3-3", 71)
    assert (listed["version"], listed["status"]) == ("2025-draft", "draft")


@pytest.mark.parametrize(
    ("clause", "first", "last"),
    [("6", "R6.1-1", "R6.7-4"), ("7.1", "R7.1-0", "R7.1.5"), ("10.1", "R10.1-1", "R10.1-1")],
)
def test_list_can_be_cut_to_a_clause(clause: str, first: str, last: str) -> None:
    rules = json.loads(run("list", "--json", "--clause", clause))["rules"]
    assert (rules[0]["id"], rules[-1]["id"]) == (first, last)
    assert {rule["clause"].split(".")[0] for rule in rules} == {clause.split(".", maxsplit=1)[0]}


def test_list_shows_strength_and_who_answers_to_people() -> None:
    line = next(line for line in run("list").splitlines() if line.startswith("R7.1.1-f"))
    assert line.split() == ["R7.1.1-f", "7.1.1", "SHOULD", "INFO", "person", "医技预约系统"]


def test_a_clause_without_rules_is_wrong_use() -> None:
    with pytest.raises(UnknownName, match="no rule under clause 11") as raised:
        run("list", "--clause", "11")
    assert raised.value.exit_code == 2


def test_show_prints_all_that_stands_behind_a_rule() -> None:
    shown = json.loads(run("show", "R6.5-1", "--json"))
    assert [shown[key] for key in ("id", "clause", "modal", "severity")] == [
        "R6.5-1",
        "6.5",
        "SHALL",
        "BLOCK",
    ]
    assert all(shown[key] for key in SEEN_FROM_OUTSIDE)
    assert shown["numbers"][0] == {
        "key": "6.5/window",
        "value": 1,
        "unit": "months",
        "operator": "<=",
        "quote": "近期（1个月）",
        "jurisdiction": "川渝",
        "note": "calendar months from the day the examination ended, clamped to the month's end",
        "source": "2025-draft",
    }
    assert [reading["id"] for reading in shown["readings"]] == ["RD-6.5-MONTH", "RD-6.5-FUTURE"]
    assert [defect["id"] for defect in shown["defects"]] == ["D11"]


def test_show_names_the_function_that_answers() -> None:
    shown = json.loads(run("show", "R7.1-0", "--json"))
    assert shown["function"].startswith("accord.dataquality.rules.")


def test_show_says_where_a_workflow_answers() -> None:
    shown = json.loads(run("show", "R5-1", "--json"))
    assert (shown["answered_by"], shown["where"], shown["function"]) == (
        "workflow",
        "reminder",
        None,
    )


@pytest.mark.parametrize(
    "words",
    [
        "R6.1-1  DR、CT、MRI范围",
        "clause 6.1 互认内容, 2025-draft (draft)",
        "RD-6.1-CR  设备是什么以登记为准；CR读取装置默认不纳入",
        "switch accept_cr_reader = False",
        "D14  附录A第62至64项: 乳腺钼靶列为DR",
    ],
)
def test_show_is_readable(words: str) -> None:
    assert words in [line.strip() for line in run("show", "R6.1-1").splitlines()]


def test_show_compares_in_words() -> None:
    assert "6.5/window  <= 1 months  「近期（1个月）」" in run("show", "R6.5-1")
    assert "6.5/other_count  30 days  RD-6.5-MONTH" in run("show", "R6.5-1")


def test_an_unknown_rule_is_wrong_use() -> None:
    with pytest.raises(UnknownName, match=r"no rule R6\.5-9") as raised:
        run("show", "R6.5-9")
    assert raised.value.exit_code == 2


def test_an_unknown_version_is_wrong_use() -> None:
    with pytest.raises(UnknownName, match="no rule set 2019"):
        run("list", "--version", "2019")
