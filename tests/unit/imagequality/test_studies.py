"""Checks of a study: item, views, side, identity, clock, repeats, directions, planes, grade."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accord.imagequality.model import Kind, Order
from unit.imagequality.making import found, frame, frames, judged, series, verdicts

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
DOWN = [-5.0 * number for number in range(8)]
JPEG = "1.2.840.10008.1.2.4.50"
CHEST_PA_LAT, LEFT_KNEE, LEFT_HAND, BREASTS = 2, 13, 10, 62
CHEST_CT, CHEST_CT_ENHANCED, LEFT_KNEE_MR = 94, 107, 122


def film(view, *, uid="1", side=None, instance=1, **parts):
    made = frame(
        0.0, instance, view=view, stated_view=view, laterality=side, position=None, row=None
    )
    told = {"modality": "DX"} | parts
    return series([made], uid=uid, **told)


def stack(uid, places=DOWN, *, starts=0, plane="axial", numbers=1, **parts):
    made = [
        replace(
            one,
            acquisition=numbers,
            acquired_at=START + timedelta(seconds=starts + index),
        )
        for index, one in enumerate(frames(places, plane=plane))
    ]
    return series(made, uid=uid, **parts)


# The part: views (G4, K3)
def test_both_views_of_the_item_are_there():
    answer = judged(film("PA"), film("LAT", uid="2"), item=CHEST_PA_LAT)
    assert verdicts(answer)["item.missing_view"] == "pass"
    assert answer.graded.grade is None


def test_a_missing_view_makes_the_study_waste():
    answer = judged(film("PA"), item=CHEST_PA_LAT)
    finding = found(answer, "item.missing_view")
    assert finding.verdict == "fail"
    assert finding.measured.region == {"missing": ["LAT"]}
    assert (finding.measured.critical, answer.graded.grade) == ("K3", "废片")


def test_a_film_without_a_known_view_may_be_the_missing_one():
    answer = judged(film("PA"), film(None, uid="2"), item=CHEST_PA_LAT)
    assert verdicts(answer)["item.missing_view"] == "not_evaluable"


def test_a_frontal_view_may_be_taken_either_way():
    answer = judged(film("AP"), film("LAT", uid="2"), item=LEFT_KNEE)
    assert verdicts(answer)["item.missing_view"] == "pass"


def test_both_breasts_need_both_views_each():
    made = [film(view, uid=f"{view}{side}", side=side) for view in ("CC", "MLO") for side in "LR"]
    assert verdicts(judged(*made, item=BREASTS))["item.missing_view"] == "pass"
    lacking = found(judged(*made[:-1], item=BREASTS), "item.missing_view")
    assert lacking.measured.region == {"missing": ["MLO R"]}


# The part: side (G5, K2)
def test_the_other_side_is_found_and_waits_for_a_person():
    answer = judged(film("AP", side="R"), film("LAT", uid="2", side="R"), item=LEFT_KNEE)
    finding = found(answer, "item.side")
    assert (finding.verdict, finding.measured.critical) == ("fail", "K2")
    assert answer.graded.grade is None
    assert answer.graded.critical == ("K2",)


def test_the_side_of_the_item_passes():
    answer = judged(film("AP", side="L"), item=LEFT_KNEE)
    assert verdicts(answer)["item.side"] == "pass"


def test_a_silent_header_is_no_defect_of_side():
    assert verdicts(judged(film("AP"), item=LEFT_KNEE))["item.side"] == "not_evaluable"


def test_a_header_that_names_both_sides_contradicts_itself():
    answer = judged(film("AP", side="L", laterality="R"))
    assert verdicts(answer)["item.side"] == "fail"


def test_the_side_of_the_order_counts_where_the_item_names_none():
    answer = judged(film("AP", side="R"), order=Order(side="L"))
    assert verdicts(answer)["item.side"] == "fail"


# The part: item (G1)
def test_another_category_than_the_item_is_found():
    assert verdicts(judged(stack("1"), item=LEFT_KNEE))["item.agrees"] == "fail"


def test_another_part_in_the_header_is_only_a_hint():
    answer = judged(stack("1", body_part="HEAD"), item=CHEST_CT)
    assert verdicts(answer)["item.agrees"] == "uncertain"


@pytest.mark.parametrize(
    ("item", "agent", "expected"),
    [
        (CHEST_CT, None, "pass"),
        (CHEST_CT, "碘海醇", "uncertain"),
        (CHEST_CT_ENHANCED, None, "uncertain"),
        (CHEST_CT_ENHANCED, "碘海醇", "pass"),
    ],
)
def test_contrast_against_the_item_is_a_hint(item, agent, expected):
    answer = judged(stack("1", contrast_agent=agent), item=item)
    assert verdicts(answer)["item.agrees"] == expected


# The part: identity and clock
def test_another_accession_than_the_orders_makes_the_study_waste():
    answer = judged(stack("1"), order=Order(accession="A2"))
    assert found(answer, "study.identity").measured.critical == "K1"
    assert answer.graded.grade == "0级"


def test_the_accession_of_the_order_passes():
    answer = judged(stack("1"), order=Order(accession="A1"))
    assert verdicts(answer)["study.identity"] == "pass"


def test_two_patients_in_one_study_are_found_and_grade_nothing_alone():
    answer = judged(stack("1"), stack("2", patient_id="P2"))
    assert verdicts(answer)["study.identity"] == "fail"
    assert answer.graded.grade is None


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, "pass"), (10, "pass"), (-10, "pass"), (11, "fail")]
)
def test_image_times_are_compared_with_the_technologists_record(minutes, expected):
    order = Order(started_at=START + timedelta(minutes=minutes))
    assert verdicts(judged(stack("1"), order=order))["study.clock"] == expected


def test_no_record_of_the_technologist_means_no_comparison():
    assert "study.clock" not in verdicts(judged(stack("1"), order=Order(accession="A1")))


# The part: repeats (G3)
def test_a_second_acquisition_of_the_same_range_is_a_hint():
    answer = judged(stack("1"), stack("2", starts=600, numbers=2))
    finding = found(answer, "study.repeat")
    assert finding.verdict == "uncertain"
    assert finding.measured.region == {"pairs": [["1", "2"]]}
    assert answer.graded.grade is None


def test_reconstructions_of_one_acquisition_are_no_repeat():
    answer = judged(stack("1", kernel="B31f"), stack("2", kernel="B60f"))
    assert verdicts(answer)["study.repeat"] == "pass"


@pytest.mark.parametrize(
    "other",
    [
        {"contrast_agent": "碘海醇"},
        {"description": "延迟期"},
        {"description": "CT perfusion"},
        {"description": "呼气相"},
        {"places": [-5.0 * number for number in range(20)]},
    ],
)
def test_what_differs_or_is_planned_is_no_repeat(other):
    answer = judged(stack("1"), stack("2", starts=600, numbers=2, **other))
    assert verdicts(answer)["study.repeat"] == "pass"


# The part: MR
def test_axial_series_in_opposite_directions_are_found():
    answer = judged(stack("1", modality="MR"), stack("2", DOWN[::-1], starts=600, modality="MR"))
    finding = found(answer, "study.direction")
    assert finding.verdict == "fail"
    assert finding.measured.region == {"series": {"1": "-z", "2": "+z"}}
    assert [one.code for one in answer.rules if one.rule == "R7.3-5"] == ["DIRECTION_DIFFERS"]


def test_axial_series_in_one_direction_pass():
    answer = judged(stack("1", modality="MR"), stack("2", starts=600, modality="MR"))
    assert verdicts(answer)["study.direction"] == "pass"


def test_a_knee_in_one_plane_fails_with_the_rule_and_in_two_passes():
    one = stack("1", modality="MR", plane="sagittal")
    other = stack("2", DOWN[::-1], modality="MR", plane="coronal", starts=600)
    alone = judged(one, item=LEFT_KNEE_MR)
    assert verdicts(alone)["study.planes"] == "fail"
    assert {(told.rule, told.code) for told in alone.rules} >= {("R7.3-5", "PLANES_MISSING")}
    assert alone.graded.grade is None
    assert verdicts(judged(one, other, item=LEFT_KNEE_MR))["study.planes"] == "pass"


def test_a_knee_in_one_oblique_series_is_not_evaluable_with_the_rule():
    half = 0.5**0.5
    made = frames(DOWN, row=(half, 0.0, -half), column=(0.0, 1.0, 0.0))
    alone = judged(series(made, modality="MR"), item=LEFT_KNEE_MR)
    assert verdicts(alone)["study.planes"] == "not_evaluable"
    assert {(told.rule, told.outcome.value) for told in alone.rules} >= {
        ("R7.3-5", "not_evaluable")
    }


def test_an_isotropic_volume_gives_every_plane():
    made = [
        replace(one, thickness_mm=0.7)
        for one in frames([-0.7 * number for number in range(8)], plane="sagittal")
    ]
    answer = judged(series(made, modality="MR", is_volume_acquisition=True), item=LEFT_KNEE_MR)
    assert verdicts(answer)["study.planes"] == "pass"


def test_several_frames_of_reference_are_a_hint():
    one = stack("1", frame_of_reference="1.1")
    answer = judged(one, stack("2", starts=600, frame_of_reference="1.2"))
    assert verdicts(answer)["study.frame_of_reference"] == "uncertain"


# The part: format and grade
@pytest.mark.parametrize(
    "parts", [{"syntax": JPEG}, {"lossy_flag": "01"}, {"damage": "pixels_incomplete"}]
)
def test_lossy_or_damaged_pixels_make_the_study_waste(parts):
    answer = judged(stack("1", **parts))
    assert verdicts(answer, "1")["format.lossless"] == "fail"
    assert (answer.graded.grade, answer.graded.critical) == ("0级", ("K7",))


def test_traces_of_a_lossy_step_are_a_hint_and_grade_nothing():
    answer = judged(stack("1", lossy_traces=("00282112",)))
    assert verdicts(answer, "1")["format.lossy_trace"] == "uncertain"
    assert answer.graded.grade is None


def test_a_lossy_object_is_not_suspected_of_being_lossy_as_well():
    answer = judged(stack("1", syntax=JPEG, lossy_traces=("00280004",)))
    assert verdicts(answer, "1")["format.lossy_trace"] == "pass"


def test_captures_alone_make_the_study_waste_and_beside_images_they_do_not():
    capture = series([frame(0.0, 1)], uid="7", kind=Kind.CAPTURE)
    assert judged(capture).graded.grade == "0级"
    assert verdicts(judged(capture), "7")["series.kind"] == "not_evaluable"
    assert judged(capture, stack("1")).graded.grade is None


def test_documents_and_other_modalities_are_told_and_not_judged():
    document = series([frame(0.0, 1)], uid="7", kind=Kind.DOCUMENT, modality="SR")
    answer = judged(document, series([frame(0.0, 1)], uid="8", modality="XA"))
    assert verdicts(answer, "7") == {"series.kind": "not_applicable"}
    assert verdicts(answer, "8") == {"series.kind": "not_evaluable"}
    assert "不评分" in answer.graded.reason


def test_a_sound_study_has_no_grade_and_says_why():
    answer = judged(stack("1"), item=CHEST_CT)
    assert answer.graded.grade is None
    assert "像素" in answer.graded.reason
    assert not answer.has_failed
