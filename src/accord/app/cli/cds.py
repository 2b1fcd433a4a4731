"""`accord cds`: CDS clients that prove themselves with signed tokens."""

import json
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="CDS clients with signed tokens.", no_args_is_help=True)
    group.callback()(_clients)
    group.command("add")(add_client)
    app.add_typer(group, name="cds")


def _clients() -> None:
    """CDS clients with signed tokens."""


def add_client(
    issuer: Annotated[str, typer.Argument(help="Its `iss`, as its tokens write it.")],
    keys: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="JSON Web Key Set.")],
    institution: Annotated[str, typer.Option(help="Institution whose physicians it serves.")],
    name: Annotated[str, typer.Option(help="Name that records show.")],
    *,
    as_json: Json = False,
) -> None:
    """Register a client with the public keys it handed over, or give a known one new keys."""
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings
    from accord.reminder import clients

    with (
        running.database(get_settings(), command="cds add") as database,
        database.begin() as conn,
    ):
        client = clients.register(
            conn,
            Actor.process("cds add"),
            issuer=issuer,
            display=name,
            institution=institution,
            key_set=keys.read_text(encoding="utf-8"),
        )
    kinds = [str(key["kid"]) for key in client.keys]
    if as_json:
        print(json.dumps({"client": issuer, "keys": kinds}))
    else:
        print(f"client {issuer} is ready, keys {', '.join(kinds)}")
