"""Character sets, delimiters, segments, escape sequences, moments."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.intake import mapping
from accord.intake.errors import Fault
from accord.intake.message import read, read_head
from support.hl7 import OBR, ORC, PID, PV1, adt, message, msh


def parsed(raw: bytes):
    head = read_head(raw)
    assert head is not None
    return read(raw, head)


def fault(raw: bytes) -> Fault:
    with pytest.raises(Fault) as error:
        parsed(raw)
    return error.value


@pytest.mark.parametrize(
    ("charset", "encoding"), [("UNICODE UTF-8", "utf-8"), ("GB 18030-2000", "gb18030")]
)
def test_declared_character_sets_are_read(charset, encoding):
    raw = message(msh("ADT^A04", "1", charset=charset, sender="系统|医院"), PID, encoding=encoding)
    read_message = parsed(raw)
    assert read_message.head.application == "系统"
    assert read_message.needed("PID").text(5, 2) == "测安"


def test_gb18030_characters_that_hold_a_delimiter_byte_are_whole():
    # The second bytes of these are the bytes of | ^ ~ and \.
    tricky = "獉倈倊倈" + bytes([0x81, 0x7C, 0x81, 0x5E, 0x81, 0x7E, 0x81, 0x5C]).decode("gb18030")
    raw = message(
        msh("ADT^A04", "1", charset="GB 18030-2000"), f"PID|1||P|{tricky}", encoding="gb18030"
    )
    assert parsed(raw).needed("PID").text(4) == tricky


def test_gbk_declared_as_utf8_is_told_and_not_guessed():
    found = fault(message(msh("ADT^A04", "1"), PID, encoding="gbk"))
    assert (found.error, str(found.place)) == (102, "MSH[1]-18")
    assert "UNICODE UTF-8" in found.sentence


def test_chinese_without_a_declared_set_is_told():
    assert fault(message(msh("ADT^A04", "1", charset=""), PID)).error == 102


def test_unknown_character_set_is_told():
    found = fault(message(msh("ADT^A04", "1", charset="8859/1"), "PID|1"))
    assert (found.error, str(found.place)) == (103, "MSH[1]-18")


def test_redefined_delimiters_are_those_of_msh():
    head = "MSH#*!%$#HIS#CQA###20261121##ADT*A04#7#P#2.5.1######UNICODE UTF-8"
    raw = head + "\rPID#1##P|1*x$y!Q#A%S%B%F%C\r"
    read_message = parsed(raw.encode())
    pid = read_message.needed("PID")
    assert read_message.head.kind == "ADT^A04"
    assert pid.text(3) == "P|1"
    assert pid.text(3, 2, 2) == "y"
    assert [parts[0] for parts in pid.repetitions(3)] == ["P|1", "Q"]
    assert pid.text(4) == "A*B#C"


@pytest.mark.parametrize("encoding", ["^^\\&", "^~\\", "a~\\&", "^~\\\\&", "^~|&", ""])
def test_unusable_delimiters_are_told(encoding):
    raw = msh("ADT^A04", "1").replace("^~\\&", encoding, 1)
    head = read_head(raw.encode())
    assert head is not None
    with pytest.raises(Fault) as error:
        read(raw.encode(), head)
    assert error.value.error in {102, 103}


def test_carriage_return_inside_a_field_names_the_segment_before_it():
    found = fault(message(msh("ORU^R01", "1"), PID, "OBX|1|FT|x||所见：\r未见异常。"))
    assert (found.error, found.place and found.place.segment) == (100, "OBX")
    assert "\\.br\\" in found.sentence


@pytest.mark.parametrize("line", ["pid|1", "P|1", "PID^1", "|", "OBXX|1"])
def test_broken_segments_are_told(line):
    assert fault(message(msh("ADT^A04", "1"), line)).error == 100


def test_line_feeds_alone_do_not_end_segments():
    assert "CR" in fault(adt("1").replace(b"\r", b"\n")).sentence


def test_carriage_return_and_line_feed_are_taken():
    assert parsed(adt("1").replace(b"\r", b"\r\n")).needed("PV1").text(19) == "V-1"


def test_two_messages_in_a_frame_are_told():
    assert str(fault(adt("1") + adt("2")).place) == "MSH[2]"


def test_nul_bytes_are_told():
    assert "NUL" in fault(message(msh("ADT^A04", "1"), "PID|1||P\0")).sentence


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"一\.br\二\.sp+1\三", "一\n二\n三"),
        (r"\H\重\N\要", "重要"),
        (r"\X0D0A\x", "\r\nx"),
        (r"\XE4B8AD\文", "中文"),
        (r"\XFF\ \Zq\ \C2842\ a\b", r"\XFF\ \Zq\ \C2842\ a\b"),
        ("x\\", "x\\"),
    ],
)
def test_escape_sequences(written, text):
    pid = parsed(message(msh("ADT^A04", "1"), "PID|1")).needed("PID")
    assert pid.unescaped(written) == text


def moment(text: str):
    return parsed(message(msh("ADT^A04", "1"), f"EVN||{text}")).needed("EVN").moment(2, "时刻")


def test_moments_without_offset_are_local_ones():
    assert moment("202611211330") == datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
    assert moment("20261121133000.5-0500") == datetime(2026, 11, 21, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["20261332", "20261332120000", "202611211360", "20261121", "今天", "2026112113300"]
)
def test_what_is_no_moment_is_told(text):
    with pytest.raises(Fault) as error:
        moment(text)
    assert (error.value.error, str(error.value.place)) == (102, "EVN[1]-2")


def test_days_are_real_days():
    def day(text: str):
        return parsed(message(msh("ADT^A04", "1"), f"PID|||||||{text}")).needed("PID").day(7, "日")

    assert day("19850307") == date(1985, 3, 7)
    assert day("1985") is None
    for wrong in ("20261332", "2026-01-01", "0000"):
        with pytest.raises(Fault):
            day(wrong)


WHOLE = message(msh("OMG^O19", "1"), PID, PV1, ORC, OBR)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=12))
def test_damaged_messages_are_read_or_told_and_nothing_else(damage):
    raw = bytearray(WHOLE)
    for at, byte in damage:
        raw[at] = byte
    head = read_head(bytes(raw))
    if head is None:
        return
    told = []
    try:
        told.append(mapping.understand(read(bytes(raw), head), "CQ-A").local_id)
    except Fault as found:
        told.append(found.sentence)
    assert all(told)
