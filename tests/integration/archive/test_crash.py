"""kill -9 of the receiver while objects arrive; memory while odd files arrive."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from accord.app.bench import sender
from accord.app.supervisor import accord, environment
from accord.archive import store
from accord.kit import children
from support.processes import can_connect, free_port, wait_until
from support.tools import DICOM

pytestmark = pytest.mark.processes


@pytest.fixture
def receiving(site):
    """`accord receive` in one process of its own, on the test's database."""
    port = free_port()
    own = environment(
        ACCORD_DATA_DIR=str(site.settings.data_dir),
        ACCORD_DATABASE_URL=site.database.url,
        ACCORD_DIMSE_PORT=str(port),
        ACCORD_RECEIVE_PROCESSES="1",
    )
    process = children.start(accord("receive"), environment=own)
    assert wait_until(lambda: can_connect(port), within=60)
    yield process, port
    children.stop(process)


def test_killed_receiver_loses_nothing_acknowledged_and_keeps_nothing_half(site, receiving):
    process, port = receiving
    acknowledged: list[str] = []

    def send(index: int) -> None:
        objects = sender.make_objects(7, index)
        association = sender.Association("127.0.0.1", port, "CQA_PACS", "ACCORD")
        one = sender.Encoded(objects[0], association.largest_pdu)
        for number in range(3, 10_000):
            uid = sender.make_uid(7, index, number)
            try:
                status = association.store(one.give_uid(uid))
            except OSError:
                association.close()
                return
            assert status == 0
            acknowledged.append(uid)

    senders = [threading.Thread(target=send, args=(index,)) for index in range(3)]
    for thread in senders:
        thread.start()
    assert wait_until(lambda: len(acknowledged) > 30, within=60)
    os.kill(process.pid, signal.SIGKILL)
    for thread in senders:
        thread.join()
    found = {}
    with site.database.begin() as conn:
        for index in range(3):
            for one in store.find_instances(conn, sender.make_uid(7, index, 0)):
                found[one.sop_uid] = one
    assert set(acknowledged) <= set(found)
    for instance in found.values():
        assert site.blobs.is_intact(instance.blob)


def peak_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the largest resident size so far, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.mark.shared
@pytest.mark.dcmtk
def test_receiver_stays_small_whatever_it_is_sent(receiving):
    process, port = receiving
    idle = peak_of(process)
    for path in (
        DICOM / "malformed" / "2026-05-26-oob-monochrome-46341.dcm",
        *sorted((DICOM / "dr-chest-nema-rg1").iterdir()),
        *sorted((DICOM / "ct-enhanced-perfusion").iterdir()),
        *sorted((DICOM / "xa-nema-xa1").iterdir()),
    ):
        subprocess.run(
            ["storescu", "-R", "-aet", "CQA_PACS", "127.0.0.1", str(port), str(path)],
            check=False,
            capture_output=True,
            timeout=60,
        )
    assert peak_of(process) - idle <= 512


IMPORT = """
import resource, sys
from accord.app.cli import build
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    build()(["import", sys.argv[1], "--json"])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base, file=sys.stderr)
"""


@pytest.mark.shared
def test_import_of_everything_stays_small(site):
    own = environment(
        ACCORD_DATA_DIR=str(site.settings.data_dir), ACCORD_DATABASE_URL=site.database.url
    )
    told = subprocess.run(
        [sys.executable, "-c", IMPORT, str(DICOM)],
        env=own,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    grown = int(told.stderr.strip().splitlines()[-1])
    assert grown // 1024 <= 512
    assert '"stored": 204' in told.stdout


def test_two_receivers_share_a_port_and_leave_it(site):
    port = free_port()
    own = environment(
        ACCORD_DATA_DIR=str(site.settings.data_dir),
        ACCORD_DATABASE_URL=site.database.url,
        ACCORD_DIMSE_PORT=str(port),
        ACCORD_RECEIVE_PROCESSES="2",
    )
    process = children.start(accord("receive"), environment=own)
    try:
        assert wait_until(lambda: can_connect(port), within=60)
        association = sender.Association("127.0.0.1", port, "CQA_PACS", "ACCORD")
        association.release()
        begun = time.monotonic()
        children.stop(process, (signal.SIGTERM, 20))
        assert time.monotonic() - begun < 20
    finally:
        children.stop(process)
    assert not can_connect(port)
