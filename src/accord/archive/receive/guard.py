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
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ

from accord.archive.receive.spool import Spooled
from accord.archive.receive.waiting import WaitingProvider, let_wait
from accord.kit.blobs import BlobStore
from accord.kit.errors import StorageFull

HEADER: Final = 6
FIRST_PDU: Final = 64 * 1024
AWAITING_REQUEST: Final = "Sta2"
SLACK: Final = 16  # some peers leave their own item headers out of the account
MOST_WAITING: Final = 4
LONGEST_COMMAND: Final = 16 * 1024
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
        message: Longest data set of a message.
        patience: Seconds that one PDU may take to arrive.
        blobs: Where a data set that outgrows memory continues.
    """

    pdu: int
    message: int
    patience: float
    blobs: BlobStore


def guard(association: Association, caps: Caps) -> None:
    """Put an association's reading under guard, before its threads start."""
    # Both classes only replace methods: the objects that pynetdicom has wired up stay the same.
    association.dul.__class__ = GuardedProvider
    association.dul.caps = caps
    association.dimse.__class__ = GuardedMessages
    association.dimse.caps = caps
    let_wait(association)


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
            is_first = self.state_machine.current_state == AWAITING_REQUEST
            largest = FIRST_PDU if is_first else self.caps.pdu + SLACK
            if kind not in KNOWN_TYPES or length > largest:
                self._cut_off("PDU of a type or length that is not read", length=length)
                return
            if self.assoc.dimse.msg_queue.qsize() > MOST_WAITING:
                self._cut_off("messages sent without waiting for answers")
                return
            body = self._read_exactly(length, deadline)
        except TimeoutError:
            self._cut_off("PDU did not arrive in time")
            return
        except OSError:
            self.event_queue.put(CLOSED)
            return
        if body is None:
            self.event_queue.put(CLOSED)
            return
        self._accept(header + body)

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
        while at < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            read = connection.recv_into(view[at:])
            if not read:
                return None
            at += read
        connection.settimeout(self.caps.patience)
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


class GuardedMessages(DIMSEServiceProvider):  # type: ignore[misc]
    """The message layer, with a limit on what one message may become."""

    caps: Caps
    message: Any

    def receive_primitive(self, primitive: Any) -> None:
        """Take the fragments of one P-DATA."""
        try:
            super().receive_primitive(primitive)
            self._bound()
        except StorageFull:
            self._end("no room for the object")

    def drop(self) -> None:
        """Forget a message that will not be completed."""
        message, self.message = self.message, None
        if message is not None and isinstance(message.data_set, Spooled):
            message.data_set.discard()

    def _bound(self) -> None:
        """Check a message that is not complete yet; send its data set where it will be kept."""
        message = self.message
        if message is None:
            return
        arrived = message.data_set.tell()
        if message.encoded_command_set.tell() > LONGEST_COMMAND or arrived > self.caps.message:
            self._end("message longer than this site reads")
        elif isinstance(message, C_STORE_RQ):
            if not isinstance(message.data_set, Spooled):
                self._spool(message)
        elif arrived > LONGEST_COMMAND:
            self._end("large message that stores nothing")

    def _spool(self, message: C_STORE_RQ) -> None:
        command = message.command_set
        context = self.assoc._accepted_cx.get(message.context_id)  # noqa: SLF001
        if context is None:
            self._end("message for a context that was not accepted")
            return
        begun = message.data_set.getbuffer()
        message.data_set = Spooled(
            self.caps.blobs,
            syntax=str(context.transfer_syntax[0]),
            sop_class=str(command.get("AffectedSOPClassUID", "")),
            sop_uid=str(command.get("AffectedSOPInstanceUID", "")),
            source_ae=str(self.assoc.requestor.ae_title).strip(),
        )
        message.data_set.write(begun)

    def _end(self, why: str) -> None:
        self.dul._cut_off(why)  # noqa: SLF001 - ours, see above
        self.drop()
