"""Words of the registry, periods, what a device's tests are worth."""

from dataclasses import replace
from datetime import date

import pytest

from accord.registry import model as m
from accord.standard.model import Jurisdiction

DEVICE = m.Device(
    id="D1",
    institution="CQ-A",
    serial="1",
    kind=m.DeviceKind.CT,
    authority="CQ-WJW",
    jurisdiction=Jurisdiction.CHONGQING,
    valid_from=date(2024, 1, 1),
)


def make_test(kind: m.TestKind, tested: date, until: date | None, *, passed: bool = True):
    return m.DeviceTest(kind, passed, tested, tested, until)


ACCEPTED = make_test(m.TestKind.ACCEPTANCE, date(2024, 1, 10), date(2025, 1, 10))


@pytest.mark.parametrize(
    ("text", "level", "grade"),
    [
        ("三级甲等", m.Level.THIRD, "甲等"),
        ("三甲", m.Level.THIRD, "甲等"),
        ("三级", m.Level.THIRD, ""),
        ("二级乙等", m.Level.SECOND, "乙等"),
        ("二级未定等", m.Level.SECOND, "未定等"),
        (" 一 级 ", m.Level.FIRST, ""),
        ("未定级", m.Level.UNRATED, ""),
        ("", m.Level.UNRATED, ""),
    ],
)
def test_level_is_read_with_or_without_grade(text: str, level: m.Level, grade: str):
    assert m.parse_level(text) == (level, grade)


@pytest.mark.parametrize("text", ["四级", "甲等", "三级戊等", "level 3"])
def test_unknown_level_is_refused(text: str):
    with pytest.raises(ValueError, match="机构"):
        m.parse_level(text)


def test_unrated_ranks_with_the_first_level():
    ranks = [level.rank for level in (m.Level.THIRD, m.Level.SECOND, m.Level.FIRST)]
    assert ranks == [3, 2, 1]
    assert m.Level.UNRATED.rank == m.Level.FIRST.rank


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("紧密型城市医疗集团", m.ConsortiumKind.URBAN),
        ("城市医联体", m.ConsortiumKind.URBAN),
        ("县域医共体", m.ConsortiumKind.COUNTY),
        ("specialist", m.ConsortiumKind.SPECIALIST),
    ],
)
def test_consortium_words_are_aliases(text: str, kind: m.ConsortiumKind):
    assert m.parse_consortium_kind(text) is kind


def test_specialist_alliance_carries_no_duty():
    carrying = {kind for kind in m.ConsortiumKind if make_consortium(kind).carries_duty}
    assert carrying == {m.ConsortiumKind.URBAN, m.ConsortiumKind.COUNTY}


def make_consortium(kind: m.ConsortiumKind) -> m.Consortium:
    return m.Consortium("C", "某", kind, "CQ-WJW", Jurisdiction.CHONGQING, date(2024, 1, 1))


def test_ownership_and_rank_words_are_read():
    assert m.parse_ownership("军队") is m.Ownership.MILITARY
    assert m.parse_centre_rank("地市级") is m.CentreRank.PREFECTURE
    with pytest.raises(ValueError, match="举办性质"):
        m.parse_ownership("独资")


def test_centres_rank_downwards_from_national():
    heights = [rank.height for rank in m.CentreRank]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == len(heights)


def test_period_holds_from_its_first_day_to_the_day_before_its_end():
    thing = replace(DEVICE, valid_to=date(2026, 6, 1))
    assert thing.is_valid_on(date(2024, 1, 1))
    assert not thing.is_valid_on(date(2023, 12, 31))
    assert thing.is_valid_on(date(2026, 5, 31))
    assert not thing.is_valid_on(date(2026, 6, 1))
    assert thing.last_day == date(2026, 5, 31)
    assert DEVICE.last_day is None
    assert DEVICE.is_valid_on(date(2099, 1, 1))


def test_state_test_counts_up_to_its_last_day():
    state = make_test(m.TestKind.STATE, date(2026, 2, 1), date(2027, 2, 1))
    device = replace(DEVICE, tests=(ACCEPTED, state))
    assert device.is_tested_on(date(2027, 1, 31))
    assert not device.is_tested_on(date(2027, 2, 1))
    assert not device.is_tested_on(date(2026, 1, 31))  # acceptance alone ran out a year before


def test_acceptance_stands_in_for_the_state_test_of_its_own_period():
    device = replace(DEVICE, tests=(ACCEPTED,))
    assert device.is_tested_on(date(2024, 1, 10))
    assert not device.is_tested_on(date(2024, 1, 9))
    assert not device.is_tested_on(date(2025, 1, 10))


def test_failed_newest_test_counts_although_an_older_one_still_runs():
    passed = make_test(m.TestKind.STATE, date(2026, 2, 1), date(2027, 2, 1))
    failed = make_test(m.TestKind.STATE, date(2026, 8, 1), date(2027, 8, 1), passed=False)
    device = replace(DEVICE, tests=(ACCEPTED, passed, failed))
    assert device.is_tested_on(date(2026, 7, 31))
    assert not device.is_tested_on(date(2026, 8, 1))


def test_stability_test_is_never_a_gate():
    failed = make_test(m.TestKind.STABILITY, date(2024, 5, 1), date(2025, 5, 1), passed=False)
    assert replace(DEVICE, tests=(ACCEPTED, failed)).is_tested_on(date(2024, 6, 1))


def test_without_acceptance_a_device_is_not_tested():
    state = make_test(m.TestKind.STATE, date(2026, 2, 1), date(2027, 2, 1))
    assert not replace(DEVICE, tests=(state,)).is_tested_on(date(2026, 3, 1))


def test_excuse_ends_on_the_day_of_review():
    device = replace(DEVICE, cannot_send=frozenset({"C5.10"}), review_on=date(2026, 12, 1))
    assert device.excused_on(date(2026, 11, 30)) == {"C5.10"}
    assert device.excused_on(date(2026, 12, 1)) == frozenset()
    assert replace(device, review_on=None).excused_on(date(2026, 1, 1)) == frozenset()


def test_a_revoked_qualification_goes_nowhere():
    steps = {state.value: {to.value for to in later} for state, later in m.STEPS.items()}
    assert steps == {
        "passed": {"suspended", "revoked"},
        "suspended": {"passed", "revoked"},
        "revoked": set(),
    }


def test_institution_holds_its_own_licence_unless_told_otherwise():
    institution = m.Institution(
        code="CQ-A",
        name="某院",
        level=m.Level.THIRD,
        ownership=m.Ownership.MILITARY,
        province="重庆",
        authority="CQ-WJW",
        jurisdiction=Jurisdiction.CHONGQING,
        valid_from=date(2024, 1, 1),
    )
    assert institution.licence_holder == "CQ-A"
    assert institution.counts_as_public
    assert not replace(institution, ownership=m.Ownership.PRIVATE).counts_as_public
