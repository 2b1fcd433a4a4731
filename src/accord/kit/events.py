"""Lower packages say what happened; `app/wiring.py` maps it to jobs of higher packages."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

Handler = Callable[[Connection, Any], None]

_handlers: dict[type, list[Handler]] = defaultdict(list)


def subscribe(event_type: type, handler: Handler) -> None:
    """Call `handler(conn, event)` for every event of that type; the same handler only once."""
    if handler not in _handlers[event_type]:
        _handlers[event_type].append(handler)


def publish(conn: Connection, event: object) -> None:
    """Hand the event to its subscribers inside the transaction that caused it."""
    for handler in _handlers[type(event)]:
        handler(conn, event)
