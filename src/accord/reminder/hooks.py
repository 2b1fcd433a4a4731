"""The order-time endpoint of CDS Hooks: plain ASGI on its own threads and connections.

It answers inside `ACCORD_REMINDER_CUTOFF` or the order proceeds with the status `not_asked` and
the outage is audited. Whatever fails on our side, the workstation gets 200 and may sign.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from threading import Lock
from time import perf_counter
from typing import Any, Final

import psycopg
import structlog
from prometheus_client import Histogram
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from accord import catalogue
from accord.kit import clock
from accord.kit.access import Actor
from accord.kit.db import Database
from accord.kit.errors import AccordError, Forbidden, Invalid
from accord.kit.http import parse_json, problem, refuse_nul
from accord.kit.settings import Settings
from accord.recognition import service as recognition
from accord.recognition.cases import make_case
from accord.recognition.judge import evaluate
from accord.record import service as record
from accord.record.model import Measure, Order, Urgency
from accord.reminder import cards, service
from accord.reminder.access import ASK
from accord.reminder.errors import PrefetchMissing
from accord.reminder.fhir import (
    ITEM_SYSTEM,
    CodeableConcept,
    Encounter,
    HookRequest,
    Patient,
    ServiceRequest,
    first_place,
    read_orders,
)
from accord.reminder.grounds import grounds_of
from accord.reminder.model import Answer, Question, Unasked

log = structlog.get_logger(__name__)

THREADS: Final = 3
SWITCH: Final = 0.0005  # seconds
# Of the cut-off: a question that waited longer for a thread would hardly be answered in time, and
# its work would keep the next one waiting as long. Under too much load some get their answer.
WORTH_BEGINNING: Final = 0.5
SKIPPED: Final = frozenset({"revoked", "entered-in-error", "completed"})
URGENT: Final = frozenset({"stat", "asap", "urgent"})
# SNOMED CT sides of the body, as hospitals send them in bodySite.
SIDES: Final = {"7771000": "L", "24028007": "R", "51440002": "B"}
IMAGING: Final = "363679005"
MEASURES: Final = {"387713003": Measure.SURGERY, "116859006": Measure.TRANSFUSION}
NO_VISIT: Final = "-"

SECONDS = Histogram(
    "accord_reminder_seconds",
    "Time from the whole request read to the answer ready",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.45, 1, 2),
)


class Late(Exception):
    """The cut-off came first: what was about to be kept is rolled back."""


@dataclass
class Ticket:
    """Who came first, the answer or the cut-off.

    Attributes:
        begins_by: Moment of `perf_counter` after which the work is not worth beginning.
    """

    begins_by: float = inf
    _lock: Lock = field(default_factory=Lock)
    _is_taken: bool = False

    def take(self) -> bool:
        """Take the ticket; only the first one gets it."""
        with self._lock:
            was_free, self._is_taken = not self._is_taken, True
        return was_free


class Lane:
    """Threads and connections of the order-time question, shared with nothing else."""

    def __init__(self, database: Database, cutoff: timedelta) -> None:
        self.cutoff = cutoff
        # No ping before use: it costs a way to the server each time, and after a restart of the
        # server an order may pass unanswered.
        self.database = Database(
            database.url,
            pool_size=THREADS,
            statement_timeout=cutoff,
            plan_once=True,
            pre_ping=False,
        )
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="remind")
        # The outages are audited on a connection of their own: the lane's may be what is stuck.
        self.aside_database = Database(database.url, pool_size=1)
        self.aside = ThreadPoolExecutor(1, thread_name_prefix="remind-aside")
        # A thread that comes back from the database waits for the interpreter up to this long,
        # a dozen times an answer; the default of 5 ms would be most of the answer.
        sys.setswitchinterval(SWITCH)

    def close(self) -> None:
        """End the threads and connections."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self.aside.shutdown(wait=True)
        self.database.close()
        self.aside_database.close()


def lane_of(state: State) -> Lane:
    """Return the lane of an application, made at its first use."""
    lane: Lane | None = getattr(state, "reminder_lane", None)
    if lane is None:
        lane = state.reminder_lane = Lane(state.database, state.settings.reminder_cutoff)
    return lane


def warm_up(state: State) -> None:
    """Ask once for nobody, so that the first physician does not wait for files to be read.

    Nothing of it is kept, and a failure is only logged: the first question will tell. What the
    process has loaded by then stays until it ends, so the collector is told not to go through it
    again: a full round over it would hold up every answer under way for tens of milliseconds.
    """
    at = clock.now()
    order = Order(
        number=NO_VISIT,
        visit=NO_VISIT,
        patient_id=NO_VISIT,
        item_text=NO_VISIT,
        item_code="CYHR-001",
        ordered_at=at,
    )
    question = Question(
        institution=NO_VISIT, visit=None, patient_ids=(NO_VISIT,), orders=(order,), via="warm-up"
    )
    rules = service.rule_set()
    evaluate(make_case({}), rules, catalogue.load())
    grounds_of(rules)
    try:
        with lane_of(state).database.engine.connect() as conn, conn.begin() as transaction:
            service.ask(conn, Actor.process("warm-up"), question, at)
            recognition.warm_up(conn, at)
            transaction.rollback()
    except (SQLAlchemyError, psycopg.Error) as error:
        log.warning("reminder not warmed up", error=type(error).__name__)
    gc.collect()
    gc.freeze()


class SignHook:
    """`POST /cds-services/cyhr-duplicate-imaging`: the hook `order-sign`."""

    permission: Final = ASK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        request = Request(scope, receive)
        body = await request.body()
        begun = perf_counter()
        response = await self._respond(request, body)
        SECONDS.observe(perf_counter() - begun)
        response.headers["server-timing"] = f"app;dur={(perf_counter() - begun) * 1000:.3f}"
        await response(scope, receive, send)

    async def _respond(self, request: Request, body: bytes) -> Response:
        lane = lane_of(request.app.state)
        within = lane.cutoff.total_seconds()
        ticket = Ticket(begins_by=perf_counter() + within * WORTH_BEGINNING)
        work = asyncio.get_running_loop().run_in_executor(
            lane.pool, answer_call, lane.database, request, body, ticket
        )
        try:
            content = await asyncio.wait_for(work, within)
        except AccordError as error:
            return problem(error)
        except (TimeoutError, Late):
            return self._let_pass(lane, ticket, Unasked.TIME_OUT, "TimeoutError")
        except Exception as error:  # noqa: BLE001 - whatever it is, the order proceeds
            return self._let_pass(lane, ticket, Unasked.UNAVAILABLE, type(error).__name__)
        return Response(content, media_type="application/json")

    def _let_pass(self, lane: Lane, ticket: Ticket, why: Unasked, error: str) -> Response:
        ticket.take()
        log.warning("reminder unavailable", reason=why.value, error=error)
        lane.aside.submit(_audit_outage, lane.aside_database, why, error)
        return Response(encode(cards.unasked(why)), media_type="application/json")


def _audit_outage(database: Database, why: Unasked, error: str) -> None:
    """Audit that an order proceeded unanswered."""
    try:
        with database.begin() as conn:
            service.note_outage(
                conn,
                Actor.process("reminder"),
                None,
                {"reason": why.value, "error": error, "via": "cds-hooks"},
            )
    except Exception as failure:  # noqa: BLE001 - the order has proceeded; the log keeps it
        # No traceback: it may hold values of the statement.
        log.error("outage not audited", error=type(failure).__name__)  # noqa: TRY400


def answer_call(database: Database, request: Request, body: bytes, ticket: Ticket) -> bytes:
    """Authenticate, read, ask, keep, and return the body; kept before it returns.

    Raises:
        AccordError: The call is refused.
        Late: The cut-off came first; nothing was kept.
    """
    if perf_counter() > ticket.begins_by:
        raise Late
    state = request.app.state
    with database.begin() as conn:
        actor = system_of(request, conn)
        called = read_call(body, state.settings)
        answer, shown = _ask(conn, actor, called, state.settings)
        content = encode(cards.response(answer, shown))
        if not ticket.take():
            raise Late
    return content


def system_of(request: Request, conn: Connection) -> Actor:
    """Return the calling system, which speaks for an institution and may ask.

    Raises:
        Unauthenticated: No valid key or token.
        Forbidden: It may not ask.
    """
    actor: Actor = request.app.state.gate.authenticate_system(request, conn)
    if not actor.may(ASK) or actor.institution is None:
        raise Forbidden("该系统没有查询互认提醒的权限。", permission=ASK)
    return actor


@dataclass(frozen=True)
class Called:
    """A call as it was read."""

    hook: HookRequest
    orders: tuple[ServiceRequest, ...]
    resources: tuple[dict[str, Any], ...]
    patient_ids: tuple[str, ...]
    visits: tuple[str, ...]


def read_call(body: bytes, settings: Settings) -> Called:
    """Read the body of a call.

    Raises:
        Invalid: It is not a call of this hook in FHIR R4.
        PrefetchMissing: The patient was not sent along.
    """
    parsed = parse_json(body, deepest=settings.max_nesting)
    refuse_unstorable(body, parsed)
    try:
        hook = HookRequest.model_validate(parsed)
    except ValidationError as error:
        raise Invalid(f"请求不符合 CDS Hooks 2.0.1 order-sign：{first_place(error)}") from None
    orders = read_orders(hook.context.draft_orders)
    resources = [
        entry["resource"]
        for entry in hook.context.draft_orders.get("entry", [])
        if isinstance(entry, dict)
        and isinstance(entry.get("resource"), dict)
        and entry["resource"].get("resourceType") == "ServiceRequest"
    ]
    patient = _prefetched_patient(hook)
    encounter = _prefetched_encounter(hook)
    patient_ids = [hook.context.patient_id]
    visits = [hook.context.encounter_id]
    if patient is not None:
        patient_ids += [each.value for each in patient.identifier if each.value]
    if encounter is not None:
        visits += [encounter.id, *(each.value for each in encounter.identifier)]
    return Called(
        hook,
        orders,
        tuple(resources),
        tuple(dict.fromkeys(patient_ids)),
        tuple(dict.fromkeys(visit for visit in visits if visit)),
    )


def _prefetched_patient(hook: HookRequest) -> Patient | None:
    """Return the prefetched patient; None where the client asked and found no data."""
    if hook.prefetch is None or "patient" not in hook.prefetch:
        raise PrefetchMissing("缺少 prefetch.patient；本服务不回调任何地址，请随请求发送患者资源。")
    sent = hook.prefetch["patient"]
    if sent is None:
        return None
    if sent.get("resourceType") == "OperationOutcome":
        raise PrefetchMissing("prefetch.patient 是 OperationOutcome：工作站未能取得患者资源。")
    try:
        return Patient.model_validate(sent)
    except ValidationError as error:
        raise Invalid(f"prefetch.patient 不符合 FHIR R4：{first_place(error)}") from None


def _prefetched_encounter(hook: HookRequest) -> Encounter | None:
    """Return the prefetched visit; optional, since a client may have none to send."""
    sent = (hook.prefetch or {}).get("encounter")
    if sent is None or sent.get("resourceType") == "OperationOutcome":
        return None
    try:
        return Encounter.model_validate(sent)
    except ValidationError as error:
        raise Invalid(f"prefetch.encounter 不符合 FHIR R4：{first_place(error)}") from None


def refuse_unstorable(body: bytes, parsed: object) -> None:
    """Refuse text that no database keeps: NUL, and halves of surrogate pairs.

    Raises:
        Invalid: The body holds some.
    """
    refuse_nul(body)
    if b"\\ud" not in body.lower():
        return
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Invalid("请求内容含有不成对的代理字符。") from error


def _ask(
    conn: Connection, actor: Actor, called: Called, settings: Settings
) -> tuple[Answer, cards.Shown]:
    at = clock.now()
    institution = actor.institution or ""
    visit = _known_visit(conn, institution, called.visits)
    pairs = list(_order_items(called, visit, at))
    question = Question(
        institution=institution,
        visit=visit,
        patient_ids=called.patient_ids,
        orders=tuple(order for order, _ in pairs),
        physician=called.hook.context.user_id,
        instance=str(called.hook.hook_instance),
        via="cds-hooks",
    )
    answer = service.ask(conn, actor, question, at)
    drafts = {item.id: draft for item, (_, draft) in zip(answer.items, pairs, strict=True)}
    return answer, cards.Shown(
        base_url=settings.inner_url,
        subject=called.hook.context.patient_id,
        results=answer.results,
        drafts=drafts,
        grounds=tuple(grounds_of(service.rule_set()).values()),
    )


def _known_visit(conn: Connection, institution: str, numbers: tuple[str, ...]) -> str | None:
    """Return the number under which the institution's feed knows the visit."""
    if len(numbers) < 2:  # noqa: PLR2004 - nothing to choose between
        return next(iter(numbers), None)
    found = record.find_visits(conn, {(institution, each[:64]) for each in numbers})
    known = (each for each in numbers if (institution, each[:64]) in found)
    return next(known, numbers[0])


def _order_items(
    called: Called, visit: str | None, at: datetime
) -> Iterator[tuple[Order, cards.Draft]]:
    """Turn draft orders into order items: one for each item of the catalogue they name."""
    planned = _planned(called.orders)
    for place, (request, resource) in enumerate(zip(called.orders, called.resources, strict=True)):
        if request.status in SKIPPED or _is_other(request) or request.code is None:
            continue
        codes = _item_codes(request.code) or [_local_code(request.code)]
        words = request.code.words
        for code in codes:
            if code is None and not words:
                continue
            others = tuple(other for other in codes if other and other != code)
            order = Order(
                number=request.id or f"draft-{place + 1}",
                visit=(visit or NO_VISIT)[:64],
                patient_id=called.hook.context.patient_id,
                item_text=words or code or "",
                item_code=code,
                ordered_at=at,
                side=_side(request),
                purpose=next((each.words for each in request.reason_code if each.words), None),
                urgency=Urgency.STAT if request.priority in URGENT else Urgency.ROUTINE,
                planned_measure=planned,
            )
            yield order, cards.Draft(resource, others)


def _item_codes(concept: CodeableConcept) -> list[str | None]:
    codes = [
        coding.code
        for coding in concept.coding
        if coding.code and (coding.system == ITEM_SYSTEM or coding.code.startswith("CYHR-"))
    ]
    return list(dict.fromkeys(code[:64] for code in codes))


def _local_code(concept: CodeableConcept) -> str | None:
    code = next((coding.code for coding in concept.coding if coding.code), None)
    return code[:64] if code else None


def _side(request: ServiceRequest) -> str | None:
    for site in request.body_site:
        for coding in site.coding:
            if coding.code in SIDES:
                return SIDES[coding.code]
        words = site.words or ""
        found = [side for sign, side in (("左", "L"), ("右", "R"), ("双", "B")) if sign in words]
        if len(found) == 1:
            return found[0]
    return None


def _planned(orders: tuple[ServiceRequest, ...]) -> Measure | None:
    """Return the major measure that stands among the drafts, for NR03."""
    for order in orders:
        for category in order.category:
            for coding in category.coding:
                if coding.code in MEASURES:
                    return MEASURES[coding.code]
    return None


def _is_other(request: ServiceRequest) -> bool:
    """Say whether the order says of itself that it is no imaging."""
    codes = {coding.code for category in request.category for coding in category.coding}
    return bool(codes - {None, IMAGING}) and IMAGING not in codes and "imaging" not in codes


def encode(body: dict[str, Any]) -> bytes:
    """Return a body as compact UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
