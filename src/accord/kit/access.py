"""Who acts, and what they may do: actors, permission names, passwords, sessions, system keys.

Default deny: a route names its permission with `requires` or is one of the few marked `OPEN`;
the web assembly refuses to start with a route that has neither. Roles and posts belong to
`registry`; they reach this module through `Gate.post_of`.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import argon2.low_level
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, Request
from sqlalchemy import Connection

from accord.kit import clock
from accord.kit.db import Database
from accord.kit.errors import Forbidden, TooMany, Unauthenticated
from accord.kit.settings import Settings

SESSION_COOKIE: Final = "accord_session"
CSRF_HEADER: Final = "x-csrf-token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

PERMISSIONS: dict[str, str] = {}


def declare(name: str, promise: str) -> str:
    """Register a permission name with what it allows; twice with other words is an error."""
    if PERMISSIONS.setdefault(name, promise) != promise:
        raise ValueError(f"permission {name} is declared twice")
    return name


class ActorKind(StrEnum):
    """What kind of actor it is."""

    PERSON = "person"
    SYSTEM = "system"
    PROCESS = "process"


@dataclass(frozen=True)
class Actor:
    """Somebody or something that acts.

    Attributes:
        kind: Person, system of a hospital, or a process of ours.
        id: Login, system code or process name.
        display: How screens and records call them.
        institution: Code of the institution of their post; None for an authority or a process.
        authority: Code of the authority (commission, QC centre) of their post, if it is one.
        permissions: Names of what they may do.
        roles: Roles of their post.
    """

    kind: ActorKind
    id: str
    display: str
    institution: str | None = None
    authority: str | None = None
    permissions: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @classmethod
    def process(cls, name: str) -> "Actor":
        """Return the actor that stands for one of our own processes."""
        return cls(ActorKind.PROCESS, name, name)

    def may(self, permission: str) -> bool:
        """Say whether the permission was given; processes of ours need none."""
        return self.kind is ActorKind.PROCESS or permission in self.permissions


@dataclass(frozen=True)
class Post:
    """What a person's posts amount to, as the registry tells it."""

    institution: str | None = None
    authority: str | None = None
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Session:
    """A fresh login: the token goes into the cookie, the CSRF value into the page."""

    token: str
    csrf: str
    ends_at: datetime


_hasher = PasswordHasher()


def _base64(length: int) -> str:
    """Return so many random bytes in the base64 of argon2, which has no padding."""
    return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")


# Verified when the login is unknown, so that the answer takes as long as for a known one. Put
# together and not computed: hashing would make every start of every process wait.
_DECOY = (
    f"$argon2id$v={argon2.low_level.ARGON2_VERSION}"
    f"$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    f"${_base64(_hasher.salt_len)}${_base64(_hasher.hash_len)}"
)


def hash_password(password: str) -> str:
    """Return the argon2id hash to keep."""
    return _hasher.hash(password)


def hash_token(token: str) -> bytes:
    """Return the 32 bytes kept in place of a random token or key."""
    return hashlib.sha256(token.encode()).digest()


def new_token() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


@dataclass
class Gate:
    """Finds the actor of a request; the only place that reads cookies and bearer keys.

    Attributes:
        database: Where accounts, sessions and systems stand.
        settings: Limits of sessions and logins.
        post_of: Tells a person's posts (wired to the registry).
        extra: More ways to authenticate a bearer token (JWT of CDS clients); each returns
            an actor or None.
    """

    database: Database
    settings: Settings
    post_of: Callable[[Connection, str], Post]
    extra: list[Callable[[Request, str], Actor | None]] = field(default_factory=list)

    def log_in(self, login: str, password: str) -> Session:
        """Open a session.

        Raises:
            Unauthenticated: Login or password is wrong (never says which).
            TooMany: The account is locked after too many wrong passwords.
        """
        from accord.kit import audit, store  # noqa: PLC0415 - audit and store know Actor

        now = clock.now()
        session: Session | None = None
        locked_until: datetime | None = None
        with self.database.begin() as conn:
            account = store.lock_person(conn, login)
            if account is not None and account.locked_until and account.locked_until > now:
                locked_until = account.locked_until
            elif self._is_right(account.password_hash if account else _DECOY, password) and (
                account is not None and account.active
            ):
                session = Session(new_token(), new_token(), now + self.settings.session_length)
                store.open_session(conn, login, session, now)
                actor = Actor(ActorKind.PERSON, login, account.display)
                audit.record(conn, actor, action="access.logged_in", subject=f"person:{login}")
            else:
                if account is not None:
                    store.count_failure(
                        conn,
                        login,
                        limit=self.settings.login_attempts,
                        locked_until=now + self.settings.login_lock,
                    )
                subject = f"person:{login}" if account else "person:unknown"
                audit.record(
                    conn, Actor.process("login"), action="access.login_failed", subject=subject
                )
        if locked_until is not None:
            raise TooMany("登录失败次数过多，账号已临时锁定，请稍后再试或联系管理员。")
        if session is None:
            raise Unauthenticated("用户名或密码不正确。")
        return session

    def log_out(self, token: str) -> None:
        """End the session of that token, if there is one."""
        from accord.kit import store  # noqa: PLC0415

        with self.database.begin() as conn:
            store.end_session(conn, token)

    def authenticate(self, request: Request, *, csrf: str | None = None) -> Actor:
        """Return the actor of a request.

        Args:
            request: The request.
            csrf: The CSRF value that came in a form field; the header's by default.

        Raises:
            Unauthenticated: No valid session and no valid key.
            Forbidden: A write by cookie without the CSRF value of its session.
        """
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and credential:
            return self._bearer(request, credential.strip())
        token = request.cookies.get(SESSION_COOKIE)
        if token:
            return self._cookie(request, token, csrf)
        raise Unauthenticated("请先登录。")

    def authenticate_system(self, request: Request, conn: Connection) -> Actor:
        """Return the system that calls, on the caller's own transaction.

        For the order-time question, which has no time for a second transaction.

        Raises:
            Unauthenticated: No valid key.
        """
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("请以系统密钥或签名令牌调用。")
        return self._bearer(request, credential.strip(), conn)

    def _bearer(self, request: Request, credential: str, conn: Connection | None = None) -> Actor:
        from accord.kit import store  # noqa: PLC0415

        for way in self.extra:
            actor = way(request, credential)
            if actor is not None:
                return actor
        with self.database.begin() if conn is None else nullcontext(conn) as reading:
            actor = store.find_system(reading, credential)
        if actor is None:
            raise Unauthenticated("密钥无效或已停用。")
        return actor

    def _cookie(self, request: Request, token: str, csrf: str | None) -> Actor:
        from accord.kit import store  # noqa: PLC0415

        now = clock.now()
        with self.database.begin() as conn:
            row = store.touch_session(conn, token, now, idle=self.settings.session_idle)
            if row is None:
                raise Unauthenticated("登录已过期，请重新登录。")
            post = self.post_of(conn, row.login)
        request.state.csrf = row.csrf
        sent = request.headers.get(CSRF_HEADER) or csrf or ""
        if request.method not in SAFE_METHODS and not self._csrf_fits(sent, row.csrf):
            raise Forbidden("请求缺少有效的 CSRF 校验值，请刷新页面后重试。")
        return Actor(
            ActorKind.PERSON,
            row.login,
            row.display,
            post.institution,
            post.authority,
            post.permissions,
            post.roles,
        )

    @staticmethod
    def _csrf_fits(sent: str, expected: str) -> bool:
        return secrets.compare_digest(sent.encode(), expected.encode())

    @staticmethod
    def _is_right(password_hash: str, password: str) -> bool:
        try:
            return _hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False


def requires(permission: str) -> Any:
    """Return a dependency that yields the actor, who must hold `permission`.

    Use as `actor: Annotated[Actor, requires("registry.read")]`.
    """

    def actor_with_permission(request: Request) -> Actor:
        actor: Actor = request.app.state.gate.authenticate(request)
        if not actor.may(permission):
            raise Forbidden("您的岗位没有此项权限。", permission=permission)
        return actor

    actor_with_permission.__dict__["permission"] = permission
    return Depends(actor_with_permission)


def _anyone() -> None:
    """Mark a route that needs no login."""


_anyone.__dict__["permission"] = None
OPEN: Any = Depends(_anyone)
