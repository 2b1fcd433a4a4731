"""The DIMSE receiver: blocking sockets, one thread for each association.

AE titles are bound to institutions; an unknown one is rejected. Several processes may listen on
one port: the kernel shares the connections out among them.
"""

import logging
import socket
from collections.abc import Iterator
from typing import Final

import structlog
from pynetdicom import _config
from sqlalchemy.exc import OperationalError

from accord.archive import reasons, service
from accord.archive.model import StoreOutcome
from accord.archive.receive import negotiation
from accord.archive.receive.association import Association, Terms
from accord.archive.receive.intake import Intake
from accord.archive.receive.messages import (
    N_ACTION_RQ,
    PROCESSING_FAILURE,
    UNEXPECTED,
    Answer,
    Delivery,
    Question,
)
from accord.archive.receive.places import Places
from accord.archive.receive.questions import Questions
from accord.kit.errors import AccordError, CannotRun
from accord.kit.listening import Listener, bind, certificate_names
from accord.kit.settings import Settings

MAXIMUM_PDU: Final = 1024 * 1024
LONGEST_COMMENT: Final = 64
MOST_CONNECTIONS: Final = 4  # per permitted association of one peer

# Errors are logged by their kind alone: a traceback could carry what stood in a header.
log = structlog.get_logger(__name__)


class Receiver(Listener):
    """One DIMSE receiver of one process.

    Args:
        settings: Address, limits and certificates of this site.
        intake: What it hands its objects to.

    Raises:
        CannotRun: The port cannot be used.
    """

    def __init__(self, settings: Settings, intake: Intake) -> None:
        # pynetdicom describes every PDU for its log before it asks whether anybody listens.
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        most = settings.max_associations_per_peer
        super().__init__(
            bind(settings.dimse_host, settings.dimse_port, shared=True),
            settings,
            name="association",
            most=MOST_CONNECTIONS * most,
        )
        self._intake = intake
        self._questions = Questions(intake.database, intake.blobs, settings.ae_title)
        self._terms = Terms(
            contexts=negotiation.contexts(service.lossless_syntaxes(settings.rule_set)),
            largest_pdu=MAXIMUM_PDU,
            largest_object=settings.max_object_size,
            first_patience=settings.dimse_request_timeout.total_seconds(),
            patience=settings.dimse_idle_timeout.total_seconds(),
            blobs=intake.blobs,
        )
        self.places = Places(settings.data_dir / "associations", most)

    def converse(self, connection: socket.socket, peer: str) -> None:
        """Serve one association."""
        host = _Host(self, certificate_names(connection))
        try:
            Association(connection, peer, self._terms, host, lambda: self.is_ending).run()
        finally:
            host.leave()

    def sender_of(self, calling: str) -> service.Sender | None:
        """Return who sends under an AE title."""
        return self._intake.admit(calling)

    def take(self, sender: service.Sender, delivery: Delivery) -> StoreOutcome:
        """Store an object."""
        return self._intake.take(sender, delivery)

    def ask(self, sender: service.Sender, question: Question) -> Iterator[Answer]:
        """Answer a question."""
        return self._questions.ask(sender, question)


class _Host:
    """Decides for one association."""

    def __init__(self, receiver: Receiver, names: frozenset[str] | None) -> None:
        self._receiver = receiver
        self._names = names
        self._place: int | None = None

    def admit(self, calling: str) -> service.Sender | tuple[int, int, int]:
        """Say who sends, or how the association is to be rejected."""
        try:
            sender = self._receiver.sender_of(calling)
            if sender is None or not self._may_send_for(sender):
                return negotiation.CALLING_AE_UNKNOWN
            self._place = self._receiver.places.take(calling)
        except Exception as error:  # noqa: BLE001 - no database: the peer may try again
            log.error("association not admitted", error=type(error).__name__)  # noqa: TRY400
            return negotiation.CONGESTED
        return negotiation.LIMIT_EXCEEDED if self._place is None else sender

    def _may_send_for(self, sender: service.Sender) -> bool:
        """Say whether a client certificate names the AE title or the institution it sends for.

        On loopback there is no certificate; elsewhere the TLS context demands one.
        """
        return self._names is None or bool(self._names & {sender.ae_title, sender.institution})

    def store(self, sender: service.Sender, delivery: Delivery) -> Answer:
        """Store a complete object, durably, and say what to answer."""
        try:
            return _answer(self._receiver.take(sender, delivery))
        except AccordError as error:
            log.error("object not stored", error=error.code)  # noqa: TRY400
            return Answer(error.dimse_status, error.code)
        except Exception as error:  # noqa: BLE001 - one object must not end the association
            log.error("object not stored", error=type(error).__name__)  # noqa: TRY400
            return Answer(UNEXPECTED, "internal error, nothing was stored")

    def ask(self, sender: service.Sender, question: Question) -> Iterator[Answer]:
        """Answer a question: pending answers as they are found, a final one at the end."""
        try:
            yield from self._receiver.ask(sender, question)
        except AccordError as error:
            log.error("question not answered", error=error.code)  # noqa: TRY400
            yield Answer(error.dimse_status, error.code)
        except Exception as error:  # noqa: BLE001 - one question must not end the association
            log.error("question not answered", error=type(error).__name__)  # noqa: TRY400
            if question.operation == N_ACTION_RQ:
                yield Answer(PROCESSING_FAILURE, "try again later")
            elif isinstance(error, OperationalError):
                yield Answer(CannotRun.dimse_status, CannotRun.code)
            else:
                yield Answer(UNEXPECTED, "internal error")

    def leave(self) -> None:
        """Give up its place among the associations of the peer."""
        place, self._place = self._place, None
        if place is not None:
            self._receiver.places.give_back(place)


def _answer(outcome: StoreOutcome) -> Answer:
    comment = reasons.WORDS[outcome.code].english[:LONGEST_COMMENT] if outcome.code else ""
    return Answer(reasons.status(outcome), comment)
