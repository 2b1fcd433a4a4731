"""The contract of every check, what is told of an answer, and what a crash becomes."""

from dataclasses import replace

from accord.imagequality.checks import SERIES_CHECKS, STUDY_CHECKS
from accord.imagequality.model import Asked, Study
from accord.imagequality.runner import judge
from unit.imagequality.making import CATALOGUE, TERMS, frames, judged, series, verdicts

DOWN = [-5.0 * number for number in range(8)]
CHECKS = (*SERIES_CHECKS, *STUDY_CHECKS)


def test_every_check_declares_itself_once():
    names = [check.declared.id for check in CHECKS]
    assert len(names) == len(set(names)) == 19
    for check in CHECKS:
        told = check.declared
        assert told.clauses
        assert told.stages
        assert told.needs == ("headers",)
        assert told.version.count(".") == 2


def test_an_answer_carries_check_version_limit_and_both_texts():
    told = judged(series(frames(DOWN))).as_dict()["series"]["1"]["findings"]
    gap = next(one for one in told if one["check"] == "geometry.gap")
    assert gap["limit"] == {
        "name": "7.3/gap_factor", "value": "1.5", "unit": "factor",
        "version": "2025-draft", "owner": "standard",
    }  # fmt: skip
    moved = next(one for one in told if one["check"] == "geometry.displacement")
    assert (moved["limit"]["owner"], moved["limit"]["version"]) == ("accord", "2026-11.1")
    assert all(one["text_zh"] and one["text_en"] and one["version"] for one in told)


def test_a_crash_is_not_evaluable_with_its_reason_and_never_a_pass():
    def breaks(_):
        raise ZeroDivisionError

    broken = replace(SERIES_CHECKS[3], measure=breaks)
    alike = replace(STUDY_CHECKS[0], measure=breaks)
    answer = judge(
        Study("9", (series(frames(DOWN)),)), Asked(), TERMS, CATALOGUE,
        series_checks=(broken, SERIES_CHECKS[0]), study_checks=(alike,),
    )  # fmt: skip
    assert verdicts(answer, "1") == {"geometry.gap": "not_evaluable", "series.kind": "pass"}
    assert verdicts(answer) == {"format.capture_only": "not_evaluable"}
    assert "ZeroDivisionError" in answer.findings[0].measured.en
    assert answer.graded.grade is None


def test_every_one_of_our_limits_says_where_it_comes_from():
    assert all(limit.why and limit.version == "2026-11.1" for limit in TERMS.limits.values())
