"""A C-STORE sender that costs next to nothing, so that a receiver is what is measured.

Everything is encoded once; per object only its SOP Instance UID, of fixed length, is written into
the encoded PDUs. Used by `receive`, against our receiver and against others alike.
"""

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset

from accord.app.demo import phantoms
from accord.archive.part10 import Head, read_head

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
APPLICATION: Final = "1.2.840.10008.3.1.1.1"
UID_ROOT: Final = "1.2.826.0.1.3680043.10.1537"
UID_LENGTH: Final = 58
OUR_PDU: Final = 1024 * 1024
UNLIMITED: Final = 1024 * 1024
DISTINCT: Final = 8
ACCEPTED: Final = 2
PATIENCE: Final = 120.0
STATUS: Final = struct.pack("<HHL", 0x0000, 0x0900, 2)


@dataclass(frozen=True)
class Load:
    """What is sent.

    Attributes:
        associations: Associations at the same time.
        objects: Objects altogether.
        run: A number that makes the UIDs of this run new.
    """

    associations: int
    objects: int
    run: int


def make_uid(run: int, association: int, number: int) -> str:
    """Return a UID of fixed length that is used once."""
    # No component begins with a zero.
    parts = (run + 10**9, association + 100, number + 10**8)
    return ".".join((UID_ROOT, *map(str, parts))).ljust(UID_LENGTH, "1")


def make_objects(run: int, association: int) -> list[Dataset]:
    """Return a few CT slices of 512 × 512 that differ in their pixels."""
    study = phantoms.make_study(modality="CT", body="chest", slices=DISTINCT, matrix=512)
    objects = []
    for dataset in study[:DISTINCT]:
        copy = dcmread(BytesIO(phantoms.encoded(dataset)))
        copy.StudyInstanceUID = make_uid(run, association, 0)
        copy.SeriesInstanceUID = make_uid(run, association, 1)
        copy.SOPInstanceUID = make_uid(run, association, 2)
        objects.append(copy)
    return objects


class Encoded:
    """One object as the bytes of its PDUs, and where its UID stands in them."""

    def __init__(self, dataset: Dataset, largest_pdu: int) -> None:
        uid = str(dataset.SOPInstanceUID)
        file = phantoms.encoded(dataset)
        head = read_head(memoryview(file))
        assert isinstance(head, Head)  # noqa: S101 - we wrote the file ourselves
        data = file[head.length :]
        self.size = len(data)
        stream = bytearray(_pdata(_command(uid), largest_pdu, is_command=True))
        stream += _pdata(data, largest_pdu, is_command=False)
        self.stream = stream
        self._places = _places(stream, uid.encode())

    def give_uid(self, uid: str) -> bytearray:
        """Return the PDUs with another UID of the same length."""
        for place in self._places:
            self.stream[place : place + UID_LENGTH] = uid.encode()
        return self.stream


class Association:
    """An association as requestor: raw socket, one presentation context."""

    def __init__(self, host: str, port: int, calling: str, called: str) -> None:
        self._socket = socket.create_connection((host, port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(_request(calling, called))
        kind, body = self._read_pdu()
        if kind != ACCEPTED:
            raise ConnectionError(f"association not accepted: PDU type {kind}")
        self.largest_pdu = _largest_pdu(body)

    def store(self, stream: bytearray) -> int:
        """Send the PDUs of one object and return the status of its response."""
        self._socket.sendall(stream)
        _, body = self._read_pdu()
        at = body.find(STATUS)
        if at < 0:
            raise ConnectionError("no status in the response")
        return int(struct.unpack_from("<H", body, at + len(STATUS))[0])

    def release(self) -> None:
        """Release and close."""
        self._socket.sendall(struct.pack(">BBLL", 5, 0, 4, 0))
        self._read_pdu()
        self.close()

    def close(self) -> None:
        """Close without a word."""
        self._socket.close()

    def _read_pdu(self) -> tuple[int, bytes]:
        kind, _, length = struct.unpack(">BBL", self._read(6))
        return kind, self._read(length)

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self._socket.recv(count - len(found))
            if not piece:
                raise ConnectionError("the receiver closed the connection")
            found += piece
        return found


def send(host: str, port: int, calling: str, called: str, load: Load) -> dict[str, float]:
    """Send everything over several associations at once; return seconds, bytes and failures.

    The clock runs from the first object to the last response; associating and encoding are done
    before.
    """
    each = load.objects // load.associations
    ready = threading.Barrier(load.associations + 1)
    failures: list[int] = []
    sizes: list[int] = []

    def work(index: int) -> None:
        association = Association(host, port, calling, called)
        objects = make_objects(load.run, index)
        several = [Encoded(dataset, association.largest_pdu) for dataset in objects]
        ready.wait()
        for number in range(each):
            one = several[number % len(several)]
            status = association.store(one.give_uid(make_uid(load.run, index, number + 3)))
            sizes.append(one.size)
            if status != 0:
                failures.append(status)
        association.release()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(load.associations)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return {
        "seconds": time.perf_counter() - begun,
        "objects": len(sizes),
        "bytes": sum(sizes),
        "failures": len(failures),
    }


def _places(stream: bytearray, uid: bytes) -> list[int]:
    places = []
    at = stream.find(uid)
    while at >= 0:
        places.append(at)
        at = stream.find(uid, at + 1)
    return places


def _command(uid: str) -> bytes:
    elements = [
        (0x0002, _text(CT)),
        (0x0100, struct.pack("<H", 1)),
        (0x0110, struct.pack("<H", 1)),
        (0x0700, struct.pack("<H", 0)),
        (0x0800, struct.pack("<H", 0)),
        (0x1000, _text(uid)),
    ]
    body = b"".join(struct.pack("<HHL", 0, tag, len(value)) + value for tag, value in elements)
    return struct.pack("<HHLL", 0, 0, 4, len(body)) + body


def _text(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def _pdata(data: bytes, largest_pdu: int, *, is_command: bool) -> bytes:
    step = largest_pdu - 6
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    pdus = []
    for number, piece in enumerate(pieces):
        control = (1 if is_command else 0) | (2 if number == len(pieces) - 1 else 0)
        value = struct.pack(">LBB", len(piece) + 2, 1, control) + piece
        pdus.append(struct.pack(">BBL", 4, 0, len(value)) + value)
    return b"".join(pdus)


def _item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BBH", kind, 0, len(value)) + value


def _request(calling: str, called: str) -> bytes:
    context = struct.pack(">BBBB", 1, 0, 0, 0)
    context += _item(0x30, CT.encode()) + _item(0x40, EXPLICIT.encode())
    user = _item(0x51, struct.pack(">L", OUR_PDU)) + _item(0x52, UID_ROOT.encode())
    body = struct.pack(">HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode()
    body += bytes(32) + _item(0x10, APPLICATION.encode()) + _item(0x20, context)
    body += _item(0x50, user)
    return struct.pack(">BBL", 1, 0, len(body)) + body


def _largest_pdu(accepted: bytes) -> int:
    """Return the longest PDU that the receiver takes, from its A-ASSOCIATE-AC."""
    at = 68  # after version, titles and reserved bytes
    while at + 4 <= len(accepted):
        kind, _, length = struct.unpack_from(">BBH", accepted, at)
        if kind == 0x50:  # noqa: PLR2004 - user information holds the items
            at += 4
            continue
        if kind == 0x51:  # noqa: PLR2004 - maximum length
            return int(struct.unpack_from(">L", accepted, at + 4)[0]) or UNLIMITED
        at += 4 + length
    return 16 * 1024


def main(words: Sequence[str]) -> None:
    """Run as a process of its own: host, port, calling, called, associations, objects, run."""
    host, port, calling, called, associations, objects, run = words
    load = Load(int(associations), int(objects), int(run))
    print(json.dumps(send(host, int(port), calling, called, load)))


if __name__ == "__main__":
    main(sys.argv[1:])
