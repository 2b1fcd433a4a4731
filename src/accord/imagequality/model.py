"""What a check sees and what it says: frames, series, studies, verdicts with their reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from accord.catalogue import Item
from accord.standard.model import RuleSet, as_json

Vector = tuple[float, float, float]


class Verdict(StrEnum):
    """What a check found; `uncertain` is a hint for a person and never blocks."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNCERTAIN = "uncertain"
    NOT_APPLICABLE = "not_applicable"
    NOT_EVALUABLE = "not_evaluable"


class Scope(StrEnum):
    """What a check looks at."""

    SERIES = "series"
    STUDY = "study"


class Stage(StrEnum):
    """When a check can be asked: before, during or after the examination."""

    PRE = "pre"
    IN = "in"
    POST = "post"


class Evidence(StrEnum):
    """How a check was shown to work: A real labels, B simulated on real images, C rule only."""

    A = "A"
    B = "B"
    C = "C"


class Kind(StrEnum):
    """What the objects of a series are."""

    IMAGE = "image"
    CAPTURE = "capture"
    DOCUMENT = "document"


class Plane(StrEnum):
    """Plane of a stack, by the axis that its normal is nearest to."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    OBLIQUE = "oblique"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture: a classic object, or one frame of a multi-frame object.

    Args:
        sop_uid: Object it is in.
        number: Frame in the object, from 1.
        instance: Instance Number of the object.
        position: Image Position (Patient) in mm.
        row: Direction of a row, first half of Image Orientation (Patient).
        column: Direction of a column, its second half.
        rows: Rows of the picture.
        columns: Columns of the picture.
        spacing: Pixel Spacing in mm, between rows and between columns.
        thickness_mm: Slice Thickness.
        image_type: Image Type, or Frame Type.
        acquisition: Acquisition Number.
        acquired_at: When it was acquired.
        dimensions: What tells apart pictures of one place: echo, b-value, phase, by name.
        in_volume: Whether one object holds many frames.
        laterality: Frame or Image Laterality.
        view: View of a film as the catalogue names it.
        stated_view: View as the header states it.
    """

    sop_uid: str
    number: int = 1
    instance: int | None = None
    position: Vector | None = None
    row: Vector | None = None
    column: Vector | None = None
    rows: int | None = None
    columns: int | None = None
    spacing: tuple[float, float] | None = None
    thickness_mm: float | None = None
    image_type: tuple[str, ...] = ()
    acquisition: int | None = None
    acquired_at: datetime | None = None
    dimensions: Mapping[str, object] = field(default_factory=dict)
    in_volume: bool = False
    laterality: str | None = None
    view: str | None = None
    stated_view: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One object as far as its header tells: identity, encoding, contrast, and its frames."""

    sop_uid: str
    sop_class: str
    kind: Kind
    study_uid: str
    series_uid: str
    modality: str = ""
    syntax: str = ""
    lossy_flag: str | None = None
    lossy_traces: tuple[str, ...] = ()
    damage: str | None = None
    patient_id: str | None = None
    accession: str | None = None
    started_at: datetime | None = None
    series_number: int | None = None
    description: str = ""
    protocol: str = ""
    body_part: str | None = None
    laterality: str | None = None
    contrast_agent: str | None = None
    contrast_at: datetime | None = None
    frame_of_reference: str | None = None
    kernel: str | None = None
    is_volume_acquisition: bool = False
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """The objects of one series, in the order they were read."""

    uid: str
    pictures: tuple[Picture, ...]

    @property
    def first(self) -> Picture:
        """The object that speaks for the series."""
        return self.pictures[0]

    @property
    def modality(self) -> str:
        """Modality as the header states it."""
        return self.first.modality

    @property
    def words(self) -> str:
        """Description and protocol in lower case, to look for words in."""
        return f"{self.first.description} {self.first.protocol}".casefold()

    @property
    def images(self) -> tuple[Picture, ...]:
        """Objects with pixels that a device acquired."""
        return tuple(one for one in self.pictures if one.kind is Kind.IMAGE)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Frames of all images; an object that came in several encodings counts once."""
        objects = {one.sop_uid: one for one in reversed(self.images)}
        return tuple(frame for one in reversed(objects.values()) for frame in one.frames)


@dataclass(frozen=True, slots=True)
class Study:
    """The series of one study."""

    uid: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is known of the order and of the technologist's record; `None` means unknown.

    Args:
        accession: 检查号.
        started_at: Start that the technologist recorded.
        ended_at: End that the technologist recorded.
        side: Side that the order names.
    """

    accession: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that this package chose; none of them stands in the standard.

    Args:
        name: Its name.
        value: Its value.
        unit: Its unit.
        version: Version of the file it stands in.
        why: Where it comes from.
    """

    name: str
    value: float
    unit: str
    version: str
    why: str


@dataclass(frozen=True, slots=True)
class Terms:
    """By what checks compare: the standard, and what this package chose itself.

    Args:
        rule_set: The standard.
        limits: Our own numbers.
        words: Our own lists of words, such as the joints.
    """

    rule_set: RuleSet
    limits: Mapping[str, Limit]
    words: Mapping[str, Mapping[str, tuple[str, ...]]]

    def limit(self, name: str) -> float:
        """Return one of our own numbers."""
        return self.limits[name].value

    def cited(self, name: str) -> dict[str, object]:
        """Return a number as a finding cites it, ours by name, the standard's by `clause/name`."""
        if name in self.limits:
            ours = self.limits[name]
            parts = {"name": name, "value": ours.value, "unit": ours.unit, "version": ours.version}
            return {**parts, "owner": "accord"}
        number = self.rule_set.number(name)
        version = self.rule_set.version
        told = {"name": name, "value": number.value, "unit": number.unit, "version": version}
        return {**told, "owner": "standard"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a check says of its subject, before it is signed with the check's name.

    Args:
        verdict: What was found.
        zh: One sentence for people here.
        en: The same in English.
        value: What was measured.
        unit: Its unit.
        limit: Name of the number it was compared with.
        region: Where: objects, frames, positions.
        tags: DICOM attributes the answer rests on.
        suggestion: What to do, in Chinese.
        critical: Critical defect (K1 … K10) that this is, if it is one.
    """

    verdict: Verdict
    zh: str
    en: str
    value: object = None
    unit: str | None = None
    limit: str | None = None
    region: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    suggestion: str | None = None
    critical: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinding:
    """The answer of one check about one series or study, with its reasons."""

    check: str
    version: str
    clauses: tuple[str, ...]
    criteria: tuple[str, ...]
    scope: Scope
    stages: tuple[Stage, ...]
    evidence: Evidence
    measured: Measured
    limit: Mapping[str, object] | None = None

    @property
    def verdict(self) -> Verdict:
        """What was found."""
        return self.measured.verdict

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; what is empty is left out, the verdict and both texts never."""
        told = self.measured
        parts: dict[str, object] = {
            "check": self.check,
            "version": self.version,
            "clauses": self.clauses,
            "criteria": self.criteria,
            "scope": self.scope,
            "stages": self.stages,
            "evidence": self.evidence,
            "verdict": told.verdict,
            "value": told.value,
            "unit": told.unit,
            "limit": self.limit,
            "region": told.region or None,
            "tags": told.tags,
            "text_zh": told.zh,
            "text_en": told.en,
            "suggestion_zh": told.suggestion,
            "critical": told.critical,
        }
        return {key: as_json(part) for key, part in parts.items() if part is not None}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a study is judged against; nothing of it need be known."""

    item: Item | None = None
    order: Order | None = None
