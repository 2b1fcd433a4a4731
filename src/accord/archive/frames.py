"""Where the frames of an object lie in its bytes, and each of them as bytes or as an array."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from accord.archive.codecs import NATIVE, Array, Picture, decode
from accord.archive.errors import NoSuchImages, PixelsBroken
from accord.archive.header import ITEM, SEQUENCE_END, Element
from accord.archive.model import Pixels

MOST_FRAGMENTS: Final = 1_000_000
STARTS: Final = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")


@dataclass(frozen=True)
class Run:
    """Bytes of a data set."""

    offset: int
    length: int


def encoded_frame(data: memoryview, pixels: Pixels, picture: Picture, number: int) -> bytes:
    """Return the stored bytes of frame `number`, counted from 1.

    Args:
        data: The (inflated) data set.
        pixels: Where its pixels lie.
        picture: How they are laid out.
        number: Which frame.

    Raises:
        NoSuchImages: There is no such frame.
        PixelsBroken: The bytes do not hold the frames that are declared.
    """
    if not 1 <= number <= picture.frames:
        raise NoSuchImages("没有这一帧。")
    if picture.syntax in NATIVE:
        return _native_frame(data, pixels, picture, number)
    runs = frame_runs(fragments(data, pixels), data, picture.frames)
    return b"".join(bytes(data[run.offset : run.offset + run.length]) for run in runs[number - 1])


def frame(
    data: memoryview,
    pixels: Pixels,
    elements: Mapping[str, Element],
    syntax: str,
    number: int,
    *,
    largest: int,
) -> Array:
    """Return the pixel values of frame `number`, counted from 1; see `codecs.decode`."""
    picture = Picture.of(elements, syntax)
    if picture.decoded_bytes <= largest:
        encoded = encoded_frame(data, pixels, picture, number)
    else:
        encoded = b""  # refused by its size, before any byte is read
    return decode(encoded, picture, largest=largest)


def fragments(data: memoryview, pixels: Pixels) -> tuple[tuple[int, ...], list[Run]]:
    """Return the basic offset table and the fragments of encapsulated pixels.

    Raises:
        PixelsBroken: Items and bytes do not agree.
    """
    runs: list[Run] = []
    position = pixels.offset
    while True:
        if position + 8 > len(data) or len(runs) > MOST_FRAGMENTS:
            raise PixelsBroken("压缩数据的分段不完整。")
        group, element, length = struct.unpack_from("<HHL", data, position)
        tag = group << 16 | element
        position += 8
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or position + length > len(data):
            raise PixelsBroken("压缩数据的分段不完整。")
        runs.append(Run(position, length))
        position += length
    if not runs:
        raise PixelsBroken("压缩数据没有分段。")
    table, *rest = runs
    count = table.length // 4
    offsets = struct.unpack_from(f"<{count}L", data, table.offset)
    return offsets, rest


def frame_runs(
    found: tuple[tuple[int, ...], list[Run]], data: memoryview, frames: int
) -> list[list[Run]]:
    """Assign fragments to frames: one each, by the offset table, or by where streams begin.

    Raises:
        PixelsBroken: The fragments cannot be assigned.
    """
    offsets, runs = found
    if frames == 1:
        return [runs]
    if len(runs) == frames:
        return [[run] for run in runs]
    starts = _starts_by_table(offsets, runs) if len(offsets) == frames else []
    if len(starts) != frames:
        begins = [bytes(data[run.offset : run.offset + 8]).startswith(STARTS) for run in runs]
        starts = [index for index, is_start in enumerate(begins) if is_start]
    if len(starts) != frames or starts[0] != 0:
        raise PixelsBroken("压缩数据的分段与帧数不符。")
    ends = [*starts[1:], len(runs)]
    return [runs[start:end] for start, end in zip(starts, ends, strict=True)]


def _starts_by_table(offsets: tuple[int, ...], runs: list[Run]) -> list[int]:
    first = runs[0].offset - 8 if runs else 0
    index_at = {run.offset - 8 - first: index for index, run in enumerate(runs)}
    return [index_at[offset] for offset in offsets if offset in index_at]


def _native_frame(data: memoryview, pixels: Pixels, picture: Picture, number: int) -> bytes:
    bits = picture.native_bits
    first_bit = bits * (number - 1)
    start, shift = divmod(first_bit, 8)
    end = (first_bit + bits + 7) // 8
    if pixels.length is None or end > pixels.length or pixels.offset + end > len(data):
        raise PixelsBroken("像素数据少于声明的行列数。")
    raw = bytes(data[pixels.offset + start : pixels.offset + end])
    if not shift:
        return raw
    # Frames of single bits are packed without a gap (PS3.5 8.2): move this one to a byte's edge.
    moved = int.from_bytes(raw, "little") >> shift
    return (moved & ((1 << bits) - 1)).to_bytes((bits + 7) // 8, "little")
