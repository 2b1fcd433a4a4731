"""A case is read on top of the passing case; what is misspelt is refused with its path."""

from datetime import UTC, datetime

import pytest

from accord import standard
from accord.recognition import cases
from accord.recognition.cases import make_case, make_evidence, merge, passing, read_case
from accord.recognition.errors import BrokenCase


def test_an_empty_case_is_the_passing_one():
    assert read_case("") == make_case({})


def test_on_is_a_word_and_a_moment_without_zone_is_local():
    case = read_case("on: 2026-03-20 09:00:00")
    assert case.on == datetime(2026, 3, 20, 1, tzinfo=UTC)


def test_null_makes_a_fact_unknown():
    assert read_case("source: {level: null}").source.level is None


def test_lists_replace_and_mappings_merge():
    assert merge({"a": [1], "b": {"c": 1, "d": 2}}, {"a": [2], "b": {"d": 3}}) == {
        "a": [2],
        "b": {"c": 1, "d": 3},
    }


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("prior: {report: {state: done}}", r"prior\.report\.state"),
        ("prior: {exam_ende: 2026-01-01}", r"prior\.exam_ende"),
        ("viewer: {level: 四级}", r"viewer\.level"),
        ("qualifications: [{scope_kind: item}]", r"qualifications\.0\.scope_value"),
        ("prior: {evidence: {objects: [{lossi: '01'}]}}", r"prior\.evidence\.objects\.0\.lossi"),
        ("oder: {item: 1}", "oder"),
        ("on: tomorrow", "on"),
        ("order: {item: 13.5}", r"order\.item"),
    ],
)
def test_an_unknown_key_or_value_is_refused_with_its_path(text, path):
    with pytest.raises(BrokenCase, match=path) as error:
        read_case(text)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "mapping"),
        ("a: [", "no YAML"),
        ("a: &x 1\nb: *x", "no YAML"),
        ("on: 1\non: 2", "no YAML"),
        ("? [a]\n: 1", "no YAML"),
        ("a: " + "[" * 5000, "no YAML|too deep"),
        ("a: " + "x" * cases.MOST_BYTES, "at most"),
    ],
)
def test_hostile_yaml_gets_a_clear_refusal(text, words):
    with pytest.raises(BrokenCase, match=words):
        read_case(text)


def test_the_passing_case_is_the_callers_own_copy():
    passing()["order"]["item"] = 1
    assert passing()["order"]["item"] == 94


def test_the_passing_evidence_carries_every_element():
    evidence = make_evidence({})
    assert set(evidence.elements["ris"]) == set(standard.elements())
