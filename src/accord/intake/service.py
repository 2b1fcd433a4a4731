"""Keep messages before they are answered; map them; let people see and replay what waits."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from accord.identity import service as identity
from accord.identity.errors import UnknownPatient
from accord.intake import mapping, store
from accord.intake.errors import (
    DUPLICATE_KEY,
    Fault,
    Incomplete,
    OtherPatient,
    Place,
    UnknownMessage,
)
from accord.intake.mapping import Content
from accord.intake.message import Head, read, read_head
from accord.intake.model import Arrival, Peer, Received, State
from accord.kit import audit, clock, jobs
from accord.kit.access import Actor, ActorKind
from accord.kit.crypto import get_crypto
from accord.kit.errors import AccordError, Invalid, NotFound
from accord.record import service as record
from accord.record.errors import UnknownVisit
from accord.record.model import Order, Report, Visit
from accord.registry import service as registry

PURPOSE: Final = "intake"
AT_ONCE: Final = 50  # messages mapped in one transaction
# What another message of the same patient may bring.
MAY_COME: Final = (UnknownVisit.code, UnknownPatient.code)

log = structlog.get_logger(__name__)

_VISIT: Final = TypeAdapter(Visit)
_ORDER: Final = TypeAdapter(Order)
_REPORT: Final = TypeAdapter(Report)


# --- peers --------------------------------------------------------------------------------------


def put_peer(conn: Connection, actor: Actor, peer: Peer) -> None:
    """Bind a sender to an institution.

    Raises:
        Invalid: The institution is not registered, a name is empty, the address is none.
    """
    if not peer.application.strip() or not peer.facility.strip():
        raise Invalid("发送应用（MSH-3）和发送机构（MSH-4）不能为空。")
    if registry.find_institution(conn, peer.institution, clock.today()) is None:
        raise Invalid("没有登记这家医疗机构。")
    if peer.address is not None:
        try:
            ip_address(peer.address)
        except ValueError:
            raise Invalid("来源地址须为IP地址。") from None
    store.put_peer(conn, peer)
    audit.record(
        conn,
        actor,
        action="intake.peer.kept",
        subject=f"mllp_peer:{peer.application}/{peer.facility}",
        detail={"institution": peer.institution, "address": peer.address},
    )


def remove_peer(conn: Connection, actor: Actor, application: str, facility: str) -> None:
    """Refuse a sender from now on; what it sent stays.

    Raises:
        Invalid: There is none.
    """
    if not store.remove_peer(conn, application, facility):
        raise Invalid("没有这个发送方。")
    audit.record(
        conn, actor, action="intake.peer.removed", subject=f"mllp_peer:{application}/{facility}"
    )


def peers(conn: Connection) -> tuple[Peer, ...]:
    """Return who may send."""
    return store.peers(conn)


# --- keeping ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sealed:
    """A message ready to be kept."""

    arrival: Arrival
    raw_sealed: str
    digests: tuple[str, ...]


def seal(arrival: Arrival) -> Sealed:
    """Return a message ready to be kept; nobody without the key reads it."""
    crypto = get_crypto()
    sealed = crypto.seal(PURPOSE, arrival.raw, bound_to=_bound_to(arrival.control_id))
    return Sealed(arrival, sealed, crypto.macs(PURPOSE, arrival.raw))


def keep(conn: Connection, several: Iterable[Sealed]) -> list[bytes | Fault]:
    """Keep messages; return the answer to each.

    The same message again has the answer of the first time; another one under the same sender
    and control id is a fault and not kept.
    """
    answers: list[bytes | Fault] = []
    institutions: dict[str, None] = {}
    for sealed in several:
        arrival = sealed.arrival
        if store.add(conn, arrival, sealed.raw_sealed, sealed.digests[0]):
            answers.append(arrival.answer)
            if arrival.fault is None:
                institutions[arrival.peer.institution] = None
            continue
        digest, answer = store.answered(conn, arrival.peer, arrival.control_id)
        if digest in sealed.digests:
            answers.append(answer)
        else:
            answers.append(
                Fault(
                    DUPLICATE_KEY, Place("MSH", 1, 10), "该消息控制编号已用于另一条内容不同的消息"
                )
            )
    for institution in institutions:
        apply_later(conn, institution)
    return answers


def apply_later(conn: Connection, institution: str) -> None:
    """Map what is pending by a job; messages of one institution are mapped in their order."""
    name = f"intake.apply/{institution}"
    jobs.defer(conn, "intake.apply", lock=name, queueing_lock=name, institution=institution)


def _bound_to(control_id: str) -> bytes:
    return control_id.encode()


# --- mapping ------------------------------------------------------------------------------------


def apply_pending(conn: Connection, institution: str) -> None:
    """Map the pending messages of an institution in the order in which they came.

    What cannot be mapped goes to the work list; a message that brought a patient or a visit lets
    those be tried again that waited for it.
    """
    several = store.pending(conn, institution, limit=AT_ONCE)
    for received, sealed in several:
        _apply(conn, received, sealed)
    if several:
        apply_later(conn, institution)


def _apply(conn: Connection, received: Received, sealed: str) -> Received:
    """Map one message and note what became of it."""
    raw = _opened(received, sealed)
    code: str | None = None
    reason: str | None = None
    try:
        with conn.begin_nested():
            content = _understood(raw, received.institution)
            _take_over(conn, received, content)
    except AccordError as error:
        code, reason = error.code, error.sentence
    except OperationalError:
        raise  # the database is away, or two were in each other's way: the job comes again
    except Exception as error:  # noqa: BLE001 - one message must not hold up all others
        log.error("message not mapped", message=received.id, error=type(error).__name__)  # noqa: TRY400
        code, reason = "unexpected", "映射时发生意外错误，请联系平台维护人员。"
    if code is not None:
        store.settle(conn, received.id, State.WAITING, code, reason)
    else:
        store.settle(conn, received.id, State.DONE)
        if received.patient is not None and not received.kind.startswith(("ORU", "MDM")):
            store.reopen(conn, received.institution, received.patient, MAY_COME)
    found = store.find(conn, received.id)
    assert found is not None  # noqa: S101 - rows are never deleted
    return found[0]


def _understood(raw: bytes, institution: str) -> Content:
    head = read_head(raw)
    assert head is not None  # noqa: S101 - without a head it would not have been kept
    mapping.check_head(head)
    return mapping.understand(read(raw, head), institution)


def _take_over(conn: Connection, received: Received, content: Content) -> None:
    """Hand the content to identity and record.

    Raises:
        AccordError: They refuse it, or the accession is another patient's.
    """
    institution = received.institution
    application = received.application
    actor = Actor(ActorKind.SYSTEM, f"mllp:{application}", application, institution)
    known = identity.find_patient(conn, institution, content.local_id)
    # Only ADT is about the person; orders often say less of it than is known.
    if content.patient is not None and (content.is_admission or known is None):
        identity.register_patient(conn, actor, content.patient)
    if content.prior is not None:
        identity.link_by_source(conn, actor, institution, content.local_id, content.prior)
    if content.visit is not None:
        _take_visit(conn, actor, institution, content)
    for told in content.orders:
        before = _before(record.find_order, conn, institution, told["number"])
        order = _made(_ORDER, "申请单", before, told)
        record.put_order(conn, actor, order)
    for told in content.reports:
        before = _before(record.find_report, conn, institution, told["number"])
        report = _made(_REPORT, "报告", before, {"performed_by": institution, **told})
        _refuse_other_patient(conn, institution, report)
        record.put_report(conn, actor, report)


def _take_visit(conn: Connection, actor: Actor, institution: str, content: Content) -> None:
    told = content.visit or {}
    kept = record.find_visit(conn, institution, told["number"])
    if kept is not None and not _are_one(
        conn, institution, content.local_id, kept.content.patient_id
    ):
        raise OtherPatient("该就诊号属于另一名患者，请核对。")
    if content.is_admission:
        before = kept and kept.content
        record.put_visit(conn, actor, _made(_VISIT, "就诊", before, told))
    elif kept is None and "opened_at" in told:
        record.put_visit(conn, actor, _made(_VISIT, "就诊", None, told))


def _before(find: Callable[..., Any], conn: Connection, institution: str, number: str) -> Any:
    try:
        return find(conn, institution, number).content
    except NotFound:
        return None


def _made(adapter: TypeAdapter[Any], what: str, before: Any, told: Mapping[str, Any]) -> Any:
    """Return a document: what is kept already, and over it what is told.

    Raises:
        Incomplete: It lacks something, or a value is too long; the sentence names the fields.
    """
    kept = adapter.dump_python(before, exclude_none=True) if before is not None else {}
    merged = {**kept, **told}
    if "registration" in kept and "registration" in told:
        merged["registration"] = {**kept["registration"], **told["registration"]}
    try:
        return adapter.validate_python(merged)
    except ValidationError as error:
        faults = "；".join(
            f"{'.'.join(map(str, each['loc'])) or what}（{each['type']}）"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise Incomplete(f"{what}内容不完整或不符合要求：{faults}") from None


def _refuse_other_patient(conn: Connection, institution: str, report: Report) -> None:
    """Refuse a report whose accession or study is that of an examination of somebody else.

    Raises:
        OtherPatient: It is.
    """
    meant = record.patients_meant(conn, institution, report.accession, report.study_uid)
    for other in sorted(meant):
        if report.patient_id and not _are_one(conn, institution, report.patient_id, other):
            raise OtherPatient("检查号或检查UID属于另一名患者的检查，请核对报告的患者与检查号。")


def _are_one(conn: Connection, institution: str, one: str, other: str) -> bool:
    """Say whether two local ids are one, or certainly of one person (merged by A40)."""
    if one == other:
        return True
    person = identity.person_of(conn, institution, one)
    return person is not None and person == identity.person_of(conn, institution, other)


# --- people -------------------------------------------------------------------------------------


def work_list(
    conn: Connection, *, institution: str | None = None, whole: bool = False, limit: int = 100
) -> list[Received]:
    """Return what waits, the oldest first; on request what is pending and done as well."""
    return store.listed(conn, tuple(State) if whole else (State.WAITING,), institution, limit=limit)


def show(conn: Connection, actor: Actor, number: int) -> tuple[Received, bytes]:
    """Return a message and its bytes as they were received; it is noted who looked.

    Raises:
        UnknownMessage: There is none of that number.
    """
    received, sealed = _found(conn, number)
    audit.record(conn, actor, action="intake.message.shown", subject=f"intake_message:{number}")
    return received, _opened(received, sealed)


def replay(conn: Connection, actor: Actor, number: int) -> Received:
    """Map a message again, now; return what became of it.

    Raises:
        UnknownMessage: There is none of that number.
    """
    received, sealed = _found(conn, number, lock=True)
    after = _apply(conn, received, sealed)
    apply_later(conn, received.institution)
    audit.record(
        conn,
        actor,
        action="intake.message.replayed",
        subject=f"intake_message:{number}",
        detail={"state": after.state.value, "code": after.code},
    )
    return after


def _found(conn: Connection, number: int, *, lock: bool = False) -> tuple[Received, str]:
    found = store.find(conn, number, lock=lock)
    if found is None:
        raise UnknownMessage("没有这条消息。")
    return found


def _opened(received: Received, sealed: str) -> bytes:
    return get_crypto().open(PURPOSE, sealed, bound_to=_bound_to(received.control_id))


def head_of(raw: bytes) -> Head | None:
    """Return the head of a message, for showing it in its character set."""
    return read_head(raw)
