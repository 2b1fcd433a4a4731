"""kill -9 of every process while images arrive and physicians decide: nothing told is lost."""

import gc
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import Self
from uuid import uuid4

import httpx
import pytest
from pydicom import dcmread
from pynetdicom import AE

from accord.archive.part10 import read_head
from accord.kit import clock
from support.builders import encoded, make_study
from support.processes import is_alive, kill, wait_until
from support.whole import Whole, children_of, running, secrets_of_people, told_about

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

HOSPITAL = "DEMO-CQ02"
EXPLICIT = "1.2.840.10008.1.2.1"
BACK_WITHIN = 60.0  # seconds until a test gives up; the aim, 20 s, is printed and not asserted
VICTIMS = ("serve", "receive", "work", "postgres", "supervisor")


@dataclass
class Traffic:
    """Senders and physicians that go on whatever happens, and note what they were told is done."""

    whole: Whole
    objects: dict[str, bytes] = field(default_factory=dict)
    visits: set[str] = field(default_factory=set)
    decisions: dict[str, str] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._password = self.whole.password("doctor.cq02")
        demo = self.whole.demo
        (self._key,) = (s["key"] for s in demo["systems"] if s["institution"] == HOSPITAL)
        self._title = demo["ae_titles"][HOSPITAL]
        for work in (self._send, self._write, self._decide):
            thread = threading.Thread(target=self._go_on, args=(work,))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, work) -> None:
        while not self._over.is_set():
            with suppress(httpx.TransportError, OSError):
                work()
            self._over.wait(0.2)

    def _send(self) -> None:
        study = make_study(slices=3, matrix=32, seed=uuid4().hex)
        entity = AE(self._title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 5
        entity.add_requested_context(study[0].SOPClassUID, EXPLICIT)
        association = entity.associate("127.0.0.1", self.whole.ports["dimse"], ae_title="ACCORD")
        for dataset in study if association.is_established else ():
            raw = encoded(dataset)
            try:
                answer = association.send_c_store(dcmread(BytesIO(raw)))
            except RuntimeError:
                break  # the association went away between two objects
            if "Status" in answer and answer.Status == 0:
                self.objects[dataset.SOPInstanceUID] = raw[read_head(memoryview(raw)).length :]
            elif "Status" in answer and answer.Status & 0xF000 != 0xA000:
                self.surprises.append(f"C-STORE {answer.Status:04X}")
        if association.is_established:
            association.release()
        if association.dul.socket is not None:
            association.dul.socket.close()

    def _write(self) -> None:
        with self._client(authorization=f"Bearer {self._key}") as his:
            number = f"V{uuid4().hex[:12]}"
            visit = {
                "number": number,
                "patient_id": "C0200001",
                "kind": "OUTPATIENT",
                "opened_at": clock.now().isoformat(),
            }
            answer = his.post("/api/v1/visits", json=visit)
            if self._is_told(answer, 201):
                self.visits.add(number)

    def _decide(self) -> None:
        with self._client(authorization=f"Bearer {self._key}") as his, self._client() as doctor:
            asked = his.post(
                "/api/v1/reminders",
                json={
                    "visit": "DEMO-V-must",
                    "patient_id": "C0200001",
                    "order_numbers": ["DEMO-R-must"],
                },
            )
            if not self._is_told(asked, 200):
                return
            (item,) = asked.json()["items"]
            opened = doctor.post(
                "/api/v1/login", json={"login": "doctor.cq02", "password": self._password}
            )
            if not self._is_told(opened, 200):
                return
            doctor.headers["x-csrf-token"] = opened.json()["csrf"]
            for _ in range(3):
                answer = doctor.post(
                    "/api/v1/decisions", json={"item": item["id"], "outcome": "ACCEPTED"}
                )
                if answer.status_code == 409:
                    return  # decided already: the answer of the first time was lost on its way
                if self._is_told(answer, 201):
                    self.decisions[answer.json()["id"]] = answer.json()["citation"]["id"]
                    return

    def _client(self, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.whole.ports['http']}",
            headers=headers,
            timeout=5,
            trust_env=False,
            verify=False,
        )

    def _is_told(self, answer: httpx.Response, status: int) -> bool:
        if answer.status_code != status and answer.status_code < 500:
            self.surprises.append(f"{answer.request.url.path} {answer.status_code} {answer.text}")
        return answer.status_code == status

    def size(self) -> tuple[int, int, int]:
        """Count what was told."""
        return len(self.objects), len(self.visits), len(self.decisions)


@pytest.fixture(scope="module")
def whole(small_demo) -> Iterator[Whole]:
    with running(small_demo, ACCORD_SETTLE_AFTER="PT1S") as found:
        yield found


def victim(whole: Whole, name: str) -> float:
    """Kill one process and return the seconds until everything is done again."""
    begun = time.monotonic()
    if name == "supervisor":
        everybody = children_of(whole.pid)
        whole.kill()
        assert wait_until(lambda: not any(is_alive(pid) for pid in everybody), within=30)
        begun = time.monotonic()
        whole.start()
        whole.wait()
        return time.monotonic() - begun
    before = whole.children(name)
    kill(before[0])

    def is_back() -> bool:
        now = whole.children(name)
        return before[0] not in now and len(now) == len(before)

    assert wait_until(is_back, within=BACK_WITHIN), whole.said()[-3000:]
    return begun


@contextmanager
def forgiving() -> Iterator[None]:
    """Forgive pynetdicom that it leaves its socket behind when nobody listens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


def crash(whole: Whole, name: str) -> float:
    """Kill one process amid traffic; return the seconds until all three kinds of work go on."""
    with forgiving(), Traffic(whole) as traffic:
        assert wait_until(lambda: min(traffic.size()) >= 1, within=BACK_WITHIN), traffic.size()
        begun = victim(whole, name)
        at = traffic.size()
        went_on = wait_until(
            lambda: all(now > then for now, then in zip(traffic.size(), at, strict=True)),
            within=BACK_WITHIN,
        )
        assert went_on, (at, traffic.size(), traffic.surprises, whole.said()[-2000:])
        took = begun if name == "supervisor" else time.monotonic() - begun
    assert traffic.surprises == []
    check(whole, traffic)
    return took


def check(whole: Whole, traffic: Traffic) -> None:
    """Hold everything that was told to be done against what is there."""
    assert min(traffic.size()) > 0
    with whole.his(HOSPITAL) as his:
        for number in traffic.visits:
            assert his.get(f"/api/v1/visits/{number}").status_code == 200, number
        for decision, citation in traffic.decisions.items():
            assert his.get(f"/api/v1/decisions/{decision}").json()["outcome"] == "ACCEPTED"
            assert his.get(f"/api/v1/citations/{citation}").status_code == 200
        for sop_uid, sent in traffic.objects.items():
            found = his.get("/dicom-web/instances", params={"SOPInstanceUID": sop_uid}).json()
            assert len(found) == 1, sop_uid
            place = found[0]["00081190"]["Value"][0].partition("/dicom-web")[2]
            answer = his.get(f"/dicom-web{place}", headers={"accept": "application/dicom"})
            assert answer.content.endswith(sent), sop_uid
    assert wait_until(lambda: open_work(whole) == [], within=BACK_WITHIN), open_work(whole)


def open_work(whole: Whole) -> list[tuple]:
    """Return studies that are not settled and jobs that are not ended."""
    return whole.query(
        "SELECT 'job', task_name, status::text, count(*) FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 2, 3"
        " UNION ALL SELECT 'study', '', '', count(*) FROM study"
        " WHERE settled_at IS NULL HAVING count(*) > 0"
    )


@pytest.mark.parametrize("name", VICTIMS)
def test_killed_process_loses_nothing_that_was_told(whole, name, capsys):
    took = crash(whole, name)
    with capsys.disabled():
        print(f" [{name} killed: work goes on after {took:.1f} s]", end="")


def test_the_log_of_crashes_names_nobody(whole):
    said = whole.said() + (whole.data_dir / "database" / "postgres.log").read_text()
    assert told_about(said, secrets_of_people(whole)) == set()
    assert "Traceback" not in whole.said()


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_hundred_kills_lose_nothing(small_demo, capsys):
    with running(small_demo, ACCORD_SETTLE_AFTER="PT1S") as own:
        took = [(crash(own, name), name) for _ in range(20) for name in VICTIMS]
    slowest, name = max(took)
    with capsys.disabled():
        print(f" [100 kills, slowest {name}: {slowest:.1f} s]", end="")
    assert len(took) == 100
