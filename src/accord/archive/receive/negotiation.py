"""What a receiver offers, and the PDUs with which an association begins and ends.

pynetdicom encodes and decodes them and negotiates the presentation contexts. Every storage SOP
class and every transfer syntax but the deflated ones is accepted: a lossy object is taken and kept
aside, so that its sender hears why.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydicom.uid import UID, UID_dictionary
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, A_RELEASE_RP
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor
from pynetdicom.sop_class import Verification

from accord.archive import find
from accord.archive.commitment import PUSH_MODEL
from accord.archive.part10 import (
    EXPLICIT,
    EXPLICIT_BIG,
    IMPLEMENTATION_CLASS,
    IMPLEMENTATION_NAME,
    IMPLICIT,
)
from accord.archive.receive import messages

APPLICATION: Final = "1.2.840.10008.3.1.1.1"
VERIFICATION: Final = str(Verification)
# What each context is for; every other one is for objects.
OPERATIONS: Final = {
    VERIFICATION: messages.C_ECHO_RQ,
    PUSH_MODEL: messages.N_ACTION_RQ,
    find.PATIENT_ROOT: messages.C_FIND_RQ,
    find.STUDY_ROOT: messages.C_FIND_RQ,
}
FIRST_VERSION: Final = 0x01
MOST_CONTEXTS: Final = 128  # as many as there are odd numbers in a byte

ASSOCIATE_RQ: Final = 1
P_DATA: Final = 4
RELEASE_RQ: Final = 5
ABORT: Final = 7
KNOWN_TYPES: Final = range(1, 8)

# Rejections (PS3.8 9.3.4): result, source, diagnostic.
APPLICATION_UNKNOWN: Final = (0x01, 0x01, 0x02)
CALLING_AE_UNKNOWN: Final = (0x01, 0x01, 0x03)
VERSION_UNKNOWN: Final = (0x01, 0x02, 0x02)
CONGESTED: Final = (0x02, 0x03, 0x01)
LIMIT_EXCEEDED: Final = (0x02, 0x03, 0x02)


def _abort(source: int, reason: int) -> bytes:
    return struct.pack(">BBLBBBB", ABORT, 0, 4, 0, 0, source, reason)


# Aborts (PS3.8 9.3.8): by the service's user, or by its provider with a reason.
ABORT_BY_USER: Final = _abort(0, 0)
ABORT_SILENT: Final = _abort(2, 0)
ABORT_UNKNOWN_PDU: Final = _abort(2, 1)
ABORT_UNEXPECTED_PDU: Final = _abort(2, 2)
ABORT_INVALID: Final = _abort(2, 6)
RELEASED: Final = A_RELEASE_RP().encode()


class BadRequest(Exception):
    """A request that cannot be decoded."""


@dataclass(frozen=True)
class Request:
    """What a peer asks for.

    Attributes:
        calling: Its AE title.
        largest_pdu: Longest PDU that it takes; 0 when it takes any.
        primitive: All of it, for pynetdicom.
        version: Versions of the protocol that it speaks, a bit each.
    """

    calling: str
    largest_pdu: int
    primitive: Any
    version: int


@dataclass(frozen=True)
class Context:
    """An accepted presentation context."""

    abstract_syntax: str
    syntax: str


def read_request(pdu: bytes) -> Request:
    """Decode an A-ASSOCIATE-RQ.

    Raises:
        BadRequest: It cannot be decoded.
    """
    decoded = A_ASSOCIATE_RQ()
    try:
        decoded.decode(pdu)
        primitive = decoded.to_primitive()
        calling = str(primitive.calling_ae_title).strip()
        asked = primitive.presentation_context_definition_list
        are_sound = all(one.abstract_syntax and one.transfer_syntax for one in asked)
        largest = int(primitive.maximum_length_received or 0)
    except Exception as error:
        raise BadRequest(type(error).__name__) from error
    numbers = {one.context_id for one in asked}
    if not are_sound or len(numbers) != len(asked) or len(asked) > MOST_CONTEXTS:
        raise BadRequest("presentation contexts")
    return Request(calling, largest, primitive, decoded.protocol_version)


def fault_of(request: Request) -> tuple[int, int, int] | None:
    """Return how a request must be rejected whoever sent it; None when there is no reason."""
    if not request.version & FIRST_VERSION:
        return VERSION_UNKNOWN
    if request.primitive.application_context_name != APPLICATION:
        return APPLICATION_UNKNOWN
    return None


def accept(
    request: Request, offered: Sequence[PresentationContext], largest_pdu: int
) -> tuple[bytes, dict[int, Context]]:
    """Return the A-ASSOCIATE-AC for a request, and its accepted contexts by their numbers."""
    asked = request.primitive
    results, _ = negotiate_as_acceptor(asked.presentation_context_definition_list, offered)
    answer = A_ASSOCIATE()
    answer.application_context_name = UID(APPLICATION)
    answer.calling_ae_title, answer.called_ae_title = asked.calling_ae_title, asked.called_ae_title
    answer.result, answer.result_source = 0, 1
    answer.presentation_context_definition_results_list = results
    length = MaximumLengthNotification()
    length.maximum_length_received = largest_pdu
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_NAME
    answer.user_information = [length, implementation, version]
    pdu = A_ASSOCIATE_AC()
    pdu.from_primitive(answer)
    accepted = {
        int(one.context_id): Context(str(one.abstract_syntax), str(one.transfer_syntax[0]))
        for one in results
        if one.result == 0
    }
    return bytes(pdu.encode()), accepted


def reject(how: tuple[int, int, int]) -> bytes:
    """Return the A-ASSOCIATE-RJ with result, source and diagnostic."""
    pdu = A_ASSOCIATE_RJ()
    pdu.result, pdu.source, pdu.reason_diagnostic = how
    return bytes(pdu.encode())


def operation_of(abstract_syntax: str) -> int:
    """Return the command field of the requests that a context is for."""
    return OPERATIONS.get(abstract_syntax, messages.C_STORE_RQ)


@lru_cache(maxsize=4)
def syntaxes(lossless: frozenset[str]) -> tuple[str, ...]:
    """Return the transfer syntaxes that are taken, the preferred ones first.

    The first one that both sides know is used: compressed without loss before uncompressed (the
    object then comes as it is kept at its source), lossy ones only where nothing else is offered.
    """
    known = [uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"]
    offered = [uid for uid in known if not _is_left_out(uid)]
    plain = [uid for uid in (EXPLICIT, IMPLICIT, EXPLICIT_BIG) if uid in lossless]
    packed = [uid for uid in offered if uid in lossless and uid not in plain]
    rest = [uid for uid in offered if uid not in lossless]
    return (*packed, *plain, *rest)


def _is_left_out(uid: str) -> bool:
    """Leave out what inflates on receipt, and what is no syntax of stored objects."""
    name = UID(uid).name
    return "Deflate" in name or any(word in name for word in ("RFC 2557", "XML", "SMPTE", "JSON"))


@lru_cache(maxsize=1)
def storage_classes() -> Mapping[str, str]:
    """Return every storage SOP class of the standard, the retired ones included, by UID."""
    return {
        uid: entry[4] or entry[0]
        for uid, entry in UID_dictionary.items()
        if entry[1] == "SOP Class" and "Storage" in entry[0] and _stores_objects(entry[0])
    }


def _stores_objects(name: str) -> bool:
    return not any(word in name for word in ("Directory", "Commitment", "Management"))


@lru_cache(maxsize=4)
def contexts(lossless: frozenset[str]) -> tuple[PresentationContext, ...]:
    """Return the presentation contexts of a receiver."""
    taken = list(syntaxes(lossless))
    return (
        *(build_context(uid, [EXPLICIT, IMPLICIT]) for uid in OPERATIONS),
        *(build_context(uid, taken) for uid in storage_classes()),
    )
