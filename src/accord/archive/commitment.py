"""Storage commitment (PS3.4 annex J, push model): what the archive answers for, and telling it.

A peer names objects; the archive answers for those that it holds for the peer's institution, whose
bytes hash to what was received. What is kept aside is not answered for: its source must keep it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydicom.dataset import Dataset
from pynetdicom import build_context, build_role
from pynetdicom.dsutils import encode
from sqlalchemy import Connection

from accord.archive import peer, store
from accord.archive.examine import is_uid
from accord.archive.header import Limits, first_text, read_header
from accord.archive.part10 import EXPLICIT, EXPLICIT_BIG, IMPLICIT
from accord.kit import audit
from accord.kit.access import Actor
from accord.kit.blobs import BlobMissing, BlobStore
from accord.kit.settings import Settings

PUSH_MODEL: Final = "1.2.840.10008.1.20.1"
PUSH_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
REQUEST: Final = 1  # Action Type ID
ALL_HELD: Final = 1  # Event Type IDs
SOME_FAILED: Final = 2
MOST_REFERENCES: Final = 10_000
LOOK_UP: Final = 1000
LIMITS: Final = Limits(nesting=4, elements=4 * MOST_REFERENCES + 1000, size=4 * 1024 * 1024)

# Failure Reasons (PS3.3 C.14.1.1).
PROCESSING_FAILURE: Final = 0x0110
NO_SUCH_INSTANCE: Final = 0x0112
CLASS_CONFLICT: Final = 0x0119

TRANSACTION: Final = "00081195"
REFERENCED: Final = "00081199"
REFERENCED_CLASS: Final = "00081150"
REFERENCED_UID: Final = "00081155"


class BadRequest(Exception):
    """A request for commitment that cannot be read or names no objects."""


class TooManyReferences(Exception):
    """A request for commitment that names more objects than are looked at together."""


@dataclass(frozen=True)
class Reference:
    """An object that a peer names."""

    sop_class: str
    sop_uid: str


@dataclass(frozen=True)
class Request:
    """What a peer asks.

    Attributes:
        transaction: UID by which the peer knows the answer.
        references: The objects, at least one.
    """

    transaction: str
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Verdict:
    """What the archive answers for, and what not with the Failure Reason of each."""

    held: tuple[Reference, ...]
    failed: tuple[tuple[Reference, int], ...]

    @property
    def event(self) -> int:
        """Event Type ID that tells it."""
        return SOME_FAILED if self.failed else ALL_HELD


def read_request(data: bytes, syntax: str) -> Request:
    """Return what the data set of an N-ACTION asks.

    Raises:
        BadRequest: It cannot be read, or lacks a valid UID.
        TooManyReferences: It names more than `MOST_REFERENCES` objects.
    """
    header = read_header(memoryview(data), syntax, LIMITS)
    transaction = header.text(TRANSACTION) or ""
    items: list[dict[str, Any]] = header.elements.get(REFERENCED, {}).get("Value", [])
    if len(items) > MOST_REFERENCES:
        raise TooManyReferences
    if header.problem is not None or not is_uid(transaction) or not items:
        raise BadRequest
    references = tuple(
        Reference(first_text(item, REFERENCED_CLASS) or "", first_text(item, REFERENCED_UID) or "")
        for item in items
    )
    if not all(is_uid(one.sop_class) and is_uid(one.sop_uid) for one in references):
        raise BadRequest
    return Request(transaction, references)


def judge(
    conn: Connection, blobs: BlobStore, institution: str | None, references: Sequence[Reference]
) -> Verdict:
    """Say which objects are held for an institution; reads the bytes of each to hash them.

    An object of another institution answers like one that is not there.
    """
    found: dict[str, store.Held] = {}
    for start in range(0, len(references), LOOK_UP):
        uids = {one.sop_uid for one in references[start : start + LOOK_UP]}
        found |= store.held_instances(conn, institution, uids)
    held, failed = [], []
    for one in references:
        reason = _failure(blobs, one, found.get(one.sop_uid))
        if reason is None:
            held.append(one)
        else:
            failed.append((one, reason))
    return Verdict(tuple(held), tuple(failed))


def _failure(blobs: BlobStore, asked: Reference, found: store.Held | None) -> int | None:
    if found is None:
        return NO_SUCH_INSTANCE
    if found.sop_class != asked.sop_class:
        return CLASS_CONFLICT
    try:
        return None if blobs.is_intact(found.blob) else PROCESSING_FAILURE
    except (BlobMissing, OSError):
        return PROCESSING_FAILURE


def result(transaction: str, verdict: Verdict) -> Dataset:
    """Return the data set of the N-EVENT-REPORT that tells a verdict."""
    told = Dataset()
    told.TransactionUID = transaction
    if verdict.held:
        told.ReferencedSOPSequence = [_item(one) for one in verdict.held]
    if verdict.failed:
        told.FailedSOPSequence = [_item(one, reason) for one, reason in verdict.failed]
    return told


def _item(one: Reference, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class
    item.ReferencedSOPInstanceUID = one.sop_uid
    if reason is not None:
        item.FailureReason = reason
    return item


def encoded(data_set: Dataset, syntax: str) -> bytes:
    """Return a data set in a negotiated syntax.

    Raises:
        ValueError: It cannot be written in it.
    """
    written = encode(data_set, syntax == IMPLICIT, syntax != EXPLICIT_BIG)
    if written is None:
        raise ValueError("data set cannot be written")
    return bytes(written)


def note(conn: Connection, actor: Actor, transaction: str, verdict: Verdict, how: str) -> None:
    """Note in the audit trail what was told, and how."""
    audit.record(
        conn,
        actor,
        action="archive.commitment.told",
        subject=f"commitment:{transaction}",
        detail={"held": len(verdict.held), "failed": len(verdict.failed), "how": how},
    )


def tell(settings: Settings, ae_title: str, transaction: str, verdict: Verdict) -> None:
    """Tell a verdict over an association of our own, to the address registered for the title.

    Raises:
        PeerNotReached: The peer does not answer, or not with success.
    """
    context = build_context(PUSH_MODEL, [EXPLICIT, IMPLICIT])
    role = build_role(PUSH_MODEL, scp_role=True)  # who reports is the provider (PS3.4 J.3.3)
    with peer.associated(settings, ae_title, [context], [role]) as association:
        try:
            status, _ = association.send_n_event_report(
                result(transaction, verdict), verdict.event, PUSH_MODEL, PUSH_INSTANCE
            )
        except (ValueError, RuntimeError) as error:  # no such context, or the association is over
            raise peer.PeerNotReached(type(error).__name__) from error
    if getattr(status, "Status", None) != 0:
        raise peer.PeerNotReached("result not accepted")


def pairs(references: Iterable[Reference]) -> list[list[str]]:
    """Return references as a job carries them."""
    return [[one.sop_class, one.sop_uid] for one in references]
