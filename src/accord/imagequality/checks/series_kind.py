"""Which series can be judged at all; every series gets this answer."""

from accord.imagequality.checks.contract import Declared, SeriesCheck
from accord.imagequality.geometry import Layout
from accord.imagequality.model import Kind, Measured, Verdict
from accord.imagequality.views import SeriesView

WORDS = {
    Layout.MOSAIC: (
        "一帧内拼有多层（MOSAIC），层面位置不可评价。",
        "slices are tiled in one picture",
    ),
    Layout.TOO_FEW: ("层面过少，层面间距与顺序不可评价。", "too few slices for spacing and order"),
    Layout.NO_POSITIONS: (
        "影像头无层面位置或方向，层面间距与顺序不可评价。",
        "no slice position or orientation in the headers",
    ),
}


def measure(view: SeriesView) -> Measured:
    """Pass when the series can be judged by header and geometry, else say why it cannot."""
    kinds = {one.kind for one in view.series.pictures}
    value = {"modality": view.series.modality, "objects": len(view.series.pictures)}
    if kinds == {Kind.DOCUMENT}:
        return Measured(
            verdict=Verdict.NOT_APPLICABLE,
            zh="本序列为报告、标注等文档，不含影像。",
            en="documents only, no pictures",
            value=value,
        )
    if view.modality is None:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh=f"检查类型 {view.series.modality or '未注明'} 不属于 DR、CT、MR，不评价。",
            en=f"modality {view.series.modality or 'not stated'} is not DR, CT or MR",
            value=value,
            tags=("00080060",),
        )
    if not view.has_images:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="本序列仅为屏幕或胶片翻拍（二次获取），不评价几何。",
            en="captures of a screen or film only",
            value=value,
            tags=("00080016",),
        )
    if view.is_sectional and view.geometry.layout in WORDS:
        zh, en = WORDS[view.geometry.layout]
        return Measured(
            verdict=Verdict.NOT_EVALUABLE, zh=zh, en=en, value=value, tags=("00200032",)
        )
    if view.is_sectional and view.geometry.layout is Layout.LOCALISER:
        zh, en = (
            "定位像或多方位序列，不检查层面间距。",
            "a localiser, spacing is not asked about",
        )
    else:
        zh, en = "可按影像头评价。", "can be judged by its headers"
    return Measured(verdict=Verdict.PASS, zh=zh, en=en, value=value)


CHECK = SeriesCheck(
    Declared(id="series.kind", clauses=("7.3",), title="序列能否评价"),
    lambda _: True,
    measure,
)
