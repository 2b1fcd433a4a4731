"""Items of 附录A as values: what the draft prints, and the canonical parts that are compared.

Matching never uses the printed category and region columns: they mix MR with MRI and 头, 头部
with 头颅 (D6).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CODE_PREFIX = "CYHR-"


class Modality(StrEnum):
    """Kind of examination as the catalogue counts it; mammography counts as DR (D14)."""

    DR = "DR"
    CT = "CT"
    MR = "MR"


class Side(StrEnum):
    """Side an item names."""

    LEFT = "L"
    RIGHT = "R"
    BOTH = "B"
    NONE = "none"
    UNSPECIFIED = "unspecified"


class AcquiredSides(StrEnum):
    """What an item without a named side is acquired on (RD-6.3-SIDE)."""

    BOTH = "both"
    OPEN = "open"


class Contrast(StrEnum):
    """Whether contrast agent belongs to the item; plain films have no such part."""

    PLAIN = "plain"
    ENHANCED = "enhanced"
    NOT_APPLICABLE = "na"


class AgeGroup(StrEnum):
    """Age the item is meant for (RD-A-INFANT)."""

    INFANT = "infant"


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two items the same; unique over a catalogue version (RD-6.3-MATCH)."""

    modality: Modality
    anatomy: str
    laterality: Side
    contrast: Contrast
    projections: frozenset[str]


@dataclass(frozen=True, slots=True)
class Codes:
    """Substitute codes of an item, until the table of WS/T 364.8 can be loaded.

    Args:
        sct: SNOMED CT code of the part, as DICOM uses it; `None` where none is certain.
        sct_meaning: Its English meaning.
        sct_match: `exact`, `approximate` or `none`.
        body_part: DICOM Body Part Examined term; `None` where Annex L has none.
        laterality_sct: SNOMED CT code of the side.
        views: SNOMED CT codes of the views, as `code^meaning`.
        view_modifiers: Modifiers of single views, as `TOKEN=code^meaning`.
        dicom_modalities: Values of (0008,0060) the item may arrive with.
    """

    sct: str | None
    sct_meaning: str | None
    sct_match: str
    body_part: str | None
    laterality_sct: str | None
    views: tuple[str, ...]
    view_modifiers: tuple[str, ...]
    dicom_modalities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Item:
    """One 互认项目.

    Args:
        no: Its 序号 in 附录A.
        name: Its name as printed.
        modality_raw: Category as printed (D6).
        region_raw: Region as printed (D6).
        key: The parts by which items are compared.
        acquired: For an item that names no side: both in one pass, or whichever was taken.
        age_group: Age it is meant for, where its name says so (D18).
        position: Position its name asks for.
        needs_confirmation: Drafting defect that makes its meaning doubtful (D8).
        aliases: Other spellings that mean it (D7).
        family: Family by which qualifications are granted (RD-9.1-FAMILY).
        codes: Substitute codes.
        note: Remark of the reviewer of the codes.
    """

    no: int
    name: str
    modality_raw: str
    region_raw: str
    key: Key
    acquired: AcquiredSides | None
    age_group: AgeGroup | None
    position: str | None
    needs_confirmation: str | None
    aliases: tuple[str, ...]
    family: str
    codes: Codes
    note: str | None = None

    @property
    def code(self) -> str:
        """Code of the item on the wire, such as `CYHR-013`."""
        return f"{CODE_PREFIX}{self.no:03d}"

    @property
    def modality(self) -> Modality:
        """Kind of examination."""
        return self.key.modality

    @property
    def anatomy(self) -> str:
        """Canonical part of the body."""
        return self.key.anatomy

    @property
    def laterality(self) -> Side:
        """Side the item names."""
        return self.key.laterality

    @property
    def contrast(self) -> Contrast:
        """Plain, enhanced, or without such a part."""
        return self.key.contrast

    @property
    def projections(self) -> frozenset[str]:
        """Views the item consists of; empty for CT and MR."""
        return self.key.projections


@dataclass(frozen=True, slots=True)
class Family:
    """Items that are qualified together (RD-9.1-FAMILY)."""

    code: str
    title: str
    modality: Modality
    items: frozenset[int]


class How(StrEnum):
    """By what an item was found."""

    CODE = "code"
    EXACT = "exact"
    ALIAS = "alias"
    UNMAPPED = "unmapped"


@dataclass(frozen=True, slots=True)
class Match:
    """The item a name or code means, and why; without an item the name is still to be mapped."""

    item: Item | None
    how: How
    because: Mapping[str, object] = field(default_factory=dict)


_FOLDED_PREFIX = CODE_PREFIX.casefold()
_NUMBER = re.compile(r"[0-9]{1,3}")


def fold(name: str) -> str:
    """Return the form in which item names are compared: NFKC, lower case, without spaces."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if not char.isspace())


@dataclass(frozen=True)
class Catalogue:
    """One version of 附录A."""

    version: str
    title: str
    items: tuple[Item, ...]
    families: Mapping[str, Family]
    _by_no: Mapping[int, Item] = field(init=False, repr=False, compare=False)
    _by_name: Mapping[str, Item] = field(init=False, repr=False, compare=False)
    _of_modality: Mapping[str, frozenset[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_no", {item.no: item for item in self.items})
        names = {fold(name): item for item in self.items for name in (item.name, *item.aliases)}
        object.__setattr__(self, "_by_name", names)
        of_modality = {
            kind.value: frozenset(item.no for item in self.items if item.modality is kind)
            for kind in Modality
        }
        object.__setattr__(self, "_of_modality", of_modality)

    def by_no(self, no: int) -> Item | None:
        """Return the item of a 序号, or none."""
        return self._by_no.get(no)

    def by_name(self, name: str) -> Item | None:
        """Return the item printed with this name, spaces and width aside (D7 included)."""
        return self._by_name.get(fold(name))

    def by_code(self, code: str) -> Item | None:
        """Return the item of a code such as `CYHR-013`, or of its bare number."""
        number = fold(code).removeprefix(_FOLDED_PREFIX)
        return self.by_no(int(number)) if _NUMBER.fullmatch(number) else None

    def by_key(self, key: Key) -> Item | None:
        """Return the item with exactly this key."""
        return next((item for item in self.items if item.key == key), None)

    def match(
        self,
        name: str | None,
        *,
        institution: str,
        aliases: Mapping[tuple[str, str], int],
        code: str | None = None,
    ) -> Match:
        """Find the item meant by a code, a printed name, or an approved alias of the institution.

        Nothing is guessed: a name that none of these knows stays unmapped and goes to people.

        Args:
            name: Local name of the examination; a code such as `CYHR-013` counts as one.
            institution: Whose name it is.
            aliases: Approved mappings, `(institution, folded name) → 序号`.
            code: Code sent beside the name; one of the hospital's own, even `13`, says nothing.
        """
        for written in (code, name):
            is_ours = written is not None and fold(written).startswith(_FOLDED_PREFIX)
            if written and is_ours and (item := self.by_code(written)):
                return Match(item, How.CODE, {"code": written})
        if name is None:
            return Match(None, How.UNMAPPED, {"code": code, "missing": "name"})
        if item := self.by_name(name):
            return Match(item, How.EXACT, {"name": item.name})
        number = aliases.get((institution, fold(name)))
        if number is not None and (item := self.by_no(number)):
            return Match(item, How.ALIAS, {"name": name, "institution": institution})
        return Match(None, How.UNMAPPED, {"name": name, "institution": institution})

    def scope(self, kind: str, value: str) -> frozenset[int]:
        """Return the items a qualification covers; nothing for a scope that is not known.

        Args:
            kind: `item`, `family` or `modality`.
            value: An item code or number, a family code, or a modality.
        """
        if kind == "item":
            item = self.by_code(value)
            return frozenset({item.no}) if item else frozenset()
        if kind == "family":
            family = self.families.get(value)
            return family.items if family else frozenset()
        if kind == "modality":
            return self._of_modality.get(value, frozenset())
        return frozenset()
