"""Scopes of qualifications, the basis of a grant, lists as of a day."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from accord import catalogue, standard
from accord.registry import model as m
from accord.registry.rules import granting, listing
from accord.registry.rules.scopes import Families, contains, covers
from accord.standard.model import Jurisdiction

CQ = Jurisdiction.CHONGQING
DAY = date(2026, 1, 10)
FAMILIES = Families.of_table(standard.load("2025-draft").table("9.1/families").rows)
LIMITS = granting.Limits(12, 2, m.CentreRank.PROVINCIAL, m.CentreRank.PREFECTURE)
INSTITUTION = m.Institution(
    code="CQ-A",
    name="某院",
    level=m.Level.THIRD,
    ownership=m.Ownership.PUBLIC,
    province="重庆",
    authority="CQ-WJW",
    jurisdiction=CQ,
    valid_from=date(2024, 1, 1),
)
CENTRE = m.QCCentre("CQ-QC", "某中心", m.CentreRank.PROVINCIAL, "重庆", "CQ-WJW", CQ)
INSPECTION = m.Inspection(
    "I1", "CQ-A", m.ScopeKind.FAMILY, "CT-胸", "CQ-QC", date(2026, 1, 5), True, ("甲", "乙"), CQ
)
ASKED = m.Qualification(
    id="Q1",
    institution="CQ-A",
    scope_kind=m.ScopeKind.FAMILY,
    scope_value="CT-胸",
    mark_scope="川渝",
    state=m.QualificationState.PASSED,
    basis=m.Basis.INSPECTION,
    authority="CQ-WJW",
    jurisdiction=CQ,
    valid_from=DAY,
    valid_to=date(2028, 1, 10),
    centre="CQ-QC",
    inspection="I1",
)
APPLICATION = granting.Application(ASKED, INSTITUTION, CENTRE, INSPECTION, FAMILIES, LIMITS)
TRANSITIONAL = replace(
    ASKED,
    basis=m.Basis.TRANSITIONAL,
    centre="",
    inspection="",
    notice="渝卫函〔2026〕1号",
    list_hash="0f" * 32,
    valid_to=date(2027, 1, 10),
)


def test_every_item_is_in_exactly_one_family_of_its_modality():
    whole = [FAMILIES.items_of(m.ScopeKind.MODALITY, name) for name in ("DR", "CT", "MR")]
    assert [len(items) for items in whole] == [66, 49, 26]
    assert frozenset().union(*whole) == set(range(1, 142))


def test_families_are_those_of_the_catalogue():
    known = catalogue.load().families
    assert len(known) == 14
    for code, family in known.items():
        assert FAMILIES.items_of(m.ScopeKind.FAMILY, code) == family.items, code


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        (m.ScopeKind.FAMILY, "CT 胸", "CT-胸"),
        (m.ScopeKind.FAMILY, "ct_chest", "CT-胸"),
        (m.ScopeKind.FAMILY, "CT胸", "CT-胸"),
        (m.ScopeKind.FAMILY, "MRI 头颈", "MR-头颈"),
        (m.ScopeKind.ITEM, "CYHR-013", "13"),
        (m.ScopeKind.ITEM, "013", "13"),
        (m.ScopeKind.MODALITY, "MRI", "MR"),
        (m.ScopeKind.MODALITY, "ＣＴ", "CT"),
        (m.ScopeKind.FAMILY, "US 心脏", "US 心脏"),
        (m.ScopeKind.ITEM, "胸部正位", "胸部正位"),
    ],
)
def test_scope_has_one_spelling(kind: m.ScopeKind, written: str, kept: str):
    assert FAMILIES.spelled(kind, written) == kept


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ((m.ScopeKind.MODALITY, "CT"), (m.ScopeKind.FAMILY, "CT-胸"), True),
        ((m.ScopeKind.FAMILY, "CT-胸"), (m.ScopeKind.ITEM, "94"), True),
        ((m.ScopeKind.FAMILY, "CT-胸"), (m.ScopeKind.MODALITY, "CT"), False),
        ((m.ScopeKind.FAMILY, "CT-胸"), (m.ScopeKind.ITEM, "95"), False),
        ((m.ScopeKind.MODALITY, "CT"), (m.ScopeKind.FAMILY, "MR-头颈"), False),
        ((m.ScopeKind.MODALITY, "CT"), (m.ScopeKind.FAMILY, "心脏"), False),
        ((m.ScopeKind.MODALITY, "CT"), (m.ScopeKind.ITEM, "142"), False),
    ],
)
def test_scope_contains_a_scope(outer, inner, expected: bool):
    assert contains(FAMILIES, outer, inner) is expected


def test_revoked_item_is_not_covered_although_its_family_is():
    held = replace(ASKED, revoked_items=frozenset({107}))
    assert covers(held, 94, FAMILIES)
    assert not covers(held, 107, FAMILIES)
    assert not covers(held, 95, FAMILIES)


def test_grant_on_a_passed_inspection_of_a_wider_scope():
    wider = replace(INSPECTION, scope_kind=m.ScopeKind.MODALITY, scope_value="CT")
    assert granting.reasons_against(replace(APPLICATION, inspection=wider)) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inspection": None}, "没有线下质量抽查记录"),
        ({"inspection": replace(INSPECTION, passed=False)}, "不合格"),
        ({"inspection": replace(INSPECTION, institution="CQ-B")}, "不属于该机构"),
        ({"inspection": replace(INSPECTION, centre="SC-QC")}, "不属于该机构或该质控中心"),
        ({"inspection": replace(INSPECTION, scope_value="CT-脊柱")}, "未覆盖"),
        ({"inspection": replace(INSPECTION, concluded_on=date(2026, 1, 11))}, "早于"),
        ({"centre": None}, "质控中心「CQ-QC」"),
        ({"centre": replace(CENTRE, rank=m.CentreRank.PREFECTURE)}, "省级及以上"),
        ({"institution": None}, "未登记"),
        ({"qualification": replace(ASKED, scope_value="CT-心脏")}, "不是附录A"),
        ({"qualification": replace(ASKED, valid_to=DAY)}, "晚于起始日期"),
    ],
)
def test_grant_without_sufficient_basis_is_refused(change: dict[str, object], words: str):
    reasons = granting.reasons_against(replace(APPLICATION, **change))
    assert any(words in reason for reason in reasons), reasons


@pytest.mark.parametrize(
    ("level", "rank", "granted"),
    [
        (m.Level.SECOND, m.CentreRank.PROVINCIAL, True),
        (m.Level.SECOND, m.CentreRank.PREFECTURE, False),
        (m.Level.FIRST, m.CentreRank.PREFECTURE, True),
        (m.Level.UNRATED, m.CentreRank.PREFECTURE, True),
        (m.Level.FIRST, m.CentreRank.COUNTY, False),
        (m.Level.THIRD, m.CentreRank.NATIONAL, True),
    ],
)
def test_rank_of_the_centre_depends_on_the_level(level: m.Level, rank: m.CentreRank, granted: bool):
    application = replace(
        APPLICATION,
        institution=replace(INSTITUTION, level=level),
        centre=replace(CENTRE, rank=rank),
    )
    assert (granting.reasons_against(application) == ()) is granted


def test_transitional_qualification_lasts_twelve_months_and_not_a_day_more():
    application = replace(APPLICATION, qualification=TRANSITIONAL, inspection=None, centre=None)
    assert granting.reasons_against(application) == ()
    longer = replace(TRANSITIONAL, valid_to=date(2027, 1, 11))
    reasons = granting.reasons_against(replace(application, qualification=longer))
    assert reasons == ("过渡资格须有终止日期，且不超过 12 个月",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"notice": " "}, "通知"),
        ({"list_hash": ""}, "SHA-256"),
        ({"list_hash": "z" * 64}, "SHA-256"),
        ({"valid_to": None}, "终止日期"),
    ],
)
def test_transitional_qualification_names_notice_list_and_end(
    change: dict[str, object], words: str
):
    asked = replace(TRANSITIONAL, **change)
    application = replace(APPLICATION, qualification=asked, inspection=None, centre=None)
    reasons = granting.reasons_against(application)
    assert len(reasons) == 1
    assert words in reasons[0]


def make_list(number: str, published: datetime | None) -> m.InstitutionList:
    return m.InstitutionList(number, "名单", "CQ-WJW", CQ, published)


MARCH = datetime(2026, 3, 1, 1, tzinfo=UTC)


def test_listed_from_the_local_day_of_publication():
    late = make_list("L", datetime(2026, 2, 28, 17, tzinfo=UTC))  # the first of March here
    assert listing.status([late], [late], date(2026, 2, 28)).listed is None
    assert listing.status([late], [late], date(2026, 3, 1)).listed is True


def test_draft_lists_nobody_and_says_nothing():
    draft = make_list("L", None)
    assert listing.status([draft], [draft], date(2026, 5, 1)) == m.ListStatus(None)


def test_not_listed_names_the_newest_list_of_the_province():
    old, new = make_list("old", MARCH), make_list("new", datetime(2026, 4, 1, tzinfo=UTC))
    found = listing.status([], [old, new], date(2026, 5, 1))
    assert (found.listed, found.list_id) == (False, "new")
    found = listing.status([], [old, new], date(2026, 3, 20))
    assert (found.listed, found.list_id) == (False, "old")
