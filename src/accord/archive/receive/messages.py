"""The messages of an association: the few elements of a command read, the answers written."""

import struct
from dataclasses import dataclass
from typing import Final

from accord.archive.receive.spool import Spooled

IS_COMMAND: Final = 1
IS_LAST: Final = 2
LONGEST_COMMAND: Final = 16 * 1024
C_STORE_RQ: Final = 0x0001
C_ECHO_RQ: Final = 0x0030
C_CANCEL_RQ: Final = 0x0FFF
RESPONSE: Final = 0x8000
NO_DATA_SET: Final = 0x0101

SUCCESS: Final = 0x0000
CANNOT_UNDERSTAND: Final = 0xC000
UNEXPECTED: Final = 0xC211

SOP_CLASS: Final = 0x0002
COMMAND_FIELD: Final = 0x0100
MESSAGE_ID: Final = 0x0110
ANSWERED_ID: Final = 0x0120
DATA_SET_TYPE: Final = 0x0800
STATUS: Final = 0x0900
ERROR_COMMENT: Final = 0x0902
SOP_UID: Final = 0x1000

# Header of a P-DATA-TF with one value: type, length, length of the value, context, control.
PDU_HEADER: Final = struct.Struct(">BBL")
VALUE_HEADER: Final = struct.Struct(">LBB")
SHORTEST_PDU: Final = 128


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
        request: What is answered: C-ECHO or C-STORE.
        answer: What its sender is told.
        context: Its presentation context.
        largest_pdu: Longest PDU that the peer takes; 0 when it takes any.
    """
    elements = [
        (SOP_CLASS, _even(request.text(SOP_CLASS), "\0")),
        (COMMAND_FIELD, struct.pack("<H", RESPONSE | (request.number(COMMAND_FIELD) or 0))),
        (ANSWERED_ID, struct.pack("<H", request.number(MESSAGE_ID) or 0)),
        (DATA_SET_TYPE, struct.pack("<H", NO_DATA_SET)),
        (STATUS, struct.pack("<H", answer.status)),
    ]
    if answer.comment:
        elements.append((ERROR_COMMENT, _even(answer.comment, " ")))
    if sop_uid := request.text(SOP_UID):
        elements.append((SOP_UID, _even(sop_uid, "\0")))
    body = b"".join(
        struct.pack("<HHL", 0, element, len(value)) + value for element, value in elements
    )
    command = struct.pack("<HHLL", 0, 0, 4, len(body)) + body
    # A peer that takes less than any command is taken to mean something else.
    step = max(largest_pdu, SHORTEST_PDU) - VALUE_HEADER.size if largest_pdu else len(command)
    pdus = []
    for at in range(0, len(command), step):
        piece = command[at : at + step]
        control = IS_COMMAND | (IS_LAST if at + step >= len(command) else 0)
        pdus.append(PDU_HEADER.pack(4, 0, VALUE_HEADER.size + len(piece)))
        pdus.append(VALUE_HEADER.pack(len(piece) + 2, context, control) + piece)
    return b"".join(pdus)


def _even(text: str, pad: str) -> bytes:
    encoded = text.encode("latin_1", "replace")
    return encoded + pad.encode() if len(encoded) % 2 else encoded
