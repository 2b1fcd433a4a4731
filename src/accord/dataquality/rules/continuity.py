"""Clause 7.1.5: an institution never falls silent for longer than the limit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from accord.dataquality.answers import Answer
from accord.dataquality.model import Ended, Life, Span
from accord.dataquality.rules.spans import overlap
from accord.kit.clock import LOCAL, local_day
from accord.standard import rule
from accord.standard.model import Finding, RuleSet, Severity

RULE = "R7.1.5"
KEY = "7.1.5/gap"
UPLOAD_KEY = "7.1.1/upload"
READINGS = ("RD-7.1.5-LIFE", "RD-CONV-RANGE")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """The time between two events, with the platform's own downtime in it."""

    since: datetime
    until: datetime
    downtime: timedelta

    @property
    def raw(self) -> timedelta:
        """Time between the events."""
        return self.until - self.since

    @property
    def effective(self) -> timedelta:
        """Time between the events in which the platform could be reached."""
        return self.raw - self.downtime

    def as_dict(self) -> dict[str, object]:
        """Return what a finding shows."""
        return {
            "since": self.since,
            "until": self.until,
            "raw_seconds": self.raw,
            "effective_seconds": self.effective,
        }


@rule(RULE)
def is_continuous(life: Life, rule_set: RuleSet) -> Finding:
    """Pass when no effective gap beyond the limit counts against the institution.

    Between uploads a gap counts when an examination that ended in it was not uploaded in time;
    between signs of life of any kind it always does. The time before the first event and the open
    time until now are gaps as well. A day without upload or signed zero-report is a remark.
    """
    uploads = _gaps(life, life.uploads, life.upload_before)
    every = (*life.uploads, *life.heartbeats, *life.zero_reports)
    signs = _gaps(life, every, life.sign_before)
    limit = rule_set.number(KEY)
    long_uploads = [gap for gap in uploads if not limit.is_met_by(gap.effective)]
    behind = [gap for gap in long_uploads if _holds_a_late_exam(gap, life, rule_set)]
    silent = [gap for gap in signs if not limit.is_met_by(gap.effective)]
    unsigned = list(_days_without_report(life))
    because = {
        "longest_upload_gap": _longest(uploads),
        "longest_silence": _longest(signs),
        "upload_gaps": [gap.as_dict() for gap in long_uploads],
        "counted": [gap.as_dict() for gap in behind],
        "silences": [gap.as_dict() for gap in silent],
        "days_without_zero_report": unsigned,
    }
    answer = Answer(RULE, rule_set, because, (KEY, UPLOAD_KEY), READINGS)
    if life.until <= life.since:
        return answer.unknown("period", effect=None)
    if life.sign_before is None and not every:
        return answer.tells_source("NO_SIGN_OF_LIFE")
    if behind:
        return answer.tells_source("UPLOAD_GAP")
    if silent:
        return answer.tells_source("SILENT")
    if unsigned:
        return answer.passes(code="ZERO_REPORT_MISSING", severity=Severity.MINOR)
    return answer.passes()


def _gaps(life: Life, events: Sequence[datetime], before: datetime | None) -> list[Gap]:
    """Return the gaps between events, with the one before the first and the open one."""
    inside = sorted(moment for moment in events if life.since <= moment <= life.until)
    edges = [life.since if before is None else before, *inside, life.until]
    return [Gap(one, other, overlap(one, other, life.downtime)) for one, other in pairwise(edges)]


def _longest(gaps: Sequence[Gap]) -> dict[str, object]:
    return max(gaps, key=lambda gap: gap.effective).as_dict()


def _holds_a_late_exam(gap: Gap, life: Life, rule_set: RuleSet) -> bool:
    return any(
        gap.since <= exam.at < gap.until and _is_late(exam, life, rule_set) for exam in life.exams
    )


def _is_late(exam: Ended, life: Life, rule_set: RuleSet) -> bool:
    """Say whether an upload missed the limit of R7.1.1-e; while that is open it did not."""
    limit = rule_set.number(UPLOAD_KEY)
    return not limit.is_met_by((exam.uploaded_at or life.until) - exam.at)


def _days_without_report(life: Life) -> Iterator[date]:
    """Give the whole days of the period without an upload or a signed zero-report.

    A day on which the platform was down throughout asks for nothing.
    """
    told = {local_day(moment) for moment in (*life.uploads, *life.zero_reports)}
    day = local_day(life.since)
    while True:
        span = _span_of(day)
        if span.until > life.until:
            return
        down = overlap(span.since, span.until, life.downtime)
        if span.since >= life.since and day not in told and down < span.until - span.since:
            yield day
        day += DAY


def _span_of(day: date) -> Span:
    begin = datetime(day.year, day.month, day.day, tzinfo=LOCAL)
    return Span(since=begin, until=begin + DAY)
