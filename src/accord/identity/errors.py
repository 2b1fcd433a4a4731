"""What can go wrong with patients; no sentence ever carries a name or a number of a person."""

from accord.kit.errors import Conflict, Forbidden, Invalid, NotFound


class BadPatient(Invalid):
    """The record of a patient cannot be kept as it is."""

    code = "bad_patient"


class ForeignPatient(Forbidden):
    """The id belongs to another assigning authority."""

    code = "foreign_patient"


class UnknownPatient(NotFound):
    """There is no patient of that id at the caller's institution."""

    code = "unknown_patient"


class UnknownTask(NotFound):
    """There is no open task of that id that the caller may see."""

    code = "unknown_task"


class NotOnePerson(Conflict):
    """Two records contradict each other and stay apart."""

    code = "not_one_person"
