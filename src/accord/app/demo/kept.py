"""What a loaded demo left behind: told again without loading, or importing, anything heavy."""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from accord.app.up import addresses
from accord.kit import audit, store
from accord.kit.access import Actor
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings

FILE: Final = "demo.json"
LOADED: Final = "demo.loaded"


@lru_cache(maxsize=1)
def stamp() -> str:
    """Return what the demo of this version is made of, as a hash of its sources."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def note(conn: Connection, actor: Actor) -> None:
    """Note in the trail that the whole demo of this version stands in this database."""
    if not _is_noted(conn):
        audit.record(conn, actor, action=LOADED, subject="demo:region", detail={"stamp": stamp()})


def _is_noted(conn: Connection) -> bool:
    newest = store.read_audit(conn, action=LOADED, limit=1)
    return bool(newest) and newest[0]["detail"].get("stamp") == stamp()


def is_whole(conn: Connection, settings: Settings) -> bool:
    """Say whether loading again would change nothing; `demo.json` then tells today's addresses."""
    if not _is_noted(conn):
        return False
    try:
        told = json.loads((settings.data_dir / FILE).read_text(encoding="utf-8"))
        before = told["addresses"]["inner"]
        for each in told["ready_orders"]:
            for link in ("page", "viewer"):
                each[link] = settings.inner_url + each[link].removeprefix(before)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    told["addresses"] = dict(addresses(settings))
    write(settings, told)
    return True


def write(settings: Settings, told: dict[str, Any]) -> Path:
    """Write `demo.json`, readable by its owner alone."""
    place = settings.data_dir / FILE
    fresh = place.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(told, file, ensure_ascii=False, indent=1)
    fresh.rename(place)
    return place


def describe(settings: Settings) -> list[str]:
    """Return the lines that tell a person how to enter the demo.

    Raises:
        CannotRun: No demo was loaded here.
    """
    place = settings.data_dir / FILE
    if not place.exists():
        raise CannotRun(f"There is no demo in {settings.data_dir}: run `accord demo load` first.")
    demo = json.loads(place.read_text(encoding="utf-8"))
    lines = [f"{'login':16} {'password':14} who"]
    lines += [
        f"{each['login']:16} {each['password']:14} {each['name']} ({each['role']})"
        for each in demo["accounts"]
    ]
    lines += ["", f"{'order':28} {'physician':14} {'advice':16} what it shows"]
    lines += [
        f"{each['order']:28} {each['physician']:14} {each['advice'] or '-':16} {each['title']}"
        for each in demo["ready_orders"]
    ]
    return [*lines, "", f"system keys and AE titles: {place}"]
