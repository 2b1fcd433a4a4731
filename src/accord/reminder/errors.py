"""What can be wrong with a reminder, a decision or a call of a CDS client."""

from accord.kit.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed


class UnknownReminder(NotFound):
    """There is no reminder of that id for this institution."""

    code = "unknown_reminder"


class UnknownDecision(NotFound):
    """There is no decision of that id for this institution."""

    code = "unknown_decision"


class UnknownCitation(NotFound):
    """There is no citation of that id in the records of this institution."""

    code = "unknown_citation"


class NotAPhysician(Forbidden):
    """Only a physician of the asking institution decides (R5-1)."""

    code = "not_a_physician"


class NotShown(Invalid):
    """The examination is not among those this reminder showed."""

    code = "not_shown"


class NotDecidable(Conflict):
    """The present state of the order item does not allow this decision."""

    code = "not_decidable"


class GroundsIncomplete(Invalid):
    """A ground is missing, or a ground given lacks what it needs (R6.7-1)."""

    code = "grounds_incomplete"


class CitationIncomplete(Invalid):
    """One of the four parts of the citation is missing (R6.6-3)."""

    code = "citation_incomplete"


class NoticeIncomplete(Invalid):
    """The informing record lacks a part (R6.6-4)."""

    code = "notice_incomplete"


class NotR4(Invalid):
    """The order does not have the shape of FHIR R4."""

    code = "not_fhir_r4"


class PrefetchMissing(PreconditionFailed):
    """Data that the service needs was not sent along, and the service calls no address."""

    code = "prefetch_missing"
