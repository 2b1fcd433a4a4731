"""From the bytes of a message to its acknowledgement: judged, kept, then answered.

Messages that arrive at the same time are kept in one transaction (group commit).
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from accord.intake import mapping, service
from accord.intake.acknowledging import acknowledge
from accord.intake.errors import (
    DATA_TYPE,
    INTERNAL,
    REQUIRED_MISSING,
    TOO_LONG,
    UNKNOWN_KEY,
    Fault,
    Place,
)
from accord.intake.message import Head, read, read_head
from accord.intake.model import Arrival, Peer, Verdict
from accord.intake.service import Sealed
from accord.intake.wire import BadFrame
from accord.kit.db import Database
from accord.kit.together import Together

MOST_IN_ONE_COMMIT: Final = 64
PEERS_HOLD: Final = 2.0  # seconds after which the peer list is read again
LONGEST_CONTROL_ID: Final = 199  # HL7 2.8; earlier versions have 20

log = structlog.get_logger(__name__)


class Answering:
    """Answers messages.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keeping = Together[_Waiting](self._keep, most=MOST_IN_ONE_COMMIT)
        self._lock = threading.Lock()
        self._peers: dict[tuple[str, str], Peer] = {}
        self._read_at = -PEERS_HOLD

    def answer(self, raw: bytes, address: str, names: frozenset[str] | None = None) -> bytes:
        """Return the acknowledgement; whatever it accepts is durable by then.

        Args:
            raw: The message without its frame.
            address: Where it comes from.
            names: Names in the client certificate; None on a line without TLS.

        Raises:
            BadFrame: It has no MSH, so that nobody can be answered.
        """
        head = read_head(raw)
        if head is None:
            raise BadFrame("帧内不是HL7 v2消息：不以MSH开始")
        try:
            return self._judged(raw, head, self._sender(head, address, names))
        except Fault as fault:
            return acknowledge(head, Verdict.REJECT, fault)
        except SQLAlchemyError as error:
            log.error("message not kept", error=type(error).__name__)  # noqa: TRY400 - no names
            return acknowledge(head, Verdict.REJECT, _not_now())

    def refuse(self, read_so_far: bytes, sentence: str) -> bytes | None:
        """Return the rejection of a message that broke the frame; None where it has no head."""
        head = read_head(read_so_far)
        if head is None or not head.control_id:
            return None
        return acknowledge(head, Verdict.REJECT, Fault(TOO_LONG, None, sentence))

    def _judged(self, raw: bytes, head: Head, peer: Peer) -> bytes:
        mapping.check_head(head)
        fault: Fault | None = None
        patient: str | None = None
        try:
            message = read(raw, head)
            patient = mapping.patient_of(message)
            mapping.understand(message, peer.institution)
        except Fault as found:
            fault = found
        verdict = Verdict.ERROR if fault else Verdict.ACCEPT
        waiting = _Waiting(
            service.seal(
                Arrival(
                    peer,
                    head.control_id,
                    head.kind,
                    patient,
                    raw,
                    (fault.code, fault.sentence) if fault else None,
                    acknowledge(head, verdict, fault),
                )
            )
        )
        self._keeping.act(waiting)
        if isinstance(waiting.answer, bytes):
            return waiting.answer
        assert waiting.answer is not None  # noqa: S101 - it has the one or the other
        raise waiting.answer

    def _sender(self, head: Head, address: str, names: frozenset[str] | None) -> Peer:
        """Return who sends.

        Raises:
            Fault: It is not on the list, comes from elsewhere, or says no control id.
        """
        said = head.application + head.facility + head.control_id
        if not said.isprintable():
            raise Fault(DATA_TYPE, Place("MSH"), "MSH-3、MSH-4、MSH-10含有控制字符")
        peer = self._peer(head.application, head.facility)
        is_there = peer is not None and peer.address in {None, address}
        if peer is None or not is_there or (names is not None and peer.institution not in names):
            raise Fault(UNKNOWN_KEY, Place("MSH", 1, 3), "发送方未登记，或来源与登记不符")
        if not head.control_id:
            raise Fault(REQUIRED_MISSING, Place("MSH", 1, 10), "缺少消息控制编号")
        if len(head.control_id) > LONGEST_CONTROL_ID:
            raise Fault(TOO_LONG, Place("MSH", 1, 10), "消息控制编号过长")
        return peer

    def _peer(self, application: str, facility: str) -> Peer | None:
        with self._lock:
            if time.monotonic() - self._read_at >= PEERS_HOLD:
                with self._database.begin() as conn:
                    found = service.peers(conn)
                self._peers = {(peer.application, peer.facility): peer for peer in found}
                self._read_at = time.monotonic()
            return self._peers.get((application, facility))

    def _keep(self, batch: Sequence["_Waiting"]) -> None:
        """Keep a batch in one transaction; when that fails, each message in one of its own."""
        try:
            with self._database.begin() as conn:
                answers = service.keep(conn, [waiting.sealed for waiting in batch])
        except SQLAlchemyError:
            if len(batch) == 1:
                raise
            for waiting in batch:
                try:
                    self._keep([waiting])
                except SQLAlchemyError as error:
                    log.error("message not kept", error=type(error).__name__)  # noqa: TRY400
                    waiting.answer = _not_now()
            return
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer = answer


@dataclass
class _Waiting:
    sealed: Sealed
    answer: bytes | Fault | None = None


def _not_now() -> Fault:
    return Fault(INTERNAL, None, "平台暂时不能保存，请稍后重发同一条消息")
