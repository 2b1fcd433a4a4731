"""Lengths of time without the periods that do not count: platform downtime, ticketed outages."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from accord.dataquality.model import Span


def overlap(since: datetime, until: datetime, spans: Iterable[Span]) -> timedelta:
    """Return how much of a stretch lies in the spans; spans that overlap count once."""
    covered, reached = timedelta(0), since
    for span in sorted(spans, key=lambda one: one.since):
        begin, end = max(span.since, reached), min(span.until, until)
        if end > begin:
            covered += end - begin
            reached = end
    return covered
