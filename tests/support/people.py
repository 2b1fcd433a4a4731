"""Invented people, and hard pairs of records that are labelled one person or two.

Regions of the numbers do not exist (third and fourth digit 99).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from accord.identity.model import PatientRecord
from accord.identity.rules.numbers import check_digit

SURNAMES = "王李张刘陈杨黄赵吴周曾仇解查单欧罗扎"
GIVEN = "伟芳娜敏静丽莉强磊军洋勇艳杰娟涛明超秀霞平刚桂英立利"
REGIONS = ("509901", "519902", "509903", "519904")


@dataclass(frozen=True)
class Pair:
    """Two records, whether they are one person, and what makes them hard."""

    a: PatientRecord
    b: PatientRecord
    same: bool
    kind: str


def make_number(random_: random.Random, born: date, sex: str, region: str | None = None) -> str:
    """Return a citizen's number of eighteen digits."""
    order = random_.randrange(1, 999)
    if (order % 2 == 1) != (sex == "M"):
        order = order - 1 if order > 1 else order + 1
    head = f"{region or random_.choice(REGIONS)}{born:%Y%m%d}{order:03d}"
    return head + check_digit(head)


def make_person(random_: random.Random, number: int) -> PatientRecord:
    """Return a person as one hospital has registered it."""
    born = date(1930, 1, 1) + timedelta(days=random_.randrange(34_000))
    sex = random_.choice("MF")
    name = random_.choice(SURNAMES) + "".join(random_.choices(GIVEN, k=random_.choice((1, 2))))
    return PatientRecord(
        "CQ-A",
        f"A{number}",
        name,
        sex,
        born,
        "resident_card",
        make_number(random_, born, sex),
        phone=f"1{random_.randrange(10**9, 10**10)}",
    )


def make_pairs(seed: int, count: int) -> Iterator[Pair]:
    """Give that many pairs, of every kind in turn, the same for the same seed."""
    random_ = random.Random(seed)
    kinds = (
        _same_as_is, _same_in_15_digits, _same_written_otherwise, _twins, _namesakes,
        _transposed, _one_digit_off, _shared_phone, _borrowed_card, _child_with_mothers_card,
        _same_15_digit_number, _derived_birth_date, _sex_mistyped, _nobody,
    )  # fmt: skip
    for number in range(count):
        one = make_person(random_, number)
        yield kinds[number % len(kinds)](random_, one)


def _elsewhere(one: PatientRecord, **changes: object) -> PatientRecord:
    return replace(one, authority="SC-A", local_id=f"S{one.local_id}", **changes)


def _same_as_is(_random: random.Random, one: PatientRecord) -> Pair:
    return Pair(one, _elsewhere(one), True, "as is")


def _same_in_15_digits(random_: random.Random, one: PatientRecord) -> Pair:
    born = date(1930, 1, 1) + timedelta(days=random_.randrange(25_000))
    number = make_number(random_, born, one.sex)
    one = replace(one, birth_date=born, id_number=number)
    return Pair(one, _elsewhere(one, id_number=number[:6] + number[8:17]), True, "15 digits")


def _same_written_otherwise(_random: random.Random, one: PatientRecord) -> Pair:
    number = one.id_number or ""
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number.lower())
    name = f" {one.name[0]}  {one.name[1:]} "
    return Pair(one, _elsewhere(one, id_number=wide, name=name, sex="U"), True, "full width")


def _twins(random_: random.Random, one: PatientRecord) -> Pair:
    number = make_number(random_, one.birth_date or date.min, one.sex, (one.id_number or "")[:6])
    if number == one.id_number:
        return _borrowed_card(random_, one)
    return Pair(one, _elsewhere(one, name=one.name[0] + "双", id_number=number), False, "twins")


def _namesakes(random_: random.Random, one: PatientRecord) -> Pair:
    number = make_number(random_, one.birth_date or date.min, one.sex)
    if number == one.id_number:
        return _borrowed_card(random_, one)
    return Pair(one, _elsewhere(one, id_number=number), False, "same name and birthday")


def _transposed(random_: random.Random, one: PatientRecord) -> Pair:
    number = one.id_number or ""
    at = random_.randrange(6, 16)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if swapped == number:
        return _one_digit_off(random_, one)
    return Pair(one, _elsewhere(one, id_number=swapped), False, "transposed digits")


def _one_digit_off(random_: random.Random, one: PatientRecord) -> Pair:
    number = one.id_number or ""
    at = random_.randrange(17)
    other = random_.choice([digit for digit in "0123456789" if digit != number[at]])
    changed = number[:at] + other + number[at + 1 :]
    return Pair(one, _elsewhere(one, id_number=changed), False, "one digit off")


def _shared_phone(random_: random.Random, one: PatientRecord) -> Pair:
    other = make_person(random_, 0)
    if other.id_number == one.id_number:
        return _borrowed_card(random_, one)
    return Pair(one, _elsewhere(other, phone=one.phone, name=one.name), False, "shared phone")


def _borrowed_card(random_: random.Random, one: PatientRecord) -> Pair:
    lender = random_.choice([name for name in SURNAMES if name != one.name[0]])
    return Pair(one, _elsewhere(one, name=f"{lender}借"), False, "borrowed card")


def _child_with_mothers_card(_random: random.Random, one: PatientRecord) -> Pair:
    born = date(2026, 3, 5)
    child = _elsewhere(one, name=f"{one.name}之子", birth_date=born, sex="M")
    return Pair(one, child, False, "child with the mother's card")


def _same_15_digit_number(_random: random.Random, one: PatientRecord) -> Pair:
    """Two people of the old time whose fifteen digits are the same: only the birth year differs."""
    born = date(1926, 5, 4)
    head = f"509901{born:%y%m%d}{'017' if one.sex == 'M' else '018'}"
    old = replace(one, birth_date=born, id_number=head)
    return Pair(old, _elsewhere(old, birth_date=date(2026, 5, 4)), False, "15 digits, 100 years")


def _derived_birth_date(_random: random.Random, one: PatientRecord) -> Pair:
    born = one.birth_date or date.min
    if (born.month, born.day) == (1, 1):
        return _borrowed_card(_random, one)
    derived = _elsewhere(one, birth_date=date(born.year, 1, 1))
    return Pair(one, derived, False, "derived birth date")


def _sex_mistyped(_random: random.Random, one: PatientRecord) -> Pair:
    other = "F" if one.sex == "M" else "M"
    return Pair(one, _elsewhere(one, sex=other), False, "sex contradicts")


def _nobody(_random: random.Random, one: PatientRecord) -> Pair:
    nobody = replace(one, name="无名氏")
    return Pair(nobody, _elsewhere(nobody), False, "unidentified")
