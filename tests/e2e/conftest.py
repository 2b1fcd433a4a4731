"""One running system for the tests that do not break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import whole
from support.database import Server


@pytest.fixture(scope="session")
def small_demo(server: Server) -> Path:
    """The data folder of the small demo; work on a copy."""
    return whole.small_demo(server.folder)


@pytest.fixture(scope="session")
def everything(small_demo: Path) -> Iterator[whole.Whole]:
    """The whole product, running."""
    with whole.running(small_demo, ACCORD_SETTLE_AFTER="PT1S") as running:
        yield running
