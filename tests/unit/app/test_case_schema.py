"""The schema of a case file takes what the engine takes and refuses what it refuses."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from accord.app.cli import build
from accord.app.docs.case_fields import _EXAMPLE
from accord.recognition.cases import case_schema, make_case, passing, read_yaml
from accord.recognition.errors import BrokenCase
from accord.standard.model import as_json

SCHEMA = case_schema()
TABLES = Path(__file__).parents[2] / "rules"
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
CHECKED = {
    "$ref", "anyOf", "enum", "const", "type", "pattern",
    "items", "properties", "additionalProperties", "required", "propertyNames",
}  # fmt: skip
SAID = {"$schema", "$defs", "title", "description", "default", "format"}


def valid(value, schema=SCHEMA):
    """Answer by the keywords that the schema uses; one that is not checked here fails the test."""
    assert set(schema) <= CHECKED | SAID, set(schema) - CHECKED - SAID
    target = schema.get("$ref")
    return (
        (target is None or valid(value, SCHEMA["$defs"][target.rpartition("/")[2]]))
        and ("anyOf" not in schema or any(valid(value, one) for one in schema["anyOf"]))
        and value in schema.get("enum", [value])
        and value == schema.get("const", value)
        and is_a(schema.get("type"), value)
        and (not isinstance(value, str) or bool(re.search(schema.get("pattern", ""), value)))
        and holds(value, schema)
    )


def is_a(name, value):
    if isinstance(value, bool):
        return name in {None, "boolean"}
    return name is None or isinstance(value, TYPES[name])


def holds(value, schema):
    """Answer for what is inside a list or a mapping."""
    if isinstance(value, list):
        return all(valid(one, schema.get("items", {})) for one in value)
    if not isinstance(value, dict):
        return True
    parts, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    known = others is not False or set(value) <= set(parts)
    whole = set(schema.get("required", ())) <= set(value)
    rest = others if isinstance(others, dict) else {}
    named = all(valid(key, schema.get("propertyNames", {})) for key in value)
    return (
        known
        and whole
        and named
        and all(valid(one, parts.get(key, rest)) for key, one in value.items())
    )


def written(text):
    return json.loads(json.dumps(as_json(read_yaml(text))))


def test_the_command_prints_the_schema_without_a_case():
    told = CliRunner().invoke(build(), ["decide", "--schema"])
    assert told.exit_code == 0
    assert json.loads(told.stdout) == SCHEMA
    assert SCHEMA["$schema"].endswith("draft/2020-12/schema")


def test_the_passing_case_is_valid_and_is_the_default():
    assert valid(json.loads(json.dumps(as_json(passing()))))
    assert valid(SCHEMA["default"])


@pytest.mark.parametrize("path", sorted(TABLES.glob("R[356-]*.yaml")), ids=lambda path: path.stem)
def test_every_row_that_the_engine_reads_as_a_case_is_valid(path):
    rows = [row["given"] for row in read_yaml(path.read_text(encoding="utf-8"))]
    read = [given for given in rows if is_read(given)]
    assert [given for given in read if not valid(json.loads(json.dumps(as_json(given))))] == []


def is_read(given):
    try:
        make_case(given)
    except BrokenCase:
        return False
    return True


def test_an_example_of_the_documentation_is_valid():
    assert valid(written(_EXAMPLE.partition("```yaml\n")[2].partition("```")[0]))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "on: 2026-04-29 09:00",
        "prior: {exam_end: null}",
        "prior: {exam_end: 2026-03-15T10:00:00+08:00}",
        "order: {item: null, outside: {modality: CT, anatomy: 胸部}}",
    ],
)
def test_what_the_engine_takes_is_valid(text):
    assert valid(written(text))


@pytest.mark.parametrize(
    "text",
    [
        "prior: {exam_ended: 2026-03-15}",
        "source: {level: 四级}",
        "order: {outside: {modality: CT}}",
        "prior: {withdrawn: 'no'}",
        "on: tomorrow",
        "[]",
    ],
)
def test_what_the_engine_refuses_is_not_valid(text):
    assert not valid(written(text))
