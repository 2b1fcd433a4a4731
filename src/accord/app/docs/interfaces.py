"""Every route of the inner and the outer face, from the applications themselves.

Neither application is run and no database is reached: the routes are read from their assembly.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from starlette.routing import BaseRoute

from accord.app.docs.markdown import code, page, table

_LEGEND = """\
The inner face answers on `ACCORD_HOST`:`ACCORD_HTTP_PORT`. The same, for machines, is
`/api/openapi.json`. What each permission allows and who has it stands under
[Permissions](permissions.md); *open* routes need no login. Callers are told apart as follows:

| caller | proves itself by |
| --- | --- |
| system of a hospital | `Authorization: Bearer KEY`, the key that `accord system add` printed |
| CDS client | `Authorization: Bearer TOKEN`, a signed token, see [Ask at order time](../how-to/remind.md) |
| person | `POST /api/v1/login`, then the cookie; every write carries the CSRF value of the session in `X-CSRF-Token` |

A refusal has its status and the body `{"error": {"code", "message"}}`; the message is Chinese, for
the person who sees it. `Idempotency-Key` makes a repeated write harmless: the same key with the
same content gets the first answer again, with other content 409. Moments need a time zone. Fields
that are not known are refused."""  # noqa: E501

_STATUSES: Final = (
    ("400", "`invalid`", "the content is not what the route takes; the message names the field"),
    ("401", "`unauthenticated`", "no key, a wrong one, or the session has ended"),
    ("403", "`forbidden`", "the caller is known and may not do this, or it lacks the CSRF value"),
    ("404", "`not_found`", "there is nothing of that id that the caller may see"),
    ("406", "`not_acceptable`", "an image cannot be given in the form that was asked for"),
    ("409", "`conflict` and finer codes", "the present state does not allow it"),
    ("412", "`precondition_failed`", "something must be sent first: see the message"),
    ("413", "`too_large`", "larger or deeper than this site reads"),
    ("415", "`unsupported`", "a format that is not taken here"),
    ("422", "`pixels_broken`", "the pixel data does not fit what its header declares"),
    ("429", "`too_many`", "too many attempts; wait"),
    ("500", "`internal`", "our fault; it is logged"),
    ("503", "`cannot_run`", "no database; send again later"),
    ("507", "`storage_full`", "no room; send again later"),
)

TITLES: Final[Mapping[str, str]] = {
    "session": "Session and start page",
    "registry": "Registry",
    "patients": "Patients",
    "record": "Visits, orders, reports, studies",
    "names": "Local names",
    "dicom-web": "DICOMweb",
    "quality": "Data quality",
    "reminder": "Order time: CDS Hooks, reminders, decisions, citations",
    "reminder pages": "Pages of the reminder",
    "viewer": "Viewer",
    "": "Running",
}
"""What the tags of the routes are called, in the order of the page."""


class Route(NamedTuple):
    """One method of one path."""

    section: str
    method: str
    path: str
    permission: str | None
    promise: str


def interfaces(_root: Path) -> str:
    """Return the page of routes."""
    inner = inner_application()
    parts = [_LEGEND, "## Refusals", table(("status", "code", "means"), _STATUSES)]
    found = sorted(inner_routes(inner), key=lambda route: _place(route.section))
    for section, routes in groupby(found, key=lambda route: route.section):
        parts += [f"## {TITLES.get(section, section.capitalize())}", _routes(routes)]
    parts += ["## Outer face", _OUTER, _outer_table()]
    parts += ["## Bodies", *_bodies(inner.openapi())]
    return page("HTTP interfaces", *parts)


def inner_application() -> FastAPI:
    """Return the inner application, assembled but on no database."""
    from accord.app.web import create_app  # noqa: PLC0415 - loads most of the product
    from accord.kit.db import Database  # noqa: PLC0415
    from accord.kit.settings import Settings  # noqa: PLC0415

    return create_app(Settings(), Database("postgresql+psycopg://nowhere/none"))


def inner_routes(app: FastAPI) -> Iterator[Route]:
    """Return every route of the inner face, in the order of its assembly."""
    from accord.app.web import permission_of, routes_of  # noqa: PLC0415

    for route in routes_of(app):
        path = str(getattr(route, "path", ""))
        permission = None if path == app.openapi_url else permission_of(route)
        section = "reminder" if path.startswith("/cds-services") else _tag(route)
        for method in _methods(route):
            yield Route(section, method, path, permission, _promise(route, path, app))


def _place(section: str) -> int:
    known = list(TITLES)
    return known.index(section) if section in known else len(known)


def _tag(route: BaseRoute) -> str:
    tags = getattr(route, "tags", None) or [""]
    return str(tags[0])


def _methods(route: BaseRoute) -> list[str]:
    return sorted(set(getattr(route, "methods", None) or {"GET"}) - {"HEAD"})


def _promise(route: BaseRoute, path: str, app: FastAPI) -> str:
    if path == app.openapi_url:
        return "Return this interface in OpenAPI, for machines."
    told = getattr(route, "description", None) or inspect.getdoc(getattr(route, "endpoint", None))
    return (told or "").partition("\n\n")[0]


def _routes(routes: Iterable[Route]) -> str:
    return table(
        ("method", "path", "permission", "what it does"),
        (
            (
                one.method,
                code(one.path),
                "*open*" if one.permission is None else code(one.permission),
                one.promise,
            )
            for one in routes
        ),
    )


# -- outer face ---------------------------------------------------------------------------------

_OUTER = """\
`accord disclose` serves these from a signed folder, on `ACCORD_OUTER_HOST`:`ACCORD_OUTER_PORT`, to
everyone and without a database ([Publish the lists](../how-to/publish.md))."""


def outer_routes() -> list[tuple[str, str]]:
    """Return path and promise of every route of the outer face."""
    from accord.app.web import routes_of  # noqa: PLC0415
    from accord.disclosure.outer import create_app  # noqa: PLC0415

    app = create_app(Path("publication"))
    return [(str(getattr(route, "path", "")), _promise(route, "", app)) for route in routes_of(app)]


def _outer_table() -> str:
    return table(
        ("path", "what it does"), ((code(path), promise) for path, promise in outer_routes())
    )


# -- bodies -------------------------------------------------------------------------------------

_BODIES = """\
Fields of what is sent as JSON. **Bold** fields must be given. `null` means unknown where a field
allows it; what is left out has its default, or counts as not given."""


def _bodies(openapi: Mapping[str, Any]) -> Iterator[str]:
    schemas: Mapping[str, Any] = openapi["components"]["schemas"]
    yield _BODIES
    for name in _sent(openapi, schemas):
        schema = schemas[name]
        if "properties" in schema:
            told = str(schema.get("description", "")).partition("\n\n")[0]
            yield f"### {_title(name)}\n\n{told}".rstrip()
            yield table(("field", "value", "default"), _fields(schema, schemas))


def _title(name: str) -> str:
    return name.removesuffix("Body") or name


def _sent(openapi: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[str]:
    """Return the names of the schemas of request bodies and of all within them, sorted."""
    waiting: list[Any] = [
        operation.get("requestBody", {})
        for operations in openapi["paths"].values()
        for operation in operations.values()
    ]
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return sorted(found)


def _fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", [])
    for name, value in schema["properties"].items():
        shown = f"**{code(name)}**" if name in required else code(name)
        yield shown, _kind(value, schemas), _default(value, is_required=name in required)


def _default(value: Mapping[str, Any], *, is_required: bool) -> str:
    default = value.get("default")
    if is_required:
        return ""
    if isinstance(default, bool):
        return code(str(default).lower())
    return "not given" if default in (None, "", []) else code(str(default))


_FORMATS: Final = {"date-time": "moment", "date": "day"}
_WORDS: Final = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "`true`, `false`",
    "object": "mapping",
}


def _kind(value: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return what a field holds, in words."""
    if "anyOf" in value:
        kinds = [_kind(one, schemas) for one in value["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in value:
        name = str(value["$ref"]).rpartition("/")[2]
        target = schemas[name]
        return _choices(target["enum"]) if "enum" in target else _title(name)
    if "enum" in value or "const" in value:
        return _choices(value.get("enum") or [value["const"]])
    if "prefixItems" in value:
        return " and ".join(_kind(one, schemas) for one in value["prefixItems"])
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}), schemas)}"
    kind = str(value.get("type", "anything"))
    word = _FORMATS.get(str(value.get("format")), _WORDS.get(kind, kind))
    longest = value.get("maxLength")
    return f"{word}, at most {longest} characters" if longest and word == "text" else word


def _choices(values: Iterable[object]) -> str:
    return ", ".join(code(str(one)) for one in values)
