"""A local name on its way from dictionary to approved alias, and how proposals are grouped."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from accord.catalogue.names.model import Kind


class State(StrEnum):
    """How far a local name has come."""

    PROPOSED = "proposed"
    APPROVED = "approved"  # by the department; without effect until confirmed
    CONFIRMED = "confirmed"  # by the QC centre; from now on it wins over the parser
    REJECTED = "rejected"


SAFEST_FIRST: Final = (
    Kind.ITEM,
    Kind.NOT_AN_EXAM,
    Kind.OUT_OF_CATALOGUE,
    Kind.MULTIPLE,
    Kind.AMBIGUOUS,
)


@dataclass(frozen=True)
class LocalName:
    """One name of an institution's dictionary.

    Attributes:
        institution: Whose name it is.
        name: Folded, as aliases are looked up.
        written: As the institution writes it.
        code: The institution's own code.
        technique_code: Code of WS/T 364.8, if known.
        count: How often it was used, as the institution states.
        query: Name and fields that were matched.
        answer: The matcher's answer, as JSON.
        lexicon: Fingerprint of the lexicon that gave it.
        state: How far it has come.
        item: The item chosen by the department; none for a name outside the catalogue.
        reason: Why it was rejected.
    """

    institution: str
    name: str
    written: str
    code: str | None
    technique_code: str | None
    count: int
    query: Mapping[str, Any]
    answer: Mapping[str, Any]
    lexicon: str
    state: State
    item: int | None
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    reason: str | None = None

    @property
    def kind(self) -> Kind:
        """Return the kind of the matcher's answer."""
        return Kind(self.answer["kind"])

    @property
    def items(self) -> tuple[int, ...]:
        """Return the items of the matcher's answer."""
        return tuple(self.answer["items"])

    @property
    def confidence(self) -> float:
        """Return the confidence of the matcher's answer."""
        return float(self.answer["confidence"])


@dataclass(frozen=True)
class ProposalGroup:
    """Names with the same answer, to be approved together."""

    kind: Kind
    items: tuple[int, ...]
    confidence: float
    count: int
    names: tuple[LocalName, ...]


def grouped(names: Iterable[LocalName]) -> list[ProposalGroup]:
    """Group proposals by answer, the safest group first; inside a group the most used first."""
    groups: dict[tuple[Kind, tuple[int, ...], tuple[str, ...]], list[LocalName]] = {}
    for name in names:
        key = (name.kind, name.items, tuple(name.answer.get("assumptions", ())))
        groups.setdefault(key, []).append(name)
    found = [
        ProposalGroup(
            kind,
            items,
            min(one.confidence for one in members),
            sum(one.count for one in members),
            tuple(sorted(members, key=lambda one: (-one.count, one.name))),
        )
        for (kind, items, _), members in groups.items()
    ]
    return sorted(
        found,
        key=lambda group: (
            SAFEST_FIRST.index(group.kind),
            -group.confidence,
            -group.count,
            group.items,
        ),
    )
