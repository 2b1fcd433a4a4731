"""Judge the studies in files: read headers, ask every check, no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accord import catalogue
from accord.imagequality import files, intake
from accord.imagequality.intake import Unread
from accord.imagequality.model import Asked, Order
from accord.imagequality.runner import Judged, judge
from accord.kit.errors import Invalid


@dataclass(frozen=True)
class Checked:
    """What was found in the files."""

    studies: tuple[Judged, ...]
    unread: tuple[Unread, ...]

    @property
    def is_fulfilled(self) -> bool:
        """Whether there was a study and no check found a defect."""
        return bool(self.studies) and not any(one.has_failed for one in self.studies)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "studies": {one.study_uid: one.as_dict() for one in self.studies},
            "unread": [one.as_dict() for one in self.unread],
        }


def check_files(
    paths: Iterable[Path],
    *,
    item: int | None = None,
    order: Order | None = None,
    version: str = "2025-draft",
) -> Checked:
    """Return what the checks find in files and folders.

    Args:
        paths: Files and folders of DICOM.
        item: 序号 of the item that was ordered; what depends on it is not asked without.
        order: What is known of the order and of the technologist's record.
        version: Version of the standard.

    Raises:
        Invalid: A path does not exist, or there is no such item.
    """
    known = catalogue.load(version)
    wanted = known.by_no(item) if item is not None else None
    if item is not None and wanted is None:
        raise Invalid(f"The catalogue has no item {item}.")
    terms = files.terms(version)
    read = intake.read(paths, terms)
    asked = Asked(wanted, order)
    judged = (judge(one, asked, terms, known, read_ms=read.ms[one.uid]) for one in read.studies)
    return Checked(tuple(judged), read.unread)
