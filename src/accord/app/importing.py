"""Take in files and folders as an institution's upload, in path order, each on its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from accord.archive import reasons, service
from accord.archive.model import Reason, Result, StoreOutcome, Way
from accord.kit import clock
from accord.kit.access import Actor
from accord.kit.blobs import store_at
from accord.kit.db import Database
from accord.kit.errors import Invalid
from accord.kit.settings import Settings
from accord.registry import service as registry


@dataclass(frozen=True)
class Imported:
    """What became of one file."""

    path: Path
    outcome: StoreOutcome

    def as_dict(self) -> dict[str, str | None]:
        """Return plain JSON."""
        return {
            "path": str(self.path),
            "outcome": self.outcome.result.value,
            "code": self.outcome.code.value if self.outcome.code else None,
            "reason": reasons.WORDS[self.outcome.code].english if self.outcome.code else None,
            "sop_uid": self.outcome.sop_uid,
        }


def import_paths(
    settings: Settings,
    database: Database,
    paths: Sequence[Path],
    institution: str | None,
    actor: Actor,
) -> Iterator[Imported]:
    """Take in every file below the paths; what one file is does not stop the next.

    Raises:
        Invalid: A path does not exist, or nobody registered the institution.
        StorageFull: There is no room; what was told before is kept.
    """
    with database.begin() as conn:
        if institution is not None and (
            registry.find_institution(conn, institution, clock.today()) is None
        ):
            raise Invalid(f"No institution is registered under the code {institution}.")
    sender = service.Sender(Way.IMPORT, institution, actor)
    blobs = store_at(settings.objects_dir)
    bounds = service.bounds_of(settings)
    for path in list(files_below(paths)):
        if not path.is_file():
            yield Imported(path, service.refused(Reason.NOT_DICOM))
            continue
        with path.open("rb") as file, database.begin() as conn:
            outcome = service.receive(
                conn, sender, file, blobs=blobs, bounds=bounds, largest=settings.max_object_size
            )
        yield Imported(path, outcome)


def files_below(paths: Sequence[Path]) -> Iterator[Path]:
    """Return every file of the paths, each folder in the order of its paths.

    Raises:
        Invalid: A path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise Invalid(f"There is no file or folder {path}.")
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if not found.is_dir())
        else:
            yield path


def counts(outcomes: Sequence[Imported]) -> dict[str, int]:
    """Count the outcomes, those that did not occur included."""
    found = [imported.outcome.result for imported in outcomes]
    return {result.value: found.count(result) for result in Result}
