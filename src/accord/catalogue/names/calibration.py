"""Fit and test the confidence table: measured shares, drawn towards the share of all answers."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from accord.catalogue.names import matcher, scoring
from accord.catalogue.names.confidence import BY_POLICY, Table
from accord.catalogue.names.confidence import load as load_table
from accord.catalogue.names.model import Answer
from accord.catalogue.names.scoring import Labelled

FOLDS: Final = 5
WEIGHT: Final = 10
"""A way seen n times counts n against this many answers of the common share."""


@dataclass(frozen=True)
class Folds:
    """Expected calibration error of each fold, and the reliability of all of them together."""

    errors: tuple[float, ...]
    reliability: tuple[tuple[str, int, float, float], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        return {
            "calibration_errors": [round(one, 4) for one in self.errors],
            "reliability": [
                {
                    "confidence": bounds,
                    "answers": count,
                    "mean": round(mean, 4),
                    "right": round(share, 4),
                }
                for bounds, count, mean, share in self.reliability
            ],
        }


def fit(rows: Sequence[Labelled]) -> Table:
    """Return the table of these rows: for each way, the share of strictly right answers."""
    known = matcher.load()
    bare = replace(known, table=Table(0.0, {"other": 1.0}))
    return _table(_seen(rows, bare), load_table())


def _seen(rows: Sequence[Labelled], bare: "matcher.Matcher") -> list[tuple[tuple[str, ...], bool]]:
    found = []
    for row in rows:
        answer = bare.match(row.query)
        found.append((bare.ways(row.query), scoring.is_strictly_right(answer, row.label)))
    return found


def _table(seen: Sequence[tuple[tuple[str, ...], bool]], before: Table) -> Table:
    all_right = sum(right for _, right in seen) / len(seen) if seen else 1.0
    times: Counter[str] = Counter()
    rights: Counter[str] = Counter()
    for ways, right in seen:
        for way in ways:
            times[way] += 1
            rights[way] += right
    shares = {
        way: round((rights[way] + WEIGHT * all_right) / (times[way] + WEIGHT), 3)
        for way in {*times, *before.shares}
    }
    shares |= {way: before.shares[way] for way in BY_POLICY if way in before.shares}
    return Table(before.least, dict(sorted(shares.items())))


def cross_validated(rows: Sequence[Labelled], *, seed: int = 4) -> Folds:
    """Fit on four fifths, measure on the fifth left out, five times."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)  # noqa: S311 - folds, not secrets
    known = matcher.load()
    bare = replace(known, table=Table(0.0, {"other": 1.0}))
    seen = _seen(rows, bare)
    errors = []
    tested: list[tuple[Labelled, Answer]] = []
    for fold in range(FOLDS):
        left_out = set(order[fold::FOLDS])
        table = _table([seen[at] for at in order if at not in left_out], known.table)
        fitted = replace(known, table=table)
        mine = [rows[at] for at in sorted(left_out)]
        answers = [fitted.match(row.query) for row in mine]
        errors.append(scoring.calibration_error(mine, answers))
        tested += zip(mine, answers, strict=True)
    return Folds(
        tuple(errors),
        tuple(scoring.reliability([row for row, _ in tested], [got for _, got in tested])),
    )


def as_yaml(table: Table) -> str:
    """Return the table as its file."""
    head = (
        "# Measured shares of right answers by the way they were reached, written by\n"
        "# `accord names score LABELLED.csv --fit FILE` (docs/reference/names.md).\n"
    )
    content: Mapping[str, Any] = {"least": table.least, "shares": dict(table.shares)}
    return head + yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
