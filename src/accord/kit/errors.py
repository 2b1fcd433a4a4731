"""Expected errors: a sentence a user can act on, and one table each for HTTP, DIMSE and exit codes.

Packages declare their own small classes below these; unexpected errors are never caught here.
"""

from typing import ClassVar


class AccordError(Exception):
    """An expected error.

    Args:
        sentence: What is wrong and what to do about it; shown to the user.
        facts: Ids and counts for the log and the answer; never names of people.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid"
    exit_code: ClassVar[int] = 2
    dimse_status: ClassVar[int] = 0xC000  # cannot understand

    def __init__(self, sentence: str, **facts: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts


class Invalid(AccordError):
    """What was sent cannot be used as it is."""


class Unauthenticated(AccordError):
    """The caller did not prove who they are."""

    status = 401
    code = "unauthenticated"


class Forbidden(AccordError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"
    dimse_status = 0x0124  # refused: not authorised


class NotFound(AccordError):
    """There is nothing of that id that the caller may see."""

    status = 404
    code = "not_found"


class Conflict(AccordError):
    """The present state does not allow it."""

    status = 409
    code = "conflict"


class PreconditionFailed(AccordError):
    """Something that the caller must send first is missing."""

    status = 412
    code = "precondition_failed"


class TooLarge(AccordError):
    """It is larger or deeper than this site reads."""

    status = 413
    code = "too_large"
    dimse_status = 0xA700  # refused: out of resources


class Unsupported(AccordError):
    """A format that is not taken here."""

    status = 415
    code = "unsupported"
    dimse_status = 0x0122  # SOP class not supported


class TooMany(AccordError):
    """Too many calls or attempts in a short time."""

    status = 429
    code = "too_many"


class StorageFull(AccordError):
    """There is no room to keep it; it may be sent again later."""

    status = 507
    code = "storage_full"
    exit_code = 3
    dimse_status = 0xA700


class CannotRun(AccordError):
    """The process cannot do its work here: no database, folder in use, setting missing."""

    status = 503
    code = "cannot_run"
    exit_code = 3
    dimse_status = 0xA700
