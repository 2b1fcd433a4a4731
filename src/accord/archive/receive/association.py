"""One association, from its request to its end, in one thread with a blocking socket.

An object is read, stored and answered before anything more is read: a peer that sends on without
waiting for answers waits for the socket.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from pynetdicom.presentation import PresentationContext

from accord.archive.receive import messages, negotiation
from accord.archive.receive.messages import (
    Answer,
    BadMessage,
    Command,
    Delivery,
    Event,
    Question,
)
from accord.archive.receive.negotiation import Context
from accord.archive.receive.spool import Spooled
from accord.archive.receive.wire import STEP, Closed, Wire
from accord.archive.service import Sender
from accord.kit.blobs import BlobStore
from accord.kit.errors import AccordError, TooLarge

HEADER: Final = 6
FIRST_PDU: Final = 64 * 1024
SLACK: Final = 16  # some peers leave their own item headers out of the account
CLOSING_PATIENCE: Final = 2.0
MOST_OWED: Final = 16  # further results are told in their own time
MOST_LET_GO: Final = 16 * 1024 * 1024
FIXED_LENGTH: Final = 4  # of releases and aborts
GRACE: Final = 1.0  # a peer that is about to release is not told an event any more

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Terms:
    """What a receiver offers to every peer.

    Attributes:
        contexts: Its presentation contexts.
        largest_pdu: Longest PDU that it takes.
        largest_object: Most bytes of a data set.
        first_patience: Seconds in which a peer must ask to associate.
        patience: Seconds that a peer may be silent, and that one PDU may take.
        blobs: Where data sets are gathered.
    """

    contexts: Sequence[PresentationContext]
    largest_pdu: int
    largest_object: int
    first_patience: float
    patience: float
    blobs: BlobStore


class Host(Protocol):
    """Who decides for an association: the receiver."""

    def admit(self, calling: str) -> Sender | tuple[int, int, int]:
        """Say who sends, or how the association is to be rejected."""

    def store(self, sender: Sender, delivery: Delivery) -> Answer:
        """Store a complete object, durably, and say what to answer."""

    def ask(self, sender: Sender, question: Question) -> Iterator[Answer]:
        """Answer a question: pending answers as they are found, a final one at the end."""


class CutOff(Exception):
    """The association is aborted: with which PDU, and why."""

    def __init__(self, abort: bytes, why: str) -> None:
        super().__init__(why)
        self.abort = abort


class Association:
    """An association as acceptor.

    Args:
        connection: The peer's connection, after its TLS handshake.
        peer: Its address, for the log.
        terms: What is offered.
        host: Who decides.
        is_ending: Says whether the receiver is about to stop.
    """

    def __init__(
        self,
        connection: socket.socket,
        peer: str,
        terms: Terms,
        host: Host,
        is_ending: Callable[[], bool],
    ) -> None:
        self._wire = Wire(connection, terms.first_patience)
        self._peer = peer
        self._terms = terms
        self._host = host
        self._is_ending = is_ending
        self._contexts: Mapping[int, Context] = {}
        self._sender: Sender | None = None
        self._their_pdu = 0
        self._command = bytearray()
        self._request: Command | None = None
        self._context = 0
        self._delivery: Delivery | None = None
        self._failure: Answer | None = None
        self._identifier: bytearray | None = None
        self._question: Question | None = None
        self._is_answering = False
        self._cancelled: int | None = None
        self._owed: deque[tuple[int, Callable[[], Event | None]]] = deque()
        self._told: Event | None = None
        self._events = 0

    def run(self) -> None:
        """Serve until the association ends; nothing of an unfinished object stays behind."""
        try:
            if self._begin():
                self._wire.be_patient(self._terms.patience)
                while self._serve():
                    pass
        except CutOff as end:
            self._abort(end.abort, str(end))
        except BadMessage as error:
            self._abort(negotiation.ABORT_BY_USER, str(error))
        except AccordError as error:
            self._abort(negotiation.ABORT_BY_USER, error.code)
        except TimeoutError:
            self._abort(negotiation.ABORT_SILENT, "PDU did not arrive in time")
        except (Closed, OSError):
            pass  # the peer is gone
        finally:
            self._drop()

    # -- beginning and end ----------------------------------------------------------------------

    def _begin(self) -> bool:
        """Answer the request to associate; say whether there is an association now."""
        head = self._wire.read(HEADER)
        kind, _, length = messages.PDU_HEADER.unpack(head)
        self._expect(kind, length, FIRST_PDU)
        if kind != negotiation.ASSOCIATE_RQ:
            raise CutOff(negotiation.ABORT_UNEXPECTED_PDU, "PDU before the request to associate")
        try:
            request = negotiation.read_request(head + self._wire.read(length))
        except negotiation.BadRequest as error:
            raise CutOff(negotiation.ABORT_INVALID, f"request not decoded: {error}") from error
        found = negotiation.fault_of(request) or self._host.admit(request.calling)
        if not isinstance(found, Sender):
            log.warning("association rejected", calling_ae=request.calling, diagnostic=found[2])
            self._wire.send(negotiation.reject(found))
            self._await_close()
            return False
        self._sender, self._their_pdu = found, request.largest_pdu
        accepted, self._contexts = negotiation.accept(
            request, self._terms.contexts, self._terms.largest_pdu
        )
        self._wire.send(accepted)
        return True

    def _serve(self) -> bool:
        """Read one PDU and do what it asks for; say whether the association goes on."""
        if self._is_ending():
            raise CutOff(negotiation.ABORT_BY_USER, "the receiver stops")
        if self._owed and self._told is None and self._wire.is_quiet(GRACE):
            self._tell()
        self._wire.renew()
        kind, _, length = messages.PDU_HEADER.unpack(self._wire.read(HEADER))
        self._expect(kind, length, self._terms.largest_pdu + SLACK)
        if kind == negotiation.P_DATA:
            self._take_values(length)
            if self._question is not None and not self._is_answering:
                self._reply(self._question)
            return True
        if length != FIXED_LENGTH:
            raise CutOff(negotiation.ABORT_INVALID, "PDU of a length that does not fit")
        self._wire.read(length)
        if kind == negotiation.RELEASE_RQ:
            self._wire.send(negotiation.RELEASED)
            self._await_close()
        return False

    @staticmethod
    def _expect(kind: int, length: int, largest: int) -> None:
        """Check a PDU's header before anything is read by it."""
        if kind not in negotiation.KNOWN_TYPES:
            raise CutOff(negotiation.ABORT_UNKNOWN_PDU, "PDU of an unknown type")
        if length > largest:
            raise CutOff(negotiation.ABORT_INVALID, "PDU longer than agreed")
        is_answer = kind in (2, 3, 6)
        is_late = kind == negotiation.ASSOCIATE_RQ and largest != FIRST_PDU
        if is_answer or is_late:
            raise CutOff(negotiation.ABORT_UNEXPECTED_PDU, "PDU out of turn")

    def _abort(self, pdu: bytes, why: str) -> None:
        log.warning("association cut off", why=why, peer=self._peer)
        with suppress(OSError, Closed):  # it need not listen
            self._wire.be_patient(CLOSING_PATIENCE)
            self._wire.send(pdu)
            # Closing on bytes that nobody read would take the abort away from the peer.
            self._wire.let_go(MOST_LET_GO)

    def _await_close(self) -> None:
        """Let the peer close first, as it should, for a moment."""
        with suppress(OSError, Closed):
            self._wire.be_patient(CLOSING_PATIENCE)
            self._wire.read(1)

    def _drop(self) -> None:
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.data.discard()

    # -- messages -------------------------------------------------------------------------------

    def _take_values(self, left: int) -> None:
        """Take the presentation data values of a P-DATA, none longer than what is left of it."""
        while left:
            if left < messages.VALUE_HEADER.size:
                raise CutOff(negotiation.ABORT_INVALID, "data value without a length")
            length, context, control = messages.VALUE_HEADER.unpack(
                self._wire.read(messages.VALUE_HEADER.size)
            )
            left -= 4 + length
            if length < 2 or left < 0:  # noqa: PLR2004 - context and control are counted
                raise CutOff(negotiation.ABORT_INVALID, "data value of a length that does not fit")
            is_last = bool(control & messages.IS_LAST)
            if control & messages.IS_COMMAND:
                self._take_command(context, length - 2, is_last=is_last)
            else:
                self._take_data(context, length - 2, is_last=is_last)

    def _take_command(self, context: int, length: int, *, is_last: bool) -> None:
        if self._delivery is not None:
            raise BadMessage("command within a data set")
        if len(self._command) + length > messages.LONGEST_COMMAND:
            raise BadMessage("command longer than any")
        self._command += self._wire.read(length)
        if is_last:
            encoded, self._command = bytes(self._command), bytearray()
            self._begin_message(context, Command(encoded))

    def _begin_message(self, context: int, command: Command) -> None:
        agreed = self._contexts.get(context)
        if agreed is None:
            raise BadMessage("message for a context that was not accepted")
        operation = command.number(messages.COMMAND_FIELD)
        has_data = command.number(messages.DATA_SET_TYPE) != messages.NO_DATA_SET
        if operation == messages.C_CANCEL_RQ and not has_data:
            self._cancelled = command.number(messages.ANSWERED_ID)
            return  # unless it is being answered, what it would cancel was answered already
        if operation == messages.RESPONSE | messages.N_EVENT_REPORT_RQ and not has_data:
            self._take_receipt(command)
            return
        if operation != negotiation.operation_of(agreed.abstract_syntax):
            raise BadMessage("operation that the context does not offer")
        if self._question is not None or self._identifier is not None:
            raise BadMessage("operation before the last one was answered")
        self._context, self._request = context, command
        if operation == messages.C_STORE_RQ and has_data:
            self._begin_object(agreed, command)
        elif operation == messages.C_ECHO_RQ:
            if has_data:
                raise BadMessage("verification with a data set")
            self._answer(Answer(messages.SUCCESS))
        elif has_data:
            self._identifier = bytearray()
        else:
            is_action = operation == messages.N_ACTION_RQ
            status = messages.INVALID_ARGUMENT if is_action else messages.CANNOT_UNDERSTAND
            self._answer(Answer(status, "no data set"))

    def _begin_object(self, agreed: Context, command: Command) -> None:
        sop_class, sop_uid = command.text(messages.SOP_CLASS), command.text(messages.SOP_UID)
        assert self._sender is not None  # noqa: S101 - nothing is served before it is known
        self._failure = None
        spooled = Spooled(
            self._terms.blobs,
            syntax=agreed.syntax,
            sop_class=sop_class,
            sop_uid=sop_uid,
            source_ae=self._sender.ae_title,
        )
        self._delivery = Delivery(spooled, agreed.syntax, sop_class, sop_uid)

    def _take_data(self, context: int, length: int, *, is_last: bool) -> None:
        if self._identifier is not None and context == self._context:
            self._take_identifier(self._identifier, length, is_last=is_last)
            return
        delivery = self._delivery
        if delivery is None or context != self._context:
            raise BadMessage("data set without a command")
        if delivery.data.size + length > self._terms.largest_object:
            raise TooLarge("object larger than this site reads")
        while length:
            window = delivery.data.window(min(length, STEP))
            self._wire.read_into(window)
            length -= len(window)
            self._wrote(delivery, window)
        if is_last:
            self._end_object(delivery)

    def _wrote(self, delivery: Delivery, window: memoryview) -> None:
        """Count bytes as arrived; when there is no room the rest is read and let go."""
        count = len(window)
        window.release()
        try:
            delivery.data.wrote(count)
        except AccordError as error:
            log.error("object not stored", error=error.code)  # noqa: TRY400 - no names
            self._failure = Answer(error.dimse_status, error.code)

    def _end_object(self, delivery: Delivery) -> None:
        assert self._sender is not None  # noqa: S101 - nothing is served before it is known
        try:
            answer = self._failure or self._host.store(self._sender, delivery)
        finally:
            self._drop()
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        request, self._request = self._request, None
        if request is None:
            raise BadMessage("answer without a request")
        self._wire.send(messages.encode_answer(request, answer, self._context, self._their_pdu))

    # -- questions and events -------------------------------------------------------------------

    def _take_identifier(self, identifier: bytearray, length: int, *, is_last: bool) -> None:
        if len(identifier) + length > messages.LONGEST_IDENTIFIER:
            raise TooLarge("question larger than any")
        identifier += self._wire.read(length)
        if not is_last:
            return
        request, agreed = self._request, self._contexts[self._context]
        assert request is not None  # noqa: S101 - it came before its data set
        self._identifier = None
        self._question = Question(
            operation=request.number(messages.COMMAND_FIELD) or 0,
            syntax=agreed.syntax,
            sop_class=agreed.abstract_syntax,
            sop_uid=request.text(messages.REQUESTED_UID),
            action=request.number(messages.ACTION_TYPE),
            data=bytes(identifier),
        )

    def _reply(self, question: Question) -> None:
        """Send every answer to a question, unless the peer cancels it meanwhile."""
        assert self._sender is not None  # noqa: S101 - nothing is served before it is known
        request, self._cancelled, self._is_answering = self._request, None, True
        assert request is not None  # noqa: S101 - the question came with it
        number = request.number(messages.MESSAGE_ID)
        for answer in self._host.ask(self._sender, question):
            told = answer
            while not self._wire.is_quiet():
                if not self._serve():
                    raise Closed
            if self._cancelled == number and answer.data is not None:
                told = Answer(messages.CANCELLED)
            self._wire.send(messages.encode_answer(request, told, self._context, self._their_pdu))
            if told is not answer:
                break
            if answer.later is not None and len(self._owed) < MOST_OWED:
                self._owed.append((self._context, answer.later))
        self._request = self._question = None
        self._is_answering = False

    def _tell(self) -> None:
        """Tell the peer the next event that it waits for."""
        context, later = self._owed.popleft()
        event = later()
        if event is not None:
            self._told, self._events = event, self._events % 0xFFFF + 1
            self._wire.send(messages.encode_event(event, self._events, context, self._their_pdu))

    def _take_receipt(self, command: Command) -> None:
        told, self._told = self._told, None
        if told is None or command.number(messages.ANSWERED_ID) != self._events:
            raise BadMessage("receipt for nothing")
        if command.number(messages.STATUS) == messages.SUCCESS:
            told.confirm()
