"""The one place where pynetdicom's reading is held within bounds.

pynetdicom believes the length that a PDU states and reads until it has that many bytes, however
many and however slowly; it queues messages without end. Here a length is checked before anything
is read by it, a PDU must arrive within a set time, a message may not outgrow the site's limit, and
a peer that sends on without waiting for answers is cut off.
"""

import socket
import ssl
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import structlog
from pynetdicom.association import Association

from accord.archive.receive.messages import BadMessage, Messages, Storing
from accord.archive.receive.waiting import WaitingProvider, let_wait
from accord.kit.errors import AccordError

HEADER: Final = 6
FIRST_PDU: Final = 64 * 1024
AWAITING_REQUEST: Final = "Sta2"
SLACK: Final = 16  # some peers leave their own item headers out of the account
MOST_WAITING: Final = 4
P_DATA_TF: Final = 4
ASSOCIATED: Final = "Sta6"
SHORTEST_VALUE: Final = 2
KNOWN_TYPES: Final = range(1, 8)
# A-ABORT from the service provider, reason: invalid PDU parameter value (PS3.8 9.3.8).
ABORT: Final = struct.pack(">BBLBBBB", 7, 0, 4, 0, 0, 2, 6)
CLOSED: Final = "Evt17"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Caps:
    """What a peer may ask for.

    Attributes:
        pdu: Longest PDU once associated.
        patience: Seconds that one PDU may take to arrive.
    """

    pdu: int
    patience: float


def guard(association: Association, caps: Caps, storing: Storing) -> None:
    """Put an association's reading under guard, before its threads start."""
    _be_patient(association.dul.socket.socket, caps.patience)
    # The classes only replace methods: the objects that pynetdicom has wired up stay the same.
    association.dul.__class__ = GuardedProvider
    association.dul.caps = caps
    association.dimse.__class__ = Messages
    association.dimse.begin(storing)
    let_wait(association)


def _be_patient(connection: socket.socket, patience: float) -> None:
    """Bound how long one read or write may take."""
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(patience)
        return
    seconds, rest = divmod(patience, 1)
    bound = struct.pack("ll", int(seconds), int(rest * 1_000_000))
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bound)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bound)


class GuardedProvider(WaitingProvider):
    """The upper layer, reading PDUs of checked length only."""

    caps: Caps

    def _read_pdu_data(self) -> None:
        deadline = time.monotonic() + self.caps.patience
        try:
            header = self._read_exactly(HEADER, deadline)
            if header is None:
                self.event_queue.put(CLOSED)
                return
            kind, _, length = struct.unpack(">BBL", header)
            state = self.state_machine.current_state
            largest = FIRST_PDU if state == AWAITING_REQUEST else self.caps.pdu + SLACK
            if kind not in KNOWN_TYPES or length > largest:
                self._cut_off("PDU of a type or length that is not read", length=length)
                return
            if self.assoc.dimse.msg_queue.qsize() > MOST_WAITING:
                self._cut_off("messages sent without waiting for answers")
                return
            body = self._read_exactly(length, deadline)
        except (TimeoutError, BlockingIOError):
            self._cut_off("PDU did not arrive in time")
            return
        except OSError:
            self.event_queue.put(CLOSED)
            return
        if body is None:
            self.event_queue.put(CLOSED)
        elif kind == P_DATA_TF and state == ASSOCIATED:
            self._take_values(memoryview(body))
        else:
            self._accept(header + body)

    def _take_values(self, body: memoryview) -> None:
        """Hand the presentation data values of a P-DATA to the message layer."""
        try:
            for context_id, value in _values(body):
                self.assoc.dimse.take(context_id, value)
        except (AccordError, BadMessage) as error:
            self._cut_off(f"{type(error).__name__}: {error}")
            self.assoc.dimse.drop()

    def _accept(self, pdu_bytes: bytearray) -> None:
        try:
            pdu, event = self._decode_pdu(pdu_bytes)
        except Exception:  # noqa: BLE001 - whatever its decoder stumbles over, the peer sent it
            self._cut_off("PDU that cannot be decoded")
            return
        self.event_queue.put(event)
        self._recv_pdu.put(pdu)

    def _read_exactly(self, count: int, deadline: float) -> bytearray | None:
        """Return `count` bytes; None when the peer closed the connection before.

        Raises:
            TimeoutError: They did not arrive before the deadline.
        """
        connection = self.socket.socket if self.socket else None
        if connection is None:
            return None
        buffer = bytearray(count)
        view = memoryview(buffer)
        at = 0
        # The kernel gathers a whole PDU by itself, within the patience set on the socket.
        flags = 0 if isinstance(connection, ssl.SSLSocket) else socket.MSG_WAITALL
        while at < count:
            if time.monotonic() > deadline:
                raise TimeoutError
            read = connection.recv_into(view[at:], 0, flags)
            if not read:
                return None
            at += read
        return buffer

    def _cut_off(self, why: str, **facts: object) -> None:
        """Abort and close at once: nothing more of this peer is read."""
        peer = self.assoc.requestor.address
        log.warning("association cut off", why=why, peer=peer, **facts)
        connection: socket.socket | ssl.SSLSocket | None = (
            self.socket.socket if self.socket else None
        )
        if connection is not None:
            try:
                connection.settimeout(1)
                connection.sendall(ABORT)
            except OSError:
                pass  # it need not listen
            self.socket.close()
        else:
            self.event_queue.put(CLOSED)


def _values(body: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Return the presentation data values of a P-DATA, each with its context."""
    position = 0
    while position < len(body):
        if position + 5 > len(body):
            raise BadMessage("data value without a length")
        length, context_id = struct.unpack_from(">LB", body, position)
        end = position + 4 + length
        if length < SHORTEST_VALUE or end > len(body):
            raise BadMessage("data value of a length that does not fit")
        yield context_id, body[position + 5 : end]
        position = end
