"""What a publication answers, on values alone."""

from dataclasses import fields, is_dataclass
from datetime import date
from typing import get_args, get_type_hints

import pytest

from accord.disclosure.model import (
    Listing,
    Publication,
    Reason,
    Right,
    Verdict,
    compare,
)
from support.publications import CT, DAY, LISTED, make_institution, make_publication

SUSPENDED = Right(date(2026, 6, 1), date(2026, 9, 1), (13,), "川渝 HR", "suspended")


@pytest.mark.parametrize(
    ("item", "day", "verdict", "reason"),
    [
        (94, DAY, Verdict.ENTITLED, Reason.QUALIFIED),
        (94, date(2026, 1, 1), Verdict.ENTITLED, Reason.QUALIFIED),
        (94, date(2026, 12, 31), Verdict.ENTITLED, Reason.QUALIFIED),
        (94, date(2027, 1, 1), Verdict.NOT_ENTITLED, Reason.NOT_QUALIFIED),
        (94, date(2025, 12, 31), Verdict.NOT_ENTITLED, Reason.NOT_LISTED),
        (1, DAY, Verdict.NOT_ENTITLED, Reason.NOT_QUALIFIED),
        (999, DAY, Verdict.UNKNOWN, Reason.UNKNOWN_ITEM),
    ],
)
def test_entitlement_holds_from_the_first_to_the_last_day(item, day, verdict, reason):
    answer = make_publication().answer("CQ001", item, day)
    assert (answer.verdict, answer.reason) == (verdict, reason)


def test_institution_nobody_published_is_unknown_and_not_unentitled():
    assert make_publication().answer("XX", 94, DAY).reason is Reason.UNKNOWN_INSTITUTION


@pytest.mark.parametrize(("state", "reason"), [("suspended", "suspended"), ("revoked", "revoked")])
def test_right_taken_away_says_so(state, reason):
    right = Right(date(2026, 6, 1), None, (13,), "川渝 HR", state)
    publication = make_publication(1, (make_institution(rights=(right,)),))
    answer = publication.answer("CQ001", 13, DAY)
    assert (answer.verdict, answer.reason.value) == (Verdict.NOT_ENTITLED, reason)


def test_suspension_counts_only_on_its_own_days():
    rights = (
        Right(date(2026, 1, 1), date(2026, 6, 1), (13,), "川渝 HR"),
        SUSPENDED,
        Right(date(2026, 9, 1), None, (13,), "川渝 HR"),
    )
    publication = make_publication(1, (make_institution(rights=rights),))
    days = (date(2026, 5, 31), date(2026, 6, 1), date(2026, 8, 31), date(2026, 9, 1))
    found = [publication.is_entitled("CQ001", 13, day) for day in days]
    assert found == [True, False, False, True]


def test_last_day_shown_is_the_day_before_the_end():
    line = make_publication().item_rights(make_institution(), DAY)[0]
    assert (line.item.no, line.last_day) == (92, date(2026, 12, 31))


def test_of_two_rights_for_one_item_the_longer_is_shown():
    longer = Right(date(2026, 2, 1), None, (94,), "川渝 HR")
    institution = make_institution(rights=(CT, longer))
    lines = make_publication(1, (institution,)).item_rights(institution, DAY)
    assert [(line.item.no, line.last_day) for line in lines] == [
        (92, date(2026, 12, 31)),
        (94, None),
    ]


def test_institution_off_the_list_is_entitled_to_nothing():
    institution = make_institution(listings=(Listing(date(2026, 1, 1), DAY, "L1"),))
    publication = make_publication(1, (institution,))
    assert publication.item_rights(institution, DAY) == ()
    assert publication.find(day=DAY) == ()


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ({}, ["CQ001", "SC002"]),
        ({"words": "示范 sc0"}, ["SC002"]),
        ({"words": "成都"}, ["SC002"]),
        ({"province": "重庆"}, ["CQ001"]),
        ({"item": 94}, ["CQ001"]),
        ({"item": 94, "province": "四川"}, []),
        ({"words": "没有"}, []),
    ],
)
def test_search_needs_every_word_and_every_filter(question, codes):
    both = (
        make_institution(),
        make_institution("SC002", province="四川", area="成都市", rights=()),
    )
    found = make_publication(1, both).find(day=DAY, **question)
    assert [institution.code for institution in found] == codes


def test_comparison_names_who_came_went_gained_and_lost():
    stays = make_institution("A", name="甲")
    gains = make_institution("B", name="乙", rights=(CT,))
    old = make_publication(
        1, (stays, make_institution("B", name="乙", rights=()), make_institution("C", name="丙"))
    )
    fewer = make_institution("A", name="甲", rights=(Right(CT.valid_from, None, (92,), "川渝 HR"),))
    new = make_publication(2, (fewer, gains, make_institution("D", name="丁")))
    change = compare(new, old)
    assert (change.added, change.removed) == (("丁",), ("丙",))
    assert (change.more_items, change.fewer_items) == (("乙",), ("甲",))


def test_comparison_of_the_same_is_empty():
    assert compare(make_publication(2), make_publication(1)).is_empty


def test_listing_of_another_period_is_no_listing_today():
    institution = make_institution(listings=(Listing(date(2020, 1, 1), date(2021, 1, 1), "L0"),))
    assert not institution.is_listed_on(DAY)
    assert make_institution(listings=(LISTED,)).is_listed_on(DAY)


def leaves(kind: object, path: str = "") -> set[str]:
    """Return the dotted names of every field that can be written into a publication."""
    found: set[str] = set()
    for inner in (kind, *get_args(kind)):
        if isinstance(inner, type) and is_dataclass(inner):
            hints = get_type_hints(inner)
            for each in fields(inner):
                found.add(f"{path}{each.name}")
                found |= leaves(hints[each.name], f"{path}{each.name}.")
    return found


def test_no_field_of_a_publication_can_hold_a_patient():
    names = leaves(Publication)
    assert "institutions.rights.mark" in names, "the walk must reach the leaves"
    people = ("patient", "person", "birth", "sex", "accession", "study", "report", "phone", "login")
    assert not [name for name in names if any(word in name for word in people)]
