"""Score on name families that the lexicon has not grown from.

A family is a modality with a wording of the part. Each split holds a fifth of the families out
and scores them twice: without the words that were added because of labelled names (`grown`) and
that only held-out names use; and, harder, without *any* word that only held-out names use, as if
the lexicon's writer had never heard of it. Beside the splits, every single word is taken away by
itself and the names that use it are asked again: what stays of 胸骨 without its word must not
become 胸. Words printed in the catalogue stay. Dangerous errors are 0 in all three.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from accord.catalogue.names import matcher, scoring
from accord.catalogue.names.scoring import Labelled, Score

SPLITS: Final = 5
PARTS: Final = 5


@dataclass(frozen=True)
class HeldOut:
    """Scores of every split without the grown words and without all words of its own.

    `without_each` has the names that became dangerous when the one word was taken away.
    """

    without_grown: tuple[Score, ...]
    without_any: tuple[Score, ...]
    dropped: tuple[int, ...]
    words_tried: int = 0
    without_each: tuple[tuple[str, int], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {
            "without_grown": _summary(self.without_grown),
            "without_any": _summary(self.without_any) | {"words_dropped": list(self.dropped)},
            "without_each": {
                "words": self.words_tried,
                "dangerous": len(self.without_each),
                "rows": [{"word": word, "row": row} for word, row in self.without_each],
            },
        }

    @property
    def strict(self) -> float:
        """Return the mean strict rate without the grown words."""
        return sum(one.strict_rate for one in self.without_grown) / len(self.without_grown)

    @property
    def dangerous(self) -> int:
        """Return the dangerous errors of all splits without the grown words."""
        return sum(sum(one.dangerous.values()) for one in self.without_grown)


def _summary(scores: Sequence[Score]) -> dict[str, Any]:
    return {
        "strict": round(sum(one.strict_rate for one in scores) / len(scores), 4),
        "lenient": round(sum(one.lenient_rate for one in scores) / len(scores), 4),
        "dangerous": sum(sum(one.dangerous.values()) for one in scores),
        "splits": [
            {
                "rows": one.rows,
                "strict": round(one.strict_rate, 4),
                "lenient": round(one.lenient_rate, 4),
            }
            for one in scores
        ],
    }


def check(rows: Sequence[Labelled], *, splits: int = SPLITS) -> HeldOut:
    """Score every split; the seed of a split is its number."""
    known = matcher.load()
    words = [known.words_of(row.query) for row in rows]
    families = [_family(row, known) for row in rows]
    printed = {word for item in known.catalogue.items for word in known.words_of_text(item.name)}
    grown = {term.key for term in known.lexicon.terms() if term.grown}
    without_grown, without_any, dropped = [], [], []
    for seed in range(splits):
        held = _held(families, seed)
        kept_words = set().union(
            *(found for found, family in zip(words, families, strict=True) if family not in held)
        )
        own = set().union(
            *(found for found, family in zip(words, families, strict=True) if family in held)
        )
        own -= kept_words | printed
        mine = [row for row, family in zip(rows, families, strict=True) if family in held]
        without_grown.append(_score(mine, known, own & grown))
        without_any.append(_score(mine, known, own))
        dropped.append(len(own))
    tried, dangerous = _each(rows, words, known, printed)
    return HeldOut(
        tuple(without_grown), tuple(without_any), tuple(dropped), tried, tuple(dangerous)
    )


def _each(
    rows: Sequence[Labelled],
    words: Sequence[frozenset[str]],
    known: "matcher.Matcher",
    printed: Collection[str],
) -> tuple[int, list[tuple[str, int]]]:
    """Take away one word at a time; return how many, and (word, row) of each dangerous answer."""
    keys = {term.key for term in known.lexicon.terms()} - set(printed)
    users: dict[str, list[Labelled]] = {}
    for row, used in zip(rows, words, strict=True):
        for word in used & keys:
            users.setdefault(word, []).append(row)
    dangerous = []
    for word, mine in sorted(users.items()):
        lacking = replace(known, lexicon=known.lexicon.without({word}))
        dangerous += [
            (word, row.row)
            for row in mine
            if scoring.dangers(lacking.match(row.query), row.label, known.catalogue)
        ]
    return len(users), dangerous


def _held(families: Sequence[tuple[str, ...]], seed: int) -> set[tuple[str, ...]]:
    distinct = sorted(set(families))
    random.Random(seed).shuffle(distinct)  # noqa: S311 - splits, not secrets
    return set(distinct[: max(1, len(distinct) // PARTS)])


def _family(row: Labelled, known: "matcher.Matcher") -> tuple[str, ...]:
    return (row.query.modality, *sorted(known.part_words_of(row.query)))


def _score(rows: Sequence[Labelled], known: "matcher.Matcher", dropped: set[str]) -> Score:
    lexicon = known.lexicon.without(dropped) if dropped else known.lexicon
    changed = replace(known, lexicon=lexicon)
    return scoring.score(rows, [changed.match(row.query) for row in rows], known.catalogue)
