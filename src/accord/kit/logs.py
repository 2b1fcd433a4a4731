"""Structured logs on standard error: ids and counts, never names, numbers of people or pixels."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

# Keys that would carry a person; a test scans the logs of the integration run as well.
FORBIDDEN_KEYS: Final = frozenset(
    {"name", "patient_name", "patient", "birth_date", "national_id", "phone", "password", "token"}
)


def _drop_people(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in FORBIDDEN_KEYS & event.keys():
        event[key] = "…"
    return event


def configure(level: str) -> None:
    """Send every log line to standard error as `key=value`, from `level` upwards."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _drop_people,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
