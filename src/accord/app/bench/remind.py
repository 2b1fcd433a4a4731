"""`accord bench remind`: the order-time question over the whole HTTP path, on many examinations.

A scratch database of its own is filled with examinations multiplied from the demo region (spread
over twelve months, hospitals, items and people), the real `accord serve` answers, and a process of
its own asks at a fixed rate. Everything is removed afterwards. What else the machine had to do
stands beside the figures: `load_before` counts nothing of the measurement, `load_after` all of it.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from accord.app.bench.filling import Filled, fill
from accord.app.bench.machine import machine, percentile
from accord.kit import children
from accord.kit.errors import CannotRun
from accord.kit.postgres import Postgres
from accord.kit.settings import Settings

COMMAND: Final = (sys.executable, "-P", "-c", "from accord.app.cli import main; main()")
PATH: Final = "/cds-services/cyhr-duplicate-imaging"
WARM_UP: Final = 3.0  # seconds asked and not counted
STARTS_WITHIN: Final = 60.0


def run(
    settings: Settings,
    *,
    exams: Annotated[
        int, typer.Option(min=1_000, help="Examinations in the database.")
    ] = 1_000_000,
    rate: Annotated[float, typer.Option(min=1, help="Questions a second.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long is measured.")] = 20.0,
) -> dict[str, Any]:
    """Measure the order-time answer at a fixed rate, server side and client side."""
    workers = str(settings.http_workers)  # all else happens in a folder of its own
    folder = Path(tempfile.mkdtemp(prefix="accord-bench-"))
    folder.chmod(0o711)
    server = Postgres(folder / "database")
    load_before = os.getloadavg()[0]
    try:
        environment = _environment(folder, server.start()) | {"ACCORD_HTTP_WORKERS": workers}
        begun = time.perf_counter()
        _command(environment, "db", "upgrade")
        _command(environment, "demo", "load", "--json")
        filled = fill(server.url, exams)
        took = time.perf_counter() - begun
        with _serving(environment) as port:
            taken = _ask(folder, port, filled, rate, seconds)
            load_after = os.getloadavg()[0]
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "name": "remind",
        "machine": machine(),
        "figures": {
            "exams": filled.exams,
            "people": filled.people,
            "http_workers": settings.http_workers,
            "rate": rate,
            "seconds": seconds,
            "asked": len(taken["client"]),
            **_percentiles("server_ms", taken["server"]),
            **_percentiles("client_ms", taken["client"]),
            "load_lateness_ms_p99": round(percentile(taken["lateness"], 99), 2),
            "statuses": taken["statuses"],
            "answers": taken["answers"],
            "fill_seconds": round(took, 1),
            "load_before": round(load_before, 2),
            "load_after": round(load_after, 2),
        },
        "peer": {},
        "ratios": {},
    }


def _percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    shown = {
        f"{name}_p{percent}": round(percentile(values, percent), 2) for percent in (50, 95, 99)
    }
    return {**shown, f"{name}_max": round(max(values, default=float("nan")), 2)}


# --- asking -------------------------------------------------------------------------------------


def _environment(folder: Path, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}
    return kept | {"ACCORD_DATA_DIR": str(folder / "data"), "ACCORD_DATABASE_URL": url}


def _command(environment: Mapping[str, str], *words: str) -> None:
    done = subprocess.run(  # noqa: PLW1510 - the code is looked at
        [*COMMAND, *words], env=dict(environment), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise CannotRun(f"`accord {' '.join(words)}` ended with {done.returncode}: {done.stderr}")


@contextmanager
def _serving(environment: Mapping[str, str]) -> Iterator[int]:
    """Run the real server within the block, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    own = {**environment, "ACCORD_HTTP_PORT": str(port)}
    server = children.start([*COMMAND, "serve"], environment=own)
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not _is_ready(port):
            if server.poll() is not None or time.monotonic() > until:
                raise CannotRun("`accord serve` does not start.")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's word for yes
    except OSError:
        return False


def _ask(folder: Path, port: int, filled: Filled, rate: float, seconds: float) -> dict[str, Any]:
    told = json.loads((folder / "data" / "demo.json").read_text(encoding="utf-8"))
    keys = {each["institution"]: each["key"] for each in told["systems"]}
    plan = {
        "host": "127.0.0.1",
        "port": port,
        "path": PATH,
        "rate": rate,
        "seconds": seconds,
        "warm_up": WARM_UP,
        "requests": [
            {"key": keys[institution], "body": json.dumps(_question(patient, visit, item))}
            for institution, patient, visit, item in filled.questions
        ],
    }
    file = folder / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "accord.app.bench.open_loop", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def _question(patient: str, visit: str, item: int) -> dict[str, Any]:
    order = {
        "resourceType": "ServiceRequest",
        "id": f"o-{visit}",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "urn:cyhr:item", "code": f"CYHR-{item:03d}"}]},
        "reasonCode": [{"text": "门诊检查"}],
    }
    return {
        "hook": "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "context": {
            "userId": "Practitioner/bench",
            "patientId": patient,
            "encounterId": visit,
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": patient},
            "encounter": {"resourceType": "Encounter", "id": visit},
        },
    }
