"""Ask every check about every series and study it applies to; a crash is told, never a pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from accord.catalogue import Catalogue
from accord.imagequality.checks import SERIES_CHECKS, STUDY_CHECKS
from accord.imagequality.checks.contract import Check, SeriesCheck, StudyCheck
from accord.imagequality.evidence import evidence_of
from accord.imagequality.grading import Graded, grade
from accord.imagequality.model import Asked, CheckFinding, Measured, Study, Terms, Verdict
from accord.imagequality.rules import RULES
from accord.imagequality.views import SeriesView, StudyView
from accord.standard.model import Finding

MILLISECONDS = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Judged:
    """What was found about one study.

    Args:
        study_uid: Its UID.
        series: Findings by series UID; every series has at least one.
        findings: Findings about the study as a whole.
        rules: Answers of the rules of 7.3.
        graded: Grade, or why there is none.
        ms: Milliseconds that reading and judging took.
    """

    study_uid: str
    series: Mapping[str, tuple[CheckFinding, ...]]
    findings: tuple[CheckFinding, ...]
    rules: tuple[Finding, ...]
    graded: Graded
    ms: float

    @property
    def all_findings(self) -> tuple[CheckFinding, ...]:
        """Findings of the study and of its series."""
        inside = (one for findings in self.series.values() for one in findings)
        return (*self.findings, *inside)

    @property
    def has_failed(self) -> bool:
        """Whether a check or a rule found a defect."""
        return any(one.verdict is Verdict.FAIL for one in self.all_findings) or any(
            one.outcome == "fail" for one in self.rules
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "grade": self.graded.grade,
            "grade_reason": self.graded.reason,
            "critical": list(self.graded.critical),
            "series": {
                uid: {"findings": [one.as_dict() for one in findings]}
                for uid, findings in self.series.items()
            },
            "findings": [one.as_dict() for one in self.findings],
            "rules": [one.as_dict() for one in self.rules],
            "ms": self.ms,
        }


def judge(
    study: Study,
    asked: Asked,
    terms: Terms,
    catalogue: Catalogue,
    *,
    read_ms: float = 0,
    series_checks: Iterable[SeriesCheck] = SERIES_CHECKS,
    study_checks: Iterable[StudyCheck] = STUDY_CHECKS,
) -> Judged:
    """Return everything the checks and rules say about a study."""
    began = monotonic()
    view = StudyView(study, asked, terms, catalogue)
    by_series = {
        one.uid: tuple(
            finding for check in series_checks if (finding := ask_series(check, one)) is not None
        )
        for one in view.series
    }
    of_study = tuple(
        finding for check in study_checks if (finding := ask_study(check, view)) is not None
    )
    inside = [finding for findings in by_series.values() for finding in findings]
    rules = tuple(answer(evidence_of(view), terms) for answer in RULES)
    graded = grade([*of_study, *inside], view.modalities, terms)
    ms = round(read_ms + (monotonic() - began) * MILLISECONDS, 3)
    return Judged(study.uid, by_series, of_study, rules, graded, ms)


def ask_series(check: SeriesCheck, view: SeriesView) -> CheckFinding | None:
    """Return a check's signed answer about a series; nothing where it does not apply."""
    try:
        measured = check.measure(view) if check.applies(view) else None
    except Exception as error:  # noqa: BLE001 - a check that breaks must not look like a pass
        measured = _crashed(check, error, view.uid)
    return None if measured is None else sign(check, measured, view.terms)


def ask_study(check: StudyCheck, view: StudyView) -> CheckFinding | None:
    """Return a check's signed answer about a study; nothing where it does not apply."""
    try:
        measured = check.measure(view) if check.applies(view) else None
    except Exception as error:  # noqa: BLE001 - a check that breaks must not look like a pass
        measured = _crashed(check, error, view.study.uid)
    return None if measured is None else sign(check, measured, view.terms)


def sign(check: Check, measured: Measured, terms: Terms) -> CheckFinding:
    """Return an answer with the name, version and limit it was given under."""
    told = check.declared
    return CheckFinding(
        check=told.id,
        version=told.version,
        clauses=told.clauses,
        criteria=told.criteria,
        scope=check.scope,
        stages=told.stages,
        evidence=told.evidence,
        measured=measured,
        limit=terms.cited(measured.limit) if measured.limit is not None else None,
    )


def _crashed(check: Check, error: Exception, uid: str) -> Measured:
    log.error("imagequality.check_crashed", check=check.declared.id, uid=uid, exc_info=error)
    return Measured(
        verdict=Verdict.NOT_EVALUABLE,
        zh=f"检查程序出错，未能评价（{type(error).__name__}）。",
        en=f"the check broke down: {type(error).__name__}",
        suggestion="请将日志交系统管理员。",
    )
