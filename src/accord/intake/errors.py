"""What can be wrong with a message, and what of it an acknowledgement tells (HL7 table 0357)."""

from dataclasses import dataclass

from accord.kit.errors import Conflict, Invalid, NotFound

SEGMENT_SEQUENCE = 100
REQUIRED_MISSING = 101
DATA_TYPE = 102
TABLE_VALUE = 103
TOO_LONG = 104
UNSUPPORTED_TYPE = 200
UNSUPPORTED_EVENT = 201
UNSUPPORTED_PROCESSING = 202
UNSUPPORTED_VERSION = 203
UNKNOWN_KEY = 204
DUPLICATE_KEY = 205
INTERNAL = 207


@dataclass(frozen=True)
class Place:
    """A segment by name and number (from 1), and a field of it (0: the segment as a whole)."""

    segment: str
    number: int = 1
    field: int = 0

    def __str__(self) -> str:
        """Write it as people do: `PID[1]-7`."""
        return f"{self.segment}[{self.number}]" + (f"-{self.field}" if self.field else "")


class Fault(Invalid):
    """A message cannot be used as it is.

    Args:
        error: Code of HL7 table 0357.
        place: Where; None when it concerns the message as a whole.
        sentence: What is wrong and how to put it right; never what stood there.
    """

    code = "bad_message"

    def __init__(self, error: int, place: Place | None, sentence: str) -> None:
        super().__init__(f"{place}：{sentence}" if place else sentence)
        self.error = error
        self.place = place


class UnknownMessage(NotFound):
    """There is no message of that number."""

    code = "unknown_message"


class OtherPatient(Conflict):
    """The accession number is that of another patient's examination."""

    code = "other_patient"


class Incomplete(Invalid):
    """Neither the message nor what is kept already says something that is needed."""

    code = "incomplete"
