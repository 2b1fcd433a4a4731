"""Suspects pixels that were lossy once and were saved again as lossless (G6), by header traces.

Traces: a compression ratio or method beside a flag that says never lossy, a derivation that names
lossy compression, colour of JPEG in a lossless syntax, eight bits in an original of CT or MR.
"""

from accord.imagequality.checks.contract import Declared, SeriesCheck
from accord.imagequality.checks.lossless import why_lossy
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import SeriesView


def measure(view: SeriesView) -> Measured:
    """Hint at an irreversible step that the header no longer admits; more traces, more doubt."""
    found = {
        one.sop_uid: one.lossy_traces
        for one in view.series.images
        if one.lossy_traces and why_lossy(one, view.terms) is None
    }
    tags = tuple(sorted({tag for traces in found.values() for tag in traces}))
    if found:
        return Measured(
            verdict=Verdict.UNCERTAIN,
            zh=f"{len(found)} 个影像对象带有曾有损压缩的痕迹，请核对是否为原始影像。",
            en=f"{len(found)} objects bear traces of a lossy step",
            value=len(found),
            unit="count",
            limit="bits_acquired_least" if "00280101" in tags else None,
            region={"objects": found},
            tags=tags,
            suggestion="请核对设备导出设置，必要时重新发送原始影像。",
        )
    return Measured(
        verdict=Verdict.PASS,
        zh="影像头无有损压缩痕迹。",
        en="no trace of a lossy step in the headers",
        value=0,
        unit="count",
    )


CHECK = SeriesCheck(
    Declared(id="format.lossy_trace", clauses=("7.1", "7.3"), title="有损后再存为无损的痕迹"),
    lambda view: view.modality is not None and view.has_images,
    measure,
)
