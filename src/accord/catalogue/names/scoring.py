"""Score answers against labelled names: strict, lenient, dangerous errors by class.

Strict: the kind is the labelled one, and so are the item or the covered items. Lenient accepts
the answers that the label calls defensible (`alt=`), and `ambiguous` where plain was assumed.
Dangerous is what would make a physician look at the wrong examination; higher is worse, the bar
is 0.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accord.catalogue.model import Catalogue, Contrast, Item
from accord.catalogue.names.model import Answer, Kind, Query

DANGERS = (
    "wrong_side",
    "plain_for_enhanced",
    "enhanced_for_plain",
    "wrong_part",
    "item_for_ambiguous",
    "item_for_out_of_catalogue",
)
GIVEN = frozenset({Kind.ITEM, Kind.MULTIPLE})


@dataclass(frozen=True, slots=True)
class Label:
    """What is right for a name.

    Attributes:
        kind: The right kind.
        items: The item, the candidates, or the items covered.
        other_kinds: Kinds that are defensible too.
        other_items: Sets of items that are defensible too.
    """

    kind: Kind
    items: frozenset[int]
    other_kinds: frozenset[Kind] = frozenset()
    other_items: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True, slots=True)
class Labelled:
    """A row of a labelled list."""

    row: int
    query: Query
    label: Label


def read_label(number: str, kind: str, note: str) -> Label:
    """Return the label of the columns `expected_no`, `expected_kind` and `note`."""
    words = [word.strip() for word in note.split(";") if word.strip()]
    items = {int(number)} if number.strip() else set()
    other_kinds: set[Kind] = set()
    other_items: list[frozenset[int]] = []
    for word in words:
        if word.startswith("alt="):
            for one in word.removeprefix("alt=").split(","):
                if one in set(Kind):
                    other_kinds.add(Kind(one))
                else:
                    other_items.append(frozenset(int(no) for no in one.split("|")))
        elif word.replace("|", "").isdigit():
            items |= {int(no) for no in word.split("|")}
        elif word == "assume_plain":
            other_kinds.add(Kind.AMBIGUOUS)
    return Label(Kind(kind), frozenset(items), frozenset(other_kinds), tuple(other_items))


def is_strictly_right(answer: Answer, label: Label) -> bool:
    """Say whether kind and items are the labelled ones; candidates are not compared."""
    if answer.kind is not label.kind:
        return False
    return answer.kind not in GIVEN or frozenset(answer.items) == label.items


def is_defensible(answer: Answer, label: Label) -> bool:
    """Say whether the answer is right, or one that the label calls defensible too."""
    if is_strictly_right(answer, label) or answer.kind in label.other_kinds:
        return True
    return answer.kind in GIVEN and frozenset(answer.items) in label.other_items


def dangers(answer: Answer, label: Label, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the dangerous errors of an answer that is not defensible."""
    if answer.kind not in GIVEN or is_defensible(answer, label):
        return ()
    if label.kind is Kind.AMBIGUOUS:
        return ("item_for_ambiguous",)
    if label.kind in {Kind.OUT_OF_CATALOGUE, Kind.NOT_AN_EXAM}:
        return ("item_for_out_of_catalogue",)
    allowed = label.items.union(*label.other_items)
    wrong = [item for no in answer.items if no not in allowed and (item := catalogue.by_no(no))]
    right = [item for no in allowed if (item := catalogue.by_no(no))]
    return tuple(dict.fromkeys(one for item in wrong for one in _danger(item, right)))


def _danger(item: Item, right: Sequence[Item]) -> Iterable[str]:
    same_part = [one for one in right if one.anatomy == item.anatomy]
    if not same_part:
        yield "wrong_part"
        return
    if all(one.laterality != item.laterality for one in same_part):
        yield "wrong_side"
    if all(one.contrast != item.contrast for one in same_part):
        plain = item.contrast is Contrast.PLAIN
        yield "plain_for_enhanced" if plain else "enhanced_for_plain"


@dataclass(frozen=True)
class Score:
    """Figures of a scored list; rates are of all rows, precision of the given numbers."""

    rows: int
    strict: int
    lenient: int
    by_kind: Mapping[str, tuple[int, int]]
    dangerous: Mapping[str, int]
    given: int
    given_right: int
    candidates: int
    candidates_right: int
    calibration_error: float
    wrong: tuple[int, ...]

    @property
    def strict_rate(self) -> float:
        """Return the share of strictly right rows."""
        return self.strict / self.rows if self.rows else 0.0

    @property
    def lenient_rate(self) -> float:
        """Return the share of defensible rows."""
        return self.lenient / self.rows if self.rows else 0.0

    @property
    def precision(self) -> float:
        """Return the share of given numbers that are right or defensible."""
        return self.given_right / self.given if self.given else 1.0

    def as_dict(self) -> dict[str, object]:
        """Return the figures as JSON."""
        return {
            "rows": self.rows,
            "strict": round(self.strict_rate, 4),
            "lenient": round(self.lenient_rate, 4),
            "by_kind": {kind: {"right": r, "rows": n} for kind, (r, n) in self.by_kind.items()},
            "dangerous": dict(self.dangerous),
            "dangerous_all": sum(self.dangerous.values()),
            "given": self.given,
            "precision": round(self.precision, 4),
            "candidates": {"rows": self.candidates, "right": self.candidates_right},
            "calibration_error": round(self.calibration_error, 4),
            "wrong_rows": list(self.wrong),
        }


def score(rows: Sequence[Labelled], answers: Sequence[Answer], catalogue: Catalogue) -> Score:
    """Compare answers with labels, row by row."""
    kinds: Counter[str] = Counter()
    right_kinds: Counter[str] = Counter()
    found: Counter[str] = Counter(dict.fromkeys(DANGERS, 0))
    strict = lenient = given = given_right = candidates = candidates_right = 0
    wrong = []
    for row, answer in zip(rows, answers, strict=True):
        is_right = is_strictly_right(answer, row.label)
        defensible = is_defensible(answer, row.label)
        kinds[row.label.kind.value] += 1
        right_kinds[row.label.kind.value] += is_right
        strict += is_right
        lenient += defensible
        found.update(dangers(answer, row.label, catalogue))
        if answer.kind is Kind.ITEM:
            given += 1
            given_right += defensible
        if answer.kind is Kind.AMBIGUOUS and is_right and row.label.items:
            candidates += 1
            candidates_right += row.label.items <= frozenset(answer.items)
        if not is_right:
            wrong.append(row.row)
    return Score(
        rows=len(rows),
        strict=strict,
        lenient=lenient,
        by_kind={kind: (right_kinds[kind], kinds[kind]) for kind in sorted(kinds)},
        dangerous=dict(found),
        given=given,
        given_right=given_right,
        candidates=candidates,
        candidates_right=candidates_right,
        calibration_error=calibration_error(rows, answers),
        wrong=tuple(wrong),
    )


def calibration_error(rows: Sequence[Labelled], answers: Sequence[Answer], bins: int = 10) -> float:
    """Return the expected calibration error: mean |confidence - share right| over equal bins."""
    total = 0.0
    for _, count, mean, share in reliability(rows, answers, bins):
        total += count * abs(mean - share)
    return total / len(rows) if rows else 0.0


def reliability(
    rows: Sequence[Labelled], answers: Sequence[Answer], bins: int = 10
) -> list[tuple[str, int, float, float]]:
    """Return, for each filled bin, its bounds, rows, mean confidence and share of right answers."""
    filled: dict[int, list[tuple[float, bool]]] = {}
    for row, answer in zip(rows, answers, strict=True):
        place = min(int(answer.confidence * bins), bins - 1)
        right = is_strictly_right(answer, row.label)
        filled.setdefault(place, []).append((answer.confidence, right))
    return [
        (
            f"{place / bins:.2f}–{(place + 1) / bins:.2f}",
            len(values),
            sum(value for value, _ in values) / len(values),
            sum(right for _, right in values) / len(values),
        )
        for place, values in sorted(filled.items())
    ]


BARS = {"strict": 0.97, "lenient": 0.99, "precision": 0.995}
HELD_OUT_BAR = 0.90
CALIBRATION_BAR = 0.05


def missed_bars(found: Score, figures: Mapping[str, object]) -> list[str]:
    """Return the bars that a score misses, in words."""
    values = {
        "strict": found.strict_rate,
        "lenient": found.lenient_rate,
        "precision": found.precision,
    }
    missed = [
        f"{name} {values[name]:.4f} < {bar}" for name, bar in BARS.items() if values[name] < bar
    ]
    missed += [f"dangerous {name}: {count}" for name, count in found.dangerous.items() if count]
    folds = figures.get("folds")
    if isinstance(folds, dict) and max(folds["calibration_errors"], default=0) > CALIBRATION_BAR:
        missed.append(f"calibration error > {CALIBRATION_BAR}")
    held_out = figures.get("held_out")
    if isinstance(held_out, dict):
        without = held_out["without_grown"]
        if without["strict"] < HELD_OUT_BAR:
            missed.append(f"held out strict {without['strict']} < {HELD_OUT_BAR}")
        missed += [
            f"held out dangerous, {way.replace('_', ' ')}: {one['dangerous']}"
            for way, one in held_out.items()
            if one["dangerous"]
        ]
    return missed
