"""Every answered rule against its table: outcome, effect, code and facts of each row."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from accord.recognition.cases import read_yaml
from accord.standard.model import AnsweredBy, as_json

HERE = Path(__file__).parent
_spec = spec_from_file_location("rule_table_builders", HERE / "builders.py")
builders = module_from_spec(_spec)
_spec.loader.exec_module(builders)

TABLES = {
    path.stem: read_yaml(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("R*.yaml"))
}
ROWS = [
    pytest.param(rule_id, row, id=f"{rule_id}: {row['name']}")
    for rule_id, table in TABLES.items()
    for row in table
]
KEYS = {"name", "given", "expect", "effect", "severity", "code", "because", "switches"}


@pytest.mark.parametrize(("rule_id", "row"), ROWS)
def test_a_row_gets_the_answer_it_expects(rule_id, row):
    finding = builders.ANSWERS[rule_id](*builders.arguments(rule_id, row))
    told = finding.as_dict()
    assert finding.rule == rule_id
    assert told["outcome"] == row["expect"], finding
    for part in ("effect", "severity", "code"):
        if part in row:
            assert told.get(part) == row[part], finding
    because = as_json(row.get("because", {}))
    assert {key: told["because"].get(key) for key in because} == because


@pytest.mark.parametrize(("rule_id", "table"), TABLES.items())
def test_a_table_tells_apart_at_least_two_answers_in_three_rows(rule_id, table):
    names = [row["name"] for row in table]
    assert len(table) >= 3
    assert len(set(names)) == len(names)
    assert len({(row["expect"], row.get("effect")) for row in table}) >= 2
    assert [sorted(set(row) - KEYS) for row in table] == [[] for _ in table]


def test_every_rule_that_is_answered_has_a_table():
    assert set(builders.ANSWERS) <= set(TABLES)


def test_a_table_belongs_to_a_rule_that_a_function_answers():
    rules = builders.RULE_SET.rules
    assert set(TABLES) <= set(builders.ANSWERS)
    assert {rule_id for rule_id in TABLES if rules[rule_id].answered_by != AnsweredBy.RULE} == set()


@pytest.mark.parametrize(("rule_id", "table"), TABLES.items())
def test_a_finding_cites_only_numbers_and_readings_that_exist(rule_id, table):
    for row in table:
        finding = builders.ANSWERS[rule_id](*builders.arguments(rule_id, row))
        assert set(finding.numbers) <= set(builders.RULE_SET.numbers)
        assert set(finding.readings) <= set(builders.RULE_SET.readings)
