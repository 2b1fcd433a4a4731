"""Keys of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.kit import crypto, settings


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A key folder of the test's own, behind the settings of this process."""
    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path))
    settings.get_settings.cache_clear()
    yield tmp_path / "keys"
    settings.get_settings.cache_clear()
    crypto._crypto.cache_clear()
