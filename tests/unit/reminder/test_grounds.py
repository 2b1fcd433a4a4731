"""Every ground given needs its needs met (R6.7-1)."""

import pytest

from accord import standard
from accord.reminder.errors import GroundsIncomplete
from accord.reminder.grounds import check, grounds_of, words
from accord.reminder.model import GivenGround

RULES = standard.load("2025-draft")


def given(code, pick=None, text=None):
    return GivenGround(code=code, pick=pick, text=text)


def test_there_are_eleven_grounds_in_order():
    assert list(grounds_of(RULES)) == [f"NR{number:02d}" for number in range(1, 12)]


def test_only_nr05_and_nr06_open_a_doubt():
    assert [code for code, ground in grounds_of(RULES).items() if ground.opens_doubt] == [
        "NR05",
        "NR06",
    ]


@pytest.mark.parametrize(
    "grounds",
    [
        [given("NR01", "加重")],
        [given("NR07")],
        [given("NR08", "配偶")],
        [given("NR11", text="术前计划需要更薄的层厚")],
        [given("NR05", "图文不符"), given("NR06", "其他")],
    ],
)
def test_complete_grounds_pass(grounds):
    check(grounds, RULES)
    assert words(grounds, RULES).startswith(grounds_of(RULES)[grounds[0].code].display)


@pytest.mark.parametrize(
    ("grounds", "said"),
    [
        ([], "至少选择一项"),
        ([given("NR01")], "须再选一项"),
        ([given("NR01", "写错")], "没有“写错”这一选项"),
        ([given("NR07", "急")], "没有“急”这一选项"),
        ([given("NR11")], "至少 10 个字"),
        ([given("NR11", text="短短短短短短短短短")], "至少 10 个字"),
        ([given("NR11", text="一 二 三 四 五 六 七 八 九")], "至少 10 个字"),
        ([given("NR12")], "没有这项理由"),
        ([given("NR07"), given("NR07")], "重复"),
        ([given("NR01", "加重"), given("NR05")], "须再选一项"),
    ],
)
def test_a_ground_that_lacks_something_is_refused_with_what_it_lacks(grounds, said):
    with pytest.raises(GroundsIncomplete, match=said):
        check(grounds, RULES)


def test_a_ground_that_the_machine_found_needs_no_pick():
    check([given("NR03")], RULES, found=["NR03"])
    with pytest.raises(GroundsIncomplete, match="须再选一项"):
        check([given("NR03")], RULES, found=["NR07"])


def test_ten_signs_are_enough():
    check([given("NR11", text="一二三四五六七八九十")], RULES)
    assert words([given("NR11", text="一二三四五六七八九十")], RULES).endswith(
        "一二三四五六七八九十）"
    )
