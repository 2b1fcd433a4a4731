"""The reminder page and the order page: server-rendered, usable without JavaScript.

Nothing has focus, nothing decides by itself, and closing the page lets the order proceed.
"""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from fastapi.templating import Jinja2Templates
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from accord.archive import service as archive
from accord.kit.access import OPEN, Actor, ActorKind
from accord.kit.errors import AccordError, Forbidden, Invalid, NotFound, Unauthenticated
from accord.kit.http import Transaction
from accord.record import service as record
from accord.reminder import orders, service, store, view
from accord.reminder.access import DECIDE
from accord.reminder.errors import UnknownReminder
from accord.reminder.grounds import Need, grounds_of
from accord.reminder.model import GivenGround, KeptReminder, Looked, Outcome, Prior
from accord.reminder.service import SELF, Informing

HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
STATIC: Final = {
    "reminder.css": "text/css; charset=utf-8",
    "reminder.js": "text/javascript; charset=utf-8",
}
THUMBNAIL: Final = "viewport=480,480"

templates = Jinja2Templates(HERE / "templates")
templates.env.trim_blocks = templates.env.lstrip_blocks = True


class PageRoute(APIRoute):
    """A route whose refusals are pages for people, not JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, with its expected errors shown as a page."""
        handler = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handler(request)
            except AccordError as error:
                return _refused(request, error.sentence, error.status)
            except RequestValidationError:
                return _refused(request, "地址或表单不完整，请返回后重试。", Invalid.status)

        return shown


def _refused(request: Request, sentence: str, status: int) -> HTMLResponse:
    return templates.TemplateResponse(
        request,
        "problem.html",
        {"sentence": sentence},
        status_code=status,
        headers={"content-security-policy": POLICY},
    )


router = APIRouter(
    prefix="/reminder", tags=["reminder pages"], include_in_schema=False, route_class=PageRoute
)


# --- who may see it -----------------------------------------------------------------------------


def _physician(request: Request, csrf: str | None = None) -> Actor:
    try:
        actor: Actor = request.app.state.gate.authenticate(request, csrf=csrf)
    except Unauthenticated:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = back if request.method == "GET" else "/reminder/order"
        address = "/login?" + urlencode({"next": target})
        raise HTTPException(303, "请先登录。", headers={"location": address}) from None
    if actor.kind is not ActorKind.PERSON or not actor.may(DECIDE) or actor.institution is None:
        raise Forbidden("只有本机构接诊医师可以打开互认提醒。", permission=DECIDE)
    return actor


def _reading(request: Request) -> Actor:
    """Return the physician who opens a page, or send them to the login."""
    return _physician(request)


def _writing(request: Request, csrf_token: Annotated[str, Form(max_length=200)] = "") -> Actor:
    """Return the physician who sends a form of ours, which carries the session's CSRF value."""
    return _physician(request, csrf_token)


for _door in (_reading, _writing):
    _door.__dict__["permission"] = DECIDE

Viewing = Annotated[Actor, Depends(_reading)]
Acting = Annotated[Actor, Depends(_writing)]
Prior_ = Annotated[int | None, Query(alias="examination", ge=1)]


def _render(
    request: Request,
    conn: Connection,
    actor: Actor,
    name: str,
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    place = service.institution_name(conn, actor.institution) or actor.institution
    csrf = getattr(request.state, "csrf", "")
    return templates.TemplateResponse(
        request,
        name,
        {"csrf": csrf, "actor": actor, "place": place, **context},
        status_code=status,
        headers={"content-security-policy": POLICY},
    )


# --- static and closed --------------------------------------------------------------------------


@router.get("/static/{name}", dependencies=[OPEN])
def static(name: str) -> FileResponse:
    """Serve the style and the script of these pages."""
    if name not in STATIC:
        raise NotFound("没有这个文件。")
    return FileResponse(
        HERE / "static" / name,
        media_type=STATIC[name],
        headers={"cache-control": "no-cache"},
    )


@router.get("/closed")
def closed(request: Request, conn: Transaction, actor: Viewing) -> HTMLResponse:
    """Say that the order proceeds."""
    return _render(request, conn, actor, "closed.html")


# --- orders -------------------------------------------------------------------------------------


@router.get("/order")
def order_page(request: Request, conn: Transaction, actor: Viewing) -> HTMLResponse:
    """List the orders of the physician's institution that are ready to be signed."""
    told = request.query_params.get("told", "")[:20]
    return _render(
        request,
        conn,
        actor,
        "order.html",
        visits=orders.ready(conn, actor.institution or ""),
        told=orders.TOLD.get(told),
        unlinked=store.unread_unlinked(conn, actor.institution or "", actor.id),
    )


@router.post("/order")
def sign(
    conn: Transaction,
    actor: Acting,
    visit: Annotated[str, Form(max_length=64)],
    order: Annotated[list[str], Form(max_length=50)],
) -> Response:
    """Sign orders: ask, then show the reminder, or say that there is none."""
    answer = orders.sign(conn, actor, visit, order)
    first = next((item for item in answer.items if item.card), None) or next(
        (item for item in answer.items if item.priors), None
    )
    if first is None:
        told = answer.unasked.value if answer.unasked else answer.status.value
        return RedirectResponse(f"/reminder/order?told={told}", status_code=303)
    return RedirectResponse(f"/reminder/{first.id}", status_code=303)


# --- the reminder -------------------------------------------------------------------------------


def _find(conn: Connection, actor: Actor, number: UUID) -> KeptReminder:
    """Return the item of that id, or the first telling item of the reminder of that id."""
    kept = store.find_item(conn, number, actor.institution or "")
    if kept is not None:
        return kept
    several = store.items_of(conn, number, actor.institution or "")
    for each in several:
        if each.item.priors:
            return each
    raise UnknownReminder("没有这条提醒，或它不属于您的机构。")


def _shown(kept: KeptReminder, examination: int | None) -> Prior:
    prior = kept.item.card if examination is None else kept.item.prior(examination)
    if prior is None:
        raise UnknownReminder("该检查不在本次提醒之内。")
    return prior


@router.get("/{number}")
def reminder_page(
    request: Request, conn: Transaction, actor: Viewing, number: UUID, examination: Prior_ = None
) -> Response:
    """Show the reminder of an order item."""
    kept = _find(conn, actor, number)
    if kept.item.id != number:
        return RedirectResponse(f"/reminder/{kept.item.id}", status_code=303)
    page = view.page(conn, kept, examination)
    if page.focus is not None:
        service.look(conn, actor, kept, page.focus.examination, Looked.PAGE)
    return _render(request, conn, actor, "reminder.html", page=page, error=None)


@router.get("/{number}/images")
def open_images(
    conn: Transaction, actor: Viewing, number: UUID, examination: Prior_ = None
) -> RedirectResponse:
    """Record that the images were opened and open them."""
    kept = _find(conn, actor, number)
    prior = _shown(kept, examination)
    if prior.study_uid is None:
        raise UnknownReminder("该检查的影像尚未到达。")
    service.look(conn, actor, kept, prior.examination, Looked.IMAGES)
    return RedirectResponse(f"/viewer/open?StudyInstanceUIDs={prior.study_uid}", status_code=303)


@router.get("/{number}/report")
def open_report(
    request: Request, conn: Transaction, actor: Viewing, number: UUID, examination: Prior_ = None
) -> HTMLResponse:
    """Record that the report was opened and show all of it."""
    kept = _find(conn, actor, number)
    prior = _shown(kept, examination)
    service.look(conn, actor, kept, prior.examination, Looked.REPORT)
    page = view.page(conn, kept, prior.examination)
    return _render(request, conn, actor, "report.html", page=page)


@router.get("/{number}/thumbnail")
def thumbnail(
    conn: Transaction, actor: Viewing, number: UUID, examination: Prior_ = None
) -> RedirectResponse:
    """Point to the picture that stands for a study: the middle of its largest series."""
    prior = _shown(_find(conn, actor, number), examination)
    found = record.find_examination(conn, prior.examination)
    if found is None or found.study_uid is None or not found.study:
        raise NotFound("没有可显示的影像。")
    series = max(
        found.study.get("series") or [{}], key=lambda each: int(each.get("instances") or 0)
    )
    images = [
        each
        for each in archive.instances(conn, found.study_uid, series.get("series_uid"))
        if each.pixels is not None
    ]
    if not images:
        raise NotFound("没有可显示的影像。")
    middle = images[len(images) // 2]
    return RedirectResponse(
        f"/dicom-web/studies/{middle.study_uid}/series/{middle.series_uid}"
        f"/instances/{middle.sop_uid}/rendered?{THUMBNAIL}",
        status_code=303,
        headers={"cache-control": "private, max-age=600"},
    )


# --- acts ---------------------------------------------------------------------------------------


def _acted(
    request: Request, conn: Connection, actor: Actor, number: UUID, error: AccordError
) -> HTMLResponse:
    """Show the page again with the sentence that says what is missing; nothing was kept."""
    kept = _find(conn, actor, number)
    page = view.page(conn, kept)
    return _render(
        request,
        conn,
        actor,
        "reminder.html",
        status=error.status,
        page=page,
        error=error.sentence,
    )


def _back(number: UUID) -> RedirectResponse:
    return RedirectResponse(f"/reminder/{number}", status_code=303)


@router.post("/{number}/accept")
def accept(
    request: Request,
    conn: Transaction,
    actor: Acting,
    number: UUID,
    examination: Annotated[int, Form(ge=1)],
) -> Response:
    """Accept the prior's result: an act of its own, for this order item alone."""
    return _decide(request, conn, actor, number, Outcome.ACCEPTED, examination=examination)


@router.post("/{number}/defer")
def defer(
    request: Request,
    conn: Transaction,
    actor: Acting,
    number: UUID,
    examination: Annotated[int, Form(ge=1)],
) -> Response:
    """Leave it open."""
    return _decide(request, conn, actor, number, Outcome.DEFERRED, examination=examination)


@router.post("/{number}/refuse")
def refuse(
    request: Request,
    conn: Transaction,
    actor: Acting,
    number: UUID,
    examination: Annotated[int, Form(ge=1)],
    choice: Annotated[str, Form(max_length=80)],
    also: Annotated[list[str] | None, Form(max_length=11)] = None,
    text: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Refuse with a ground (its pick in the same press), or without one where no duty is."""
    if choice == Outcome.NOT_USED.value:
        return _decide(request, conn, actor, number, Outcome.NOT_USED, examination=examination)
    grounds = read_choices([choice, *(also or [])], text)
    return _decide(
        request,
        conn,
        actor,
        number,
        Outcome.REJECTED,
        examination=examination,
        grounds=grounds,
    )


@router.post("/{number}/withdraw")
def withdraw(
    request: Request,
    conn: Transaction,
    actor: Acting,
    number: UUID,
    choice: Annotated[str, Form(max_length=80)] = "",
    text: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Take the decision back: freely for some minutes, later with a ground."""
    grounds = read_choices([choice], text) if choice else ()
    return _decide(request, conn, actor, number, Outcome.WITHDRAWN, grounds=grounds)


@router.post("/{number}/informed")
def informed(
    request: Request,
    conn: Transaction,
    actor: Acting,
    number: UUID,
    decision: Annotated[UUID, Form()],
    purpose: Annotated[str, Form(max_length=400)] = "",
    relation: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Record the tick 「已告知」."""
    whom = "家属" if relation.strip() else SELF
    informing = Informing(purpose=purpose, informed=whom, relation=relation.strip() or None)
    try:
        with conn.begin_nested():
            service.inform(conn, actor, decision, informing)
    except AccordError as error:
        return _acted(request, conn, actor, number, error)
    return _back(number)


def _decide(
    request: Request,
    conn: Connection,
    actor: Actor,
    number: UUID,
    outcome: Outcome,
    *,
    examination: int | None = None,
    grounds: tuple[GivenGround, ...] = (),
) -> Response:
    try:
        with conn.begin_nested():
            service.decide(conn, actor, number, outcome, examination=examination, grounds=grounds)
    except UnknownReminder:
        raise
    except AccordError as error:
        return _acted(request, conn, actor, number, error)
    return _back(number)


def read_choices(choices: list[str], text: str) -> tuple[GivenGround, ...]:
    """Return the grounds behind `NR01:加重` choices; the typed text goes to the one that asks."""
    known = grounds_of(service.rule_set())
    given = []
    for choice in dict.fromkeys(choices):
        code, _, pick = choice.partition(":")
        asks_text = code in known and Need.TEXT in known[code].needs
        given.append(
            GivenGround(
                code=code, pick=pick or None, text=text.strip() or None if asks_text else None
            )
        )
    return tuple(given)
