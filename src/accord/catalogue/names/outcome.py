"""What one part of a name, or the whole of it, comes to."""

from dataclasses import dataclass, replace
from typing import Final

from accord.catalogue.names.model import Kind

PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one group, or the whole name, comes to."""

    kind: Kind
    items: tuple[int, ...] = ()
    because: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    part: str | None = None


def out(part: str, why: str) -> Outcome:
    """Return a real examination that the catalogue does not list."""
    return Outcome(Kind.OUT_OF_CATALOGUE, because=(why,), part=part)


def ambiguous(part: str, items: tuple[int, ...], *why: str) -> Outcome:
    """Return candidates, and why it cannot be told which."""
    return Outcome(Kind.AMBIGUOUS, items, why, part=part)


def with_extra_views(outcome: Outcome) -> Outcome:
    """Return items as part of an order that holds more views than they."""
    if outcome.kind not in {Kind.ITEM, Kind.MULTIPLE}:
        return outcome
    return replace(
        outcome,
        kind=Kind.MULTIPLE,
        because=(*outcome.because, "多于项目的体位"),
        more=("extra_views",),
    )
