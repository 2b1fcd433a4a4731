"""What can go wrong with the standard as data: a broken file, an unknown name, a wrong unit."""

from accord.kit.errors import CannotRun, NotFound


class BrokenFile(CannotRun):
    """A clause file, the register or a file of the site cannot be used as it is."""

    code = "broken_rule_file"


class UnknownName(NotFound):
    """The standard has no rule, clause, number, reading or version of that name."""

    code = "unknown_in_standard"
    exit_code = 2


class WrongUnit(CannotRun):
    """A number was asked for in a unit it does not have."""

    code = "wrong_unit"


class AnsweredTwice(CannotRun):
    """Two functions claim to answer one rule."""

    code = "rule_answered_twice"
