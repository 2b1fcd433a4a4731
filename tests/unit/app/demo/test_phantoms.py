from datetime import datetime
from io import BytesIO

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames

from accord.app.demo import phantoms
from accord.app.demo.phantoms import Device, Patient, Place, Planted, Request
from accord.kit.clock import LOCAL
from support.builders import encoded, make_study


def hounsfield(dataset):
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def around(picture, dataset, x_mm, y_mm, radius_px=3):
    """Return the values around a place given in patient millimetres."""
    left, top, _ = dataset.ImagePositionPatient
    row = round((y_mm - top) / dataset.PixelSpacing[0])
    column = round((x_mm - left) / dataset.PixelSpacing[1])
    return picture[
        row - radius_px : row + radius_px + 1, column - radius_px : column + radius_px + 1
    ]


def differences(one, other):
    """Return the keywords that differ between two objects, pixels left out."""
    tags = {element.tag for dataset in (one, other) for element in dataset}
    return {
        pydicom.datadict.keyword_for_tag(tag)
        for tag in tags
        if tag != 0x7FE00010 and one.get(tag) != other.get(tag)
    }


def decoded(dataset):
    """Decode one frame without pydicom's own codecs."""
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    if dataset.file_meta.TransferSyntaxUID == phantoms.JPEG_LS:
        return imagecodecs.jpegls_decode(frame)
    return imagecodecs.jpeg2k_decode(frame)


@pytest.fixture(scope="module")
def chest():
    return make_study(body="chest", slices=9, matrix=160, seed="chest")


@pytest.fixture(scope="module")
def enhanced():
    return make_study(body="abdomen", slices=5, matrix=128, contrast=True)


@pytest.fixture(scope="module")
def knee():
    return make_study(modality="DR", body="knee", side="L")


def test_slices_lie_on_one_line_from_head_to_foot_at_even_distance(chest):
    row, column = chest[0].ImageOrientationPatient[:3], chest[0].ImageOrientationPatient[3:]
    heights = [np.dot(d.ImagePositionPatient, np.cross(row, column)) for d in chest]
    assert np.allclose(np.diff(heights), -float(chest[0].SliceThickness))
    assert [d.InstanceNumber for d in chest] == list(range(1, 10))
    assert {tuple(d.ImagePositionPatient[:2]) for d in chest} == {
        tuple(chest[0].ImagePositionPatient[:2])
    }
    assert len({d.FrameOfReferenceUID for d in chest}) == 1


def test_field_of_view_is_centred_on_the_patient(chest):
    first = chest[0]
    middle = np.array(first.ImagePositionPatient[:2]) + np.array(first.PixelSpacing) * (
        (first.Rows - 1) / 2
    )
    assert np.allclose(middle, 0, atol=0.01)


def test_tissues_have_their_hounsfield_units(chest):
    heart_level = chest[6]
    picture = hounsfield(heart_level)
    assert -1005 < picture[:8, :8].mean() < -990
    lung = [around(picture, heart_level, x, 30).mean() for x in (-85, 100)]
    assert all(-900 < value < -650 for value in lung)
    assert 30 < around(picture, heart_level, 30, -20).mean() < 60  # heart
    assert picture.max() > 500  # bone


def test_noise_is_that_of_a_body_scan(chest):
    heart = around(hounsfield(chest[6]), chest[6], 30, -20, radius_px=5)
    assert 10 < heart.std() < 24


def test_noise_is_band_limited():
    from accord.app.demo import anatomy

    tile = anatomy.noise((256, 256), anatomy.randomness("x"))
    power = np.abs(np.fft.rfft2(tile)) ** 2
    radius = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None, :])
    assert power[radius > 0.45].mean() < 0.02 * power[(radius > 0.1) & (radius < 0.2)].mean()


def test_contrast_lights_up_the_vessels_and_the_plain_series_has_none(enhanced):
    plain, arterial, venous = enhanced[2], enhanced[7], enhanced[12]
    aorta = [
        around(hounsfield(d), d, 10, 18, radius_px=1).mean() for d in (plain, arterial, venous)
    ]
    liver = [around(hounsfield(d), d, -80, 0).mean() for d in (plain, arterial, venous)]
    assert aorta[0] < 60 < aorta[2] < aorta[1]
    assert liver[0] < liver[1] < liver[2]
    assert "ContrastBolusAgent" not in plain
    assert arterial.ContrastBolusAgent == venous.ContrastBolusAgent
    assert [d.SeriesDescription for d in (plain, arterial, venous)] == ["平扫", "动脉期", "静脉期"]


def test_series_follow_each_other_in_time(enhanced):
    times = [d.AcquisitionDateTime for d in enhanced]
    assert times == sorted(times)


def test_a_bleeding_is_denser_than_the_other_side():
    study = make_study(body="head", slices=9, matrix=128, finding="haemorrhage")
    picture = hounsfield(study[4])
    bled = around(picture, study[4], -27, 2).mean()
    other = around(picture, study[4], 27, 2).mean()
    assert bled - other > 15


def test_films_show_direct_beam_dark_and_bone_light_inside_a_closed_collimator(knee):
    picture = knee[0].pixel_array.astype(float)
    assert knee[0].PhotometricInterpretation == "MONOCHROME2"
    assert (knee[0].BitsAllocated, knee[0].BitsStored) == (16, 14)
    assert picture.max() < 2**14
    beam, shaft, rim = picture[600, 90], picture[200, 500], picture[4, 500]
    assert beam < shaft < rim
    edge = knee[0].CollimatorLeftVerticalEdge
    assert abs(picture[700, edge + 12] - picture[700, edge - 12]) > 5000


def test_monochrome1_is_the_negative_of_monochrome2(knee):
    other = make_study(modality="DR", body="knee", side="L", inverted=True)[0]
    assert other.PhotometricInterpretation == "MONOCHROME1"
    assert other.PresentationLUTShape == "INVERSE"
    total = other.pixel_array.astype(int) + knee[0].pixel_array
    assert abs(total - 16383).max() <= 1


@pytest.mark.parametrize("side", ["L", "R"])
def test_lead_marker_lies_outward_of_the_side_it_names(side):
    picture = make_study(modality="DR", body="hand", side=side, views=("PA",))[0].pixel_array
    corner = picture[80:200, 80:200] if side == "L" else picture[80:200, -200:-80]
    opposite = picture[80:200, -200:-80] if side == "L" else picture[80:200, 80:200]
    assert corner.max() > 14000
    assert opposite.max() < 8000


def test_a_left_hand_mirrors_a_right_one():
    left, right = (
        make_study(modality="DR", body="hand", side=side, views=("PA",))[0].pixel_array
        for side in "LR"
    )
    rows = slice(260, 1100)  # below the markers
    mirrored = np.corrcoef(left[rows].ravel(), right[rows, ::-1].ravel())[0, 1]
    unmirrored = np.corrcoef(left[rows].ravel(), right[rows].ravel())[0, 1]
    assert mirrored > 0.97
    assert unmirrored < 0.8


def test_views_carry_position_and_code(knee):
    assert [d.ViewPosition for d in knee] == ["AP", "LL"]
    assert [d.ViewCodeSequence[0].CodeValue for d in knee] == ["399348003", "399067008"]
    assert {d.ImageLaterality for d in knee} == {"L"}


def test_both_hands_are_one_film_a_view():
    study = make_study(modality="DR", body="hand", side="B")
    assert [d.ImageLaterality for d in study] == ["B", "B"]
    assert "Laterality" not in study[0]
    assert study[0].Columns == 2 * 1000


def test_a_panel_may_send_the_old_class_and_a_reader_shows_its_plate():
    panel = make_study(modality="DR", body="chest", device=Device(object_kind="CR"))[0]
    assert (panel.SOPClassUID, panel.Modality) == (phantoms.SOP_CLASS["CR"], "CR")
    assert "PlateID" not in panel
    reader = Device(object_kind="CR", plate="P-17", exposure_index=False)
    plate = make_study(modality="DR", body="chest", device=reader)[0]
    assert plate.PlateID == "P-17"
    assert plate.CassetteOrientation
    assert "ExposureIndex" not in plate


def test_deviation_index_follows_from_the_exposure_indices(knee):
    for film in knee:
        expected = 10 * np.log10(float(film.ExposureIndex) / float(film.TargetExposureIndex))
        assert float(film.DeviationIndex) == pytest.approx(expected, abs=0.01)
        assert abs(expected) < 1


def test_head_mr_has_its_weightings_and_two_planes():
    study = make_study(modality="MR", body="head", slices=4)
    names = list(dict.fromkeys(d.SeriesDescription for d in study))
    assert names == ["T1WI 轴位", "T2WI 轴位", "T2 FLAIR 轴位", "DWI b1000 轴位", "T1WI 矢状位"]
    assert {tuple(d.ImageOrientationPatient) for d in study} == {
        (1, 0, 0, 0, 1, 0),
        (0, 1, 0, 0, 0, -1),
    }
    flair = study[8]
    assert (flair.RepetitionTime, flair.EchoTime, flair.InversionTime) == (8000, 110, 2300)
    assert float(study[12].DiffusionBValue) == 1000


def test_sagittal_slices_run_from_the_patients_left_to_the_right():
    study = make_study(modality="MR", body="lumbar", slices=5)
    places = [float(d.ImagePositionPatient[0]) for d in study[:5]]
    assert places == sorted(places, reverse=True)


def test_water_is_bright_on_t2_and_dark_on_t1():
    study = make_study(modality="MR", body="lumbar", slices=5, matrix=256)
    t1, t2 = study[2].pixel_array, study[7].pixel_array
    # The dural sac is the brightest thing behind the vertebrae on T2.
    sac = t2[100:150, 100:190] > 750
    assert sac.sum() > 50
    assert t1[100:150, 100:190][sac].mean() < 0.35 * t2[100:150, 100:190][sac].mean()


@pytest.mark.parametrize("syntax", [phantoms.RLE, phantoms.JPEG_LS, phantoms.JPEG_2000])
@pytest.mark.parametrize("what", [{"modality": "CT"}, {"modality": "MR", "body": "cervical"}])
def test_every_lossless_syntax_gives_the_pixels_back(syntax, what):
    plain = make_study(slices=3, **what)[1]
    packed = make_study(slices=3, syntax=syntax, **what)[1]
    back = pydicom.dcmread(BytesIO(encoded(packed)))
    assert back.file_meta.TransferSyntaxUID == syntax
    pixels = back.pixel_array if syntax == phantoms.RLE else decoded(back)
    assert np.array_equal(pixels, plain.pixel_array)
    assert back.LossyImageCompression == "00"


def test_same_words_give_the_same_bytes_and_another_seed_other_ones():
    one, again = (encoded(make_study(seed="s", slices=3)[0]) for _ in range(2))
    assert one == again
    assert encoded(make_study(seed="t", slices=3)[0]) != one


def test_uids_are_stable_valid_and_never_shared():
    study = make_study(seed="s", slices=3, body="abdomen", contrast=True)
    uids = [d.SOPInstanceUID for d in study]
    assert len(set(uids)) == 9
    assert all(pydicom.uid.UID(u).is_valid and u.startswith("2.25.") for u in uids)
    assert study[0].StudyInstanceUID == phantoms.uid("study", "s")
    assert not set(uids) & {d.SOPInstanceUID for d in make_study(seed="t", slices=3)}


@pytest.mark.parametrize("charset", ["ISO_IR 192", "GB18030"])
def test_chinese_text_survives_the_character_set(charset):
    patient = Patient(name="扎西·多吉", patient_id="S0100037")
    request = Request(item="胸部CT平扫", physician="医师乙")
    study = make_study(slices=3, charset=charset, patient=patient, request=request)
    back = pydicom.dcmread(BytesIO(encoded(study[0])))
    assert str(back.PatientName) == "扎西·多吉"
    assert back.StudyDescription == "胸部CT平扫"
    assert back.SpecificCharacterSet == charset


def test_header_carries_order_device_and_place():
    study = make_study(
        slices=3,
        accession="A77",
        started_at=datetime(2026, 3, 2, 9, 30, tzinfo=LOCAL),
        patient=Patient(national_id="509901196804120020"),
        device=Device(manufacturer="M", model="X", serial="S1", station="CT9"),
        place=Place(code="DEMO-X", name="示范医院", technologist="技师乙"),
        request=Request(
            number="R5", item="胸部CT平扫", diagnosis="咳嗽", purpose="了解", history="1周"
        ),
    )
    first = study[0]
    assert (first.AccessionNumber, first.StudyDate, first.StudyTime) == (
        "A77",
        "20260302",
        "093000",
    )
    assert (first.Manufacturer, first.ManufacturerModelName, first.DeviceSerialNumber) == (
        "M",
        "X",
        "S1",
    )
    assert first.InstitutionCodeSequence[0].CodeValue == "DEMO-X"
    assert first.OtherPatientIDsSequence[0].PatientID == "509901196804120020"
    assert first.PlacerOrderNumberImagingServiceRequest == "R5"
    assert first.PatientAge == "057Y"
    assert first.AcquisitionDateTime.startswith("20260302093")


# ------------------------------------------------------------------ planted defects
CT = {"slices": 6, "matrix": 64}


def test_a_gap_leaves_out_one_slice_and_nothing_else():
    sound, gapped = make_study(**CT), make_study(**CT, gap_at=3)
    assert [d.InstanceNumber for d in gapped] == [1, 2, 4, 5, 6]
    kept = [d for d in sound if d.InstanceNumber != 3]
    assert [encoded(d) for d in gapped] == [encoded(d) for d in kept]


def test_lossy_pixels_say_so_and_the_header_is_otherwise_the_same():
    sound, lossy = make_study(**CT)[2], make_study(**CT, lossy=True)[2]
    assert lossy.file_meta.TransferSyntaxUID == phantoms.JPEG_2000_LOSSY
    assert lossy.LossyImageCompression == "01"
    changed = np.abs(decoded(lossy).astype(int) - sound.pixel_array)
    assert changed.max() > 0
    assert differences(sound, lossy) == {
        "LossyImageCompression",
        "LossyImageCompressionRatio",
        "LossyImageCompressionMethod",
        "DerivationDescription",
    }


def test_a_wrong_side_is_in_the_header_and_not_in_the_picture():
    right, planted = (
        make_study(modality="DR", body="knee", side="R", views=("AP",), **defect)[0]
        for defect in ({}, {"wrong_side": True})
    )
    assert planted.ImageLaterality == planted.Laterality == "L"
    assert differences(right, planted) == {"ImageLaterality", "Laterality"}
    assert np.array_equal(right.pixel_array, planted.pixel_array)


def test_a_missing_element_is_missing_everywhere_and_alone():
    sound, planted = make_study(**CT), make_study(**CT, missing="CTDIvol")
    assert all("CTDIvol" not in d for d in planted)
    assert {frozenset(differences(a, b)) for a, b in zip(sound, planted, strict=True)} == {
        frozenset({"CTDIvol"})
    }


def test_a_conflicting_name_changes_the_name_alone():
    sound, planted = make_study(**CT)[0], make_study(**CT, other_name="汤错名")[0]
    assert str(planted.PatientName) == "汤错名"
    assert differences(sound, planted) == {"PatientName"}


def test_one_defect_at_a_time():
    with pytest.raises(ValueError, match="one defect"):
        Planted(gap_at=3, lossy=True)


@pytest.mark.parametrize("gap_at", [1, 6])
def test_a_gap_lies_between_two_slices(gap_at):
    with pytest.raises(ValueError, match="between"):
        make_study(**CT, gap_at=gap_at)


def test_a_wrong_side_needs_a_side():
    with pytest.raises(ValueError, match="side"):
        make_study(modality="DR", body="chest", wrong_side=True)
