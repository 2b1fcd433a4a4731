"""The clause matrix: every rule of the text, who answers it, where, and its table of cases."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from accord import standard
from accord.app.answers import all_answers
from accord.app.docs.markdown import code, page, table
from accord.standard.answers import Answer, where
from accord.standard.model import Clause, Number, Rule, RuleSet

_LEGEND = """\
A **rule** is answered by a pure function, a **person** on a form, a **workflow** of the product,
or by nothing, and then it says why. SHALL is 应, SHOULD is 宜, MAY is 可 or 鼓励; a missed SHOULD
or MAY is never a non-conformity. BLOCK, MAJOR, MINOR and INFO say how heavy a miss weighs.
Readings and drafting defects are explained on the [page of readings](readings.md). Numbers are
those that come with the product; a site may change them by its own files in `ACCORD_RULES_DIR`."""

_RULE_HEADING = (
    *("rule", "what it asks", "modal", "severity"),
    *("answered by", "where", "cases", "readings"),
)
_NUMBER_HEADING = ("number", "value", "unit", "from", "note")


def clauses(root: Path) -> str:
    """Return the page of clauses, rules and numbers."""
    rule_set = standard.published()
    answers = all_answers()
    parts = [_LEGEND, _counts(rule_set, answers)]
    for clause in rule_set.clauses.values():
        parts.extend(_clause(root, clause, answers))
    return page(f"Clause matrix ({rule_set.version})", *parts)


def _counts(rule_set: RuleSet, answers: Mapping[str, Answer]) -> str:
    rules = rule_set.rules.values()
    kinds = Counter(rule.answered_by for rule in rules)
    by_kind = ", ".join(f"{count} by {kind}" for kind, count in kinds.items())
    return (
        f"{rule_set.title}: {len(rules)} rules ({by_kind}), {len(rule_set.numbers)} numbers; "
        f"{len(answers)} rules have their function in this version."
    )


def _clause(root: Path, clause: Clause, answers: Mapping[str, Answer]) -> Iterator[str]:
    yield f"## {clause.id} {clause.title}"
    yield f"> {clause.text}"
    if clause.rules:
        yield table(
            _RULE_HEADING,
            (_rule(root, rule, answers) for rule in clause.rules),
        )
    if clause.numbers:
        yield table(_NUMBER_HEADING, (_number(number) for number in clause.numbers))


def _rule(root: Path, rule: Rule, answers: Mapping[str, Answer]) -> tuple[str, ...]:
    answer = answers.get(rule.id)
    cases = Path("tests") / "rules" / f"{rule.id}.yaml"
    return (
        f"**{rule.id}**",
        f"{rule.title}. {rule.summary}",
        rule.modal,
        rule.severity,
        rule.answered_by,
        code(rule.where if answer is None else where(answer).removeprefix("accord.")),
        code(cases.name) if (root / cases).is_file() else "",
        ", ".join((*rule.readings, *rule.defects)),
    )


def _number(number: Number) -> tuple[str, ...]:
    comparison = f"{number.operator} {number.value}" if number.operator else str(number.value)
    return (
        code(number.key),
        comparison,
        number.unit,
        f"「{number.quote}」" if number.quote else (number.reading or ""),
        number.note or "",
    )
