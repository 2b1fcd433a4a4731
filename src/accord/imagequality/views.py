"""What checks look at: a series or a study with the artefacts that several checks share.

Artefacts are worked out on first use and kept, so that no check computes them again.
"""

from dataclasses import dataclass
from functools import cached_property

from accord.catalogue import Catalogue, Item
from accord.imagequality import geometry
from accord.imagequality.geometry import Geometry, Layout, Tolerances
from accord.imagequality.model import Asked, Kind, Plane, Series, Study, Terms


def tolerances(terms: Terms) -> Tolerances:
    """Return the limits that geometry needs."""
    return Tolerances(
        slices_least=int(terms.limit("slices_least")),
        same_position_mm=terms.limit("same_position_mm"),
        same_direction_cos=terms.limit("same_direction_cos"),
        stray_most=int(terms.limit("stray_most")),
        step_tolerance=terms.limit("step_tolerance"),
        run_least=int(terms.limit("run_least")),
        jump_share=terms.limit("jump_share"),
        cover_least=terms.limit("cover_least"),
        plane_cos_least=terms.limit("plane_cos_least"),
    )


@dataclass(frozen=True)
class SeriesView:
    """One series as checks see it."""

    series: Series
    terms: Terms

    @property
    def uid(self) -> str:
        """Its UID."""
        return self.series.uid

    @cached_property
    def modality(self) -> str | None:
        """DR, CT or MR; none for what the catalogue does not count."""
        for name, spellings in self.terms.words["modalities"].items():
            if self.series.modality in spellings:
                return name
        return None

    @cached_property
    def has_images(self) -> bool:
        """Whether a device acquired pictures in it."""
        return any(one.kind is Kind.IMAGE for one in self.series.pictures)

    @cached_property
    def geometry(self) -> Geometry:
        """Where its slices lie."""
        return geometry.arrange(self.series.frames, self.tolerances)

    @cached_property
    def tolerances(self) -> Tolerances:
        """The limits that geometry needs."""
        return tolerances(self.terms)

    @property
    def decimals(self) -> int:
        """Decimals to which a finding shows millimetres and factors."""
        return int(self.terms.limit("decimals"))

    @property
    def is_sectional(self) -> bool:
        """Whether it is a CT or MR series with pictures."""
        return self.has_images and self.modality in {"CT", "MR"}

    @property
    def is_original(self) -> bool:
        """Whether its first picture was acquired and not derived from others."""
        frames = self.series.frames
        return bool(frames) and "DERIVED" not in frames[0].image_type

    @cached_property
    def planes(self) -> tuple[Plane, ...]:
        """Planes of its stacks."""
        planes = {
            geometry.plane_of(stack.normal, self.tolerances) for stack in self.geometry.stacks
        }
        return tuple(sorted(planes))

    @cached_property
    def directions(self) -> tuple[tuple[Plane, str], ...]:
        """Plane and direction of its stacks, where it is one stack after the other of a plane."""
        told = {
            (geometry.plane_of(stack.normal, self.tolerances), direction)
            for stack in self.geometry.stacks
            if (direction := geometry.direction_of(stack, self.tolerances))
        }
        return tuple(sorted(told)) if len(self.planes) == 1 else ()

    @cached_property
    def thickness_mm(self) -> float | None:
        """Slice thickness that its frames state, the largest where they differ."""
        told = [one.thickness_mm for one in self.series.frames if one.thickness_mm is not None]
        return max(told, default=None)

    @cached_property
    def is_isotropic(self) -> bool:
        """Whether it is a volume acquisition that can be read in every plane."""
        widths = [max(one.spacing) for one in self.series.frames if one.spacing]
        if not self.series.first.is_volume_acquisition or self.thickness_mm is None or not widths:
            return False
        return self.thickness_mm <= self.terms.limit("isotropic_factor") * max(widths)

    @property
    def is_stacked(self) -> bool:
        """Whether it has a stack of slices that can be judged."""
        return self.is_sectional and self.geometry.layout is Layout.STACKS


@dataclass(frozen=True)
class StudyView:
    """One study as checks see it, with what it is judged against."""

    study: Study
    asked: Asked
    terms: Terms
    catalogue: Catalogue

    @cached_property
    def series(self) -> tuple[SeriesView, ...]:
        """Its series."""
        return tuple(SeriesView(one, self.terms) for one in self.study.series)

    @cached_property
    def imaging(self) -> tuple[SeriesView, ...]:
        """Series of DR, CT or MR that hold pictures."""
        return tuple(one for one in self.series if one.has_images and one.modality)

    @cached_property
    def modalities(self) -> frozenset[str]:
        """DR, CT, MR, as its series with pictures are, captures included."""
        return frozenset(
            one.modality
            for one in self.series
            if one.modality
            and any(picture.kind is not Kind.DOCUMENT for picture in one.series.pictures)
        )

    @property
    def item(self) -> Item | None:
        """The item it is judged against."""
        return self.asked.item

    @cached_property
    def anatomy(self) -> str | None:
        """Part of the body: of the item, else the one item part that the headers' term means."""
        if self.item is not None:
            return self.item.anatomy
        parts = {(one.series.first.body_part or "").strip().upper() for one in self.imaging} - {""}
        meant = {one.anatomy for one in self.catalogue.items if one.codes.body_part in parts}
        return meant.pop() if len(meant) == 1 else None
