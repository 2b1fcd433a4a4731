"""Who runs in a data folder: one lock, one description of what runs, everybody else joins.

`lock` belongs to the process that runs the database (`accord up`, or a command while nothing
else runs). `run.json` says where the database is. `guests` is locked, shared, by commands that
joined a database of another command, so that this one waits for them before it stops it.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from accord.kit import clock
from accord.kit.db import Database
from accord.kit.errors import CannotRun
from accord.kit.postgres import Postgres
from accord.kit.preparation import prepare
from accord.kit.settings import Settings

UP: Final = "up"
STARTS_WITHIN: Final = 90.0  # seconds a joining command waits for an owner that is starting


class InUse(CannotRun):
    """Another `accord up` runs in this folder."""

    code = "in_use"


@dataclass(frozen=True)
class Owner:
    """The process that holds the lock."""

    pid: int
    since: str
    command: str

    @property
    def since_local(self) -> str:
        """When it took the lock, as a clock on the wall says."""
        moment = datetime.fromisoformat(self.since).astimezone(clock.LOCAL)
        return moment.strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Run:
    """What `run.json` tells; it holds the password of the database and is for its owner only."""

    pid: int
    since: str
    database_url: str
    ports: Mapping[str, int]


class Held:
    """The lock of a data folder, while this process has it."""

    def __init__(self, data_dir: Path, owner: Owner, lock: IO[str]) -> None:
        self.data_dir = data_dir
        self.owner = owner
        self._lock = lock

    def tell(self, database_url: str, ports: Mapping[str, int] | None = None) -> None:
        """Write `run.json`: from now on other commands join."""
        run = Run(self.owner.pid, self.owner.since, database_url, dict(ports or {}))
        _write_private(_run_file(self.data_dir), json.dumps(asdict(run), indent=1))

    def fall_silent(self) -> None:
        """Remove `run.json`: nobody joins any more."""
        _run_file(self.data_dir).unlink(missing_ok=True)

    def wait_for_guests(self) -> None:
        """Wait until every command that joined has ended."""
        with _open(self.data_dir / "guests") as guests:
            fcntl.flock(guests, fcntl.LOCK_EX)

    def release(self) -> None:
        """Give the folder back."""
        self.fall_silent()
        self._lock.close()


def make_data_dir(data_dir: Path) -> None:
    """Make the data folder; as root the account of the database must be able to pass it."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise CannotRun(f"{data_dir} cannot be made: set ACCORD_DATA_DIR.") from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise CannotRun(f"{data_dir} is not ours to write: set ACCORD_DATA_DIR.")
    if os.geteuid() == 0 and data_dir.stat().st_uid != 0:
        # Files of root in it would lock its owner out.
        raise CannotRun(f"{data_dir} belongs to another user: act as that user, not as root.")


def try_hold(data_dir: Path, command: str) -> Held | None:
    """Take the lock of a folder, or return None when another process has it."""
    make_data_dir(data_dir)
    lock = _open(data_dir / "lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    owner = Owner(os.getpid(), clock.now().isoformat(), command)
    lock.truncate(0)
    lock.write(json.dumps(asdict(owner)))
    lock.flush()
    held = Held(data_dir, owner, lock)
    held.fall_silent()  # what a killed owner left
    return held


@contextmanager
def hold(data_dir: Path, *, say: Callable[[str], object] = lambda _words: None) -> Iterator[Held]:
    """Hold the folder for `accord up`.

    A command that runs the database for itself is waited for; another `accord up` is not.

    Raises:
        InUse: Another `accord up` runs here.
    """
    told = False
    while (held := try_hold(data_dir, UP)) is None:
        owner = read_owner(data_dir)
        if owner is not None and owner.command == UP:
            raise InUse(
                f"This folder is in use by process {owner.pid} since {owner.since_local}: "
                f"{data_dir}"
            )
        if owner is not None and not told:
            say(f"Waiting for process {owner.pid} ({owner.command}) to finish with {data_dir}.")
            told = True
        time.sleep(0.2)
    try:
        yield held
    finally:
        held.release()


@contextmanager
def database(
    settings: Settings, *, command: str = "command", prepared: bool = True
) -> Iterator[Database]:
    """Give a command its database, whatever runs already.

    With `ACCORD_DATABASE_URL` set it is that one. Else the command joins the running one, or,
    when nothing runs, starts the embedded one for its own duration.

    Args:
        settings: Where.
        command: How the lock names us while we run the database.
        prepared: Bring a database that we start to this version first.
    """
    if settings.database_url is not None:
        with _connected(settings.database_url.get_secret_value()) as connected:
            yield connected
        return
    data_dir = settings.data_dir.resolve()
    until = time.monotonic() + STARTS_WITHIN
    while True:
        held = try_hold(data_dir, command)
        if held is not None:
            with _running_ourselves(held, prepared=prepared) as ours:
                yield ours
            return
        guest = _join(data_dir)
        if guest is not None:
            guests, run = guest
            with guests, _connected(run.database_url) as joined:
                yield joined
            return
        if time.monotonic() > until:
            owner = read_owner(data_dir)
            raise CannotRun(
                f"Process {owner.pid if owner else '?'} holds {data_dir} and runs no database."
            )
        time.sleep(0.1)


def read_owner(data_dir: Path) -> Owner | None:
    """Return who wrote the lock last; None in the moment in which it is being written."""
    try:
        return Owner(**json.loads((data_dir / "lock").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return None


def read_run(data_dir: Path) -> Run | None:
    """Return what runs in a folder, or None when nothing that others could join does."""
    try:
        return Run(**json.loads(_run_file(data_dir).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise CannotRun(f"{data_dir} is run by another user: act as that user.") from error


def _join(data_dir: Path) -> tuple[IO[str], Run] | None:
    """Become a guest; the order (lock, then read) is what the owner's last wait relies on."""
    guests = _open(data_dir / "guests")
    try:
        fcntl.flock(guests, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # the owner is about to stop
        guests.close()
        return None
    run = read_run(data_dir)
    if run is None:
        guests.close()
        return None
    return guests, run


@contextmanager
def _running_ourselves(held: Held, *, prepared: bool) -> Iterator[Database]:
    server = Postgres(held.data_dir / "database")
    try:
        url = server.start()
        if prepared:
            prepare(url)
        held.tell(url)
        with _connected(url) as ours:
            yield ours
        held.fall_silent()
        held.wait_for_guests()
    finally:
        server.stop()
        held.release()


@contextmanager
def _connected(url: str) -> Iterator[Database]:
    opened = Database(url)
    try:
        yield opened
    finally:
        opened.close()


def _run_file(data_dir: Path) -> Path:
    return data_dir / "run.json"


def _open(path: Path) -> IO[str]:
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    except PermissionError as error:
        raise CannotRun(f"{path} belongs to another user: act as that user.") from error


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
