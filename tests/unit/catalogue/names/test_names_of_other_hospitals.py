"""A reviewed table of names as other hospitals write them, none of them from the labelled lists."""

import csv
from importlib.resources import files
from pathlib import Path

import pytest

from accord import catalogue
from accord.catalogue.names import matcher
from accord.catalogue.names.model import Query

INDEPENDENT = Path(__file__).with_name("independent.csv")
LEFT_UNSURE = {"cCT nativ", "cMRT nativ"}
"""cCT, cMRT: cranial to some and cardiac to others, so no word of the lexicon."""

TABLE = Path(__file__).with_name("names.csv")
MATCHER = matcher.load()


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['modality']} {row['name']}" for row in ROWS])
def test_the_answer_is_the_reviewed_one(row: dict[str, str]) -> None:
    fields = {name: row[name] for name in row if name not in {"kind", "items", "more"}}
    answer = MATCHER.match(Query(**fields))
    found = "|".join(map(str, sorted(answer.items)))
    assert (answer.kind.value, found) == (row["kind"], row["items"]), answer.because
    assert "|".join(answer.more) == row["more"]


def test_the_table_is_no_part_of_the_package():
    shipped = {path.name for path in (files("accord.catalogue.names") / "lexicon").iterdir()}
    assert TABLE.name not in shipped
    assert len(ROWS) > 400


def test_every_kind_and_most_items_stand_in_the_table():
    assert len({row["kind"] for row in ROWS}) == 5
    numbers = {int(no) for row in ROWS for no in row["items"].split("|") if no}
    assert len(numbers) > len(catalogue.load().items) * 0.8


def independent() -> list[dict[str, str]]:
    with INDEPENDENT.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", independent(), ids=lambda row: f"{row['modality']} {row['name']}")
def test_a_list_written_before_the_answers_were_seen(row: dict[str, str]) -> None:
    fields = {name: row[name] for name in row if name not in {"kind", "items"}}
    answer = MATCHER.match(Query(**fields))
    expected = "ambiguous" if row["name"] in LEFT_UNSURE else row["kind"]
    assert answer.kind.value == expected, answer.because
    if expected in {"item", "multiple"}:
        assert "|".join(map(str, sorted(answer.items))) == row["items"]


@pytest.mark.parametrize("unknown", ["髑", "椎旁", "Q", "zorb", "trabec", "岬"])
def test_a_word_nobody_knows_takes_the_item_away(unknown: str) -> None:
    given = [row for row in independent() if row["kind"] == "item"]
    for row in given:
        fields = {name: row[name] for name in row if name not in {"kind", "items", "name"}}
        answer = MATCHER.match(Query(name=f"{row['name']} {unknown}", **fields))
        assert answer.item is None, row["name"]
