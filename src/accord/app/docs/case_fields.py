"""Every field of a case for `accord decide`, from the dataclasses themselves."""

import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from accord.app.docs.markdown import table
from accord.dataquality.model import Part as EvidencePart
from accord.recognition.cases import passing
from accord.recognition.model import Case, Part
from accord.standard.model import Finding, as_json

_INTRODUCTION: Final = """\
`accord decide CASE.yaml` decides one order item and one past examination from a file, without a
database. The file gives only what differs from a case that passes every rule and is advised as
`RECOGNISE_MUST`; `null` makes a fact unknown. Mappings are merged key by key, lists are replaced
as a whole. An unknown key or value ends with exit code 2 and the path of the key. Moments without
a time zone are local time (Asia/Shanghai); periods are half-open local days. Only `true` and
`false` are yes and no, so `on` is a plain word. `accord decide --schema` prints the JSON schema
(draft 2020-12) of such a file, with the passing case as its default."""

_EXAMPLE: Final = """\
```yaml
# A county hospital's left knee from the township of its own consortium, six weeks old.
on: 2026-04-29 09:00
order: {item: 13}
prior:
  items: [13]
  exam_end: 2026-03-15 10:00
  side: L
source: {code: TOWN1, licence_holder: TOWN1, level: 一级}
viewer: {code: COUNTY1, licence_holder: COUNTY1, level: 二级}
consortia: [{code: X, kind: county, members: [TOWN1, COUNTY1]}]
device: {kind: DR_PANEL}
qualifications:
  - {scope_kind: family, scope_value: DR-四肢肌骨, mark_scope: 川渝, state: passed,
     valid_from: 2026-01-01, centre_rank: prefecture}
```

is `NOT_ELIGIBLE`, with `OUT_OF_WINDOW` as its only gate; ten days earlier it is advised as must."""

_ENTRY: Final = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def case_fields() -> Iterator[str]:
    """Give the sections: how a case is written, an example, and one table for each part."""
    yield "## A case\n\n" + _INTRODUCTION
    yield _EXAMPLE
    yield from _part(Case, "", passing())


def _part(kind: type, path: str, values: Any) -> Iterator[str]:
    given = values if isinstance(values, Mapping) else {}
    hints = get_type_hints(kind, include_extras=True)
    told = _told(kind)
    names = [one.name for one in fields(kind)]
    rows = (
        (f"`{name}`", _type_of(hints[name]), _shown(given.get(name)), told[name]) for name in names
    )
    title = f"`{path}`" if path else "The parts"
    yield f"### {title}\n\n{_first_line(kind)}"
    yield table(("field", "value", "passing", "meaning"), rows)
    for name in names:
        for inner in _parts_within(hints[name]):
            below = given.get(name)
            yield from _part(inner, f"{path}.{name}".strip("."), below)


def _told(kind: type) -> dict[str, str]:
    """Return the meaning of each field, from the docstrings of the class and those above it."""
    told: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        text = inspect.cleandoc(one.__doc__ or "")
        arguments = text.partition("Args:\n")[2]
        found = _ENTRY.findall("\n".join(arguments.splitlines()))
        told |= {name: " ".join(words.split()) for name, words in found}
    return told


def _first_line(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _choices(hint: Any) -> tuple[Any, ...]:
    """Return the alternatives of a type without `None`."""
    plain = _plain(hint)
    if get_origin(plain) in {Union, types.UnionType}:
        return tuple(one for one in get_args(plain) if one is not types.NoneType)
    return (plain,)


def _parts_within(hint: Any) -> Iterator[type]:
    for choice in _choices(hint):
        plain = _plain(choice)
        inner = [one for one in get_args(plain) if one is not Ellipsis] or [plain]
        for one in inner:
            if is_dataclass(one) and isinstance(one, type) and issubclass(one, Part | EvidencePart):
                yield one


_WORDS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "number",
    bool: "true, false",
    datetime: "moment",
    date: "day",
    Finding: "finding",
}


def _type_of(hint: Any) -> str:
    return " or ".join(dict.fromkeys(_word(choice) for choice in _choices(hint)))


def _word(kind: Any) -> str:
    plain = _plain(kind)
    origin, inner = get_origin(plain), [one for one in get_args(plain) if one is not Ellipsis]
    if origin in {tuple, frozenset}:
        return f"list of {_type_of(inner[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"{_type_of(inner[0])} → {_type_of(inner[1])}"
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return ", ".join(f"`{one.value}`" for one in plain)
    return _WORDS.get(plain, "mapping")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and value:
        return "see below" if len(value) > 2 else _inline(value)  # noqa: PLR2004
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "see below"
    return _inline(value)


def _inline(value: Any) -> str:
    return f"`{json.dumps(as_json(value), ensure_ascii=False)}`"
