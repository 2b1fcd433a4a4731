"""Figures of an institution at their boundaries."""

from pathlib import Path

import pytest
import yaml

from accord import standard
from accord.dataquality.rules import figures
from accord.dataquality.rules.figures import Rate

RULE_SET = standard.load("2025-draft")
ROWS = yaml.safe_load((Path(__file__).parent / "figures.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_figure_gets_the_verdict_it_expects(row):
    told = figures.figure("7.1", row["key"], Rate(row["num"], row["den"]), RULE_SET)
    assert (told["outcome"], told["shown"]) == (row["expect"], row["shown"])
    assert (told["num"], told["den"]) == (row["num"], row["den"])
    assert (told["interval"] is None) == (row["den"] == 0)


def test_the_vectors_of_figures_all_stand_in_the_table():
    assert {"T13", "T14", "T15", "T56"} <= {row["name"].split()[0] for row in ROWS}
