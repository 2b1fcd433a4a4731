from collections import Counter
from datetime import date

import pytest

from accord.app.demo.region import (
    BOTH_PROVINCES,
    BY_CODE,
    HOSPITALS,
    MACHINES,
    PREFECTURE_SC,
    PROVINCIAL,
    accounts,
    ae_title,
    machine_of,
    region,
)
from accord.catalogue import load as load_catalogue
from accord.registry import intake
from accord.registry.model import DeviceKind, Level, Ownership, RoleName
from accord.registry.service import families

DAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def rows():
    return intake.read_region(region(DAY))


def test_rows_have_the_form_that_the_registry_imports(rows):
    assert len(rows.institutions) == len(HOSPITALS) >= 10
    assert len({row.code for row in rows.institutions}) == len(rows.institutions)


def test_every_level_and_ownership_of_both_provinces_is_there():
    assert {h.level for h in HOSPITALS} == set(Level)
    assert {h.ownership for h in HOSPITALS} == set(Ownership)
    assert min(Counter(h.place for h in HOSPITALS).values()) >= 5


def test_everything_is_marked_as_invented(rows):
    assert all(row.code.startswith("DEMO-") for row in rows.institutions)
    assert all("示范" in row.name for row in (*rows.authorities, *rows.centres))


def test_one_county_consortium_joins_the_township_with_its_county_hospital(rows):
    kinds = {row.kind.value: {m.institution for m in row.members} for row in rows.consortia}
    assert {"DEMO-CQ03", "DEMO-CQ04"} <= kinds["county"]
    assert kinds.keys() == {"county", "urban", "specialist"}


def test_two_provincial_centres_and_one_of_a_prefecture(rows):
    ranks = {row.code: row.rank.value for row in rows.centres}
    assert [ranks[code] for code in PROVINCIAL.values()] == ["provincial", "provincial"]
    assert ranks[PREFECTURE_SC] == "prefecture"


def test_one_hospital_stands_on_no_list_and_carries_no_right(rows):
    listed = {entry.institution for each in rows.lists for entry in each.entries}
    unlisted = {h.code for h in HOSPITALS} - listed
    assert unlisted == {"DEMO-SC06"}
    assert not unlisted & {row.institution for row in rows.qualifications}


def test_every_scope_is_one_of_the_standard(rows):
    for row in (*rows.inspections, *rows.qualifications):
        assert families().items_of(row.scope_kind, row.scope_value), row.scope_value


def test_every_right_rests_on_a_passed_inspection_or_a_named_notice(rows):
    passed = {row.id for row in rows.inspections if row.passed}
    for row in rows.qualifications:
        assert (row.inspection in passed) != bool(row.notice and row.list_hash), row.id
    assert {row.mark_scope for row in rows.qualifications} == {BOTH_PROVINCES, "四川", "全国"}
    assert [step.step for step in rows.steps] == ["suspend"]


def test_devices_name_a_panel_that_sends_cr_and_a_reader_of_plates(rows):
    kinds = Counter(row.kind for row in rows.devices)
    assert kinds[DeviceKind.CR_READER] == 1
    panel = MACHINES["DRC"]
    assert (panel.kind, panel.sends) == (DeviceKind.DR_PANEL, "CR")
    assert all(len(row.tests) == 2 for row in rows.devices)
    serials = [(row.institution, row.serial) for row in rows.devices]
    assert len(serials) == len(set(serials))


def test_a_hospital_without_the_machine_has_none():
    with pytest.raises(LookupError):
        machine_of(BY_CODE["DEMO-CQ04"], "CT")


def test_every_role_has_an_account_and_every_account_one_post(rows):
    people = accounts()
    assert {account.role for account in people} == set(RoleName)
    assert len({account.login for account in people}) == len(people) == len(rows.posts)
    assert all((a.institution is None) != (a.authority is None) for a in people)


def test_one_physician_works_at_two_hospitals():
    places = [a.institution for a in accounts() if a.login.startswith("doctor.li.")]
    assert len(set(places)) == 2


def test_ae_titles_fit_dicom_and_name_one_hospital():
    titles = [ae_title(h.code) for h in HOSPITALS]
    assert len(set(titles)) == len(titles)
    assert all(0 < len(title) <= 16 for title in titles)


def test_the_region_moves_with_the_day():
    later = region(date(2026, 4, 2))
    moved = region(DAY)["devices"][0]["valid_from"], later["devices"][0]["valid_from"]
    assert (moved[1] - moved[0]).days == 31


def test_items_of_local_names_exist():
    from accord.app.demo.stories import LOCAL_NAMES

    assert all(load_catalogue().by_no(item) for item in LOCAL_NAMES)
