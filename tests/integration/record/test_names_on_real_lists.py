"""The labelled names of real hospitals: the bars that the matcher must reach, by the command."""

import csv
import json
import subprocess
import sys

import pytest

from accord.catalogue.names import lexicon
from accord.catalogue.names.text import fold
from support.tools import SHARED

LIST = SHARED / "data" / "names" / "dev.csv"
ACCORD = (sys.executable, "-c", "from accord.app.cli import main; main()", "names")

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def figures() -> dict:
    done = subprocess.run(
        [*ACCORD, "score", str(LIST), "--held-out", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_strict_lenient_and_precision_reach_their_bars(figures: dict) -> None:
    assert figures["strict"] >= 0.97
    assert figures["lenient"] >= 0.99
    assert figures["precision"] >= 0.995
    assert figures["missed"] == []


def test_no_error_is_dangerous(figures: dict) -> None:
    assert set(figures["dangerous"].values()) == {0}


def test_families_that_were_held_out_are_matched_too(figures: dict) -> None:
    held_out = figures["held_out"]["without_grown"]
    assert len(held_out["splits"]) == 5
    assert held_out["strict"] >= 0.90
    assert held_out["dangerous"] == 0


def test_a_lexicon_that_lacks_words_is_never_dangerous(figures: dict) -> None:
    assert figures["held_out"]["without_any"]["dangerous"] == 0
    assert figures["held_out"]["without_each"]["words"] > 400
    assert figures["held_out"]["without_each"]["rows"] == []


def test_confidence_is_calibrated_in_every_fold(figures: dict) -> None:
    assert len(figures["folds"]["calibration_errors"]) == 5
    assert max(figures["folds"]["calibration_errors"]) <= 0.05


def test_every_row_is_answered_in_the_agreed_columns(tmp_path) -> None:
    out = tmp_path / "out.csv"
    done = subprocess.run(
        [*ACCORD, "match", str(LIST), "--out", str(out), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["faults"] == []
    lines = out.read_text("utf-8").splitlines()
    assert lines[0] == "row,predicted_no,predicted_kind,items,confidence,because"
    assert len(lines) == 833


def test_the_lexicon_holds_words_and_not_the_rows_of_the_list() -> None:
    """A row that is nothing but one word of the field (CTPA, 胶片费) is both."""
    with LIST.open(encoding="utf-8-sig") as file:
        names = {fold(row["local_name"]) for row in csv.DictReader(file) if row["local_name"]}
    words = {term.text for term in lexicon.load().terms()}
    assert len(names) > 700
    assert len(names & words) <= len(names) // 30
