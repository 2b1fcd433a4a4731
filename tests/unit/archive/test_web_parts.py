"""What DICOMweb is made of: queries, accepted types, multipart, windows, times."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from accord.archive import facts, render
from accord.archive.accept import Accepted, parse_accept, rendered_type
from accord.archive.codecs import Picture, decode
from accord.archive.errors import PixelsBroken, PixelsTooLarge, QueryInvalid
from accord.archive.multipart import Parser, PartBegins, PartData, PartEnds
from accord.archive.query import AnyOf, Between, Level, Like, parse

EXPLICIT = "1.2.840.10008.1.2.1"
OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("key", "value", "condition"),
    [
        ("PatientID", "P1", AnyOf(("P1",))),
        ("00100020", "P1", AnyOf(("P1",))),
        ("PatientName", "张*", Like("张%")),
        ("PatientName", "a_b%?", Like("a\\_b\\%_")),
        ("StudyDate", "20260101", Between(date(2026, 1, 1), date(2026, 1, 1))),
        ("StudyDate", "20260101-", Between(date(2026, 1, 1), None)),
        ("StudyDate", "-20260131", Between(None, date(2026, 1, 31))),
        ("StudyTime", "0800-0930", Between("0800", "0930~")),
        ("StudyInstanceUID", "1.2,1.3", AnyOf(("1.2", "1.3"))),
        ("StudyInstanceUID", "1.2\\1.3", AnyOf(("1.2", "1.3"))),
    ],
)
def test_matching_key_becomes_a_condition(key, value, condition):
    (found,) = parse(Level.STUDY, [(key, value)]).conditions.values()
    assert found == condition


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("limit", "-1"),
        ("limit", "x"),
        ("limit", "1" * 20),
        ("offset", "999999999"),
        ("PatientName", "*a" * 9),
        ("PatientName", "x" * 300),
        ("PatientName", "a\0b"),
        ("StudyDate", "yesterday"),
        ("StudyDate", "-"),
        ("StudyTime", "noon"),
        ("NoSuchKeyword", "1"),
        ("StudyInstanceUID", ",".join(f"1.{n}" for n in range(600))),
    ],
)
def test_query_that_asks_for_too_much_or_makes_no_sense_is_refused(key, value):
    with pytest.raises(QueryInvalid):
        parse(Level.STUDY, [(key, value)])


def test_empty_and_universal_values_match_everything():
    assert parse(Level.STUDY, [("PatientID", ""), ("PatientName", "*")]).conditions == {}


def test_limit_is_capped_and_keys_of_other_levels_are_told():
    query = parse(Level.STUDY, [("limit", "1000000000"), ("InstanceNumber", "1")])
    assert query.limit == 1000
    assert query.ignored == ("InstanceNumber",)


def test_includefield_comes_repeated_or_separated_by_commas():
    query = parse(Level.STUDY, [("includefield", "00081030,PatientSex"), ("includefield", "all")])
    assert query.fields == {"00081030", "00100040", "all"}


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("", Accepted("*/*")),
        ("*/*", Accepted("*/*")),
        (f'multipart/related; type="{OCTETS}"; transfer-syntax=*', Accepted(OCTETS, "*")),
        ("application/dicom", Accepted("application/dicom", None, is_single=True)),
        (
            'multipart/related; type="image/jls"; q=0.5, application/dicom; q=0.9',
            Accepted("application/dicom", None, is_single=True),
        ),
    ],
)
def test_best_choice_of_an_accept_header(header, first):
    assert parse_accept(header)[0] == first


@pytest.mark.parametrize(
    ("header", "picture"),
    [
        ("", "image/jpeg"),
        ("image/png", "image/png"),
        ("image/*", "image/jpeg"),
        ("video/mp4", None),
    ],
)
def test_picture_format(header, picture):
    assert rendered_type(header) == picture


BODY = (
    b"preamble\r\n--b\r\nContent-Type: application/dicom\r\n\r\nfirst\r\n-- b\r\n"
    b"--b\r\n\r\n--b\r\n\r\nthird\r\n--b--\r\nepilogue"
)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_multipart_is_split_whatever_pieces_it_comes_in(step):
    parser = Parser("b")
    parts: list[tuple[str, bytes]] = []
    for at in range(0, len(BODY), step):
        for event in parser.feed(BODY[at : at + step]):
            if isinstance(event, PartBegins):
                parts.append((event.media_type, b""))
            elif isinstance(event, PartData):
                parts[-1] = (parts[-1][0], parts[-1][1] + event.data)
            else:
                assert isinstance(event, PartEnds)
    parser.finish()
    assert parts == [("application/dicom", b"first\r\n-- b"), ("", b""), ("", b"third")]


@pytest.mark.parametrize(
    "body",
    [b"--b\r\nX: " + b"a" * 9000, b"x" * 70_000, b"--b garbage\r\n\r\n", b"--b\r\n\r\nhalf"],
)
def test_body_that_is_not_multipart_is_refused(body):
    with pytest.raises(QueryInvalid):
        split(body)


def split(body: bytes) -> None:
    """Parse a whole body."""
    parser = Parser("b")
    list(parser.feed(body))
    parser.finish()


def test_boundary_must_be_one():
    for boundary in ("", "x" * 300, "é"):
        with pytest.raises(QueryInvalid):
            Parser(boundary)


def picture(**changes: object) -> Picture:
    values = {
        "syntax": EXPLICIT, "rows": 2, "columns": 2, "samples": 1, "allocated": 16, "stored": 12,
        "signed": False, "planar": False, "frames": 1, "photometric": "MONOCHROME2",
    }  # fmt: skip
    return Picture(**(values | changes))


def test_bits_above_those_stored_are_dropped():
    raw = np.array([[0xF001, 2], [3, 0xFFFF]], "<u2").tobytes()
    assert decode(raw, picture(), largest=100).tolist() == [[1, 2], [3, 4095]]


def test_signed_values_are_extended_from_the_bits_stored():
    raw = np.array([[0x0FFF, 0x0800], [1, 0x07FF]], "<u2").tobytes()
    assert decode(raw, picture(signed=True), largest=100).tolist() == [[-1, -2048], [1, 2047]]


def test_picture_larger_than_the_limit_is_refused_before_its_bytes_are_looked_at():
    with pytest.raises(PixelsTooLarge):
        decode(b"", picture(rows=46341, columns=46341), largest=256 * 1024**2)


def test_stream_that_declares_another_size_than_the_header_is_refused():
    import imagecodecs

    stream = imagecodecs.jpegls_encode(np.zeros((64, 64), np.uint8))
    with pytest.raises(PixelsBroken):
        decode(
            bytes(stream),
            picture(syntax="1.2.840.10008.1.2.4.80", allocated=8, stored=8),
            largest=10_000,
        )


def test_too_few_pixels_are_refused():
    with pytest.raises(PixelsBroken):
        decode(b"\0" * 7, picture(), largest=100)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("40,400,linear", render.Window(40, 400)),
        ("40,400", render.Window(40, 400)),
        ("40,0,LINEAR_EXACT", render.Window(40, 1e-6, "linear-exact")),
        ("40,400,sigmoid", render.Window(40, 400, "sigmoid")),
    ],
)
def test_window_parameter(text, window):
    assert render.parse_window(text) == window


@pytest.mark.parametrize("text", ["", "40", "a,b", "nan,1,linear", "1,2,cubic", "1,2,3,4"])
def test_window_parameter_that_is_none_is_refused(text):
    with pytest.raises(QueryInvalid):
        render.parse_window(text)


@pytest.mark.parametrize(
    ("elements", "moment"),
    [
        (
            {"0008002A": {"vr": "DT", "Value": ["20260102030405.5+0800"]}},
            datetime(2026, 1, 1, 19, 4, 5, 500_000, UTC),
        ),
        (
            {
                "00080022": {"vr": "DA", "Value": ["20260102"]},
                "00080032": {"vr": "TM", "Value": ["030405"]},
            },
            datetime(2026, 1, 1, 19, 4, 5, tzinfo=UTC),
        ),
        (
            {
                "00080201": {"vr": "SH", "Value": ["+0000"]},
                "00080022": {"vr": "DA", "Value": ["20260102"]},
                "00080032": {"vr": "TM", "Value": ["0304"]},
            },
            datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        ),
        ({"00080022": {"vr": "DA", "Value": ["20261332"]}}, None),
        ({"0008002A": {"vr": "DT", "Value": ["20260102"]}}, None),
    ],
)
def test_acquisition_is_local_time_unless_the_header_says_otherwise(elements, moment):
    assert facts.acquired_at(elements) == moment
