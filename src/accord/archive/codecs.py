"""The one decoder: encoded bytes of a frame in, an array of its pixel values out.

`imagecodecs` decodes every compressed syntax. What the header declares, and what the stream itself
declares, is compared with the limit and with each other before a decoder sees the bytes: a few
kilobytes can ask for gigabytes.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import get_decoder
from pydicom.uid import UID

from accord.archive.errors import CannotShow, PixelsBroken, PixelsTooLarge
from accord.archive.facts import whole
from accord.archive.header import Element, first_text
from accord.archive.part10 import DEFLATED, EXPLICIT, EXPLICIT_BIG, IMPLICIT

Array = NDArray[Any]

NATIVE: Final = frozenset({IMPLICIT, EXPLICIT, EXPLICIT_BIG, DEFLATED})
JPEG: Final = "1.2.840.10008.1.2.4."
RLE: Final = "1.2.840.10008.1.2.5"
PLUGIN: Final = "accord"

SOI: Final = b"\xff\xd8"
SOC_SIZ: Final = b"\xff\x4f\xff\x51"
# Start-of-frame markers of JPEG and JPEG-LS carry the size of the picture.
FRAME_MARKERS: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
ALONE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD9)})
YBR: Final = frozenset({"YBR_FULL", "YBR_FULL_422"})
FLOATS: Final = {"float": np.float32, "double": np.float64}


@dataclass(frozen=True)
class Picture:
    """How the pixels of an object are laid out, as its header declares.

    Attributes:
        syntax: Transfer Syntax UID.
        kind: `integer`, `float` or `double`.
        allocated: Bits allocated per sample.
        stored: Bits stored per sample.
        signed: Samples are two's complement.
        planar: Native colour samples come plane by plane.
    """

    syntax: str
    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    planar: bool
    frames: int
    photometric: str
    kind: str = "integer"

    @classmethod
    def of(cls, elements: Mapping[str, Element], syntax: str, tag: str = "7FE00010") -> "Picture":
        """Return what a header declares.

        Raises:
            PixelsBroken: It does not declare a picture.
        """
        rows, columns = whole(elements, "00280010"), whole(elements, "00280011")
        allocated = whole(elements, "00280100")
        if not rows or not columns or not allocated:
            raise PixelsBroken("影像缺少行列数或位数，无法显示。")
        kind = {"7FE00008": "float", "7FE00009": "double"}.get(tag, "integer")
        if allocated not in (1, 8, 16, 32, 64):
            raise PixelsBroken("影像的分配位数无法识别。")
        return cls(
            syntax=syntax,
            rows=rows,
            columns=columns,
            samples=whole(elements, "00280002") or 1,
            allocated=allocated,
            stored=min(whole(elements, "00280101") or allocated, allocated),
            signed=whole(elements, "00280103") == 1,
            planar=whole(elements, "00280006") == 1,
            frames=max(whole(elements, "00280008") or 1, 1),
            photometric=first_text(elements, "00280004") or "MONOCHROME2",
            kind=kind,
        )

    @property
    def pixels(self) -> int:
        """Pixels of one frame."""
        return self.rows * self.columns

    @property
    def decoded_bytes(self) -> int:
        """Bytes of one decoded frame."""
        return self.pixels * self.samples * max(self.allocated // 8, 1)

    @property
    def native_bits(self) -> int:
        """Bits of one frame as it lies in a native value."""
        bits = self.pixels * self.samples * self.allocated
        is_subsampled = self.photometric == "YBR_FULL_422" and self.samples == 3  # noqa: PLR2004
        return bits * 2 // 3 if is_subsampled else bits

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the decoded samples."""
        if self.kind in FLOATS:
            return np.dtype(FLOATS[self.kind])
        width = max(self.allocated // 8, 1)
        return np.dtype(f"{'i' if self.signed else 'u'}{width}")


def can_decode(syntax: str) -> bool:
    """Say whether pixels of that syntax can be decoded here."""
    return syntax in NATIVE or _decoder(syntax) is not None


def decode(encoded: bytes, picture: Picture, *, largest: int) -> Array:
    """Return the pixel values of one frame: rows × columns, or rows × columns × samples.

    Values are as stored, before any rescaling or lookup; colour stays in the photometric
    interpretation of the header, except that JPEG's own YCbCr comes out as RGB.

    Args:
        encoded: The frame's bytes.
        picture: What the header declares.
        largest: Most bytes of a decoded frame.

    Raises:
        PixelsTooLarge: It would decode to more.
        PixelsBroken: The bytes do not fit what is declared.
        CannotShow: Nobody here decodes this syntax.
    """
    if picture.decoded_bytes > largest:
        raise PixelsTooLarge(
            "影像尺寸超过本站解码限制，不能显示。", rows=picture.rows, columns=picture.columns
        )
    if picture.syntax in NATIVE:
        return _decode_native(encoded, picture)
    decoder = _decoder(picture.syntax)
    if decoder is None:
        raise CannotShow("暂不支持该压缩格式的显示。", syntax=picture.syntax)
    declared = stream_size(encoded)
    if declared is not None and declared != (picture.rows, picture.columns):
        raise PixelsBroken("压缩数据的尺寸与文件头不一致。")
    try:
        decoded = decoder(encoded, picture)
    except (ValueError, RuntimeError) as error:  # what imagecodecs' errors derive from
        raise PixelsBroken("压缩数据损坏，无法解码。") from error
    return _fit(decoded, picture)


def decoded_photometric(picture: Picture) -> str:
    """Return the photometric interpretation of the decoded values."""
    is_jpeg = picture.syntax.startswith(JPEG) and picture.samples == 3  # noqa: PLR2004
    return "RGB" if is_jpeg and picture.photometric.startswith("YBR") else picture.photometric


def stream_size(encoded: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a JPEG, JPEG-LS or JPEG 2000 stream declares, or None."""
    at = encoded.find(SOC_SIZ, 0, 4096)
    if at >= 0 and len(encoded) >= at + 24:
        right, bottom, left, top = struct.unpack_from(">4L", encoded, at + 8)
        return bottom - top, right - left
    if not encoded.startswith(SOI):
        return None
    at = 2
    while at + 9 <= len(encoded):
        if encoded[at] != 0xFF:  # noqa: PLR2004 - every marker begins so
            return None
        marker = encoded[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - fill byte
            at += 1
        elif marker in FRAME_MARKERS:
            rows, columns = struct.unpack_from(">HH", encoded, at + 5)
            return rows, columns
        elif marker in ALONE_MARKERS:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", encoded, at + 2)[0]
    return None


def _decode_native(encoded: bytes, picture: Picture) -> Array:
    needed = (picture.native_bits + 7) // 8
    if len(encoded) < needed:
        raise PixelsBroken("像素数据少于声明的行列数。")
    raw = np.frombuffer(encoded, np.uint8, needed)
    if picture.allocated == 1:
        bits = np.unpackbits(raw, bitorder="little")[: picture.pixels * picture.samples]
        return bits.reshape(_shape(picture))
    if picture.native_bits < picture.pixels * picture.samples * picture.allocated:
        return _spread_chroma(raw, picture)
    order: Literal[">", "<"] = ">" if picture.syntax == EXPLICIT_BIG else "<"
    values = np.frombuffer(
        encoded, picture.dtype.newbyteorder(order), picture.pixels * picture.samples
    )
    values = values.astype(picture.dtype, copy=False)
    if picture.samples > 1 and picture.planar:
        planes = values.reshape(picture.samples, picture.rows, picture.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return _masked(values.reshape(_shape(picture)), picture)


def _spread_chroma(raw: Array, picture: Picture) -> Array:
    """Return full YBR from native 4:2:2: two luminances share one pair of chrominances."""
    pairs = raw.reshape(-1, 4)
    spread = np.empty((len(pairs), 2, 3), np.uint8)
    spread[:, 0, 0], spread[:, 1, 0] = pairs[:, 0], pairs[:, 1]
    spread[:, :, 1], spread[:, :, 2] = pairs[:, 2:3], pairs[:, 3:4]
    return spread.reshape(_shape(picture))


def _shape(picture: Picture) -> tuple[int, ...]:
    flat = (picture.rows, picture.columns)
    return flat if picture.samples == 1 else (*flat, picture.samples)


def _fit(decoded: Array, picture: Picture) -> Array:
    """Give decoded values the declared shape, type and sign."""
    if decoded.size != picture.pixels * picture.samples:
        raise PixelsBroken("压缩数据的像素数与文件头不一致。")
    shaped = np.ascontiguousarray(decoded).reshape(_shape(picture))
    if shaped.dtype.kind not in "iu":
        raise PixelsBroken("压缩数据的像素类型无法识别。")
    if shaped.dtype.kind == "u" and picture.signed:
        return _signed(shaped, picture)
    return _masked(shaped.astype(picture.dtype, copy=False), picture)


def _signed(values: Array, picture: Picture) -> Array:
    """Read unsigned samples as two's complement of the bits stored."""
    shift = max(picture.allocated, 8) - picture.stored
    widened = values.astype(f"u{picture.dtype.itemsize}", copy=False)
    shifted: Array = np.right_shift(np.left_shift(widened, shift).view(picture.dtype), shift)
    return shifted


def _masked(values: Array, picture: Picture) -> Array:
    """Drop what stands above the bits stored: old overlays, or a sign not extended."""
    if picture.kind in FLOATS or picture.stored >= picture.allocated:
        return values
    if picture.signed:
        return _signed(values.view(f"u{picture.dtype.itemsize}"), picture)
    limit = (1 << picture.stored) - 1
    return values & picture.dtype.type(limit) if int(values.max(initial=0)) > limit else values


# -- decoders by syntax -------------------------------------------------------------------------

Decoder = Callable[[bytes, Picture], Array]


def _jpeg(encoded: bytes, picture: Picture) -> Array:
    # Without an APP marker libjpeg takes three components for YCbCr; the header knows better.
    colour = None
    if picture.samples == 3:  # noqa: PLR2004
        colour = "RGB" if picture.photometric == "RGB" else "YCBCR"
    out = "RGB" if colour else None
    decoded: Array = imagecodecs.jpeg_decode(encoded, colorspace=colour, outcolorspace=out)
    return decoded


def _lossless_jpeg(encoded: bytes, _picture: Picture) -> Array:
    decoded: Array = imagecodecs.jpegsof3_decode(encoded)
    return decoded


def _jpegls(encoded: bytes, _picture: Picture) -> Array:
    decoded: Array = imagecodecs.jpegls_decode(encoded)
    return decoded


def _jpeg2000(encoded: bytes, _picture: Picture) -> Array:
    decoded: Array = imagecodecs.jpeg2k_decode(encoded)
    return decoded


def _htj2k(encoded: bytes, _picture: Picture) -> Array:
    decoded: Array = imagecodecs.htj2k_decode(encoded)
    return decoded


def _rle(encoded: bytes, picture: Picture) -> Array:
    samples = imagecodecs.dicomrle_decode(encoded, f"<u{max(picture.allocated // 8, 1)}")
    planes = np.frombuffer(samples, f"<u{max(picture.allocated // 8, 1)}")
    if picture.samples == 1:
        return planes
    if planes.size != picture.pixels * picture.samples:
        raise PixelsBroken("压缩数据的像素数与文件头不一致。")
    return planes.reshape(picture.samples, picture.rows, picture.columns).transpose(1, 2, 0)


_DECODERS: Final[dict[str, Decoder]] = {
    **dict.fromkeys((JPEG + "50", JPEG + "51", JPEG + "53", JPEG + "55"), _jpeg),
    **dict.fromkeys((JPEG + "57", JPEG + "70"), _lossless_jpeg),
    **dict.fromkeys((JPEG + "80", JPEG + "81"), _jpegls),
    **dict.fromkeys((JPEG + "90", JPEG + "91"), _jpeg2000),
    **dict.fromkeys((JPEG + "201", JPEG + "202", JPEG + "203"), _htj2k),
    RLE: _rle,
}


def _decoder(syntax: str) -> Decoder | None:
    return _DECODERS.get(syntax)


# -- the same decoder inside pydicom ------------------------------------------------------------

DECODER_DEPENDENCIES: Final = {UID(syntax): ("imagecodecs",) for syntax in _DECODERS}
PLUGIN_LARGEST: Final = 1024 * 1024 * 1024
RETIRED: Final = frozenset({JPEG + "53", JPEG + "55"})
"""Syntaxes that the standard has retired and pydicom does not decode."""


def is_available(syntax: str) -> bool:
    """Tell pydicom that this plugin decodes a syntax."""
    return syntax in _DECODERS


def decode_for_pydicom(encoded: bytes, runner: Any) -> bytearray:
    """Decode one frame for pydicom's `pixel_array` (its plugin protocol)."""
    picture = Picture(
        syntax=str(runner.transfer_syntax),
        rows=runner.rows,
        columns=runner.columns,
        samples=runner.samples_per_pixel,
        allocated=runner.bits_allocated,
        stored=runner.bits_stored,
        signed=runner.pixel_representation == 1,
        planar=False,
        frames=1,
        photometric=str(runner.photometric_interpretation),
    )
    pixels = decode(encoded, picture, largest=PLUGIN_LARGEST)
    if picture.samples > 1:
        runner.set_option("planar_configuration", 0)
        runner.set_option("photometric_interpretation", decoded_photometric(picture))
    return bytearray(pixels.tobytes())


@lru_cache(maxsize=1)
def register() -> tuple[str, ...]:
    """Make pydicom decode by this module; return the syntaxes it now decodes. Once a process."""
    shared = tuple(syntax for syntax in _DECODERS if syntax not in RETIRED)
    for syntax in shared:
        get_decoder(UID(syntax)).add_plugin(PLUGIN, (__name__, "decode_for_pydicom"))
    return shared


register()
