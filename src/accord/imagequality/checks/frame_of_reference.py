"""One frame of reference over the series of a study (M3): positions can be compared."""

from accord.imagequality.checks.contract import MR, Declared, StudyCheck
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import StudyView

TAGS = ("00200052",)


def measure(view: StudyView) -> Measured:
    """Hint at several frames of reference: the patient was positioned again between series."""
    told = {
        one.uid: one.series.first.frame_of_reference
        for one in view.imaging
        if one.is_stacked and one.series.first.frame_of_reference
    }
    count = len(set(told.values()))
    if count == 0:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="影像头无坐标参考系。",
            en="no frame of reference in the headers",
            tags=TAGS,
        )
    agrees = count == 1
    return Measured(
        verdict=Verdict.PASS if agrees else Verdict.UNCERTAIN,
        zh="各序列坐标参考系一致。" if agrees else f"各序列有 {count} 个坐标参考系，可能重新摆位。",
        en="one frame of reference" if agrees else f"{count} frames of reference",
        value=count,
        unit="count",
        region={} if agrees else {"series": told},
        tags=TAGS,
        suggestion=None if agrees else "跨序列定位前请核对体位。",
    )


CHECK = StudyCheck(
    Declared(id="study.frame_of_reference", clauses=(MR,), title="坐标参考系一致"),
    lambda view: sum(one.is_stacked for one in view.imaging) > 1,
    measure,
)
