"""The five indicators of an institution, from the findings its studies kept."""

import json
from datetime import date, timedelta

import pytest

from accord.app.cli import quality
from accord.dataquality import institution, jobs
from accord.dataquality.errors import UnknownInstitution
from accord.kit import clock
from support.pair import PERFORMER, STARTED, VIEWER

MONTH = date(2026, 3, 1)
SOON = STARTED + timedelta(hours=6)


def indicators(pair, at=SOON, code=PERFORMER):
    with clock.freeze(at):
        return institution.report(pair.conn, code, MONTH, at=at)


def measure(pair, examination, at):
    with clock.freeze(at):
        jobs.measure(pair.conn, examination=examination.id)


def test_one_sound_examination_is_counted_and_gives_no_verdict(pair):
    measure(pair, pair.whole(), SOON)
    told = indicators(pair)
    shown = told["indicators"]
    routine = shown["timeliness"]["rules"]["R7.1.1-c"]
    assert (told["examinations"], told["measured"]) == (1, 1)
    assert (routine["num"], routine["den"], routine["outcome"]) == (1, 1, "no_verdict")
    assert (shown["consistency"]["num"], shown["consistency"]["den"]) == (1, 1)
    completeness = shown["completeness"]
    assert completeness["outcome"] == "pass"  # its elements are more than thirty
    assert completeness["den"] == sum(one["den"] for one in completeness["groups"].values())
    assert completeness["den"] - completeness["num"] == 1  # the dose report
    assert shown["accuracy"]["num"] < shown["accuracy"]["den"]  # no diagnosis code, one signer
    waiting = shown["timeliness"]["information"]["R7.1.1-h"]
    assert waiting["n"] == 1
    assert 3600 <= waiting["median_seconds"] < 3700
    assert told["not_fed"] == [
        "heartbeats",
        "zero_reports",
        "downtime",
        "outages",
        "audited_accuracy",
    ]
    assert json.loads(json.dumps(told)) == told


def test_images_that_are_not_what_was_ordered_are_listed_as_hints(pair):
    pair.send_order(item_text="颅脑 CT 平扫", item_code="CYHR-092")
    study_uid = pair.send_images()
    pair.settle()
    examination = pair.join(study_uid)
    told = indicators(pair)["scanned_otherwise"]
    assert told["n"] == 1
    (one,) = told["newest"]
    assert (one["examination"], one["hints"]) == (examination.id, list(examination.item_hints))
    assert one["hints"]


def test_as_ordered_is_no_hint(pair):
    pair.whole()
    assert indicators(pair)["scanned_otherwise"] == {"n": 0, "newest": []}


def test_an_open_report_becomes_a_miss_without_being_measured_again(pair):
    pair.send_order()
    study_uid = pair.send_images()
    pair.settle()
    examination = pair.join(study_uid)
    measure(pair, examination, SOON)
    open_now = indicators(pair)["indicators"]
    rule = open_now["timeliness"]["rules"]["R7.1.1-c"]
    assert (rule["den"], rule["open"]) == (0, 1)
    assert (open_now["consistency"]["den"], open_now["consistency"]["open"]) == (0, 1)
    assert open_now["completeness"]["open"] == 1
    due = examination.exam_end + timedelta(hours=24)
    overdue = indicators(pair, due)["indicators"]
    rule = overdue["timeliness"]["rules"]["R7.1.1-c"]
    assert (rule["num"], rule["den"], rule["open"]) == (0, 1, 0)
    assert [miss["examination"] for miss in rule["misses"]] == [examination.id]
    assert overdue["consistency"]["misses"][0]["code"] == "REPORT_MISSING"
    assert overdue["completeness"]["den"] > 0


def test_what_was_not_measured_yet_is_not_evaluable(pair):
    pair.whole()
    told = indicators(pair)
    assert (told["examinations"], told["measured"]) == (1, 0)
    assert told["indicators"]["consistency"]["outcome"] == "not_evaluable"
    assert told["indicators"]["consistency"]["not_evaluable"] == 1


def test_continuity_says_how_long_the_silence_was(pair):
    measure(pair, pair.whole(), SOON)
    gap = indicators(pair)["indicators"]["continuity"]
    assert (gap["outcome"], gap["code"]) == ("fail", "SILENT")  # the month before the one upload
    assert gap["because"]["longest_silence"]["since"].startswith("2026-03-01T00:00:00")


def test_an_institution_without_a_sign_of_life_fails_continuity_alone(pair):
    told = indicators(pair, code=VIEWER)["indicators"]
    assert told["continuity"]["code"] == "NO_SIGN_OF_LIFE"
    assert told["accuracy"]["outcome"] == "not_evaluable"


def test_a_code_nobody_has_is_refused(pair):
    with pytest.raises(UnknownInstitution):
        indicators(pair, code="CQ-NONE")


def test_the_command_shows_every_indicator(pair):
    measure(pair, pair.whole(), SOON)
    text = "\n".join(quality._lines(indicators(pair)))
    for word in ("R7.1.1-a", "R7.1.1-e", "consistency", "completeness", "accuracy", "continuity"):
        assert word in text
    assert "not fed yet: heartbeats" in text
