"""Accounts of people and keys of systems: made by commands, shown once, always audited."""

from collections.abc import Iterable

from sqlalchemy import Connection

from accord.kit import access, audit, clock, store
from accord.kit.access import Actor
from accord.kit.errors import Invalid
from accord.registry import roles
from accord.registry import service as registry
from accord.registry.model import PostHeld


def put_person(
    conn: Connection,
    actor: Actor,
    login: str,
    display: str,
    password: str,
    *,
    least_length: int,
    posts: Iterable[PostHeld] = (),
) -> None:
    """Make an account, or give a known one a new name and password, and its posts.

    Raises:
        Invalid: The login or the password is not good enough.
    """
    if not login or login != login.strip() or any(char.isspace() for char in login):
        raise Invalid("登录名不能为空，也不能含空格。")
    if len(password) < least_length:
        raise Invalid(f"密码至少 {least_length} 个字符。")
    store.put_person(conn, login, display, access.hash_password(password))
    audit.record(conn, actor, action="access.person.put", subject=f"person:{login}")
    for post in posts:
        registry.assign_post(conn, actor, post)


def put_system(
    conn: Connection,
    actor: Actor,
    code: str,
    display: str,
    *,
    kind: str,
    institution: str | None,
) -> str:
    """Register a system, or give a known one a new key, and return the key; it is kept nowhere.

    Raises:
        Invalid: The kind is unknown, or the institution is not registered.
    """
    permissions = roles.SYSTEMS.get(kind)
    if permissions is None:
        raise Invalid(f"系统类型须为：{'、'.join(roles.SYSTEMS)}。")
    if institution is not None:
        if registry.find_institution(conn, institution, clock.today()) is None:
            raise Invalid(f"机构 {institution} 今天未登记。")
    elif kind != "monitoring":
        raise Invalid("该类系统须属于一家医疗机构。")
    key = access.new_token()
    store.put_system(conn, code, display, key, institution=institution, permissions=permissions)
    audit.record(
        conn,
        actor,
        action="access.system.put",
        subject=f"system:{code}",
        detail={"institution": institution, "permissions": sorted(permissions)},
    )
    return key
