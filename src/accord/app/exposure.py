"""Off loopback a process refuses to start as root, or without TLS and authentication."""

import os

from accord.kit.errors import CannotRun
from accord.kit.settings import Settings, is_loopback


def refuse_unsafe(settings: Settings, host: str, *, client_certificates: bool = False) -> None:
    """Raise unless an address may be served with these settings.

    Over HTTP authentication is always on (every route names its permission or is one of the
    few open ones); DIMSE knows no login, so off loopback its peers show certificates.

    Raises:
        CannotRun: With what is missing.
    """
    if is_loopback(host):
        return
    if os.geteuid() == 0:
        raise CannotRun(f"Root serves loopback only, not {host}: start as another user.")
    needed = {
        "ACCORD_TLS_CERTIFICATE": settings.tls_certificate,
        "ACCORD_TLS_KEY": settings.tls_key,
    }
    if client_certificates:
        needed["ACCORD_TLS_CLIENT_CA"] = settings.tls_client_ca
    missing = [name for name, value in needed.items() if value is None or not value.is_file()]
    if missing:
        raise CannotRun(f"To serve {host}, off loopback, set {', '.join(missing)} to a file.")
