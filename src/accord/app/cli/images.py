"""`accord images check PATH...`: image quality of files and folders, without a database."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accord.imagequality.model import CheckFinding
    from accord.imagequality.service import Checked

images = typer.Typer(no_args_is_help=True, help="Image quality by header and geometry.")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(images, name="images")


@images.callback()
def _noun() -> None:
    """Keep `check` a command of its own while it is the only one."""


@images.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders of DICOM.")],
    *,
    item: Annotated[
        int | None, typer.Option(help="Number of the item that was ordered, 1 to 141.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Judge every series; ends with 1 when a check finds a defect or no study can be read."""
    from accord.imagequality.service import check_files

    checked = check_files(paths, item=item)
    if as_json:
        print(json.dumps(checked.as_dict(), ensure_ascii=False, indent=1))
    else:
        _print(checked)
    if not checked.is_fulfilled:
        raise typer.Exit(1)


def _print(checked: "Checked") -> None:
    for study in checked.studies:
        print(f"{study.study_uid}: {study.graded.grade or 'no grade'} ({study.graded.reason})")
        for finding in study.findings:
            print(_line(finding, ""))
        for uid, findings in study.series.items():
            print(f"  {uid}")
            for finding in findings:
                print(_line(finding, "  "))
        for rule in study.rules:
            print(f"  {rule.outcome.value:<14} {rule.rule} {rule.code or ''}")
    for unread in checked.unread:
        told = unread.as_dict()
        print(f"not read: {told['path']}: {told['reason']}")


def _line(finding: "CheckFinding", indent: str) -> str:
    return f"{indent}  {finding.verdict.value:<14} {finding.check}: {finding.measured.en}"
