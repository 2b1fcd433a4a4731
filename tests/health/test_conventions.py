"""Conventions that a review would otherwise have to say twice."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "accord"
PURE = [
    path
    for path in SOURCE.rglob("*.py")
    if {"rules", "checks"} & set(path.relative_to(SOURCE).parts[:-1])
    or path.name in {"rules.py", "checks.py"}
]
# How an identity number is built is GB 11643's, not the standard's.
PURE.remove(SOURCE / "identity" / "rules" / "numbers.py")


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def numbers_in(path: Path) -> list[tuple[int, object]]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and node.value not in {0, 1}
    ]


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(SOURCE)))
def test_rules_hold_no_number_of_the_standard(path: Path) -> None:
    assert numbers_in(path) == []


def test_there_are_rules_to_look_at() -> None:
    assert len(PURE) > 5


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "raise NotImplementedError"])
def test_nothing_unfinished_ships(word: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in SOURCE.rglob("*.py")
        if re.search(rf"\b{word}\b", path.read_text("utf-8"))
    ]
    assert found == []


def test_no_file_names_a_download_host_or_a_machine_path() -> None:
    # Written in pieces, so that this file does not contain what it looks for.
    hosts = ["registry." + "npmjs", "files." + "pythonhosted", "pypi." + "org/simple"]
    paths = ["/" + "work/main", "/" + "work/shared", "/" + "root/"]
    found = []
    for path in tracked_files():
        if not path.is_file() or path.stat().st_size > 5_000_000:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {word}" for word in hosts + paths if word in text]
    assert found == []


def test_uv_lock_is_not_tracked() -> None:
    assert ROOT / "uv.lock" not in tracked_files()


def test_only_the_clock_reads_the_time() -> None:
    pattern = re.compile(r"datetime\.(now|utcnow)\(|date\.today\(|\btime\.time\(")
    found = [
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if path.name != "clock.py" and pattern.search(path.read_text("utf-8"))
    ]
    assert found == []
