"""Duplicate positions (C2): a place that was taken twice with nothing to tell the two apart."""

from accord.imagequality.checks.contract import CT, MR, Declared, SeriesCheck
from accord.imagequality.model import Evidence, Measured, Verdict
from accord.imagequality.views import SeriesView

LIMIT = "same_position_mm"
TAGS = ("00200032", "00200013")


def measure(view: SeriesView) -> Measured:
    """Fail when slices share a place; echoes, b-values, phases and times are no duplicates."""
    found = view.geometry.repeated
    if not found:
        grid = "，同层多次采集由时间、回波或期相区分" if view.geometry.is_grid else ""
        return Measured(
            verdict=Verdict.PASS,
            zh=f"无重复层面{grid}。",
            en="no duplicate position" + (", places x times understood" if grid else ""),
            value=0,
            unit="slices",
            limit=LIMIT,
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.FAIL,
        zh=f"{len(found)} 层与其他层面位置重复。",
        en=f"{len(found)} slices lie where another one does",
        value=len(found),
        unit="slices",
        limit=LIMIT,
        region={"objects": [one.sop_uid for one in found]},
        tags=TAGS,
        suggestion="请核对是否重复发送，或同一序列混入了另一次重建。",
    )


CHECK = SeriesCheck(
    Declared(
        id="geometry.duplicate",
        clauses=(CT, MR),
        criteria=("C13",),
        evidence=Evidence.B,
        title="重复层面",
    ),
    lambda view: view.is_stacked,
    measure,
)
