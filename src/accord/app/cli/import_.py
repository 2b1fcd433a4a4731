"""`accord import PATH...`: take in files and folders of DICOM as an institution's upload."""

import json
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders, taken in path order.")],
    institution: Annotated[
        str | None,
        typer.Option(
            help="Code of the institution whose upload this is. Without it a study waits for the "
            "first hospital that sends an object of it."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Take in files and folders of DICOM; ends 0 whatever becomes of single files."""
    from accord.app import importing, wiring
    from accord.kit import logs, running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)
    wiring.connect_events()
    imported = []
    with running.database(settings, command="import") as database:
        taken = importing.import_paths(
            settings, database, paths, institution, Actor.process("import")
        )
        for one in taken:
            imported.append(one)
            if not as_json:
                told = one.as_dict()
                print(" ".join(filter(None, (told["outcome"], told["path"], told["reason"]))))
    found = importing.counts(imported)
    if as_json:
        print(
            json.dumps(
                {"files": [one.as_dict() for one in imported], "counts": found},
                ensure_ascii=False,
                indent=1,
            )
        )
    else:
        print(", ".join(f"{number} {outcome}" for outcome, number in found.items()))
