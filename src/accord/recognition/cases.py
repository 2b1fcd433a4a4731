"""Read a case from what a person or a rule table writes: only what differs from the passing case.

An unknown key or value is refused with the path of the key, so that a misspelt fact never counts
as unknown.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from accord import standard
from accord.dataquality.model import SourceName, StudyEvidence
from accord.recognition.errors import BrokenCase
from accord.recognition.model import Case

MOST_BYTES = 256 * 1024
MOST_FAULTS = 10
UNWRITTEN = frozenset({"default", "uniqueItems"})
EVIDENCE = ("prior", "evidence")
MOMENT = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?$"


def read_case(text: str) -> Case:
    """Return the case that a YAML text describes, on top of the passing case."""
    if len(text.encode()) > MOST_BYTES:
        raise BrokenCase(f"A case has at most {MOST_BYTES} bytes.")
    try:
        given = read_yaml(text)
    except yaml.YAMLError as error:
        raise BrokenCase(f"This is no YAML: {error}.") from error
    except RecursionError as error:
        raise BrokenCase("The case is nested too deep.") from error
    return make_case(given or {})


def make_case(given: object) -> Case:
    """Return the passing case with what is given put over it; lists are replaced as a whole."""
    whole = merge(passing(), given)
    case: Case = _checked(_adapter(Case), whole, "case")
    return case


def case_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a case file, made from the model.

    No part is required, since a file states only what differs; `default` is the passing case.
    YAML writes a moment with a space as well, so moments have a pattern and no format.
    """
    schema: dict[str, Any] = _as_written(_adapter(Case).json_schema())
    del schema["required"]
    whole = _adapter(Case).validate_python(passing())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "default": _adapter(Case).dump_python(whole, mode="json"),
    }


def _as_written(part: Any) -> Any:
    """Leave out what does not hold of a file: the model's defaults, and the format of moments."""
    if isinstance(part, list):
        return [_as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: _as_written(value) for key, value in part.items() if key not in UNWRITTEN}
    if kept.get("format") == "date-time":
        kept["pattern"] = MOMENT
        del kept["format"]
    return kept


def make_evidence(given: object) -> StudyEvidence:
    """Return the evidence of the passing case with what is given put over it."""
    evidence: StudyEvidence = _checked(
        _adapter(StudyEvidence), merge(passing()["prior"]["evidence"], given), ""
    )
    return evidence


def passing() -> dict[str, Any]:
    """Return the passing case as plain data, for the caller to change."""
    return deepcopy(_passing())


def merge(under: Any, over: Any) -> Any:
    """Put one mapping over another, key by key; anything else replaces what was there."""
    if not isinstance(under, Mapping) or not isinstance(over, Mapping):
        return over
    return {**under, **{key: merge(under.get(key), value) for key, value in over.items()}}


@lru_cache(maxsize=1)
def _passing() -> dict[str, Any]:
    text = (files("accord.recognition") / "passing.yaml").read_text(encoding="utf-8")
    case: dict[str, Any] = read_yaml(text)
    case["prior"]["evidence"]["elements"] = {SourceName.RIS.value: _all_elements()}
    return case


def _all_elements() -> dict[str, str | list[str]]:
    """Return content for every element of clause 7.1.3, from the RIS record."""
    return {
        name: ["已填"] * len(element.parts) if element.parts else "已填"
        for name, element in standard.elements().items()
    }


@lru_cache(maxsize=2)
def _adapter(part: type) -> TypeAdapter[Any]:
    return TypeAdapter(part)


def _checked(adapter: TypeAdapter[Any], given: object, part: str) -> Any:
    if not isinstance(given, Mapping):
        raise BrokenCase("A case is a mapping of its parts.")
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        faults = [f"{_path(fault['loc'], part)}: {fault['msg']}" for fault in error.errors()]
        raise BrokenCase("; ".join(faults[:MOST_FAULTS])) from error


def _path(location: Sequence[int | str], part: str) -> str:
    """Write the place of a fault as a reader of the file would, such as `prior.report.state`."""
    steps = [str(step) for step in location if not str(step).startswith("function-")]
    return ".".join(steps) or part


class _PlainLoader(yaml.SafeLoader):
    """YAML in which `on` is a word, and without aliases: a few of them can describe gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read here")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len({str(name) for name in names}) != len(names):
            raise yaml.YAMLError("a key is given twice")
        return super().construct_mapping(node, deep=deep)


_BOOLEAN = "tag:yaml.org,2002:bool"
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|false)$"), list("tf"))


def read_yaml(text: str) -> Any:
    """Read YAML as a person means it: only `true` and `false` are yes and no."""
    return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a safe loader
