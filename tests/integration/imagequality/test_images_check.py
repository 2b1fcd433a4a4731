"""`accord images check` as people run it: over the real data, over a small series, over nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.tools import DICOM

ACCORD = (sys.executable, "-c", "from accord.app.cli import main; main()", "images", "check")
LEGAL = (
    "ct-head-ge-hispeed",  # 4 mm, then 7 mm, the blocks 1.08 mm apart
    "ct-head-philips-1mm",
    "mr-brain-siemens-xa-enhanced",  # multi-frame objects
    "mr-head-toshiba-dti",
    "mr-phantom-philips-enhanced",
)
GEOMETRY = {"geometry.gap", "geometry.duplicate", "geometry.order", "geometry.regular"}
UNJUDGED = {"not_evaluable", "not_applicable"}


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ACCORD, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def everything() -> dict:
    done = check(DICOM, "--json")
    assert done.returncode == 1  # lossy objects lie among the data
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.shared
def test_every_series_is_judged_or_says_why_not(everything):
    series = [one for study in everything["studies"].values() for one in study["series"].values()]
    assert len(series) > len(everything["studies"]) > 0
    for one in series:
        assert one["findings"]
        for finding in one["findings"]:
            assert finding["verdict"] not in UNJUDGED or finding["text_zh"]
    assert all(one["reason"] for one in everything["unread"])


@pytest.mark.shared
def test_no_check_breaks_down_on_the_real_data(everything):
    assert "the check broke down" not in json.dumps(everything)


@pytest.mark.shared
@pytest.mark.parametrize("folder", LEGAL)
def test_a_legal_pattern_passes_every_geometry_check(folder):
    told = json.loads(check(DICOM / folder, "--json").stdout)
    asked = [
        finding
        for study in told["studies"].values()
        for one in study["series"].values()
        for finding in one["findings"]
        if finding["check"] in GEOMETRY
    ]
    assert {one["check"] for one in asked} == GEOMETRY
    assert {one["verdict"] for one in asked} == {"pass"}


@pytest.mark.shared
def test_slices_tiled_in_one_picture_are_not_judged_and_say_so():
    done = check(DICOM / "mr-head-siemens-mosaic-compressed")
    assert "series.kind: slices are tiled in one picture" in done.stdout
    assert "geometry." not in done.stdout


@pytest.mark.shared
def test_lines_name_the_study_its_series_and_the_rules():
    done = check(DICOM / "ct-head-ge-hispeed")
    assert done.returncode == 0
    assert "pass           geometry.regular: spacing is regular" in done.stdout
    assert "R7.3-4" in done.stdout


def test_a_folder_without_an_image_ends_with_1_and_names_the_file(tmp_path: Path):
    (tmp_path / "note.txt").write_text("no image")
    done = check(tmp_path)
    assert done.returncode == 1
    assert "not read:" in done.stdout
    assert "note.txt: not a DICOM file" in done.stdout


def test_an_item_that_is_not_in_the_catalogue_is_refused(tmp_path: Path):
    done = check(tmp_path, "--item", 142)
    assert done.returncode not in {0, 1}
    assert "no item 142" in done.stderr
    assert "Traceback" not in done.stderr
