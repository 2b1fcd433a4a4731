"""Child processes that never outlive the process that started them.

The tie is the kernel's parent-death signal. It follows the *thread* that started the child, so
children are started from a thread that lives as long as they should: the main thread.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from accord.kit.launch import tie

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class User:
    """An account to run as."""

    name: str
    uid: int
    gid: int


def start(
    argv: Sequence[str | Path],
    *,
    on_parent_death: signal.Signals = signal.SIGKILL,
    user: User | None = None,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    umask: int = 0o077,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that gets a signal when this process dies.

    A session of its own keeps Ctrl-C of the terminal away from it, so that the one who started
    it decides in which order things stop.

    Args:
        argv: The program, by full path, and its arguments.
        on_parent_death: The signal it gets when this process dies in any way.
        user: The account to run as; only root may name one.
        environment: The whole environment; unset means this process's.
        output: Where its standard output and error go; unset means this process's.
        umask: Rights that its new files never have.
    """
    ids = (-1, -1) if user is None else (user.uid, user.gid)
    launcher = [sys.executable, "-I", "-S", LAUNCHER, os.getpid(), int(on_parent_death), *ids]
    return subprocess.Popen(
        [str(word) for word in (*launcher, *argv)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        env=None if environment is None else dict(environment),
        cwd=None if user is None else "/",
        start_new_session=True,
        umask=umask,
    )


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent dies; for forked or spawned workers.

    Programs started by `start` are tied already.

    Args:
        parent: The parent's process id as the parent told it; it may have died already.
    """
    tie(parent, signal.SIGKILL)


def stop(child: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Stop a child: each signal in turn, with its patience in seconds, then SIGKILL."""
    for number, patience in steps:
        if child.poll() is not None:
            return
        child.send_signal(number)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    child.kill()
    child.wait()
