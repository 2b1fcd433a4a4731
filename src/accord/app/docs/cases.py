"""What a case is made of, and the cases that test each rule as they stand in `tests/rules`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from accord import standard
from accord.app.docs.case_fields import case_fields
from accord.app.docs.markdown import page, table
from accord.standard.model import Rule

_LEGEND = """\
A case states only what differs from a case that passes every rule; `null` means unknown. The same
rows are run as tests. What each rule asks stands in the [clause matrix](clauses.md)."""


def cases(root: Path) -> str:
    """Return the page of cases, in the order of the text."""
    parts = [_LEGEND, *case_fields()]
    for rule in standard.published().rules.values():
        path = root / "tests" / "rules" / f"{rule.id}.yaml"
        if path.is_file():
            parts.extend(_rule(rule, yaml.safe_load(path.read_text("utf-8"))))
    return page("Cases", *parts)


def _rule(rule: Rule, rows: list[Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {rule.id} {rule.title}"
    yield f"{rule.summary} ({len(rows)} cases)"
    yield table(("case", "given", "expected"), (_row(row) for row in rows))


def _row(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return name, what is given, and all else the row expects."""
    expected = {key: value for key, value in row.items() if key not in {"name", "given"}}
    if set(expected) == {"expect"}:
        return str(row["name"]), _inline(row.get("given", {})), _inline(expected["expect"])
    return str(row["name"]), _inline(row.get("given", {})), _inline(expected)


def _inline(value: object) -> str:
    """Return a value as one line of YAML without its outer braces."""
    if value in ({}, None):
        return ""
    if not isinstance(value, Mapping):
        return str(value)
    written = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf")
    )
    return f"`{written.strip()[1:-1]}`"
