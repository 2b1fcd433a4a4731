"""Pixel values to a picture a browser shows: modality and VOI transformation, colour, PNG or JPEG.

The transformations are those of PS3.3 C.11.1 and C.11.2; MONOCHROME1 is shown as it is meant, low
values white.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from accord.archive.codecs import Picture, decoded_photometric
from accord.archive.errors import PixelsBroken, QueryInvalid
from accord.archive.facts import names, nested, numbers
from accord.archive.header import Element, first, first_text

Array = NDArray[Any]
Bulk = Callable[[str], bytes]

SHARED: Final = "52009229"
PER_FRAME: Final = "52009230"
FUNCTIONS: Final = frozenset({"linear", "linear-exact", "sigmoid"})
# ITU-R BT.601 as PS3.3 C.7.6.3.1.2 prescribes.
YBR_TO_RGB: Final = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
MOST_VIEW: Final = 8192


@dataclass(frozen=True)
class Window:
    """Which values are shown between black and white.

    Attributes:
        center: Middle of the range, in output units of the modality.
        width: Its width.
        function: `linear`, `linear-exact` or `sigmoid` (PS3.3 C.11.2.1.3).
    """

    center: float
    width: float
    function: str = "linear"


def parse_window(text: str) -> Window:
    """Return the window of a `window=center,width,function` parameter.

    Raises:
        QueryInvalid: It is none.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 2:  # noqa: PLR2004 - many clients leave the function out
        parts.append("linear")
    try:
        center, width = float(parts[0]), float(parts[1])
        function = parts[2].lower().replace("_", "-")
    except (ValueError, IndexError) as error:
        raise QueryInvalid("window 参数应为 窗位,窗宽,函数。") from error
    if len(parts) != 3 or function not in FUNCTIONS or not np.isfinite([center, width]).all():  # noqa: PLR2004
        raise QueryInvalid("window 参数应为 窗位,窗宽,函数。")
    return Window(center, max(width, 1.0 if function == "linear" else 1e-6), function)


def parse_viewport(text: str) -> tuple[int, int]:
    """Return the width and height of a `viewport=width,height` parameter.

    Raises:
        QueryInvalid: It is none, or larger than a screen.
    """
    parts = [part.strip() for part in text.split(",")[:2]]
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):  # noqa: PLR2004
        raise QueryInvalid("viewport 参数应为 宽,高。")
    width, height = int(parts[0]), int(parts[1])
    if not (1 <= width <= MOST_VIEW and 1 <= height <= MOST_VIEW):
        raise QueryInvalid("viewport 参数超出范围。")
    return width, height


def to_screen(
    pixels: Array,
    elements: Mapping[str, Element],
    picture: Picture,
    *,
    number: int,
    bulk: Bulk,
    window: Window | None = None,
) -> Array:
    """Return 8-bit grey or RGB values of a decoded frame.

    Args:
        pixels: Its stored values.
        elements: The header of its object.
        picture: How its pixels are laid out.
        number: Which frame it is, counted from 1.
        bulk: Reads a value that the header only points at.
        window: What the caller asks for; unset: the header's first window, else the full range.
    """
    if picture.samples == 3:  # noqa: PLR2004
        return _colour(pixels, decoded_photometric(picture))
    if picture.samples != 1:
        raise PixelsBroken("影像的颜色分量数无法识别。")
    if picture.photometric == "PALETTE COLOR":
        return _palette(pixels, elements, bulk)
    values = _modality(pixels, elements, number)
    shown = _windowed(values, window or _own_window(elements, number) or _full_range(values))
    inverted = picture.photometric == "MONOCHROME1"
    if first_text(elements, "20500020") == "INVERSE" and picture.photometric == "MONOCHROME2":
        inverted = True
    grey: Array = np.rint(shown * 255).astype(np.uint8)
    return 255 - grey if inverted else grey


def scale(shown: Array, viewport: tuple[int, int]) -> Array:
    """Return the picture made to fit into a viewport, its proportions kept."""
    width, height = viewport
    rows, columns = shown.shape[:2]
    factor = min(width / columns, height / rows)
    new_rows, new_columns = max(round(rows * factor), 1), max(round(columns * factor), 1)
    row_at = np.minimum((np.arange(new_rows) + 0.5) * rows / new_rows, rows - 1).astype(int)
    column_at = np.minimum(
        (np.arange(new_columns) + 0.5) * columns / new_columns, columns - 1
    ).astype(int)
    return np.ascontiguousarray(shown[row_at][:, column_at])


def encode(shown: Array, media_type: str, *, quality: int = 90) -> bytes:
    """Return the picture as PNG or JPEG."""
    picture = np.ascontiguousarray(shown)
    if media_type == "image/png":
        return bytes(imagecodecs.png_encode(picture, level=1))
    return bytes(imagecodecs.jpeg_encode(picture, level=quality))


def pack_bits(pixels: Array) -> bytes:
    """Return single-bit pixels as PS3.5 8.2 packs them: the first one lowest."""
    return np.packbits(pixels.reshape(-1).astype(np.uint8), bitorder="little").tobytes()


def _groups(elements: Mapping[str, Element], number: int, tag: str) -> Mapping[str, Element]:
    """Return the functional group of a frame: its own, else the shared one, else the header."""
    per_frame = elements.get(PER_FRAME, {}).get("Value") or []
    own = nested(per_frame[number - 1], tag) if len(per_frame) >= number else {}
    return own or nested(elements, SHARED, tag) or elements


def _modality(pixels: Array, elements: Mapping[str, Element], number: int) -> Array:
    group = _groups(elements, number, "00289145")  # PixelValueTransformationSequence
    slope, intercept = numbers(group, "00281053"), numbers(group, "00281052")
    values = pixels.astype(np.float32)
    if slope and slope[0] not in (0.0, 1.0):
        values *= slope[0]
    if intercept:
        values += intercept[0]
    return values


def _own_window(elements: Mapping[str, Element], number: int) -> Window | None:
    group = _groups(elements, number, "00289132")  # FrameVOILUTSequence
    center, width = numbers(group, "00281050"), numbers(group, "00281051")
    if not center or not width or width[0] <= 0:
        return None
    function = (names(group, "00281056") or ("LINEAR",))[0].lower().replace("_", "-")
    if function not in FUNCTIONS:
        function = "linear"
    return Window(center[0], max(width[0], 1.0 if function == "linear" else 1e-6), function)


def _full_range(values: Array) -> Window:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return Window((low + high) / 2, max(high - low, 1e-6), "linear-exact")


def _windowed(values: Array, window: Window) -> Array:
    if window.function == "sigmoid":
        exponent = np.clip(-4 * (values - window.center) / window.width, -80, 80)
        return 1 / (1 + np.exp(exponent))
    if window.function == "linear" and window.width == 1:
        return (values > window.center - 0.5).astype(np.float32)
    if window.function == "linear":
        scaled = (values - (window.center - 0.5)) / (window.width - 1) + 0.5
    else:
        scaled = (values - window.center) / window.width + 0.5
    return np.nan_to_num(np.clip(scaled, 0, 1))


def _colour(pixels: Array, photometric: str) -> Array:
    values = pixels
    if values.dtype != np.uint8:
        top = float(np.iinfo(values.dtype).max) if values.dtype.kind in "iu" else 1.0
        values = np.clip(values.astype(np.float32) * (255 / top), 0, 255).astype(np.uint8)
    if photometric.startswith("YBR"):
        shifted = values.astype(np.float32) - np.array([0, 128, 128], np.float32)
        rgb = shifted @ YBR_TO_RGB.T.astype(np.float32)
        return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return values


def _palette(pixels: Array, elements: Mapping[str, Element], bulk: Bulk) -> Array:
    planes = []
    for colour in ("1", "2", "3"):
        descriptor = numbers(elements, f"0028110{colour}")
        data = _bytes_of(elements.get(f"0028120{colour}", {}), bulk)
        if len(descriptor) != 3 or not data:  # noqa: PLR2004 - entries, first value, bits
            raise PixelsBroken("影像缺少调色板，无法显示。")
        entries = int(descriptor[0]) or 65536
        is_wide = descriptor[2] > 8 and len(data) >= 2 * entries  # noqa: PLR2004
        table = np.frombuffer(data, "<u2" if is_wide else np.uint8)[:entries]
        if is_wide:
            table = (table >> 8).astype(np.uint8)
        if not table.size:
            raise PixelsBroken("影像的调色板为空，无法显示。")
        at = np.clip(pixels.astype(np.int64) - int(descriptor[1]), 0, len(table) - 1)
        planes.append(table[at].astype(np.uint8))
    return np.stack(planes, axis=-1)


def _bytes_of(element: Mapping[str, Any], bulk: Bulk) -> bytes:
    if "InlineBinary" in element:
        return base64.b64decode(element["InlineBinary"])
    if "BulkDataURI" in element:
        return bulk(str(element["BulkDataURI"]))
    value = first({"x": dict(element)}, "x")
    return bytes(value) if isinstance(value, bytes) else b""
