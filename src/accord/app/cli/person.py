"""`accord person`: accounts and posts of people."""

import json
from datetime import datetime
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Accounts and posts of people.", no_args_is_help=True)
    group.command("add")(add_person)
    group.command("leave")(leave)
    app.add_typer(group, name="person")


def add_person(
    login: Annotated[str, typer.Argument(help="Name to log in with.")],
    name: Annotated[str, typer.Option(help="Name that screens show.")],
    role: Annotated[str | None, typer.Option(help="Role of the post.")] = None,
    institution: Annotated[str | None, typer.Option(help="Institution of the post.")] = None,
    authority: Annotated[
        str | None, typer.Option(help="Commission or QC centre of the post.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; default today.")
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password.")] = False,
    *,
    as_json: Json = False,
) -> None:
    """Make an account with a post, or give a known one a new password, printed once."""
    from accord.app import accounts
    from accord.kit import access, clock, running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings
    from accord.registry.model import PostHeld, RoleName

    settings = get_settings()
    typed = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else None
    password = typed or access.new_token()[:20]
    posts = []
    if role is not None:
        if role not in set(RoleName):
            raise typer.BadParameter(f"one of {', '.join(RoleName)}", param_hint="--role")
        first = since.date() if since else clock.today()
        posts = [PostHeld(login, RoleName(role), first, None, institution, authority)]
    with running.database(settings, command="person add") as database, database.begin() as conn:
        accounts.put_person(
            conn,
            Actor.process("person add"),
            login,
            name,
            password,
            least_length=settings.password_length,
            posts=posts,
        )
    shown = {"login": login, "password": None if typed else password}
    if as_json:
        print(json.dumps(shown, ensure_ascii=False))
    else:
        print(f"account {login} is ready" + ("" if typed else f", password {password}"))


def leave(
    login: Annotated[str, typer.Argument(help="Whose post ends.")],
    role: Annotated[str, typer.Option(help="Role of the post.")],
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day without; today.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """End a post; what was done in it stays."""
    from accord.kit import clock, running
    from accord.kit.access import Actor
    from accord.kit.settings import get_settings
    from accord.registry import service as registry
    from accord.registry.model import RoleName

    if role not in set(RoleName):
        raise typer.BadParameter(f"one of {', '.join(RoleName)}", param_hint="--role")
    day = on.date() if on else clock.today()
    with (
        running.database(get_settings(), command="person leave") as database,
        database.begin() as conn,
    ):
        registry.end_post(conn, Actor.process("person leave"), login, RoleName(role), day)
    if as_json:
        print(json.dumps({"login": login, "role": role, "on": str(day)}))
    else:
        print(f"{login} is no longer {role} from {day} on")
