"""Children are kept running, stopped in order, and never outlive their supervisor."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.app.supervisor import Process, Supervisor, environment
from support.processes import is_alive, kill, python, short_folder, wait_until

pytestmark = pytest.mark.processes

LIVE = "import time; time.sleep(600)"
DIE = "raise SystemExit(4)"
# Writes its name when it ends: shows the order.
LAST_WORDS = """
import signal, sys, time
def end(*_):
    time.sleep(float(sys.argv[3]))
    with open(sys.argv[1], "a") as file: file.write(sys.argv[2])
    raise SystemExit
signal.signal(signal.SIGTERM, end)
open(sys.argv[1], "a").write("+")
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""
OUTER = """
import sys
from accord.app.supervisor import Process, Supervisor
argv = [sys.executable, "-c", "import time; time.sleep(600)"]
supervisor = Supervisor([Process("one", argv, {}), Process("two", argv, {})])
def tell():
    pids = supervisor.pids()
    print(*pids.values(), flush=True)
    supervisor.each_tick = lambda: None
supervisor.each_tick = tell
supervisor.run()
"""


def process(name: str, script: str, *words: str, **choices: float) -> Process:
    return Process(name, [sys.executable, "-c", script, *words], environment(), **choices)


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as short:
        yield short


def run_until(supervisor: Supervisor, question, *, within: float = 15.0) -> bool:
    """Run until a question about it is answered with yes, then stop it."""
    until = time.monotonic() + within
    answer: list[bool] = []

    def look() -> None:
        if question() or time.monotonic() > until:
            answer.append(question())
            supervisor.stop()

    supervisor.each_tick = look
    supervisor.run()
    return answer[0]


def test_killed_child_is_started_again():
    supervisor = Supervisor([process("one", LIVE)])
    seen: list[int] = []

    def came_back() -> bool:
        pid = supervisor.pids().get("one")
        if pid is not None and pid not in seen:
            seen.append(pid)
            if len(seen) == 1:
                kill(pid)
        return len(seen) == 2

    assert run_until(supervisor, came_back)
    assert [pid for pid in seen if is_alive(pid)] == []


def test_child_that_keeps_dying_is_started_more_and_more_rarely(folder: Path):
    script = f"open({str(folder / 'starts')!r}, 'a').write('x'); {DIE}"
    supervisor = Supervisor([process("one", script)])
    begun = time.monotonic()
    run_until(supervisor, lambda: time.monotonic() - begun > 3.2)
    starts = len((folder / "starts").read_text())
    assert 2 <= starts <= 4


def test_higher_ranks_are_stopped_after_the_lower_ones_have_ended(folder: Path):
    words = folder / "words"
    supervisor = Supervisor(
        [
            process("late", LAST_WORDS, str(words), "L", "0", stop_rank=1),
            process("slow", LAST_WORDS, str(words), "S", "0.5"),
            process("fast", LAST_WORDS, str(words), "F", "0"),
        ]
    )
    assert run_until(supervisor, lambda: words.exists() and words.read_text() == "+++")
    assert words.read_text() == "+++FSL"


def test_child_that_ignores_the_term_signal_is_killed():
    supervisor = Supervisor([process("one", STUBBORN, patience=0.3)])
    run_until(supervisor, lambda: bool(supervisor.pids()))
    assert supervisor.pids() == {}


def test_term_signal_stops_everything_and_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    supervisor = Supervisor([process("one", LIVE)])
    supervisor.each_tick = lambda: os.kill(os.getpid(), signal.SIGTERM)
    supervisor.run()
    assert supervisor.pids() == {}
    assert signal.getsignal(signal.SIGTERM) is before


def test_killed_supervisor_leaves_nobody_behind():
    with python(OUTER) as outer:
        assert outer.stdout is not None
        pids = [int(word) for word in outer.stdout.readline().split()]
        assert len(pids) == 2
        assert all(is_alive(pid) for pid in pids)
        kill(outer.pid)
        assert wait_until(lambda: not any(is_alive(pid) for pid in pids), within=5)


def test_environment_changes_take_names_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACCORD_A", "1")
    monkeypatch.setenv("ACCORD_B", "1")
    changed = environment(ACCORD_A=None, ACCORD_C="3")
    assert "ACCORD_A" not in changed
    assert changed["ACCORD_B"] == "1"
    assert changed["ACCORD_C"] == "3"


def test_child_with_a_delay_starts_after_the_others():
    supervisor = Supervisor([process("late", LIVE, delay=0.6), process("first", LIVE)])
    seen: list[set[str]] = []

    def both_live() -> bool:
        seen.append(set(supervisor.pids()))
        return seen[-1] == {"first", "late"}

    assert run_until(supervisor, both_live)
    assert seen[0] == {"first"}


def test_the_rest_starts_at_once_when_it_is_told():
    supervisor = Supervisor([process("late", LIVE, delay=60), process("first", LIVE)])

    def both_live() -> bool:
        if "first" in supervisor.pids():
            supervisor.start_the_rest()
        return set(supervisor.pids()) == {"first", "late"}

    assert run_until(supervisor, both_live, within=10)
