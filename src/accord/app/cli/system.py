"""`accord system`: systems of hospitals and their keys."""

import json
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Systems of hospitals and their keys.", no_args_is_help=True)
    group.callback()(_systems)
    group.command("add")(add_system)
    app.add_typer(group, name="system")


def _systems() -> None:
    """Systems of hospitals and their keys."""


def add_system(
    code: Annotated[str, typer.Argument(help="Code of the system, unique here.")],
    name: Annotated[str, typer.Option(help="Name that records show.")],
    kind: Annotated[str, typer.Option(help="his, ris, pacs, engine or monitoring.")],
    institution: Annotated[str | None, typer.Option(help="Whose system it is.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Register a system, or give a known one a new key; the key is printed once, kept nowhere."""
    from accord.app import accounts
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    with (
        running.database(get_settings(), command="system add") as database,
        database.begin() as conn,
    ):
        key = accounts.put_system(
            conn, Actor.process("system add"), code, name, kind=kind, institution=institution
        )
    if as_json:
        print(json.dumps({"system": code, "key": key}))
    else:
        print(f"system {code} is ready, key {key}")
