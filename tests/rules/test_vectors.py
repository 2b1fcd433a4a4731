"""The test vectors of the standard's rules as whole decisions."""

from pathlib import Path

import pytest
import yaml

from accord import catalogue, standard
from accord.recognition.cases import make_case
from accord.recognition.judge import evaluate


class _Loader(yaml.SafeLoader):
    """`on` is a word here; anchors keep the table short."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":bool")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", __import__("re").compile(r"^(?:true|false)$"), list("tf")
)

VECTORS = yaml.load(
    (Path(__file__).parent / "vectors.yaml").read_text(encoding="utf-8"), Loader=_Loader
)
KEYS = {
    "name",
    "given",
    "advice",
    "relation",
    "codes",
    "not_codes",
    "grounds",
    "lifted_by",
    "interrupts",
    "shows_card",
}


@pytest.mark.parametrize("row", VECTORS, ids=[row["name"] for row in VECTORS])
def test_a_vector_is_decided_as_the_rules_say(row):
    advice = evaluate(make_case(row["given"]), standard.load(), catalogue.load())
    told = advice.as_dict()
    assert told["advice"] == row["advice"], sorted(advice.codes)
    for part in ("relation", "grounds", "lifted_by"):
        if part in row:
            assert told[part] == row[part]
    for part in ("interrupts", "shows_card"):
        if part in row:
            assert getattr(advice, part) is row[part]
    assert set(row.get("codes", ())) <= advice.codes
    assert not set(row.get("not_codes", ())) & advice.codes


def test_every_key_of_a_vector_is_asserted():
    assert [sorted(set(row) - KEYS) for row in VECTORS] == [[] for _ in VECTORS]


def test_the_vectors_of_this_engine_all_stand_in_the_table():
    numbers = {int(row["name"].split()[0][1:]) for row in VECTORS if row["name"][1:2].isdigit()}
    expected = {*range(1, 7), *range(18, 31), *range(34, 50), 54}
    assert expected <= numbers
