"""Missing slices (C1, M1, K8): a step wider than the text allows, measured per stack."""

from accord.imagequality import geometry
from accord.imagequality.checks.contract import CT, MR, Declared, SeriesCheck
from accord.imagequality.model import Evidence, Measured, Verdict
from accord.imagequality.views import SeriesView

LIMIT = "7.3/gap_factor"
TAGS = ("00200032", "00200037")


def measure(view: SeriesView) -> Measured:
    """Fail when a step exceeds the factor of the text times the step of its neighbourhood.

    The value is the widest step over the expected one; smaller is better. A slice that lacks at
    the end of the range is invisible here: only the anatomy shows it.
    """
    factor = float(view.terms.rule_set.factor(LIMIT))
    found = [
        (stack, gap)
        for stack in view.geometry.stacks
        for gap in geometry.gaps(stack.positions, factor, view.tolerances)
    ]
    if not found:
        return Measured(
            verdict=Verdict.PASS,
            zh="层面连续，无缺层。",
            en="no slice is missing between the first and the last",
            value=0,
            unit="slices",
            limit=LIMIT,
            tags=TAGS,
        )
    missing = sum(gap.missing for _, gap in found)
    worst = max(gap.step_mm / gap.expected_mm for _, gap in found)
    places = [
        {
            "after": stack.frames[gap.after].sop_uid,
            "before": stack.frames[gap.after + 1].sop_uid,
            "position_mm": round(stack.positions[gap.after], ndigits=view.decimals),
            "step_mm": round(gap.step_mm, ndigits=view.decimals),
            "expected_mm": round(gap.expected_mm, ndigits=view.decimals),
            "missing": gap.missing,
        }
        for stack, gap in found
    ]
    return Measured(
        verdict=Verdict.FAIL,
        zh=f"层面间距异常增大 {len(found)} 处，约缺 {missing} 层。",
        en=f"{len(found)} gaps, about {missing} slices are missing",
        value=round(worst, ndigits=view.decimals),
        unit="factor",
        limit=LIMIT,
        region={"gaps": places},
        tags=TAGS,
        suggestion="请核对设备是否全部发送，补传缺失层面；确未扫描的应补扫。",
        critical="K8",
    )


CHECK = SeriesCheck(
    Declared(
        id="geometry.gap",
        clauses=(CT, MR),
        criteria=("C13", "M9", "K8"),
        evidence=Evidence.B,
        title="层面遗漏",
    ),
    lambda view: view.is_stacked,
    measure,
)
