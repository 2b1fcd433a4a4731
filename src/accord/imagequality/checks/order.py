"""Order of slices (C3, C12, K8): instance numbers run along the anatomy without turning back."""

from accord.imagequality import geometry
from accord.imagequality.checks.contract import CT, MR, Declared, SeriesCheck
from accord.imagequality.model import Evidence, Measured, Verdict
from accord.imagequality.views import SeriesView

LIMIT = "jump_share"
TAGS = ("00200013", "00200032")


def measure(view: SeriesView) -> Measured:
    """Fail when positions turn back while instance numbers rise; new passes are no turn."""
    places: list[dict[str, object]] = []
    unnumbered = False
    for stack in view.geometry.stacks:
        ordered = stack.in_order
        if ordered is None:
            unnumbered = True
            continue
        turns = geometry.out_of_order([at for _, at in ordered], view.tolerances)
        places += [
            {"instance": ordered[at + 1][0].instance, "object": ordered[at + 1][0].sop_uid}
            for at in turns
        ]
    if places:
        return Measured(
            verdict=Verdict.FAIL,
            zh=f"图像编号与解剖顺序不一致 {len(places)} 处。",
            en=f"instance numbers turn back {len(places)} times against the anatomy",
            value=len(places),
            unit="count",
            limit=LIMIT,
            region={"turns": places},
            tags=TAGS,
            suggestion="请按解剖顺序重新编号发送。",
            critical="K8",
        )
    if unnumbered:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="影像无图像编号，顺序不可评价。",
            en="no instance numbers",
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.PASS,
        zh="图像按解剖顺序排列。",
        en="instance numbers follow the anatomy",
        value=0,
        unit="count",
        limit=LIMIT,
        tags=TAGS,
    )


CHECK = SeriesCheck(
    Declared(
        id="geometry.order",
        clauses=(CT, MR),
        criteria=("C12", "K8"),
        evidence=Evidence.B,
        title="层面顺序",
    ),
    lambda view: view.is_stacked,
    measure,
)
