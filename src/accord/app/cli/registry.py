"""`accord registry`: take in institutions, lists, qualifications and the rest from a file."""

import json
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Institutions, lists, qualifications, devices, staff.")
    group.callback()(_registry)
    group.command("import")(import_)
    app.add_typer(group, name="registry")


def _registry() -> None:
    """Institutions, lists, qualifications, devices, staff."""


def import_(
    file: Annotated[Path, typer.Argument(help="YAML, JSON or CSV.", exists=True, dir_okay=False)],
    kind: Annotated[
        str | None, typer.Option(help="Kind of the rows of a CSV, such as institutions.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Take in a file, all or nothing; the same file again changes nothing."""
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings
    from accord.registry import intake

    data = intake.read_file(file, kind)
    with (
        running.database(get_settings(), command="registry import") as database,
        database.begin() as conn,
    ):
        counts = intake.take_in(conn, Actor.process("registry import"), data)
    if as_json:
        print(json.dumps({"counts": counts}, ensure_ascii=False))
    else:
        for name, count in counts.items():
            print(f"{name}: {count['taken']} taken, {count['known']} known")
