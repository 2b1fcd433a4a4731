"""What the registry takes and gives as JSON, and the rows of an import."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from accord.registry import model as m
from accord.standard.model import Jurisdiction

Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.\-]+$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(max_length=500)]


_PROVINCES = {"重庆市": "重庆", "四川省": "四川"}


def _province(value: object) -> object:
    return _PROVINCES.get(value, value) if isinstance(value, str) else value


Province = Annotated[Literal["重庆", "四川"], BeforeValidator(_province)]


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) else value


class Row(BaseModel):
    """The base of everything taken in: unknown fields are an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Period(Row):
    """A half-open period in local days; an open end is null."""

    valid_from: date
    valid_to: date | None = None

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"终止日期 {self.valid_to} 须晚于起始日期 {self.valid_from}")
        return self


class AuthorityRow(Row):
    """A health commission."""

    code: Code
    name: Words
    province: Province
    jurisdiction: Jurisdiction


class CentreRow(Row):
    """A QC centre."""

    code: Code
    name: Words
    rank: Annotated[m.CentreRank, BeforeValidator(m.parse_centre_rank)]
    province: Province
    authority: Code
    jurisdiction: Jurisdiction | None = None
    valid_from: date


def _level(value: object) -> object:
    return m.parse_level(value) if isinstance(value, str) else value


def _ownership(value: object) -> object:
    return m.parse_ownership(value) if isinstance(value, str) else value


class InstitutionRow(Period):
    """An institution; without a level it has that of its licence holder."""

    code: Code
    name: Words
    level: Annotated[tuple[m.Level, str] | None, BeforeValidator(_level)] = None
    grade: Note = ""
    ownership: Annotated[m.Ownership, BeforeValidator(m.parse_ownership)]
    province: Province
    area: Note = ""
    campus: Note = ""
    licence_holder: Code | Literal[""] = ""
    authority: Code
    jurisdiction: Jurisdiction | None = None
    registry_complete: bool = False
    radiology_licence: Note = ""


class InstitutionChange(Row):
    """What changes of an institution from a day on; what is not given stays."""

    from_day: date
    name: Words | None = None
    level: Annotated[tuple[m.Level, str] | None, BeforeValidator(_level)] = None
    ownership: Annotated[m.Ownership | None, BeforeValidator(_ownership)] = None
    area: Note | None = None
    campus: Note | None = None
    registry_complete: bool | None = None
    radiology_licence: Note | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields of the institution that change."""
        given = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name not in {"from_day", "level"} and getattr(self, name) is not None
        }
        if self.level is not None:
            given["level"], given["grade"] = self.level
        return given


class MemberRow(Row):
    """A member of a consortium; without days it has those of the consortium."""

    institution: Code
    valid_from: date | None = None
    valid_to: date | None = None


def _member(value: object) -> object:
    return {"institution": value} if isinstance(value, str) else value


class ConsortiumRow(Period):
    """A consortium with members."""

    code: Code
    name: Words
    kind: Annotated[m.ConsortiumKind, BeforeValidator(m.parse_consortium_kind)]
    all_items: bool = False
    authority: Code
    jurisdiction: Jurisdiction | None = None
    members: list[Annotated[MemberRow, BeforeValidator(_member)]] = []


class TestRow(Period):
    """A test of a device."""

    __test__ = False  # not a test of pytest's

    kind: m.TestKind
    passed: bool
    tested_on: date
    standard: Note = ""
    report_number: Note = ""


class DeviceRow(Period):
    """A device with its tests."""

    id: Code | None = None
    institution: Code
    serial: Annotated[Words, BeforeValidator(_text)]
    kind: m.DeviceKind
    manufacturer: Note = ""
    model: Annotated[Note, BeforeValidator(_text)] = ""
    cannot_send: list[Code] = []
    review_on: date | None = None
    configuration_licence: Note = ""
    tests: list[TestRow] = []


class StaffRow(Period):
    """A member of the staff; the period is the licence's."""

    institution: Code
    code: Annotated[Code, BeforeValidator(_text)]
    name: Words
    profession: m.Profession
    licence: Annotated[Note, BeforeValidator(_text)] = ""
    scope: Note = ""


class EntryRow(Row):
    """An institution on a list; without days it counts from the day of publication."""

    institution: Code
    valid_from: date | None = None
    valid_to: date | None = None


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("时间须带时区，例如 2026-01-01T09:00:00+08:00")
    return value


Moment = Annotated[datetime, AfterValidator(_aware)]


class ListRow(Row):
    """A list of institutions."""

    id: Code
    title: Words
    authority: Code
    jurisdiction: Jurisdiction | None = None
    published_at: Moment | None = None
    refreshed_at: Moment | None = None
    entries: list[Annotated[EntryRow, BeforeValidator(_member)]] = []


class InspectionRow(Row):
    """A concluded offline inspection."""

    id: Code
    institution: Code
    scope_kind: m.ScopeKind
    scope_value: Annotated[Words, BeforeValidator(_text)]
    centre: Code
    concluded_on: date
    passed: bool
    signatures: list[Words]
    report_number: Note = ""


class QualificationRow(Period):
    """A qualification to grant."""

    id: Code | None = None
    institution: Code
    scope_kind: m.ScopeKind
    scope_value: Annotated[Words, BeforeValidator(_text)]
    mark_scope: Words
    basis: m.Basis
    centre: Code | Literal[""] = ""
    inspection: Code | Literal[""] = ""
    notice: Note = ""
    list_hash: Annotated[str, Field(max_length=64)] = ""


Step = Literal["suspend", "resume", "revoke", "revoke_items"]


class StepBody(Row):
    """From which day a qualification changes, why, and which items are meant."""

    from_day: date
    because: Words
    items: list[int] = []


class StepRow(StepBody):
    """A step in the life of a granted qualification, in an import."""

    qualification: Code
    step: Step


class PostRow(Period):
    """A person's role at an institution or an authority."""

    login: Words
    role: m.RoleName
    institution: Code | None = None
    authority: Code | None = None


class AETitleRow(Period):
    """A calling AE title of an institution."""

    title: Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[\x20-\x5b\x5d-\x7e]+$")]
    institution: Code


class Region(Row):
    """Everything that an import takes, in the order in which it is taken."""

    valid_from: date | None = None
    authorities: list[AuthorityRow] = []
    centres: list[CentreRow] = []
    institutions: list[InstitutionRow] = []
    consortia: list[ConsortiumRow] = []
    devices: list[DeviceRow] = []
    staff: list[StaffRow] = []
    lists: list[ListRow] = []
    inspections: list[InspectionRow] = []
    qualifications: list[QualificationRow] = []
    steps: list[StepRow] = []
    posts: list[PostRow] = []
    ae_titles: list[AETitleRow] = []

    @model_validator(mode="before")
    @classmethod
    def _give_first_day(cls, data: Any) -> Any:
        """Give rows without a first day the one that stands at the top."""
        if not isinstance(data, Mapping) or data.get("valid_from") is None:
            return data
        first = data["valid_from"]
        return {
            kind: [_with_first_day(row, first) for row in rows] if kind in _DATED else rows
            for kind, rows in data.items()
        }


_DATED = frozenset(
    [
        "centres",
        "institutions",
        "consortia",
        "devices",
        "staff",
        "qualifications",
        "posts",
        "ae_titles",
    ]
)


def _with_first_day(row: Any, first: Any) -> Any:
    return {"valid_from": first, **row} if isinstance(row, Mapping) else row
