"""Approved names never cross meaning; a study's series map to items, and order meets images."""

import pytest

from accord import catalogue
from accord.catalogue.names import matcher
from accord.catalogue.names.aliases import aliased, crossings
from accord.catalogue.names.model import Kind, Query, SeriesName
from accord.catalogue.names.study import compare, match_study

MATCHER = matcher.load()
KNOWN = catalogue.load()


@pytest.mark.parametrize(
    ("name", "modality", "item", "crossed"),
    [
        ("左膝套餐", "DX", 13, ()),
        ("左膝套餐", "DX", 14, ("side",)),
        ("双膝关节正侧位", "DX", 13, ("side",)),
        ("膝关节正侧位", "DX", 13, ()),
        ("头颅CT增强", "CT", 92, ("contrast",)),
        ("头颅CT平扫", "CT", 103, ("contrast",)),
        ("头颅CT平扫", "CT", 116, ("modality",)),
        ("胸部CT", "CT", 94, ()),
        ("左髋关节CT", "CT", 98, ()),
    ],
)
def test_an_alias_never_crosses_side_contrast_or_modality(
    name: str, modality: str, item: int, crossed: tuple[str, ...]
) -> None:
    found = KNOWN.by_no(item)
    assert found is not None
    assert crossings(MATCHER.match(Query(name, modality)).parts, found) == crossed


def test_an_approved_alias_wins_over_the_parser():
    answer = aliased(MATCHER.match(Query("套餐甲", "CT")), 94, KNOWN)
    assert (answer.kind, answer.items, answer.confidence) == (Kind.ITEM, (94,), 1.0)


def test_an_alias_against_the_header_is_ambiguous():
    read = MATCHER.match(Query("膝套餐", "DX", laterality="R"))
    answer = aliased(read, 13, KNOWN)
    assert answer.kind is Kind.AMBIGUOUS
    assert 13 in answer.items
    assert answer.contradictions == ("side",)


def test_an_alias_to_an_item_that_is_not_there_changes_nothing():
    read = MATCHER.match(Query("套餐甲", "CT"))
    assert aliased(read, 999, KNOWN) is read


def study(modality: str, *series: tuple[str, str], **fields: str) -> Query:
    return Query(
        modality=modality,
        series=tuple(SeriesName(uid, description) for uid, description in series),
        **fields,
    )


def test_chest_and_abdomen_in_one_study_are_two_items_each_with_its_series():
    asked = study("CT", ("1", "Chest 1.0"), ("2", "Chest 5.0 Lung"), ("3", "Upper Abdomen 5.0"))
    answer = match_study(MATCHER, asked)
    assert (answer.kind, set(answer.items)) == (Kind.MULTIPLE, {94, 83})
    assert answer.series == {94: ("1", "2"), 83: ("3",)}


def test_series_of_one_part_are_one_item_with_all_of_them():
    asked = study("CT", ("1", "Head 5.0"), ("2", "Head bone 1.0"), study_description="CT Head")
    answer = match_study(MATCHER, asked)
    assert (answer.kind, answer.items) == (Kind.ITEM, (92,))
    assert answer.series == {92: ("1", "2")}


def test_a_contrast_series_of_a_part_makes_that_part_enhanced():
    asked = study(
        "CT",
        ("1", "Chest 5.0"),
        ("2", "Upper Abdomen plain"),
        ("3", "Upper Abdomen portal venous phase"),
    )
    assert set(match_study(MATCHER, asked).items) == {94, 105}


def test_a_part_outside_the_list_is_told_as_more():
    answer = match_study(MATCHER, study("MR", ("1", "Brain t2"), ("2", "Abdomen t2")))
    assert (answer.kind, answer.items, answer.more) == (Kind.MULTIPLE, (116,), ("extra_scan",))


def test_a_study_of_parts_outside_the_list_has_no_item():
    answer = match_study(MATCHER, study("MR", ("1", "Thorax t2"), ("2", "Wrist t2")))
    assert (answer.kind, answer.items) == (Kind.OUT_OF_CATALOGUE, ())


@pytest.mark.parametrize(
    ("ordered", "imaged", "kinds"),
    [
        ((94,), (94,), ()),
        ((94, 83), (94,), ("missing",)),
        ((94,), (94, 83), ("extra",)),
        ((13,), (14,), ("wrong",)),
        ((), (14,), ()),
        ((13,), (), ()),
    ],
)
def test_order_and_images_are_compared(
    ordered: tuple[int, ...], imaged: tuple[int, ...], kinds: tuple[str, ...]
) -> None:
    assert tuple(hint.kind for hint in compare(ordered, imaged, KNOWN)) == kinds


def test_a_hint_says_what_differs():
    (hint,) = compare((13,), (14,), KNOWN)
    assert "侧别不同" in hint.sentence
    assert "错扫" in hint.sentence
    (hint,) = compare((94,), (107,), KNOWN)
    assert "平扫或增强不同" in hint.sentence
