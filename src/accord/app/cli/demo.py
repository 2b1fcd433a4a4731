"""`accord demo`: the demo region."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def add(app: typer.Typer) -> None:
    """Add the commands."""
    demo = typer.Typer(help="The demo region: invented hospitals, people and examinations.")
    demo.command()(load)
    demo.command()(show)
    app.add_typer(demo, name="demo")


def load(
    imports: Annotated[
        list[Path] | None,
        typer.Option("--import", help="A file or folder of DICOM to send as well; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Load the demo region into a fresh database; refused on one with real data."""
    from accord.app.demo.load import load as load_region
    from accord.kit import logs, running
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)

    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    with running.database(settings, command="demo load") as database:
        counts = load_region(database, settings, imports=imports or [], say=say).as_dict()
    if as_json:
        print(json.dumps(counts, ensure_ascii=False))
        return
    for name, value in counts.items():
        print(f"{name:14} {value}")


def show() -> None:
    """Print the accounts, system keys and ready orders of the loaded demo."""
    from accord.app.demo.kept import describe
    from accord.kit.settings import get_settings

    for line in describe(get_settings()):
        print(line)
