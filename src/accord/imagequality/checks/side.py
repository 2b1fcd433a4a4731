"""Side in the header (G5, K2): against the item, the order, and itself.

A silent header is no defect; marker and mirrored anatomy need the pixels and are not asked here.
"""

from accord.catalogue.model import Side
from accord.imagequality.checks.contract import Declared, StudyCheck
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import StudyView

ONE_SIDED = ("L", "R")
TAGS = ("00200060", "00200062", "00209072")


def measure(view: StudyView) -> Measured:
    """Fail when the header names the other side, or two sides for one picture."""
    wanted = _wanted(view)
    stated = _stated(view)
    torn = [
        frame.sop_uid
        for one in view.imaging
        for picture in one.series.images
        for frame in picture.frames
        if {picture.laterality, frame.laterality} >= set(ONE_SIDED)
    ]
    if torn:
        return _fail("影像头两处侧别相互矛盾。", "the header names both sides of a picture", torn)
    other = [uid for uid, side in stated.items() if wanted is not None and side != wanted]
    if other:
        return _fail(
            f"影像头侧别与申请或项目（{wanted}）不一致。",
            f"the header does not name the side that was asked for ({wanted})",
            other,
        )
    if not stated:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="影像头未注明侧别，不作为缺陷。",
            en="the header names no side, which is no defect",
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.PASS,
        zh="侧别无矛盾。",
        en="no contradiction in the side",
        value=sorted(set(stated.values())),
        tags=TAGS,
    )


def _fail(zh: str, en: str, objects: list[str]) -> Measured:
    return Measured(
        verdict=Verdict.FAIL,
        zh=zh,
        en=en,
        value=len(objects),
        unit="count",
        region={"objects": objects},
        tags=TAGS,
        suggestion="请核对申请单、铅字标识与影像头，由人员确认后更正。",
        critical="K2",
    )


def _wanted(view: StudyView) -> str | None:
    if view.item is not None and view.item.laterality in {Side.LEFT, Side.RIGHT}:
        return view.item.laterality.value
    side = view.asked.order.side if view.asked.order else None
    return side if side in ONE_SIDED else None


def _stated(view: StudyView) -> dict[str, str]:
    return {
        frame.sop_uid: frame.laterality
        for one in view.imaging
        for frame in one.series.frames
        if frame.laterality in ONE_SIDED
    }


CHECK = StudyCheck(
    Declared(
        id="item.side",
        clauses=("7.3.1.1", "7.3.2.1"),
        criteria=("D4", "G4", "K2"),
        title="侧别一致",
    ),
    lambda view: bool(view.imaging) and (_wanted(view) is not None or bool(_stated(view))),
    measure,
)
