"""What the rules of clause 7.3 need to know about one study, and how a study gives it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from accord.catalogue.model import Contrast
from accord.imagequality import geometry
from accord.imagequality.geometry import Layout, Stack
from accord.imagequality.views import SeriesView, StudyView


@dataclass(frozen=True, kw_only=True)
class SeriesEvidence:
    """One series with slices.

    Args:
        uid: Its UID.
        stacks: Positions along the normal of each stack, in instance order.
        is_numbered: Whether every slice has an instance number.
        repeated: Slices at a place that is taken, with nothing to tell them apart.
        displaced: Slices off the line of their stack.
        thickness_mm: Slice thickness.
        plane: axial, coronal, sagittal or oblique, where all stacks have one.
        direction: Patient axis along which instance numbers run, such as `-z`.
        is_volume: Whether it can be read in every plane.
        has_contrast: Whether a contrast agent is stated.
        phase: Phase that its description names.
        has_delay: Whether the start of the injection is stated.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    uid: str = "1"
    stacks: tuple[tuple[float, ...], ...] = ()
    is_numbered: bool = True
    repeated: int = 0
    displaced: int = 0
    thickness_mm: float | None = None
    plane: str | None = None
    direction: str | None = None
    is_volume: bool = False
    has_contrast: bool = False
    phase: str | None = None
    has_delay: bool = False


@dataclass(frozen=True, kw_only=True)
class QualityEvidence:
    """One study.

    Args:
        modality: CT or MR; DR has no slices.
        enhanced: Whether the item asks for contrast; `None` where nobody says.
        many_planes: Whether the part is a joint or spine; `None` where the part is not known.
        device_test: Whether a device test that shows the resolving power is on file.
        series: Its series with slices.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    modality: str | None = None
    enhanced: bool | None = None
    many_planes: bool | None = None
    device_test: bool | None = None
    series: tuple[SeriesEvidence, ...] = ()


def evidence_of(view: StudyView) -> QualityEvidence:
    """Return what the headers of a study say to the rules; localisers and copies are left out."""
    sectional = sorted(view.modalities & {"CT", "MR"})
    return QualityEvidence(
        modality=next(iter(sectional or sorted(view.modalities)), None),
        enhanced=_enhanced(view),
        many_planes=needs_many_planes(view),
        series=tuple(_series(one) for one in view.imaging if one.is_stacked),
    )


def needs_many_planes(view: StudyView) -> bool | None:
    """Say whether the part is a joint or of the spine; nothing where the part is not known."""
    if view.anatomy is None:
        return None
    return any(view.anatomy in parts for parts in view.terms.words["many_planes"].values())


def _enhanced(view: StudyView) -> bool | None:
    if view.item is not None:
        return view.item.contrast is Contrast.ENHANCED
    given = any(p.contrast_agent for one in view.imaging for p in one.series.images)
    return True if given else None


def _series(view: SeriesView) -> SeriesEvidence:
    told = view.directions
    least = view.terms.limit("displacement_mm")
    first = view.series.first
    return SeriesEvidence(
        uid=view.uid,
        stacks=tuple(_positions(stack) for stack in view.geometry.stacks),
        is_numbered=all(stack.in_order is not None for stack in view.geometry.stacks),
        repeated=len(view.geometry.repeated),
        displaced=sum(len(geometry.displaced(stack, least)) for stack in view.geometry.stacks),
        thickness_mm=view.thickness_mm,
        plane=view.planes[0].value if len(view.planes) == 1 else None,
        direction=told[0][1] if len(told) == 1 else None,
        is_volume=view.geometry.layout is Layout.STACKS and view.is_isotropic,
        has_contrast=first.contrast_agent is not None,
        phase=next(
            (
                name
                for name, words in view.terms.words["phases"].items()
                if any(word in view.series.words for word in words)
            ),
            None,
        ),
        has_delay=first.contrast_at is not None,
    )


def _positions(stack: Stack) -> tuple[float, ...]:
    ordered = stack.in_order
    return stack.positions if ordered is None else tuple(at for _, at in ordered)
