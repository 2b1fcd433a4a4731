"""The DIMSE receiver: blocking sockets, one thread for each association.

AE titles are bound to institutions; an unknown one is rejected. Several processes may listen on
one port: the kernel shares the connections out among them.
"""

import errno
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

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
from accord.kit.settings import Settings

MAXIMUM_PDU: Final = 1024 * 1024
BACKLOG: Final = 128
HANDSHAKE_PATIENCE: Final = 10.0
LONGEST_COMMENT: Final = 64
MOST_CONNECTIONS: Final = 4  # per permitted association of one peer
ENDING_PATIENCE: Final = 5.0
TOO_MANY_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

# Errors are logged by their kind alone: a traceback could carry what stood in a header.
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Address:
    """Where a receiver listens."""

    host: str
    port: int


@dataclass(eq=False)
class _Line:
    """An open connection and the thread that serves it."""

    connection: socket.socket
    peer: str
    thread: threading.Thread = field(default_factory=threading.Thread)


class Receiver:
    """One DIMSE receiver of one process.

    Args:
        settings: Address, limits and certificates of this site.
        intake: What it hands its objects to.
    """

    def __init__(self, settings: Settings, intake: Intake) -> None:
        # pynetdicom describes every PDU for its log before it asks whether anybody listens.
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        self._settings = settings
        self._intake = intake
        self._questions = Questions(intake.database, intake.blobs, settings.ae_title)
        self._tls = _tls(settings)
        self._terms = Terms(
            contexts=negotiation.contexts(service.lossless_syntaxes(settings.rule_set)),
            largest_pdu=MAXIMUM_PDU,
            largest_object=settings.max_object_size,
            first_patience=settings.dimse_request_timeout.total_seconds(),
            patience=settings.dimse_idle_timeout.total_seconds(),
            blobs=intake.blobs,
        )
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self.places = Places(settings.data_dir / "associations", settings.max_associations_per_peer)
        self._is_ending = False
        self._socket = _listen(settings.dimse_host, settings.dimse_port)

    @property
    def address(self) -> Address:
        """Where it listens; the real port where 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return Address(str(host), int(port))

    def serve(self) -> None:
        """Serve associations until `stop`."""
        most = MOST_CONNECTIONS * self._settings.max_associations_per_peer
        while not self._is_ending:
            try:
                connection, address = self._socket.accept()
            except OSError as error:
                if not self._is_ending and error.errno in TOO_MANY_FILES:
                    log.warning("connection not accepted", error=errno.errorcode[error.errno])
                    time.sleep(0.1)
                continue
            if len(self._lines) >= most:
                log.warning("connection not accepted", peer=address[0], open=most)
                connection.close()
                continue
            self._take_up(_Line(connection, str(address[0])))
        self._socket.close()

    def stop(self) -> None:
        """Take no new association, let nobody wait for an answer that will not come."""
        self._is_ending = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            with suppress(OSError):
                line.connection.shutdown(socket.SHUT_RD)  # wakes who reads; answers still go out
        until = time.monotonic() + ENDING_PATIENCE
        for line in lines:
            line.thread.join(max(until - time.monotonic(), 0))

    def _take_up(self, line: _Line) -> None:
        line.thread = threading.Thread(
            target=self._serve_line, args=(line,), name="association", daemon=True
        )
        with self._lock:
            self._lines.add(line)
        try:
            line.thread.start()
        except RuntimeError:  # no more threads
            log.warning("connection not accepted", peer=line.peer, error="threads")
            with self._lock:
                self._lines.discard(line)
            line.connection.close()

    def _serve_line(self, line: _Line) -> None:
        connection = line.connection
        host = _Host(self, connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = line.connection = host.connection = self._shake_hands(connection)
            Association(connection, line.peer, self._terms, host, lambda: self._is_ending).run()
        except OSError as error:
            log.warning("connection lost", peer=line.peer, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one peer must not be told what went wrong
            log.error("association failed", peer=line.peer, error=type(error).__name__)  # noqa: TRY400
        finally:
            connection.close()
            host.leave()
            with self._lock:
                self._lines.discard(line)

    def _shake_hands(self, connection: socket.socket) -> ssl.SSLSocket:
        assert self._tls is not None  # noqa: S101 - asked before
        connection.settimeout(HANDSHAKE_PATIENCE)
        secured = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except OSError:
            secured.close()
            raise
        return secured

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

    def __init__(self, receiver: Receiver, connection: socket.socket) -> None:
        self._receiver = receiver
        self.connection = connection
        self._place: int | None = None

    def admit(self, calling: str) -> service.Sender | tuple[int, int, int]:
        """Say who sends, or how the association is to be rejected."""
        try:
            sender = self._receiver.sender_of(calling)
            if sender is None or not _certificate_fits(self.connection, sender):
                return negotiation.CALLING_AE_UNKNOWN
            self._place = self._receiver.places.take(calling)
        except Exception as error:  # noqa: BLE001 - no database: the peer may try again
            log.error("association not admitted", error=type(error).__name__)  # noqa: TRY400
            return negotiation.CONGESTED
        return negotiation.LIMIT_EXCEEDED if self._place is None else sender

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


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotRun(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
    return listening


def _answer(outcome: StoreOutcome) -> Answer:
    comment = reasons.WORDS[outcome.code].english[:LONGEST_COMMENT] if outcome.code else ""
    return Answer(reasons.status(outcome), comment)


def _certificate_fits(connection: socket.socket, sender: service.Sender) -> bool:
    """Say whether a client certificate names the AE title or the institution it sends for.

    On loopback there is no certificate; elsewhere the TLS context demands one.
    """
    if not isinstance(connection, ssl.SSLSocket):
        return True
    certificate = connection.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    others: Any = certificate.get("subjectAltName", ())
    named = {value for part in subject for key, value in part if key == "commonName"}
    named |= {value for _, value in others}
    return bool(named & {sender.ae_title, sender.institution})


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None or settings.tls_client_ca is None:
        return None
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(settings.tls_client_ca)
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(settings.tls_certificate), settings.tls_key)
    return context
