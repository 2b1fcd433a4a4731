"""What hospitals send of patients, and what they get back: never a number of a document."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from accord.identity.model import (
    IdState,
    IdType,
    Patient,
    PatientRecord,
    Sex,
    Task,
    TaskDecision,
    TaskKind,
    parse_id_type,
)

LocalId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\\]+$")]


class Body(BaseModel):
    """The base of everything taken in: unknown fields are an error, not ignored."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )


class PatientBody(Body):
    """A patient of the caller's institution."""

    local_id: LocalId
    name: Annotated[str, Field(min_length=1, max_length=100)]
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    id_type: IdType | None = None
    id_number: Annotated[str, Field(max_length=40)] | None = None
    id_country: Annotated[str, Field(min_length=3, max_length=3)] = "CHN"
    birth_order: Annotated[int, Field(ge=1, le=9)] | None = None
    phone: Annotated[str, Field(max_length=30)] | None = None

    @field_validator("id_type", mode="before")
    @classmethod
    def _read_type(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse_id_type(value)
        except ValueError:
            raise ValueError("证件类型无法识别") from None

    @model_validator(mode="after")
    def _number_has_a_type(self) -> Self:
        if self.id_number and self.id_type is None:
            raise ValueError("填写证件号码时须注明证件类型")
        return self

    def record(self, authority: str) -> PatientRecord:
        """Return the record as of that assigning authority."""
        return PatientRecord(
            authority=authority,
            local_id=self.local_id,
            name=self.name,
            sex=self.sex.value,
            birth_date=self.birth_date,
            id_type=self.id_type.value if self.id_type else None,
            id_number=self.id_number,
            id_country=self.id_country,
            phone=self.phone,
            birth_order=self.birth_order,
        )


class MergeBody(Body):
    """Two ids that the institution itself found to be one patient."""

    with_local_id: LocalId


class DecisionBody(Body):
    """What people decided, and on what ground."""

    decision: TaskDecision
    note: Annotated[str, Field(min_length=1, max_length=500)]


class UnlinkBody(Body):
    """Why a patient is taken out of its person."""

    note: Annotated[str, Field(min_length=1, max_length=500)]


class PatientView(BaseModel):
    """A patient as its own institution sees it.

    Whether other institutions know the same person is not part of it.
    """

    authority: str
    local_id: str
    name: str
    sex: Sex
    birth_date: date | None
    id_type: IdType | None
    id_state: IdState
    status: Literal["active", "quarantined"]
    version: int
    updated_at: datetime

    @classmethod
    def of(cls, patient: Patient) -> "PatientView":
        """Return what may be shown of a patient."""
        return cls(
            authority=patient.authority,
            local_id=patient.local_id,
            name=patient.name,
            sex=patient.sex,
            birth_date=patient.birth_date,
            id_type=patient.id_type,
            id_state=patient.id_state,
            status="quarantined" if patient.quarantined else "active",
            version=patient.version,
            updated_at=patient.updated_at,
        )


class TaskView(BaseModel):
    """A task of people, with the patients on both sides as far as the caller may see them."""

    id: int
    kind: TaskKind
    patient_id: int
    patient: PatientView
    others: list[PatientView]
    because: list[str]
    opened_at: datetime

    @classmethod
    def of(cls, task: Task) -> "TaskView":
        """Return what is shown of a task."""
        return cls(
            id=task.id,
            kind=task.kind,
            patient_id=task.patient.id,
            patient=PatientView.of(task.patient),
            others=[PatientView.of(other) for other in task.others],
            because=list(task.because),
            opened_at=task.opened_at,
        )
