"""Equal orientation, matrix and pixel size in a series (C13): foreign slices stand out."""

from collections import Counter

from accord.imagequality.checks.contract import CT, MR, Declared, SeriesCheck
from accord.imagequality.model import Evidence, Frame, Measured, Verdict
from accord.imagequality.views import SeriesView

TAGS = ("00200037", "00280010", "00280011", "00280030")


def measure(view: SeriesView) -> Measured:
    """Fail when few slices have an orientation, matrix or pixel size that the others do not."""
    odd = {one.sop_uid: "orientation" for one in view.geometry.strays}
    odd |= {one.sop_uid: "no position" for one in view.geometry.unplaced}
    odd |= _odd_sizes(view)
    if not odd:
        return Measured(
            verdict=Verdict.PASS,
            zh="各层方向、矩阵与像素间距一致。",
            en="orientation, matrix and pixel size agree",
            value=0,
            unit="slices",
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.FAIL,
        zh=f"{len(odd)} 层的方向、矩阵或像素间距与本序列不一致。",
        en=f"{len(odd)} slices differ in orientation, matrix or pixel size",
        value=len(odd),
        unit="slices",
        limit="stray_most",
        region={"objects": odd},
        tags=TAGS,
        suggestion="请核对是否混入其他序列的层面。",
    )


def _odd_sizes(view: SeriesView) -> dict[str, str]:
    """Name the slices whose size is not the usual one of their stack."""
    odd: dict[str, str] = {}
    for stack in view.geometry.stacks:
        sizes = Counter(_size(one) for one in stack.frames)
        usual = max(sizes, key=lambda size: sizes[size])
        odd |= {one.sop_uid: "matrix" for one in stack.frames if _size(one) != usual}
    return odd


def _size(one: Frame) -> tuple[object, ...]:
    return (one.rows, one.columns, one.spacing)


CHECK = SeriesCheck(
    Declared(
        id="geometry.uniform",
        clauses=(CT, MR),
        criteria=("C13",),
        evidence=Evidence.B,
        title="层面方向与矩阵一致",
    ),
    lambda view: view.is_stacked,
    measure,
)
