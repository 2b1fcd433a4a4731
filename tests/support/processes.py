"""Real processes in tests: start, kill, look who is left."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ACCORD = [sys.executable, "-P", "-c", "from accord.app.cli import main; main()"]


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short path that the account of the database may pass."""
    folder = Path(tempfile.mkdtemp(prefix="accord-t-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(question: Callable[[], bool], *, within: float = 20.0) -> bool:
    """Ask until the answer is yes; return the last answer."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if question():
            return True
        time.sleep(0.05)
    return question()


def is_alive(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def mentioning(word: str | Path) -> list[int]:
    """Return the living processes whose command line or environment has a word."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if os.fsencode(word) in known:
            found.append(int(entry.name))
    return found


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def can_connect(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


@contextmanager
def python(script: str, *words: str | Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process of its own; killed at the end of the block."""
    child = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
