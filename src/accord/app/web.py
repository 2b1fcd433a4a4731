"""The inner HTTP face: assembly of every router, default deny checked at start.

Open without login: `/healthz`, `/readyz`, `GET /cds-services`, `/fhir/metadata`,
`/api/openapi.json`, static files and the login itself (design.md 6).
"""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute, iter_route_contexts
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accord import __version__
from accord.app import login, precheck_api, problems, viewer, wiring
from accord.archive import api as archive_api
from accord.identity import api as identity_api
from accord.kit import logs
from accord.kit.access import OPEN, Gate, declare, requires
from accord.kit.db import Database
from accord.kit.http import BodyGuard, install_error_handlers
from accord.kit.settings import Settings
from accord.record import api as record_api
from accord.record.names import api as names_api
from accord.registry import api as registry_api
from accord.registry import service as registry
from accord.reminder import api as reminder_api
from accord.reminder import pages as reminder_pages
from accord.reminder.clients import TokenDoor

METRICS = declare("operate.metrics", "read the metrics of the processes")
STREAMING: Final = ("/dicom-web/", "/api/v1/names/dictionary", precheck_api.ADDRESS)


def create_app(settings: Settings, database: Database) -> FastAPI:
    """Return the inner application.

    Raises:
        RuntimeError: A route names neither a permission nor that it is open.
    """
    logs.configure(settings.log_level)
    wiring.connect_events()
    app = FastAPI(
        title="Accord",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.gate = Gate(
        database, settings, registry.post_of, extra=[TokenDoor(database, settings)]
    )
    app.state.may_see_study = wiring.may_see_study
    app.state.study_mark = wiring.study_mark
    install_error_handlers(app, problems.page)
    for router in (
        reminder_api.router,  # first: the order-time question should not be held to every address
        login.router,
        registry_api.router,
        identity_api.router,
        record_api.router,
        names_api.router,
        archive_api.router,
        precheck_api.router,
        reminder_pages.router,
        viewer.router,
    ):
        app.include_router(router)
    _add_health(app)
    refuse_undeclared(app)
    app.add_middleware(
        BodyGuard,
        largest=settings.max_json_size,
        deepest=settings.max_nesting,
        streaming=STREAMING,
    )
    app.add_middleware(Headers)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/healthz", operation_id="healthz", dependencies=[OPEN])
    def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok", "version": __version__}

    @app.get("/readyz", operation_id="readyz", dependencies=[OPEN])
    def readyz(request: Request) -> JSONResponse:
        """Say whether requests can be answered now."""
        ready = request.app.state.database.is_reachable()
        return JSONResponse(
            {"status": "ready" if ready else "no database"}, status_code=200 if ready else 503
        )

    @app.get("/metrics", operation_id="metrics", dependencies=[requires(METRICS)])
    def metrics() -> Response:
        """Return the metrics of this process."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _permissions(dependant: Dependant) -> Iterator[str | None]:
    for inner in dependant.dependencies:
        if inner.call is not None and "permission" in vars(inner.call):
            yield vars(inner.call)["permission"]
        yield from _permissions(inner)


def permission_of(route: BaseRoute) -> str | None:
    """Return the permission a route asks for; None when it is marked open.

    Raises:
        RuntimeError: It declares neither.
    """
    if isinstance(route, APIRoute):
        declared = list(_permissions(route.dependant))
        if declared:
            return declared[0]
    app = getattr(route, "app", None) if isinstance(route, Mount) else route
    endpoint = getattr(route, "endpoint", None)
    for carrier in (endpoint, app):
        if carrier is not None and hasattr(carrier, "permission"):
            permission: str | None = carrier.permission
            return permission
    raise RuntimeError(f"route {getattr(route, 'path', route)} declares no permission")


def refuse_undeclared(app: FastAPI) -> None:
    """Refuse to start with a route that is neither open nor behind a permission."""
    for route in routes_of(app):
        if getattr(route, "path", None) != app.openapi_url:
            permission_of(route)


def routes_of(app: FastAPI) -> list[BaseRoute]:
    """Return every route, also those that FastAPI keeps inside the routers it included."""
    return [found.original_route for found in iter_route_contexts(app.routes)]


class Headers:
    """Add the headers that keep a browser from doing more than a page needs."""

    FIXED: Final[dict[bytes, bytes]] = {
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"same-origin",
        b"x-frame-options": b"SAMEORIGIN",
        b"cache-control": b"no-store",
        b"content-security-policy": (
            b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
            b"frame-ancestors 'self'; form-action 'self'"
        ),
    }

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; a header that the handler has set stays."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = message.setdefault("headers", [])
                present = {name.lower() for name, _ in headers}
                headers += [item for item in self.FIXED.items() if item[0] not in present]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
