"""`accord up` as a person runs it: ready, joined, refused a second time, killed, stopped."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from support.processes import (
    ACCORD,
    free_port,
    is_alive,
    kill,
    mentioning,
    short_folder,
    wait_until,
)

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


@dataclass
class Up:
    """A running `accord up`."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    environment: dict[str, str]
    words: IO[bytes]

    def said(self) -> str:
        self.words.seek(0)
        return self.words.read().decode()

    def is_ready(self) -> bool:
        address = f"http://127.0.0.1:{self.environment['ACCORD_HTTP_PORT']}/readyz"
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(address, timeout=2) as answer,
        ):
            return bool(answer.status == 200)
        return False

    def has_told(self) -> bool:
        return bool(re.search(r"^ready$", self.said(), re.MULTILINE))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ACCORD, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment,
        )

    def children(self, name: str) -> set[int]:
        """The processes of PostgreSQL, or of a face by its command."""
        word = b"-D" if name == "postgres" else name.encode()
        return {pid for pid in children_of(self.process.pid) if word in command_of(pid)}


def children_of(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(word) for word in listed.split()]


def command_of(pid: int) -> list[bytes]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


@contextmanager
def up(folder: Path) -> Iterator[Up]:
    """Start `accord up` over a folder; whatever is left of it is killed at the end."""
    environment = {
        **os.environ,
        "ACCORD_DATA_DIR": str(folder / "var"),
        "ACCORD_HTTP_PORT": str(free_port()),
        "ACCORD_OUTER_PORT": str(free_port()),
        "ACCORD_DIMSE_PORT": str(free_port()),
        "ACCORD_MLLP_PORT": str(free_port()),
    }
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen([*ACCORD, "up"], stdout=words, stderr=words, env=environment)
        running = Up(process, folder / "var", environment, words)
        try:
            yield running
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with short_folder() as short:
        yield short


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Up]:
    with up(folder) as started:
        assert wait_until(started.has_told, within=120), started.said()
        yield started


def test_addresses_are_told_when_everything_answers(running: Up):
    said = running.said()
    assert f"http://127.0.0.1:{running.environment['ACCORD_HTTP_PORT']}" in said
    assert f"http://127.0.0.1:{running.environment['ACCORD_OUTER_PORT']}" in said
    assert f"ACCORD@127.0.0.1:{running.environment['ACCORD_DIMSE_PORT']}" in said
    assert f"127.0.0.1:{running.environment['ACCORD_MLLP_PORT']}" in said
    assert running.is_ready()


def test_second_up_says_who_runs_here_and_since_when(running: Up):
    second = running.run("up")
    assert second.returncode == 3
    assert re.search(
        rf"in use by process {running.process.pid} since 20\d\d-\d\d-\d\d", second.stderr
    )
    assert running.is_ready()


def test_other_command_joins(running: Up):
    checked = running.run("db", "check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, {"differences": []})
    assert running.is_ready()


def test_outer_face_knows_no_database_and_not_where_its_address_stands(running: Up):
    (pid,) = running.children("disclose")
    known = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"postgresql://" not in known
    assert b"ACCORD_DATA_DIR" not in known
    loaded = Path(f"/proc/{pid}/maps").read_text()
    assert "psycopg" not in loaded


@pytest.mark.parametrize("name", ["postgres", "serve", "receive", "work", "disclose"])
def test_killed_process_comes_back(running: Up, name: str):
    before = running.children(name)
    victim = min(before)
    kill(victim)

    def is_whole_again() -> bool:
        now = running.children(name)
        return victim not in now and len(now) == len(before)

    assert wait_until(is_whole_again, within=20)
    assert wait_until(running.is_ready, within=20)


def test_killed_supervisor_leaves_nobody_and_the_next_start_takes_over():
    with short_folder() as own:
        with up(own) as first:
            assert wait_until(first.has_told, within=120), first.said()
            everybody = children_of(first.process.pid)
            assert len(everybody) >= 5
            kill(first.process.pid)
            first.process.wait()
            assert wait_until(lambda: not [pid for pid in everybody if is_alive(pid)])
        with up(own) as second:
            assert wait_until(second.has_told, within=120), second.said()
            second.process.send_signal(signal.SIGINT)
            assert second.process.wait(60) == 0
            assert mentioning(own) == []


def test_taken_port_is_named():
    with short_folder() as other, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [*ACCORD, "up"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={
                **os.environ,
                "ACCORD_DATA_DIR": str(other / "var"),
                "ACCORD_HTTP_PORT": str(port),
            },
        )
    assert refused.returncode == 3
    assert str(port) in refused.stderr
