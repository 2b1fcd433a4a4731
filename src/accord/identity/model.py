"""Patients as hospitals register them, and the person that several of them may be.

The key of a patient is always (assigning authority, id); equal ids of two authorities mean
nothing (R-ID-1). A person is a cluster of patients that are certainly one.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final


class Sex(StrEnum):
    """Administrative sex; unknown contradicts nothing."""

    MALE = "M"
    FEMALE = "F"
    OTHER = "O"
    UNKNOWN = "U"


class IdType(StrEnum):
    """Kind of an identity document; part of the key (R-ID-1)."""

    RESIDENT_CARD = "resident_card"
    HMT_RESIDENCE = "hmt_residence"
    PASSPORT = "passport"
    HM_PERMIT = "hm_permit"
    TW_PERMIT = "tw_permit"
    FOREIGNER_RESIDENCE = "foreigner_residence"
    NEWBORN = "newborn"


_TYPE_WORDS: Final[Mapping[str, IdType]] = {
    # CV02.01.101 (WS/T 364.3), then the words of registration screens and HL7 v2 table 0203
    "01": IdType.RESIDENT_CARD,
    "03": IdType.PASSPORT,
    "06": IdType.HM_PERMIT,
    "07": IdType.TW_PERMIT,
    "居民身份证": IdType.RESIDENT_CARD,
    "身份证": IdType.RESIDENT_CARD,
    "二代身份证": IdType.RESIDENT_CARD,
    "港澳台居民居住证": IdType.HMT_RESIDENCE,
    "港澳台居住证": IdType.HMT_RESIDENCE,
    "护照": IdType.PASSPORT,
    "港澳居民来往内地通行证": IdType.HM_PERMIT,
    "台湾居民来往大陆通行证": IdType.TW_PERMIT,
    "台湾居民来往内地通行证": IdType.TW_PERMIT,
    "外国人永久居留身份证": IdType.FOREIGNER_RESIDENCE,
    "外国人永久居留证": IdType.FOREIGNER_RESIDENCE,
    "新生儿": IdType.NEWBORN,
    "母亲身份证": IdType.NEWBORN,
    "NI": IdType.RESIDENT_CARD,
    "NNCHN": IdType.RESIDENT_CARD,
    "PPN": IdType.PASSPORT,
}


def parse_id_type(text: str) -> IdType:
    """Read a code, a word of registration screens or our own identifier as kind of document.

    Raises:
        ValueError: It names no kind that is strong enough to tell people apart.
    """
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    found = _TYPE_WORDS.get(folded) or _TYPE_WORDS.get(folded.upper())
    return found or IdType(folded.lower())


class IdState(StrEnum):
    """What the number of a record is worth.

    Attributes:
        VERIFIED: A strong id: whole, well formed, and in agreement with the record.
        MISSING: None was given, or not of a kind that counts.
        PLACEHOLDER: Written to fill the field.
        MALFORMED: Length, digits, date or check digit are wrong.
        INCOMPLETE: The record lacks what the number must agree with.
        DERIVED_BIRTH_DATE: The record's birth date is the first of January, the number's is not.
        CONTRADICTS: Birth date or sex in the number differ from the record.
    """

    VERIFIED = "verified"
    MISSING = "missing"
    PLACEHOLDER = "placeholder"
    MALFORMED = "malformed"
    INCOMPLETE = "incomplete"
    DERIVED_BIRTH_DATE = "derived_birth_date"
    CONTRADICTS = "contradicts"

    @property
    def needs_people(self) -> bool:
        """Whether somebody has to look at the record."""
        return self in {
            IdState.PLACEHOLDER,
            IdState.MALFORMED,
            IdState.DERIVED_BIRTH_DATE,
            IdState.CONTRADICTS,
        }


@dataclass(frozen=True)
class PatientRecord:
    """A patient as an assigning authority sends it.

    Attributes:
        authority: Who assigns the id: the code of the institution.
        local_id: The id that it gave.
        id_type: One of `IdType`, or a word or code that `parse_id_type` reads.
        id_number: Number of the document; for a newborn the mother's.
        id_country: Issuing country of a passport, three letters.
        birth_order: Order of birth of a newborn registered with the mother's number.
    """

    authority: str
    local_id: str
    name: str
    sex: str = Sex.UNKNOWN.value
    birth_date: date | None = None
    id_type: str | None = None
    id_number: str | None = None
    id_country: str = "CHN"
    phone: str | None = None
    birth_order: int | None = None

    def __repr__(self) -> str:
        """Show no person, so that no log does."""
        return f"PatientRecord({self.authority!r}, {self.local_id!r})"


@dataclass(frozen=True)
class Facts:
    """What two records are compared by.

    Attributes:
        key: The strong id (type, country, number), plain or as a keyed hash; None without a
            verified one.
        kind: Kind and country of the verified id: two ids of one kind that differ are two people's
            or a renewed document's, never a link.
    """

    name: str
    sex: Sex
    birth_date: date | None
    key: str | None = None
    kind: str | None = None


class Same(StrEnum):
    """How two records compare."""

    CERTAIN = "certain"
    CONTRADICTED = "contradicted"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Verdict:
    """Whether two records are one person for the machine, and why.

    Attributes:
        because: Codes of the reasons, such as `name_differs`; never values.
    """

    same: Same
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patient:
    """A patient as kept; the number of the document is not part of it.

    Attributes:
        person_id: The person that it certainly belongs to.
        quarantined: A contradiction is open: nothing of or about it is shown.
    """

    id: int
    person_id: str
    authority: str
    local_id: str
    name: str
    sex: Sex
    birth_date: date | None
    id_type: IdType | None
    id_state: IdState
    quarantined: bool
    version: int
    updated_at: datetime

    def __repr__(self) -> str:
        """Show no person, so that no log does."""
        return f"Patient({self.id}, {self.authority!r}, {self.local_id!r})"


class TaskKind(StrEnum):
    """Why people must look."""

    ID_NOT_VERIFIED = "id_not_verified"
    CONTRADICTION = "contradiction"
    POSSIBLE_SAME = "possible_same"


class TaskDecision(StrEnum):
    """What people decided."""

    LINKED = "linked"
    KEPT_APART = "kept_apart"
    CORRECTED = "corrected"


@dataclass(frozen=True)
class Task:
    """A task of people about a patient.

    Attributes:
        others: Ids of the patients that it may be, or contradicts.
        because: Codes of the reasons.
    """

    id: int
    kind: TaskKind
    patient: Patient
    others: tuple[Patient, ...]
    because: tuple[str, ...]
    opened_at: datetime
    decision: TaskDecision | None = None
    decided_by: str | None = None
    note: str = ""


@dataclass(frozen=True)
class PersonUnlinked:
    """Event: a patient was taken out of a person, whose examinations are no longer its own.

    Who was shown or cited them is told (RD-ID-UNLINK).
    """

    patient_id: int
    from_person: str
