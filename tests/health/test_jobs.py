"""Every job that is deferred has its task, and only `jobs.py` of a package registers tasks."""

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "accord"
DEFER, TASK, PERIODIC = "defer", "task", "periodic"


def calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call `name(...)` or `jobs.name(...)` of the product."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            is_plain = isinstance(called, ast.Name) and called.id == name
            is_of_jobs = (
                isinstance(called, ast.Attribute)
                and called.attr == name
                and isinstance(called.value, ast.Name)
                and called.value.id == "jobs"
            )
            if is_plain or is_of_jobs:
                yield path, node


def literal(call: ast.Call, position: int) -> str | None:
    if len(call.args) <= position or not isinstance(call.args[position], ast.Constant):
        return None
    return str(call.args[position].value)


def test_every_deferred_job_has_its_task() -> None:
    registered = {literal(call, 0) for _, call in calls(TASK)}
    deferred = {literal(call, 1): path.name for path, call in calls(DEFER)}
    assert len(deferred) > 1
    assert {name: path for name, path in deferred.items() if name not in registered} == {}


def test_names_of_jobs_are_literals_that_begin_with_their_package() -> None:
    for kind in (TASK, PERIODIC):
        for path, call in calls(kind):
            name = literal(call, 0)
            if path.parent.name == "kit":
                continue
            assert name is not None, path
            assert name.startswith(f"{path.relative_to(SOURCE).parts[0]}."), path


def test_tasks_are_registered_where_the_worker_looks() -> None:
    places = {path.name for kind in (TASK, PERIODIC) for path, _ in calls(kind)}
    assert places <= {"jobs.py"}
