"""The messages of an association: elements of a command read, answers and events written."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from accord.archive.receive.spool import Spooled

IS_COMMAND: Final = 1
IS_LAST: Final = 2
LONGEST_COMMAND: Final = 16 * 1024
LONGEST_IDENTIFIER: Final = 4 * 1024 * 1024
C_STORE_RQ: Final = 0x0001
C_FIND_RQ: Final = 0x0020
C_ECHO_RQ: Final = 0x0030
N_EVENT_REPORT_RQ: Final = 0x0100
N_ACTION_RQ: Final = 0x0130
C_CANCEL_RQ: Final = 0x0FFF
RESPONSE: Final = 0x8000
NO_DATA_SET: Final = 0x0101
DATA_SET: Final = 0x0001

SUCCESS: Final = 0x0000
PROCESSING_FAILURE: Final = 0x0110
INVALID_ARGUMENT: Final = 0x0115
NO_SUCH_ACTION: Final = 0x0123
RESOURCE_LIMITATION: Final = 0x0213
OUT_OF_RESOURCES: Final = 0xA700
DOES_NOT_FIT: Final = 0xA900
CANCELLED: Final = 0xFE00
PENDING: Final = 0xFF00
PENDING_KEYS_IGNORED: Final = 0xFF01
CANNOT_UNDERSTAND: Final = 0xC000
UNEXPECTED: Final = 0xC211

SOP_CLASS: Final = 0x0002
REQUESTED_CLASS: Final = 0x0003
COMMAND_FIELD: Final = 0x0100
MESSAGE_ID: Final = 0x0110
ANSWERED_ID: Final = 0x0120
DATA_SET_TYPE: Final = 0x0800
STATUS: Final = 0x0900
ERROR_COMMENT: Final = 0x0902
SOP_UID: Final = 0x1000
REQUESTED_UID: Final = 0x1001
EVENT_TYPE: Final = 0x1002
ACTION_TYPE: Final = 0x1008

# Header of a P-DATA-TF with one value: type, length, length of the value, context, control.
PDU_HEADER: Final = struct.Struct(">BBL")
VALUE_HEADER: Final = struct.Struct(">LBB")
SHORTEST_PDU: Final = 128
LONGEST_PDU: Final = 1024 * 1024  # towards a peer that takes any


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
class Question:
    """A request with a data set that is no object.

    Attributes:
        operation: Its command field.
        syntax: The negotiated transfer syntax, of the data set and of those that answer it.
        sop_class: SOP Class UID of the command.
        sop_uid: SOP Instance UID of the command; empty for a query.
        action: Action Type ID of an N-ACTION.
        data: The data set.
    """

    operation: int
    syntax: str
    sop_class: str
    sop_uid: str
    action: int | None
    data: bytes


@dataclass(frozen=True)
class Event:
    """What a peer is told unasked.

    Attributes:
        sop_class: SOP Class UID.
        sop_uid: SOP Instance UID.
        kind: Event Type ID.
        data: The data set, in the syntax of the context.
        confirm: Called when the peer has taken it.
    """

    sop_class: str
    sop_uid: str
    kind: int
    data: bytes
    confirm: Callable[[], None]


@dataclass(frozen=True)
class Answer:
    """What a peer is told.

    Attributes:
        status: Status of the response.
        comment: Error Comment.
        data: Data set of a response that has one.
        later: Gives what the peer is told afterwards; None when that is not for this association.
    """

    status: int
    comment: str = ""
    data: bytes | None = None
    later: Callable[[], Event | None] | None = None


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


def encode_answer(request: Command, answer: Answer, context: int, largest_pdu: int) -> bytes:
    """Return the PDUs that answer a request.

    Args:
        request: What is answered.
        answer: What its sender is told.
        context: Its presentation context.
        largest_pdu: Longest PDU that the peer takes; 0 when it takes any.
    """
    sop_class = request.text(SOP_CLASS) or request.text(REQUESTED_CLASS)
    elements = [
        (SOP_CLASS, _even(sop_class, "\0")),
        (COMMAND_FIELD, _short(RESPONSE | (request.number(COMMAND_FIELD) or 0))),
        (ANSWERED_ID, _short(request.number(MESSAGE_ID) or 0)),
        (DATA_SET_TYPE, _short(NO_DATA_SET if answer.data is None else DATA_SET)),
        (STATUS, _short(answer.status)),
    ]
    if answer.comment:
        elements.append((ERROR_COMMENT, _even(answer.comment, " ")))
    if sop_uid := request.text(SOP_UID) or request.text(REQUESTED_UID):
        elements.append((SOP_UID, _even(sop_uid, "\0")))
    if (action := request.number(ACTION_TYPE)) is not None:
        elements.append((ACTION_TYPE, _short(action)))
    return _encode(elements, answer.data, context, largest_pdu)


def encode_event(event: Event, number: int, context: int, largest_pdu: int) -> bytes:
    """Return the PDUs of an N-EVENT-REPORT with that message number."""
    elements = [
        (SOP_CLASS, _even(event.sop_class, "\0")),
        (COMMAND_FIELD, _short(N_EVENT_REPORT_RQ)),
        (MESSAGE_ID, _short(number)),
        (DATA_SET_TYPE, _short(DATA_SET)),
        (SOP_UID, _even(event.sop_uid, "\0")),
        (EVENT_TYPE, _short(event.kind)),
    ]
    return _encode(elements, event.data, context, largest_pdu)


def _encode(
    elements: Sequence[tuple[int, bytes]], data: bytes | None, context: int, largest_pdu: int
) -> bytes:
    body = b"".join(
        struct.pack("<HHL", 0, element, len(value)) + value for element, value in elements
    )
    command = struct.pack("<HHLL", 0, 0, 4, len(body)) + body
    told = _values(command, IS_COMMAND, context, largest_pdu)
    return told if data is None else told + _values(data, 0, context, largest_pdu)


def _values(whole: bytes, kind: int, context: int, largest_pdu: int) -> bytes:
    # A peer that takes less than any command is taken to mean something else.
    step = max(largest_pdu or LONGEST_PDU, SHORTEST_PDU) - VALUE_HEADER.size
    pdus = []
    for at in range(0, len(whole) or 1, step):
        piece = whole[at : at + step]
        control = kind | (IS_LAST if at + step >= len(whole) else 0)
        pdus.append(PDU_HEADER.pack(4, 0, VALUE_HEADER.size + len(piece)))
        pdus.append(VALUE_HEADER.pack(len(piece) + 2, context, control) + piece)
    return b"".join(pdus)


def _short(number: int) -> bytes:
    return struct.pack("<H", number)


def _even(text: str, pad: str) -> bytes:
    encoded = text.encode("latin_1", "replace")
    return encoded + pad.encode() if len(encoded) % 2 else encoded
