"""Numbers of documents: GB 11643, the old fifteen digits, other documents, placeholders."""

from dataclasses import replace
from datetime import date

import pytest

from accord.identity.model import IdState, IdType, PatientRecord, Sex, parse_id_type
from accord.identity.rules import numbers

TODAY = date(2026, 11, 24)
ZENG = PatientRecord(
    "CQ-A", "1", "曾丽", "F", date(1970, 8, 15), "resident_card", "509900197008150028"
)


def judge(**changes: object) -> numbers.Number:
    return numbers.judge(replace(ZENG, **changes), TODAY)


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), Sex.FEMALE),
        ("11010519491231002x", date(1949, 12, 31), Sex.FEMALE),
        (" 110105 19491231 002X ", date(1949, 12, 31), Sex.FEMALE),
        ("１１０１０５１９４９１２３１００２Ｘ", date(1949, 12, 31), Sex.FEMALE),
        ("110105491231002", date(1949, 12, 31), Sex.FEMALE),
        ("509900197008150028", date(1970, 8, 15), Sex.FEMALE),
        ("510221850630117", date(1985, 6, 30), Sex.MALE),
    ],
)
def test_citizens_number_is_read(number: str, born: date, sex: Sex):
    found = numbers.read_citizen_number(number, TODAY)
    assert found is not None
    assert (found.birth_date, found.sex) == (born, sex)
    assert len(found.text) == 18


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",  # check digit
        "11010519491231002",  # 17 digits
        "1101051949123100211",  # 19 digits
        "110105194913310021",  # month 13
        "110105194902290029",  # 29 February of a common year
        "01010519491231002X",  # no region begins with 0
        "1101051949123100X2",
        "一一零一零五一九四九",
        "110105189412310027",  # more than 130 years old
        "110105202701010016",  # not born yet
        "",
    ],
)
def test_malformed_number_is_not_read(number: str):
    assert numbers.read_citizen_number(number, TODAY) is None


def test_every_single_wrong_digit_and_every_transposition_is_caught():
    right = "11010519491231002X"
    for place in range(17):
        for digit in "0123456789":
            if digit != right[place]:
                wrong = right[:place] + digit + right[place + 1 :]
                assert numbers.read_citizen_number(wrong, TODAY) is None, wrong
        if place < 16 and right[place] != right[place + 1]:
            wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
            assert numbers.read_citizen_number(wrong, TODAY) is None, wrong


def test_oldest_age_counts_full_years():
    head = "110105" + "18961124" + "002"
    number = head + numbers.check_digit(head)
    assert numbers.read_citizen_number(number, date(2027, 11, 23)) is not None
    assert numbers.read_citizen_number(number, date(2027, 11, 24)) is None


def test_region_is_never_tested():
    for region in ("509900", "519999", "810000", "999999"):
        head = f"{region}19700815002"
        assert numbers.read_citizen_number(head + numbers.check_digit(head), TODAY) is not None


def test_verified_number_agrees_with_the_record():
    found = judge()
    assert found == numbers.Number(
        IdState.VERIFIED, "resident_card|CHN|509900197008150028", "resident_card|CHN"
    )


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"sex": "M"}, IdState.CONTRADICTS),
        ({"sex": "U"}, IdState.VERIFIED),
        ({"sex": "O"}, IdState.CONTRADICTS),
        ({"birth_date": date(1970, 8, 16)}, IdState.CONTRADICTS),
        ({"birth_date": date(1970, 1, 1)}, IdState.DERIVED_BIRTH_DATE),
        ({"birth_date": date(1971, 1, 1)}, IdState.CONTRADICTS),
        ({"birth_date": None}, IdState.INCOMPLETE),
        ({"id_number": None}, IdState.MISSING),
        ({"id_number": "  "}, IdState.MISSING),
        ({"id_type": None}, IdState.MISSING),
        ({"id_type": "driver"}, IdState.MISSING),
        ({"id_number": "509900197008150029"}, IdState.MALFORMED),
        ({"id_number": "000000000000000000"}, IdState.PLACEHOLDER),
        ({"id_number": "111111111111111"}, IdState.PLACEHOLDER),
        ({"id_number": "123456789012345678"}, IdState.PLACEHOLDER),
        ({"id_number": "无"}, IdState.PLACEHOLDER),
        ({"id_number": "未带"}, IdState.PLACEHOLDER),
        ({"id_number": "99999999999999999X"}, IdState.PLACEHOLDER),
    ],
)
def test_worth_of_a_number(changes: dict[str, object], state: IdState):
    assert judge(**changes).state is state


def test_old_fifteen_digits_are_the_same_key():
    assert judge(id_number="509900700815002").key == judge().key


def test_old_fifteen_digits_count_only_with_a_birth_date():
    assert judge(id_number="509900700815002", birth_date=None).state is IdState.INCOMPLETE


def test_residence_card_is_told_by_its_prefix():
    head = "81000019700815002"
    number = head + numbers.check_digit(head)
    as_card = judge(id_number=number)
    assert as_card.kind == "hmt_residence|CHN"
    assert judge(id_number=number, id_type="hmt_residence") == as_card


@pytest.mark.parametrize(
    ("kind", "number", "state"),
    [
        ("passport", "E12345679", IdState.VERIFIED),
        ("passport", "E 1234 5679", IdState.VERIFIED),
        ("passport", "E1", IdState.MALFORMED),
        ("passport", "护照E12345679", IdState.MALFORMED),
        ("hm_permit", "H03457891", IdState.VERIFIED),
        ("hm_permit", "H0345789101", IdState.VERIFIED),
        ("hm_permit", "X03457891", IdState.MALFORMED),
        ("tw_permit", "03457891", IdState.VERIFIED),
        ("foreigner_residence", "USA510097081501", IdState.VERIFIED),
        ("foreigner_residence", "911124197008150025", IdState.MALFORMED),
    ],
)
def test_other_documents_count_whole_and_exact(kind: str, number: str, state: IdState):
    assert judge(id_type=kind, id_number=number).state is state


def test_passport_key_has_the_issuing_country_and_a_permit_has_not():
    passport = judge(id_type="passport", id_number="e12345679", id_country="deu")
    assert passport.key == "passport|DEU|E12345679"
    permit = judge(id_type="hm_permit", id_number="H03457891", id_country="HKG")
    assert permit.key == "hm_permit|CHN|H03457891"
    assert judge(id_type="passport", id_number="E12345679", id_country="?").state is (
        IdState.MALFORMED
    )


def test_new_permanent_residence_card_has_a_check_digit():
    head = "91112419700815002"
    number = head + numbers.check_digit(head)
    assert judge(id_type="foreigner_residence", id_number=number).state is IdState.VERIFIED


BABY = replace(
    ZENG,
    name="曾丽之女",
    birth_date=date(2026, 11, 1),
    id_type="newborn",
    birth_order=1,
)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, IdState.VERIFIED),
        ({"birth_order": None}, IdState.INCOMPLETE),
        ({"birth_date": None}, IdState.INCOMPLETE),
        ({"birth_date": date(1970, 8, 15)}, IdState.CONTRADICTS),
        ({"id_number": "510221850630117"}, IdState.MALFORMED),  # a father's
    ],
)
def test_newborn_needs_mother_order_and_birth_date(changes: dict[str, object], state: IdState):
    assert numbers.judge(replace(BABY, **changes), TODAY).state is state


def test_two_newborns_of_one_mother_have_two_keys():
    first, second = (numbers.judge(replace(BABY, birth_order=order), TODAY) for order in (1, 2))
    assert first.key != second.key
    assert first.kind == second.kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("01", IdType.RESIDENT_CARD),
        ("居民身份证", IdType.RESIDENT_CARD),
        ("护照", IdType.PASSPORT),
        ("PPN", IdType.PASSPORT),
        (" NEWBORN ", IdType.NEWBORN),
        ("tw_permit", IdType.TW_PERMIT),
    ],
)
def test_kinds_of_documents_are_read(text: str, kind: IdType):
    assert parse_id_type(text) is kind


def test_states_that_people_must_look_at():
    looking = {state.value for state in IdState if state.needs_people}
    assert looking == {"placeholder", "malformed", "derived_birth_date", "contradicts"}
