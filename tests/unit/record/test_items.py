"""Which item an examination is: sources agree, are silent, or contradict each other."""

from datetime import UTC, datetime

import pytest

from accord import catalogue
from accord.record.items import is_national, match_items
from accord.record.model import Order, Report, ReportStatus

KNOWN = catalogue.load()
AT = datetime(2026, 3, 1, tzinfo=UTC)


def order(**what: object) -> Order:
    given = {"item_text": "", **what}
    return Order(number="1", visit="1", patient_id="1", ordered_at=AT, **given)


def report(item_text: str) -> Report:
    return Report(number="1", performed_by="A", status=ReportStatus.FINAL, item_text=item_text)


def items(given: Order | None, told: Report | None = None, **aliases: int) -> tuple[int, ...]:
    known = {("A", catalogue.fold(name)): item for name, item in aliases.items()}
    return match_items(KNOWN, "A", known, order=given, report=told, facts=None).items


def test_the_printed_name_of_an_item_is_that_item():
    assert items(order(item_text="胸部站立后前位摄影")) == (1,)


def test_an_approved_local_name_is_its_item():
    assert items(order(item_text="胸片正位"), 胸片正位=1) == (1,)


def test_an_alias_of_another_institution_does_not_count():
    other = {("B", catalogue.fold("套餐甲")): 1}
    matched = match_items(
        KNOWN, "A", other, order=order(item_text="套餐甲"), report=None, facts=None
    )
    assert matched.items == ()
    assert "尚未映射" in matched.because


def test_two_sources_that_agree_give_one_item():
    name = KNOWN.by_no(13).name
    assert items(order(item_text=name, item_code="CYHR-013"), report(name)) == (13,)


def test_left_against_right_gives_no_item():
    matched = match_items(
        KNOWN,
        "A",
        {},
        order=order(item_text=KNOWN.by_no(13).name),
        report=report(KNOWN.by_no(14).name),
        facts=None,
    )
    assert matched.items == ()
    assert "矛盾" in matched.because


@pytest.mark.parametrize(
    ("code", "national"), [("CYHR-013", True), ("cyhr-013", True), ("13", False), ("DR013", False)]
)
def test_a_number_of_the_hospital_is_no_code_of_the_catalogue(code, national):
    assert is_national(code) is national
    assert bool(items(order(item_text="本院项目", item_code=code))) is national
