"""`accord bench`: measurements on this machine; every module of `accord.app.bench` with `run`.

The options of a command are the keyword parameters of its `run`.
"""

import importlib
import importlib.util
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class Benches(TyperGroup):
    """Loads a bench when it is asked for: a bench imports most of the product."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the benches."""
        found = [each.name for each in pkgutil.iter_modules(_package().__path__)]
        return sorted(name for name in found if self.get_command(ctx, name) is not None)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of one bench, or None."""
        del ctx
        name = f"{_package().__name__}.{cmd_name}"
        module = importlib.import_module(name) if importlib.util.find_spec(name) else None
        if module is None or not hasattr(module, "run"):
            return None
        one = typer.Typer(add_completion=False)
        one.command(cmd_name, help=inspect.getdoc(module.run))(_command(module))
        return typer.main.get_command(one)


def add(app: typer.Typer) -> None:
    """Add a command for every bench."""
    group = typer.Typer(cls=Benches, help="Measure on this machine.", no_args_is_help=True)
    group.callback()(_measure)
    app.add_typer(group, name="bench")


def _package() -> ModuleType:
    from accord.app import bench

    return bench


def _measure() -> None:
    """Measure on this machine."""


def _command(module: ModuleType) -> Callable[..., None]:
    """Return the command of a bench: the options of its `run`, and `--json`."""

    def command(*, as_json: bool = False, **options: Any) -> None:
        from accord.kit import logs
        from accord.kit.settings import get_settings

        settings = get_settings()
        logs.configure(settings.log_level)
        result = module.run(settings, **options)
        if as_json:
            print(json.dumps(result, ensure_ascii=False))
            return
        for line in _lines(result):
            print(line)

    signature = inspect.signature(module.run)
    options = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    told = inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json
    )
    command.__signature__ = inspect.Signature([*options, told])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (*options, told)}
    return command


def _lines(result: dict[str, Any]) -> list[str]:
    """Return the figures as people read them."""
    shown = [f"{result['name']}: " + ", ".join(f"{k} {v}" for k, v in result["machine"].items())]
    for part in ("figures", "peer", "ratios"):
        shown += [f"  {part:8} {name:28} {value}" for name, value in result[part].items()]
    return shown


def say(words: str) -> None:
    """Tell the person who waits; never part of the result."""
    print(words, file=sys.stderr, flush=True)
