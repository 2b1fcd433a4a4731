"""Every answer gives its reasons in Chinese: clause, words, facts, numbers, version."""

import re
from pathlib import Path

import pytest

from accord import catalogue, standard
from accord.recognition import explain
from accord.recognition.cases import make_case
from accord.recognition.judge import evaluate
from accord.recognition.model import Province
from accord.standard.model import Unit, as_json

SOURCE = Path(explain.__file__).parent
RULES = standard.load()
ENGLISH = re.compile(r"[A-Za-z]{4,}")


def advise(**given):
    return evaluate(make_case(given), RULES, catalogue.load())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"source": {"listed": False}}, "检查机构不在互认名单内"),
        ({"prior": {"exam_end": "2026-01-01 10:00"}}, "超过1个月"),
        ({"prior": {"report": {"state": "none"}}}, "报告未出"),
        ({"qualifications": []}, "对方项目未通过质控"),
        (
            {"viewer": {"code": "CQ001", "licence_holder": "CQ001"}, "qualifications": []},
            "本院检查",
        ),
        ({"source": {"level": "一级"}}, "检查机构级别低于本机构"),
        ({"order": {"item": 97}}, "不是类似检查"),
        ({"order": {"visit": "EMERGENCY"}}, "急诊、急救等紧急状态"),
    ],
)
def test_the_one_reason_is_the_one_that_people_understand_best(given, reason):
    assert explain.main_reason(advise(**given)) == reason


def test_a_pair_with_a_duty_has_no_reason_against_it():
    advice = advise()
    assert explain.main_finding(advice) is None
    assert explain.main_reason(advice) is None


def test_a_gate_weighs_more_than_a_limit_whatever_people_understand():
    advice = advise(prior={"report": {"state": "none"}}, source={"listed": False})
    assert explain.main_finding(advice).code == "SOURCE_NOT_LISTED"


def test_an_explanation_names_clause_words_facts_numbers_and_version():
    text = "\n".join(explain.explain(advise(prior={"exam_end": "2026-01-01 10:00"}), RULES))
    assert "结论：不列入互认（同一项目）" in text
    assert "R6.5-1" in text
    assert "第6.5条「近期（1个月）规范完整" in text
    assert "<= 1 个月「近期（1个月）」，6.5/window，2025-draft" in text
    assert RULES.fingerprint in text
    assert "RD-6.5-MONTH" in text


def test_what_lifted_a_duty_is_told_first():
    lines = list(explain.explain(advise(order={"visit": "EMERGENCY"}), RULES))
    assert lines[0] == "结论：可互认（同一项目）"
    assert lines[1] == "因下列情形不受互认限制：急诊、急救等紧急状态"


def test_without_identity_no_relation_is_told():
    lines = list(explain.explain(advise(identity={"certain": False}), RULES))
    assert lines[0] == "结论：不列入互认"
    assert sum(line.startswith("R") for line in lines) == 1


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"order": {"visit": "EMERGENCY", "preoperative": True, "follow_up": True}},
        {"order": {"item": 13, "positions": ["weight_bearing"]}, "prior": {"items": [56]}},
        {"prior": {"evidence": {"stated": {"sex": "M"}, "header": {"side": "L"}}}},
        {"settings": {"in_force": {"重庆": None}}, "device": {"kind": "CR_READER"}},
    ],
)
def test_facts_are_told_in_chinese(given):
    for finding in advise(**given).findings:
        facts = explain.facts_in_words(finding.because)
        plain = facts.replace(RULES.version, "")
        assert not ENGLISH.search(plain), (finding.rule, facts)


def test_every_code_of_the_engine_has_words():
    rules = [*SOURCE.glob("rules/*.py"), *SOURCE.glob("*.py")]
    rules += (SOURCE.parent / "dataquality" / "rules").glob("*.py")
    pattern = re.compile(r'(?:gates|limits|tells_source|notes|code=)\(?"([A-Z_]{4,})"')
    codes = {code for path in rules for code in pattern.findall(path.read_text("utf-8"))}
    assert len(codes) > 30
    assert codes - set(explain.words()["codes"]) == set()


def test_a_finding_without_a_code_is_told_by_its_note_or_outcome():
    noted = advise(source={"ownership": "private"})
    told = {one.rule: explain.reason_of(one) for one in noted.findings}
    assert told["R6.2-4"] == "社会办医机构经列入名单参照执行"
    assert told["R6.5-1"] == "符合"


def test_every_unit_has_a_word():
    assert set(explain.words()["units"]) == {unit.value for unit in Unit}


def test_provinces_name_themselves():
    assert [explain._named(province) for province in Province] == ["重庆", "四川"]
    assert as_json(Province.SICHUAN) == "四川"
