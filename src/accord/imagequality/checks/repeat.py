"""Repeated acquisitions (G3 重扫, R7.3-2): always a hint, and never between reconstructions.

Two acquisitions repeat each other when range, plane, phase and contrast are equal and neither is
planned (perfusion, breathing, positions). Films repeat when view and side are equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import combinations

from accord.imagequality.checks.contract import Declared, StudyCheck
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import SeriesView, StudyView

LIMIT = "7.3/same_range"
TAGS = ("00200012", "0008002A", "00200032")


@dataclass(frozen=True)
class Acquired:
    """What makes two acquisitions the same, and when it was."""

    uid: str
    same: tuple[object, ...]
    numbers: frozenset[int]
    first: datetime | None
    last: datetime | None
    low: float
    high: float


def measure(view: StudyView) -> Measured:
    """Hint at pairs of series that acquire the same once more."""
    acquired = [one for series in view.imaging for one in _acquired(series)]
    pairs = [
        sorted((one.uid, other.uid))
        for one, other in combinations(acquired, r=_PAIR)
        if one.same == other.same and _are_two(one, other) and _same_range(one, other, view)
    ]
    if not pairs:
        return Measured(
            verdict=Verdict.PASS,
            zh="未见同范围、同期相的重复采集。",
            en="no acquisition is repeated",
            value=0,
            unit="pairs",
            limit=LIMIT,
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.UNCERTAIN,
        zh=f"{len(pairs)} 对采集的范围、期相与对比剂状态相同，可能为重扫。",
        en=f"{len(pairs)} pairs of acquisitions have equal range, phase and contrast state",
        value=len(pairs),
        unit="pairs",
        limit=LIMIT,
        region={"pairs": pairs},
        tags=TAGS,
        suggestion="请技师注明原因；经人员确认后方计为重扫。",
    )


_PAIR = len(("one", "other"))


def _acquired(view: SeriesView) -> Iterator[Acquired]:
    """Give a sectional series as one acquisition, each exposure of a film series as one."""
    words = view.terms.words
    said = view.series.words
    if any(word in said for group in words["planned_repeats"].values() for word in group):
        return
    if view.modality == "DR":
        for frame in view.series.frames:
            if frame.stated_view is not None and frame.acquired_at is not None:
                same: tuple[object, ...] = (
                    "DR",
                    view.series.first.body_part,
                    frame.stated_view,
                    frame.laterality,
                )
                at = frame.acquired_at
                yield Acquired(frame.sop_uid, same, frozenset(), at, at, low=0, high=0)
        return
    if not view.is_stacked or not view.is_original:
        return
    frames = view.series.frames
    moments = sorted(one.acquired_at for one in frames if one.acquired_at is not None)
    numbers = frozenset(one.acquisition for one in frames if one.acquisition is not None)
    stack = view.geometry.stacks[0]
    phase = next((name for name, told in words["phases"].items() if _any_in(told, said)), None)
    agent = view.series.first.contrast_agent is not None
    own = said if view.modality == "MR" else ""
    first, last = (moments[0], moments[-1]) if moments else (None, None)
    same = (view.modality, view.planes, phase, agent, own, view.geometry.is_grid)
    yield Acquired(
        view.uid, same, numbers, first, last, low=stack.positions[0], high=stack.positions[-1]
    )


def _any_in(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _are_two(one: Acquired, other: Acquired) -> bool:
    """Say whether they were acquired one after the other; reconstructions share their moments."""
    if None not in (one.first, other.first):
        first, second = sorted((one, other), key=lambda told: str(told.first))
        return _is_before(first.last, second.first)
    return bool(one.numbers and other.numbers and not one.numbers & other.numbers)


def _is_before(last: datetime | None, first: datetime | None) -> bool:
    return last is not None and first is not None and last < first


def _same_range(one: Acquired, other: Acquired, view: StudyView) -> bool:
    longer = max(one.high - one.low, other.high - other.low)
    if longer == 0:
        return True
    apart = abs((one.high - one.low) - (other.high - other.low))
    shared = min(one.high, other.high) - max(one.low, other.low)
    within = view.terms.rule_set.is_met(LIMIT, Fraction(apart) / Fraction(longer))
    return within and shared >= view.terms.limit("overlap_least") * longer


CHECK = StudyCheck(
    Declared(
        id="study.repeat",
        clauses=("7.3.2.1", "7.3.3.1"),
        criteria=("C4", "M4"),
        title="重复采集（线索）",
    ),
    lambda view: bool(view.imaging),
    measure,
)
