"""Permissions, who holds each, and what it opens."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from accord.app.docs.interfaces import inner_application, inner_routes
from accord.app.docs.markdown import code, page, table
from accord.kit.access import PERMISSIONS
from accord.registry import roles
from accord.registry.model import RoleName

_LEGEND = """\
Every route names the permission that it asks for, or is one of the few open ones; the program
refuses to start with a route that does neither. A person has the permissions of the roles of their
posts (`PUT /api/v1/posts/{login}/{role}`, `accord person`), a system those of its kind
(`accord system add`). A permission says *what* may be done; *whose* data it is about is decided by
the post: a hospital sees its own patients and those of its open visits, an authority its own rows.
The routes of each permission stand under [HTTP interfaces](api.md)."""

_MARK: Final = "●"


def permissions(_root: Path) -> str:
    """Return the page of permissions: by role, and by kind of system."""
    used: dict[str, int] = {}
    for route in inner_routes(inner_application()):
        if route.permission is not None:
            used[route.permission] = used.get(route.permission, 0) + 1
    return page(
        "Permissions",
        _LEGEND,
        table(
            ("permission", "what it allows", "routes"),
            (
                (code(name), PERMISSIONS[name], str(used.get(name, 0)))
                for name in sorted(PERMISSIONS)
            ),
        ),
        "## Roles of people",
        _places(),
        _matrix({role.value: held for role, held in roles.PERMISSIONS.items()}),
        "## Kinds of systems",
        _matrix(roles.SYSTEMS),
    )


def _places() -> str:
    def named(*, at_authority: bool) -> str:
        held = [role for role in RoleName if roles.has_place(role, at_authority=at_authority)]
        return ", ".join(code(role.value) for role in held)

    return (
        f"Posts at an institution: {named(at_authority=False)}. Posts at a commission or a QC "
        f"centre: {named(at_authority=True)}."
    )


def _matrix(holders: Mapping[str, AbstractSet[str]]) -> str:
    """Return one row a permission, one column a holder; what nobody here holds is left out."""
    held = sorted(set().union(*holders.values()))
    return table(
        ("permission", *holders),
        ((code(one), *(_MARK if one in own else "" for own in holders.values())) for one in held),
    )
