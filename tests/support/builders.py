"""Synthetic studies for tests: the demo's phantoms, small, with at most one planted defect."""

from typing import Any

from pydicom.dataset import Dataset

from accord.app.demo import phantoms
from accord.app.demo.phantoms import Planted, encoded

__all__ = ["encoded", "make_study"]

SMALL = 64
DEFECTS = frozenset(vars(Planted()))


def make_study(
    *,
    modality: str = "CT",
    body: str = "chest",
    slices: int = 4,
    matrix: int | None = None,
    **what: Any,
) -> list[Dataset]:
    """Return the objects of one small examination.

    Fields of `phantoms.Exam` go by name, and so do those of `Planted`: `gap_at=7` leaves out
    the seventh slice. Films keep their own size unless told.
    """
    defect = {name: what.pop(name) for name in DEFECTS & what.keys()}
    return phantoms.make_study(
        modality=modality,
        body=body,
        slices=slices,
        matrix=(0 if modality == "DR" else SMALL) if matrix is None else matrix,
        planted=Planted(**defect),
        **what,
    )
