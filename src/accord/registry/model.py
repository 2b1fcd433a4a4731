"""Institutions, their ties and their rights, each with the days on which it holds.

Every period is half-open `[valid_from, valid_to)` in local days (RD-CONV-PERIOD); an open end is
`None`. Words follow rules.md 6.2 (RD-6.2-WORDS).
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from accord.standard.model import Jurisdiction


class Dated:
    """Something that holds on the days of a half-open period."""

    valid_from: date
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        """Say whether it holds on that local day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds, as screens show it; None for an open end."""
        return None if self.valid_to is None else self.valid_to - timedelta(days=1)


class Level(StrEnum):
    """Level of an institution (机构级别); what 6.2 compares."""

    THIRD = "三级"
    SECOND = "二级"
    FIRST = "一级"
    UNRATED = "未定级"

    @property
    def rank(self) -> int:
        """Height for comparing; an unrated institution ranks with the first level."""
        return _RANK_OF_LEVEL[self]


_RANK_OF_LEVEL = {Level.THIRD: 3, Level.SECOND: 2, Level.FIRST: 1, Level.UNRATED: 1}


class Ownership(StrEnum):
    """Whose an institution is."""

    PUBLIC = "public"
    MILITARY = "military"
    PRIVATE = "private"


class ConsortiumKind(StrEnum):
    """Kind of a consortium; only the first two carry a duty (R6.2-6)."""

    URBAN = "urban"
    COUNTY = "county"
    SPECIALIST = "specialist"


class CentreRank(StrEnum):
    """Rank of a QC centre, as its authority sets it (D17)."""

    NATIONAL = "national"
    PROVINCIAL = "provincial"
    PREFECTURE = "prefecture"
    COUNTY = "county"

    @property
    def height(self) -> int:
        """Height for comparing, the national centre highest."""
        return len(_CENTRES_DOWNWARDS) - _CENTRES_DOWNWARDS.index(self)


_CENTRES_DOWNWARDS = (
    CentreRank.NATIONAL,
    CentreRank.PROVINCIAL,
    CentreRank.PREFECTURE,
    CentreRank.COUNTY,
)


class DeviceKind(StrEnum):
    """What a device is (RD-6.1-CR)."""

    DR_PANEL = "DR_PANEL"
    CR_READER = "CR_READER"
    DRF = "DRF"
    MG = "MG"
    CT = "CT"
    MR = "MR"


class TestKind(StrEnum):
    """Kind of a device test; stability tests are for information only (RD-3.2-TESTS)."""

    __test__ = False  # not a test of pytest's

    ACCEPTANCE = "acceptance"
    STATE = "state"
    STABILITY = "stability"


class Profession(StrEnum):
    """What a member of the staff is licensed as."""

    PHYSICIAN = "physician"
    TECHNOLOGIST = "technologist"


class ScopeKind(StrEnum):
    """What a qualification is for: one item, a family of items, a modality."""

    ITEM = "item"
    FAMILY = "family"
    MODALITY = "modality"


class QualificationState(StrEnum):
    """State of a qualification on a day."""

    PASSED = "passed"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


STEPS: Mapping[QualificationState, frozenset[QualificationState]] = {
    QualificationState.PASSED: frozenset(
        {QualificationState.SUSPENDED, QualificationState.REVOKED}
    ),
    QualificationState.SUSPENDED: frozenset(
        {QualificationState.PASSED, QualificationState.REVOKED}
    ),
    QualificationState.REVOKED: frozenset(),
}
"""Where a qualification may go from each state; what is revoked is granted anew, not revived."""


class Basis(StrEnum):
    """On what a qualification rests (RD-9.1-BASIS)."""

    INSPECTION = "inspection"
    TRANSITIONAL = "transitional"


class RoleName(StrEnum):
    """Role of a post."""

    PHYSICIAN = "physician"
    RADIOLOGIST = "radiologist"
    DEPARTMENT = "department"
    PATIENT_ADMIN = "patient_admin"
    QC_CENTRE = "qc_centre"
    HEALTH_AUTHORITY = "health_authority"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class HealthAuthority:
    """A health commission (卫生健康行政部门)."""

    code: str
    name: str
    province: str
    jurisdiction: Jurisdiction


@dataclass(frozen=True)
class QCCentre:
    """A QC centre (质控中心)."""

    code: str
    name: str
    rank: CentreRank
    province: str
    authority: str
    jurisdiction: Jurisdiction


@dataclass(frozen=True)
class Institution(Dated):
    """A medical institution or one campus of it, as it stands on some day.

    Attributes:
        code: Registration number and campus; the key everywhere.
        campus: Name of the campus, if it is registered apart.
        licence_holder: Code of the institution that holds the licence; its own code by default.
            Two campuses of one holder are the same institution to R6.6-1b.
        level: Its level; a campus without its own has the holder's (RD-6.2-WORDS).
        level_is_own: Whether the level was registered for it and not taken from the holder.
        grade: 甲等, 乙等 …; kept, never compared.
        area: City, district or county, for the scope of marks and for statistics.
        authority: Code of the health commission that owns the row.
        registry_complete: Whether devices and staff are declared complete (RD-3.2-REGISTRY).
        radiology_licence: Number of the 放射诊疗许可证, if known.
    """

    code: str
    name: str
    level: Level
    ownership: Ownership
    province: str
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None
    campus: str = ""
    licence_holder: str = ""
    level_is_own: bool = True
    grade: str = ""
    area: str = ""
    registry_complete: bool = False
    radiology_licence: str = ""

    def __post_init__(self) -> None:
        if not self.licence_holder:
            object.__setattr__(self, "licence_holder", self.code)

    @property
    def counts_as_public(self) -> bool:
        """Whether it is public, or military, which counts as public once listed (R6.2-1)."""
        return self.ownership is not Ownership.PRIVATE


@dataclass(frozen=True)
class Consortium(Dated):
    """A consortium with its members on some day.

    Attributes:
        all_items: Switch: duty also for items outside the list (RD-6.2-CONSORTIUM).
        members: Codes of the institutions that belong to it on the day asked.
    """

    code: str
    name: str
    kind: ConsortiumKind
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None
    all_items: bool = False
    members: tuple[str, ...] = ()

    @property
    def carries_duty(self) -> bool:
        """Whether it is one of the two kinds that 6.2 names."""
        return self.kind is not ConsortiumKind.SPECIALIST


@dataclass(frozen=True)
class Membership(Dated):
    """An institution in a consortium over a period."""

    consortium: str
    institution: str
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True)
class DeviceTest(Dated):
    """One test of a device; the period is how long it counts."""

    __test__ = False  # not a test of pytest's

    kind: TestKind
    passed: bool
    tested_on: date
    valid_from: date
    valid_to: date | None = None
    standard: str = ""
    report_number: str = ""


@dataclass(frozen=True)
class Device(Dated):
    """A device with its tests (R3.2-1).

    Attributes:
        id: Stable id over all its versions.
        cannot_send: Elements of the C table (`C5.10`) that it cannot send.
        review_on: Day on which that list of elements is looked at again; after it the excuse
            no longer counts.
        configuration_licence: Number of the 大型医用设备配置许可, where one is asked.
        tests: All its tests, oldest first.
    """

    id: str
    institution: str
    serial: str
    kind: DeviceKind
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None
    manufacturer: str = ""
    model: str = ""
    cannot_send: frozenset[str] = frozenset()
    review_on: date | None = None
    configuration_licence: str = ""
    tests: tuple[DeviceTest, ...] = ()

    def test_on(self, kind: TestKind, day: date) -> DeviceTest | None:
        """Return the newest test of that kind that was done by that day, whatever came out."""
        done = [test for test in self.tests if test.kind is kind and test.tested_on <= day]
        return max(done, key=lambda test: test.tested_on, default=None)

    def is_tested_on(self, day: date) -> bool:
        """Say whether acceptance and state test are passed and in force on that day.

        An acceptance test stands in for the state test for as long as its own period says.
        """
        acceptance = self.test_on(TestKind.ACCEPTANCE, day)
        state = self.test_on(TestKind.STATE, day)
        if acceptance is None or not acceptance.passed:
            return False
        newest = state or acceptance
        return newest.passed and newest.valid_to is not None and newest.is_valid_on(day)

    def excused_on(self, day: date) -> frozenset[str]:
        """Return the elements it need not send on that day."""
        still = self.review_on is not None and day < self.review_on
        return self.cannot_send if still else frozenset()


@dataclass(frozen=True)
class Staff(Dated):
    """A member of the staff with the licence; the period is the licence's."""

    institution: str
    code: str
    name: str
    profession: Profession
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None
    licence: str = ""
    scope: str = ""


@dataclass(frozen=True)
class InstitutionList:
    """A list of institutions as its authority publishes it (R6.2-3).

    Attributes:
        published_at: When it was published; None for a draft, which lists nobody.
        refreshed_at: When a list kept elsewhere was last taken over; None for one kept here,
            which cannot be stale.
    """

    id: str
    title: str
    authority: str
    jurisdiction: Jurisdiction
    published_at: datetime | None = None
    refreshed_at: datetime | None = None


@dataclass(frozen=True)
class ListEntry(Dated):
    """An institution on a list over a period."""

    list_id: str
    institution: str
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True)
class ListStatus:
    """Whether an institution is on a published list on a day.

    Attributes:
        listed: None where no published list of its province is known for that day.
        list_id: The list that names it, else the newest one of the province.
        refreshed_at: As on the list; for judging staleness (RD-6.2-STALE).
    """

    listed: bool | None
    list_id: str | None = None
    published_at: datetime | None = None
    refreshed_at: datetime | None = None


@dataclass(frozen=True)
class Inspection:
    """A concluded offline inspection by a QC centre (R9.1-1)."""

    id: str
    institution: str
    scope_kind: ScopeKind
    scope_value: str
    centre: str
    concluded_on: date
    passed: bool
    signatures: tuple[str, ...]
    jurisdiction: Jurisdiction
    report_number: str = ""


@dataclass(frozen=True)
class Qualification(Dated):
    """The right of an institution for a scope, as it stands on some day (R9.1-1).

    Attributes:
        id: Stable id over all its versions.
        scope_value: Item number, name of the family (`CT-胸`) or modality (`CT`).
        mark_scope: Territory of the mark: 全国, 川渝, 四川, 重庆, or a city, district, consortium.
        centre: Code of the QC centre behind it; empty for a transitional one.
        inspection: Id of the passed inspection, if that is the basis.
        notice: Named notice of a transitional one.
        list_hash: SHA-256 of the list file of a transitional one.
        revoked_items: Items taken out of a wider scope.
        because: Reason of the present state, as the QC centre gave it.
    """

    id: str
    institution: str
    scope_kind: ScopeKind
    scope_value: str
    mark_scope: str
    state: QualificationState
    basis: Basis
    authority: str
    jurisdiction: Jurisdiction
    valid_from: date
    valid_to: date | None = None
    centre: str = ""
    centre_rank: CentreRank | None = None
    inspection: str = ""
    notice: str = ""
    list_hash: str = ""
    revoked_items: frozenset[int] = frozenset()
    because: str = ""


@dataclass(frozen=True)
class PostHeld(Dated):
    """A person's role at an institution or an authority over a period."""

    login: str
    role: RoleName
    valid_from: date
    valid_to: date | None = None
    institution: str | None = None
    authority: str | None = None


_LEVEL_WORDS = {"三": Level.THIRD, "二": Level.SECOND, "一": Level.FIRST}
_OWNERSHIP_WORDS = {
    "公立": Ownership.PUBLIC,
    "军队": Ownership.MILITARY,
    "部队": Ownership.MILITARY,
    "社会办医": Ownership.PRIVATE,
    "民营": Ownership.PRIVATE,
    "私立": Ownership.PRIVATE,
}
_CONSORTIUM_WORDS = {
    "城市医联体": ConsortiumKind.URBAN,
    "城市医疗集团": ConsortiumKind.URBAN,
    "紧密型城市医疗集团": ConsortiumKind.URBAN,
    "县域医共体": ConsortiumKind.COUNTY,
    "紧密型县域医共体": ConsortiumKind.COUNTY,
    "专科联盟": ConsortiumKind.SPECIALIST,
}
_CENTRE_WORDS = {
    "国家级": CentreRank.NATIONAL,
    "省级": CentreRank.PROVINCIAL,
    "地市级": CentreRank.PREFECTURE,
    "市级": CentreRank.PREFECTURE,
    "县级": CentreRank.COUNTY,
    "区县级": CentreRank.COUNTY,
}


def parse_level(text: str) -> tuple[Level, str]:
    """Read 三级甲等, 三甲, 二级, 未定级 … as level and grade; 等 may be missing.

    Raises:
        ValueError: The text names no level.
    """
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    if folded in {"未定级", "未评级", "无", ""}:
        return Level.UNRATED, ""
    level = _LEVEL_WORDS.get(folded[0])
    if level is None:
        raise ValueError(f"机构级别「{text}」无法识别，应为三级、二级、一级或未定级")
    grade = folded[1:].removeprefix("级").removesuffix("等")
    if grade not in {"", "甲", "乙", "丙", "特", "未定", "合格"}:
        raise ValueError(f"机构等次「{grade}」无法识别，应为甲等、乙等、丙等或空")
    return level, f"{grade}等" if grade else ""


def parse_ownership(text: str) -> Ownership:
    """Read the word of a list or our own identifier as ownership."""
    return _parse(text, Ownership, _OWNERSHIP_WORDS, "举办性质")


def parse_consortium_kind(text: str) -> ConsortiumKind:
    """Read the word of a list or our own identifier as kind of consortium."""
    return _parse(text, ConsortiumKind, _CONSORTIUM_WORDS, "医联体类型")


def parse_centre_rank(text: str) -> CentreRank:
    """Read the word of a list or our own identifier as rank of a QC centre."""
    return _parse(text, CentreRank, _CENTRE_WORDS, "质控中心级别")


Word = TypeVar("Word", bound=StrEnum)


def _parse(text: str, kind: type[Word], words: Mapping[str, Word], what: str) -> Word:
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    if folded in words:
        return words[folded]
    try:
        return kind(folded)
    except ValueError:
        raise ValueError(f"{what}「{text}」无法识别，应为：{'、'.join(words)}") from None
