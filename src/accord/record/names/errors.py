"""What can be wrong with the approval of a local name."""

from accord.kit.errors import Conflict, Invalid, NotFound


class UnknownName(NotFound):
    """The institution's dictionary does not have that name."""

    code = "unknown_name"


class CrossesMeaning(Conflict):
    """The item contradicts side, contrast or modality of the name."""

    code = "crosses_meaning"


class WrongStep(Conflict):
    """The name is not in the state from which this step leads."""

    code = "wrong_step"


class BadCode(Invalid):
    """A code of WS/T 364.8 has not its format."""

    code = "bad_code"
