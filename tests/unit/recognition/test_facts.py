"""The prior as a case states it: from headers, order and report, never guessed."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from accord import catalogue, standard
from accord.dataquality.model import ReportState
from accord.recognition.facts import _licence, _tested, prior_facts
from accord.recognition.model import TakenSide
from accord.record.model import (
    Examination,
    Kept,
    Order,
    Registration,
    Report,
    ReportStatus,
    Urgency,
)
from accord.registry.model import Device, DeviceKind, DeviceTest, Profession, Staff, TestKind
from accord.standard.model import Jurisdiction

ITEMS, RULES = catalogue.load(), standard.load()
AT = datetime(2026, 3, 15, 2, tzinfo=UTC)
DAY = date(2026, 3, 15)


def series(**what):
    plain = {
        "instances": 1,
        "frames": 1,
        "image_type": ["ORIGINAL", "PRIMARY"],
        "contrast_agent": None,
        "laterality": None,
        "image_laterality": None,
        "view_position": None,
        "view_code": None,
        "slice_thickness": None,
        "cassette_orientation": None,
    }
    return plain | what


def examination(*several, items=(1,), **changes):
    study = {
        "sop_classes": ["1.2.840.10008.5.1.4.1.1.1.1"],
        "device": {},
        "elements": {},
        "settled_at": None,
        "stored": 1,
        "birth_date": "1979-08-15",
        "series": list(several),
    }
    plain = Examination(
        id=1,
        performed_by="A",
        patient_id="P1",
        study_uid="2.25.1",
        accession="A1",
        items=items,
        item_reason="",
        modality="DX",
        exam_start=AT,
        exam_end=AT,
        settled_at=None,
        reported_by=None,
        report_status=None,
        released_at=None,
        withdrawn=False,
        study=study | changes.pop("study", {}),
    )
    return replace(plain, **changes)


def facts(given):
    return prior_facts(given, (), RULES, ITEMS)


def test_what_nothing_says_stays_unknown():
    bare = facts(replace(examination(), study=None, items=(), modality=None, exam_end=None))
    assert bare.items is None
    assert (bare.cr_object, bare.plate_signs, bare.single_frame) == (None, None, None)
    assert (bare.settled, bare.received, bare.announced) == (None, None, None)
    assert (bare.age, bare.side, bare.views, bare.techniques) == (None, None, None, None)
    assert bare.non_contrast_series is None
    assert bare.report.state is ReportState.NONE
    assert bare.report.urgent is None


def test_views_are_known_where_every_image_states_one():
    told = facts(examination(series(view_position="PA"), series(view_code="399067008"), items=(2,)))
    assert told.views == {"PA", "LAT"}


@pytest.mark.parametrize(
    ("several", "items"),
    [
        ([series(view_position="PA"), series()], (2,)),
        ([series(view_position="PA", instances=2)], (2,)),
        ([series(view_position="free text")], (1,)),
        ([series(view_position="LAT"), series(view_position="LAT")], (28,)),
        ([series(view_position="PA")], (94,)),
        ([series(view_position="PA")], ()),
        ([], (1,)),
    ],
)
def test_views_are_unknown_otherwise(several, items):
    assert facts(examination(*several, items=items)).views is None


def test_oblique_views_of_a_hand_are_oblique():
    told = facts(examination(series(view_position="PA"), series(view_position="LLO"), items=(10,)))
    assert told.views == {"PA", "OBL"}


@pytest.mark.parametrize(
    "study",
    [
        {"device": {"plate_id": "P1"}},
        {"elements": {"CassetteSize": "18CMX24CM"}},
        {"elements": {"ExposuresOnPlate": 3}},
        {"series": [series(cassette_orientation="PORTRAIT")]},
    ],
)
def test_a_filled_plate_sign_is_seen(study):
    assert facts(examination(study=study)).plate_signs


def test_an_empty_plate_sign_is_none():
    assert not facts(examination(study={"device": {"plate_id": ""}})).plate_signs


def test_the_cr_image_class_is_told_from_the_dx_class():
    assert not facts(examination()).cr_object
    cr = facts(examination(study={"sop_classes": ["1.2.840.10008.5.1.4.1.1.1"]}))
    assert cr.cr_object


@pytest.mark.parametrize(("frames", "single"), [(1, True), (30, False)])
def test_frames_are_counted_against_images(frames, single):
    assert facts(examination(series(frames=frames))).single_frame is single


def test_the_side_of_the_header_wins_over_that_of_the_report():
    report = Kept(
        "A", 1, AT, Report(number="R", performed_by="A", status=ReportStatus.FINAL, side="右")
    )
    told = facts(examination(series(image_laterality="L"), report=report))
    assert told.side is TakenSide.LEFT
    assert facts(examination(series(), report=report)).side is TakenSide.RIGHT


@pytest.mark.parametrize(
    ("thickness", "techniques"), [(1.0, ("thin_slices",)), (1.25, ()), (None, None)]
)
def test_thin_slices_are_named_by_the_number_of_the_standard(thickness, techniques):
    assert facts(examination(series(slice_thickness=thickness))).techniques == techniques


@pytest.mark.parametrize(
    ("several", "there"),
    [
        ([series(), series(contrast_agent="碘海醇")], True),
        ([series(contrast_agent="碘海醇")], False),
        (
            [series(image_type=["ORIGINAL", "PRIMARY", "LOCALIZER"]), series(contrast_agent="x")],
            False,
        ),
        ([series(image_type=["ORIGINAL", "PRIMARY", "LOCALIZER"])], None),
    ],
)
def test_a_localizer_is_no_series_without_contrast(several, there):
    assert facts(examination(*several)).non_contrast_series is there


def test_the_order_tells_urgency_department_and_announced_images():
    order = Order(
        number="O",
        visit="V",
        patient_id="P1",
        item_text="胸片",
        ordered_at=AT,
        urgency=Urgency.STAT,
        department="骨科",
        registration=Registration(announced_instances=2),
    )
    told = facts(examination(order=Kept("A", 1, AT, order)))
    assert (told.report.urgent, told.department, told.announced) == (True, "骨科", 2)


def test_the_birth_date_of_the_report_stands_in_for_a_silent_header():
    report = Report(
        number="R",
        performed_by="A",
        status=ReportStatus.FINAL,
        patient_birth_date=date(2024, 3, 16),
    )
    given = examination(study={"birth_date": None}, report=Kept("A", 1, AT, report))
    assert facts(given).age == 1


def device(*tests):
    return Device(
        id="D",
        institution="A",
        serial="S",
        kind=DeviceKind.CT,
        authority="W",
        jurisdiction=Jurisdiction.CHONGQING,
        valid_from=date(2020, 1, 1),
        tests=tests,
    )


def checked(kind, on, *, passed=True):
    return DeviceTest(
        kind=kind,
        passed=passed,
        tested_on=on,
        valid_from=on,
        valid_to=on.replace(year=on.year + 1),
    )


def test_a_device_without_tests_says_nothing_of_them():
    told = _tested(device(), DAY, complete=False)
    assert told.registered
    assert (told.acceptance_passed, told.test_passed, told.test_to) == (None, None, None)


def test_the_acceptance_test_stands_in_for_the_first_state_test():
    told = _tested(device(checked(TestKind.ACCEPTANCE, date(2026, 1, 1))), DAY, complete=True)
    assert (told.acceptance_passed, told.test_passed) == (True, True)
    assert told.test_to == date(2027, 1, 1)


def test_the_newest_state_test_of_the_day_counts():
    told = _tested(
        device(
            checked(TestKind.ACCEPTANCE, date(2024, 1, 1)),
            checked(TestKind.STATE, date(2025, 6, 1), passed=False),
            checked(TestKind.STATE, date(2026, 6, 1)),
        ),
        DAY,
        complete=False,
    )
    assert (told.acceptance_passed, told.test_passed) == (True, False)


def person(name, profession, scope=""):
    return Staff(
        institution="A",
        code=f"C-{name}",
        name=name,
        profession=profession,
        authority="W",
        jurisdiction=Jurisdiction.CHONGQING,
        valid_from=date(2020, 1, 1),
        scope=scope,
    )


STAFF = (
    person("李明", Profession.PHYSICIAN, "医学影像和放射治疗专业"),
    person("赵刚", Profession.PHYSICIAN, "内科专业"),
    person("孙丽", Profession.PHYSICIAN),
    person("王强", Profession.TECHNOLOGIST),
)


@pytest.mark.parametrize(
    ("named", "profession", "fits"),
    [
        ("李明", Profession.PHYSICIAN, True),
        ("C-李明", Profession.PHYSICIAN, True),
        ("赵刚", Profession.PHYSICIAN, False),
        ("孙丽", Profession.PHYSICIAN, None),
        ("王强", Profession.TECHNOLOGIST, True),
        ("王强", Profession.PHYSICIAN, False),
    ],
)
def test_a_licence_is_found_by_code_or_name_with_its_scope(named, profession, fits):
    licence = _licence(named, profession, STAFF)
    assert licence.registered
    assert licence.scope_fits is fits


def test_a_name_nobody_registered_is_no_licence():
    assert not _licence("无此人", Profession.PHYSICIAN, STAFF).registered
    assert _licence(None, Profession.PHYSICIAN, STAFF) is None
