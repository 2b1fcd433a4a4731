"""The verified publications that the pages read, looked at again when the folder changes."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import structlog

from accord.disclosure import folder
from accord.disclosure.errors import NoPublication
from accord.disclosure.folder import Verified
from accord.disclosure.model import Change, ItemRight, Publication, PublishedInstitution, compare
from accord.disclosure.signing import PUBLIC_NAME, PublicKey, load_public_key
from accord.kit.errors import AccordError

log = structlog.get_logger(__name__)
# Seconds between two looks at the folder: a published list is seen at once, and a flood of
# requests does not become a flood of file system calls.
LOOK_EVERY: Final = 1.0


@dataclass(frozen=True)
class Day:
    """What one publication says about one day, worked out once."""

    listed: tuple[PublishedInstitution, ...]
    rights: Mapping[str, tuple[ItemRight, ...]]
    institutions_of: Mapping[int, int]


@lru_cache(maxsize=8)
def on_day(publication: "Held", day: date) -> Day:
    """Work out who is entitled to what on a day."""
    content = publication.verified.publication
    listed = content.find(day=day)
    rights = {each.code: content.item_rights(each, day) for each in listed}
    counts: dict[int, int] = {}
    for lines in rights.values():
        for line in lines:
            counts[line.item.no] = counts.get(line.item.no, 0) + 1
    return Day(listed, rights, counts)


@dataclass(frozen=True, eq=False)
class Held:
    """A verified publication with what changed in it; compared by identity, to be a cache key."""

    verified: Verified
    change: Change | None

    @property
    def publication(self) -> Publication:
        """The content."""
        return self.verified.publication


@dataclass(frozen=True)
class Contents:
    """All verified publications, oldest first, and the key that signed them."""

    all: tuple[Held, ...]
    key: PublicKey

    @property
    def current(self) -> Held:
        """The newest one."""
        return self.all[-1]

    def by_number(self, number: int) -> Held | None:
        """Return one of them."""
        return next((held for held in self.all if held.publication.number == number), None)

    def file_by_hash(self, sha256: str) -> tuple[Held, str] | None:
        """Return the publication and name of a file with this hash, newest first."""
        for held in reversed(self.all):
            if sha256 == held.verified.hash:
                return held, folder.MANIFEST
            for name, entry in held.verified.manifest.files.items():
                if entry.sha256 == sha256:
                    return held, name
        return None


class Shelf:
    """Keeps the last verified state; a changed folder is verified before it is believed.

    Args:
        root: The publication folder.
        key: Public key to trust. Unset, the key that lies in the folder at the first look is
            kept for the life of the process: on a host of its own, name one.
    """

    def __init__(self, root: Path, key: Path | None = None) -> None:
        self._root = root
        self._key_path = key or root / PUBLIC_NAME
        self._key: PublicKey | None = None
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._seen: object = None
        self._contents: Contents | None = None
        self._problem: AccordError = NoPublication("尚未发布互认名单。")

    def contents(self) -> Contents:
        """Return what may be shown now.

        Raises:
            Tampered: The folder holds something that was not signed; nothing is shown.
            NoPublication: Nothing is published yet.
            NoKey: There is no key to check with.
        """
        with self._lock:
            moment = time.monotonic()
            if moment - self._looked_at >= LOOK_EVERY:
                self._look()
                self._looked_at = moment
            if self._contents is None:
                raise self._problem
            return self._contents

    def _look(self) -> None:
        try:
            state = folder.state_of(self._root)
            if state and state == self._seen:
                return
            if not state:
                raise NoPublication("尚未发布互认名单。")
            if self._key is None:
                self._key = load_public_key(self._key_path)
            self._contents = Contents(
                _with_changes(folder.verify_all(self._root, self._key)), self._key
            )
        except (AccordError, OSError) as error:
            problem = error if isinstance(error, AccordError) else NoPublication("名单暂不可读。")
            if str(problem) != str(self._problem) or self._contents is not None:
                log.warning("publication refused", code=problem.code, reason=problem.sentence)
            self._problem, self._contents, self._seen = problem, None, None
            return
        self._seen = state
        log.info("publication verified", number=self._contents.current.publication.number)


def _with_changes(found: tuple[Verified, ...]) -> tuple[Held, ...]:
    earlier: tuple[Verified | None, ...] = (None, *found)
    return tuple(
        Held(new, compare(new.publication, old.publication) if old else None)
        for new, old in zip(found, earlier, strict=False)
    )
