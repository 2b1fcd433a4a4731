"""Legal patterns make no finding; a planted fault is found where it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accord.imagequality import geometry
from accord.imagequality.geometry import Layout
from accord.imagequality.model import Plane
from unit.imagequality.making import TOLERANCES, found, frame, frames, judged, series, verdicts

REGULAR = [-5.0 * number for number in range(12)]
START = datetime(2026, 3, 2, 1, tzinfo=UTC)


def of(made, **parts):
    return verdicts(judged(series(made, **parts)), "1")


def failed(told):
    return {check for check, verdict in told.items() if verdict != "pass"}


def test_a_sound_series_passes_every_check():
    told = of(frames(REGULAR))
    assert len(told) == 9
    assert failed(told) == set()


@pytest.mark.parametrize("at", range(1, 11))
def test_a_missing_slice_is_found_wherever_it_was_inside(at):
    made = frames(REGULAR)
    del made[at]
    answer = judged(series(made))
    finding = found(answer, "geometry.gap", "1")
    assert finding.verdict == "fail"
    assert finding.measured.value == 2
    assert finding.measured.region["gaps"][0]["missing"] == 1
    assert finding.measured.critical == "K8"
    assert answer.graded.grade == "0级"


def test_a_missing_slice_is_found_when_the_rest_was_numbered_anew():
    assert failed(of(frames([at for at in REGULAR if at != -25.0]))) == {"geometry.gap"}


def test_several_missing_slices_in_a_row_are_counted():
    made = [one for one in frames(REGULAR) if one.position[2] not in {-20.0, -25.0, -30.0}]
    gap = found(judged(series(made)), "geometry.gap", "1").measured.region["gaps"][0]
    assert (gap["missing"], gap["step_mm"], gap["expected_mm"]) == (3, 20.0, 5.0)


def test_a_scan_of_two_planned_steps_passes():
    thin = [-4.0 * number for number in range(12)]
    assert failed(of(frames(thin + [thin[-1] - 7.0 * number for number in range(1, 9)]))) == set()


def test_a_seam_between_planned_steps_is_regular():
    thin = [-4.0 * number for number in range(12)]
    seam = thin[-1] - 5.5
    thick = [seam - 7.0 * number for number in range(1, 9)]
    assert failed(of(frames([*thin, seam, *thick]))) == set()


def test_blocks_that_meet_closer_than_either_step_are_regular():
    thin = [-4.0 * number for number in range(12)]
    seam = thin[-1] - 1.08
    thick = [seam - 7.0 * number for number in range(1, 9)]
    told = of(frames([*thin, seam, *thick]))
    assert told["geometry.regular"] == "pass"


def test_a_narrow_step_inside_equal_steps_is_no_seam():
    told = of(frames([0.0, 5, 10, 15, 18, 23, 28, 33]))
    assert told["geometry.regular"] == "uncertain"


def test_a_missing_slice_in_the_thick_block_is_still_found():
    places = [0.0, 4, 8, 12, 16, 23, 30, 37, 44, 58, 65, 72, 79]
    assert "geometry.gap" in failed(of(frames(places)))


def test_an_irregular_step_that_is_no_gap_is_a_hint():
    told = of(frames([0.0, 5, 10, 15, 21, 26, 31, 36]))
    assert told["geometry.regular"] == "uncertain"
    assert told["geometry.gap"] == "pass"


def test_a_doubled_position_is_found():
    made = [*frames(REGULAR), frame(-15.0, 40)]
    told = of(made)
    assert told["geometry.duplicate"] == "fail"
    assert told["geometry.gap"] == "pass"


def test_a_whole_series_that_came_twice_is_found():
    made = frames(REGULAR) + [frame(at, 20 + number) for number, at in enumerate(REGULAR)]
    finding = found(judged(series(made)), "geometry.duplicate", "1")
    assert finding.verdict == "fail"
    assert finding.measured.value == len(REGULAR)


@pytest.mark.parametrize("name", ["echo", "b-value", "time point", "trigger"])
def test_places_taken_several_times_on_purpose_pass(name):
    made = [
        frame(at, time * 12 + number, dimensions={name: str(time)})
        for time in range(3)
        for number, at in enumerate(REGULAR, start=1)
    ]
    assert failed(of(made, modality="MR")) == set()


def test_time_points_told_apart_by_their_moment_only_pass():
    made = [
        frame(at, time * 12 + number, acquired_at=START + timedelta(seconds=time * 20 + number))
        for time in range(3)
        for number, at in enumerate(REGULAR, start=1)
    ]
    assert failed(of(made, modality="MR")) == set()


def test_a_time_point_that_lacks_a_slice_is_found():
    made = [
        frame(at, time * 12 + number, dimensions={"time point": str(time)})
        for time in range(3)
        for number, at in enumerate(REGULAR, start=1)
        if not (time == 1 and number == 6)
    ]
    assert "geometry.gap" in failed(of(made, modality="MR"))


def test_exchanged_numbers_are_found():
    places = REGULAR.copy()
    places[4], places[5] = places[5], places[4]
    told = of(frames(places))
    assert failed(told) == {"geometry.order"}


def test_interleaved_storage_is_in_order():
    assert failed(of(frames(REGULAR[::2] + REGULAR[1::2]))) == set()


def test_slices_without_numbers_have_no_order_to_judge():
    made = [replace(one, instance=None) for one in frames(REGULAR)]
    assert of(made)["geometry.order"] == "not_evaluable"


def test_a_displaced_slice_is_found_with_its_distance():
    made = frames(REGULAR)
    made[6] = frame(REGULAR[6], 7, x=12.0)
    finding = found(judged(series(made)), "geometry.displacement", "1")
    assert (finding.verdict, finding.measured.value) == ("fail", 12.0)
    assert finding.measured.region["objects"] == ["1.1.2.7"]


def test_a_shift_below_a_pixel_is_no_displacement():
    made = frames(REGULAR, spacing=(2.0, 2.0))
    made[6] = frame(REGULAR[6], 7, x=1.5, spacing=(2.0, 2.0))
    assert of(made)["geometry.displacement"] == "pass"


def test_gantry_tilt_is_legal():
    tilted = [frame(at, number, y=0.35 * at) for number, at in enumerate(REGULAR, start=1)]
    assert failed(of(tilted)) == set()


def test_a_displaced_slice_of_a_tilted_scan_is_found():
    made = [frame(at, number, y=0.35 * at) for number, at in enumerate(REGULAR, start=1)]
    made[3] = frame(REGULAR[3], 4, y=0.35 * REGULAR[3] + 9)
    assert "geometry.displacement" in failed(of(made))


def test_a_foreign_slice_stands_out():
    made = [*frames(REGULAR), frame(-3.0, 40, plane="sagittal")]
    finding = found(judged(series(made)), "geometry.uniform", "1")
    assert finding.verdict == "fail"
    assert list(finding.measured.region["objects"].values()) == ["orientation"]


def test_a_slice_of_another_matrix_stands_out():
    made = frames(REGULAR)
    made[2] = frame(REGULAR[2], 3, rows=256)
    assert failed(of(made)) == {"geometry.uniform"}


def test_a_localiser_of_three_planes_is_not_asked_about_spacing():
    made = [frame(0.0, 1), frame(0.0, 2, plane="sagittal"), frame(0.0, 3, plane="coronal")]
    told = of(made, modality="MR")
    assert "geometry.gap" not in told
    assert told["series.kind"] == "pass"


def test_a_scout_by_its_image_type_is_not_asked_about_spacing():
    made = frames([0.0, 5, 30, 100], image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    assert "geometry.gap" not in of(made)


def test_blocks_of_other_angles_are_judged_one_by_one():
    made = [
        frame(at, number, plane=plane)
        for plane, first in (("axial", 1), ("coronal", 20))
        for number, at in enumerate([0.0, 4, 8, 12, 16], start=first)
    ]
    assert failed(of(made, modality="MR")) == set()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (frames([0.0, 5, 10]), "too few"),
        ([replace(one, position=None) for one in frames(REGULAR)], "no slice position"),
        (frames(REGULAR, image_type=("ORIGINAL", "PRIMARY", "MOSAIC")), "tiled"),
    ],
)
def test_what_cannot_be_judged_says_why(made, words):
    finding = found(judged(series(made)), "series.kind", "1")
    assert finding.verdict == "not_evaluable"
    assert words in finding.measured.en


def test_a_volume_object_is_read_frame_by_frame():
    made = [
        replace(one, sop_uid="1.2.1", instance=1, number=number, in_volume=True)
        for number, one in enumerate(frames(REGULAR), start=1)
    ]
    del made[5]
    told = geometry.arrange(made, TOLERANCES)
    assert told.layout is Layout.STACKS
    assert len(geometry.gaps(told.stacks[0].positions, 1.5, TOLERANCES)) == 1


@pytest.mark.parametrize(
    ("plane", "places", "expected"),
    [
        ("axial", REGULAR, (Plane.AXIAL, "-z")),
        ("axial", REGULAR[::-1], (Plane.AXIAL, "+z")),
        ("sagittal", REGULAR, (Plane.SAGITTAL, "-x")),
        ("coronal", REGULAR[::-1], (Plane.CORONAL, "+y")),
    ],
)
def test_direction_is_in_axes_of_the_patient(plane, places, expected):
    stack = geometry.arrange(frames(places, plane=plane), TOLERANCES).stacks[0]
    found_plane = geometry.plane_of(stack.normal, TOLERANCES)
    assert (found_plane, geometry.direction_of(stack, TOLERANCES)) == expected
