"""A pair of hospitals, with keys of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from accord.kit import crypto, settings
from support.pair import Pair


@pytest.fixture
def pair(conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """One person at two hospitals, nothing sent yet."""
    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path))
    settings.get_settings.cache_clear()
    yield Pair(conn, tmp_path)
    settings.get_settings.cache_clear()
    crypto._crypto.cache_clear()
