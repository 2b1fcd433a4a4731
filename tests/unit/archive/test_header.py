"""The header is read as pydicom reads it, and within bounds."""

import struct
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from accord.archive.header import Limits, read_header
from accord.archive.model import Reason
from accord.archive.part10 import Head, read_head
from support.builders import encoded, make_study

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG = "1.2.840.10008.1.2.2"


def written(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    """Return the encoded data set, without file meta."""
    buffer = BytesIO()
    dataset.save_as(buffer, implicit_vr=syntax == IMPLICIT, little_endian=syntax != BIG)
    return buffer.getvalue()


def make_dataset() -> Dataset:
    """Return a data set with every kind of value."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "Zhang^San=张^三"
    dataset.PatientID = "P-1"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.Rows, dataset.Columns = 2, 3
    dataset.PixelRepresentation = 1
    dataset.SmallestImagePixelValue = -5
    dataset.SliceThickness = "1.25"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.ImagePositionPatient = [1, -2.5, 3]
    dataset.InstanceNumber = 7
    dataset.FrameIncrementPointer = 0x00181063
    dataset.add_new(0x00189087, "FD", 1000.5)
    dataset.add_new(0x00091010, "OW", bytes(range(8)))
    dataset.PatientComments = "说明\r\n第二行"
    inner = Dataset()
    inner.CodeValue = "A"
    outer = Dataset()
    outer.ConceptNameCodeSequence = Sequence([inner])
    dataset.ContentSequence = Sequence([outer, Dataset()])
    return dataset


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_header_equals_what_pydicom_reads(syntax):
    dataset = make_dataset()
    raw = written(dataset, syntax)
    header = read_header(memoryview(raw), syntax, Limits())
    read = dcmread(BytesIO(raw), force=True) if syntax == IMPLICIT else dataset
    theirs = read.to_json_dict()
    assert header.problem is None
    ours = {tag: element for tag, element in header.elements.items() if tag != "00091010"}
    theirs.pop("00091010", None)
    assert ours == theirs


def test_private_words_are_little_endian_whatever_they_came_in():
    dataset = Dataset()
    dataset.add_new(0x00091010, "OW", b"\x01\x00\x02\x00")
    little = read_header(memoryview(written(dataset)), EXPLICIT, Limits())
    swapped = struct.pack(">HH2sHL", 0x0009, 0x1010, b"OW", 0, 4) + b"\x00\x01\x00\x02"
    big = read_header(memoryview(swapped), BIG, Limits())
    assert big.elements["00091010"] == little.elements["00091010"]


def test_built_study_is_read_whole():
    file = encoded(make_study(slices=1)[0])
    head = read_head(memoryview(file))
    assert isinstance(head, Head)
    header = read_header(memoryview(file)[head.length :], head.syntax, Limits())
    read = dcmread(BytesIO(file))
    assert header.problem is None
    assert header.pixels is not None
    assert header.pixels.length == len(read.PixelData)
    assert file[head.length + header.pixels.offset :] == read.PixelData
    assert header.text("0020000D") == read.StudyInstanceUID


def nested(depth: int) -> bytes:
    """Return sequences of undefined length within each other, all of them closed."""
    opened = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closed = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return opened * depth + closed * depth


@pytest.mark.parametrize(
    ("depth", "problem"),
    [(1, None), (32, None), (34, Reason.TOO_DEEP), (5000, Reason.TOO_DEEP)],
)
def test_sequences_are_followed_to_a_set_depth(depth, problem):
    assert read_header(memoryview(nested(depth)), EXPLICIT, Limits()).problem is problem


def test_header_of_too_many_elements_or_bytes_is_refused():
    dataset = make_dataset()
    raw = memoryview(written(dataset))
    assert read_header(raw, EXPLICIT, Limits(elements=5)).problem is Reason.TOO_LARGE
    assert read_header(raw, EXPLICIT, Limits(size=20)).problem is Reason.TOO_LARGE


def test_every_cut_ends_with_a_problem_or_whole_elements():
    raw = written(make_dataset())
    whole = read_header(memoryview(raw), EXPLICIT, Limits()).elements
    for end in range(len(raw)):
        cut = read_header(memoryview(raw)[:end], EXPLICIT, Limits())
        if cut.problem is None:
            assert all(whole.get(tag) == element for tag, element in cut.elements.items())
        else:
            assert cut.problem in {Reason.TRUNCATED, Reason.UNREADABLE}


def test_length_beyond_the_data_is_found_before_it_is_read():
    claim = struct.pack("<HH2sHL", 0x0042, 0x0011, b"OB", 0, 0x7FFFFFFF) + b"short"
    assert read_header(memoryview(claim), EXPLICIT, Limits()).problem is Reason.TRUNCATED


def test_zeros_after_the_last_element_are_padding():
    raw = written(make_dataset()) + bytes(12)
    assert read_header(memoryview(raw), EXPLICIT, Limits()).problem is None


def test_long_binary_is_pointed_at():
    dataset = Dataset()
    dataset.add_new(0x00420011, "OB", bytes(5000))
    raw = written(dataset)
    element = read_header(memoryview(raw), EXPLICIT, Limits()).elements["00420011"]
    start, length = map(int, element["BulkDataURI"].split("/"))
    assert raw[start : start + length] == bytes(5000)


def test_sequence_hidden_as_unknown_is_read():
    meta = FileMetaDataset()
    assert meta is not None
    item = struct.pack("<HHL", 0x0008, 0x0100, 2) + b"A "
    value = struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item
    raw = struct.pack("<HH2sHL", 0x0008, 0x1032, b"UN", 0, len(value)) + value
    header = read_header(memoryview(raw), EXPLICIT, Limits())
    assert header.elements["00081032"]["Value"] == [{"00080100": {"vr": "SH", "Value": ["A"]}}]
