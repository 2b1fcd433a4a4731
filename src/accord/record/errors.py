"""What can be wrong with a visit, an order or a report."""

from accord.kit.errors import Conflict, Forbidden, Invalid, NotFound


class UnknownVisit(NotFound):
    """The visit is not one of this institution."""

    code = "unknown_visit"


class UnknownOrder(NotFound):
    """The order is not one of this institution."""

    code = "unknown_order"


class UnknownReport(NotFound):
    """The report is not one of this institution."""

    code = "unknown_report"


class UnknownPatient(NotFound):
    """The patient was not registered by this institution."""

    code = "unknown_patient"


class PatientDiffers(Invalid):
    """Visit and order name different patients."""

    code = "patient_differs"


class UrgencyIsFixed(Conflict):
    """The urgency of an order is fixed at order time (R7.1.1, reading RD-7.1.1-CLASS)."""

    code = "urgency_is_fixed"


class IllegalStatus(Conflict):
    """The report cannot go from its present status to the new one."""

    code = "illegal_status"


class NotOurExamination(Forbidden):
    """The reporter has no standing agreement with the institution that performed it."""

    code = "not_our_examination"
