"""Storage commitment: what the archive answers for, told on the same association or by a job."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import N_ACTION
from pynetdicom.sop_class import StorageCommitmentPushModel as PushModel

from accord.archive import jobs as archive_jobs
from accord.archive.peer import PeerNotReached
from accord.kit import clock, jobs, queue
from integration.archive.conftest import AE_TITLE, OTHER_TITLE, Listening
from integration.archive.test_dimse import EXPLICIT, IMPLICIT, send, status_of
from support.builders import make_study
from support.processes import free_port, wait_until

INSTANCE = "1.2.840.10008.1.20.1.1"
LATER = timedelta(hours=1)


class Told:
    """Keeps the results that a peer is told."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.events: list[tuple[int, Dataset]] = []
        self.came = threading.Event()

    def take(self, event: evt.Event) -> tuple[int, None]:
        self.events.append((event.event_type, event.event_information))
        self.came.set()
        return (self._statuses.pop(0) if self._statuses else 0x0000), None


def request(*named: tuple[str, str]) -> Dataset:
    asked = Dataset()
    asked.TransactionUID = generate_uid()
    asked.ReferencedSOPSequence = []
    for sop_class, sop_uid in named:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_uid
        asked.ReferencedSOPSequence.append(item)
    return asked


def names(study: list[Dataset]) -> list[tuple[str, str]]:
    return [(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in study]


def ask(listening: Listening, asked: Dataset, *, wait: bool, syntax: str = EXPLICIT, **who) -> Told:
    """Ask, and wait for the result on the same association or release at once."""
    told = Told()
    association = listening.associate(
        (PushModel, syntax), evt_handlers=[(evt.EVT_N_EVENT_REPORT, told.take)], **who
    )
    status, _ = association.send_n_action(asked, 1, PushModel, INSTANCE)
    assert status.Status == 0x0000
    if wait:
        assert told.came.wait(20)
        time.sleep(0.2)  # the receipt is on its way
    association.release()
    return told


def failures(event: Dataset) -> dict[str, int]:
    return {
        item.ReferencedSOPInstanceUID: item.FailureReason
        for item in event.get("FailedSOPSequence", [])
    }


def references(event: Dataset) -> set[str]:
    return {item.ReferencedSOPInstanceUID for item in event.get("ReferencedSOPSequence", [])}


def waiting(listening: Listening) -> list[queue.Queued]:
    with listening.site.database.begin() as conn:
        return queue.waiting(conn, "archive.tell_commitment")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_result_is_told_on_the_association_that_stays_open(listening, syntax):
    study = make_study(slices=3)
    send(listening, *study)
    asked = request(*names(study))
    ((kind, event),) = ask(listening, asked, wait=True, syntax=syntax).events
    assert kind == 1
    assert event.TransactionUID == asked.TransactionUID
    assert references(event) == {uid for _, uid in names(study)}
    assert failures(event) == {}
    until = time.monotonic() + 5
    while waiting(listening) and time.monotonic() < until:
        time.sleep(0.05)
    assert waiting(listening) == []


def test_what_is_not_held_fails_with_its_reason(listening):
    held, never, aside, broken = make_study(slices=4)
    aside.LossyImageCompression = "01"
    send(listening, held, aside, broken)
    (stored,) = [
        one
        for one in listening.site.instances(held.StudyInstanceUID)
        if one.sop_uid == broken.SOPInstanceUID
    ]
    (path,) = listening.site.settings.objects_dir.rglob(stored.blob.key.rsplit("/", 1)[-1])
    with path.open("r+b") as file:
        file.seek(stored.blob.offset + stored.blob.length - 4)
        file.write(b"rot!")
    asked = request(*names([held, never, aside, broken]), ("1.2.3", str(held.SOPInstanceUID)))
    ((kind, event),) = ask(listening, asked, wait=True).events
    assert kind == 2
    assert references(event) == {held.SOPInstanceUID}
    assert failures(event) == {
        never.SOPInstanceUID: 0x0112,
        aside.SOPInstanceUID: 0x0112,
        broken.SOPInstanceUID: 0x0110,
        held.SOPInstanceUID: 0x0119,
    }


def test_objects_of_another_institution_are_not_there(listening):
    study = make_study(slices=1)
    send(listening, *study)
    told = ask(listening, request(*names(study)), wait=True, ae_title=OTHER_TITLE)
    ((kind, event),) = told.events
    assert (kind, failures(event)) == (2, {study[0].SOPInstanceUID: 0x0112})


@pytest.fixture
def peer(listening, monkeypatch):
    """A PACS that listens under its registered address, refusing the first result."""
    told = Told(0x0110)
    entity = AE(AE_TITLE)
    entity.add_supported_context(PushModel, [EXPLICIT], scu_role=False, scp_role=True)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, told.take)]
    )
    port = server.socket.getsockname()[1]
    settings = listening.site.settings.model_copy(
        update={"peer_addresses": {AE_TITLE: f"127.0.0.1:{port}"}}
    )
    monkeypatch.setattr(archive_jobs, "get_settings", lambda: settings)
    yield told
    server.shutdown()


def test_result_is_told_over_an_association_of_our_own_until_it_is_taken(listening, peer):
    study = make_study(slices=2)
    send(listening, *study)
    asked = request(*names(study))
    assert ask(listening, asked, wait=False).events == []
    (job,) = waiting(listening)
    with pytest.raises(PeerNotReached):  # the worker tries again
        jobs.run_pending(listening.site.database, until=clock.now() + LATER)
    with listening.site.database.begin() as conn:
        archive_jobs.tell_commitment(conn, **job.args)
    assert [kind for kind, _ in peer.events] == [1, 1]
    assert peer.events[1][1].TransactionUID == asked.TransactionUID
    assert references(peer.events[1][1]) == {uid for _, uid in names(study)}


def test_peer_without_an_address_is_not_called_and_that_is_noted(listening, monkeypatch):
    monkeypatch.setattr(archive_jobs, "get_settings", lambda: listening.site.settings)
    study = make_study(slices=1)
    send(listening, *study)
    ask(listening, request(*names(study)), wait=False)
    assert jobs.run_pending(listening.site.database, until=clock.now() + LATER) >= 1
    assert waiting(listening) == []


@pytest.mark.parametrize(
    ("asked", "action", "status"),
    [
        (request(), 1, 0x0115),
        (request(("1.2.3", "1.2.4")), 2, 0x0123),
        (request(*[("1.2.3", f"1.2.4.{n}") for n in range(10_001)]), 1, 0x0213),
    ],
    ids=["no references", "another action", "too many references"],
)
def test_request_that_cannot_be_taken_on_is_answered_with_its_status(
    listening, asked, action, status
):
    association = listening.associate((PushModel, EXPLICIT))
    answer, _ = association.send_n_action(asked, action, PushModel, INSTANCE)
    assert answer.Status == status
    association.release()
    assert waiting(listening) == []


def test_data_set_that_is_none_is_answered_and_the_association_goes_on(listening):
    association = listening.associate((PushModel, EXPLICIT))
    message = N_ACTION()
    message.MessageID = message.ActionTypeID = 1
    message.RequestedSOPClassUID, message.RequestedSOPInstanceUID = PushModel, INSTANCE
    message.ActionInformation = BytesIO(b"\xff" * 4096)
    assert status_of(association, message) == 0x0115
    (one,) = make_study(slices=1)
    answer, _ = association.send_n_action(request(*names([one])), 1, PushModel, INSTANCE)
    assert answer.Status == 0x0000
    association.release()


@contextmanager
def orthanc(folder: Path, accord: int) -> Iterator[tuple[httpx.Client, int]]:
    """Run Orthanc as the PACS; its REST interface and its DIMSE port."""
    http_port, port = free_port(), free_port()
    configuration = {
        "StorageDirectory": str(folder / "orthanc"),
        "IndexDirectory": str(folder / "orthanc"),
        "Plugins": [],
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": AE_TITLE,
        "DicomPort": port,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomCheckModalityHost": True,
        "DicomModalities": {"accord": ["ACCORD", "127.0.0.1", accord]},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    with (folder / "orthanc.log").open("wb") as log:
        running = subprocess.Popen(
            [shutil.which("Orthanc"), str(folder / "orthanc.json")], stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{http_port}", trust_env=False) as http:
            assert wait_until(lambda: answers(http))
            yield http, port
    finally:
        running.terminate()
        running.wait(20)


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/system").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.orthanc
def test_orthanc_is_told_what_it_asked(listening, monkeypatch, tmp_path):
    held, never = make_study(slices=2)
    send(listening, held)
    with orthanc(tmp_path, listening.port) as (http, port):
        settings = listening.site.settings.model_copy(
            update={"peer_addresses": {AE_TITLE: f"127.0.0.1:{port}"}}
        )
        monkeypatch.setattr(archive_jobs, "get_settings", lambda: settings)
        named = [
            {"SOPClassUID": sop_class, "SOPInstanceUID": sop_uid}
            for sop_class, sop_uid in names([held, never])
        ]
        asked = http.post("/modalities/accord/storage-commitment", json={"DicomInstances": named})
        assert asked.status_code == 200, asked.text
        assert jobs.run_pending(listening.site.database, until=clock.now() + LATER) >= 1
        result = http.get(asked.json()["Path"]).json()
    assert result["Status"] == "Failure"
    assert [one["SOPInstanceUID"] for one in result["Success"]] == [held.SOPInstanceUID]
    assert {one["SOPInstanceUID"]: one["FailureReason"] for one in result["Failures"]} == {
        never.SOPInstanceUID: 0x0112
    }
