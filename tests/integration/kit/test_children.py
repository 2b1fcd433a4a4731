"""Children are tied to their parent, have a session of their own, and stop when told."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from accord.kit import children
from support.processes import is_alive, python, wait_until

pytestmark = pytest.mark.processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = """
import signal, sys, time
from accord.kit import children
child = children.start([sys.executable, "-c", sys.argv[1]])
print(child.pid, flush=True)
time.sleep(600)
"""
FORKING = """
import multiprocessing, os, time
from accord.kit import children
def work(parent):
    children.die_with_parent(parent)
    time.sleep(600)
child = multiprocessing.get_context("fork").Process(target=work, args=(os.getpid(),))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""
IGNORE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ignoring", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("script", [PARENT, FORKING], ids=["started", "forked"])
def test_child_dies_with_its_killed_parent(script: str):
    with python(script, "import time; time.sleep(600)") as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
        assert wait_until(lambda: not is_alive(child), within=5)


def test_child_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it():
    child = children.start(SLEEP)
    try:
        assert os.getsid(child.pid) == child.pid
    finally:
        children.stop(child)


def test_child_that_dies_of_its_first_signal_is_not_killed():
    child = children.start(SLEEP)
    children.stop(child, (signal.SIGTERM, 10))
    assert child.returncode == -signal.SIGTERM


def test_child_that_ignores_its_signals_is_killed():
    child = children.start([sys.executable, "-c", IGNORE], output=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ignoring\n"
    children.stop(child, (signal.SIGTERM, 0.2))
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL


def test_new_files_of_a_child_are_for_its_owner_alone(tmp_path):
    place = tmp_path / "made"
    child = children.start([sys.executable, "-c", f"open({str(place)!r}, 'w')"])
    assert child.wait() == 0
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_child_of_another_user_has_its_rights_and_no_groups_of_ours():
    nobody = children.User("nobody", 65534, 65534)
    child = children.start(["/bin/sleep", "600"], user=nobody)
    try:
        about = Path(f"/proc/{child.pid}")
        assert wait_until(lambda: (about / "comm").read_text() == "sleep\n")
        status = (about / "status").read_text()
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        assert "Groups:\t \n" in status
    finally:
        children.stop(child)
