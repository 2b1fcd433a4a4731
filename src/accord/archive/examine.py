"""What an object is and whether it may be stored: judged from its bytes alone (R7.1-0)."""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from accord.archive import part10
from accord.archive.header import Header, Limits, read_header
from accord.archive.model import Reason

LONGEST_UID: Final = 64
UID_SYNTAX: Final = re.compile(r"[0-9]+(\.[0-9]+)+")
INFLATE_FACTOR: Final = 4
INFLATE_STEP: Final = 1024 * 1024

SOP_CLASS: Final = "00080016"
SOP_UID: Final = "00080018"
STUDY_UID: Final = "0020000D"
SERIES_UID: Final = "0020000E"
LOSSY_FLAG: Final = "00282110"
FATAL: Final = frozenset({Reason.TOO_DEEP, Reason.TOO_LARGE})


@dataclass(frozen=True)
class Refusal:
    """The object cannot be taken."""

    reason: Reason
    sop_uid: str | None = None
    sop_class: str | None = None


@dataclass(frozen=True)
class Examined:
    """An object that will be stored, or kept aside for a reason.

    Attributes:
        head: What stands before the data set.
        header: What its data set says.
        aside: Why it must be kept aside; None when nothing in itself speaks against it.
    """

    head: part10.Head
    header: Header
    sop_class: str
    sop_uid: str
    study_uid: str | None
    series_uid: str | None
    lossy_flag: str | None
    aside: Reason | None = None


@dataclass(frozen=True)
class Bounds:
    """Limits of this site, and what its rule set calls lossless.

    Attributes:
        lossless: UIDs of the transfer syntaxes that lose nothing (7.1/transfer_syntaxes).
        header: How much of a header is read.
        inflated: Most bytes that a deflated data set may become.
    """

    lossless: frozenset[str]
    header: Limits = field(default_factory=Limits)
    inflated: int = 1024 * 1024 * 1024


class Sink(Protocol):
    """Where an inflated data set goes; `accord.kit.blobs.Staged` is one."""

    def write(self, data: bytes, /) -> int:
        """Append."""

    def mapped(self) -> AbstractContextManager[memoryview]:
        """Show what was written so far."""


Scratch = Callable[[], AbstractContextManager[Sink]]


class InflatesTooFar(Exception):
    """A deflated data set grows past its bound."""


def is_uid(text: str) -> bool:
    """Say whether it can be a UID: digits and dots, at most 64 characters.

    Components with a leading zero break the standard and are common in the field; they do no
    harm, as no name received from outside becomes a path.
    """
    return len(text) <= LONGEST_UID and UID_SYNTAX.fullmatch(text) is not None


def examine_file(data: memoryview, bounds: Bounds, scratch: Scratch) -> Examined | Refusal:
    """Judge a whole DICOM file.

    Args:
        data: The bytes of the file.
        bounds: Limits of this site.
        scratch: Makes a place for an inflated data set (`BlobStore.stage`).
    """
    head = part10.read_head(data)
    if isinstance(head, part10.NotAnObject):
        return Refusal(head.reason)
    if not part10.is_known_syntax(head.syntax):
        return Refusal(Reason.UNKNOWN_SYNTAX, head.sop_uid, head.sop_class)
    return _examine(head, data[head.length :], bounds, scratch)


def examine_data_set(
    data: memoryview, *, syntax: str, sop_class: str, sop_uid: str, bounds: Bounds
) -> Examined | Refusal:
    """Judge a data set that came over the network under a negotiated syntax and claimed UIDs."""
    if not is_uid(sop_uid) or not is_uid(sop_class):
        return Refusal(Reason.BAD_UID)
    head = part10.Head(0, syntax, sop_class, sop_uid)
    found = _examine(head, data, bounds, _no_scratch)
    claims = (sop_class, sop_uid)
    if isinstance(found, Examined) and (found.sop_class, found.sop_uid) != claims:
        return Refusal(Reason.UID_MISMATCH, sop_uid, sop_class)
    if isinstance(found, Refusal):
        return replace(found, sop_uid=sop_uid, sop_class=sop_class)
    return found


@contextmanager
def data_set(
    data: memoryview, syntax: str, bounds: Bounds, scratch: Scratch
) -> Iterator[memoryview]:
    """Show a data set as its header's positions count it: inflated where it was deflated.

    Raises:
        InflatesTooFar: It grows past 4 × its declared pixels, and past the header's limit.
    """
    if syntax != part10.DEFLATED:
        yield data
        return
    with scratch() as sink:
        _inflate(data, sink, bounds)
        with sink.mapped() as inflated:
            yield inflated


def _examine(
    head: part10.Head, data: memoryview, bounds: Bounds, scratch: Scratch
) -> Examined | Refusal:
    try:
        with data_set(data, head.syntax, bounds, scratch) as plain:
            header = read_header(plain, head.syntax, bounds.header)
    except InflatesTooFar:
        return Refusal(Reason.INFLATES_TOO_FAR, head.sop_uid, head.sop_class)
    except zlib.error:
        return Refusal(Reason.UNREADABLE, head.sop_uid, head.sop_class)
    return judge(head, header, bounds.lossless)


def judge(head: part10.Head, header: Header, lossless: frozenset[str]) -> Examined | Refusal:
    """Decide what becomes of an object from its header."""
    sop_uid = header.text(SOP_UID)
    sop_class = header.text(SOP_CLASS) or head.sop_class
    if header.problem in FATAL:
        return Refusal(header.problem)
    if sop_uid is None or sop_class is None:
        return Refusal(header.problem or Reason.NO_SOP_UID)
    study_uid, series_uid = header.text(STUDY_UID), header.text(SERIES_UID)
    uids = (sop_uid, sop_class, study_uid, series_uid)
    if not all(is_uid(uid) for uid in uids if uid is not None):
        return Refusal(Reason.BAD_UID)
    if header.problem is Reason.UNREADABLE:
        return Refusal(Reason.UNREADABLE, sop_uid, sop_class)
    flag = header.text(LOSSY_FLAG)
    examined = Examined(head, header, sop_class, sop_uid, study_uid, series_uid, flag)
    return replace(examined, aside=_why_aside(examined, lossless))


def _why_aside(examined: Examined, lossless: frozenset[str]) -> Reason | None:
    header = examined.header
    reason = header.problem or examined.head.doubt
    if reason is None and (examined.study_uid is None or examined.series_uid is None):
        reason = Reason.NO_STUDY_UID
    # Reports, presentation states and documents have no pixels to lose (RD-7.1-FORMAT).
    if reason is None and header.pixels is not None:
        if examined.head.syntax not in lossless:
            reason = Reason.LOSSY_SYNTAX
        elif is_marked_lossy(examined.lossy_flag):
            reason = Reason.LOSSY_MARKED
        elif _lacks_pixels(header):
            reason = Reason.PIXELS_INCOMPLETE
    return reason


def _lacks_pixels(header: Header) -> bool:
    length = header.pixels.length if header.pixels else None
    declared = declared_pixel_bytes(header)
    return length is not None and declared is not None and length < declared


def is_marked_lossy(flag: str | None) -> bool:
    """Say whether (0028,2110) tells of a lossy step; once `01`, always lossy."""
    return flag is not None and flag.strip("0 ") != ""


def declared_pixel_bytes(header: Header) -> int | None:
    """Return how many bytes of uncompressed pixels the header declares; None when it does not."""
    rows, columns = header.number("00280010"), header.number("00280011")
    allocated = header.number("00280100")
    if rows is None or columns is None or allocated is None:
        return None
    samples = header.number("00280002") or 1
    frames = max(header.number("00280008") or 1, 1)
    pixels = rows * columns * samples * frames
    if samples == 3 and header.text("00280004") == "YBR_FULL_422":  # noqa: PLR2004
        pixels = pixels * 2 // 3
    return (pixels * allocated + 7) // 8


def _inflate(data: memoryview, sink: Sink, bounds: Bounds) -> None:
    """Inflate into `sink`, at first up to the header's limit, then up to what it declares."""
    stream = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    bound = bounds.header.size
    known = False
    written = 0
    position = 0
    pending = b""
    while not stream.eof:
        if not pending:
            pending = bytes(data[position : position + INFLATE_STEP])
            position += len(pending)
            if not pending:
                break
        chunk = stream.decompress(pending, INFLATE_STEP)
        pending = stream.unconsumed_tail
        sink.write(chunk)
        written += len(chunk)
        if written > bound and not known:
            known = True
            with sink.mapped() as so_far:
                header = read_header(so_far, part10.EXPLICIT, bounds.header)
            declared = declared_pixel_bytes(header) or 0
            bound = min(max(bound, INFLATE_FACTOR * declared), bounds.inflated)
        if written > bound:
            raise InflatesTooFar


def _no_scratch() -> AbstractContextManager[Sink]:
    raise AssertionError("deflated syntaxes are not offered on the network")
