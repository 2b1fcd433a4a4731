"""What can be wrong with a case that is read from outside."""

from accord.kit.errors import Invalid


class BrokenCase(Invalid):
    """A case names a key or a value that does not exist."""
