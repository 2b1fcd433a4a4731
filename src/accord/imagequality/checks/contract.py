"""The check contract: what every check declares, and how it is called.

A check is a pure function of a series or a study; it declares its id and version, the clauses and
form criteria it serves, when and on what it can be asked, what it needs, and how it was shown to
work. It answers with `Measured`; the runner signs that with the declaration.
"""

from collections.abc import Callable
from dataclasses import dataclass

from accord.imagequality.model import Evidence, Measured, Scope, Stage
from accord.imagequality.views import SeriesView, StudyView

AFTER_A_SERIES = (Stage.IN, Stage.POST)
HEADERS = ("headers",)
CT = "7.3.2.3"
MR = "7.3.3.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a check says of itself.

    Args:
        id: Such as `geometry.gap`.
        version: Raised whenever an answer can change.
        clauses: Clauses it serves.
        criteria: Criteria of the forms it helps to fill.
        stages: When it can be asked.
        needs: What it needs; this package's checks need headers only.
        evidence: How it was shown to work.
        title: What it looks at, in Chinese.
    """

    id: str
    version: str = "1.0.0"
    clauses: tuple[str, ...]
    criteria: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = AFTER_A_SERIES
    needs: tuple[str, ...] = HEADERS
    evidence: Evidence = Evidence.C
    title: str


@dataclass(frozen=True, slots=True)
class SeriesCheck:
    """A check of one series; `applies` says which series it asks about."""

    declared: Declared
    applies: Callable[[SeriesView], bool]
    measure: Callable[[SeriesView], Measured]

    @property
    def scope(self) -> Scope:
        """What it looks at."""
        return Scope.SERIES


@dataclass(frozen=True, slots=True)
class StudyCheck:
    """A check of one study; `applies` says which studies it asks about."""

    declared: Declared
    applies: Callable[[StudyView], bool]
    measure: Callable[[StudyView], Measured]

    @property
    def scope(self) -> Scope:
        """What it looks at."""
        return Scope.STUDY


Check = SeriesCheck | StudyCheck
