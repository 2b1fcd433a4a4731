"""Missing views of a film examination (G4 漏扫, K3): what the item asks for against the header."""

from collections.abc import Iterator

from accord.catalogue.model import Modality, Side
from accord.imagequality.checks.contract import AFTER_A_SERIES, Declared, StudyCheck
from accord.imagequality.model import Frame, Measured, Verdict
from accord.imagequality.views import StudyView

BOTH = "B"
TAGS = ("00185101", "00540220", "00200062")


def measure(view: StudyView) -> Measured:
    """Fail when no exposure can be a view that the item asks for, on each side it asks for.

    An exposure whose header names no known view may be any view: then nothing is proven missing.
    """
    frames = [frame for one in view.imaging for frame in one.series.frames]
    lacking = sorted(
        f"{wanted} {side}".strip()
        for side in _sides(view)
        for wanted in (view.item.projections if view.item else ())
        if not any(_gives(frame, wanted, side, view) for frame in frames)
    )
    unknown = [one for one in frames if one.view is None]
    if not lacking:
        return Measured(
            verdict=Verdict.PASS,
            zh="项目要求的体位齐全。",
            en="every view of the item is there",
            value=len(frames),
            unit="views",
            tags=TAGS,
        )
    if unknown:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh=f"{len(unknown)} 幅影像未注明可识别的体位，无法判断是否缺少 {'、'.join(lacking)}。",
            en=f"{len(unknown)} images state no known view, {', '.join(lacking)} may be among them",
            region={"objects": [one.sop_uid for one in unknown]},
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.FAIL,
        zh=f"缺少项目要求的体位：{'、'.join(lacking)}。",
        en=f"views of the item are missing: {', '.join(lacking)}",
        value=len(lacking),
        unit="views",
        region={"missing": lacking},
        tags=TAGS,
        suggestion="请在患者离开前补摄所缺体位，或核对影像头体位标注。",
        critical="K3",
    )


def _sides(view: StudyView) -> Iterator[str]:
    """Name the sides on which each view is asked for; one unnamed where it does not matter."""
    if view.item is not None and view.item.laterality is Side.BOTH:
        yield from (Side.LEFT.value, Side.RIGHT.value)
    else:
        yield ""


def _gives(frame: Frame, wanted: str, side: str, view: StudyView) -> bool:
    spellings = view.terms.words["gives"].get(wanted, (wanted,))
    is_side = not side or frame.laterality in {None, "", BOTH, "U", side}
    return frame.view in spellings and is_side


CHECK = StudyCheck(
    Declared(
        id="item.missing_view",
        clauses=("7.3.1.1",),
        criteria=("D1", "G1", "K3"),
        stages=AFTER_A_SERIES,
        title="缺少体位",
    ),
    lambda view: (
        view.item is not None
        and view.item.modality is Modality.DR
        and bool(view.item.projections)
        and "DR" in view.modalities
    ),
    measure,
)
