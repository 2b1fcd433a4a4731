"""The shape of the YAML files: what may stand in them, and nothing else.

An unknown key, a wrong type or a missing unit is refused with the file and the key.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from accord.standard.model import (
    OPERATORS,
    AnsweredBy,
    Found,
    Jurisdiction,
    Modal,
    Need,
    Outcome,
    Severity,
    Status,
    SyntaxKind,
    Unit,
)

Words = Annotated[StrictStr, Field(min_length=1)]
Cell = StrictBool | StrictInt | Decimal | StrictStr | list[StrictInt | StrictStr]
Written = StrictInt | Decimal | StrictStr
Run = Annotated[StrictStr, Field(pattern=r"^[1-9][0-9]*-[1-9][0-9]*$")]
Slug = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Strict(BaseModel):
    """A part of a file in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NumberEntry(Strict):
    """A number under `numbers:`; the text names it (`quote`) or a reading proposes it."""

    quote: Words | None = None
    unit: Unit
    operator: Annotated[StrictStr, Field(pattern=f"^({'|'.join(OPERATORS)})$")] | None = None
    values: Annotated[dict[Words, Written], Field(min_length=1)]
    jurisdiction: Jurisdiction = Jurisdiction.BOTH
    reading: Words | None = None
    note: Words | None = None

    @model_validator(mode="after")
    def _has_an_origin(self) -> Self:
        if self.quote is None and self.reading is None:
            raise ValueError("a number needs the quote that names it or the reading behind it")
        return self


class TableEntry(Strict):
    """A table under `tables:`; a row may leave out a column, never add one."""

    reading: Words | None = None
    columns: Annotated[list[Slug], Field(min_length=1)]
    rows: Annotated[list[dict[Slug, Cell]], Field(min_length=1)]

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        for place, row in enumerate(self.rows, start=1):
            strange = set(row) - set(self.columns)
            if strange:
                raise ValueError(f"row {place} has unknown columns {sorted(strange)}")
            if self.columns[0] not in row:
                raise ValueError(f"row {place} lacks its first column {self.columns[0]}")
        return self


class RuleEntry(Strict):
    """A rule under `rules:`."""

    title: Words
    quote: Words
    summary: Words
    answered_by: AnsweredBy
    modal: Modal = Modal.SHALL
    severity: Severity = Severity.MAJOR
    who: Annotated[list[Slug], Field(min_length=1)]
    where: Slug
    readings: list[Words] = []
    numbers: list[Words] = []
    defects: list[Words] = []
    because: Words | None = None

    @model_validator(mode="after")
    def _says_why_nobody_answers(self) -> Self:
        if (self.answered_by is AnsweredBy.NOTHING) != (self.because is not None):
            raise ValueError("`because` stands exactly where answered_by is nothing")
        return self


class GroundRow(Strict):
    """A row of the table `grounds` of 6.7."""

    code: Annotated[StrictStr, Field(pattern=r"^NR[01][0-9]$")]
    clause: Words
    found: Annotated[tuple[Found, ...], Field(min_length=1)]
    needs: tuple[Need, ...]
    picks: tuple[Words, ...] = ()
    national: Annotated[StrictStr, Field(pattern=r"^N[1-6]$")]
    signal: Words | None = None
    opens_doubt: bool = False

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if {Need.PICK, Need.RELATION, Need.PURPOSE} & set(self.needs) and not self.picks:
            raise ValueError("a pick, relation or purpose needs words to choose from")
        return self


class SyntaxRow(Strict):
    """A row of the table `transfer_syntaxes` of 7.1."""

    uid: Annotated[StrictStr, Field(pattern=r"^[0-9]+(\.[0-9]+)+$", max_length=64)]
    name: Words
    kind: SyntaxKind
    outcome: Outcome
    note: Words | None = None


class FamilyRow(Strict):
    """A row of the table `families` of 9.1; `"4-18"` is a run of items."""

    family: Slug
    category: Annotated[StrictStr, Field(pattern=r"^(DR|CT|MR)$")]
    name: Words
    items: Annotated[list[StrictInt | Run], Field(min_length=1)]


class ClauseFile(Strict):
    """One file of the folder `clauses`."""

    clause: Annotated[StrictStr, Field(pattern=r"^(\d+(\.\d+)*|conv)$")]
    title: Words
    text: Words
    numbers: dict[Slug, NumberEntry] = {}
    tables: dict[Slug, TableEntry] = {}
    rules: dict[Annotated[StrictStr, Field(pattern=r"^R[A-Z0-9.-]+(-?[a-z])?$")], RuleEntry] = {}


class SwitchEntry(Strict):
    """A choice a reading leaves open."""

    name: Slug
    values: Annotated[list[bool | StrictStr], Field(min_length=2)]
    default: bool | StrictStr

    @model_validator(mode="after")
    def _default_is_a_value(self) -> Self:
        if self.default not in self.values:
            raise ValueError(f"default {self.default!r} is none of {self.values}")
        return self


class ReadingEntry(Strict):
    """A reading of the register."""

    title: Words
    text: Words
    owner: Words
    date: date
    switch: SwitchEntry | None = None
    unused_because: Words | None = None


class DefectEntry(Strict):
    """A drafting defect of the register."""

    where: Words
    defect: Words
    answer: Words
    reading: Words | None = None


class RegisterFile(Strict):
    """The file `readings.yaml`."""

    readings: dict[Annotated[StrictStr, Field(pattern=r"^RD-[A-Z0-9.-]+$")], ReadingEntry]
    defects: dict[Annotated[StrictStr, Field(pattern=r"^D[1-9][0-9]*$")], DefectEntry]


class RuleSetEntry(Strict):
    """A version of the standard."""

    title: Words
    status: Status
    jurisdiction: Jurisdiction
    in_force: dict[Jurisdiction, date | None]


class VersionsFile(Strict):
    """The file `rule_sets.yaml`."""

    rule_sets: Annotated[dict[Words, RuleSetEntry], Field(min_length=1)]


class SiteFile(Strict):
    """A file in the folder of the site: other numbers, switched readings, days in force."""

    because: Words
    numbers: dict[Words, dict[Words, Written]] = {}
    switches: dict[Slug, bool | StrictStr] = {}
    in_force: dict[Words, dict[Jurisdiction, date]] = {}
