"""The receiver on pynetdicom: C-ECHO and C-STORE, raw bytes, nothing encoded again.

AE titles are bound to institutions; an unknown one is rejected. Every storage SOP class and every
transfer syntax but the deflated ones is accepted: a lossy object is taken and kept aside, so that
its sender hears why.
"""

import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from socketserver import TCPServer
from typing import Any, Final
from weakref import WeakKeyDictionary

import structlog
from pydicom.uid import UID, UID_dictionary
from pynetdicom import AE, _config, evt
from pynetdicom import sop_class as known_classes
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import Verification, uid_to_service_class
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from accord.archive import reasons, service
from accord.archive.model import StoreOutcome
from accord.archive.part10 import EXPLICIT, EXPLICIT_BIG, IMPLICIT
from accord.archive.receive.guard import Caps, guard
from accord.archive.receive.intake import Intake
from accord.archive.receive.messages import Answer, Delivery, Storing
from accord.kit.errors import AccordError, CannotRun
from accord.kit.settings import Settings

MAXIMUM_PDU: Final = 1024 * 1024
BACKLOG: Final = 128
HANDSHAKE_PATIENCE: Final = 10.0
LONGEST_COMMENT: Final = 64
MOST_CONNECTIONS: Final = 4  # per permitted association of one peer
UNEXPECTED: Final = 0xC211

# Rejections (PS3.8 9.3.4): result, source, diagnostic.
CALLING_AE_UNKNOWN: Final = (0x01, 0x01, 0x03)
LIMIT_EXCEEDED: Final = (0x02, 0x03, 0x02)
CONGESTED: Final = (0x02, 0x03, 0x01)

# Errors are logged by their kind alone: a traceback could carry what stood in a header.
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Address:
    """Where a receiver listens."""

    host: str
    port: int


class Receiver:
    """One DIMSE receiver; several processes may listen on one port.

    Args:
        settings: Address, limits and certificates of this site.
        intake: What it hands its objects to.
    """

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self._settings = settings
        self._intake = intake
        self._senders: WeakKeyDictionary[Association, service.Sender] = WeakKeyDictionary()
        # pynetdicom describes every PDU for its log before it asks whether anybody listens.
        _config.LOG_HANDLER_LEVEL = "none"
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        entity = AE(settings.ae_title)
        entity.maximum_pdu_size = MAXIMUM_PDU
        entity.maximum_associations = MOST_CONNECTIONS * settings.max_associations_per_peer
        entity.acse_timeout = settings.dimse_request_timeout.total_seconds()
        entity.dimse_timeout = settings.dimse_idle_timeout.total_seconds()
        entity.network_timeout = settings.dimse_idle_timeout.total_seconds()
        lossless = service.lossless_syntaxes(settings.rule_set)
        try:
            self._server = _Server(
                entity,
                (settings.dimse_host, settings.dimse_port),
                settings.ae_title,
                contexts(lossless),
                ssl_context=_tls(settings),
                evt_handlers=[
                    (evt.EVT_REQUESTED, self._on_request),
                    (evt.EVT_C_ECHO, self._on_echo),
                    (evt.EVT_CONN_CLOSE, self._on_close),
                ],
                request_handler=_Handler,
            )
        except OSError as error:
            raise CannotRun(
                f"Port {settings.dimse_port} of {settings.dimse_host} cannot be used: "
                f"{error.strerror}."
            ) from error
        self._server.caps = Caps(
            pdu=MAXIMUM_PDU, patience=settings.dimse_idle_timeout.total_seconds()
        )
        self._server.storing = Storing(intake.blobs, settings.max_object_size, self._store)
        self._server.most_connections = entity.maximum_associations

    @property
    def address(self) -> Address:
        """Where it listens; the real port where 0 was asked for."""
        host, port = self._server.server_address[:2]
        return Address(str(host), int(port))

    def serve(self) -> None:
        """Serve associations until `stop`."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """Take no new association, let nobody wait for an answer that will not come."""
        self._server.halt()

    def _on_request(self, event: evt.Event) -> None:
        association = event.assoc
        calling = str(association.requestor.primitive.calling_ae_title).strip()
        if self._count(calling, association) >= self._settings.max_associations_per_peer:
            _reject(association, LIMIT_EXCEEDED, calling)
            return
        try:
            sender = self._intake.admit(calling)
        except Exception as error:  # noqa: BLE001 - no database: the peer may try again
            log.error("association not admitted", error=type(error).__name__)  # noqa: TRY400
            _reject(association, CONGESTED, calling)
            return
        if sender is None or not _certificate_fits(association, sender):
            _reject(association, CALLING_AE_UNKNOWN, calling)
            return
        self._senders[association] = sender

    def _count(self, calling: str, newcomer: Association) -> int:
        open_ones = [one for one in self._senders if one.is_alive() and one is not newcomer]
        return sum(self._senders[one].ae_title == calling for one in open_ones)

    @staticmethod
    def _on_close(event: evt.Event) -> None:
        event.assoc.dimse.drop()

    @staticmethod
    def _on_echo(_event: evt.Event) -> int:
        return 0x0000

    def _store(self, association: Association, delivery: Delivery) -> Answer:
        try:
            return _answer(self._intake.take(self._senders[association], delivery))
        except AccordError as error:
            log.error("object not stored", error=error.code)  # noqa: TRY400
            return Answer(error.dimse_status, error.code)
        except Exception as error:  # noqa: BLE001 - one object must not end the association
            log.error("object not stored", error=type(error).__name__)  # noqa: TRY400
            return Answer(UNEXPECTED, "internal error, nothing was stored")


class _Server(ThreadedAssociationServer):  # type: ignore[misc]
    caps: Caps
    storing: Storing
    most_connections: int
    request_queue_size = BACKLOG
    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; the TLS handshake waits for the connection's own thread."""
        connection, address = self.socket.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def service_actions(self) -> None:
        """Leave the garbage to Python: pynetdicom's own collection stops every association."""

    def verify_request(self, _request: Any, _address: Any) -> bool:
        """Take no more connections than there are threads for."""
        return len(self.active_associations) < self.most_connections

    def halt(self) -> None:
        """Stop accepting and close every association."""
        # pynetdicom's own way strikes the server from a list of the AE, on which it never stood.
        TCPServer.shutdown(self)
        self.server_close()
        for association in self.active_associations:
            association.abort()


class _Handler(RequestHandler):  # type: ignore[misc]
    server: _Server

    def handle(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(HANDSHAKE_PATIENCE)
            try:
                self.request.do_handshake()
            except OSError:  # ssl.SSLError is one
                log.warning("no TLS handshake", peer=self.client_address[0])
                self.request.close()
                return
        super().handle()

    def _create_association(self) -> Association:
        association = super()._create_association()
        # pynetdicom waits for a thread of its own by name; daemons let the process end.
        association.daemon = True
        association.dul.daemon = True
        guard(association, self.server.caps, self.server.storing)
        return association


@lru_cache(maxsize=4)
def syntaxes(lossless: frozenset[str]) -> tuple[str, ...]:
    """Return the transfer syntaxes that are taken, the preferred ones first.

    The first one that both sides know is used: compressed without loss before uncompressed (the
    object then comes as it is kept at its source), lossy ones only where nothing else is offered.
    """
    known = [uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"]
    offered = [uid for uid in known if not _is_left_out(uid)]
    plain = [uid for uid in (EXPLICIT, IMPLICIT, EXPLICIT_BIG) if uid in lossless]
    packed = [uid for uid in offered if uid in lossless and uid not in plain]
    rest = [uid for uid in offered if uid not in lossless]
    return (*packed, *plain, *rest)


def _is_left_out(uid: str) -> bool:
    """Leave out what inflates on receipt, and what is no syntax of stored objects."""
    name = UID(uid).name
    return "Deflate" in name or any(word in name for word in ("RFC 2557", "XML", "SMPTE", "JSON"))


@lru_cache(maxsize=1)
def storage_classes() -> Mapping[str, str]:
    """Return every storage SOP class of the standard, the retired ones included, by UID."""
    return {
        uid: entry[4] or entry[0]
        for uid, entry in UID_dictionary.items()
        if entry[1] == "SOP Class" and "Storage" in entry[0] and _stores_objects(entry[0])
    }


def _stores_objects(name: str) -> bool:
    return not any(word in name for word in ("Directory", "Commitment", "Management"))


class _Contexts(list[PresentationContext]):
    """Contexts that nobody changes: pynetdicom copies them for every association, at a cost."""

    def __deepcopy__(self, _memo: Any) -> "_Contexts":
        return self


def contexts(lossless: frozenset[str]) -> list[PresentationContext]:
    """Return the presentation contexts of a receiver."""
    taken = list(syntaxes(lossless))
    found = [build_context(Verification, [IMPLICIT, EXPLICIT])]
    for uid, keyword in storage_classes().items():
        if uid_to_service_class(uid) is not StorageServiceClass:
            known_classes.register_uid(uid, _identifier(keyword), StorageServiceClass)
        found.append(build_context(uid, taken))
    return _Contexts(found)


def _identifier(keyword: str) -> str:
    return "".join(letter for letter in keyword if letter.isalnum())


def _answer(outcome: StoreOutcome) -> Answer:
    comment = reasons.WORDS[outcome.code].english[:LONGEST_COMMENT] if outcome.code else ""
    return Answer(reasons.status(outcome), comment)


def _reject(association: Association, how: tuple[int, int, int], calling: str) -> None:
    log.warning("association rejected", calling_ae=calling[:16], diagnostic=how[2])
    association.acse.send_reject(*how)
    association.is_rejected = True
    association.kill()


def _certificate_fits(association: Association, sender: service.Sender) -> bool:
    """Say whether a client certificate names the AE title or the institution it sends for.

    On loopback there is no certificate; elsewhere the TLS context demands one.
    """
    connection = association.dul.socket.socket
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
