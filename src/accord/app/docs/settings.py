"""Every setting of a site, from the settings themselves; nothing of this machine or its user."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import ByteSize, SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

from accord.app.docs.markdown import code, page, table
from accord.kit.settings import Settings

PREFIX: Final = str(Settings.model_config["env_prefix"])

_LEGEND = """\
A setting is a choice of the site and is read from the environment once, when a process starts. A
value that cannot be read ends the process before it does anything. Numbers of the standard are not
settings: they stand in the [clause matrix](clauses.md), and a site changes them by files in
`ACCORD_RULES_DIR` ([Readings](readings.md)).

* **duration**: `00:01:30` (hours, minutes, seconds, with fractions if need be) or ISO 8601 as in
  `PT90S`, `P1D`; a bare number is refused, because it names no unit.
* **size**: bytes, or with a unit as in `512KiB`, `4GiB`, `5MB`.
* **file**, **folder**: a path; relative ones count from where the process was started."""

_DEFAULTS: Final[Mapping[str, str]] = {
    "data_dir": "`./var` under `./dev`; else the state folder of the user, the system's for root",
}
"""Defaults that depend on the machine, in words."""

_BOUNDS: Final[Mapping[str, str]] = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "of {} or more characters",
    "max_length": "at most {} characters",
}


def settings(_root: Path) -> str:
    """Return the page of settings, in the order of the source."""
    fields = Settings.model_fields
    return page(
        "Settings",
        _LEGEND,
        f"{len(fields)} settings.",
        table(
            ("variable", "value", "default", "meaning"),
            (_row(name, field) for name, field in fields.items()),
        ),
    )


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    kind = ", ".join((_kind(name, field.annotation), *_bounds(field)))
    return code(variable(name)), kind, _default(name, field), field.description or ""


def _bounds(field: FieldInfo) -> Iterator[str]:
    for constraint in field.metadata:
        for attribute, words in _BOUNDS.items():
            bound = getattr(constraint, attribute, None)
            if bound is not None:
                yield words.format(bound)


_KINDS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "number",
    timedelta: "duration",
    float: "number",
    bool: "`true` or `false`",
    ByteSize: "size",
    SecretStr: "text, kept out of logs",
}


def _kind(name: str, annotation: Any) -> str:
    choices = [one for one in _alternatives(annotation) if one is not NoneType]
    if get_origin(choices[0]) is Literal:
        return " or ".join(code(str(one)) for one in get_args(choices[0]))
    if choices[0] is Path:
        return "folder" if name.endswith("_dir") else "file"
    if get_origin(choices[0]) in {frozenset, tuple, list}:
        return f"list, as JSON, of {_kind(name, get_args(choices[0])[0])}s"
    if get_origin(choices[0]) is dict:
        return "object, as JSON"
    return _KINDS[choices[0]]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    is_union = get_origin(annotation) in {Union, UnionType}
    return get_args(annotation) if is_union else (annotation,)


def _default(name: str, field: FieldInfo) -> str:
    if name in _DEFAULTS:
        return _DEFAULTS[name]
    value = field.get_default()
    if value is None:
        return "unset"
    if isinstance(value, frozenset | tuple | list):
        return code(json.dumps(sorted(value)))
    if isinstance(value, timedelta):
        return code(str(TypeAdapter(timedelta).dump_python(value, mode="json")))
    if isinstance(value, ByteSize):
        return code(value.human_readable(separator="").replace(".0", ""))
    return code(str(value))
