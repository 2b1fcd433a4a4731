"""Frames of MLLP."""

import pytest

from accord.intake.wire import BadFrame, Frames


def taken(*pieces: bytes, largest: int = 100) -> list[bytes]:
    frames = Frames(largest)
    found = []
    for piece in pieces:
        frames.feed(piece)
        while (message := frames.take()) is not None:
            found.append(message)
    return found


def test_two_messages_in_one_piece_are_two():
    assert taken(b"\x0bA\x1c\r\x0bB\x1c\r") == [b"A", b"B"]


def test_a_message_comes_in_any_pieces():
    raw = b"\x0bMSH|a\rPID|b\r\x1c\r"
    assert taken(*(raw[at : at + 1] for at in range(len(raw)))) == [b"MSH|a\rPID|b\r"]


def test_a_message_of_the_largest_size_is_taken_and_one_byte_more_is_not():
    assert taken(b"\x0b" + b"x" * 100 + b"\x1c\r") == [b"x" * 100]
    with pytest.raises(BadFrame, match="上限"):
        taken(b"\x0b" + b"x" * 101 + b"\x1c\r")


def test_too_large_is_found_before_the_end_comes():
    with pytest.raises(BadFrame) as error:
        taken(b"\x0bMSH|", b"x" * 101)
    assert error.value.read is not None
    assert error.value.read.startswith(b"MSH|")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"MSH|", "VT"),
        (b"\r\n\x0bMSH", "VT"),
        (b"\x0bA\x1cB", "FS"),
        (b"\x0bA\x1c\r\n\x0bB\x1c\r", "VT"),
        (b"\x0bA\x0bB\x1c\r", "FS CR"),
    ],
)
def test_what_is_no_frame_says_what_is_wrong(raw, words):
    with pytest.raises(BadFrame, match=words):
        taken(raw)
