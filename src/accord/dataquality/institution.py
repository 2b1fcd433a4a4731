"""The five indicators of clause 7.1 for an institution and a month, from what single studies kept.

Reporter's and performer's clocks stand apart: R7.1.1-a to -d and -g count what the institution
reported, the rest what it performed. A figure with too few cases is pooled to the quarter and the
year until it has enough.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection

from accord import standard
from accord.dataquality import store
from accord.dataquality.errors import UnknownInstitution
from accord.dataquality.model import Ended, Life
from accord.dataquality.rules import figures, is_continuous
from accord.dataquality.rules.figures import Rate
from accord.dataquality.rules.timeliness import ARRIVAL, REPORTING, STILL_OPEN, UPLOAD, WAIT
from accord.dataquality.store import Measured
from accord.kit import clock
from accord.kit.settings import get_settings
from accord.record import service as record
from accord.record.model import Performed, ReportStatus
from accord.registry import service as registry
from accord.standard.model import Finding, Outcome, RuleSet

SHARE = "7.1.1/share_in_time"
CONSISTENCY = "7.1.2/consistency"
COMPLETENESS = "7.1.3/completeness"
GROUP_WARNING = "7.1.3/group_warning"
ACCURACY = "7.1.4/accuracy"
ROUTINE_DR_DUE = "7.1.2/routine_dr_due"
FINALS = frozenset({ReportStatus.FINAL, ReportStatus.AMENDED})
MOST_MISSES = 200
NOT_FED = ("heartbeats", "zero_reports", "downtime", "outages", "audited_accuracy")
"""What the platform does not take in yet; each counts as if there were none."""


@dataclass(frozen=True)
class Period:
    """Local days from the first to before the last."""

    name: str
    first: date
    until: date

    @property
    def since(self) -> datetime:
        """First moment."""
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        """First moment after it."""
        return _midnight(self.until)


@dataclass(frozen=True)
class Case:
    """One examination of the period with what was found about it; None where nothing was yet."""

    performed: Performed
    measured: Measured | None

    def finding(self, rule: str) -> Finding | None:
        """Return the finding of a rule."""
        return None if self.measured is None else self.measured.findings.get(rule)


@dataclass(frozen=True)
class _Reader:
    """Counts the cases of one institution as they stand at a moment."""

    institution: str
    rule_set: RuleSet
    at: datetime

    def mine(self, cases: Iterable[Case]) -> list[Case]:
        return [case for case in cases if case.performed.performed_by == self.institution]

    def reported(self, cases: Iterable[Case]) -> list[Case]:
        """Return what the institution reports: its own where nobody else has reported."""
        return [
            case
            for case in cases
            if (case.performed.reported_by or case.performed.performed_by) == self.institution
        ]

    def outcome(self, case: Case, rule: str) -> tuple[Outcome, str | None]:
        finding = case.finding(rule)
        if finding is None:
            return Outcome.NOT_EVALUABLE, "NOT_MEASURED"
        outcome = figures.settled(finding.outcome, finding.code, _due(finding), self.at)
        return outcome, finding.code

    def timed(self, cases: Sequence[Case], rule: str) -> Rate:
        whose = self.reported(cases) if rule in {*REPORTING, ARRIVAL} else self.mine(cases)
        return figures.count(self.outcome(case, rule) for case in whose)

    def consistency(self, cases: Sequence[Case]) -> Rate:
        return figures.count(self.is_consistent_now(case) for case in self.mine(cases))

    def is_consistent_now(self, case: Case) -> tuple[Outcome, str | None]:
        """Return what R7.1.2 says of a case, a report that is missing past its limit included."""
        finding = case.finding("R7.1.2")
        if finding is None:
            return Outcome.NOT_EVALUABLE, "NOT_MEASURED"
        if finding.outcome is not Outcome.NOT_APPLICABLE:
            return finding.outcome, finding.code
        due = self.report_due(case)
        if due is not None and self.at >= due:
            return Outcome.FAIL, "REPORT_MISSING"
        return Outcome.NOT_EVALUABLE, STILL_OPEN

    def report_due(self, case: Case) -> datetime | None:
        """Return when the report of a case is due: by its class, a routine DR by its own limit."""
        found = (case.finding(rule) for rule in REPORTING)
        dues = [due for finding in found if finding is not None and (due := _due(finding))]
        if dues:
            return min(dues)
        end = case.performed.exam_end
        if end is None:
            return None
        return end + self.rule_set.number(ROUTINE_DR_DUE).duration()

    def summed(self, cases: Sequence[Case], rule: str, num: str, den: str) -> Rate:
        """Return the sum of what single studies counted; no report yet leaves a study out."""
        rates = []
        for case in self.mine(cases):
            finding = case.finding(rule)
            if finding is None:
                rates.append(Rate(not_evaluable=1))
            elif rule == "R7.1.3" and not self._is_ripe(case):
                rates.append(Rate(open=1))
            else:
                counted = finding.because
                rates.append(Rate(_whole(counted.get(num)), _whole(counted.get(den))))
        return figures.total(rates)

    def _is_ripe(self, case: Case) -> bool:
        """Say whether completeness is asked: the report is final, or it is overdue."""
        if case.performed.report_status in FINALS:
            return True
        due = self.report_due(case)
        return due is not None and self.at >= due

    def groups(self, cases: Sequence[Case]) -> dict[str, Rate]:
        return figures.by_group(
            case.measured.groups
            for case in self.mine(cases)
            if case.measured is not None and self._is_ripe(case)
        )

    def accuracy_groups(self, cases: Sequence[Case]) -> dict[str, Rate]:
        found = (case.finding("R7.1.4") for case in self.mine(cases))
        return figures.by_group(
            groups
            for finding in found
            if finding is not None and isinstance(groups := finding.because.get("groups"), Mapping)
        )


def report(conn: Connection, institution: str, month: date, *, at: datetime) -> dict[str, Any]:
    """Return the five indicators of an institution for the month of that day.

    Raises:
        UnknownInstitution: No institution has this code.
    """
    rule_set = standard.load(get_settings().rule_set)
    if registry.find_institution(conn, institution, month) is None:
        known = registry.find_institution(conn, institution, clock.local_day(at))
        if known is None:
            raise UnknownInstitution(
                f"No institution has the code {institution}.", institution=institution
            )
    spans = _periods(month)
    kept: dict[str, list[Case]] = {}

    def cases(period: Period) -> list[Case]:
        if period.name not in kept:
            kept[period.name] = _cases(conn, institution, period)
        return kept[period.name]

    reader = _Reader(institution, rule_set, at)
    here = cases(spans[0])

    def judged(clause: str, key: str, ask: Callable[[Sequence[Case]], Rate]) -> dict[str, Any]:
        """Return the month's figure, with the first longer period that has enough cases."""
        told = figures.figure(clause, key, ask(here), rule_set)
        for period in spans[1:] if told["outcome"] == Outcome.NO_VERDICT else ():
            wider = figures.figure(clause, key, ask(cases(period)), rule_set)
            if wider["outcome"] != Outcome.NO_VERDICT:
                told["pooled"] = {"period": period.name, **wider}
                break
        return told

    return {
        "institution": institution,
        "month": spans[0].name,
        "at": at.isoformat(),
        "rule_set": rule_set.version,
        "fingerprint": rule_set.fingerprint,
        "examinations": len(here),
        "measured": sum(case.measured is not None for case in here),
        "indicators": {
            "timeliness": _timeliness(reader, here, judged),
            "consistency": judged("7.1.2", CONSISTENCY, reader.consistency)
            | {"misses": _misses(reader.mine(here), reader.is_consistent_now)},
            "completeness": judged(
                "7.1.3",
                COMPLETENESS,
                lambda some: reader.summed(some, "R7.1.3", "filled", "applicable"),
            )
            | {"groups": _group_figures(reader.groups(here), rule_set, GROUP_WARNING)},
            "accuracy": judged(
                "7.1.4",
                ACCURACY,
                lambda some: reader.summed(some, "R7.1.4", "accurate", "checkable"),
            )
            | {
                "by": "machine",
                "groups": _group_figures(reader.accuracy_groups(here), rule_set, None),
            },
            "continuity": _continuity(conn, reader, spans[0], here),
        },
        "scanned_otherwise": _scanned_otherwise(reader.mine(here)),
        "not_fed": list(NOT_FED),
    }


Judge = Callable[[str, str, Callable[[Sequence[Case]], Rate]], dict[str, Any]]


def _timeliness(reader: _Reader, here: Sequence[Case], judged: Judge) -> dict[str, Any]:
    rules = {}
    for rule in (*REPORTING, UPLOAD):
        whose = reader.mine(here) if rule == UPLOAD else reader.reported(here)
        told = judged("7.1.1", SHARE, lambda some, rule=rule: reader.timed(some, rule))  # type: ignore[misc]
        told["misses"] = _misses(whose, lambda case, rule=rule: reader.outcome(case, rule))  # type: ignore[misc]
        rules[rule] = told
    arrival = reader.timed(here, ARRIVAL)
    return {
        "clause": "7.1.1",
        "rules": rules,
        "information": {
            ARRIVAL: {"num": arrival.num, "den": arrival.den, "shown": figures.shown(arrival)},
            WAIT: _waiting(reader.mine(here)),
            "final_after_emergency": _finals(reader.reported(here), reader.at),
        },
    }


def _waiting(cases: Sequence[Case]) -> dict[str, Any]:
    found = (case.finding(WAIT) for case in cases)
    waited = [
        seconds
        for finding in found
        if finding is not None
        and finding.outcome is Outcome.PASS
        and isinstance(seconds := finding.because.get("seconds"), int | float)
    ]
    return {"n": len(waited), "median_seconds": median(waited) if waited else None}


def _finals(cases: Sequence[Case], at: datetime) -> dict[str, int]:
    """Count the final reports that follow a 急诊报告, in time and at all; open ones stand apart."""
    counted = {"num": 0, "den": 0, "open": 0}
    for case in cases:
        for rule in REPORTING:
            finding = case.finding(rule)
            final = None if finding is None else finding.because.get("final")
            if not isinstance(final, Mapping) or final["outcome"] == Outcome.NOT_APPLICABLE:
                continue
            is_open = final["outcome"] == Outcome.NOT_EVALUABLE and at < _moment(final["due"])
            counted["open"] += is_open
            counted["den"] += not is_open
            counted["num"] += final["outcome"] == Outcome.PASS
    return counted


def _scanned_otherwise(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the examinations whose images are not what was ordered, newest first: hints only."""
    found = [
        {
            "examination": case.performed.id,
            "at": case.performed.on.isoformat(),
            "hints": list(case.performed.item_hints),
        }
        for case in reversed(cases)
        if case.performed.item_hints
    ]
    return {"n": len(found), "newest": found[:MOST_MISSES]}


def _misses(
    cases: Iterable[Case], ask: Callable[[Case], tuple[Outcome, str | None]]
) -> list[dict[str, Any]]:
    """Return the failing records, newest first, no more than a screen can show."""
    missed = []
    for case in cases:
        outcome, code = ask(case)
        if outcome in figures.NOT_PASSED:
            missed.append(
                {
                    "examination": case.performed.id,
                    "at": case.performed.on.isoformat(),
                    "outcome": outcome.value,
                    "code": code,
                }
            )
    return sorted(missed, key=lambda one: str(one["at"]), reverse=True)[:MOST_MISSES]


def _group_figures(
    groups: Mapping[str, Rate], rule_set: RuleSet, warning: str | None
) -> dict[str, Any]:
    return {
        name: {"num": rate.num, "den": rate.den, "shown": figures.shown(rate)}
        | ({"warning": figures.warns(warning, rate, rule_set)} if warning else {})
        for name, rate in groups.items()
    }


def _continuity(
    conn: Connection, reader: _Reader, period: Period, here: Sequence[Case]
) -> dict[str, Any]:
    """Answer R7.1.5 with the facts there are: receptions, no heartbeat and no zero-report yet.

    Known of a study are its first and its last reception. What arrived between them is a sign of
    life as well, but is not asked for each of millions of studies; a gap can only look longer.
    """
    until = min(reader.at, period.end)
    window = relativedelta(days=31)
    mine = [case.performed for case in reader.mine(here)]
    earlier = record.performed(conn, reader.institution, period.since - window, period.since)
    later = record.performed(conn, reader.institution, period.end, period.end + window)
    received = sorted(
        moment
        for one in (*earlier, *mine, *later)
        if one.performed_by == reader.institution
        for moment in (one.first_received_at, one.last_received_at)
        if moment is not None
    )
    before = max((moment for moment in received if moment < period.since), default=None)
    life = Life(
        since=period.since,
        until=until,
        upload_before=before,
        sign_before=before,
        uploads=tuple(moment for moment in received if period.since <= moment <= until),
        exams=tuple(
            Ended(at=one.exam_end, uploaded_at=one.last_received_at)
            for one in (*earlier, *mine)
            if one.exam_end is not None and one.performed_by == reader.institution
        ),
    )
    told = is_continuous(life, reader.rule_set).as_dict()
    return {"clause": "7.1.5", "uploads": len(life.uploads), **told}


def _cases(conn: Connection, institution: str, period: Period) -> list[Case]:
    performed = record.performed(conn, institution, period.since, period.end)
    found = {one.examination: one for one in store.measured(conn, [one.id for one in performed])}
    return [Case(one, found.get(one.id)) for one in performed]


def _periods(month: date) -> tuple[Period, Period, Period]:
    """Return the month of a day with its quarter and its year."""
    first = month.replace(day=1)
    quarter = (first.month - 1) // 3
    begin = first.replace(month=3 * quarter + 1)
    year = first.replace(month=1)
    return (
        Period(f"{first:%Y-%m}", first, first + relativedelta(months=1)),
        Period(f"{first.year}-Q{quarter + 1}", begin, begin + relativedelta(months=3)),
        Period(str(first.year), year, year + relativedelta(years=1)),
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.LOCAL)


def _due(finding: Finding) -> datetime | None:
    due = finding.because.get("due")
    return None if due is None else _moment(due)


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
