"""Say in Chinese what the engine found: clause, words, facts, numbers, version."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files

import yaml

from accord.recognition.model import Advice
from accord.standard.model import Effect, Finding, RuleSet, as_json

Words = Mapping[str, Mapping[str, str]]
_WEIGHT = {Effect.GATE: 3, Effect.LIMIT: 2, Effect.SOURCE: 1, Effect.NOTE: 0, None: -1}
FIRST = (
    "OWN_PRIOR",
    "WITHDRAWN",
    "OUT_OF_SCOPE",
    "SIMILAR",
    "OTHER_SIDE",
    "OTHER_VIEWS",
    "NOT_SIMILAR",
    "SOURCE_NOT_LISTED",
    "ITEM_NOT_QUALIFIED",
    "OUT_OF_WINDOW",
    "HARD_ELEMENT_MISSING",
    "REPORT_PENDING",
    "ARRIVING",
    "PARTIAL",
    "NEAR",
    "MODIFIER_MISSING",
    "FOLLOW_UP",
)
"""Codes a physician understands best, when several findings weigh the same."""


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the Chinese words of advice, relations, outcomes, effects and codes."""
    text = (files("accord.recognition") / "words.yaml").read_text(encoding="utf-8")
    given: Words = yaml.safe_load(text)
    return given


def word(kind: str, name: str) -> str:
    """Return the Chinese word of a name, or the name itself where none is known."""
    return words()[kind].get(name, name)


def reason_of(finding: Finding) -> str:
    """Return the short Chinese reason of a finding."""
    if finding.code is not None:
        return word("codes", finding.code)
    return finding.note or word("outcome", finding.outcome.value)


def main_reason(advice: Advice) -> str | None:
    """Return the one reason why a prior carries no duty; none where it carries one."""
    finding = main_finding(advice)
    return None if finding is None else reason_of(finding)


def main_finding(advice: Advice) -> Finding | None:
    """Return the finding that decides most; of equal ones the one people understand best."""
    deciding = [one for one in advice.findings if one.effect in {Effect.GATE, Effect.LIMIT}]
    return min(deciding, key=_importance, default=None)


def _importance(finding: Finding) -> tuple[int, int]:
    place = FIRST.index(finding.code) if finding.code in FIRST else len(FIRST)
    return (-_WEIGHT[finding.effect], place)


def explain(advice: Advice, rule_set: RuleSet) -> Iterator[str]:
    """Give the lines of a full explanation, one for each finding, the deciding ones marked."""
    relation = "" if advice.relation is None else f"（{word('relation', advice.relation.value)}）"
    yield f"结论：{word('advice', advice.advice.value)}{relation}"
    if advice.lifted_by:
        grounds = "、".join(word("codes", code) for code in advice.lifted_by)
        yield f"因下列情形不受互认限制：{grounds}"
    yield f"依据：《{rule_set.title}》{rule_set.version}（{advice.fingerprint}）"
    for finding in advice.findings:
        yield from explain_finding(finding, rule_set)
    yield f"所用解读：{'、'.join(advice.readings)}"


def explain_finding(finding: Finding, rule_set: RuleSet) -> Iterator[str]:
    """Give the lines about one finding: rule and reason, words of the clause, facts, numbers."""
    rule = rule_set.rule(finding.rule)
    outcome = word("outcome", finding.outcome.value)
    effect = "" if finding.effect is None else f"，{word('effect', finding.effect.value)}"
    reason = f"：{reason_of(finding)}" if finding.code or finding.note else ""
    yield f"{finding.rule} {rule.title}　{outcome}{effect}{reason}"
    yield f"    第{rule.clause}条「{rule.quote}」"
    yield f"    事实：{facts_in_words(finding.because) or '无'}"
    for key in finding.numbers:
        number = rule_set.number(key)
        words_of = f"「{number.quote}」" if number.quote else f"（{number.reading}）"
        value = f"{number.operator or ''} {number.value} {word('units', number.unit)}".strip()
        yield f"    数值：{value}{words_of}，{key}，{number.source}"


def facts_in_words(because: Mapping[str, object]) -> str:
    """Return the facts of a finding as one line of Chinese."""
    plain = as_json(because)
    pairs = plain.items() if isinstance(plain, dict) else ()
    return "；".join(f"{_named(name)}：{_text(value)}" for name, value in pairs)


def _named(fact: str) -> str:
    """Return the Chinese name of a fact; element ids, provinces and codes name themselves."""
    return word("facts", fact) if fact in words()["facts"] else word("codes", fact)


def _text(value: object) -> str:
    match value:
        case None:
            return "未知"
        case bool():
            return "是" if value else "否"
        case dict():
            return (
                "（"
                + "，".join(f"{_named(key)} {_text(part)}" for key, part in value.items())
                + "）"
            )
        case list():
            return "、".join(_text(part) for part in value) or "无"
        case str() if value in words()["codes"]:
            return word("codes", value)
        case _:
            return word("values", str(value))
