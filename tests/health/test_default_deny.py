"""Every route of the inner face names who may use it (design.md 8, default deny)."""

from starlette.routing import Mount

from accord.app.web import create_app, permission_of, routes_of
from accord.kit.access import PERMISSIONS
from accord.kit.db import Database
from accord.kit.settings import Settings
from accord.reminder.hooks import lane_of
from support.asgi import Asker

# design.md 6: "Open without login on the inner side"; what is under a prefix is static.
OPEN = {
    "/healthz",
    "/readyz",
    "/cds-services",
    "/fhir/metadata",
    "/api/openapi.json",
    "/login",
    "/logout",
    "/",
    "/static/{name}",
    "/api/v1/login",
    "/api/v1/logout",
    "/api/v1/session",
}
OPEN_PREFIXES = ("/viewer", "/reminder/static")


def is_meant_to_be_open(path: str) -> bool:
    return path in OPEN or path.startswith(OPEN_PREFIXES)


def test_every_route_is_behind_a_permission_or_meant_to_be_open(database: Database) -> None:
    app = create_app(Settings(), database)
    wrong = []
    for route in routes_of(app):
        path = getattr(route, "path", "")
        if path == app.openapi_url:
            continue
        permission = permission_of(route)
        if permission is None and not is_meant_to_be_open(path):
            wrong.append(f"{path} is open")
        if permission is not None and permission not in PERMISSIONS:
            wrong.append(f"{path} asks for the unknown permission {permission}")
    assert wrong == []


def test_every_closed_route_refuses_a_stranger(database: Database) -> None:
    app = create_app(Settings(), database)
    client = Asker(app)
    answers = {}
    for route in routes_of(app):
        path = getattr(route, "path", "")
        if path == app.openapi_url or permission_of(route) is None or isinstance(route, Mount):
            continue
        for method in getattr(route, "methods", None) or {"GET"}:
            concrete = path.replace("{", "").replace("}", "").replace(":path", "")
            answer = client.request(method, concrete, headers={"content-type": "application/json"})
            to_login = answer.status_code == 303 and answer.headers["location"].startswith("/login")
            if answer.status_code != 401 and not to_login:
                answers[f"{method} {path}"] = answer.status_code
    lane_of(app.state).close()  # no server runs, so nobody else closes it
    assert answers == {}
