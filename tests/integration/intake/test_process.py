"""`accord receive --mllp` as a process: killed, started again; and the commands beside it."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from accord.app.supervisor import accord, environment
from accord.kit import children
from support.hl7 import adt, connected, fields_of
from support.processes import can_connect, free_port, wait_until

pytestmark = pytest.mark.processes


@contextmanager
def receiving(site) -> Iterator[tuple[subprocess.Popen, int]]:
    port = free_port()
    own = environment(
        ACCORD_DATA_DIR=str(site.settings.data_dir),
        ACCORD_DATABASE_URL=site.database.url,
        ACCORD_MLLP_PORT=str(port),
    )
    process = children.start(accord("receive", "--mllp"), environment=own)
    try:
        assert wait_until(lambda: can_connect(port), within=60)
        yield process, port
    finally:
        children.stop(process)


def test_killed_listener_loses_nothing_it_accepted_and_answers_the_same_again(site):
    accepted: dict[str, bytes] = {}

    def send(port: int, name: str) -> None:
        with suppress(OSError), connected(port) as line:
            for number in range(10_000):
                control_id = f"{name}{number}"
                answer = line.send(adt(control_id))
                if not answer:
                    return
                accepted[control_id] = answer

    with receiving(site) as (process, port):
        threads = [threading.Thread(target=send, args=(port, name)) for name in "ab"]
        for thread in threads:
            thread.start()
        assert wait_until(lambda: len(accepted) > 40)
        os.kill(process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    kept = {each.control_id for each in site.messages()}
    assert accepted.keys() <= kept
    with receiving(site) as (_, port), connected(port) as line:
        assert {each: line.send(adt(each)) for each in accepted} == accepted
    assert {each.control_id for each in site.messages()} == kept


def test_listener_ends_on_sigterm_and_a_second_one_says_that_the_port_is_taken(site):
    with receiving(site) as (process, port):
        own = environment(
            ACCORD_DATA_DIR=str(site.settings.data_dir),
            ACCORD_DATABASE_URL=site.database.url,
            ACCORD_MLLP_PORT=str(port),
        )
        second = subprocess.run(
            accord("receive", "--mllp"),
            check=False,
            env=own,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 3
        assert str(port) in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_commands_list_show_and_replay_what_waits(site):
    own = environment(
        ACCORD_DATA_DIR=str(site.settings.data_dir), ACCORD_DATABASE_URL=site.database.url
    )

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            accord("intake", *words), check=False, env=own, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    assert (
        run("peer", "add", "--application", "RIS", "--facility", "CQA", "--institution", "X")[0]
        == 2
    )
    code, said = run(
        "peer", "add", "--application", "RIS", "--facility", "CQA", "--institution", "CQ-A"
    )
    assert code == 0
    assert "RIS of CQA speaks for CQ-A" in said
    with receiving(site) as (_, port), connected(port) as line:
        bad = adt("1", sender="RIS|CQA").replace(b"19850307", b"20261332")
        assert fields_of(line.send(bad))["MSA"][1] == "AE"
    code, said = run("list", "--json")
    (waiting,) = json.loads(said)["messages"]
    assert (code, waiting["kind"], waiting["code"]) == (0, "ADT^A04", "bad_message")
    assert "PID[1]-7" in waiting["reason"]
    code, said = run("show", str(waiting["id"]))
    assert code == 0
    assert "20261332" in said
    assert run("replay", str(waiting["id"]))[0] == 1
    assert run("replay", "999")[0] == 2
    assert run("peer", "remove", "--application", "RIS", "--facility", "CQA")[0] == 0
    assert "RIS" not in run("peer", "list")[1]
