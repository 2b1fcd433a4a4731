"""What an object is: stored, kept aside or refused, from its bytes alone (R7.1-0)."""

import zlib
from contextlib import contextmanager
from io import BytesIO

import pytest
from pydicom import dcmread

from accord.archive import reasons, service
from accord.archive.examine import (
    Bounds,
    Examined,
    Refusal,
    examine_data_set,
    examine_file,
    is_marked_lossy,
    is_uid,
)
from accord.archive.model import Reason, Result, StoreOutcome
from accord.archive.part10 import DEFLATED, Head, build_head, read_head
from support.builders import encoded, make_study

BOUNDS = Bounds(service.lossless_syntaxes("2025-draft"))


class Memory:
    """A scratch place in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)

    @contextmanager
    def mapped(self):
        with memoryview(self.data) as view:
            yield view


@contextmanager
def scratch():
    yield Memory()


def examine(file: bytes, bounds: Bounds = BOUNDS) -> Examined | Refusal:
    """Judge a file."""
    return examine_file(memoryview(file), bounds, scratch)


def make_file(**values: object) -> bytes:
    """Return a CT slice with some elements set, or taken away by None."""
    dataset = dcmread(BytesIO(encoded(make_study(slices=1)[0])))
    for keyword, value in values.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("values", "aside"),
    [
        ({}, None),
        ({"LossyImageCompression": "00"}, None),
        ({"LossyImageCompression": "01"}, Reason.LOSSY_MARKED),
        ({"Rows": 5000}, Reason.PIXELS_INCOMPLETE),
        ({"StudyInstanceUID": None}, Reason.NO_STUDY_UID),
        ({"SeriesInstanceUID": None}, Reason.NO_STUDY_UID),
    ],
)
def test_object_is_stored_or_kept_aside_for_a_reason(values, aside):
    found = examine(make_file(**values))
    assert isinstance(found, Examined)
    assert found.aside is aside


def test_lossy_syntax_is_kept_aside_unless_there_are_no_pixels():
    file = make_file()
    head = read_head(memoryview(file))
    assert isinstance(head, Head)
    lossy = build_head(head.sop_class, head.sop_uid, "1.2.840.10008.1.2.4.50")
    found = examine(lossy + file[head.length :])
    assert found.aside is Reason.LOSSY_SYNTAX
    dataset = dcmread(BytesIO(file))
    del dataset.PixelData
    buffer = BytesIO()
    dataset.save_as(buffer)
    bare = buffer.getvalue()
    found = examine(lossy + bare[read_head(memoryview(bare)).length :])
    assert found.aside is None


def test_object_without_file_meta_is_kept_aside_as_its_syntax_is_a_guess():
    file = make_file()
    found = examine(file[read_head(memoryview(file)).length :])
    assert isinstance(found, Examined)
    assert found.aside is Reason.NO_FILE_META


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", Reason.NOT_DICOM),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), Reason.NOT_DICOM),
        (b"PK\x03\x04" + bytes(200), Reason.COMPRESSED_FILE),
        (bytes(128) + b"DICM" + b"\x07" * 50, Reason.UNREADABLE),
        (b"{}", Reason.NOT_DICOM),
    ],
)
def test_what_is_no_object_is_refused(file, reason):
    assert examine(file) == Refusal(reason)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize("uid", ["../../etc/passwd", "1.2.3/4"])
def test_uid_that_is_a_path_is_refused(uid):
    file = make_file().replace(b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.2\0")
    dataset = dcmread(BytesIO(file))
    dataset.SOPInstanceUID = uid
    buffer = BytesIO()
    dataset.save_as(buffer)
    found = examine(buffer.getvalue())
    assert isinstance(found, Refusal)
    assert found.reason is Reason.BAD_UID


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1.2.840.10008", True),
        ("1.02.3", True),  # against the standard, common in the field, harmless
        ("1." + "2" * 62, True),
        ("1." + "2" * 63, False),
        ("1", False),
        ("1..2", False),
        ("1.2\n", False),
        ("１.2", False),
        ("../1.2", False),
        ("", False),
    ],
)
def test_uid_is_digits_and_dots(text, answer):
    assert is_uid(text) is answer


def test_claims_of_the_network_must_hold():
    file = make_file()
    head = read_head(memoryview(file))
    data = memoryview(file)[head.length :]
    claims = {"syntax": head.syntax, "sop_class": head.sop_class, "bounds": BOUNDS}
    assert isinstance(examine_data_set(data, sop_uid=head.sop_uid, **claims), Examined)
    other = examine_data_set(data, sop_uid="1.2.3", **claims)
    assert other.reason is Reason.UID_MISMATCH


def deflated(file: bytes) -> bytes:
    """Return a file with its data set deflated."""
    head = read_head(memoryview(file))
    squeezed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = squeezed.compress(file[head.length :]) + squeezed.flush()
    return build_head(head.sop_class, head.sop_uid, DEFLATED) + data


def test_deflated_object_is_inflated_to_be_judged():
    found = examine(deflated(make_file()))
    assert isinstance(found, Examined)
    assert found.aside is None


def test_deflated_bomb_is_cut_off():
    bomb = make_file() + bytes(80 * 1024 * 1024)
    found = examine(deflated(bomb))
    assert isinstance(found, Refusal)
    assert found.reason is Reason.INFLATES_TOO_FAR


@pytest.mark.parametrize(
    ("flag", "answer"), [(None, False), ("00", False), ("0", False), ("01", True), ("1", True)]
)
def test_lossy_flag(flag, answer):
    assert is_marked_lossy(flag) is answer


def test_every_reason_has_words_in_both_languages_and_a_status():
    assert set(reasons.WORDS) == set(Reason)
    for reason, words in reasons.WORDS.items():
        assert words.chinese.endswith(("。", "）"))
        assert words.english.isascii()
        refusal = StoreOutcome(Result.REFUSED, reason)
        assert reasons.status(refusal) in {0xA700, 0xA900, 0xC000, 0xC122}
