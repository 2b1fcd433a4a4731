"""The command starts quickly: what a noun needs is imported when it is used."""

import subprocess
import sys

HEAVY = ("sqlalchemy", "psycopg", "fastapi", "numpy", "pydicom", "procrastinate", "alembic")
SCRIPT = """
import sys, typer
from accord.app.cli import build
typer.main.get_command(build())
print(*sys.modules)
"""


def test_building_the_command_imports_nothing_heavy() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    loaded = set(ran.stdout.split())
    assert "accord.app.cli.up" in loaded
    assert sorted(loaded & set(HEAVY)) == []
