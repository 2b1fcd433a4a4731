"""Bytes kept for good: a durable local store whose names are never received from outside.

A small object is appended to a segment, and everybody who waits for the disk at that moment shares
one flush (group commit): flushing is what a received object costs most. A large one becomes a file
of its own: written under a temporary name, fdatasync, rename to the hash of its content, fsync of
the folder. Either way it is on stable storage before `keep` returns.
"""

import errno
import hashlib
import mmap
import os
import secrets
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final, Self

from accord.kit import clock
from accord.kit.errors import AccordError, StorageFull
from accord.kit.together import Together

FILES: Final = "files"
SEGMENTS: Final = "segments"
CHUNK: Final = 1024 * 1024
IN_MEMORY: Final = 2 * 1024 * 1024
SPARE_BUFFERS: Final = 16
SEGMENT_SIZE: Final = 64 * 1024 * 1024
ALIGNMENT: Final = 4096
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
HEX: Final = frozenset("0123456789abcdef")

Bytes = bytes | bytearray | memoryview


class BlobMissing(AccordError):
    """An indexed blob is not in its store: the disk lost it or somebody removed it."""

    status = 500
    code = "blob_missing"
    exit_code = 1


@dataclass(frozen=True)
class Blob:
    """Where bytes are, and what they must hash to.

    Attributes:
        store: Name of the store.
        key: Name of the file or segment within it.
        offset: First byte in the file.
        length: How many bytes.
        sha256: Their hash, 64 hexadecimal digits.
    """

    store: str
    key: str
    offset: int
    length: int
    sha256: str


class Staged:
    """Bytes being gathered: kept or discarded, never both; in memory while they are few.

    Use as a context manager: leaving the block discards what was not kept.
    """

    def __init__(self, store: "BlobStore") -> None:
        self._store = store
        self._buffer = store.lend()
        self._filled = 0  # bytes of the buffer; of a file they are those not yet written to it
        self._is_spare = False
        self._file = -1
        self._path: Path | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.discard()

    def write(self, data: Bytes, /) -> int:
        """Append all of `data`.

        Raises:
            StorageFull: There is no room; nothing of these bytes stays behind.
        """
        left = memoryview(data)
        while left:
            with self.window(len(left)) as window:
                count = len(window)
                window[:] = left[:count]
            self.wrote(count)
            left = left[count:]
        return len(data)

    def window(self, most: int) -> memoryview:
        """Show where the next bytes go, at most `most` of them and at least one.

        Whoever fills it releases it and tells `wrote`: so a socket is read without a copy.
        """
        return memoryview(self._buffer)[self._filled : min(self._filled + most, IN_MEMORY)]

    def wrote(self, count: int) -> None:
        """Take the first bytes of the window that was shown last.

        Raises:
            StorageFull: There is no room; nothing of these bytes stays behind.
        """
        with memoryview(self._buffer) as view:
            with view[self._filled : self._filled + count] as fresh:
                self._digest.update(fresh)
            self.size += count
            self._filled += count
            if self._filled < IN_MEMORY:
                return
            try:
                self._flush_to_file(view[: self._filled])
            except StorageFull:
                self.discard()
                raise

    @contextmanager
    def mapped(self) -> Iterator[memoryview]:
        """Show what was written so far as one buffer, without reading a file into memory."""
        if self._file < 0:
            with memoryview(self._buffer)[: self._filled] as view:
                yield view
            return
        self._flush_rest()
        with (
            mmap.mmap(self._file, self.size, prot=mmap.PROT_READ) as mapping,
            memoryview(mapping) as view,
        ):
            yield view

    def keep(self) -> Blob:
        """Make it durable and return its blob.

        Raises:
            StorageFull: There is no room; nothing of these bytes stays behind.
        """
        sha256 = self._digest.hexdigest()
        if self._file < 0:
            with memoryview(self._buffer)[: self._filled] as view:
                key, offset = self._store.append(view)
            self._give_back()
            return Blob(SEGMENTS, key, offset, self.size, sha256)
        assert self._path is not None  # noqa: S101 - a file has a path
        try:
            self._flush_rest()
            with _room():
                os.fdatasync(self._file)
                self._store.adopt(self._path, sha256)
        except StorageFull:
            self.discard()
            raise
        os.close(self._file)
        self._file = -1
        return Blob(FILES, sha256, 0, self.size, sha256)

    def discard(self) -> None:
        """Forget it, unless it was kept."""
        if self._file >= 0 and self._path is not None:
            os.close(self._file)
            self._file = -1
            self._path.unlink(missing_ok=True)
        self._give_back()

    def _give_back(self) -> None:
        if not self._is_spare:
            self._is_spare = True
            self._store.take_back(self._buffer)
            self._buffer, self._filled = bytearray(), 0

    def _flush_rest(self) -> None:
        if self._filled:
            with memoryview(self._buffer)[: self._filled] as view:
                self._flush_to_file(view)

    def _flush_to_file(self, view: memoryview) -> None:
        """Write what is in the buffer to a file, so that it can be filled anew."""
        if self._file < 0:
            self._path = self._store.incoming / secrets.token_hex(16)
            with _room():
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        _write_all(self._file, view)
        self._filled = 0


class BlobStore:
    """The durable local store of one process; use `store_at` to share it within the process.

    Args:
        root: Its folder; made when missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self._known: set[Path] = set()
        self._lock = threading.Lock()
        self._segment: _Segment | None = None
        self._spare: list[bytearray] = []
        self._make(self.incoming)

    def put(self, stream: BinaryIO | Iterable[Bytes]) -> Blob:
        """Keep a stream and return its blob once it is durable.

        Raises:
            StorageFull: There is no room; nothing stays behind.
        """
        with Staged(self) as staged:
            for chunk in _chunks(stream):
                staged.write(chunk)
            return staged.keep()

    def lend(self) -> bytearray:
        """Return a buffer; the memory of one that was used before is there already."""
        try:
            return self._spare.pop()
        except IndexError:
            return bytearray(IN_MEMORY)

    def take_back(self, buffer: bytearray) -> None:
        """Keep a buffer for the next one who needs it, unless there are enough."""
        if len(self._spare) < SPARE_BUFFERS:
            self._spare.append(buffer)

    def stage(self) -> Staged:
        """Begin bytes whose fate is decided later."""
        return Staged(self)

    def read(self, blob: Blob, start: int = 0, length: int | None = None) -> bytes:
        """Return bytes of the blob, `start` counted from its beginning.

        Raises:
            BlobMissing: The file is gone or shorter than it was.
        """
        start = min(max(start, 0), blob.length)
        left = blob.length - start
        length = left if length is None else min(max(length, 0), left)
        with self._opened(blob) as file:
            file.seek(blob.offset + start)
            return file.read(length)

    def chunks(self, blob: Blob) -> Iterator[bytes]:
        """Return the blob's bytes piece by piece.

        Raises:
            BlobMissing: The file is gone or shorter than it was.
        """
        with self._opened(blob) as file:
            file.seek(blob.offset)
            left = blob.length
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    @contextmanager
    def mapped(self, blob: Blob) -> Iterator[memoryview]:
        """Show the blob as one buffer, without reading it into memory.

        Raises:
            BlobMissing: The file is gone or shorter than it was.
        """
        if blob.length == 0:
            yield memoryview(b"")
            return
        with (
            self._opened(blob) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapping,
            memoryview(mapping) as view,
            view[blob.offset : blob.offset + blob.length] as run,
        ):
            yield run

    def is_intact(self, blob: Blob) -> bool:
        """Say whether the blob still hashes to what it was kept as."""
        digest = hashlib.sha256()
        for chunk in self.chunks(blob):
            digest.update(chunk)
        return digest.hexdigest() == blob.sha256

    def discard_stale(self, older_than: timedelta) -> int:
        """Remove temporary files that no living process can still be writing; return how many."""
        limit = (clock.now() - older_than).timestamp()
        removed = 0
        for path in self.incoming.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed

    def adopt(self, temporary: Path, key: str) -> None:
        """Give a flushed temporary file its final name, durably."""
        final = self._path(FILES, key)
        self._make(final.parent)
        temporary.rename(final)
        _sync_folder(final.parent)

    def append(self, data: Bytes) -> tuple[str, int]:
        """Append to the segment of this process, durably; return its key and the offset.

        Raises:
            StorageFull: There is no room.
        """
        with _room():
            with self._lock:
                if self._segment is None or not self._segment.has_room(len(data)):
                    self._segment = self._begin_segment(len(data))
                segment = self._segment
                offset = segment.reserve(len(data))
            try:
                segment.write(data, offset)
            except OSError:
                # After a failed flush nobody knows what is on the disk: write elsewhere now.
                self._abandon(segment)
                raise
        return segment.key, offset

    def _abandon(self, segment: "_Segment") -> None:
        with self._lock:
            if self._segment is segment:
                self._segment = None

    def _begin_segment(self, needed: int) -> "_Segment":
        key = secrets.token_hex(32)
        path = self._path(SEGMENTS, key)
        self._make(path.parent, locked=True)
        segment = _Segment(path, key, max(SEGMENT_SIZE, needed))
        _sync_folder(path.parent)
        return segment

    @contextmanager
    def _opened(self, blob: Blob) -> Iterator[BinaryIO]:
        try:
            file = self._path(blob.store, blob.key).open("rb")
        except FileNotFoundError as error:
            raise BlobMissing("影像文件缺失，请联系管理员。", key=blob.key) from error
        with file:
            if os.fstat(file.fileno()).st_size < blob.offset + blob.length:
                raise BlobMissing("影像文件不完整，请联系管理员。", key=blob.key)
            yield file

    def _path(self, store: str, key: str) -> Path:
        if store not in (FILES, SEGMENTS) or len(key) < 4 or not HEX.issuperset(key):  # noqa: PLR2004
            raise BlobMissing("影像文件的存储位置无效，请联系管理员。")
        if store == SEGMENTS:
            return self.root / SEGMENTS / key
        return self.root / FILES / key[:2] / key[2:4] / key

    def _make(self, folder: Path, *, locked: bool = False) -> None:
        """Make a folder and every missing one above it, durably."""
        if folder in self._known:
            return
        if not locked:
            with self._lock:
                self._make(folder, locked=True)
            return
        missing = []
        place = folder
        while not place.is_dir():
            missing.append(place)
            place = place.parent
        for made in reversed(missing):
            with _room():
                made.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(made.parent)
        self._known.add(folder)


class _Segment:
    """A file that one process appends to; its space is there before it is needed."""

    def __init__(self, path: Path, key: str, capacity: int) -> None:
        self.key = key
        self._capacity = capacity
        self._end = [0]  # shared with the trimming at the end of the process
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(self._file, 0, capacity)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise
        os.fsync(self._file)
        self._flush = Together[int](self._flush_for_all)
        weakref.finalize(self, _trim, self._file, self._end)

    def has_room(self, length: int) -> bool:
        """Say whether so many bytes still fit."""
        return self._end[0] + length <= self._capacity

    def reserve(self, length: int) -> int:
        """Return where so many bytes may be written; nobody else gets that place."""
        offset = self._end[0]
        # Neighbours never share a page: a flush of one does not rewrite the other.
        self._end[0] = -(-(offset + length) // ALIGNMENT) * ALIGNMENT
        return offset

    def write(self, data: Bytes, offset: int) -> None:
        """Write and return once it is on stable storage."""
        left = memoryview(data)
        while left:
            written = os.pwrite(self._file, left, offset)
            offset += written
            left = left[written:]
        self._flush.act(offset)

    def _flush_for_all(self, _ends: Sequence[int]) -> None:
        os.fdatasync(self._file)


def _trim(file: int, end: list[int]) -> None:
    """Give back the space that a segment did not need, and close it."""
    with suppress(OSError):
        os.ftruncate(file, end[0])
    os.close(file)


@lru_cache(maxsize=4)
def store_at(root: Path) -> BlobStore:
    """Return the store of this process in a folder."""
    return BlobStore(root)


def _chunks(stream: BinaryIO | Iterable[Bytes]) -> Iterator[Bytes]:
    if hasattr(stream, "read"):
        while chunk := stream.read(CHUNK):
            yield chunk
    else:
        yield from stream


def _write_all(file: int, data: Bytes) -> None:
    left = memoryview(data)
    with _room():
        while left:
            left = left[os.write(file, left) :]


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull("存储空间不足，暂不能接收，请稍后重发。") from error
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
