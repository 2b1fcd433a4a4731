"""Regular spacing (C13): steps within ten per cent, variable steps in planned blocks aside."""

from accord.imagequality import geometry
from accord.imagequality.checks.contract import CT, MR, Declared, SeriesCheck
from accord.imagequality.model import Evidence, Measured, Verdict
from accord.imagequality.views import SeriesView

LIMIT = "step_tolerance"
TAGS = ("00200032",)


def measure(view: SeriesView) -> Measured:
    """Hint at steps that stand in no block of equal steps and are no gap."""
    factor = float(view.terms.rule_set.factor("7.3/gap_factor"))
    count = 0
    for stack in view.geometry.stacks:
        wide = {gap.after for gap in geometry.gaps(stack.positions, factor, view.tolerances)}
        count += len(set(geometry.irregular(stack.positions, view.tolerances)) - wide)
    if not count:
        return Measured(
            verdict=Verdict.PASS,
            zh="层面间距规则。",
            en="spacing is regular",
            value=0,
            unit="steps",
            limit=LIMIT,
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.UNCERTAIN,
        zh=f"{count} 处层面间距不规则（非缺层）。",
        en=f"{count} steps are irregular without being gaps",
        value=count,
        unit="steps",
        limit=LIMIT,
        tags=TAGS,
        suggestion="请核对扫描方案是否按变间距设计。",
    )


CHECK = SeriesCheck(
    Declared(
        id="geometry.regular",
        version="1.1.0",
        clauses=(CT, MR),
        criteria=("C13",),
        evidence=Evidence.B,
        title="层面间距规则",
    ),
    lambda view: view.is_stacked,
    measure,
)
