"""Order and image times (R7.3-1): the technologist's start and end against the header."""

from datetime import datetime, timedelta

from accord.imagequality.checks.contract import Declared, StudyCheck
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import StudyView

LIMIT = "7.3/clock_difference"
TAGS = ("0008002A", "00080022", "00080032")


def measure(view: StudyView) -> Measured:
    """Fail when first or last acquisition and the recorded times differ by more than the limit."""
    order = view.asked.order
    moments = sorted(
        frame.acquired_at
        for one in view.imaging
        for frame in one.series.frames
        if frame.acquired_at is not None
    )
    if not moments or order is None:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="影像头无采集时间，不可比较。",
            en="no acquisition time in the headers",
            tags=TAGS,
        )
    pairs = ((order.started_at, moments[0]), (order.ended_at, moments[-1]))
    worst = max(_apart(recorded, stated) for recorded, stated in pairs)
    agrees = worst <= view.terms.rule_set.duration(LIMIT)
    return Measured(
        verdict=Verdict.PASS if agrees else Verdict.FAIL,
        zh="影像时间与技师记录一致。" if agrees else "影像时间与技师记录的起止时间相差过大。",
        en="image times agree with the record" if agrees else "image times differ from the record",
        value=worst,
        unit="seconds",
        limit=LIMIT,
        tags=TAGS,
        suggestion=None if agrees else "请校准设备时钟。",
    )


def _apart(recorded: datetime | None, stated: datetime) -> timedelta:
    return abs(recorded - stated) if recorded is not None else timedelta()


def _is_recorded(view: StudyView) -> bool:
    order = view.asked.order
    return order is not None and (order.started_at is not None or order.ended_at is not None)


CHECK = StudyCheck(
    Declared(
        id="study.clock",
        clauses=("7.3.1.1", "7.3.2.1", "7.3.3.1"),
        criteria=("D2", "C2", "M2"),
        title="检查时间一致",
    ),
    lambda view: bool(view.imaging) and _is_recorded(view),
    measure,
)
