"""`accord bench receive`: durable, hashed, indexed C-STORE of CT slices, beside Orthanc.

The real `accord receive` with its database in a scratch folder, and, when asked, a tuned Orthanc
(TCP_NODELAY, 128 KiB PDU, synced storage) get the same objects from the same sender, in turn, so
that whatever else the machine does falls on both. Everything is removed afterwards.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from accord.app.bench.machine import machine
from accord.app.supervisor import accord, environment
from accord.archive import service
from accord.kit import children
from accord.kit.access import Actor
from accord.kit.db import Database
from accord.kit.errors import CannotRun, Invalid
from accord.kit.postgres import Postgres
from accord.kit.settings import Settings
from accord.registry import service as registry

AE_TITLE: Final = "BENCH"
CALLED: Final = "ACCORD"
STARTS_WITHIN: Final = 60.0
SENDER: Final = "accord.app.bench.sender"
ORTHANC_PDU: Final = 131072
MEGABYTE: Final = 1_000_000
PEERS: Final = ("orthanc",)

REGION: Final = {
    "valid_from": "2024-01-01",
    "authorities": [
        {"code": "BENCH-WJW", "name": "测量", "province": "重庆", "jurisdiction": "重庆"}
    ],
    "institutions": [
        {
            "code": "BENCH",
            "name": "测量医院",
            "level": "三级甲等",
            "ownership": "public",
            "province": "重庆",
            "authority": "BENCH-WJW",
        }
    ],
    "ae_titles": [{"title": AE_TITLE, "institution": "BENCH"}],
}


@dataclass
class Receiver:
    """A receiver under measurement.

    Attributes:
        port: Where it listens.
        pids: Its processes, those of its database included.
        rates: Objects a second, run by run.
        cpu: CPU seconds an object, run by run.
        sent: Bytes and objects that were sent.
    """

    port: int
    pids: list[int]
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    sent_bytes: int = 0
    sent_objects: int = 0

    def figures(self) -> dict[str, float]:
        """Return the medians of the runs."""
        size = self.sent_bytes / self.sent_objects
        rate = statistics.median(self.rates)
        return {
            "objects_per_second": round(rate, 1),
            "megabytes_per_second": round(rate * size / MEGABYTE, 1),
            "server_cpu_ms_per_object": round(1000 * statistics.median(self.cpu), 3),
            "slowest_run": round(min(self.rates), 1),
            "fastest_run": round(max(self.rates), 1),
        }


def run(
    settings: Settings,
    *,
    peer: Annotated[str | None, typer.Option(help="Measure beside it: orthanc.")] = None,
    objects: Annotated[int, typer.Option(min=8, help="Objects in each run.")] = 400,
    associations: Annotated[int, typer.Option(min=1, max=32, help="At the same time.")] = 4,
    repetitions: Annotated[int, typer.Option(min=1, help="Runs of each receiver.")] = 5,
) -> dict[str, Any]:
    """Measure durable, hashed, indexed C-STORE of CT slices."""
    if peer is not None and peer not in PEERS:
        raise Invalid(f"There is no peer {peer}; known: {', '.join(PEERS)}.")
    folder = Path(tempfile.mkdtemp(prefix="accord-bench-"))
    folder.chmod(0o711)
    server = Postgres(folder / "database")
    try:
        with _receiving(settings, folder, server) as ours, _peer(peer, folder) as theirs:
            receivers = [receiver for receiver in (ours, theirs) if receiver is not None]
            _measure(receivers, objects // 4, associations, 0)  # warm-up
            for receiver in receivers:
                receiver.rates.clear()
                receiver.cpu.clear()
            for number in range(1, repetitions + 1):
                _measure(receivers, objects, associations, number)
            _check(server.url, ours.sent_objects)
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    figures, beside = ours.figures(), theirs.figures() if theirs else {}
    return {
        "name": "receive",
        "machine": machine(),
        "figures": {
            **figures,
            "objects": objects,
            "associations": associations,
            "repetitions": repetitions,
            "object_bytes": round(ours.sent_bytes / ours.sent_objects),
            "processes": settings.receive_processes,
        },
        "peer": {"name": peer, "version": _orthanc_version(), **beside} if theirs else {},
        "ratios": _ratios(figures, beside) if theirs else {},
    }


def _ratios(ours: dict[str, float], theirs: dict[str, float]) -> dict[str, float]:
    """Return ours over theirs; of the CPU theirs over ours, so that more is better in both."""
    return {
        "objects_per_second": round(ours["objects_per_second"] / theirs["objects_per_second"], 2),
        "cpu_per_object": round(
            theirs["server_cpu_ms_per_object"] / ours["server_cpu_ms_per_object"], 2
        ),
    }


def _measure(receivers: list[Receiver], objects: int, associations: int, number: int) -> None:
    for receiver in receivers:
        before = _cpu_seconds(receiver.pids)
        words = (receiver.port, AE_TITLE, CALLED, associations, objects, time.time_ns() % 10**9)
        told = subprocess.run(
            [sys.executable, "-P", "-m", SENDER, "127.0.0.1", *map(str, words)],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if told.returncode != 0:
            raise CannotRun(f"Run {number} failed: {told.stderr.strip().splitlines()[-1]}")
        result = json.loads(told.stdout)
        if result["failures"]:
            raise CannotRun(f"Run {number}: {result['failures']} objects were not taken.")
        receiver.cpu.append((_cpu_seconds(receiver.pids) - before) / result["objects"])
        receiver.rates.append(result["objects"] / result["seconds"])
        receiver.sent_objects += result["objects"]
        receiver.sent_bytes += result["bytes"]


def _check(database_url: str, sent: int) -> None:
    """Check that every acknowledged object is indexed.

    Raises:
        CannotRun: One is missing.
    """
    database = Database(database_url)
    with database.begin() as conn:
        found = service.count_instances(conn)
    database.close()
    if found != sent:
        raise CannotRun(f"{sent} objects were acknowledged, {found} are indexed.")


# -- our receiver -------------------------------------------------------------------------------


@contextmanager
def _receiving(settings: Settings, folder: Path, server: Postgres) -> Iterator[Receiver]:
    url = server.start()
    port = _free_port()
    own = environment(
        ACCORD_DATA_DIR=str(folder / "data"),
        ACCORD_DATABASE_URL=url,
        ACCORD_DIMSE_HOST="127.0.0.1",
        ACCORD_DIMSE_PORT=str(port),
        ACCORD_RECEIVE_PROCESSES=str(settings.receive_processes),
        ACCORD_LOG_LEVEL="WARNING",
    )
    subprocess.run(accord("db", "upgrade"), env=own, check=True, capture_output=True)
    database = Database(url)
    with database.begin() as conn:
        registry.import_region(conn, Actor.process("bench"), REGION)
    database.close()
    receiver = children.start(accord("receive"), environment=own)
    try:
        _wait_for(port, receiver)
        yield Receiver(port, [receiver.pid, server.pid or 0])
    finally:
        children.stop(receiver)


# -- the peer -----------------------------------------------------------------------------------


@contextmanager
def _peer(name: str | None, folder: Path) -> Iterator[Receiver | None]:
    if name is None:
        yield None
        return
    program = shutil.which("Orthanc")
    if program is None:
        raise CannotRun("Orthanc is not installed: apt-get install orthanc")
    port, http_port = _free_port(), _free_port()
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(_orthanc(folder, port, http_port)), encoding="utf-8")
    own = environment(TCP_NODELAY="1")
    with (folder / "orthanc.log").open("wb") as log:
        peer = children.start([program, str(configuration)], environment=own, output=log)
        try:
            _wait_for(port, peer)
            _wait_for(http_port, peer)
            receiver = Receiver(port, [peer.pid])
            yield receiver
            stored = _orthanc_count(http_port)
            if stored != receiver.sent_objects:
                raise CannotRun(f"Orthanc keeps {stored} of {receiver.sent_objects} objects.")
        finally:
            children.stop(peer)


def _orthanc(folder: Path, port: int, http_port: int) -> dict[str, Any]:
    """Return its configuration: tuned, and closed to everybody but this machine.

    Its DICOM port is bound to every address; only the modality on loopback may store.
    """
    return {
        "Name": "bench",
        "StorageDirectory": str(folder / "orthanc"),
        "IndexDirectory": str(folder / "orthanc"),
        "Plugins": [],
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": CALLED,
        "DicomPort": port,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomCheckModalityHost": True,
        "DicomModalities": {"bench": [AE_TITLE, "127.0.0.1", port]},
        "SyncStorageArea": True,
        "StorageCompression": False,
        "MaximumPduLength": ORTHANC_PDU,
    }


def _orthanc_count(http_port: int) -> int:
    address = f"http://127.0.0.1:{http_port}/statistics"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=30) as answer:
        return int(json.load(answer)["CountInstances"])


def _orthanc_version() -> str:
    told = subprocess.run(["Orthanc", "--version"], check=False, capture_output=True, text=True)
    return told.stdout.splitlines()[0].strip() if told.stdout else "unknown"


# -- machine ------------------------------------------------------------------------------------


def _cpu_seconds(roots: list[int]) -> float:
    """Return the CPU time of processes, their living descendants, and what those waited for."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        fields = text.rpartition(")")[2].split()
        parents[int(entry.name)] = int(fields[1])
        ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    family = set(roots)
    grew = True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grew = bool(more)
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise CannotRun("A receiver did not start.")
