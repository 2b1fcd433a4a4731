"""Answers of the registry kept in memory for as long as nothing changed.

Every write gives the registry a new, random version (`store.touch`). A transaction asks for the
version once and then recalls whatever was read under it, by any transaction of this process; a
transaction that writes recalls nothing, so that it sees its own changes and nobody else does.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, RootTransaction

_MOST_VERSIONS: Final = 4  # of this database, and of others in the tests
_MOST_ANSWERS: Final = 100_000

_lock = Lock()
_answers: OrderedDict[UUID, dict[Hashable, Any]] = OrderedDict()
_known: WeakKeyDictionary[RootTransaction, dict[Hashable, Any] | None] = WeakKeyDictionary()
"""What each open transaction may recall; nothing once it has written."""

Found = TypeVar("Found")


def recall(
    conn: Connection,
    version: Callable[[Connection], UUID | None],
    key: Hashable,
    read: Callable[[], Found],
) -> Found:
    """Return what was read under this key before, or read it now."""
    known = _known_in(conn, version)
    if known is None:
        return read()
    if key not in known:
        found = read()
        if len(known) >= _MOST_ANSWERS:
            known.clear()
        known[key] = found
        return found
    answer: Found = known[key]
    return answer


def note(conn: Connection, version: UUID | None) -> None:
    """Take it that this transaction reads that version, unless it has asked or written before."""
    transaction = conn.get_transaction()
    if transaction is not None:
        known = _of_version(version)
        with _lock:
            _known.setdefault(transaction, known)


def forget(conn: Connection) -> None:
    """Recall nothing in the rest of this transaction: it has changed the registry."""
    transaction = conn.get_transaction()
    if transaction is not None:
        with _lock:
            _known[transaction] = None


def _known_in(
    conn: Connection, version: Callable[[Connection], UUID | None]
) -> dict[Hashable, Any] | None:
    transaction = conn.get_transaction()
    if transaction is None:
        return None
    # Without the lock: one transaction is never worked on by two threads at a time.
    try:
        return _known[transaction]
    except KeyError:
        note(conn, version(conn))
    return _known[transaction]


def _of_version(version: UUID | None) -> dict[Hashable, Any] | None:
    if version is None:
        return None
    with _lock:
        if version not in _answers:
            _answers[version] = {}
            while len(_answers) > _MOST_VERSIONS:
                _answers.popitem(last=False)
        _answers.move_to_end(version)
        return _answers[version]
