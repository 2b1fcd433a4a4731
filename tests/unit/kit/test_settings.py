"""How durations of the environment are read."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from accord.kit.settings import Settings, is_loopback


@pytest.mark.parametrize(
    ("written", "seconds"), [("60", 60), ("0.5", 0.5), ("PT60S", 60), ("00:01:00", 60)]
)
def test_a_bare_number_is_seconds(monkeypatch, written, seconds):
    monkeypatch.setenv("ACCORD_SETTLE_AFTER", written)
    assert Settings().settle_after == timedelta(seconds=seconds)


def test_a_word_is_no_duration(monkeypatch):
    monkeypatch.setenv("ACCORD_SETTLE_AFTER", "soon")
    with pytest.raises(ValidationError, match="settle_after"):
        Settings()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_only_addresses_of_this_machine_are_loopback(host, expected):
    assert is_loopback(host) is expected
