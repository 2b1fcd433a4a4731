"""The 141 items: counts, keys, defects of the draft, families, matching."""

from collections import Counter

import pytest

from accord import catalogue, standard
from accord.catalogue.errors import BrokenCatalogue, UnknownVersion
from accord.catalogue.files import Declared, build
from accord.catalogue.model import AcquiredSides, AgeGroup, Contrast, How, Modality, Side

ITEMS = catalogue.load()


def row(number, **changes):
    plain = {
        "no": str(number),
        "modality_raw": "CT",
        "region_raw": "胸部",
        "name_raw": f"项目{number}",
        "modality": "CT",
        "anatomy": f"部位{number}",
        "laterality": "none",
        "contrast": "plain",
        "projections": "",
        "age_group": "",
        "position": "",
        "acquired_sides": "",
        "needs_confirmation": "",
        "aliases": "",
        "sct_code": "",
        "sct_meaning": "",
        "sct_match": "none",
        "body_part_examined": "",
        "laterality_sct": "",
        "view_sct": "",
        "view_modifier_sct": "",
        "dicom_modality": "CT",
        "note": "",
    }
    return plain | changes


def declared(*runs, **counts):
    return Declared("t", counts or {"CT": 2}, {"CT-胸": runs or ("1", "2")})


def test_the_counts_are_those_of_clause_6_3():
    rule_set = standard.load()
    counts = Counter(item.modality for item in ITEMS.items)
    assert len(ITEMS.items) == rule_set.count("6.3/items")
    assert counts[Modality.DR] == rule_set.count("6.3/items_dr")
    assert counts[Modality.CT] == rule_set.count("6.3/items_ct")
    assert counts[Modality.MR] == rule_set.count("6.3/items_mr")


def test_numbers_run_from_1_to_141_and_keys_are_unique():
    assert [item.no for item in ITEMS.items] == list(range(1, 142))
    assert len({item.key for item in ITEMS.items}) == 141


def test_the_printed_category_is_kept_and_never_compared():
    raw = {item.no: item.modality_raw for item in ITEMS.items}
    assert {raw[139], raw[140], raw[141]} == {"MRI"}
    assert {ITEMS.by_no(number).modality for number in (116, 139)} == {Modality.MR}


def test_a_slip_of_the_print_is_an_alias():
    item = ITEMS.by_no(120)
    assert item.name == "腰椎 MR 平扫"
    assert ITEMS.by_name("腰椎MRI平扫") is item
    assert ITEMS.by_name("腰椎 ＭＲ 平扫") is item


def test_a_doubtful_print_stays_literal_and_is_flagged():
    assert {item.no for item in ITEMS.items if item.needs_confirmation} == {65, 66}
    assert ITEMS.by_no(65).anatomy == "髌骨"


def test_mammography_counts_as_dr_and_arrives_as_mg():
    for number in (62, 63, 64):
        assert ITEMS.by_no(number).modality is Modality.DR
        assert ITEMS.by_no(number).codes.dicom_modalities == {"MG"}


def test_the_infant_chest_has_an_age_group_and_the_standing_chests_a_position():
    assert {item.no for item in ITEMS.items if item.age_group is AgeGroup.INFANT} == {3}
    assert {item.no for item in ITEMS.items if item.position == "standing"} == {1, 2}


def test_items_without_a_side_say_how_they_are_acquired():
    both = {item.no for item in ITEMS.items if item.acquired is AcquiredSides.BOTH}
    open_ = {item.no for item in ITEMS.items if item.acquired is AcquiredSides.OPEN}
    assert both == {69, 70, 71, 72, 82, 109, 141}
    assert open_ == {12, 61, 98}
    assert {i.no for i in ITEMS.items if i.laterality is Side.UNSPECIFIED} == both | open_


def test_only_plain_films_have_views_and_no_contrast():
    for item in ITEMS.items:
        assert bool(item.projections) is (item.modality is Modality.DR)
        assert (item.contrast is Contrast.NOT_APPLICABLE) is (item.modality is Modality.DR)


def test_an_uncertain_part_has_no_code():
    assert {item.no for item in ITEMS.items if item.codes.sct is None} == {71, 84}
    assert ITEMS.by_no(71).codes.sct_match == "none"


def test_every_item_stands_in_exactly_one_family():
    counted = Counter(no for family in ITEMS.families.values() for no in family.items)
    assert counted == Counter(range(1, 142))
    assert len(ITEMS.families) == 14
    assert ITEMS.by_no(94).family == "CT-胸"


@pytest.mark.parametrize(
    ("kind", "value", "items"),
    [
        ("item", "94", {94}),
        ("item", "CYHR-094", {94}),
        ("item", "999", set()),
        ("family", "CT-胸", {94, 107}),
        ("family", "CT-海", set()),
        ("modality", "XX", set()),
        ("region", "CT", set()),
    ],
)
def test_the_scope_of_a_qualification_is_its_items(kind, value, items):
    assert ITEMS.scope(kind, value) == items


def test_the_scope_of_a_modality_is_all_its_items():
    assert len(ITEMS.scope("modality", "MR")) == 26


@pytest.mark.parametrize(
    ("code", "number"), [("CYHR-013", 13), ("cyhr-141", 141), ("13", 13), (" 13 ", 13)]
)
def test_an_item_is_found_by_its_code(code, number):
    assert ITEMS.by_code(code).no == number
    assert ITEMS.by_no(number).code == f"CYHR-{number:03d}"


@pytest.mark.parametrize("code", ["CYHR-142", "CYHR-", "XX-1", "", "٣", "9" * 5000])
def test_another_code_is_no_item(code):
    assert ITEMS.by_code(code) is None


def test_an_item_is_found_by_its_key():
    assert ITEMS.by_key(ITEMS.by_no(56).key).no == 56


ALIASES = {("A", catalogue.fold("左膝 正侧")): 13}


@pytest.mark.parametrize(
    ("name", "code", "number", "how"),
    [
        ("左侧膝关节正侧位摄影", None, 13, How.EXACT),
        ("左侧 膝关节 正侧位 摄影", None, 13, How.EXACT),
        ("左膝正侧", None, 13, How.ALIAS),
        ("随便什么", "CYHR-094", 94, How.CODE),
        (None, "CYHR-094", 94, How.CODE),
        ("左膝正侧", "LOCAL-7", 13, How.ALIAS),
        ("cyhr-094", None, 94, How.CODE),
    ],
)
def test_a_name_or_code_means_an_item(name, code, number, how):
    match = catalogue.match(name, institution="A", aliases=ALIASES, code=code)
    assert (match.item.no, match.how) == (number, how)
    assert match.because


@pytest.mark.parametrize(
    ("name", "institution"), [("左膝正侧", "B"), ("左膝", "A"), (None, "A"), ("", "A"), ("94", "A")]
)
def test_nothing_is_guessed(name, institution):
    match = catalogue.match(name, institution=institution, aliases=ALIASES)
    assert match.item is None
    assert match.how is How.UNMAPPED


def test_an_alias_of_a_number_that_does_not_exist_maps_nothing():
    match = catalogue.match("甲", institution="A", aliases={("A", "甲"): 999})
    assert match.item is None


def test_an_unknown_version_is_refused():
    with pytest.raises(UnknownVersion):
        catalogue.load("1999-nothing")


def test_a_sound_version_is_built():
    built = build("t", declared(), [row(1), row(2)])
    assert [item.no for item in built.items] == [1, 2]


@pytest.mark.parametrize(
    ("what", "rows", "words"),
    [
        (declared(CT=3), [row(1), row(2)], "declares"),
        (declared(), [row(1), row(2, anatomy="部位1")], "key"),
        (declared(), [row(1), row(2, name_raw="项目1")], "name"),
        (declared(), [row(1), row(1, anatomy="x", name_raw="y")], "number"),
        (declared(), [row(1), row(2, aliases="项目1")], "name"),
        (declared("1"), [row(1), row(2)], "no family"),
        (declared("1-3"), [row(1), row(2)], "no business"),
        (declared(), [row(1), row(2, laterality="unspecified")], "acquired sides"),
        (declared(), [row(1), row(2, acquired_sides="both")], "acquired sides"),
    ],
)
def test_a_version_that_contradicts_itself_is_refused(what, rows, words):
    with pytest.raises(BrokenCatalogue, match=words):
        build("t", what, rows)


def test_two_families_cannot_hold_one_item():
    twice = Declared("t", {"CT": 2}, {"CT-胸": ("1", "2"), "CT-腹": ("2",)})
    with pytest.raises(BrokenCatalogue, match="family"):
        build("t", twice, [row(1), row(2)])


@pytest.mark.parametrize("code", ["13", "013", "DR13", "CYHR13", "CYHR-999"])
def test_a_code_of_the_hospital_is_never_taken_for_one_of_ours(code):
    assert catalogue.match("本院项目", institution="A", aliases={}, code=code).item is None
