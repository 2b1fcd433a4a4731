"""Every check of this package, in the order in which they are asked; one file a check."""

from accord.imagequality.checks import (
    capture_only,
    clock,
    direction,
    displacement,
    duplicate,
    frame_of_reference,
    gap,
    identity,
    item_agrees,
    lossless,
    lossy_trace,
    missing_view,
    order,
    planes,
    regular,
    repeat,
    series_kind,
    side,
    uniform,
)
from accord.imagequality.checks.contract import SeriesCheck, StudyCheck

SERIES_CHECKS: tuple[SeriesCheck, ...] = (
    series_kind.CHECK,
    lossless.CHECK,
    lossy_trace.CHECK,
    gap.CHECK,
    duplicate.CHECK,
    order.CHECK,
    displacement.CHECK,
    uniform.CHECK,
    regular.CHECK,
)
STUDY_CHECKS: tuple[StudyCheck, ...] = (
    capture_only.CHECK,
    identity.CHECK,
    item_agrees.CHECK,
    side.CHECK,
    missing_view.CHECK,
    repeat.CHECK,
    clock.CHECK,
    frame_of_reference.CHECK,
    direction.CHECK,
    planes.CHECK,
)

__all__ = ["SERIES_CHECKS", "STUDY_CHECKS"]
