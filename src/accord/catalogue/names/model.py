"""Names of examinations as values: what was asked, what was read, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from accord.catalogue.model import Side


class Kind(StrEnum):
    """The five answers to a local name."""

    ITEM = "item"
    OUT_OF_CATALOGUE = "out_of_catalogue"
    AMBIGUOUS = "ambiguous"
    MULTIPLE = "multiple"
    NOT_AN_EXAM = "not_an_exam"


@dataclass(frozen=True, slots=True)
class SeriesName:
    """What the header of one series says, for the series of each item."""

    uid: str
    description: str | None = None
    protocol: str | None = None
    body_part: str | None = None
    laterality: str | None = None
    view_position: str | None = None
    contrast_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    r"""A local name and the DICOM fields beside it.

    Fields of several values are joined with a backslash, as DICOM does (`AP\LL`).
    """

    name: str = ""
    modality: str = ""
    body_part: str = ""
    view_position: str = ""
    laterality: str = ""
    study_description: str = ""
    series_description: str = ""
    protocol: str = ""
    contrast_agent: str = ""
    code: str = ""
    series: tuple[SeriesName, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """The structured parts read from a name and its fields.

    Attributes:
        modality: DR, CT, MR, `other`, or nothing.
        anatomy: Parts of the body in the words of the lexicon.
        laterality: L, R, B, or none.
        contrast: plain, enhanced, or nothing said.
        projections: View tokens of plain films.
        techniques: Techniques that make another examination.
        age_group: infant or child.
        modifiers: Position, weight-bearing and the like.
        add_ons: 3D, film, fee.
        unread: Words that the lexicon does not know.
        guessed: Words taken for mistyped ones.
    """

    modality: str | None = None
    anatomy: tuple[str, ...] = ()
    laterality: Side = Side.NONE
    contrast: str | None = None
    projections: frozenset[str] = frozenset()
    techniques: tuple[str, ...] = ()
    age_group: str | None = None
    modifiers: tuple[str, ...] = ()
    add_ons: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the parts as JSON."""
        return {
            "modality": self.modality,
            "anatomy": list(self.anatomy),
            "laterality": self.laterality.value,
            "contrast": self.contrast,
            "projections": sorted(self.projections),
            "techniques": list(self.techniques),
            "age_group": self.age_group,
            "modifiers": list(self.modifiers),
            "add_ons": list(self.add_ons),
            "unread": list(self.unread),
            "guessed": list(self.guessed),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a local name means.

    Attributes:
        kind: One of the five answers.
        items: The item, the candidates of an ambiguous name, or the items covered.
        confidence: Measured share of right answers among those reached the same way.
        because: The reasons, in the order in which they were found.
        parts: What was read.
        contradictions: Fields that contradict each other: side, contrast, modality, part.
        assumptions: What the name did not say and custom adds.
        more: The order holds more than the items: further views or scans.
        series: For several items, the UIDs of the series of each.
        concepts: Entries of the lexicon that were used (for what a change can move).
    """

    kind: Kind
    items: tuple[int, ...] = ()
    confidence: float = 1.0
    because: tuple[str, ...] = ()
    parts: Parts = field(default_factory=Parts)
    contradictions: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    series: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    concepts: frozenset[str] = frozenset()

    @property
    def item(self) -> int | None:
        """Return the number of the item, for an answer that is one item."""
        return self.items[0] if self.kind is Kind.ITEM else None

    def as_dict(self) -> dict[str, object]:
        """Return the answer as JSON."""
        return {
            "kind": self.kind.value,
            "items": list(self.items),
            "confidence": self.confidence,
            "because": list(self.because),
            "parts": self.parts.as_dict(),
            "contradictions": list(self.contradictions),
            "assumptions": list(self.assumptions),
            "more": list(self.more),
            "series": {str(no): list(uids) for no, uids in self.series.items()},
        }
