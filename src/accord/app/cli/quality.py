"""`accord quality`: the five indicators of clause 7.1 (design.md 6)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Data quality of examinations and institutions.")
    group.callback()(_quality)
    group.command("report")(report)
    group.command("check")(check)
    app.add_typer(group, name="quality")


def _quality() -> None:
    """Data quality of examinations and institutions."""


def report(
    institution: Annotated[str, typer.Option(help="Code of the institution.")],
    month: Annotated[
        datetime, typer.Option(formats=["%Y-%m"], help="Month of the examinations, YYYY-MM.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Show the five indicators with numerators, denominators, intervals and outcomes."""
    from accord.dataquality import institution as figures
    from accord.kit import clock, running
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="quality report") as database,
        database.begin() as conn,
    ):
        told = figures.report(conn, institution, month.date(), at=clock.now())
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print("\n".join(_lines(told)))


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="DICOM files and folders; .json files with patient, visit, order, report."
        ),
    ],
    institution: Annotated[str, typer.Option(help="Code of the institution that would send.")],
    *,
    as_json: Json = False,
) -> None:
    """Say what an upload would be told, without keeping it; ends 1 where something is found."""
    from accord.app import precheck
    from accord.kit import logs, running
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)
    with (
        running.database(settings, command="quality check") as database,
        database.begin() as conn,
    ):
        checked = precheck.check(conn, settings, institution, paths)
    told = checked.as_dict()
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print("\n".join(_checked_lines(told)))
    raise typer.Exit(0 if checked.is_good else 1)


def _checked_lines(told: dict[str, Any]) -> list[str]:
    lines = [
        " ".join(filter(None, (file["outcome"], file["path"], file["reason"])))
        for file in told["files"]
    ]
    lines += [f"refused {place} {why}" for place, why in told["refused"].items()]
    for name, findings in told["examinations"].items():
        lines.append(
            f"examination {name}: {len(findings)} to mend"
            if findings
            else f"examination {name}: nothing to mend"
        )
        for finding in findings:
            because = json.dumps(finding["because"], ensure_ascii=False)
            lines.append(
                f"  {finding['rule']} {finding['outcome']} {finding.get('code', '')} {because}"
            )
            lines += [f"    {fix}" for fix in finding["fix"]]
    lines += [f"hint {name}: {hint}" for name, hints in told["hints"].items() for hint in hints]
    if not told["examinations"]:
        lines.append("no examination: neither images nor a report were taken")
    return lines


def _lines(told: dict[str, Any]) -> list[str]:
    shown = told["indicators"]
    lines = [
        f"{told['institution']}  {told['month']}  {told['rule_set']}",
        f"{told['examinations']} examinations, {told['measured']} measured",
    ]
    lines += [_line(rule, one) for rule, one in shown["timeliness"]["rules"].items()]
    lines += [_line(name, shown[name]) for name in ("consistency", "completeness", "accuracy")]
    gap = shown["continuity"]
    code = f" ({gap['code']})" if "code" in gap else ""
    longest = gap["because"]["longest_silence"]["raw_seconds"]
    lines.append(
        f"{'continuity':<14} 7.1.5  {gap['outcome']}{code}, longest gap {longest} s, "
        f"{gap['uploads']} receptions"
    )
    lines.append(f"images are not what was ordered: {told['scanned_otherwise']['n']} (hints)")
    lines.append(f"not fed yet: {', '.join(told['not_fed'])}")
    return lines


def _line(name: str, one: dict[str, Any]) -> str:
    share = "" if one["shown"] is None else f" {one['shown']}"
    bounds = one["interval"]
    between = "" if bounds is None else f" [{bounds[0]:.4f}, {bounds[1]:.4f}]"
    beside = f"open {one['open']}, not evaluable {one['not_evaluable']}"
    pooled = one.get("pooled")
    wider = "" if pooled is None else f"; {pooled['period']}: {pooled['outcome']}"
    counts = f"{one['num']} of {one['den']}{share}{between}"
    return f"{name:<14} {one['clause']:<6} {one['outcome']}  {counts}; {beside}{wider}"
