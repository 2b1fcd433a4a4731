"""Where a patient belongs: with nobody that anything speaks against."""

from datetime import date

from accord.identity.model import Facts, IdState, Sex
from accord.identity.rules.placing import Basis, Decided, Group, Member, Placement

BORN = date(1970, 8, 15)
APART = Decided(same=False, basis=Basis.PEOPLE)
TOGETHER = Decided(same=True, basis=Basis.PEOPLE)
BY_SOURCE = Decided(same=True, basis=Basis.SOURCE)


def member(
    number: int,
    name: str = "曾丽",
    key: str | None = "k",
    *,
    born: date | None = BORN,
    state: IdState = IdState.VERIFIED,
    quarantined: bool = False,
) -> Member:
    facts = Facts(name, Sex.FEMALE, born, key, "resident_card|CHN" if key else None)
    return Member(number, f"p{number}", facts, state, quarantined)


def test_equal_strong_ids_are_one_person():
    group = Group([member(1), member(2), member(3)], {})
    assert group.place(3) == Placement(with_whom=frozenset({1, 2}))


def test_nobody_near_means_alone():
    assert Group([member(1), member(2, key="other")], {}).place(2) == Placement()


def test_equal_id_and_another_name_is_placed_nowhere():
    placed = Group([member(1), member(2, "王敏")], {}).place(2)
    assert placed == Placement(against=("name_differs",), contradicted=frozenset({1}))


def test_pinyin_that_fits_two_han_names_joins_neither():
    """ZENG LI may be 曾丽 or 曾莉: certain with each, but these two are not one."""
    group = Group(
        [member(1, "曾丽"), member(2, "曾莉", quarantined=True), member(3, "ZENG LI")], {}
    )
    assert group.verdict(3, 1).same == group.verdict(3, 2).same == "certain"
    placed = group.place(3)
    assert placed.against == ("two_persons",)
    assert placed.contradicted == {1, 2}


def test_member_without_strong_id_may_object_too():
    """2 is tied to 1 by its source; 3 equals 1 by id but contradicts 2."""
    group = Group([member(1), member(2, key=None, born=None), member(3)], {(1, 2): BY_SOURCE})
    assert group.place(3) == Placement(with_whom=frozenset({1, 2}))
    other = member(2, key="k2")
    group = Group([member(1, key=None), other, member(3, key=None)], {(1, 2): BY_SOURCE})
    assert group.place(3) == Placement()
    decided = {(1, 2): BY_SOURCE, (1, 3): BY_SOURCE}
    group = Group([member(1, key=None), other, member(3, key="k3")], decided)
    assert group.place(3) == Placement(against=("ids_differ",), contradicted=frozenset({2}))


def test_word_of_people_stands_above_the_strong_id():
    group = Group([member(1), member(2)], {(1, 2): APART})
    assert group.place(2) == Placement()
    group = Group([member(1), member(2, "王敏")], {(1, 2): TOGETHER})
    assert group.place(2) == Placement(with_whom=frozenset({1}))


def test_kept_apart_from_one_member_is_kept_apart_from_all():
    group = Group([member(1), member(2), member(3)], {(1, 3): APART})
    assert group.place(3) == Placement(against=("kept_apart",), contradicted=frozenset({1}))


def test_record_that_contradicts_its_own_number_is_quarantined():
    odd = member(2, key=None, state=IdState.CONTRADICTS)
    assert Group([member(1), odd], {}).place(2).against == ("id_contradicts_record",)


def test_record_in_quarantine_blocks_nobody_else():
    borrowed = member(2, "王敏", quarantined=True)
    group = Group([member(1), borrowed, member(3)], {})
    assert group.place(3) == Placement(with_whom=frozenset({1}))
    assert group.place(2).against == ("name_differs",)


def test_two_persons_of_one_source_id_are_not_joined_by_a_third():
    """3 is tied to both by their sources, and these two contradict each other."""
    group = Group(
        [member(1, key=None), member(2, "曾莉", key=None), member(3, "ZENG LI", key=None)],
        {(1, 3): BY_SOURCE, (2, 3): BY_SOURCE},
    )
    placed = group.place(3)
    assert (placed.against, placed.contradicted) == (("two_persons",), {1, 2})


def test_a_third_joins_two_that_nothing_keeps_apart():
    group = Group(
        [member(1, key=None), member(2, key=None), member(3, key=None)],
        {(1, 3): BY_SOURCE, (2, 3): BY_SOURCE},
    )
    assert group.place(3) == Placement(with_whom=frozenset({1, 2}))


def test_components_leave_those_in_quarantine_alone():
    group = Group([member(1), member(2), member(3, quarantined=True)], {})
    assert sorted(map(sorted, group.components({1, 2, 3}))) == [[1, 2], [3]]
