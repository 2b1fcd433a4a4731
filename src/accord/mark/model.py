"""Status of the mark on an examination (R6.4-5)."""

from dataclasses import dataclass
from enum import StrEnum


class MarkStatus(StrEnum):
    """Whether an examination carries the mark.

    Attributes:
        MARKED: Every item of the examination was qualified on its day.
        NOT_ENTITLED: An item was not, or the item is not known.
        SUSPENDED: A qualification it would need was suspended on its day.
        WITHDRAWN: The study or its report was withdrawn.
    """

    MARKED = "MARKED"
    NOT_ENTITLED = "NOT_ENTITLED"
    SUSPENDED = "SUSPENDED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True)
class Marked:
    """The status, the text to show where it is carried, and the sentence that says why."""

    status: MarkStatus
    because: str
    text: str | None = None
