"""Direction of the series of an MR study per plane (M3, M14, R7.3-5)."""

from accord.imagequality.checks.contract import MR, Declared, StudyCheck
from accord.imagequality.evidence import evidence_of
from accord.imagequality.model import Evidence, Measured, Verdict
from accord.imagequality.rules.mr import differing, directions, reversed_planes
from accord.imagequality.views import StudyView

TAGS = ("00200037", "00200032", "00200013")


def measure(view: StudyView) -> Measured:
    """Fail when series of one plane run in opposite directions; a reversed study is told."""
    series = evidence_of(view).series
    found = directions(series)
    if not found:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="各序列方向不可判定。",
            en="no series with a plane and a direction",
            tags=TAGS,
        )
    told = {plane: sorted(ways) for plane, ways in found.items()}
    if split := differing(found):
        return Measured(
            verdict=Verdict.FAIL,
            zh=f"同一方位各序列排列方向不一致：{'、'.join(split)}。",
            en=f"series of a plane run in opposite directions: {', '.join(split)}",
            value=told,
            region={"series": {one.uid: one.direction for one in series if one.plane in split}},
            tags=TAGS,
            suggestion="请统一各序列的图像编号方向。",
        )
    turned = reversed_planes(found)
    return Measured(
        verdict=Verdict.PASS,
        zh="各序列方向一致"
        + (f"，但与左→右、前→后、上→下相反：{'、'.join(turned)}。" if turned else "。"),
        en="series of each plane run one way"
        + (f", reversed: {', '.join(turned)}" if turned else ""),
        value=told,
        tags=TAGS,
    )


CHECK = StudyCheck(
    Declared(
        id="study.direction",
        clauses=(MR,),
        criteria=("M14",),
        evidence=Evidence.B,
        title="各序列显示方向一致",
    ),
    lambda view: any(one.is_stacked and one.modality == "MR" for one in view.imaging),
    measure,
)
