"""Every item's own names, and generated variants of them."""

import pytest

from accord import catalogue
from accord.catalogue.model import Item, Modality
from accord.catalogue.names import conforming, matcher
from accord.catalogue.names.model import Kind, Query
from accord.catalogue.names.variants import variants

MATCHER = matcher.load()
KNOWN = catalogue.load()


@pytest.mark.parametrize("item", KNOWN.items, ids=lambda item: str(item.no))
def test_an_item_is_found_by_its_printed_name_and_by_its_conforming_form(item: Item) -> None:
    for name in (item.name, conforming.form_of(item)):
        answer = MATCHER.match(Query(name))
        assert (answer.kind, answer.items) == (Kind.ITEM, (item.no,)), (name, answer.because)
        assert conforming.judge(name, KNOWN).conforms


@pytest.mark.parametrize("modality", Modality)
def test_a_thousand_ways_to_write_the_items_of_a_modality(modality: Modality) -> None:
    wrong = [
        (one.query, one.item, answer.kind, answer.items)
        for one in variants(MATCHER, modality, 1000)
        if (answer := MATCHER.match(one.query)).items != (one.item,) or answer.kind is not Kind.ITEM
    ]
    assert wrong == []


def test_the_same_seed_writes_the_same_names():
    first = list(variants(MATCHER, Modality.CT, 50, seed=1))
    assert first == list(variants(MATCHER, Modality.CT, 50, seed=1))
    assert first != list(variants(MATCHER, Modality.CT, 50, seed=2))


def test_a_name_without_its_parts_says_which_are_missing():
    form = conforming.judge("左膝关节正侧位", KNOWN)
    assert not form.conforms
    assert form.missing == ("检查类别", "检查方案")
    assert conforming.judge("CT 胸部", KNOWN).missing == ("检查方案",)
    assert conforming.judge("DR 左膝关节 摄影", KNOWN).missing == ("体位设计",)
    assert conforming.judge("CT 左侧肱骨 平扫", KNOWN).conforms
