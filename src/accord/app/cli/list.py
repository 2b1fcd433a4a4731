"""`accord list`: publish the lists as a signed folder, and verify what was published."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accord.disclosure.folder import Verified

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The public lists.", no_args_is_help=True)
    group.command()(publish)
    group.command()(verify)
    app.add_typer(group, name="list")


def publish(
    out: Annotated[
        Path | None, typer.Option(help="Publication folder; default: the site's own.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Publish the lists of today as the next numbered, signed folder."""
    from accord.disclosure import service
    from accord.kit import running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings

    settings = get_settings()
    with (
        running.database(settings, command="list publish") as database,
        database.begin() as conn,
    ):
        done = service.publish(
            conn, settings, Actor.process("list publish"), out or settings.publication_dir
        )
    facts = {**_facts(done.verified), "folder": str(done.place), "new": done.is_new}
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
    elif done.is_new:
        print(f"published number {facts['number']} of {facts['day']}: {done.place}")
    else:
        print(f"number {facts['number']} already says this: {done.place}")


def verify(
    path: Annotated[Path, typer.Argument(help="Publication folder, one number, or a file of it.")],
    key: Annotated[
        Path | None, typer.Option(help="Public key (PEM); default: the site's own.")
    ] = None,
    publication: Annotated[
        Path | None, typer.Option(help="Publication folder in which a single file is looked up.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Verify signatures, hashes and history; ends with 1 where anything was changed."""
    from accord.disclosure import checking
    from accord.disclosure.errors import Tampered
    from accord.kit.settings import get_settings

    settings = get_settings()
    try:
        found = checking.verify_path(
            path, checking.trusted_key(settings, path, key), publication or settings.publication_dir
        )
    except Tampered as error:
        if as_json:
            print(json.dumps({"verified": False, "reason": error.sentence}, ensure_ascii=False))
        else:
            print(f"not as it was signed: {error.sentence}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from error
    facts = [_facts(each) for each in found]
    if as_json:
        print(json.dumps({"verified": True, "publications": facts}, ensure_ascii=False))
        return
    for each in facts:
        print(f"number {each['number']} of {each['day']} is as it was signed: {each['manifest']}")


def _facts(verified: "Verified") -> dict[str, object]:
    return {
        "number": verified.publication.number,
        "day": verified.publication.day.isoformat(),
        "institutions": len(verified.publication.institutions),
        "items": len(verified.publication.items),
        "manifest": verified.hash,
        "key": verified.manifest.key,
    }
