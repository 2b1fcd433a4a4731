"""Roles: every permission they name exists, and every permission is given to somebody."""

from accord.app import web  # noqa: F401 - declares the permissions of every package
from accord.kit import access
from accord.registry import roles
from accord.registry.model import RoleName

GIVEN = frozenset().union(*roles.PERMISSIONS.values(), *roles.SYSTEMS.values())


def test_every_role_has_permissions_and_a_place():
    assert set(roles.PERMISSIONS) == set(RoleName)
    for role in RoleName:
        places = [roles.has_place(role, at_authority=at) for at in (True, False)]
        assert any(places), role
        assert roles.PERMISSIONS[role], role


def test_every_permission_that_a_role_names_is_declared():
    assert sorted(GIVEN - access.PERMISSIONS.keys()) == []


def test_every_declared_permission_is_given_to_somebody():
    assert sorted(access.PERMISSIONS.keys() - GIVEN) == []


def test_roles_add_up():
    both = roles.permissions_of(["physician", "patient_admin"])
    assert "reminder.decide" in both
    assert "identity.task.work" in both
    assert roles.permissions_of([]) == frozenset()


def test_only_the_physician_decides():
    deciding = {role for role, names in roles.PERMISSIONS.items() if "reminder.decide" in names}
    assert deciding == {RoleName.PHYSICIAN}
    assert all("reminder.decide" not in names for names in roles.SYSTEMS.values())
