"""The MLLP listener: blocking sockets, one thread for each connection.

A connection carries message after message; each is answered before the next is looked at. What
breaks the frame ends the connection, since nobody knows where the next message begins.
"""

import socket
import time
from contextlib import suppress
from typing import Final

import structlog

from accord.intake.answering import Answering
from accord.intake.wire import END, START, BadFrame, Frames
from accord.kit.listening import Listener, bind, certificate_names
from accord.kit.settings import Settings

AT_ONCE: Final = 256 * 1024
MESSAGE_PATIENCE: Final = 60.0  # seconds within which a message that has begun must be whole
MOST_CONNECTIONS: Final = 256
READING_PATIENCE: Final = 5.0  # seconds that a peer may take to read its rejection

# Errors are logged by their kind alone: a traceback could carry what stood in a message.
log = structlog.get_logger(__name__)


class MessageListener(Listener):
    """One MLLP listener of one process.

    Args:
        settings: Address, limits and certificates of this site.
        answering: What answers the messages.

    Raises:
        CannotRun: The port cannot be used.
    """

    def __init__(self, settings: Settings, answering: Answering) -> None:
        super().__init__(
            bind(settings.mllp_host, settings.mllp_port),
            settings,
            name="mllp",
            most=MOST_CONNECTIONS,
        )
        self._largest = int(settings.max_message_size)
        self._idle = settings.mllp_idle_timeout.total_seconds()
        self._answering = answering

    def converse(self, connection: socket.socket, peer: str) -> None:
        """Answer message after message."""
        frames, names = Frames(self._largest), certificate_names(connection)
        while not self.is_ending:
            try:
                raw = self._next(connection, frames)
                if raw is None:
                    return
                answer = self._answering.answer(raw, peer, names)
            except BadFrame as error:
                log.warning("bad frame", peer=peer, reason=error.sentence)
                if error.read is not None:
                    refusal = self._answering.refuse(error.read, error.sentence)
                    if refusal is not None:
                        connection.sendall(START + refusal + END)
                        _drain(connection)
                return
            connection.sendall(START + answer + END)

    def _next(self, connection: socket.socket, frames: Frames) -> bytes | None:
        """Return the next message; None when the peer has ended, or was silent for too long."""
        until: float | None = None
        while (raw := frames.take()) is None:
            if until is None and not frames.is_empty:
                until = time.monotonic() + MESSAGE_PATIENCE
            left = self._idle if until is None else until - time.monotonic()
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


def _drain(connection: socket.socket) -> None:
    """Let the peer read the rejection: a connection closed with unread bytes is reset."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + READING_PATIENCE
        while time.monotonic() < until:
            connection.settimeout(until - time.monotonic())
            if not connection.recv(AT_ONCE):
                return
