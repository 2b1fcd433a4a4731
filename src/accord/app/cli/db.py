"""`accord db`: versions of the schema."""

import json
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Versions of the database's schema.", no_args_is_help=True)
    for command in (upgrade, check, revision):
        group.command()(command)
    app.add_typer(group, name="db")


def upgrade(*, as_json: Json = False) -> None:
    """Bring the schema to this version."""
    from accord.app import migrations
    from accord.kit import running
    from accord.kit.settings import get_settings

    with running.database(get_settings(), command="db upgrade") as database:
        applied = migrations.upgrade(database.url)
        head = migrations.head_revision()
    if as_json:
        print(json.dumps({"applied": applied, "revision": head}))
    else:
        print("\n".join(applied) or f"nothing to do, the schema is at {head}")


def check(*, as_json: Json = False) -> None:
    """Compare the schema with this version; ends with 1 where they differ."""
    from accord.app import migrations
    from accord.kit import running
    from accord.kit.settings import get_settings

    with running.database(get_settings(), command="db check", prepared=False) as database:
        found = migrations.differences(database.url)
    if as_json:
        print(json.dumps({"differences": found}, ensure_ascii=False))
    else:
        print("\n".join(found) or "the schema is that of this version")
    if found:
        raise typer.Exit(1)


def revision(words: Annotated[str, typer.Argument(help="What it is about.")]) -> None:
    """Write a new revision from the differences (for developers); read it before you keep it."""
    from accord.app import migrations
    from accord.kit import running
    from accord.kit.settings import get_settings

    with running.database(get_settings(), command="db revision") as database:
        for path in migrations.new_revision(database.url, words):
            print(path)
