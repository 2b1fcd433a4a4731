"""What the code names of the standard exists there: readings, numbers and tables, switches."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from accord.standard import published

ROOT = Path(__file__).resolve().parents[2]
STANDARD = published()
KEY = re.compile(r"(?:conv|[0-9]+(?:\.[0-9]+)*)/[a-z][a-z0-9_]*")
READING = re.compile(r"\bRD-[A-Z0-9.]*[A-Z0-9](?:-[A-Z0-9.]*[A-Z0-9])*")


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "src" / "accord").rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def strings() -> Iterator[tuple[str, str]]:
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield name, node.value


def switches_asked_for() -> Iterator[tuple[str, str]]:
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            asks = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if asks and node.func.attr in {"is_on", "switch"} and len(node.args) == 1:
                argument = node.args[0]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield name, argument.value


def test_every_number_and_table_asked_for_exists() -> None:
    known = {*STANDARD.numbers, *STANDARD.tables}
    asked = [(name, value) for name, value in strings() if KEY.fullmatch(value)]
    assert len(asked) > 20
    assert [f"{name}: {key}" for name, key in asked if key not in known] == []


def test_every_reading_cited_exists() -> None:
    cited = [(name, found) for name, text in sources() for found in READING.findall(text)]
    assert len(cited) > 20
    assert [f"{name}: {found}" for name, found in cited if found not in STANDARD.readings] == []


def test_every_switch_asked_for_exists() -> None:
    asked = list(switches_asked_for())
    assert asked
    assert [f"{name}: {found}" for name, found in asked if found not in STANDARD.switches] == []
