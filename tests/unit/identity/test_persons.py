"""R-ID-1: when two records are one person, by its table, and on hard pairs."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest

from accord.identity.model import Facts, PatientRecord, Same, Sex
from accord.identity.rules import persons
from support.people import make_pairs

TODAY = date(2026, 11, 24)
ZENG = PatientRecord(
    "CQ-A", "1", "曾丽", "F", date(1970, 8, 15), "resident_card", "509900197008150028"
)
HERE = replace(ZENG, authority="SC-A", local_id="77")


def judge(a: PatientRecord = ZENG, **changes: object) -> tuple[Same, tuple[str, ...]]:
    verdict = persons.is_same_person(a, replace(HERE, **changes), TODAY)
    return verdict.same, verdict.because


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": " 曾  丽 "},
        {"name": "曾麗"},
        {"name": "ZENG^LI"},
        {"name": "CENG LI"},  # T41: the other reading
        {"name": "Li Zeng"},
        {"sex": "U"},
        {"id_number": "509900700815002"},
        {"id_number": "５０９９００１９７００８１５００２８"},
    ],
)
def test_certain_by_a_verified_strong_id(changes: dict[str, object]):
    assert judge(**changes) == (Same.CERTAIN, ("strong_id_equal",))


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"id_number": None}, "no_strong_id"),
        ({"id_number": "509900197008150029"}, "no_strong_id"),  # check digit
        ({"birth_date": None}, "no_strong_id"),
        ({"birth_date": date(1970, 1, 1)}, "no_strong_id"),  # T43: derived, its number unverified
        ({"birth_date": date(1971, 8, 15)}, "no_strong_id"),  # T34: year differs
        ({"id_number": "519900197008150038"}, "no_strong_id"),
        ({"name": "无名氏"}, "unidentified"),
        ({"name": "未知男1"}, "unidentified"),
        ({"id_type": "passport", "id_number": "E12345679"}, "ids_differ"),
    ],
)
def test_anything_less_is_unproven(changes: dict[str, object], because: str):
    assert judge(**changes) == (Same.UNPROVEN, (because,))


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"name": "曾莉"}, ("name_differs",)),
        ({"name": "WANG LI"}, ("name_differs",)),
        ({"name": "赵敏"}, ("name_differs",)),
    ],
)
def test_equal_id_with_another_name_is_a_contradiction(
    changes: dict[str, object], because: tuple[str, ...]
):
    assert judge(**changes) == (Same.CONTRADICTED, because)


def test_dots_of_a_minority_name_are_no_difference():
    """T42."""
    one = replace(ZENG, name="扎西·多吉")
    assert judge(one, name="扎西•多吉")[0] is Same.CERTAIN
    assert judge(one, name="扎西．多吉")[0] is Same.CERTAIN


PASSPORT = replace(ZENG, name="MARIA SCHMIDT", id_type="passport", id_number="C01X00T47")


def test_passport_counts_with_its_country_name_and_birth_date():
    same = {"name": "maria schmidt", "id_type": "passport", "id_number": "c01x00t47"}
    one = replace(PASSPORT, id_country="DEU")
    assert judge(one, **same, id_country="DEU")[0] is Same.CERTAIN
    assert judge(one, **same, id_country="AUT")[0] is Same.UNPROVEN
    other_day = judge(one, **same, id_country="DEU", birth_date=date(1970, 8, 16))
    assert other_day == (Same.CONTRADICTED, ("birth_date_differs",))
    first_of_january = judge(one, **same, id_country="DEU", birth_date=date(1970, 1, 1))
    assert first_of_january == (Same.CONTRADICTED, ("birth_date_derived",))
    man = judge(one, **same, id_country="DEU", sex="M")
    assert man == (Same.CONTRADICTED, ("sex_differs",))


def test_renewed_passport_is_no_strong_id_in_common():
    assert judge(PASSPORT, name=PASSPORT.name, id_type="passport", id_number="C02Y11U58") == (
        Same.UNPROVEN,
        ("ids_differ",),
    )


def test_newborns_of_one_mother_are_told_by_order_and_name():
    born = date(2026, 11, 1)
    again = {"name": "曾丽之子", "sex": "M", "birth_date": born, "id_type": "newborn"}
    baby = replace(ZENG, **again, birth_order=1)
    assert judge(baby, **again, birth_order=1)[0] is Same.CERTAIN
    assert judge(baby, **again, birth_order=2)[0] is Same.UNPROVEN
    own_id = judge(baby, name="曾小明", sex="M", birth_date=born, id_number=None)
    assert own_id == (Same.UNPROVEN, ("no_strong_id",))
    assert judge(baby)[0] is Same.UNPROVEN  # the mother herself


def facts(**changes: object) -> Facts:
    given = {"name": "曾丽", "sex": Sex.FEMALE, "birth_date": date(1970, 8, 15)}
    return Facts(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "same", "because"),
    [
        ({}, Same.CERTAIN, ("source_links",)),
        ({"birth_date": None, "sex": Sex.UNKNOWN}, Same.CERTAIN, ("source_links",)),
        ({"name": "王丽"}, Same.CONTRADICTED, ("name_differs",)),
        ({"sex": Sex.MALE}, Same.CONTRADICTED, ("sex_differs",)),
        ({"birth_date": date(1970, 1, 1)}, Same.CONTRADICTED, ("birth_date_derived",)),
        ({"key": "resident_card|CHN|2", "kind": "k"}, Same.CONTRADICTED, ("ids_differ",)),
        ({"key": "passport|CHN|2", "kind": "other"}, Same.CERTAIN, ("source_links",)),
        ({"name": "佚名"}, Same.UNPROVEN, ("unidentified",)),
    ],
)
def test_link_by_the_source_holds_unless_contradicted(
    changes: dict[str, object], same: Same, because: tuple[str, ...]
):
    one = facts(key="resident_card|CHN|1", kind="k")
    verdict = persons.compare(one, facts(**changes), linked_by_source=True)
    assert (verdict.same, verdict.because) == (same, because)


def test_equal_key_without_a_birth_date_is_unproven():
    verdict = persons.compare(facts(key="k1"), facts(key="k1", birth_date=None))
    assert (verdict.same, verdict.because) == (Same.UNPROVEN, ("birth_date_missing",))


@pytest.mark.parametrize(
    "name",
    ["无名氏", "无名氏3", "无名 男", "未知", "佚名", "不详", "急诊患者", "抢救无名", "三无人员",
     "UNKNOWN", "Doe^John", "123", "^^", "--"],
)  # fmt: skip
def test_unidentified_name_is_nobody(name: str):
    assert persons.is_unidentified(name)


@pytest.mark.parametrize("name", ["曾丽", "吴明", "欧阳无忌", "扎西·多吉", "UNGER^MAX", "J"])
def test_written_name_is_somebody(name: str):
    assert not persons.is_unidentified(name)


def test_people_look_only_where_name_and_birth_date_are_equal():
    assert persons.may_be_same(facts(), facts())
    assert persons.may_be_same(facts(key="a", kind="x"), facts(key="b", kind="y"))
    assert not persons.may_be_same(facts(key="a", kind="x"), facts(key="b", kind="x"))
    assert not persons.may_be_same(facts(), facts(birth_date=None))
    assert not persons.may_be_same(facts(), facts(name="曾莉"))
    assert not persons.may_be_same(facts(), facts(sex=Sex.MALE))
    assert not persons.may_be_same(facts(name="无名氏"), facts(name="无名氏"))


def test_no_false_link_among_hard_pairs():
    missed: Counter[str] = Counter()
    false_links = []
    judged: Counter[str] = Counter()
    for pair in make_pairs(seed=20261124, count=20_000):
        linked = persons.is_same_person(pair.a, pair.b, TODAY).same is Same.CERTAIN
        judged[pair.kind] += 1
        if linked and not pair.same:
            false_links.append(pair.kind)
        missed[pair.kind] += pair.same and not linked
    assert false_links == []
    assert sum(missed.values()) == 0, missed
    assert len(judged) >= 13
    assert min(judged.values()) > 1000


def test_judgement_does_not_depend_on_the_order():
    for pair in make_pairs(seed=7, count=700):
        one = persons.is_same_person(pair.a, pair.b, TODAY)
        other = persons.is_same_person(pair.b, pair.a, TODAY)
        assert one == other, pair.kind
