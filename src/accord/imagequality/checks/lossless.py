"""Lossless by header (G6, K7): transfer syntax, lossy flag, pixels all there."""

from accord.imagequality.checks.contract import Declared, SeriesCheck
from accord.imagequality.model import Kind, Measured, Picture, Terms, Verdict
from accord.imagequality.views import SeriesView

NOT_LOSSY = (None, "", "00")
TABLE = "7.1/transfer_syntaxes"
PASSES = "pass"
TAGS = ("00020010", "00282110")


def measure(view: SeriesView) -> Measured:
    """Fail when a picture is in a lossy syntax, marked as once lossy, or lacks pixels."""
    found = {
        one.sop_uid: reason
        for one in view.series.pictures
        if one.kind is not Kind.DOCUMENT and (reason := why_lossy(one, view.terms))
    }
    if found:
        return Measured(
            verdict=Verdict.FAIL,
            zh=f"{len(found)} 个影像对象有损压缩或像素不完整。",
            en=f"{len(found)} objects are lossy or damaged",
            value=len(found),
            unit="count",
            region={"objects": found},
            tags=TAGS,
            suggestion="请从设备重新发送原始无损影像。",
            critical="K7",
        )
    return Measured(
        verdict=Verdict.PASS,
        zh="传输语法无损，且未标注曾有损压缩。",
        en="lossless syntax, not marked as once lossy",
        value=0,
        unit="count",
        tags=TAGS,
    )


def why_lossy(one: Picture, terms: Terms) -> str | None:
    """Return why the pixels of an object are not what the device made; none where they are."""
    if one.damage is not None:
        return one.damage
    if one.lossy_flag not in NOT_LOSSY:
        return "lossy_marked"
    rows = {row["uid"]: row["outcome"] for row in terms.rule_set.table(TABLE).rows}
    return None if rows.get(one.syntax) == PASSES else "lossy_syntax"


CHECK = SeriesCheck(
    Declared(
        id="format.lossless", clauses=("7.1", "7.3"), criteria=("K7",), title="无损压缩、像素完整"
    ),
    lambda view: view.modality is not None and view.has_images,
    measure,
)
