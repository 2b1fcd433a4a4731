"""Generated pages are committed and fresh, and nothing of the product is left out of them."""

import re
from pathlib import Path

from accord.app import docs
from accord.app.docs.interfaces import TITLES, inner_application, inner_routes, outer_routes
from accord.kit.access import PERMISSIONS
from accord.registry.model import RoleName

ROOT = Path(__file__).resolve().parents[2]


def test_committed_pages_are_what_would_be_generated_now() -> None:
    assert docs.find_stale(ROOT) == [], "run `accord docs generate`"


def test_every_route_says_what_it_does_and_stands_in_its_section() -> None:
    routes = list(inner_routes(inner_application()))
    assert [route.path for route in routes if not route.promise] == []
    assert {route.section for route in routes} <= set(TITLES)
    assert [path for path, promise in outer_routes() if not promise] == []


def test_every_route_has_a_row_with_its_permission() -> None:
    text = (ROOT / "docs/reference/api.md").read_text("utf-8")
    missing = []
    for route in inner_routes(inner_application()):
        asked = "*open*" if route.permission is None else f"`{route.permission}`"
        if f"| {route.method} | `{route.path}` | {asked} |" not in text:
            missing.append(f"{route.method} {route.path}")
    assert missing == []


def test_every_permission_and_role_has_its_place() -> None:
    text = (ROOT / "docs/reference/permissions.md").read_text("utf-8")
    assert [name for name in PERMISSIONS if f"| `{name}` |" not in text] == []
    assert [role.value for role in RoleName if f"`{role.value}`" not in text] == []


def test_every_test_that_the_architecture_names_exists() -> None:
    page = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named
    assert sorted(name for name in named if f"def {name}(" not in tests) == []
