"""Planes of joints and spine in MR (M4, M8): at least as many as the text asks for."""

from accord.imagequality.checks.contract import MR, Declared, StudyCheck
from accord.imagequality.evidence import evidence_of, needs_many_planes
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.rules.mr import LEAST, has_volume, planes
from accord.imagequality.views import StudyView

TAGS = ("00200037",)


def measure(view: StudyView) -> Measured:
    """Hint at a joint or spine with too few planes; a near-isotropic volume gives them all.

    A hint, as series may still be on their way or stand in another study.
    """
    series = evidence_of(view).series
    found = planes(series)
    enough = has_volume(series) or view.terms.rule_set.is_met(LEAST, len(found))
    told = "、".join(sorted(found)) or "无"
    return Measured(
        verdict=Verdict.PASS if enough else Verdict.UNCERTAIN,
        zh=f"方位：{told}。" if enough else f"关节、脊柱应多方位显示，现仅有：{told}。",
        en=f"planes: {', '.join(sorted(found)) or 'none'}",
        value=len(found),
        unit="planes",
        limit=LEAST,
        tags=TAGS,
        suggestion=None if enough else "请补充另一方位的序列，或核对序列是否全部发送。",
    )


CHECK = StudyCheck(
    Declared(id="study.planes", clauses=(MR,), criteria=("M8", "M13"), title="多方位显示"),
    lambda view: (
        needs_many_planes(view) is True
        and any(one.is_stacked and one.modality == "MR" for one in view.imaging)
    ),
    measure,
)
