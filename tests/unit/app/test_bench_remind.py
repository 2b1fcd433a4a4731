"""The parts of the measurement that do not need a server."""

import json
import math
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from accord.app.bench.filling import Mould, Template, _by_day, _field, make_plan, make_template
from accord.app.bench.machine import machine, percentile
from accord.app.bench.open_loop import _kind
from accord.app.bench.remind import _question
from accord.kit.settings import Settings
from accord.reminder import hooks


def told(*cards, **status):
    return json.dumps({"cards": cards, "extension": {"cyhr.reminder": status}}).encode()


def test_a_mould_casts_copies_that_differ_in_their_places_only():
    mould = Mould(
        '{"uid": "2.25.1", "at": "2026-03-01", "p": "P1", "q": "P12"}',
        {
            "2.25.1": "study",
            "2026-03-01": "day",
            "P1": "patient",
            "P12": "other",
        },
    )
    cast = mould.cast({"study": "2.25.9", "day": "2026-04-01", "patient": "B1", "other": "B2"})
    assert cast == '{"uid": "2.25.9", "at": "2026-04-01", "p": "B1", "q": "B2"}'


def test_a_mould_without_places_is_the_text():
    assert Mould("as it is", {}).cast({}) == "as it is"


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100), (0, 1)]
)
def test_percentiles_are_values_that_were_measured(percent, expected):
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_nothing_measured_has_no_percentile():
    assert math.isnan(percentile([], 99))


def test_the_machine_says_what_a_reader_compares():
    assert set(machine()) == {"cpus", "processor", "memory_gib", "system", "python"}


def test_a_question_of_the_measurement_is_a_call_the_service_takes():
    body = json.dumps(_question("P1", "V1", 94)).encode()
    called = hooks.read_call(body, Settings())
    assert called.visits == ("V1",)
    assert called.orders[0].code.coding[0].code == "CYHR-094"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("503", b"", "http 503"),
        ("200", told({}, status="answered"), "card"),
        ("200", told(status="answered"), "quiet"),
        ("200", told(status="none"), "none"),
        (
            "200",
            told(status="not_asked", reason="time_out"),
            "time_out",
        ),
    ],
)
def test_answers_are_counted_by_kind(status, body, kind):
    assert _kind(status, body) == kind


TEMPLATE = Template({"performed_by": "A"}, date(2026, 1, 1), {})


def test_a_plan_has_so_many_examinations_of_people_who_have_one_or_more():
    people = make_plan(random.Random(1), [TEMPLATE], ["A", "B"], 500)
    copies = [copied for person in people for copied in person.copies]
    assert [copied.number for copied in copies] == list(range(500))
    assert all(person.copies for person in people)
    assert 1 < len(copies) / len(people) < 3
    assert len({person.person for person in people}) == len(people)
    assert all(isinstance(copied.shift, timedelta) for copied in copies)


def test_copies_come_in_by_day_and_none_is_lost():
    people = make_plan(random.Random(1), [TEMPLATE], ["A", "B"], 500)
    days = _by_day(people)
    assert [day.shift for day in days] == sorted(day.shift for day in days)
    numbers = [number for day in days for number, _ in day.copies]
    assert sorted(numbers) == list(range(500))


def test_a_mould_filled_in_two_steps_casts_the_same():
    mould = Mould("a1b2c1", {"1": "one", "2": "two"})
    values = {"one": "x", "two": "y"}
    assert mould.fill({"one": "x"}).cast({"two": "y"}) == mould.cast(values) == "axbycx"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, r"\N"),
        (True, "t"),
        ([1, 2], "{1,2}"),
        (["a b", 'c"'], r'{"a b","c\\""}'),
        ({"a": "b\nc"}, r'{"a": "b\\nc"}'),
        ("tab\tline\n", r"tab\tline\n"),
        (date(2026, 3, 1), "2026-03-01"),
    ],
)
def test_values_are_written_as_copy_reads_them(value, field):
    assert _field(value) == field


def test_a_template_has_a_line_where_its_examination_has_a_document():
    end = datetime(2026, 3, 1, 2, tzinfo=UTC)
    row = {
        "id": 1,
        "performed_by": "A",
        "patient_id": "P1",
        "study_uid": "2.25.1",
        "accession": "ACC1",
        "study": {"uid": "2.25.1", "on": "20260301"},
        "items": [4],
        **dict.fromkeys(("exam_start", "exam_end", "settled_at", "changed_at"), end),
        "released_at": None,
        "order_id": 5,
        "report_id": None,
        "order_number": "O",
        "order_institution": "A",
        "order_content": {"for": "P1"},
        "order_version": 1,
        "report_number": None,
        "report_institution": None,
        "report_content": None,
        "report_version": None,
        "basis": None,
        "rule_set": None,
        "fingerprint": None,
        "findings": None,
    }
    template = make_template(row)
    assert set(template.lines) == {"examination", "exam_order"}
    values = template.moved(timedelta(days=2)) | {
        "number": "7",
        "study": "2.25.9",
        "accession": "B7",
        "patient": "B3",
        "order": "BO7",
    }
    examination = template.lines["examination"].cast(values).rstrip("\n").split("\t")
    assert examination[:5] == ["7", "A", "B3", "2.25.9", "B7"]
    assert json.loads(examination[5]) == {"uid": "2.25.9", "on": "20260303"}
    assert examination[8] == "2026-03-03T02:00:00+00:00"
    assert examination[-3:] == [r"\N", "7", r"\N"]
    order = template.lines["exam_order"].cast(values).rstrip("\n").split("\t")
    assert order[:6] == ["7", "A", "BO7", "B3", "B7", "2.25.9"]
    assert json.loads(order[-1]) == {"for": "B3"}
