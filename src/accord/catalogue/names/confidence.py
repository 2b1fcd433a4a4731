"""How sure an answer is: the measured share of right answers among those reached the same way.

The table is a file, fitted on labelled names by `accord names score --fit`; nothing here is tuned
by hand but the order in which ways are looked up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

import yaml

from accord.catalogue.names.model import Kind
from accord.catalogue.names.outcome import Outcome
from accord.catalogue.names.voting import Evidence

BY_POLICY: Final = frozenset({"unread words", "one unread word", "too long", "other"})
"""Ways that are unsure by decision: a word nobody knows may be what makes another examination."""


@dataclass(frozen=True)
class Table:
    """Measured shares by way; `least` is the bar under which an answer with items is ambiguous."""

    least: float
    shares: Mapping[str, float]

    def is_unsure(self, kind: Kind, features: tuple[str, ...]) -> bool:
        """Say whether an answer with numbers must become ambiguous.

        An item by every way it was reached; several items only by the ways that are unsure by
        decision, for what they leave open (a further scan) is part of the answer.
        """
        if kind is Kind.MULTIPLE:
            features = tuple(one for one in features if one in BY_POLICY)
        elif kind is not Kind.ITEM:
            return False
        return bool(features) and self.of(features) < self.least

    def of(self, features: tuple[str, ...]) -> float:
        """Return the lowest share of the ways an answer was reached by."""
        return min(self.shares.get(one, self.shares["other"]) for one in features)


@lru_cache(maxsize=1)
def load() -> Table:
    """Return the table of the package."""
    text = (files("accord.catalogue.names") / "lexicon" / "confidence.yaml").read_text("utf-8")
    content = yaml.safe_load(text)
    return Table(content["least"], content["shares"])


def features(evidence: Evidence, outcome: Outcome) -> tuple[str, ...]:
    """Return the ways by which an answer was reached."""
    found = []
    if evidence.unread:
        found.append("unread words" if len(evidence.unread) > 1 else "one unread word")
    if evidence.guessed:
        found.append("mistyped")
    if outcome.kind is Kind.ITEM or outcome.kind is Kind.MULTIPLE:
        found.append(f"{outcome.kind.value} from {'name' if evidence.has_name else 'fields'}")
        found += [f"assumed {one}" for one in outcome.assumptions]
        found += list(outcome.more)
    else:
        found.append(outcome.kind.value)
    return tuple(found)
