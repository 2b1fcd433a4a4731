"""All 254 real files through import and through storescu: every one ends with an outcome.

A plain reading gives 208 clean, 19 lossy, 11 same UID, 7 without SOP UID, 3 by force, 1 unreadable,
5 not DICOM. Ours differs, each time on purpose:

* Five of the 208 are kept aside as damaged: MR_truncated and emri_…_too_short (cut short),
  rtplan_truncated (ends within a sequence), the 46341 × 46341 picture of 10 KB (fewer pixels than
  declared) and HTJ2KLossless_08_RGB (no Study Instance UID).
* MR1_UNC is then stored: the cut-short object with its UID, earlier in path order, does not stand
  in its way. So 10 of the 11 remain.
* One of those 10 (CTImage in explicit little endian) is the same data set: already stored.
* The DICOMDIR counts as a directory of media and not as an object without SOP UID; two of the
  others without SOP UID are found broken before their UID is missed.
"""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from pydicom import dcmread

from accord.app import importing
from accord.archive import service
from accord.archive.part10 import Head, read_head
from accord.kit.access import Actor
from support.tools import DICOM

pytestmark = pytest.mark.shared

KEPT_ASIDE = {
    "lossy_syntax": 19,
    "same_uid_other_bytes": 9,
    "no_file_meta": 3,
    "truncated": 3,
    "pixels_incomplete": 1,
    "no_study_uid": 1,
}
REFUSED = {
    "not_dicom": 5,
    "no_sop_uid": 4,
    "unreadable": 3,
    "media_directory": 1,
}

# What storescu does not send: it cannot read them whole, finds no SOP UID, or has no way to propose
# or convert their syntax (.4.53, .4.55, .4.57, HTJ2K). It inflates the deflated one itself.
NOT_SENT = {
    "charset/chrSQEncoding.dcm",
    "ct-chest-all-syntaxes/CTImage.dcm_JPEGProcess10_12_1.2.840.10008.1.2.4.55.dcm",
    "ct-chest-all-syntaxes/CTImage.dcm_JPEGProcess14_1.2.840.10008.1.2.4.57.dcm",
    "ct-chest-all-syntaxes/CTImage.dcm_JPEGProcess6_8_1.2.840.10008.1.2.4.53.dcm",
    "dicomdir/DICOMDIR",
    "htj2k/HTJ2KLossless_08_RGB.dcm",
    "malformed/MR_truncated.dcm",
    "malformed/UN_sequence.dcm",
    "malformed/empty_charset_LEI.dcm",
    "malformed/emri_small_jpeg_2k_lossless_too_short.dcm",
    "malformed/meta_missing_tsyntax.dcm",
    "malformed/no_meta_group_length.dcm",
    "malformed/no_preamble_dicm_in_data",
    "malformed/rtplan_truncated.dcm",
    "non-dicom/EPI_PE-AP_3.json",
    "non-dicom/EPI_PE-AP_3.nii",
    "non-dicom/ORU_R01-SR.dcm",
    "non-dicom/empty.dcm",
    "non-dicom/photo-named.dcm",
}
# The warning is ours for objects kept aside (0xB000).
SENT = {"Success": 206, "Warning: CoercionOfDataElements": 29}


def real_files() -> list[Path]:
    """Return the files of the collection in path order."""
    return [path for path in importing.files_below([DICOM]) if path.name != "MANIFEST.csv"]


@pytest.fixture
def imported(site) -> dict[str, importing.Imported]:
    """Import everything and return the outcomes by path."""
    taken = importing.import_paths(
        site.settings, site.database, real_files(), "CQ-A", Actor.process("test")
    )
    return {one.path.relative_to(DICOM).as_posix(): one for one in taken}


def test_every_file_ends_with_an_outcome_and_a_reason(site, imported):
    outcomes = [one.outcome for one in imported.values()]
    assert len(outcomes) == 254
    assert Counter(outcome.result.value for outcome in outcomes) == {
        "stored": 204,
        "already_stored": 1,
        "kept_aside": sum(KEPT_ASIDE.values()),
        "refused": sum(REFUSED.values()),
    }
    for result, expected in (("kept_aside", KEPT_ASIDE), ("refused", REFUSED)):
        found = Counter(o.code.value for o in outcomes if o.result.value == result)
        assert found == expected
    assert all(one.as_dict()["reason"] for one in imported.values() if one.outcome.code)
    assert imported["mr-nema-mr1/MR1_UNC"].outcome.result.value == "stored"
    assert imported["malformed/MR_truncated.dcm"].outcome.code.value == "truncated"
    stored = [one for one in imported.values() if one.outcome.result.value == "stored"]
    for one in stored[::10]:  # every tenth: what is kept is the file as it was
        (instance,) = [
            instance
            for instance in site.instances(one.outcome.study_uid)
            if instance.sop_uid == one.outcome.sop_uid
        ]
        assert site.blobs.read(instance.blob) == one.path.read_bytes()


def test_chinese_names_are_read_right_in_every_character_set(site, imported):
    names = {
        path: site.instances(imported[f"charset/{path}"].outcome.study_uid)[0].header["00100010"]
        for path in ("SCSX2.dcm", "chrGB2312.dcm", "chrX1.dcm", "chrH31.dcm", "chrFrenMulti.dcm")
    }
    told = {path: name["Value"][0] for path, name in names.items()}
    assert told["SCSX2.dcm"] == {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}
    assert told["chrGB2312.dcm"] == {"Alphabetic": "Zhang^XiaoDong", "Ideographic": "张^小东"}
    assert told["chrX1.dcm"] == {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東"}
    assert told["chrH31.dcm"]["Ideographic"] == "山田^太郎"
    assert told["chrFrenMulti.dcm"] == {"Alphabetic": "Buc^Jérôme"}


# The option with which storescu proposes the syntax of a file (below 1.2.840.10008.1.2).
PROPOSALS = {
    "": "-xi",
    ".2": "-xb",
    ".4.50": "-xy",
    ".4.51": "-xx",
    ".4.70": "-xs",
    ".4.80": "-xt",
    ".4.81": "-xu",
    ".4.90": "-xv",
    ".4.91": "-xw",
    ".5": "-xr",
}


def storescu(port: int, path: Path) -> tuple[str, str]:
    """Send one file; return the status that storescu tells, and its words."""
    head = read_head(memoryview(path.read_bytes()))
    syntax = head.syntax.removeprefix("1.2.840.10008.1.2") if isinstance(head, Head) else ""
    told = subprocess.run(
        ["storescu", "-v", "-R", PROPOSALS.get(syntax, "-xe"), "-aet", "CQA_PACS", "-aec",
         "ACCORD", "127.0.0.1", str(port), str(path)],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
    )  # fmt: skip
    words = told.stdout + told.stderr
    _, _, status = words.partition("Received Store Response (")
    return status.partition(")")[0], words


@pytest.mark.dcmtk
def test_storescu_sends_the_same_files(listening):
    """Each file by a process of its own, in path order."""
    statuses = Counter()
    unsent = set()
    for path in real_files():
        status, _ = storescu(listening.port, path)
        if status:
            statuses[status] += 1
        else:
            unsent.add(path.relative_to(DICOM).as_posix())
    assert unsent == NOT_SENT
    assert statuses == SENT
    with listening.site.database.begin() as conn:
        assert service.count_instances(conn) == 205


@pytest.mark.dcmtk
def test_what_storescu_sent_equals_the_file_after_its_meta(listening):
    path = DICOM / "ct-head-ge-hispeed" / "04.dcm"  # storescu writes others' sequences anew
    assert storescu(listening.port, path)[0] == "Success"
    head = read_head(memoryview(path.read_bytes()))
    header = dcmread(path, stop_before_pixels=True)
    (stored,) = listening.site.instances(header.StudyInstanceUID)
    assert listening.site.data_set(stored) == path.read_bytes()[head.length :]
