"""Captures only (K7): a screen or film was copied where the device's own images are asked for."""

from accord.imagequality.checks.contract import Declared, StudyCheck
from accord.imagequality.model import Kind, Measured, Verdict
from accord.imagequality.views import StudyView

TAGS = ("00080016",)


def measure(view: StudyView) -> Measured:
    """Fail when every picture of a DR, CT or MR study is a capture; captures beside images pass."""
    captures = [
        picture.sop_uid
        for one in view.series
        for picture in one.series.pictures
        if one.modality and picture.kind is Kind.CAPTURE
    ]
    only = bool(captures) and not view.imaging
    return Measured(
        verdict=Verdict.FAIL if only else Verdict.PASS,
        zh="仅有屏幕或胶片翻拍图像，无设备原始影像。" if only else "有设备原始影像。",
        en="captures of a screen or film only" if only else "images of the device are there",
        value=len(captures),
        unit="count",
        region={"objects": captures} if only else {},
        tags=TAGS,
        suggestion="请从设备发送原始 DICOM 影像。" if only else None,
        critical="K7" if only else None,
    )


CHECK = StudyCheck(
    Declared(id="format.capture_only", clauses=("7.1", "7.3"), criteria=("K7",), title="仅有翻拍"),
    lambda view: bool(view.modalities),
    measure,
)
