"""`accord docs`: the generated pages of the documentation (for developers)."""

import json
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Root = Annotated[Path, typer.Option(help="Root of the repository.", file_okay=False)]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Generated pages of the documentation.", no_args_is_help=True)
    for command in (generate, check):
        group.command()(command)
    app.add_typer(group, name="docs")


def generate(*, root: Root = Path(), as_json: Json = False) -> None:
    """Write the pages that are not fresh."""
    from accord.app import docs

    written = docs.generate(_repository(root))
    if as_json:
        print(json.dumps({"written": written}))
    else:
        print("\n".join(written) or "all pages are fresh")


def check(*, root: Root = Path(), as_json: Json = False) -> None:
    """Compare the pages with what would be generated; ends with 1 where one is stale."""
    from accord.app import docs

    stale = docs.find_stale(_repository(root))
    if as_json:
        print(json.dumps({"stale": stale}))
    else:
        print("\n".join(f"{path} is stale" for path in stale) or "all pages are fresh")
    if stale:
        raise typer.Exit(1)


def _repository(root: Path) -> Path:
    from accord.kit.errors import CannotRun

    if not (root / "docs").is_dir():
        raise CannotRun(f"{root.resolve()} has no folder docs; run this in the repository.")
    return root
