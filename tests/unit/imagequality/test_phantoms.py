"""Whole objects, read as files are: clean ones pass, the planted defect is found."""

import pytest

from accord.archive.model import Reason
from accord.imagequality.intake import read_object, studies_of
from accord.imagequality.model import Asked, Picture
from accord.imagequality.runner import judge
from support.builders import encoded, make_study
from unit.imagequality.making import CATALOGUE, TERMS, found, verdicts

CHEST_CT, CHEST_PA, LEFT_KNEE, RIGHT_KNEE, LUMBAR_MR = 94, 1, 13, 14, 120


def check(datasets, item=None):
    pictures = [read_object(memoryview(encoded(one)), TERMS) for one in datasets]
    assert all(isinstance(one, Picture) for one in pictures)
    (study,) = studies_of(pictures)
    return judge(study, Asked(CATALOGUE.by_no(item) if item else None), TERMS, CATALOGUE)


def failures(answer):
    return {one.check for one in answer.all_findings if one.verdict in {"fail", "uncertain"}}


@pytest.mark.parametrize(
    ("exam", "item"),
    [
        ({"modality": "CT", "body": "chest", "slices": 8}, CHEST_CT),
        ({"modality": "CT", "body": "abdomen", "slices": 6, "contrast": True}, 105),
        ({"modality": "MR", "body": "lumbar", "slices": 6}, LUMBAR_MR),
        ({"modality": "DR", "body": "chest"}, CHEST_PA),
        ({"modality": "DR", "body": "knee", "side": "L"}, LEFT_KNEE),
    ],
)
def test_a_sound_examination_has_no_finding(exam, item):
    answer = check(make_study(**exam), item)
    assert failures(answer) == set()
    assert [one.outcome for one in answer.rules if one.outcome == "fail"] == []


def test_a_planted_gap_is_found_in_its_series_only():
    answer = check(make_study(modality="CT", body="chest", slices=9, gap_at=5))
    assert failures(answer) == {"geometry.gap"}
    assert answer.graded.grade == "0级"
    assert [one.code for one in answer.rules] == ["SLICE_MISSING", None]


def test_a_planted_lossy_step_is_found():
    answer = check(make_study(modality="CT", body="chest", slices=5, lossy=True))
    assert failures(answer) == {"format.lossless"}
    assert answer.graded.critical == ("K7",)


def test_a_planted_wrong_side_is_found():
    answer = check(make_study(modality="DR", body="knee", side="L", wrong_side=True), LEFT_KNEE)
    assert failures(answer) == {"item.side"}


def test_a_missing_lateral_view_is_found():
    answer = check(make_study(modality="DR", body="knee", side="R", views=("AP",)), RIGHT_KNEE)
    assert found(answer, "item.missing_view").measured.region == {"missing": ["LAT"]}


def test_a_lossy_image_saved_again_as_lossless_leaves_traces():
    made = make_study(modality="CT", body="chest", slices=5)
    for one in made:
        one.LossyImageCompressionRatio = 10
        one.DerivationDescription = "J2K 10:1"
    answer = check(made)
    assert failures(answer) == {"format.lossy_trace"}
    (uid,) = answer.series
    tags = found(answer, "format.lossy_trace", uid).measured.tags
    assert tags == ("00082111", "00282112")


def test_an_image_shrunk_to_eight_bits_leaves_a_trace():
    made = make_study(modality="CT", body="chest", slices=5)
    for one in made:
        one.BitsStored, one.HighBit = 8, 7
    assert failures(check(made)) == {"format.lossy_trace"}


def test_fewer_pixels_than_declared_are_damage():
    made = make_study(modality="CT", body="chest", slices=5)
    made[2].PixelData = made[2].PixelData[:100]
    answer = check(made)
    (uid,) = answer.series
    assert list(found(answer, "format.lossless", uid).measured.region["objects"].values()) == [
        "pixels_incomplete"
    ]


def test_slices_without_positions_are_not_evaluable():
    made = make_study(modality="CT", body="chest", slices=5, missing="ImagePositionPatient")
    answer = check(made)
    (uid,) = answer.series
    assert verdicts(answer, uid)["series.kind"] == "not_evaluable"
    assert answer.rules[0].outcome == "not_evaluable"


def test_bytes_that_are_no_dicom_are_told():
    assert read_object(memoryview(b"not an image at all" * 20), TERMS) is Reason.NOT_DICOM
