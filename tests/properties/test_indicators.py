"""What holds of any moments: a later report never helps, an earlier sign never harms."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from accord import standard
from accord.dataquality.model import Arrival, Clocks, Life, ReportState, ReportStep
from accord.dataquality.rules import TIMED, figures, is_continuous
from accord.dataquality.rules.figures import Rate
from accord.dataquality.rules.timeliness import REPORTING, UPLOAD
from accord.standard.model import Effect, Outcome

RULE_SET = standard.load("2025-draft")
END = datetime(2026, 3, 15, 0, 0, tzinfo=UTC)
DELAYS = st.timedeltas(timedelta(0), timedelta(days=4))
LIMITED = (*REPORTING, UPLOAD)
GOOD = {Outcome.PASS, Outcome.NOT_APPLICABLE}


@st.composite
def cases(draw):
    at = END + draw(DELAYS)
    step = ReportStep(
        state=draw(st.sampled_from([ReportState.EMERGENCY, ReportState.FINAL])),
        licensed=draw(st.sampled_from([True, False, None])),
        verified_at=draw(st.sampled_from([at, None])),
        released_at=at,
        readable_at=at,
    )
    return Clocks(
        now=END + timedelta(days=10),
        modality=draw(st.sampled_from(["DR", "CT", "MR", None])),
        emergency=draw(st.sampled_from([True, False, None])),
        special=draw(st.booleans()),
        difficult_since=draw(st.none() | DELAYS.map(lambda delay: END + delay)),
        exam_end=END,
        ordered_at=END - timedelta(hours=1),
        exam_start=END - timedelta(minutes=5),
        arrivals=(Arrival(at=END + draw(DELAYS)),),
        reports=(step,),
    )


def answers(clocks):
    return {finding.rule: finding for finding in (ask(clocks, RULE_SET) for ask in TIMED)}


def later(moment, by):
    return None if moment is None else moment + by


@settings(max_examples=150, deadline=None)
@given(cases(), DELAYS)
def test_a_later_report_or_upload_never_turns_a_miss_into_a_pass(clocks, by):
    (step,) = clocks.reports
    slower = replace(
        clocks,
        reports=(
            replace(
                step,
                verified_at=later(step.verified_at, by),
                released_at=later(step.released_at, by),
            ),
        ),
        arrivals=tuple(replace(one, at=one.at + by) for one in clocks.arrivals),
    )
    before, after = answers(clocks), answers(slower)
    for rule in LIMITED:
        if before[rule].outcome is Outcome.FAIL:
            assert after[rule].outcome is Outcome.FAIL


@settings(max_examples=100, deadline=None)
@given(cases(), DELAYS)
def test_a_further_version_never_turns_a_pass_into_a_miss(clocks, by):
    (step,) = clocks.reports
    amended = replace(
        step,
        state=ReportState.AMENDED,
        verified_at=later(step.verified_at, by),
        released_at=later(step.released_at, by),
    )
    before = answers(clocks)
    after = answers(replace(clocks, reports=(step, amended)))
    for rule in LIMITED:
        if before[rule].outcome in GOOD:
            assert after[rule].outcome is before[rule].outcome


@settings(max_examples=100, deadline=None)
@given(cases())
def test_exactly_one_class_is_judged_once_the_order_is_known(clocks):
    found = answers(clocks)
    judged = [rule for rule in REPORTING if found[rule].outcome is not Outcome.NOT_APPLICABLE]
    if clocks.modality is not None and clocks.emergency is not None:
        assert len(judged) <= 1
    assert {one.effect for one in found.values()} <= {None, Effect.SOURCE, Effect.NOTE}


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.timedeltas(timedelta(0), timedelta(days=5)), max_size=8),
    st.timedeltas(timedelta(0), timedelta(days=5)),
)
def test_one_more_sign_of_life_never_breaks_continuity(moments, more):
    life = Life(
        since=END,
        until=END + timedelta(days=5),
        heartbeats=tuple(END + moment for moment in moments),
    )
    livelier = replace(life, heartbeats=(*life.heartbeats, END + more))
    if is_continuous(life, RULE_SET).outcome is Outcome.PASS:
        assert is_continuous(livelier, RULE_SET).outcome is Outcome.PASS


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 10**7), st.data())
def test_an_interval_holds_its_rate_and_lies_between_none_and_all(den, data):
    num = data.draw(st.integers(0, den))
    low, high = figures.interval(Rate(num, den), RULE_SET)
    assert 0 <= low <= num / den + 1e-12
    assert num / den - 1e-12 <= high <= 1


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 10**9), st.data())
def test_what_is_shown_never_exceeds_the_rate(den, data):
    num = data.draw(st.integers(0, den))
    shown = figures.shown(Rate(num, den))
    hundredths = int(shown.removesuffix("%").replace(".", ""))
    assert hundredths * den <= num * 10_000 < (hundredths + 1) * den
