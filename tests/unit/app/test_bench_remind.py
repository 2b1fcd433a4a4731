"""The parts of the measurement that do not need a server."""

import json
import math
import random
from datetime import date, timedelta

import pytest

from accord.app.bench.machine import machine, percentile
from accord.app.bench.open_loop import _kind
from accord.app.bench.remind import Mould, Template, _plan, _question
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


def test_a_plan_has_so_many_examinations_of_people_who_have_one_or_more():
    template = Template(
        {"performed_by": "A"}, None, None, None, None, None, {"d100": date(2026, 1, 1)}
    )
    people = _plan(random.Random(1), [template], ["A", "B"], 500)
    copies = [copied for person in people for copied in person.copies]
    assert [copied.number for copied in copies] == list(range(500))
    assert all(person.copies for person in people)
    assert 1 < len(copies) / len(people) < 3
    assert len({person.person for person in people}) == len(people)
    assert all(isinstance(copied.shift, timedelta) for copied in copies)
