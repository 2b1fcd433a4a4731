"""Idempotency keys: a request that is sent again gets its first answer and acts only once."""

import hashlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from accord.kit import store
from accord.kit.access import Actor
from accord.kit.errors import Conflict


def once(
    conn: Connection,
    actor: Actor,
    key: str | None,
    request: bytes,
    act: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """Act and keep the answer under the caller's key, or return the answer kept there.

    Args:
        conn: The transaction; act, key and answer commit together.
        actor: The caller; keys of different callers never meet.
        key: The `Idempotency-Key` header; None acts every time.
        request: What identifies the request (method, path, body).
        act: Does it and returns the answer.

    Raises:
        Conflict: The key was used for another request.
    """
    if key is None:
        return act()
    fingerprint = hashlib.sha256(request).hexdigest()
    caller = f"{actor.kind}:{actor.id}"
    if store.claim_answer(conn, caller, key, fingerprint):
        answer = act()
        store.keep_answer(conn, caller, key, answer)
        return answer
    kept = store.find_answer(conn, caller, key)
    if kept is None or kept[0] != fingerprint:
        raise Conflict("此 Idempotency-Key 已用于另一请求，请换用新的值。")
    return kept[1]
