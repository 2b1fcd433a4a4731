"""Whole numbers, intervals, what stands outside a rate."""

from datetime import UTC, datetime, timedelta

import pytest

from accord import standard
from accord.dataquality.rules import figures
from accord.dataquality.rules.figures import Rate
from accord.standard.model import Outcome

RULE_SET = standard.load("2025-draft")
MICROSECOND = timedelta(microseconds=1)
DUE = datetime(2026, 3, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("num", "den", "low", "high"),
    # Wilson (1927), z = 1.96: the values that textbooks print.
    [
        (9, 10, 0.5958, 0.9821),
        (29, 30, 0.8333, 0.9941),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_the_wilson_interval_is_that_of_the_textbook(num, den, low, high):
    assert figures.interval(Rate(num, den), RULE_SET) == pytest.approx((low, high), abs=1e-4)


def test_without_denominator_there_is_no_interval():
    assert figures.interval(Rate(), RULE_SET) is None


def test_data_errors_stay_in_the_denominator_and_unknowns_outside():
    counted = figures.count(
        [
            (Outcome.PASS, None),
            (Outcome.FAIL, "REPORT_LATE"),
            (Outcome.DATA_ERROR, "BEFORE_EXAM_END"),
            (Outcome.NOT_EVALUABLE, "STILL_OPEN"),
            (Outcome.NOT_EVALUABLE, None),
            (Outcome.NOT_APPLICABLE, None),
        ]
    )
    assert counted == Rate(1, 3, open=1, not_evaluable=1, not_applicable=1, data_errors=1)


def test_a_rate_cannot_count_more_than_it_is_a_share_of():
    with pytest.raises(ValueError, match="share"):
        Rate(2, 1)


def test_rates_pool_by_sums():
    pooled = figures.total([Rate(1, 2, open=1), Rate(0, 0, not_applicable=3), Rate(9, 10)])
    assert pooled == Rate(10, 12, open=1, not_applicable=3)


def test_groups_pool_by_sums():
    found = figures.by_group([{"C2": [1, 2], "C1": [3, 3]}, {"C2": [2, 2]}])
    assert list(found.items()) == [("C1", Rate(3, 3)), ("C2", Rate(3, 4))]


@pytest.mark.parametrize(
    ("num", "den", "warned"), [(23, 30, True), (24, 30, False), (0, 29, False)]
)
def test_a_group_warns_below_its_line_and_never_from_too_few(num, den, warned):
    assert figures.warns("7.1.3/group_warning", Rate(num, den), RULE_SET) is warned


@pytest.mark.parametrize(
    ("outcome", "code", "due", "after", "expected"),
    [
        (Outcome.NOT_EVALUABLE, "STILL_OPEN", DUE, timedelta(0), Outcome.FAIL),
        (
            Outcome.NOT_EVALUABLE,
            "STILL_OPEN",
            DUE,
            -timedelta(microseconds=1),
            Outcome.NOT_EVALUABLE,
        ),
        (Outcome.NOT_EVALUABLE, "STILL_OPEN", None, timedelta(0), Outcome.NOT_EVALUABLE),
        (Outcome.NOT_EVALUABLE, None, DUE, timedelta(0), Outcome.NOT_EVALUABLE),
        (Outcome.PASS, None, DUE, timedelta(days=9), Outcome.PASS),
    ],
)
def test_what_was_open_is_a_miss_once_it_is_due(outcome, code, due, after, expected):
    assert figures.settled(outcome, code, due, DUE + after) is expected
