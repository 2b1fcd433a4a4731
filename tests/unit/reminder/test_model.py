"""Day counts, and which decision of an item stands."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from accord.reminder.model import (
    Decision,
    GivenGround,
    ItemState,
    Look,
    Looked,
    Outcome,
    count_days,
)
from unit.reminder.builders import AT, ITEM, make_item, make_prior


def make_decision(outcome, **changes):
    given = {
        "id": uuid4(),
        "item": ITEM,
        "examination": 7,
        "outcome": outcome,
        "physician": "dr",
        "physician_name": "王医生",
        "institution": "CQ-H1",
        "at": AT,
    }
    return Decision(**{**given, **changes})


def count(exam, order, last_day):
    return count_days(exam, order, last_day=last_day, months=1, limit_days=30)


def test_one_count_is_shown_where_both_agree():
    counted = count(date(2026, 3, 3), date(2026, 3, 15), date(2026, 4, 3))
    assert counted.words == "12 天前"
    assert not counted.differs


def test_both_counts_are_shown_where_thirty_days_are_over_and_the_month_is_not():
    counted = count(date(2026, 3, 15), date(2026, 4, 15), date(2026, 4, 15))
    assert counted.differs
    assert counted.words == ("31 天前（按自然月计未超过 1 个月；按 30 天计已超过，以自然月为准）")


def test_both_counts_are_shown_where_the_month_is_over_and_thirty_days_are_not():
    counted = count(date(2026, 2, 15), date(2026, 3, 17), date(2026, 3, 15))
    assert counted.differs
    assert "按自然月计已超过 1 个月；按 30 天计未超过" in counted.words


def test_the_same_day_is_named_so():
    assert count(date(2026, 3, 3), date(2026, 3, 3), date(2026, 4, 3)).words == "当天"


def test_an_acceptance_stands_until_it_is_withdrawn():
    accepted = make_decision(Outcome.ACCEPTED)
    assert ItemState(decisions=(accepted,)).in_force == accepted
    withdrawn = make_decision(Outcome.WITHDRAWN, of=accepted.id)
    state = ItemState(decisions=(accepted, withdrawn))
    assert state.in_force is None
    assert state.last == withdrawn


def test_a_withdrawal_with_a_ground_is_a_refusal():
    plain = make_decision(Outcome.WITHDRAWN, of=uuid4())
    assert not plain.is_refusal
    assert replace(plain, grounds=(GivenGround(code="NR06", pick="其他"),)).is_refusal
    assert make_decision(Outcome.REJECTED).is_refusal


def test_seeing_the_page_is_not_looking_at_images_or_report():
    page = Look(examination=7, what=Looked.PAGE, physician="dr", at=AT)
    assert not ItemState(looks=(page,)).has_looked(7)
    report = replace(page, what=Looked.REPORT)
    assert ItemState(looks=(page, report)).has_looked(7)
    assert not ItemState(looks=(page, report)).has_looked(8)


def test_a_shown_prior_is_found_on_card_and_quiet_list_only():
    item = make_item(card=make_prior(), quiet=[make_prior(examination=8)])
    assert item.prior(7).examination == 7
    assert item.prior(8).examination == 8
    assert item.prior(9) is None


@pytest.mark.parametrize("grounds", [("NR07",), ()])
def test_a_card_with_a_machine_found_ground_never_interrupts(grounds):
    assert make_prior(machine_grounds=grounds).interrupts is not bool(grounds)
