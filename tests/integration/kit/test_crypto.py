"""Keys of the site: each made once, for its owner alone; what they make names them."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from accord.kit import crypto
from accord.kit.crypto import Broken, Crypto, UnknownKey, UnsafeKeys


@pytest.fixture
def keys(tmp_path: Path) -> Crypto:
    return Crypto(tmp_path / "keys")


def test_hash_is_the_same_for_every_process_of_the_site(keys: Crypto):
    token = keys.mac("identity", b"1")
    assert token.startswith("k1:")
    assert Crypto(keys.folder).mac("identity", b"1") == token
    assert keys.mac("identity", b"2") != token
    assert keys.mac("other", b"1") != token


def test_algorithm_stands_in_the_key_and_outlives_the_setting(keys: Crypto):
    with_sm3 = keys.mac("identity", b"1")
    later = Crypto(keys.folder, mac_algorithm="HMAC-SHA-256")
    assert later.mac("identity", b"1") == with_sm3
    assert later.rotate("mac", "identity") == "k2"
    fresh, old = later.macs("identity", b"1")
    assert fresh.startswith("k2:")
    assert old == with_sm3
    written = json.loads((keys.folder / "mac.identity.k2").read_text())
    assert written["algorithm"] == "HMAC-SHA-256"


def test_keys_are_for_the_owner_alone(keys: Crypto):
    keys.mac("identity", b"1")
    keys.seal("identity", b"1", bound_to=b"")
    keys.sign("publication", b"1")
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    files = [path for path in keys.folder.iterdir() if path.name != ".lock"]
    assert sorted(path.name for path in files) == [
        "mac.identity.k1", "seal.identity.k1", "sign.publication.k1",
    ]  # fmt: skip
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_key_that_others_may_read_is_refused(keys: Crypto):
    keys.mac("identity", b"1")
    (keys.folder / "mac.identity.k1").chmod(0o640)
    with pytest.raises(UnsafeKeys, match=r"mac\.identity\.k1"):
        Crypto(keys.folder).mac("identity", b"1")


def test_first_use_at_once_makes_one_key(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: Crypto(tmp_path / "keys").mac("identity", b"1"), range(16)))
    assert len(tokens) == 1
    assert not list((tmp_path / "keys").glob(".mac*"))


def test_sealed_text_opens_only_where_it_belongs(keys: Crypto):
    sealed = keys.seal("identity", "曾丽".encode(), bound_to=b"CQ-A/1")
    assert keys.open("identity", sealed, bound_to=b"CQ-A/1").decode() == "曾丽"
    assert keys.seal("identity", "曾丽".encode(), bound_to=b"CQ-A/1") != sealed
    with pytest.raises(Broken):
        keys.open("identity", sealed, bound_to=b"CQ-A/2")
    with pytest.raises(Broken):
        keys.open("identity", sealed[:-4] + "AAAA", bound_to=b"CQ-A/1")
    with pytest.raises(Broken):
        keys.open("identity", "k1:####", bound_to=b"CQ-A/1")


def test_old_key_still_opens_and_a_lost_one_says_so(keys: Crypto):
    sealed = keys.seal("identity", b"x", bound_to=b"")
    other = Crypto(keys.folder)
    other.rotate("seal", "identity")
    fresh = other.seal("identity", b"y", bound_to=b"")
    assert fresh.startswith("k2:")
    assert keys.open("identity", fresh, bound_to=b"") == b"y"  # made by another process since
    (keys.folder / "seal.identity.k1").unlink()
    with pytest.raises(UnknownKey, match="k1"):
        Crypto(keys.folder).open("identity", sealed, bound_to=b"")


def test_signature_is_verified_with_the_public_key_alone(keys: Crypto):
    signature = keys.sign("publication", b"list")
    public = keys.public_keys("publication")
    assert crypto.verify(public, signature, b"list")
    assert not crypto.verify(public, signature, b"lists")
    assert not crypto.verify({}, signature, b"list")
    assert not crypto.verify(public, signature.replace("k1:", "k2:"), b"list")
    assert not crypto.verify(public, "k1:!", b"list")
    assert not crypto.verify({"k1": "no key"}, signature, b"list")
    assert not crypto.verify(Crypto(keys.folder).public_keys("other"), signature, b"list")
    keys.rotate("sign", "publication")
    both = keys.public_keys("publication")
    assert list(both) == ["k2", "k1"]
    assert crypto.verify(both, signature, b"list")
    assert crypto.verify(both, keys.sign("publication", b"list"), b"list")


def test_signature_has_the_fixed_length_of_es384(keys: Crypto):
    lengths = {len(crypto._decode(keys.sign("p", bytes([n])).partition(":")[2])) for n in range(20)}
    assert lengths == {96}


def test_purpose_cannot_leave_the_folder(keys: Crypto):
    with pytest.raises(ValueError, match="purpose"):
        keys.mac("../../etc", b"1")


def test_key_shows_itself_to_nobody(keys: Crypto):
    keys.mac("identity", b"1")
    [key] = keys._keys("mac", "identity")
    assert "secret" not in repr(key)
