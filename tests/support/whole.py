"""The whole product as a person runs it: `accord up --demo` in processes of its own.

The small demo is loaded once per run of the tests; everybody works on a copy of that folder.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from pynetdicom import AE, Association, build_context

from accord.app.demo.people import PEOPLE
from support.processes import ACCORD, free_port, short_folder, wait_until

READY_WITHIN = 120.0  # seconds; a busy machine, never a measure
PORTS = {
    "http": "ACCORD_HTTP_PORT",
    "outer": "ACCORD_OUTER_PORT",
    "dimse": "ACCORD_DIMSE_PORT",
    "mllp": "ACCORD_MLLP_PORT",
}


def small_demo(folder: Path) -> Path:
    """Return the data folder with the small demo, loading it if nobody has yet."""
    loaded = folder / "small-demo"
    with (folder / "small-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (loaded / "demo.json").exists():
            shutil.rmtree(loaded, ignore_errors=True)
            subprocess.run(
                [sys.executable, __file__],
                check=True,
                env={
                    **os.environ,
                    "ACCORD_DATA_DIR": str(loaded),
                    "PYTHONPATH": str(Path(__file__).parents[1]),
                },
            )
    return loaded


@dataclass
class Whole:
    """One `accord up` over a folder."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ("up", "--demo")

    def __post_init__(self) -> None:
        self.data_dir = self.folder / "var"
        self.log = self.folder / "log"
        self.told = self.folder / "told"  # what it says to the person in front of it
        self.ports = {name: free_port() for name in PORTS}
        self.environment = {
            **os.environ,
            "ACCORD_DATA_DIR": str(self.data_dir),
            "ACCORD_RECEIVE_PROCESSES": "1",
            **{variable: str(self.ports[name]) for name, variable in PORTS.items()},
            **self.settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    # -- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it; its words are added to the log."""
        with self.log.open("ab") as log, self.told.open("wb") as told:
            self.process = subprocess.Popen(
                [*ACCORD, *self.words], stdout=told, stderr=log, env=self.environment
            )

    def wait(self, within: float = READY_WITHIN) -> None:
        """Wait until it tells that everything answers."""
        assert wait_until(self.has_told, within=within), self.said()[-3000:]

    def has_told(self) -> bool:
        """Say whether it told, since the last start, that it is ready."""
        return bool(re.search(r"^ready$", self.told.read_text(), re.MULTILINE))

    def said(self) -> str:
        """Return its log."""
        return self.log.read_bytes().decode(errors="replace")

    def is_ready(self) -> bool:
        """Say whether the inner face says it is ready."""
        with suppress(httpx.TransportError), self.http() as client:
            return client.get("/readyz", timeout=2).status_code == 200
        return False

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(90)

    def kill(self) -> None:
        """kill -9 the supervisor."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def pid(self) -> int:
        """The process of the supervisor."""
        assert self.process is not None
        return self.process.pid

    def children(self, name: str) -> list[int]:
        """Return the processes of PostgreSQL, or of a face by its command."""
        word = {"postgres": b"-D", "mllp": b"--mllp"}.get(name, name.encode())
        commands = {pid: command_of(pid) for pid in children_of(self.pid)}
        return [
            pid
            for pid, command in commands.items()
            if word in command and (name == "mllp" or b"--mllp" not in command)
        ]

    # -- ways in ----------------------------------------------------------------------------------

    @property
    def demo(self) -> dict[str, Any]:
        """What `demo.json` tells."""
        told: dict[str, Any] = json.loads((self.data_dir / "demo.json").read_text())
        return told

    def http(self, face: str = "http", **headers: str) -> httpx.Client:
        """Return a client of a face."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.ports[face]}",
            headers=headers,
            timeout=30,
            trust_env=False,
            verify=False,  # plain HTTP: reading the machine's authorities takes longer than asking
        )

    def his(self, institution: str) -> httpx.Client:
        """Return a client that speaks as the system of a hospital."""
        (key,) = (s["key"] for s in self.demo["systems"] if s["institution"] == institution)
        return self.http(authorization=f"Bearer {key}")

    @contextmanager
    def person(self, login: str) -> Iterator[httpx.Client]:
        """Give a client with a session of that person."""
        with self.http() as client:
            answer = client.post(
                "/api/v1/login", json={"login": login, "password": self.password(login)}
            )
            assert answer.status_code == 200, answer.text
            client.headers["x-csrf-token"] = answer.json()["csrf"]
            yield client

    def password(self, login: str) -> str:
        """Return the password of an account."""
        (found,) = (a["password"] for a in self.demo["accounts"] if a["login"] == login)
        return str(found)

    def associate(
        self, institution: str, *contexts: tuple[str, str], ae_title: str | None = None
    ) -> Association:
        """Associate as the PACS of a hospital."""
        entity = AE(ae_title or self.demo["ae_titles"][institution])
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 30
        return entity.associate(
            "127.0.0.1",
            self.ports["dimse"],
            contexts=[build_context(abstract, [syntax]) for abstract, syntax in contexts],
            ae_title="ACCORD",
        )

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database, past every interface."""
        url = json.loads((self.data_dir / "run.json").read_text())["database_url"]
        with psycopg.connect(url) as conn:
            return conn.execute(statement, values).fetchall()


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    with suppress(FileNotFoundError, ProcessLookupError):
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        return [int(word) for word in listed.split()]
    return []


def command_of(pid: int) -> list[bytes]:
    """Return the words of a process's command line."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def resident(pid: int) -> int:
    """Return the bytes of memory a process holds."""
    words = Path(f"/proc/{pid}/statm").read_text().split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(template: Path, **settings: str) -> Iterator[Whole]:
    """Run a copy of a loaded folder; whatever is left of it is killed at the end."""
    with short_folder() as folder:
        # With the owners: the database belongs to an account of its own where root runs it.
        subprocess.run(["cp", "-a", str(template), str(folder / "var")], check=True)
        whole = Whole(folder, settings)
        whole.start()
        try:
            whole.wait()
            yield whole
        finally:
            if whole.process is not None and whole.process.poll() is None:
                whole.stop()
                whole.kill()


def secrets_of_people(whole: Whole) -> set[str]:
    """Return what must stand in no log: names, numbers and phones of people, and credentials."""
    demo = whole.demo
    found = {word for person in PEOPLE.values() for word in (person.name, person.national_id)}
    found |= {person.pinyin for person in PEOPLE.values() if person.pinyin}
    found |= {account["password"] for account in demo["accounts"]}
    found |= {system["key"] for system in demo["systems"]}
    return found


def told_about(text: str, words: set[str]) -> set[str]:
    """Return which of these words stand in a text."""
    return {word for word in words if word in text}


def _load() -> None:
    from accord.app.cli import _migrate
    from accord.app.demo.load import load
    from accord.kit import logs, running
    from accord.kit.preparation import prepare_with
    from accord.kit.settings import get_settings

    prepare_with(_migrate)
    settings = get_settings()
    logs.configure(settings.log_level)
    with running.database(settings, command="demo load") as database:
        load(database, settings, small=True)


if __name__ == "__main__":
    _load()
