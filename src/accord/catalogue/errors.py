"""What can be wrong with a catalogue file or a code table."""

from accord.kit.errors import Invalid, NotFound


class BrokenCatalogue(Invalid):
    """A catalogue version contradicts itself or its declared counts."""


class UnknownVersion(NotFound):
    """There is no catalogue of that version."""


class BrokenCodeTable(Invalid):
    """A table of technique codes cannot be taken as it is."""
