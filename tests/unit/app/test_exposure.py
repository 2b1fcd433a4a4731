"""What may be served where."""

import os
from pathlib import Path

import pytest

from accord.app.exposure import refuse_unsafe
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings

HERE = Path(__file__)  # any file: only its presence is asked for
TLS = {"tls_certificate": HERE, "tls_key": HERE}


@pytest.fixture
def plain_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_nothing_even_as_root(host: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert refuse_unsafe(Settings(), host, client_certificates=True) is None


def test_root_never_serves_off_loopback(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CannotRun, match="loopback only"):
        refuse_unsafe(Settings(**TLS), "0.0.0.0")


@pytest.mark.usefixtures("plain_user")
def test_tls_is_needed_off_loopback():
    with pytest.raises(CannotRun, match="ACCORD_TLS_CERTIFICATE, ACCORD_TLS_KEY"):
        refuse_unsafe(Settings(), "10.0.0.5")


@pytest.mark.usefixtures("plain_user")
def test_named_file_must_be_there():
    settings = Settings(tls_certificate=HERE, tls_key=HERE.with_name("missing.pem"))
    with pytest.raises(CannotRun, match="set ACCORD_TLS_KEY to"):
        refuse_unsafe(settings, "10.0.0.5")


@pytest.mark.usefixtures("plain_user")
def test_dimse_needs_certificates_of_its_peers():
    assert refuse_unsafe(Settings(**TLS), "10.0.0.5") is None
    with pytest.raises(CannotRun, match="ACCORD_TLS_CLIENT_CA"):
        refuse_unsafe(Settings(**TLS), "10.0.0.5", client_certificates=True)


@pytest.mark.usefixtures("plain_user")
def test_everything_set_is_served():
    settings = Settings(**TLS, tls_client_ca=HERE)
    assert refuse_unsafe(settings, "0.0.0.0", client_certificates=True) is None
