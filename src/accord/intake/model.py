"""Who sends, what was received, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What became of a message that is kept.

    Attributes:
        PENDING: To be mapped.
        DONE: Its content stands in the record.
        WAITING: On the work list: it could not be mapped.
    """

    PENDING = "PENDING"
    DONE = "DONE"
    WAITING = "WAITING"


class Verdict(StrEnum):
    """MSA-1 of the original acknowledgement mode.

    Attributes:
        ACCEPT: Kept, and readable.
        ERROR: Kept, and on the work list: the sender is to correct it.
        REJECT: Not kept.
    """

    ACCEPT = "AA"
    ERROR = "AE"
    REJECT = "AR"


@dataclass(frozen=True)
class Peer:
    """A sender that is known.

    Attributes:
        application: MSH-3.1, sending application.
        facility: MSH-4.1, sending facility.
        institution: Code of the institution for which it speaks.
        address: The only source address from which it may come; None: any.
    """

    application: str
    facility: str
    institution: str
    address: str | None = None


@dataclass(frozen=True)
class Arrival:
    """A message on its way in.

    Attributes:
        kind: Type and event, as `ADT^A04`.
        raw: The bytes between the framing bytes.
        fault: Code and sentence of what keeps it from being mapped; None when it can be read.
        answer: The acknowledgement, which is kept and given again.
    """

    peer: Peer
    control_id: str
    kind: str
    patient: str | None
    raw: bytes
    fault: tuple[str, str] | None
    answer: bytes

    def __repr__(self) -> str:
        """Show no person, so that no log does."""
        return f"Arrival({self.peer.application!r}, {self.control_id!r})"


@dataclass(frozen=True)
class Received:
    """A message as it is kept; its bytes are sealed and read apart.

    Attributes:
        code: Code of the reason for which it waits.
        reason: The sentence for people.
        patient: Local id of its patient, where it could be read.
    """

    id: int
    application: str
    facility: str
    institution: str
    control_id: str
    kind: str
    patient: str | None
    received_at: datetime
    state: State
    code: str | None
    reason: str | None
