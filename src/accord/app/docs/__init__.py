"""Pages of the documentation that are generated from the product and committed.

One function a page, taking the root of the repository and returning the text of the page;
`accord docs check` fails when a committed page is no longer what its function returns.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from accord.app.docs.cases import cases
from accord.app.docs.clauses import clauses
from accord.app.docs.commands import commands
from accord.app.docs.interfaces import interfaces
from accord.app.docs.numbers import numbers
from accord.app.docs.objects import objects
from accord.app.docs.permissions import permissions
from accord.app.docs.readings import readings
from accord.app.docs.settings import settings

Page = Callable[[Path], str]

PAGES: Mapping[str, Page] = {
    "docs/reference/api.md": interfaces,
    "docs/reference/cases.md": cases,
    "docs/reference/clauses.md": clauses,
    "docs/reference/cli.md": commands,
    "docs/reference/numbers.md": numbers,
    "docs/reference/objects.md": objects,
    "docs/reference/permissions.md": permissions,
    "docs/reference/readings.md": readings,
    "docs/reference/settings.md": settings,
}
"""Every generated page by its path in the repository; a new page is one line here."""


def generate(root: Path) -> list[str]:
    """Write the pages that are not fresh and return their paths."""
    stale = find_stale(root)
    for path in stale:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(PAGES[path](root), "utf-8")
    return stale


def find_stale(root: Path) -> list[str]:
    """Return the paths of pages that are missing or differ from what is generated now."""
    return [path for path, page in PAGES.items() if _written(root / path) != page(root)]


def _written(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None
