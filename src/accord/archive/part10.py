"""The head of a DICOM file: preamble, file meta, and which syntax the data set is in."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydicom.uid import UID

from accord.archive.model import Reason

PREAMBLE: Final = 128
MAGIC: Final = b"DICM"
META_GROUP: Final = b"\x02\x00"
LONG_VRS: Final = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"}
)
SHORT_VRS: Final = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)
IMPLEMENTATION_CLASS: Final = "1.2.826.0.1.3680043.10.1537.1"
IMPLEMENTATION_NAME: Final = "ACCORD_1"

IMPLICIT: Final = "1.2.840.10008.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
MEDIA_DIRECTORY: Final = "1.2.840.10008.1.3.10"
ZIP_MAGICS: Final = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
LONGEST_META: Final = 64 * 1024


@dataclass(frozen=True)
class Head:
    """What stands before the data set.

    Attributes:
        length: Bytes before the data set.
        syntax: Transfer Syntax UID, stated or guessed from the bytes.
        sop_class: (0002,0002), if stated.
        sop_uid: (0002,0003), if stated.
        doubt: Why the object cannot be taken as it stands; None for a proper file.
    """

    length: int
    syntax: str
    sop_class: str | None = None
    sop_uid: str | None = None
    doubt: Reason | None = None


@dataclass(frozen=True)
class NotAnObject:
    """The file is no DICOM object that we take."""

    reason: Reason


def read_head(data: memoryview) -> Head | NotAnObject:
    """Return what stands before the data set of a file, or why it is none of ours."""
    has_magic = bytes(data[PREAMBLE : PREAMBLE + 4]) == MAGIC
    start = PREAMBLE + 4 if has_magic else 0
    if bytes(data[:4]).startswith(ZIP_MAGICS) and not has_magic:
        return NotAnObject(Reason.COMPRESSED_FILE)
    meta, length = _read_meta(data, start)
    if meta.get(0x0002) == MEDIA_DIRECTORY:
        return NotAnObject(Reason.MEDIA_DIRECTORY)
    syntax = meta.get(0x0010)
    doubt = None
    if not meta:
        doubt = Reason.NO_FILE_META
    elif syntax is None:
        doubt = Reason.NO_TRANSFER_SYNTAX
    elif not has_magic:
        doubt = Reason.NO_FILE_META
    if syntax is None:
        syntax = guess_syntax(data[length:])
        if syntax is None:
            return NotAnObject(Reason.UNREADABLE if has_magic else Reason.NOT_DICOM)
    return Head(length, syntax, meta.get(0x0002), meta.get(0x0003), doubt)


def guess_syntax(data: memoryview) -> str | None:
    """Return the syntax that the first element of a data set can be in; None when in none."""
    first = bytes(data[:8])
    if len(first) < 8:  # noqa: PLR2004 - the shortest element
        return None
    group, element = struct.unpack_from("<HH", first)
    if group in (0x0008, 0x0010) and element < 0x4000:  # noqa: PLR2004
        if first[4:6] in LONG_VRS or first[4:6] in SHORT_VRS:
            return EXPLICIT
        if struct.unpack_from("<L", first, 4)[0] <= len(data) - 8:
            return IMPLICIT
    group, _ = struct.unpack_from(">HH", first)
    known = first[4:6] in LONG_VRS or first[4:6] in SHORT_VRS
    return EXPLICIT_BIG if group in (0x0008, 0x0010) and known else None


def build_head(sop_class: str, sop_uid: str, syntax: str, *, source_ae: str = "") -> bytes:
    """Return preamble and file meta for a data set that came over the network."""
    elements = [
        _element(0x0001, b"OB", b"\x00\x01"),
        _element(0x0002, b"UI", _even(sop_class, b"\0")),
        _element(0x0003, b"UI", _even(sop_uid, b"\0")),
        _element(0x0010, b"UI", _even(syntax, b"\0")),
        _element(0x0012, b"UI", _even(IMPLEMENTATION_CLASS, b"\0")),
        _element(0x0013, b"SH", _even(IMPLEMENTATION_NAME, b" ")),
    ]
    if source_ae:
        elements.append(_element(0x0016, b"AE", _even(source_ae, b" ")))
    meta = b"".join(elements)
    group_length = _element(0x0000, b"UL", struct.pack("<L", len(meta)))
    return bytes(PREAMBLE) + MAGIC + group_length + meta


def is_known_syntax(syntax: str) -> bool:
    """Say whether it is a transfer syntax of the standard; private ones are not."""
    uid = UID(syntax)
    return uid.is_transfer_syntax and not uid.is_private and uid.name != syntax


def _read_meta(data: memoryview, start: int) -> tuple[Mapping[int, str], int]:
    """Return the texts of group 0002 by element, and where the group ends.

    The group's length element is not needed and often wrong; the group ends where another begins.
    """
    found: dict[int, str] = {}
    position = start
    end = min(len(data), start + LONGEST_META)
    while position + 8 <= end and bytes(data[position : position + 2]) == META_GROUP:
        element = struct.unpack_from("<H", data, position + 2)[0]
        vr = bytes(data[position + 4 : position + 6])
        if vr in LONG_VRS:
            if position + 12 > end:
                break
            length, value = struct.unpack_from("<L", data, position + 8)[0], position + 12
        else:
            length, value = struct.unpack_from("<H", data, position + 6)[0], position + 8
        if value + length > end:
            break
        if vr == b"UI":
            text = bytes(data[value : value + length]).decode("ascii", "replace").strip(" \0")
            if text:
                found[element] = text
        position = value + length
    return found, position


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    if vr in LONG_VRS:
        return struct.pack("<HH2sHL", 0x0002, element, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 0x0002, element, vr, len(value)) + value


def _even(text: str, pad: bytes) -> bytes:
    encoded = text.encode("ascii")
    return encoded + pad if len(encoded) % 2 else encoded
