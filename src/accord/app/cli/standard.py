"""`accord standard`: the rules of the text, their words, numbers and readings, and who answers."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from accord.standard.answers import Answer
    from accord.standard.model import Rule, RuleSet

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Version = Annotated[
    str | None, typer.Option("--version", help="Rule set; the one of ACCORD_RULE_SET if unset.")
]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The standard as data.", no_args_is_help=True)
    group.command("list")(list_rules)
    group.command("show")(show_rule)
    app.add_typer(group, name="standard")


def list_rules(
    *,
    clause: Annotated[
        str | None, typer.Option(help="Only this clause and those below it, such as 6 or 7.1.")
    ] = None,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """List the rules of the text in its order."""
    from accord.app.answers import all_answers
    from accord.standard.errors import UnknownName

    rule_set = _rule_set(version)
    answers = all_answers()
    rules = [
        rule for rule in rule_set.rules.values() if clause is None or _is_below(rule.clause, clause)
    ]
    if not rules:
        raise UnknownName(f"The standard has no rule under clause {clause}.", clause=clause)
    if as_json:
        listed = [_described(rule_set, rule, answers) for rule in rules]
        print(json.dumps({**_named(rule_set), "rules": listed}, ensure_ascii=False))
        return
    print(f"{rule_set.title}  {rule_set.version} ({rule_set.status})")
    for rule in rules:
        strength = f"{rule.modal:<6} {rule.severity:<5}"
        print(f"{rule.id:<9} {rule.clause:<5} {strength} {rule.answered_by:<8} {rule.title}")


def show_rule(
    rule_id: Annotated[str, typer.Argument(metavar="RULE", help="Such as R6.5-1.")],
    *,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Show one rule with the words of its clause, its numbers, its readings and who answers."""
    from accord.app.answers import all_answers

    rule_set = _rule_set(version)
    described = _described(rule_set, rule_set.rule(rule_id), all_answers())
    if as_json:
        print(json.dumps({**_named(rule_set), **described}, ensure_ascii=False))
    else:
        print("\n".join(_lines(rule_set, described)))


def _rule_set(version: str | None) -> "RuleSet":
    from accord import standard
    from accord.kit.settings import get_settings

    return standard.load(version or get_settings().rule_set)


def _is_below(clause: str, asked: str) -> bool:
    return clause == asked or clause.startswith(f"{asked}.")


def _named(rule_set: "RuleSet") -> dict[str, Any]:
    """Return what names the rule set, so that every answer says what it went by."""
    return {
        "version": rule_set.version,
        "status": rule_set.status.value,
        "jurisdiction": rule_set.jurisdiction.value,
        "fingerprint": rule_set.fingerprint,
        "overrides": list(rule_set.overrides),
    }


def _described(
    rule_set: "RuleSet", rule: "Rule", answers: "Mapping[str, Answer]"
) -> dict[str, Any]:
    """Return a rule with all that stands behind it."""
    from accord.standard.answers import where

    clause = rule_set.clause(rule.clause)
    answer = answers.get(rule.id)
    return {
        **rule.as_dict(),
        "clause_title": clause.title,
        "text": clause.text,
        "numbers": [rule_set.number(key).as_dict() for key in rule.numbers],
        "readings": [rule_set.reading(name).as_dict() for name in rule.readings],
        "defects": [rule_set.defects[name].as_dict() for name in rule.defects],
        "function": None if answer is None else where(answer),
    }


def _lines(rule_set: "RuleSet", rule: dict[str, Any]) -> list[str]:
    strength = f"{rule['modal']}, {rule['severity']}, by {', '.join(rule['who'])}"
    lines = [
        f"{rule['id']}  {rule['title']}",
        f"clause {rule['clause']} {rule['clause_title']}, {rule_set.version} ({rule_set.status})",
        f"「{rule['quote']}」",
        rule["summary"],
        strength,
        f"answered by {rule['answered_by']}: {rule['function'] or rule['where']}",
    ]
    lines += ["", "clause", f"  {rule['text']}"]
    if rule["numbers"]:
        lines += ["", "numbers"]
        lines += [f"  {_number_line(rule_set, entry['key'])}" for entry in rule["numbers"]]
    if rule["readings"]:
        lines += ["", "readings"]
        for reading in rule["readings"]:
            lines += [f"  {reading['id']}  {reading['title']}", f"    {reading['text']}"]
            if "switch" in reading:
                lines.append(f"    switch {reading['switch']} = {reading['value']}")
    if rule["defects"]:
        lines += ["", "drafting defects"]
        lines += [
            f"  {entry['id']}  {entry['where']}: {entry['defect']}" for entry in rule["defects"]
        ]
    return lines


def _number_line(rule_set: "RuleSet", key: str) -> str:
    number = rule_set.number(key)
    comparison = f"{number.operator} " if number.operator else ""
    origin = f"「{number.quote}」" if number.quote else number.reading
    changed = "" if number.source == rule_set.version else f"  [{number.source}]"
    return f"{number.key}  {comparison}{number.value} {number.unit}  {origin}{changed}"
