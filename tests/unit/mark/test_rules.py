"""Who may carry 川渝 HR on the examination day."""

from datetime import date

import pytest

from accord import catalogue, standard
from accord.mark.model import MarkStatus
from accord.mark.rules import entitlement, has_sufficient_rank
from accord.registry.model import (
    Basis,
    CentreRank,
    Level,
    Qualification,
    QualificationState,
    ScopeKind,
)
from accord.standard.model import Jurisdiction

RULE_SET = standard.load("2025-draft")
KNOWN = catalogue.load()
DAY = date(2026, 3, 2)


def right(**what: object) -> Qualification:
    given = {
        "id": "q1",
        "institution": "A",
        "scope_kind": ScopeKind.MODALITY,
        "scope_value": "CT",
        "mark_scope": "川渝",
        "state": QualificationState.PASSED,
        "basis": Basis.INSPECTION,
        "authority": "CQ",
        "jurisdiction": Jurisdiction("重庆"),
        "valid_from": date(2026, 1, 1),
        "centre_rank": CentreRank.PROVINCIAL,
    }
    return Qualification(**{**given, **what})


def status(rights: list[Qualification], items=(94,), level=Level.THIRD, day=DAY) -> MarkStatus:
    return entitlement(items, rights, day, level, RULE_SET, KNOWN).status


def test_a_qualified_item_is_marked_with_the_text_of_the_standard():
    marked = entitlement((94,), [right()], DAY, Level.THIRD, RULE_SET, KNOWN)
    assert (marked.status, marked.text) == (MarkStatus.MARKED, "川渝 HR")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"valid_to": DAY}, MarkStatus.NOT_ENTITLED),
        ({"valid_to": date(2026, 3, 3)}, MarkStatus.MARKED),
        ({"valid_from": DAY}, MarkStatus.MARKED),
        ({"valid_from": date(2026, 3, 3)}, MarkStatus.NOT_ENTITLED),
        ({"state": QualificationState.SUSPENDED}, MarkStatus.SUSPENDED),
        ({"state": QualificationState.REVOKED}, MarkStatus.NOT_ENTITLED),
        ({"revoked_items": frozenset({94})}, MarkStatus.NOT_ENTITLED),
        ({"scope_value": "MR"}, MarkStatus.NOT_ENTITLED),
        ({"mark_scope": "全国"}, MarkStatus.MARKED),
        ({"mark_scope": "四川"}, MarkStatus.NOT_ENTITLED),
        ({"centre_rank": CentreRank.PREFECTURE}, MarkStatus.NOT_ENTITLED),
        ({"centre_rank": None}, MarkStatus.NOT_ENTITLED),
        ({"centre_rank": None, "basis": Basis.TRANSITIONAL}, MarkStatus.MARKED),
    ],
)
def test_the_right_is_judged_as_of_the_examination_day(what, expected):
    assert status([right(**what)]) is expected


def test_without_a_qualification_or_an_item_there_is_no_mark():
    assert status([]) is MarkStatus.NOT_ENTITLED
    assert status([right()], items=()) is MarkStatus.NOT_ENTITLED


def test_one_unqualified_item_of_several_leaves_the_study_without_mark():
    only_one = right(scope_kind=ScopeKind.ITEM, scope_value="94")
    assert status([only_one], items=(94, 83)) is MarkStatus.NOT_ENTITLED


@pytest.mark.parametrize(
    ("rank", "level", "enough"),
    [
        (CentreRank.PREFECTURE, Level.FIRST, True),
        (CentreRank.PREFECTURE, Level.UNRATED, True),
        (CentreRank.PREFECTURE, Level.SECOND, False),
        (CentreRank.PREFECTURE, None, None),
        (CentreRank.COUNTY, Level.FIRST, False),
        (CentreRank.NATIONAL, None, True),
        (None, Level.THIRD, None),
    ],
)
def test_below_the_second_level_a_prefecture_centre_suffices(rank, level, enough):
    assert has_sufficient_rank(right(centre_rank=rank), level, RULE_SET) is enough
