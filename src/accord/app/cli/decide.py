"""`accord decide CASE.yaml`: one decision from a file, without a database (design.md 6)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accord.recognition.model import Advice

CaseFile = Annotated[Path, typer.Argument(help="What differs from the case that passes.")]
Explain = Annotated[bool, typer.Option("--explain", help="Add the Chinese text of every finding.")]


def _print_schema(asked: bool) -> None:
    if asked:
        from accord.recognition.cases import case_schema

        print(json.dumps(case_schema(), ensure_ascii=False, indent=2))
        raise typer.Exit


Schema = Annotated[
    bool,
    typer.Option(
        "--schema",
        callback=_print_schema,
        is_eager=True,
        help="Print the JSON schema (draft 2020-12) of a case file and stop.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(decide)


def decide(
    case: CaseFile, *, explain: Explain = False, as_json: Json = False, _schema: Schema = False
) -> None:
    """Decide one case: advice, relation, grounds and every finding with its reasons."""
    from accord import catalogue, standard
    from accord.kit.settings import get_settings
    from accord.recognition.cases import read_case
    from accord.recognition.explain import explain as explained
    from accord.recognition.judge import evaluate

    rule_set = standard.load(get_settings().rule_set)
    advice = evaluate(read_case(_text(case)), rule_set, catalogue.load())
    lines = list(explained(advice, rule_set)) if explain else []
    if as_json:
        answer = advice.as_dict() | ({"explanation": lines} if explain else {})
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        print("\n".join(lines or _summary(advice)))


def _text(path: Path) -> str:
    from accord.kit.errors import Invalid
    from accord.recognition.cases import MOST_BYTES

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8: byte {error.start}.") from error


def _summary(advice: "Advice") -> list[str]:
    from accord.recognition.explain import reason_of

    relation = "" if advice.relation is None else f" {advice.relation.value}"
    lifted = f" lifted by {', '.join(advice.lifted_by)}" if advice.lifted_by else ""
    lines = [f"{advice.advice.value}{relation}{lifted}"]
    for one in advice.findings:
        effect = "-" if one.effect is None else one.effect.value
        words = [one.rule, one.outcome.value, effect, one.code or "-", reason_of(one)]
        lines.append(" ".join(words))
    return lines
