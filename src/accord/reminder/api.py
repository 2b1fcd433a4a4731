"""REST of reminders, decisions and citations, and the CDS Hooks service (design.md 6)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.routing import Route

from accord.kit import clock
from accord.kit.access import OPEN, Actor, requires
from accord.kit.errors import Forbidden, Invalid
from accord.kit.http import Transaction
from accord.record import service as record
from accord.reminder import cards, feedback, service, store
from accord.reminder.access import ASK, DECIDE, READ
from accord.reminder.errors import UnknownReminder
from accord.reminder.fhir import Feedback, first_place
from accord.reminder.hooks import SignHook, encode, warm_up
from accord.reminder.model import Question
from accord.reminder.schemas import (
    Ask,
    DecideIn,
    InformedIn,
    shown_answer,
    shown_citation,
    shown_decided,
    shown_decision,
    shown_kept,
    shown_notice,
    shown_unlinked,
)

Asker = Annotated[Actor, requires(ASK)]
Reader = Annotated[Actor, requires(READ)]
Physician = Annotated[Actor, requires(DECIDE)]
Limit = Annotated[int, Query(ge=1, le=500)]


@asynccontextmanager
async def _lane(app: FastAPI) -> AsyncIterator[None]:
    await asyncio.to_thread(warm_up, app.state)
    yield
    lane = getattr(app.state, "reminder_lane", None)
    if lane is not None:
        lane.close()


router = APIRouter(tags=["reminder"], lifespan=_lane)
# Plain ASGI: the hot path goes round the machinery of FastAPI (design.md 2).
router.routes.append(Route(f"/cds-services/{cards.SERVICE}", SignHook(), methods=["POST"]))


def _own(actor: Actor) -> str:
    if actor.institution is None:
        raise Forbidden("此操作须以医疗机构的身份进行。")
    return actor.institution


# --- CDS Hooks ----------------------------------------------------------------------------------


@router.get("/cds-services", operation_id="cds_discovery", dependencies=[OPEN])
def discovery() -> dict[str, Any]:
    """Return the services (CDS Hooks 2.0.1)."""
    return cards.discovery()


@router.post(
    f"/cds-services/{cards.SERVICE}/feedback", operation_id="cds_feedback", response_model=None
)
def take_feedback(conn: Transaction, actor: Asker, body: dict[str, Any]) -> Response:
    """Keep what a client tells about its cards; telling it again changes nothing."""
    try:
        told = Feedback.model_validate(body)
    except ValidationError as error:
        raise Invalid(f"请求不符合 CDS Hooks 2.0.1 feedback：{first_place(error)}") from None
    feedback.keep(conn, actor, told)
    return Response(status_code=200)


# --- reminders ----------------------------------------------------------------------------------


@router.post("/api/v1/reminders", operation_id="ask_reminder", response_model=None)
def ask(request: Request, conn: Transaction, actor: Asker, body: Ask) -> Response:
    """Ask before orders are signed; the status is never a bare empty list."""
    at = clock.now()
    institution = _own(actor)
    orders = [each.as_order(body.visit, body.patient_id, at) for each in body.orders]
    orders += [
        record.find_order(conn, institution, number).content for number in body.order_numbers
    ]
    question = Question(
        institution=institution,
        visit=body.visit,
        patient_ids=(body.patient_id,),
        orders=tuple(orders),
        physician=body.physician,
    )
    answer = service.ask(conn, actor, question, at)
    content = encode(shown_answer(answer, request.app.state.settings.inner_url))
    return Response(content, media_type="application/json")


@router.get("/api/v1/reminders/unlinked", operation_id="list_unlinked")
def list_unlinked(conn: Transaction, actor: Reader, limit: Limit = 100) -> list[dict[str, Any]]:
    """Return the newest notices that a shown prior is not certainly the patient's."""
    return [shown_unlinked(each) for each in store.list_unlinked(conn, _own(actor), limit=limit)]


@router.get("/api/v1/reminders/{number}", operation_id="read_reminder")
def read(request: Request, conn: Transaction, actor: Reader, number: UUID) -> dict[str, Any]:
    """Return a reminder of the own institution with everything that happened to it since."""
    found = store.items_of(conn, number, _own(actor)) or _single(conn, actor, number)
    base_url = request.app.state.settings.inner_url
    return {
        "id": str(found[0].reminder),
        "asked_at": found[0].asked_at.isoformat(),
        "items": [
            shown_kept(kept, service.state_of(conn, kept.item.id), base_url) for kept in found
        ],
    }


def _single(conn: Connection, actor: Actor, item: UUID) -> tuple[Any, ...]:
    found = store.find_item(conn, item, _own(actor))
    if found is None:
        raise UnknownReminder("没有这条提醒，或它不属于您的机构。")
    return (found,)


# --- decisions ----------------------------------------------------------------------------------


@router.post("/api/v1/decisions", status_code=201, operation_id="decide")
def decide(conn: Transaction, actor: Physician, body: DecideIn) -> dict[str, Any]:
    """Record the decision of the physician who is logged in."""
    return shown_decided(
        service.decide(
            conn,
            actor,
            body.item,
            body.outcome,
            examination=body.examination,
            grounds=[ground.as_ground() for ground in body.grounds],
            informing=body.informed.as_informing() if body.informed else None,
        )
    )


@router.get("/api/v1/decisions", operation_id="list_decisions")
def list_decisions(
    conn: Transaction, actor: Reader, mine: bool = False, limit: Limit = 100
) -> list[dict[str, Any]]:
    """Return the newest decisions of the own institution."""
    physician = actor.id if mine else None
    found = store.list_decisions(conn, _own(actor), physician=physician, limit=limit)
    return [shown_decision(decision) for decision in found]


@router.get("/api/v1/decisions/{number}", operation_id="read_decision")
def read_decision(conn: Transaction, actor: Reader, number: UUID) -> dict[str, Any]:
    """Return a decision of the own institution with its citation and notice."""
    decision = service.find_decision(conn, actor, number)
    state = service.state_of(conn, decision.item)
    citation, notice = state.citation_of(number), state.notice_of(number)
    return {
        **shown_decision(decision),
        "citation": shown_citation(citation) if citation else None,
        "notice": shown_notice(notice) if notice else None,
    }


@router.post("/api/v1/decisions/{number}/informed", status_code=201, operation_id="inform")
def inform(
    conn: Transaction, actor: Physician, number: UUID, body: InformedIn | None = None
) -> dict[str, Any]:
    """Record that purpose and necessity of a repeat were explained."""
    informing = (body or InformedIn()).as_informing()
    return shown_notice(service.inform(conn, actor, number, informing))


@router.get("/api/v1/citations", operation_id="list_citations")
def list_citations(conn: Transaction, actor: Reader, limit: Limit = 100) -> list[dict[str, Any]]:
    """Return the newest citations in the records of the own institution."""
    found = store.list_citations(conn, _own(actor), limit=limit)
    return [shown_citation(citation) for citation in found]


@router.get("/api/v1/citations/{number}", operation_id="read_citation")
def read_citation(conn: Transaction, actor: Reader, number: UUID) -> JSONResponse:
    """Return a citation in the records of the own institution."""
    return JSONResponse(shown_citation(service.find_citation(conn, actor, number)))
