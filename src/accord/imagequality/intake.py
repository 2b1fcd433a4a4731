"""Read the headers of DICOM files into studies, with the archive's bounded reader.

Pixels are never read or decoded; a file that is none of ours is told with its reason and does not
stop the next one.
"""

import mmap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from accord.archive import reasons
from accord.archive.examine import Bounds, Examined, Refusal, examine_file
from accord.archive.header import Limits as HeaderLimits
from accord.archive.model import Reason
from accord.imagequality.headers import picture_of
from accord.imagequality.model import Picture, Series, Study, Terms
from accord.kit.errors import Invalid

DAMAGED: Final = (Reason.TRUNCATED, Reason.PIXELS_INCOMPLETE)
LOSSLESS: Final = "pass"
MILLISECONDS: Final = 1000
MOST_INFLATED: Final = 256 * 1024 * 1024
MOST_ELEMENTS: Final = 2_000_000  # a multi-frame object of 4,000 frames keeps groups for each
MOST_HEADER: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class Unread:
    """A file that gave no object, and why."""

    path: Path
    reason: Reason

    def as_dict(self) -> dict[str, str]:
        """Return plain JSON."""
        words = reasons.WORDS[self.reason]
        return {
            "path": str(self.path),
            "code": self.reason.value,
            "reason": words.english,
            "reason_zh": words.chinese,
        }


@dataclass(frozen=True)
class Read:
    """What the files held.

    Args:
        studies: Studies with a UID.
        unread: Files that gave no object of a study.
        ms: Milliseconds that reading the headers of each study took.
    """

    studies: tuple[Study, ...]
    unread: tuple[Unread, ...]
    ms: Mapping[str, float]


class _Memory:
    """Keeps an inflated data set in memory; its size is bounded by the examination."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes, /) -> int:
        """Append."""
        self._bytes += data
        return len(data)

    @contextmanager
    def mapped(self) -> Iterator[memoryview]:
        """Show what was written so far."""
        yield memoryview(bytes(self._bytes))


def files_below(paths: Iterable[Path]) -> Iterator[Path]:
    """Return every file of the paths, each folder in the order of its paths.

    Raises:
        Invalid: A path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise Invalid(f"There is no file or folder {path}.")
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        else:
            yield path


def read(paths: Iterable[Path], terms: Terms) -> Read:
    """Return the studies that the files below the paths hold, series by series."""
    pictures: list[Picture] = []
    unread: list[Unread] = []
    ms: defaultdict[str, float] = defaultdict(float)
    for path in files_below(paths):
        began = monotonic()
        told = _read_file(path, terms)
        if isinstance(told, Picture):
            pictures.append(told)
            ms[told.study_uid] += (monotonic() - began) * MILLISECONDS
        else:
            unread.append(Unread(path, told))
    return Read(studies_of(pictures), tuple(unread), ms)


def studies_of(pictures: Iterable[Picture]) -> tuple[Study, ...]:
    """Return the objects by study and series, in the order they came."""
    found: dict[str, dict[str, dict[str, Picture]]] = defaultdict(lambda: defaultdict(dict))
    for one in pictures:
        found[one.study_uid][one.series_uid].setdefault(f"{one.sop_uid} {one.syntax}", one)
    return tuple(
        Study(
            uid,
            tuple(Series(name, tuple(objects.values())) for name, objects in series.items()),
        )
        for uid, series in found.items()
    )


def _read_file(path: Path, terms: Terms) -> Picture | Reason:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return Reason.NOT_DICOM
        with (
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as data,
        ):
            return read_object(data, terms)


def read_object(data: memoryview, terms: Terms) -> Picture | Reason:
    """Return what the header of one DICOM file says, or why it gives no object of a study."""
    found = examine_file(data, _bounds(terms), _scratch)
    if isinstance(found, Refusal):
        return found.reason
    if found.study_uid is None or found.series_uid is None:
        return Reason.NO_STUDY_UID
    return picture_of(
        found.header.elements,
        syntax=found.head.syntax,
        has_pixels=found.header.pixels is not None,
        words=terms.words,
        bits_least=terms.limit("bits_acquired_least"),
        damage=_damage(found),
    )


def _bounds(terms: Terms) -> Bounds:
    rows = terms.rule_set.table("7.1/transfer_syntaxes").rows
    return Bounds(
        lossless=frozenset(row["uid"] for row in rows if row["outcome"] == LOSSLESS),
        header=HeaderLimits(elements=MOST_ELEMENTS, size=MOST_HEADER),
        inflated=MOST_INFLATED,
    )


def _damage(found: Examined) -> str | None:
    return found.aside.value if found.aside in DAMAGED else None


def _scratch() -> AbstractContextManager[_Memory]:
    return _entered(_Memory())


@contextmanager
def _entered(memory: _Memory) -> Iterator[_Memory]:
    yield memory
