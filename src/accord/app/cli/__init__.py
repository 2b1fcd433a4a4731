"""The `accord` command: one file a noun, each with `add(app)`; heavy imports wait for their use.

Exit codes (design.md 6): 0 done; 1 done and what was asked is not fulfilled; 2 wrong use;
3 cannot run.
"""

import importlib
import pkgutil
import sys

import typer

from accord.kit.errors import AccordError
from accord.kit.preparation import prepare_with


def build() -> typer.Typer:
    """Return the command with every noun of this package."""
    app = typer.Typer(
        help="Mutual recognition and quality control of DR, CT and MR examinations.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f"{__name__}.{module.name}").add(app)
    return app


def main() -> None:
    """Run the command and end with its exit code."""
    prepare_with(_migrate)
    try:
        build()()
    except AccordError as error:
        print(error.sentence, file=sys.stderr)
        sys.exit(error.exit_code)


def _migrate(url: str) -> None:
    from accord.app import migrations

    if not migrations.is_current(url):
        migrations.upgrade(url)
