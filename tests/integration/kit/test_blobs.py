"""The object store: durable, by hash, nothing half, nothing left when there is no room."""

import errno
import os
import threading
from datetime import timedelta

import pytest

from accord.kit import blobs
from accord.kit.blobs import FILES, SEGMENTS, Blob, BlobMissing, BlobStore
from accord.kit.errors import StorageFull

LARGE = os.urandom(3 * 1024 * 1024)


@pytest.fixture
def store(tmp_path):
    return BlobStore(tmp_path / "objects")


@pytest.mark.parametrize(("data", "where"), [(b"small", SEGMENTS), (b"", SEGMENTS), (LARGE, FILES)])
def test_what_is_put_is_read_back(store, data, where):
    blob = store.put([data[:10], data[10:]])
    assert blob.store == where
    assert (blob.length, store.read(blob)) == (len(data), data)
    assert store.read(blob, 2, 3) == data[2:5]
    assert b"".join(store.chunks(blob)) == data
    assert store.is_intact(blob)
    with store.mapped(blob) as view:
        assert bytes(view) == data


def test_many_at_once_do_not_disturb_each_other(store):
    found = {}

    def put(number):
        data = bytes([number]) * (1000 + number)
        found[number] = (store.put([data]), data)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.read(blob) == data for blob, data in found.values())


def test_staged_bytes_leave_nothing_when_they_are_not_kept(store, tmp_path):
    with store.stage() as staged:
        staged.write(LARGE)
        assert list(store.incoming.iterdir())
    assert list(store.incoming.iterdir()) == []


@pytest.mark.parametrize("call", ["write", "pwrite", "fdatasync"])
def test_full_disk_is_told_and_leaves_nothing(store, monkeypatch, call):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "no space")

    data = b"x" if call == "pwrite" else LARGE
    store.put([b"before"])
    monkeypatch.setattr(os, call, full)
    with pytest.raises(StorageFull):
        store.put([data])
    monkeypatch.undo()
    assert list(store.incoming.iterdir()) == []
    assert store.read(store.put([b"after"])) == b"after"


def test_damaged_bytes_are_noticed(store):
    blob = store.put([LARGE])
    path = store.root / FILES / blob.key[:2] / blob.key[2:4] / blob.key
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(b"damage")
    assert not store.is_intact(blob)
    path.write_bytes(b"short")
    with pytest.raises(BlobMissing):
        store.read(blob)
    path.unlink()
    with pytest.raises(BlobMissing):
        store.read(blob)


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "ABC", "a/b/c/d"])
def test_key_that_is_no_hash_is_no_path(store, key):
    with pytest.raises(BlobMissing):
        store.read(Blob(FILES, key, 0, 1, "0" * 64))
    with pytest.raises(BlobMissing):
        store.read(Blob("elsewhere", "abcdef", 0, 1, "0" * 64))


def test_stale_temporary_files_are_removed(store):
    (store.incoming / "left").write_bytes(b"x")
    assert store.discard_stale(timedelta(days=1)) == 0
    os.utime(store.incoming / "left", (0, 0))
    assert store.discard_stale(timedelta(days=1)) == 1


def test_full_segment_is_followed_by_another(store, monkeypatch):
    monkeypatch.setattr(blobs, "SEGMENT_SIZE", 8192)
    kept = [(store.put([bytes([n]) * 3000]), bytes([n]) * 3000) for n in range(6)]
    assert len({blob.key for blob, _ in kept}) == 3
    assert all(store.read(blob) == data for blob, data in kept)
