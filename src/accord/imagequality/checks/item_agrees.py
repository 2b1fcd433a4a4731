"""Item and images (G1, 错扫): category, part of the body and contrast as the headers state them."""

from accord.catalogue.model import Contrast
from accord.imagequality.checks.contract import Declared, StudyCheck
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import StudyView

TAGS = ("00080060", "00180015", "00180010")


def measure(view: StudyView) -> Measured:
    """Fail on another category; hint at another part or contrast, in which headers often err."""
    item = view.item
    wanted = item.modality.value if item is not None else None
    if wanted not in view.modalities:
        return Measured(
            verdict=Verdict.FAIL,
            zh=f"项目为 {wanted}，影像为 {'、'.join(sorted(view.modalities))}。",
            en=f"the item is {wanted}, the images are {', '.join(sorted(view.modalities))}",
            value=sorted(view.modalities),
            tags=TAGS,
            suggestion="请核对申请与影像是否对应。",
            critical="K2",
        )
    doubts = [doubt for doubt in (_part(view), _contrast(view)) if doubt]
    if doubts:
        return Measured(
            verdict=Verdict.UNCERTAIN,
            zh="；".join(zh for zh, _ in doubts) + "。",
            en="; ".join(en for _, en in doubts),
            tags=TAGS,
            suggestion="影像头部位和对比剂可能为设备默认值，请人工核对。",
        )
    return Measured(
        verdict=Verdict.PASS,
        zh="检查类型、部位与项目无矛盾。",
        en="category, part and contrast do not contradict the item",
        value=wanted,
        tags=TAGS,
    )


def _part(view: StudyView) -> tuple[str, str] | None:
    parts = {(one.series.first.body_part or "").strip().upper() for one in view.imaging} - {""}
    wanted = view.item.codes.body_part if view.item else None
    if wanted is None or not parts or wanted in parts:
        return None
    told = "、".join(sorted(parts))
    return f"影像头部位 {told} 与项目部位 {wanted} 不同", f"body part {told}, item {wanted}"


def _contrast(view: StudyView) -> tuple[str, str] | None:
    if view.item is None:
        return None
    given = any(p.contrast_agent for one in view.imaging for p in one.series.images)
    if view.item.contrast is Contrast.ENHANCED and not given:
        return "增强项目的影像头无对比剂记录", "an enhanced item without contrast agent"
    if view.item.contrast is Contrast.PLAIN and given:
        return "平扫项目的影像头有对比剂记录", "a plain item with contrast agent"
    return None


CHECK = StudyCheck(
    Declared(
        id="item.agrees",
        clauses=("7.3.1.1", "7.3.2.1", "7.3.3.1"),
        criteria=("D1", "C1", "M1", "K2"),
        title="与项目一致",
    ),
    lambda view: view.item is not None and bool(view.imaging),
    measure,
)
