"""Planes of joints and spine in MR (M4, M8): at least as many as the text asks for."""

from accord.imagequality.checks.contract import MR, Declared, StudyCheck
from accord.imagequality.evidence import evidence_of, needs_many_planes
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.rules.mr import LEAST, directions, has_volume, planes
from accord.imagequality.views import StudyView

TAGS = ("00200037",)


def measure(view: StudyView) -> Measured:
    """Fail a joint or spine with too few planes, as R7.3-5 does; a volume gives them all.

    Where every series is oblique and they are too few, the rule does not answer, nor does this.
    """
    series = evidence_of(view).series
    found = planes(series)
    told = "、".join(sorted(found)) or "无"
    if has_volume(series) or view.terms.rule_set.is_met(LEAST, len(found)):
        verdict, zh, suggestion = Verdict.PASS, f"方位：{told}。", None
    elif not directions(series):
        verdict = Verdict.NOT_EVALUABLE
        zh, suggestion = f"各序列方向不可判定，方位：{told}。", None
    else:
        verdict = Verdict.FAIL
        zh = f"关节、脊柱应多方位显示，现仅有：{told}。"
        suggestion = "请补充另一方位的序列，或核对序列是否全部发送。"
    return Measured(
        verdict=verdict,
        zh=zh,
        en=f"planes: {', '.join(sorted(found)) or 'none'}",
        value=len(found),
        unit="planes",
        limit=LEAST,
        tags=TAGS,
        suggestion=suggestion,
    )


CHECK = StudyCheck(
    Declared(
        id="study.planes",
        version="1.1.0",
        clauses=(MR,),
        criteria=("M8", "M13"),
        title="多方位显示",
    ),
    lambda view: (
        needs_many_planes(view) is True
        and any(one.is_stacked and one.modality == "MR" for one in view.imaging)
    ),
    measure,
)
