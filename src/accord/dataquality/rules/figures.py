"""Figures of an institution: whole numbers, an interval, a verdict only from the least n on.

Nothing is rounded before a verdict (RD-CONV-RATE), and nothing is judged from too few (RD-CONV-N).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction
from math import sqrt
from typing import Any

from accord.dataquality.rules.timeliness import STILL_OPEN
from accord.standard.model import Outcome, RuleSet

LEAST = "conv/least_n"
Z = "conv/wilson_z"
SHOWN = Decimal("0.0001")
EXACT = Context(rounding=ROUND_DOWN)
NOT_PASSED = frozenset({Outcome.FAIL, Outcome.DATA_ERROR})


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in whole numbers, with what stands outside it.

    Args:
        num: Cases, or elements, that passed.
        den: All that were judged; impossible data are among them.
        open: Still within their limit.
        not_evaluable: Could not be measured.
        not_applicable: Are not asked.
        data_errors: Of the judged ones, those whose data are impossible.
    """

    num: int = 0
    den: int = 0
    open: int = 0
    not_evaluable: int = 0
    not_applicable: int = 0
    data_errors: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.num <= self.den:
            raise ValueError("a rate counts at most what it is a share of")

    def __add__(self, other: "Rate") -> "Rate":
        """Pool two rates: sums of what was counted, never a mean of shares."""
        return Rate(
            self.num + other.num,
            self.den + other.den,
            self.open + other.open,
            self.not_evaluable + other.not_evaluable,
            self.not_applicable + other.not_applicable,
            self.data_errors + other.data_errors,
        )


def count(outcomes: Iterable[tuple[Outcome, str | None]]) -> Rate:
    """Count single findings, each with its code, to a rate."""
    num = den = still_open = unknown = outside = impossible = 0
    for outcome, code in outcomes:
        if outcome is Outcome.NOT_APPLICABLE:
            outside += 1
        elif outcome is Outcome.PASS or outcome in NOT_PASSED:
            den += 1
            num += outcome is Outcome.PASS
            impossible += outcome is Outcome.DATA_ERROR
        elif code == STILL_OPEN:
            still_open += 1
        else:
            unknown += 1
    return Rate(num, den, still_open, unknown, outside, impossible)


def settled(outcome: Outcome, code: str | None, due: datetime | None, at: datetime) -> Outcome:
    """Return what a kept finding says at a later moment: open becomes a miss once it is due."""
    if code == STILL_OPEN and due is not None and at >= due:
        return Outcome.FAIL
    return outcome


def interval(rate: Rate, rule_set: RuleSet) -> tuple[float, float] | None:
    """Return the Wilson interval of a rate; none without a denominator."""
    if rate.den == 0:
        return None
    z = float(rule_set.number(Z).value)
    share, square = rate.num / rate.den, z * z / rate.den
    half = square / (1 + 1)
    middle = share + half
    spread = sqrt(square * share * (1 - share) + half * half)
    low, high = (middle - spread) / (1 + square), (middle + spread) / (1 + square)
    # Floating point may miss the exact ends by its last digit.
    return (0.0 if rate.num == 0 else low, 1.0 if rate.num == rate.den else high)


def verdict(key: str, rate: Rate, rule_set: RuleSet) -> Outcome:
    """Judge a rate by a number of the text: no denominator, too few, met or not met."""
    if rate.den == 0:
        return Outcome.NOT_EVALUABLE
    if not rule_set.number(LEAST).is_met_by(rate.den):
        return Outcome.NO_VERDICT
    met = rule_set.number(key).is_met_by(Fraction(rate.num, rate.den))
    return Outcome.PASS if met else Outcome.FAIL


def warns(key: str, rate: Rate, rule_set: RuleSet) -> bool:
    """Say whether a group's rate lies below its warning line; too few never warn."""
    return verdict(key, rate, rule_set) is Outcome.FAIL


def shown(rate: Rate) -> str | None:
    """Return the share as people read it, cut off after two digits, never rounded up."""
    if rate.den == 0:
        return None
    share = EXACT.divide(Decimal(rate.num), Decimal(rate.den))
    return f"{share.quantize(SHOWN, rounding=ROUND_DOWN):%}"


def figure(clause: str, key: str, rate: Rate, rule_set: RuleSet) -> dict[str, Any]:
    """Return a published figure: counts, share, interval, limit and verdict together."""
    number = rule_set.number(key)
    bounds = interval(rate, rule_set)
    return {
        "clause": clause,
        "num": rate.num,
        "den": rate.den,
        "shown": shown(rate),
        "interval": None if bounds is None else list(bounds),
        "limit": {"number": key, "operator": number.operator, "value": str(number.value)},
        "outcome": verdict(key, rate, rule_set).value,
        "open": rate.open,
        "not_evaluable": rate.not_evaluable,
        "not_applicable": rate.not_applicable,
        "data_errors": rate.data_errors,
    }


def total(rates: Iterable[Rate]) -> Rate:
    """Return the pooled rate of several."""
    return sum(rates, Rate())


def by_group(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Rate]:
    """Return for each group the sum of what single studies counted, as `[num, den]`."""
    found: dict[str, Rate] = {}
    for groups in pairs:
        for name, (num, den) in groups.items():
            found[name] = found.get(name, Rate()) + Rate(num, den)
    return dict(sorted(found.items()))
