import pytest

from accord.standard import accuracy_groups, element, elements, groups
from accord.standard.errors import UnknownName
from accord.standard.fields import Condition

HARD = {
    *("C1.1", "C1.5", "C1.9"),
    *("C2.1", "C2.2", "C2.3", "C2.4", "C2.5"),
    *("C3.1", "C3.2", "C3.5"),
    *("C5.2", "C5.6", "C6.1", "C7.1", "C7.3"),
    *("C8.1", "C8.2", "C8.3", "C8.4", "C10.1", "C10.2"),
}


def test_ten_groups_hold_all_elements() -> None:
    sizes = {name: sum(e.group == name for e in elements().values()) for name in groups()}
    assert list(sizes) == [f"C{number}" for number in range(1, 11)]
    assert list(sizes.values()) == [9, 7, 8, 8, 19, 3, 3, 5, 2, 4]


def test_the_hard_elements_are_those_of_the_text() -> None:
    assert {name for name, found in elements().items() if found.hard} == HARD


def test_elements_of_a_group_are_numbered_without_gap() -> None:
    for name in groups():
        numbers = [int(e.id.split(".")[1]) for e in elements().values() if e.group == name]
        assert numbers == list(range(1, len(numbers) + 1)), name


@pytest.mark.parametrize(
    ("element_id", "holding", "applies"),
    [
        ("C2.1", set(), True),
        ("C5.6", {Condition.DR}, True),
        ("C5.6", {Condition.CT}, False),
        ("C4.6", {Condition.MR}, True),
        ("C4.6", {Condition.CT, Condition.CONTRAST}, True),
        ("C4.6", {Condition.CT}, False),
        ("C4.2", {Condition.DR}, False),
        ("C4.2", {Condition.DR, Condition.PREGNANCY}, True),
        ("C7.3", {Condition.PAIRED}, True),
        ("C3.4", set(), False),
        ("C6.3", {Condition.LISTED}, True),
    ],
)
def test_applies_when_one_of_its_conditions_holds(
    element_id: str, holding: set[Condition], applies: bool
) -> None:
    assert element(element_id).applies(frozenset(holding)) is applies


@pytest.mark.parametrize(
    ("element_id", "alternatives"),
    [
        ("C1.2", (("0040,2004", "0040,2005"),)),
        ("C1.4", (("0032,1032",), ("0008,0090",))),
        ("C5.2", (("0008,0022", "0008,0032"), ("0008,002A",))),
        ("C7.3", (("0020,0060",), ("0020,0062",))),
        ("C2.6", ()),
    ],
)
def test_tags_are_alternatives_of_tags_needed_together(
    element_id: str, alternatives: tuple[tuple[str, ...], ...]
) -> None:
    assert element(element_id).dicom == alternatives


def test_what_has_two_parts_says_so() -> None:
    parted = {name: found.parts for name, found in elements().items() if len(found.parts) > 1}
    assert set(parted) == {"C2.5", "C3.5", "C5.2", "C5.3", "C5.10", "C5.14", "C5.18", "C8.5"}
    assert parted["C8.5"] == ("报告时间", "审核时间")


def test_accuracy_has_its_own_seven_groups() -> None:
    found = accuracy_groups()
    assert list(found) == ["A1", "A2", "A3", "A4", "A5", "A6", "A7"]
    assert {e.split(".")[0] for e in found["A3"].elements} == {"C2", "C3"}
    assert {e.split(".")[0] for e in found["A6"].elements} == {"C8", "C9"}
    assert found["A2"].elements == ("C1.8",)
    assert found["A2"].beyond == ("检查诉求", "患者要求复查")


def test_an_unknown_element_is_named() -> None:
    with pytest.raises(UnknownName, match=r"no element C11\.1"):
        element("C11.1")
