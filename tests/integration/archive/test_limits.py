"""What the receiver answers to peers that ask for much, in small pieces, or all at once."""

import errno
import os
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.sop_class import Verification

from accord.archive.receive import negotiation
from accord.archive.receive.intake import Intake
from accord.archive.receive.listener import Receiver
from accord.archive.receive.places import Places
from integration.archive.conftest import AE_TITLE, OTHER_TITLE, Listening
from integration.archive.test_dimse import (
    CT,
    EXPLICIT,
    IMPLICIT,
    data_set_of,
    pdus_of,
    send,
    status_of,
    store_request,
)
from integration.archive.test_find import on_the_wire
from support.builders import encoded, make_study
from support.processes import python, wait_until

ACCEPTED = 2


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(body)) + body


def request(contexts: list[tuple[int, str, str]]) -> bytes:
    """Return an A-ASSOCIATE-RQ with these contexts: number, abstract and transfer syntax."""
    body = struct.pack(">HH", 1, 0) + b"ACCORD".ljust(16) + AE_TITLE.encode().ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1")
    for number, abstract, syntax in contexts:
        names = item(0x30, abstract.encode()) + item(0x40, syntax.encode())
        body += item(0x20, bytes((number, 0, 0, 0)) + names)
    body += item(0x50, item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3.4"))
    return struct.pack(">BBL", 1, 0, len(body)) + body


def whole_pdu(peer: socket.socket) -> tuple[int, bytes]:
    """Read one PDU: its type and its body."""
    kind, _, length = struct.unpack(">BBL", exactly(peer, 6))
    return kind, exactly(peer, length)


def exactly(peer: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = peer.recv(count - len(found))
        assert piece, "the receiver closed"
        found += piece
    return found


def connected(listening: Listening) -> socket.socket:
    return socket.create_connection((listening.host, listening.port), timeout=20)


def test_as_many_contexts_as_there_are_numbers_are_answered_and_more_are_cut_off(listening):
    with connected(listening) as peer:
        peer.sendall(request([(2 * n + 1, CT, EXPLICIT) for n in range(128)]))
        kind, body = whole_pdu(peer)
        assert kind == ACCEPTED
        assert (
            body.count(EXPLICIT.encode() + b"\x21") + body.count(EXPLICIT.encode() + b"\x50") == 128
        )
    with connected(listening) as peer:
        peer.sendall(request([(2 * n % 256 | 1, CT, EXPLICIT) for n in range(300)]))
        assert pdus_of(peer) == negotiation.ABORT_INVALID
    association = listening.associate((Verification, IMPLICIT))
    assert association.send_c_echo().Status == 0x0000
    association.release()


def echo_command() -> bytes:
    uid = Verification.encode() + b"\0"
    body = b"".join(
        struct.pack("<HHL", 0, element, len(value)) + value
        for element, value in (
            (0x0002, uid),
            (0x0100, struct.pack("<H", 0x30)),
            (0x0110, struct.pack("<H", 1)),
            (0x0800, struct.pack("<H", 0x0101)),
        )
    )
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def value(data: bytes, control: int) -> bytes:
    """Return a P-DATA with one value of the first context."""
    inner = struct.pack(">LBB", len(data) + 2, 1, control) + data
    return struct.pack(">BBL", 4, 0, len(inner)) + inner


def test_command_in_fragments_of_one_byte_is_answered(listening):
    command = echo_command()
    with connected(listening) as peer:
        peer.sendall(request([(1, Verification, IMPLICIT)]))
        assert whole_pdu(peer)[0] == ACCEPTED
        for at in range(len(command)):
            peer.sendall(value(command[at : at + 1], 3 if at == len(command) - 1 else 1))
        kind, body = whole_pdu(peer)
        assert kind == 4
        assert struct.pack("<HHLH", 0, 0x0900, 2, 0x0000) in body


def test_command_that_does_not_end_is_cut_off(listening):
    with connected(listening) as peer:
        peer.sendall(request([(1, Verification, IMPLICIT)]))
        assert whole_pdu(peer)[0] == ACCEPTED
        for _ in range(17):
            peer.sendall(value(bytes(1024), 1))
        assert pdus_of(peer) == negotiation.ABORT_BY_USER


def test_associations_that_say_nothing_keep_nobody_out(listening):
    silent = [listening.associate((CT, EXPLICIT)) for _ in range(8)]
    assert all(one.is_established for one in silent)
    (first, *_) = make_study(slices=1)
    assert send(listening, first)[0].Status == 0x0000
    for one in silent:
        one.release()


def test_same_object_from_four_associations_at_once_is_stored_once(listening):
    (film, *_) = make_study(modality="DR", body="hand")
    film.add_new(0x00420011, "OB", bytes(4 * 1024 * 1024))
    together = threading.Barrier(4)

    def send_it(_number: int) -> int:
        together.wait(20)
        return send(listening, film)[0].Status

    with ThreadPoolExecutor(4) as senders:
        assert list(senders.map(send_it, range(4))) == [0, 0, 0, 0]
    (stored,) = listening.site.instances(film.StudyInstanceUID)
    assert listening.site.data_set(stored) == data_set_of(encoded(film))
    assert listening.site.kept_aside(film.StudyInstanceUID) == {}


def test_same_uid_with_other_bytes_at_once_leaves_one_of_them_and_keeps_the_other_aside(listening):
    (first, *_) = make_study(slices=1)
    other = dcmread(BytesIO(encoded(first)))
    other.PatientComments = "changed"
    together = threading.Barrier(2)

    def send_it(one: Dataset) -> int:
        together.wait(20)
        return send(listening, one)[0].Status

    with ThreadPoolExecutor(2) as senders:
        assert sorted(senders.map(send_it, (first, other))) == [0x0000, 0xB000]
    assert len(listening.site.instances(first.StudyInstanceUID)) == 1
    assert listening.site.kept_aside(first.StudyInstanceUID) == {"same_uid_other_bytes": 1}


def test_two_thousand_objects_of_one_kilobyte_sent_ahead_are_all_stored(listening):
    """Sent without waiting for answers; they share files."""
    (first, *_) = make_study(slices=1, matrix=8)
    uids = [generate_uid() for _ in range(2000)]
    sent = bytearray()
    for number, uid in enumerate(uids):
        first.SOPInstanceUID = first.file_meta.MediaStorageSOPInstanceUID = uid
        message = C_STORE_RQ()
        store = store_request(CT, uid, data_set_of(encoded(first)))
        store.MessageID = number + 1
        message.primitive_to_message(store)
        sent += on_the_wire(1, message)
    assert len(sent) / 2000 < 4096
    with connected(listening) as peer:
        peer.settimeout(60)
        peer.sendall(request([(1, CT, EXPLICIT)]))
        assert whole_pdu(peer)[0] == ACCEPTED
        writing = threading.Thread(target=peer.sendall, args=(bytes(sent),))
        writing.start()
        good = struct.pack("<HHLH", 0, 0x0900, 2, 0x0000)
        assert all(good in whole_pdu(peer)[1] for _ in uids)
        writing.join()
    stored = listening.site.instances(first.StudyInstanceUID)
    assert {one.sop_uid for one in stored} == set(uids)
    assert len({one.blob.key for one in stored}) < 10
    assert listening.site.files() == []


def test_full_disk_refuses_a_small_object_and_takes_it_when_there_is_room(listening, monkeypatch):
    (first, *_) = make_study(slices=1)
    association = listening.associate((CT, EXPLICIT))
    request = store_request(CT, first.SOPInstanceUID, data_set_of(encoded(first)))

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        patched.setattr(os, "posix_fallocate", full)
        assert status_of(association, request) == 0xA700
    assert listening.site.instances(first.StudyInstanceUID) == []
    request.DataSet.seek(0)
    assert status_of(association, request) == 0x0000
    association.release()
    (stored,) = listening.site.instances(first.StudyInstanceUID)
    assert listening.site.data_set(stored) == data_set_of(encoded(first))


def test_two_receivers_on_one_folder_keep_what_each_was_sent(listening):
    intake = Intake(listening.site.settings, listening.site.database)
    receiver = Receiver(listening.site.settings, intake)
    thread = threading.Thread(target=receiver.serve)
    thread.start()
    second = Listening(listening.site, receiver.address.host, receiver.address.port)
    try:
        study = make_study(slices=8)
        with ThreadPoolExecutor(2) as senders:
            halves = senders.map(
                lambda half: send(half[0], *half[1]), ((listening, study[:5]), (second, study[3:]))
            )
            assert {answer.Status for half in halves for answer in half} == {0}
    finally:
        receiver.stop()
        thread.join()
        intake.close()
    stored = {
        one.sop_uid: listening.site.data_set(one)
        for one in listening.site.instances(study[0].StudyInstanceUID)
    }
    assert stored == {one.SOPInstanceUID: data_set_of(encoded(one)) for one in study}


def test_limit_of_a_peer_holds_for_all_receivers_of_a_folder(site):
    settings = site.settings.model_copy(update={"max_associations_per_peer": 2})
    intakes = [Intake(settings, site.database) for _ in range(2)]
    receivers = [Receiver(settings, intake) for intake in intakes]
    threads = [threading.Thread(target=receiver.serve) for receiver in receivers]
    for thread in threads:
        thread.start()
    try:
        one, two = (Listening(site, r.address.host, r.address.port) for r in receivers)
        held = [place.associate((Verification, IMPLICIT)) for place in (one, two)]
        assert all(association.is_established for association in held)
        assert not one.associate((Verification, IMPLICIT)).is_established
        assert not two.associate((Verification, IMPLICIT)).is_established
        other = two.associate((Verification, IMPLICIT), ae_title=OTHER_TITLE)
        assert other.is_established
        held[0].release()
        assert wait_until(lambda: associates(two))
        for association in (held[1], other):
            association.release()
    finally:
        for receiver, thread, intake in zip(receivers, threads, intakes, strict=True):
            receiver.stop()
            thread.join()
            intake.close()


def associates(listening: Listening) -> bool:
    association = listening.associate((Verification, IMPLICIT))
    established = bool(association.is_established)
    if established:
        association.release()
    return established


def test_place_of_a_process_that_was_killed_is_free_again(tmp_path):
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from accord.archive.receive.places import Places\n"
        "print(Places(Path(sys.argv[1]), 1).take('X'), flush=True)\ntime.sleep(60)\n"
    )
    places = Places(tmp_path, 1)
    with python(script, tmp_path) as process:
        assert process.stdout.readline().strip().isdigit()
        assert places.take("X") is None
        process.kill()
        process.wait(20)
        place = places.take("X")
    assert place is not None
    places.give_back(place)
