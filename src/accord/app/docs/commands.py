"""Every command with its arguments and options, from the command line itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from accord.app.docs.markdown import code, page, table

NAME: Final = "accord"

_TYPES: Final = {
    "str": "TEXT",
    "int range": "NUMBER",
    "float range": "NUMBER",
    "float": "NUMBER",
    "path": "PATH",
    "list[Path]": "PATH",
    "file": "FILE",
    "dir": "FOLDER",
    "%Y-%m-%d": "YYYY-MM-DD",
}
"""What the types of options are called."""

_LEGEND = """\
`accord COMMAND --help` says the same. Where a command has `--json` it prints one JSON object and
nothing else on the standard output. Settings of the site come from the environment
([Settings](settings.md)).

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | done, and what was asked for is not fulfilled: a schema that differs, a signature that does not fit, a score below its bar |
| 2 | wrong use: an unknown option, a file that cannot be read, a value that is refused |
| 3 | cannot run here: no database, the folder is in use, a port is taken, a setting is missing |

`accord import` ends with 0 whatever becomes of single files; what became of each is what it prints.

A command that needs the database joins the one that runs in `ACCORD_DATA_DIR`, or starts it for as
long as the command takes; with `ACCORD_DATABASE_URL` it uses that one."""  # noqa: E501


def commands(_root: Path) -> str:
    """Return the page of commands, in the order of their names."""
    return page("Commands", _LEGEND, *(_command(path, one) for path, one in all_commands()))


def all_commands() -> Iterator[tuple[str, typer.Context]]:
    """Return every command that does something, with its context, by its whole name."""
    from accord.app.cli import build  # noqa: PLC0415 - the command line imports this package

    yield from _below(typer.Context(typer.main.get_command(build()), info_name=NAME))


def _below(context: typer.Context) -> Iterator[tuple[str, typer.Context]]:
    group: Any = context.command
    if not hasattr(group, "list_commands"):
        yield context.command_path, context
        return
    for name in sorted(group.list_commands(context)):
        inner = group.get_command(context, name)
        yield from _below(typer.Context(inner, info_name=name, parent=context))


def _command(path: str, context: typer.Context) -> str:
    told = [one.get_help_record(context) for one in _parameters(context)]
    rows = [(code(_plain(record[0])), record[1]) for record in told if record is not None]
    parts = [
        f"## {path}",
        (context.command.help or "").strip(),
        f"```\n{_usage(path, context)}\n```",
    ]
    return "\n\n".join([*parts, table(("option", "meaning"), rows)] if rows else parts)


def _parameters(context: typer.Context) -> list[Any]:
    return [one for one in context.command.params if one.name != "help"]


def _usage(path: str, context: typer.Context) -> str:
    """Return how it is called: what must be given by name, the rest as `[OPTIONS]`."""
    words = [path]
    parameters = _parameters(context)
    options = [one for one in parameters if one.param_type_name == "option"]
    words += [f"{one.opts[0]} {_upper(one)}" for one in options if one.required]
    if any(not one.required for one in options):
        words.append("[OPTIONS]")
    for one in parameters:
        if one.param_type_name == "argument":
            word = _upper(one) + ("..." if one.nargs == -1 else "")
            words.append(word if one.required else f"[{word}]")
    return " ".join(words)


def _upper(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name).upper()


def _plain(option: str) -> str:
    """Return an option with what it takes, in words instead of types of Python."""
    for kind, word in _TYPES.items():
        option = option.replace(f"<{kind}>", word)
    return option
