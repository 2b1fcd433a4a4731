"""Keep a set of processes running: start, restart with patience, stop in order."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import structlog

from accord.kit import children

TICK: Final = 0.2  # seconds between looks at the children
FIRST_WAIT: Final = 0.5  # seconds before the first restart; doubled up to the longest
LONGEST_WAIT: Final = 30.0
STEADY_AFTER: Final = 60.0  # seconds of life after which the next restart is quick again
COMMAND: Final = (sys.executable, "-P", "-c", "from accord.app.cli import main; main()")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Process:
    """A program to keep running.

    Attributes:
        name: For the log.
        argv: The program, by full path, and its arguments.
        environment: Its whole environment.
        stop_rank: The lower ones are stopped first and waited for.
        patience: Seconds it may take to stop before it is killed.
        delay: Seconds after the others in which it starts, so that they get the processor first.
            `Supervisor.start_the_rest` ends the waiting.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    stop_rank: int = 0
    patience: float = 15.0
    delay: float = 0.0


@dataclass
class _Child:
    process: Process
    handle: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = FIRST_WAIT
    due: float = 0.0


@dataclass
class Supervisor:
    """Runs processes until it is told to stop; its main thread is their lifeline.

    Attributes:
        processes: What to keep running.
        each_tick: Called between looks (the database, the readiness).
    """

    processes: Sequence[Process]
    each_tick: Callable[[], None] = lambda: None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _children: list[_Child] = field(default_factory=list)

    def run(self) -> None:
        """Start everything, restart what dies, and return after SIGTERM, SIGINT or `stop`."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        for number in before:
            signal.signal(number, self._on_signal)
        begun = time.monotonic()
        self._children = [_Child(process, due=begun + process.delay) for process in self.processes]
        try:
            while not self._stopping.is_set():
                for child in self._children:
                    self._look_after(child)
                self.each_tick()
                self._stopping.wait(TICK)
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask `run` to stop everything and return."""
        self._stopping.set()

    def start_the_rest(self) -> None:
        """Start at the next look what still waits for its first start."""
        for child in self._children:
            if not child.started:
                child.due = 0.0

    def pids(self) -> dict[str, int]:
        """Return the children that live."""
        return {
            child.process.name: child.handle.pid
            for child in self._children
            if child.handle is not None and child.handle.poll() is None
        }

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.handle is not None:
            code = child.handle.poll()
            if code is None:
                return
            if now - child.started > STEADY_AFTER:
                child.wait = FIRST_WAIT
            log.warning("process ended", process=child.process.name, code=code, again=child.wait)
            child.handle, child.due = None, now + child.wait
            child.wait = min(child.wait * 2, LONGEST_WAIT)
        if now >= child.due:
            child.handle = children.start(child.process.argv, environment=child.process.environment)
            child.started = now

    def _stop_all(self) -> None:
        living = [child for child in self._children if child.handle is not None]
        for rank in sorted({child.process.stop_rank for child in living}):
            group = [child for child in living if child.process.stop_rank == rank]
            for child in group:
                if child.handle is not None and child.handle.poll() is None:
                    child.handle.send_signal(signal.SIGTERM)
            until = time.monotonic() + max(child.process.patience for child in group)
            for child in group:
                _wait_or_kill(child, until)


def _wait_or_kill(child: _Child, until: float) -> None:
    if child.handle is None:
        return
    try:
        child.handle.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        log.warning("process killed", process=child.process.name)
        child.handle.kill()
        child.handle.wait()


def accord(*words: str) -> list[str]:
    """Return the command line of one of our own commands, whatever PATH says."""
    return [*COMMAND, *words]


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's environment with changes; None takes a name away."""
    changed = {
        **os.environ,
        **{name: value for name, value in changes.items() if value is not None},
    }
    return {name: value for name, value in changed.items() if changes.get(name, value) is not None}
