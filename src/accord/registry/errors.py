"""What can go wrong in the registry."""

from accord.kit.errors import Conflict, Forbidden, Invalid, NotFound


class NotRegistered(NotFound):
    """There is nothing of that code on that day."""

    code = "not_registered"


class OutsideScope(Forbidden):
    """The row belongs to another authority."""

    code = "outside_scope"


class BadEntry(Invalid):
    """What should be registered contradicts itself or the rest of the registry."""

    code = "bad_registry_entry"


class CannotGrant(Conflict):
    """A qualification lacks the basis that the standard asks for."""

    code = "cannot_grant"


class BadState(Conflict):
    """The present state of a qualification has no such step."""

    code = "bad_state"
