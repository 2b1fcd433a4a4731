"""Login by page and by API, the session of the caller, and the home page after login."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field

from accord.kit.access import OPEN, SESSION_COOKIE, Gate, Session
from accord.kit.errors import AccordError, NotFound, Unauthenticated

router = APIRouter(tags=["session"])
_HERE = Path(__file__).parent
templates = Jinja2Templates(_HERE / "templates")


class Credentials(BaseModel):
    """What a person proves themselves with."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


def _set_cookie(request: Request, response: Response, session: Session) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        expires=session.ends_at,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _own_path(path: str) -> str:
    """Return the path when it stays on this site, else the home page."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if is_own else "/"


@router.post("/api/v1/login", operation_id="log_in", dependencies=[OPEN])
def log_in(request: Request, credentials: Credentials) -> JSONResponse:
    """Open a session; the cookie is HttpOnly, writes need the CSRF value in `x-csrf-token`."""
    session = _gate(request).log_in(credentials.login, credentials.password)
    response = JSONResponse({"csrf": session.csrf, "ends_at": session.ends_at.isoformat()})
    _set_cookie(request, response, session)
    return response


@router.post("/api/v1/logout", operation_id="log_out", dependencies=[OPEN])
def log_out(request: Request) -> JSONResponse:
    """End the session of the cookie."""
    _gate(request).log_out(request.cookies.get(SESSION_COOKIE, ""))
    response = JSONResponse({"status": "logged_out"})
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.get("/api/v1/session", operation_id="read_session", dependencies=[OPEN])
def read_session(request: Request) -> dict[str, Any]:
    """Return who the caller is and, for a person, the CSRF value of the session."""
    actor = _gate(request).authenticate(request)
    return {
        "kind": actor.kind.value,
        "id": actor.id,
        "display": actor.display,
        "institution": actor.institution,
        "authority": actor.authority,
        "roles": sorted(actor.roles),
        "permissions": sorted(actor.permissions),
        "csrf": getattr(request.state, "csrf", None),
    }


@router.get("/login", include_in_schema=False, dependencies=[OPEN])
def login_page(
    request: Request, target: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> HTMLResponse:
    """Show the login form."""
    return templates.TemplateResponse(
        request, "login.html", {"next": _own_path(target), "error": None}
    )


@router.post("/login", include_in_schema=False, dependencies=[OPEN])
def login_form(
    request: Request,
    login: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=200)],
    target: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """Take the login form and go on to the page that was asked for."""
    try:
        session = _gate(request).log_in(login.strip(), password)
    except AccordError as error:
        return templates.TemplateResponse(
            request,
            "login.html",
            {"next": _own_path(target), "error": error.sentence, "login": login},
            status_code=error.status,
        )
    response = RedirectResponse(_own_path(target), status_code=303)
    _set_cookie(request, response, session)
    return response


@router.post("/logout", include_in_schema=False, dependencies=[OPEN])
def logout_form(request: Request) -> Response:
    """End the session and show the login form."""
    _gate(request).log_out(request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.get("/", include_in_schema=False, dependencies=[OPEN])
def home(request: Request) -> Response:
    """Show what the caller's post allows, or the login form."""
    try:
        actor = _gate(request).authenticate(request)
    except Unauthenticated:
        return RedirectResponse("/login?" + urlencode({"next": "/"}), status_code=303)
    return templates.TemplateResponse(request, "home.html", {"actor": actor})


@router.get("/static/{name}", include_in_schema=False, dependencies=[OPEN])
def static(name: str) -> FileResponse:
    """Serve the few files of the login and home page."""
    if name != "app.css":
        raise NotFound("没有这个文件。")
    return FileResponse(_HERE / "static" / name, headers={"cache-control": "max-age=3600"})


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate
