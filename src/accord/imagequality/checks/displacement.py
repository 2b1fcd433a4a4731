"""Displaced slices (C3 错位, K8): a slice whose corner leaves the line of its stack.

The line may be inclined: gantry tilt is legal.
"""

from accord.imagequality import geometry
from accord.imagequality.checks.contract import CT, MR, Declared, SeriesCheck
from accord.imagequality.model import Evidence, Measured, Verdict
from accord.imagequality.views import SeriesView

LIMIT = "displacement_mm"
TAGS = ("00200032", "00280030")


def measure(view: SeriesView) -> Measured:
    """Fail when a slice lies further off the line than the limit or one pixel."""
    least = view.terms.limit(LIMIT)
    found = [pair for stack in view.geometry.stacks for pair in geometry.displaced(stack, least)]
    if not found:
        return Measured(
            verdict=Verdict.PASS,
            zh="层面无错位。",
            en="no slice is displaced",
            value=0,
            unit="slices",
            limit=LIMIT,
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.FAIL,
        zh=f"{len(found)} 层偏离层面堆叠方向（错位）。",
        en=f"{len(found)} slices are displaced in their plane",
        value=round(max(distance for _, distance in found), ndigits=view.decimals),
        unit="mm",
        limit=LIMIT,
        region={"objects": [frame.sop_uid for frame, _ in found]},
        tags=TAGS,
        suggestion="请核对该层面是否属于本序列，必要时重新发送或补扫。",
        critical="K8",
    )


CHECK = SeriesCheck(
    Declared(
        id="geometry.displacement",
        clauses=(CT, MR),
        criteria=("C13", "K8"),
        evidence=Evidence.B,
        title="层面错位",
    ),
    lambda view: view.is_stacked,
    measure,
)
