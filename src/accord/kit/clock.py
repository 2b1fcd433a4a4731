"""The one source of the present moment, and the local calendar of the two provinces.

Storage is UTC; rules compare local days of Asia/Shanghai (UTC+8, no daylight saving; rules.md,
common conventions).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")

_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)


def today() -> date:
    """Return the present local day."""
    return local_day(now())


def local_day(moment: datetime) -> date:
    """Return the local calendar day of an aware moment."""
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone has no local day")
    return moment.astimezone(LOCAL).date()


@contextmanager
def freeze(at: datetime) -> Iterator[None]:
    """Let `now` answer `at` within the block, for tests and for replaying an old answer."""
    if at.tzinfo is None:
        raise ValueError("freeze needs an aware moment")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
