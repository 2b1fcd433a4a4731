"""Listening on TCP ports: one thread for each connection, TLS with client certificates."""

import socket
import ssl
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from accord.kit.errors import CannotRun
from accord.kit.settings import Settings

BACKLOG: Final = 128
HANDSHAKE_PATIENCE: Final = 10.0
ENDING_PATIENCE: Final = 5.0

# Errors are logged by their kind alone: a traceback could carry what a peer sent.
log = structlog.get_logger(__name__)


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that has a port; nobody listens on it yet.

    Args:
        host: Address, IPv4 or IPv6.
        port: Port; 0 is a free one.
        shared: Other processes may have the same port, and the kernel shares connections out.

    Raises:
        CannotRun: The port cannot be used.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _unusable(host, port, error) from error
    return bound


def _unusable(host: str, port: int, error: OSError) -> CannotRun:
    return CannotRun(f"Port {port} of {host} cannot be used: {error.strerror}.")


def tls(settings: Settings, purpose: ssl.Purpose) -> ssl.SSLContext | None:
    """Return our TLS towards clients or servers, both with certificates; None where we have none.

    Args:
        settings: Certificate, key, and the authority that signed those of our peers.
        purpose: Whom it authenticates.
    """
    if settings.tls_certificate is None or settings.tls_client_ca is None:
        return None
    context = ssl.create_default_context(purpose, cafile=str(settings.tls_client_ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(settings.tls_certificate), settings.tls_key)
    return context


def certificate_names(connection: socket.socket) -> frozenset[str] | None:
    """Return the names in a peer's certificate; None on a connection without TLS."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    certificate: Any = connection.getpeercert() or {}
    named = {
        value
        for part in certificate.get("subject", ())
        for key, value in part
        if key == "commonName"
    }
    return frozenset(named | {value for _, value in certificate.get("subjectAltName", ())})


@dataclass(frozen=True)
class Address:
    """Where somebody listens."""

    host: str
    port: int


@dataclass(eq=False)
class _Line:
    """An open connection and the thread that serves it."""

    connection: socket.socket
    peer: str
    thread: threading.Thread = field(default_factory=threading.Thread)


class Listener(ABC):
    """Listens on one port; what is said on a connection is for the class that extends it.

    Args:
        bound: The port.
        settings: Certificates of this site.
        name: What its threads are called.
        most: Connections at once; further ones are closed.

    Raises:
        CannotRun: Another process listens on the port.
    """

    def __init__(self, bound: socket.socket, settings: Settings, *, name: str, most: int) -> None:
        self.is_ending = False
        self._socket = bound
        self._tls = tls(settings, ssl.Purpose.CLIENT_AUTH)
        self._name = name
        self._most = most
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        address = self.address
        try:
            bound.listen(BACKLOG)
        except OSError as error:
            bound.close()
            raise _unusable(address.host, address.port, error) from error

    @property
    def address(self) -> Address:
        """Where it listens; the real port where 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return Address(str(host), int(port))

    @abstractmethod
    def converse(self, connection: socket.socket, peer: str) -> None:
        """Serve one connection until it ends or `is_ending`; it is closed afterwards.

        Args:
            connection: Plain, or TLS after its handshake.
            peer: Address of the other side.
        """

    def serve(self) -> None:
        """Serve connections until `stop`."""
        while not self.is_ending:
            try:
                connection, address = self._socket.accept()
            except OSError as error:
                if not self.is_ending:
                    log.warning("connection not accepted", error=type(error).__name__)
                    time.sleep(0.1)  # no file or no memory is left: some will be given back
                continue
            if len(self._lines) >= self._most:
                log.warning("connection not accepted", peer=address[0], open=self._most)
                connection.close()
                continue
            self._take_up(_Line(connection, str(address[0])))
        self._socket.close()

    def stop(self) -> None:
        """Take no new connection, let nobody wait for an answer that will not come."""
        self.is_ending = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            with suppress(OSError):
                line.connection.shutdown(socket.SHUT_RD)  # wakes who reads; answers still go out
        until = time.monotonic() + ENDING_PATIENCE
        for line in lines:
            line.thread.join(max(until - time.monotonic(), 0))

    def _take_up(self, line: _Line) -> None:
        line.thread = threading.Thread(
            target=self._serve_line, args=(line,), name=self._name, daemon=True
        )
        with self._lock:
            self._lines.add(line)
        try:
            line.thread.start()
        except RuntimeError:  # no more threads
            log.warning("connection not accepted", peer=line.peer, error="threads")
            with self._lock:
                self._lines.discard(line)
            line.connection.close()

    def _serve_line(self, line: _Line) -> None:
        try:
            line.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                line.connection = _shake_hands(line.connection, self._tls)
            self.converse(line.connection, line.peer)
        except OSError as error:
            log.warning("connection lost", peer=line.peer, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one peer must not be told what went wrong
            log.error("connection failed", peer=line.peer, error=type(error).__name__)  # noqa: TRY400
        finally:
            line.connection.close()
            with self._lock:
                self._lines.discard(line)


def _shake_hands(connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    connection.settimeout(HANDSHAKE_PATIENCE)
    secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    try:
        secured.do_handshake()
    except OSError:
        secured.close()
        raise
    return secured
