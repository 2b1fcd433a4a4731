"""A connection read within bounds: exact lengths, each within a set time.

Nothing is read by a length that a peer states before somebody has checked that length; and however
a peer drips its bytes, one PDU takes no longer than it may.
"""

import select
import socket
import ssl
import struct
import time
from typing import Final

AHEAD: Final = 16 * 1024
STEP: Final = 256 * 1024


class Closed(Exception):
    """The peer closed the connection."""


class Wire:
    """Reads a connection; what is small is read ahead, so that a PDU's headers cost no calls.

    Args:
        connection: Plain or TLS, after its handshake.
        patience: Seconds that the first PDU may take to arrive.
    """

    def __init__(self, connection: socket.socket, patience: float) -> None:
        self.connection = connection
        self._is_tls = isinstance(connection, ssl.SSLSocket)
        # The kernel gathers what is asked for by itself, within the patience set on the socket.
        self._whole = 0 if self._is_tls else socket.MSG_WAITALL
        self._ahead = memoryview(bytearray(AHEAD))
        self._start = self._end = 0
        self._patience = 0.0
        self._deadline = 0.0
        self.be_patient(patience)

    def be_patient(self, patience: float) -> None:
        """Bound how long a PDU may take to arrive, and an answer to leave."""
        self._patience = patience
        self.renew()
        if self._is_tls:
            self.connection.settimeout(patience)
            return
        seconds, rest = divmod(patience, 1)
        bound = struct.pack("ll", int(seconds), int(rest * 1_000_000))
        self.connection.settimeout(None)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bound)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bound)

    def renew(self) -> None:
        """Let the time of the next PDU begin."""
        self._deadline = time.monotonic() + self._patience

    def is_quiet(self, seconds: float = 0.0) -> bool:
        """Wait so long for the peer to say something; say whether it said nothing."""
        if self._end > self._start:
            return False
        if isinstance(self.connection, ssl.SSLSocket) and self.connection.pending():
            return False
        poll = select.poll()  # `select` knows no descriptor above 1023
        poll.register(self.connection, select.POLLIN)
        return not poll.poll(seconds * 1000)

    def read(self, count: int) -> bytes:
        """Return `count` bytes.

        Raises:
            Closed: The peer closed the connection before.
            TimeoutError: They did not arrive in time.
        """
        if count <= AHEAD:
            if self._end - self._start < count:
                self._gather(count)
            at, self._start = self._start, self._start + count
            return bytes(self._ahead[at : self._start])
        found = bytearray(count)
        self.read_into(memoryview(found))
        return bytes(found)

    def read_into(self, window: memoryview) -> None:
        """Fill a window.

        Raises:
            Closed: The peer closed the connection before.
            TimeoutError: The bytes did not arrive in time.
        """
        at = min(len(window), self._end - self._start)
        if at:
            window[:at] = self._ahead[self._start : self._start + at]
            self._start += at
        while at < len(window):
            at += self._receive(window[at:], self._whole)

    def let_go(self, most: int) -> None:
        """Read what still comes, at most so many bytes, and forget it, until the peer closes.

        Raises:
            Closed: The peer closed the connection.
            TimeoutError: It did not in time.
        """
        while most > 0:
            most -= self._receive(self._ahead, 0)

    def send(self, data: bytes) -> None:
        """Send everything in one write."""
        self.connection.sendall(data)

    def _gather(self, count: int) -> None:
        """Have at least `count` bytes at hand."""
        held = self._end - self._start
        self._ahead[:held] = bytes(self._ahead[self._start : self._end])
        self._start, self._end = 0, held
        while self._end < count:
            self._end += self._receive(self._ahead[self._end :], 0)

    def _receive(self, window: memoryview, flags: int) -> int:
        if time.monotonic() > self._deadline:
            raise TimeoutError
        try:
            count = self.connection.recv_into(window, 0, flags)
        except BlockingIOError as error:  # how the kernel says that the patience is over
            raise TimeoutError from error
        if not count:
            raise Closed
        return count
