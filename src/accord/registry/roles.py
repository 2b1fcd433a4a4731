"""Roles of posts and what each may do.

Permissions are plain names here: those of higher packages are declared there and must not be
imported. A test of the assembly checks that every name is declared somewhere.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from accord.registry.model import RoleName

PERMISSIONS: Final[Mapping[RoleName, frozenset[str]]] = {
    RoleName.PHYSICIAN: frozenset(
        {
            "registry.read",
            "record.read",
            "images.read",
            "reminder.ask",
            "reminder.read",
            "reminder.decide",
        }
    ),
    RoleName.RADIOLOGIST: frozenset({"registry.read", "record.read", "images.read"}),
    RoleName.DEPARTMENT: frozenset(
        {
            "registry.read",
            "registry.staff.read",
            "record.read",
            "images.read",
            "reminder.read",
            "names.propose",
            "names.approve",
            "quality.check",
        }
    ),
    RoleName.PATIENT_ADMIN: frozenset({"identity.task.work"}),
    RoleName.QC_CENTRE: frozenset(
        {
            "registry.read",
            "registry.staff.read",
            "registry.qualification.grant",
            "names.confirm",
        }
    ),
    RoleName.HEALTH_AUTHORITY: frozenset(
        {
            "registry.read",
            "registry.staff.read",
            "registry.write",
            "registry.list.publish",
            "registry.qualification.transitional",
        }
    ),
    RoleName.ADMINISTRATOR: frozenset({"registry.read", "registry.post.write", "operate.metrics"}),
    RoleName.AUDITOR: frozenset({"registry.read", "registry.staff.read"}),
}

SYSTEMS: Final[Mapping[str, frozenset[str]]] = {
    "his": frozenset(
        {"identity.register", "record.read", "record.write", "reminder.ask", "reminder.read"}
    ),
    "ris": frozenset(
        {"identity.register", "record.read", "record.write", "images.read", "quality.check"}
    ),
    "pacs": frozenset({"images.read", "images.write", "quality.check"}),
    "engine": frozenset(
        {
            "identity.register",
            "record.read",
            "record.write",
            "images.read",
            "images.write",
            "reminder.ask",
            "reminder.read",
            "quality.check",
        }
    ),
    "monitoring": frozenset({"operate.metrics"}),
}
"""What the usual systems of a hospital may do; `engine` is an integration engine for all."""

_AT_INSTITUTION: Final = frozenset(
    {RoleName.PHYSICIAN, RoleName.RADIOLOGIST, RoleName.DEPARTMENT, RoleName.PATIENT_ADMIN}
)
_AT_AUTHORITY: Final = frozenset(
    {
        RoleName.QC_CENTRE,
        RoleName.HEALTH_AUTHORITY,
        RoleName.ADMINISTRATOR,
        RoleName.AUDITOR,
        RoleName.PATIENT_ADMIN,  # the regional one, who sees both sides of a task
    }
)


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Return what all these roles together may do."""
    return frozenset().union(*(PERMISSIONS[RoleName(role)] for role in roles))


def has_place(role: RoleName, *, at_authority: bool) -> bool:
    """Say whether a post of that role may be at an authority, or at an institution."""
    return role in (_AT_AUTHORITY if at_authority else _AT_INSTITUTION)
