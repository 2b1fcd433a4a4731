"""C-ECHO and C-STORE as hospitals send them, and as nobody should."""

import errno
import os
import socket
import struct
import threading
import time
from datetime import timedelta
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, build_context
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.sop_class import Verification

from accord.archive import service
from accord.archive.part10 import read_head
from accord.archive.receive import negotiation
from accord.archive.receive.intake import Intake
from accord.archive.receive.listener import Receiver
from integration.archive.conftest import Listening
from support.builders import encoded, make_study

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
CT = "1.2.840.10008.5.1.4.1.1.2"


def data_set_of(file: bytes) -> bytes:
    """Return the bytes after the file meta."""
    return file[read_head(memoryview(file)).length :]


def send(listening, *datasets: Dataset, **options) -> list[Dataset]:
    """Send objects over one association and return the responses."""
    contexts = {(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID) for ds in datasets}
    association = listening.associate(*sorted(contexts), **options)
    assert association.is_established
    responses = [association.send_c_store(dcmread(BytesIO(encoded(ds)))) for ds in datasets]
    association.release()
    return responses


def test_echo_is_answered(listening):
    association = listening.associate((Verification, IMPLICIT))
    assert association.send_c_echo().Status == 0x0000
    association.release()


def test_stored_data_set_equals_what_was_sent(listening):
    study = make_study(slices=3)
    assert [response.Status for response in send(listening, *study)] == [0, 0, 0]
    stored = listening.site.instances(study[0].StudyInstanceUID)
    sent = {ds.SOPInstanceUID: data_set_of(encoded(ds)) for ds in study}
    assert {one.sop_uid: listening.site.data_set(one) for one in stored} == sent
    assert {one.institution for one in stored} == {"CQ-A"}


def test_stored_file_is_a_complete_dicom_file(listening):
    (first, *_) = make_study(slices=1)
    send(listening, first)
    (stored,) = listening.site.instances(first.StudyInstanceUID)
    read = dcmread(BytesIO(listening.site.blobs.read(stored.blob)))
    assert read.file_meta.TransferSyntaxUID == first.file_meta.TransferSyntaxUID
    assert read.file_meta.SourceApplicationEntityTitle == "CQA_PACS"
    assert read.PixelData == first.PixelData


def test_large_object_continues_on_disk_and_arrives_whole(listening):
    (film, *_) = make_study(modality="DR", body="hand")
    film.add_new(0x00420011, "OB", bytes(range(256)) * 16 * 1024)  # 4 MiB
    assert send(listening, film)[0].Status == 0x0000
    (stored,) = listening.site.instances(film.StudyInstanceUID)
    assert listening.site.data_set(stored) == data_set_of(encoded(film))


def test_same_object_again_is_already_stored(listening):
    (first, *_) = make_study(slices=1)
    assert [r.Status for r in send(listening, first, first)] == [0, 0]
    assert len(listening.site.instances(first.StudyInstanceUID)) == 1
    assert listening.site.kept_aside(first.StudyInstanceUID) == {}


def test_other_bytes_under_a_stored_uid_are_kept_aside_with_a_warning(listening):
    (first, *_) = make_study(slices=1)
    other = dcmread(BytesIO(encoded(first)))
    other.PatientComments = "changed"
    first_response, second_response = send(listening, first, other)
    assert (first_response.Status, second_response.Status) == (0x0000, 0xB000)
    assert "another object" in second_response.ErrorComment
    (stored,) = listening.site.instances(first.StudyInstanceUID)
    assert listening.site.data_set(stored) == data_set_of(encoded(first))
    assert listening.site.kept_aside(first.StudyInstanceUID) == {"same_uid_other_bytes": 1}


def test_object_marked_lossy_is_kept_aside_with_a_warning(listening):
    (first, *_) = make_study(slices=1)
    first.LossyImageCompression = "01"
    (response,) = send(listening, first)
    assert response.Status == 0xB000
    assert listening.site.instances(first.StudyInstanceUID) == []
    assert listening.site.kept_aside(first.StudyInstanceUID) == {"lossy_marked": 1}


def test_study_of_another_institution_is_not_added_to(listening):
    first, second = make_study(slices=2)
    with listening.site.database.begin() as conn:
        service.receive(
            conn,
            listening.site.sender("CQ-B"),
            BytesIO(encoded(first)),
            blobs=listening.site.blobs,
            bounds=service.bounds_of(listening.site.settings),
            largest=10**9,
        )
    (response,) = send(listening, second)
    assert response.Status == 0xB000
    assert [one.sop_uid for one in listening.site.instances(first.StudyInstanceUID)] == [
        first.SOPInstanceUID
    ]


def test_unknown_calling_ae_title_is_rejected(listening):
    association = listening.associate((Verification, IMPLICIT), ae_title="NOBODY")
    assert association.is_rejected


def test_deflated_syntax_is_not_accepted(listening):
    association = listening.associate((CT, "1.2.840.10008.1.2.1.99"))
    assert not association.is_established


def test_lossless_syntax_is_preferred_to_a_lossy_one(listening):
    proposed = build_context(CT, ["1.2.840.10008.1.2.4.50", EXPLICIT])
    association = AE("CQA_PACS").associate(listening.host, listening.port, contexts=[proposed])
    assert [c.transfer_syntax[0] for c in association.accepted_contexts] == [EXPLICIT]
    association.release()


def store_request(sop_class: str, sop_uid: str, data: bytes) -> C_STORE:
    """Return a request with whatever UIDs; pynetdicom's own way checks them first."""
    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = sop_class
    request.AffectedSOPInstanceUID = sop_uid
    request.Priority = 2
    request.DataSet = BytesIO(data)
    return request


def status_of(association, request: C_STORE) -> int:
    """Send a request and return the status of its response."""
    # As pynetdicom's own senders do: its reactor would take the response away.
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.01)
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    _, response = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    return response.Status


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.filterwarnings("ignore:The value length")
@pytest.mark.parametrize("uid", ["../../../../evil", "1.2.3/../../evil", "x"])
def test_uid_that_is_none_is_refused_and_becomes_no_path(listening, uid, tmp_path):
    (first, *_) = make_study(slices=1)
    association = listening.associate((CT, EXPLICIT))
    request = store_request(CT, uid, data_set_of(encoded(first)))
    assert status_of(association, request) == 0xA900
    association.release()
    assert listening.site.files() == []
    assert not list(tmp_path.parent.rglob("evil"))


def test_uid_of_command_and_data_set_must_agree(listening):
    (first, *_) = make_study(slices=1)
    association = listening.associate((CT, EXPLICIT))
    request = store_request(CT, "1.2.3.4", data_set_of(encoded(first)))
    assert status_of(association, request) == 0xA900
    association.release()
    assert listening.site.instances(first.StudyInstanceUID) == []


def test_sequences_nested_5000_deep_are_refused_and_the_receiver_lives(listening):
    (first, *_) = make_study(slices=1)
    whole = data_set_of(encoded(first))
    # Open sequences and items of undefined length, in a private group before all others.
    nested = struct.pack("<HH2sHL", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    association = listening.associate((CT, EXPLICIT))
    request = store_request(CT, first.SOPInstanceUID, nested * 5000 + whole)
    assert status_of(association, request) == 0xA700
    assert status_of(association, store_request(CT, first.SOPInstanceUID, whole)) == 0x0000
    association.release()


def test_first_pdu_that_claims_two_gigabytes_is_cut_off(listening):
    with socket.create_connection((listening.host, listening.port), timeout=10) as peer:
        peer.sendall(struct.pack(">BBL", 1, 0, 0x7FFFFFFF) + b"x" * 4096)
        begun = time.monotonic()
        assert peer.recv(10) == negotiation.ABORT_INVALID
        assert time.monotonic() - begun < 5
    association = listening.associate((Verification, IMPLICIT))
    assert association.send_c_echo().Status == 0x0000
    association.release()


def test_later_pdu_that_claims_two_gigabytes_is_cut_off(listening):
    association = listening.associate((CT, EXPLICIT))
    association.dul.socket.socket.sendall(struct.pack(">BBL", 4, 0, 0x7FFFFFFF))
    until = time.monotonic() + 10
    while association.is_established and time.monotonic() < until:
        time.sleep(0.05)
    assert association.is_aborted


def test_silent_connections_do_not_keep_others_out(listening):
    silent = [socket.create_connection((listening.host, listening.port)) for _ in range(8)]
    try:
        (first, *_) = make_study(slices=1)
        assert send(listening, first)[0].Status == 0x0000
    finally:
        for connection in silent:
            connection.close()


def test_association_that_aborts_within_an_object_leaves_nothing(listening):
    (film, *_) = make_study(modality="DR", body="hand")
    film.add_new(0x00420011, "OB", bytes(6 * 1024 * 1024))
    association = listening.associate((film.SOPClassUID, EXPLICIT))
    request = store_request(film.SOPClassUID, film.SOPInstanceUID, data_set_of(encoded(film)))
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    fragments = list(message.encode_msg(association.accepted_contexts[0].context_id, 1024 * 1024))
    for fragment in fragments[:-1]:
        association.dul.send_pdu(fragment)
    until = time.monotonic() + 10
    while not listening.site.files() and time.monotonic() < until:
        time.sleep(0.02)
    assert listening.site.files()
    association.abort()
    until = time.monotonic() + 10
    while listening.site.files() and time.monotonic() < until:
        time.sleep(0.02)
    assert listening.site.files() == []
    assert listening.site.instances(film.StudyInstanceUID) == []


def test_full_disk_refuses_the_object_and_the_association_goes_on(listening, monkeypatch):
    (film, *_) = make_study(modality="DR", body="hand")
    film.add_new(0x00420011, "OB", bytes(6 * 1024 * 1024))
    association = listening.associate((film.SOPClassUID, EXPLICIT))
    request = store_request(film.SOPClassUID, film.SOPInstanceUID, data_set_of(encoded(film)))

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        assert status_of(association, request) == 0xA700
    assert listening.site.files() == []
    request.DataSet.seek(0)
    assert status_of(association, request) == 0x0000
    association.release()
    (stored,) = listening.site.instances(film.StudyInstanceUID)
    assert listening.site.data_set(stored) == data_set_of(encoded(film))


def pdus_of(peer: socket.socket) -> bytes:
    """Return everything that the receiver still says before it closes."""
    peer.settimeout(10)
    told = b""
    while piece := peer.recv(4096):
        told += piece
    return told


@pytest.mark.parametrize(
    ("pdu", "abort"),
    [
        (struct.pack(">BBL", 9, 0, 4) + bytes(4), negotiation.ABORT_UNKNOWN_PDU),
        (struct.pack(">BBL", 4, 0, 6) + bytes(6), negotiation.ABORT_UNEXPECTED_PDU),
        (struct.pack(">BBL", 1, 0, 80) + b"\xff" * 80, negotiation.ABORT_INVALID),
    ],
)
def test_what_is_no_request_is_aborted_with_the_reason(listening, pdu, abort):
    with socket.create_connection((listening.host, listening.port), timeout=10) as peer:
        peer.sendall(pdu)
        assert pdus_of(peer) == abort


def test_peer_with_too_many_associations_is_rejected_until_one_ends(site):
    settings = site.settings.model_copy(update={"max_associations_per_peer": 1})
    intake = Intake(settings, site.database)
    receiver = Receiver(settings, intake)
    thread = threading.Thread(target=receiver.serve)
    thread.start()
    listening = Listening(site, receiver.address.host, receiver.address.port)
    try:
        first = listening.associate((Verification, IMPLICIT))
        assert listening.associate((Verification, IMPLICIT)).is_rejected
        first.release()
        until = time.monotonic() + 5
        while not (again := listening.associate((Verification, IMPLICIT))).is_established:
            assert time.monotonic() < until
        again.release()
    finally:
        receiver.stop()
        thread.join()
        intake.close()


def test_silent_association_ends_after_the_idle_time(site):
    settings = site.settings.model_copy(update={"dimse_idle_timeout": timedelta(seconds=1)})
    intake = Intake(settings, site.database)
    receiver = Receiver(settings, intake)
    thread = threading.Thread(target=receiver.serve)
    thread.start()
    try:
        association = Listening(site, receiver.address.host, receiver.address.port).associate(
            (Verification, IMPLICIT)
        )
        until = time.monotonic() + 10
        while not association.is_aborted and time.monotonic() < until:
            time.sleep(0.05)
        assert association.is_aborted
    finally:
        receiver.stop()
        thread.join()
        intake.close()
