"""Numbers of identity documents: form, check digit, agreement with the record (R-ID-1).

The region of a number is never tested: it is the place of first registration, and most people of
Chongqing carry one that no longer exists.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from accord.identity.model import IdState, IdType, PatientRecord, Sex, parse_id_type

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"
_EIGHTEEN: Final = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_FIFTEEN: Final = re.compile(r"[1-9][0-9]{14}", re.ASCII)
_RESIDENCE_PREFIXES: Final = ("81", "82", "83")
_FOREIGNER_PREFIX: Final = "9"
_OLDEST: Final = 130
_FORMS: Final = {
    IdType.PASSPORT: re.compile(r"[A-Z0-9]{5,20}", re.ASCII),
    IdType.HM_PERMIT: re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?", re.ASCII),
    IdType.TW_PERMIT: re.compile(r"[0-9]{8}(?:[0-9]{2}(?:\([A-Z0-9]\))?)?", re.ASCII),
    IdType.FOREIGNER_RESIDENCE: re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]", re.ASCII),
}
_COUNTRY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_CHINA: Final = "CHN"
_FILLERS: Final = ("0123456789" * 2, "1234567890" * 2, "9876543210" * 2, "12345678" * 3)
_FILLER_WORDS: Final = frozenset(
    {
        "无",
        "不详",
        "未知",
        "无证件",
        "未带",
        "拒绝提供",
        "NONE",
        "NULL",
        "UNKNOWN",
        "N/A",
        "NA",
        "-",
    }
)


@dataclass(frozen=True)
class Number:
    """What a number says.

    Attributes:
        state: What it is worth together with the record.
        key: Type, country and number in the one spelling, if it is worth anything.
        kind: Type and country, to tell a renewed document from another person's.
    """

    state: IdState
    key: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class CitizenNumber:
    """A well-formed citizen's number (GB 11643), in its form of eighteen."""

    text: str
    birth_date: date
    sex: Sex


def folded(number: str) -> str:
    """Return a number in the one spelling: NFKC, no spaces, upper case."""
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()


def check_digit(first_seventeen: str) -> str:
    """Return the check digit of GB 11643 (ISO 7064 MOD 11-2)."""
    total = sum(
        int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)
    )
    return _CHECK[total % len(_CHECK)]


def read_citizen_number(number: str, today: date) -> CitizenNumber | None:
    """Read 18 digits, or 15 of the old form; None where anything of the form is wrong.

    The old form has no check digit: what it says must agree with the record before it counts.
    """
    text = folded(number)
    if _FIFTEEN.fullmatch(text):
        seventeen = f"{text[:6]}19{text[6:]}"
        text = seventeen + check_digit(seventeen)
    if not _EIGHTEEN.fullmatch(text) or check_digit(text[:-1]) != text[-1]:
        return None
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
    if born > today or _age(born, today) > _OLDEST:
        return None
    return CitizenNumber(text, born, Sex.MALE if int(text[16]) % 2 else Sex.FEMALE)


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def is_placeholder(number: str) -> bool:
    """Say whether a number was only written to fill the field."""
    text = folded(number)
    digits = text.rstrip("X")
    return (
        text in _FILLER_WORDS
        or not any(char.isdigit() for char in text)
        or len(set(digits)) <= 1
        or any(filler.startswith(digits) for filler in _FILLERS)
    )


def judge(record: PatientRecord, today: date) -> Number:
    """Say what the number of a record is worth."""
    if not record.id_number or not record.id_number.strip() or not record.id_type:
        return Number(IdState.MISSING)
    try:
        kind = parse_id_type(record.id_type)
    except ValueError:
        return Number(IdState.MISSING)
    if is_placeholder(record.id_number):
        return Number(IdState.PLACEHOLDER)
    if kind in {IdType.RESIDENT_CARD, IdType.HMT_RESIDENCE}:
        return _citizen(record, today)
    if kind is IdType.NEWBORN:
        return _newborn(record, today)
    return _other(record, kind)


def _citizen(record: PatientRecord, today: date) -> Number:
    number = read_citizen_number(record.id_number or "", today)
    if number is None:
        return Number(IdState.MALFORMED)
    # The prefix, not the word on the screen, tells the two kinds of card apart.
    residence = number.text.startswith(_RESIDENCE_PREFIXES)
    kind = IdType.HMT_RESIDENCE if residence else IdType.RESIDENT_CARD
    key = _key(kind, _CHINA, number.text)
    return Number(_agreement(record, number), key, _kind(kind, _CHINA))


def _agreement(record: PatientRecord, number: CitizenNumber) -> IdState:
    sex = Sex(record.sex)
    if sex not in {Sex.UNKNOWN, number.sex}:
        return IdState.CONTRADICTS
    if record.birth_date is None:
        return IdState.INCOMPLETE
    if record.birth_date == number.birth_date:
        return IdState.VERIFIED
    if is_derived(record.birth_date) and record.birth_date.year == number.birth_date.year:
        return IdState.DERIVED_BIRTH_DATE
    return IdState.CONTRADICTS


def is_derived(birth_date: date) -> bool:
    """Say whether a birth date may have been made from an age or a year alone."""
    return (birth_date.month, birth_date.day) == (1, 1)


def _newborn(record: PatientRecord, today: date) -> Number:
    mother = read_citizen_number(record.id_number or "", today)
    if mother is None or mother.sex is not Sex.FEMALE:
        return Number(IdState.MALFORMED)
    if record.birth_date is None or record.birth_order is None:
        return Number(IdState.INCOMPLETE)
    if record.birth_date <= mother.birth_date:
        return Number(IdState.CONTRADICTS)
    text = f"{mother.text}#{record.birth_order}#{record.birth_date.isoformat()}"
    key = _key(IdType.NEWBORN, _CHINA, text)
    return Number(IdState.VERIFIED, key, _kind(IdType.NEWBORN, _CHINA))


def _other(record: PatientRecord, kind: IdType) -> Number:
    text = folded(record.id_number or "")
    country = folded(record.id_country) if kind is IdType.PASSPORT else _CHINA
    if not _FORMS[kind].fullmatch(text) or not _COUNTRY.fullmatch(country):
        return Number(IdState.MALFORMED)
    is_new_card = kind is IdType.FOREIGNER_RESIDENCE and text.startswith(_FOREIGNER_PREFIX)
    if is_new_card and check_digit(text[:-1]) != text[-1]:
        return Number(IdState.MALFORMED)
    state = IdState.VERIFIED if record.birth_date is not None else IdState.INCOMPLETE
    return Number(state, _key(kind, country, text), _kind(kind, country))


def _key(kind: IdType, country: str, text: str) -> str:
    return f"{kind.value}|{country}|{text}"


def _kind(kind: IdType, country: str) -> str:
    return f"{kind.value}|{country}"
