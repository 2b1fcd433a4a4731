"""The MLLP listener: blocking sockets, one thread for each connection.

A connection carries message after message; each is answered before the next is looked at. What
breaks the frame ends the connection, since nobody knows where the next message begins.
"""

import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from accord.intake.answering import Answering
from accord.intake.wire import END, START, BadFrame, Frames
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings

BACKLOG: Final = 128
AT_ONCE: Final = 256 * 1024
HANDSHAKE_PATIENCE: Final = 10.0
MESSAGE_PATIENCE: Final = 60.0  # seconds within which a message that has begun must be whole
MOST_CONNECTIONS: Final = 256
ENDING_PATIENCE: Final = 5.0

# Errors are logged by their kind alone: a traceback could carry what stood in a message.
log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Line:
    connection: socket.socket
    peer: str
    thread: threading.Thread = field(default_factory=threading.Thread)


class Listener:
    """One MLLP listener of one process.

    Args:
        settings: Address, limits and certificates of this site.
        answering: What answers the messages.

    Raises:
        CannotRun: The port cannot be used.
    """

    def __init__(self, settings: Settings, answering: Answering) -> None:
        self._settings = settings
        self._answering = answering
        self._tls = _tls(settings)
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._is_ending = False
        self._socket = _listen(settings.mllp_host, settings.mllp_port)

    @property
    def port(self) -> int:
        """Where it listens; the real port where 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def serve(self) -> None:
        """Serve connections until `stop`."""
        while not self._is_ending:
            try:
                connection, address = self._socket.accept()
            except OSError as error:
                if not self._is_ending:
                    log.warning("connection not accepted", error=type(error).__name__)
                    time.sleep(0.1)
                continue
            if len(self._lines) >= MOST_CONNECTIONS:
                log.warning("connection not accepted", peer=address[0], open=MOST_CONNECTIONS)
                connection.close()
                continue
            self._take_up(_Line(connection, str(address[0])))
        self._socket.close()

    def stop(self) -> None:
        """Take no new connection; let what is being kept be answered."""
        self._is_ending = True
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
            target=self._serve_line, args=(line,), name="mllp", daemon=True
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
            names: frozenset[str] | None = None
            if self._tls is not None:
                line.connection, names = self._shake_hands(line.connection)
            self._converse(line, names)
        except OSError as error:
            log.info("connection lost", peer=line.peer, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one peer must not be told what went wrong
            log.error("connection failed", peer=line.peer, error=type(error).__name__)  # noqa: TRY400
        finally:
            line.connection.close()
            with self._lock:
                self._lines.discard(line)

    def _converse(self, line: _Line, names: frozenset[str] | None) -> None:
        frames = Frames(int(self._settings.max_message_size))
        idle = self._settings.mllp_idle_timeout.total_seconds()
        while not self._is_ending:
            try:
                raw = self._next(line.connection, frames, idle)
                if raw is None:
                    return
                answer = self._answering.answer(raw, line.peer, names)
            except BadFrame as error:
                log.warning("bad frame", peer=line.peer, reason=error.sentence)
                if error.read is not None:
                    refusal = self._answering.refuse(error.read, error.sentence)
                    if refusal is not None:
                        line.connection.sendall(START + refusal + END)
                        _drain(line.connection)
                return
            line.connection.sendall(START + answer + END)

    def _next(self, connection: socket.socket, frames: Frames, idle: float) -> bytes | None:
        """Return the next message; None when the peer has ended, or was silent for too long."""
        until: float | None = None
        while (raw := frames.take()) is None:
            if until is None and not frames.is_empty:
                until = time.monotonic() + MESSAGE_PATIENCE
            left = idle if until is None else until - time.monotonic()
            if left <= 0:
                return None
            connection.settimeout(left)
            try:
                received = connection.recv(AT_ONCE)
            except TimeoutError:
                return None
            if not received:
                return None
            frames.feed(received)
        connection.settimeout(MESSAGE_PATIENCE)  # for the answer
        return raw

    def _shake_hands(self, connection: socket.socket) -> tuple[ssl.SSLSocket, frozenset[str]]:
        assert self._tls is not None  # noqa: S101 - asked before
        connection.settimeout(HANDSHAKE_PATIENCE)
        secured = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except OSError:
            secured.close()
            raise
        certificate: Any = secured.getpeercert() or {}
        named = {
            value
            for part in certificate.get("subject", ())
            for key, value in part
            if key == "commonName"
        }
        named |= {value for _, value in certificate.get("subjectAltName", ())}
        return secured, frozenset(named)


def _drain(connection: socket.socket) -> None:
    """Let the peer read the rejection: a connection closed with unread bytes is reset."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + ENDING_PATIENCE
        while time.monotonic() < until:
            connection.settimeout(until - time.monotonic())
            if not connection.recv(AT_ONCE):
                return


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotRun(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return listening


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None or settings.tls_client_ca is None:
        return None
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(settings.tls_client_ca)
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(settings.tls_certificate), settings.tls_key)
    return context
