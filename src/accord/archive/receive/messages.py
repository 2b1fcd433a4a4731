"""The messages of an association: C-STORE by ourselves, everything else by pynetdicom.

A C-STORE is read, stored and answered in the thread that reads the socket: nothing is queued, so a
peer that sends on without waiting for answers waits for the socket, and nothing is decoded or
encoded but the few elements of its command.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.pdu_primitives import P_DATA

from accord.archive.receive.spool import Spooled
from accord.kit.blobs import BlobStore
from accord.kit.errors import StorageFull, TooLarge

IS_COMMAND: Final = 1
IS_LAST: Final = 2
LONGEST_COMMAND: Final = 16 * 1024
C_STORE_RQ: Final = 0x0001
C_STORE_RSP: Final = 0x8001
NO_DATA_SET: Final = 0x0101
CANNOT_UNDERSTAND: Final = 0xC000

SOP_CLASS: Final = 0x0002
COMMAND_FIELD: Final = 0x0100
MESSAGE_ID: Final = 0x0110
ANSWERED_ID: Final = 0x0120
DATA_SET_TYPE: Final = 0x0800
STATUS: Final = 0x0900
ERROR_COMMENT: Final = 0x0902
SOP_UID: Final = 0x1000


class BadMessage(Exception):
    """A message that no peer should send."""


@dataclass(frozen=True)
class Delivery:
    """A complete object as it came over the network.

    Attributes:
        data: Its data set.
        syntax: The negotiated transfer syntax.
        sop_class: SOP Class UID that the command claims.
        sop_uid: SOP Instance UID that the command claims.
    """

    data: Spooled
    syntax: str
    sop_class: str
    sop_uid: str


@dataclass(frozen=True)
class Answer:
    """What the sender of an object is told."""

    status: int
    comment: str = ""


@dataclass(frozen=True)
class Storing:
    """Where objects go.

    Attributes:
        blobs: Where their data sets are gathered.
        largest: Most bytes of a data set.
        store: Stores a complete object for an association, durably, and says what to answer.
    """

    blobs: BlobStore
    largest: int
    store: Callable[[Any, Delivery], Answer]


class Command:
    """A command set: implicit VR little endian, a handful of short elements."""

    def __init__(self, encoded: bytes) -> None:
        self._values: dict[int, bytes] = {}
        position = 0
        while position + 8 <= len(encoded):
            group, element, length = struct.unpack_from("<HHL", encoded, position)
            position += 8
            if group != 0 or position + length > len(encoded):
                raise BadMessage("command set that cannot be read")
            self._values[element] = encoded[position : position + length]
            position += length

    def number(self, element: int) -> int | None:
        """Return a US value."""
        value = self._values.get(element, b"")
        return int.from_bytes(value, "little") if len(value) == 2 else None  # noqa: PLR2004

    def text(self, element: int) -> str:
        """Return a UI value."""
        return self._values.get(element, b"").decode("latin_1").strip(" \0")


class Messages(DIMSEServiceProvider):  # type: ignore[misc]
    """The message layer of a guarded association."""

    storing: Storing
    _command: bytearray
    _delivery: Delivery | None
    _context: int
    _request: Command | None

    def begin(self, storing: Storing) -> None:
        """Get ready for the first message."""
        self.storing = storing
        self._command = bytearray()
        self._delivery = None
        self._context = 0
        self._request = None

    def take(self, context_id: int, fragment: memoryview) -> None:
        """Take one presentation data value.

        Raises:
            BadMessage: No peer should send it.
            TooLarge: The message outgrows the site's limit.
            StorageFull: There is no room.
        """
        control, value = fragment[0], fragment[1:]
        if control & IS_COMMAND:
            self._take_command(context_id, value, is_last=bool(control & IS_LAST))
        elif self._delivery is not None:
            self._take_data(context_id, value, is_last=bool(control & IS_LAST))
        elif self._request is None and self.message is not None:
            if self.message.data_set.tell() > LONGEST_COMMAND:
                raise TooLarge("large message that stores nothing")
            self._pass_on(context_id, bytes(fragment))
        else:
            raise BadMessage("data set without a command")

    def drop(self) -> None:
        """Forget an object that will not be completed."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.data.discard()

    def _take_command(self, context_id: int, value: memoryview, *, is_last: bool) -> None:
        if self._delivery is not None:
            raise BadMessage("command within a data set")
        if len(self._command) + len(value) > LONGEST_COMMAND:
            raise TooLarge("command longer than any")
        self._command += value
        if not is_last:
            return
        encoded, self._command = bytes(self._command), bytearray()
        command = Command(encoded)
        if command.number(COMMAND_FIELD) != C_STORE_RQ:
            self._pass_on(context_id, bytes((IS_COMMAND | IS_LAST,)) + encoded)
            return
        context = self.assoc._accepted_cx.get(context_id)  # noqa: SLF001
        if context is None:
            raise BadMessage("message for a context that was not accepted")
        self._context, self._request = context_id, command
        if command.number(DATA_SET_TYPE) == NO_DATA_SET:
            self._answer(Answer(CANNOT_UNDERSTAND, "no data set"))
            return
        syntax, sop_class = str(context.transfer_syntax[0]), command.text(SOP_CLASS)
        spooled = Spooled(
            self.storing.blobs,
            syntax=syntax,
            sop_class=sop_class,
            sop_uid=command.text(SOP_UID),
            source_ae=str(self.assoc.requestor.ae_title).strip(),
        )
        self._delivery = Delivery(spooled, syntax, sop_class, command.text(SOP_UID))

    def _take_data(self, context_id: int, value: memoryview, *, is_last: bool) -> None:
        delivery = self._delivery
        if delivery is None or context_id != self._context:
            raise BadMessage("data set of another context")
        if delivery.data.size + len(value) > self.storing.largest:
            raise TooLarge("object larger than this site reads")
        delivery.data.write(value)
        if is_last:
            self._delivery = None
            try:
                self._answer(self.storing.store(self.assoc, delivery))
            finally:
                delivery.data.discard()

    def _answer(self, answer: Answer) -> None:
        request, self._request = self._request, None
        if request is None:
            raise BadMessage("answer without a request")
        elements = [
            (SOP_CLASS, _text(request.text(SOP_CLASS), "\0")),
            (COMMAND_FIELD, struct.pack("<H", C_STORE_RSP)),
            (ANSWERED_ID, struct.pack("<H", request.number(MESSAGE_ID) or 0)),
            (DATA_SET_TYPE, struct.pack("<H", NO_DATA_SET)),
            (STATUS, struct.pack("<H", answer.status)),
            (SOP_UID, _text(request.text(SOP_UID), "\0")),
        ]
        if answer.comment:
            elements.insert(5, (ERROR_COMMENT, _text(answer.comment, " ")))
        body = b"".join(
            struct.pack("<HHL", 0, element, len(value)) + value for element, value in elements
        )
        command = struct.pack("<HHLL", 0, 0, 4, len(body)) + body
        value = struct.pack(">LBB", len(command) + 2, self._context, IS_COMMAND | IS_LAST) + command
        self.dul.socket.send(struct.pack(">BBL", 4, 0, len(value)) + value)

    def _pass_on(self, context_id: int, fragment: bytes) -> None:
        """Let pynetdicom take a fragment of a message that stores nothing."""
        primitive = P_DATA()
        primitive.presentation_data_value_list = [[context_id, fragment]]
        self.receive_primitive(primitive)


def _text(text: str, pad: str) -> bytes:
    encoded = text.encode("latin_1", "replace")
    return encoded + pad.encode() if len(encoded) % 2 else encoded


__all__ = ["Answer", "BadMessage", "Delivery", "Messages", "StorageFull", "Storing"]
