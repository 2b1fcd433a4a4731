"""The publication folder on a real disk: what is changed in it is found."""

import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from accord.disclosure import checking, folder
from accord.disclosure.errors import NoKey, NoPublication, Tampered
from accord.disclosure.signing import SigningKey, load_public_key, open_signing_key
from accord.kit.settings import Settings
from support.publications import make_institution, make_publication, publish


@pytest.fixture
def root(tmp_path):
    return publish(
        tmp_path / "publication",
        make_publication(1),
        make_publication(2, (make_institution(), make_institution("CQ002"))),
        make_publication(3),
    )


@pytest.fixture
def key(root):
    return load_public_key(root.parent / "keys" / "publication.pub.pem")


def test_untouched_history_is_believed(root, key):
    found = folder.verify_all(root, key)
    assert [each.publication.number for each in found] == [1, 2, 3]
    assert [len(each.publication.institutions) for each in found] == [1, 2, 1]
    assert found[2].manifest.previous == found[1].hash


@pytest.mark.parametrize(
    "name",
    [
        "publication.json",
        "institutions.csv",
        "items.csv",
        "rights.csv",
        "manifest.json",
        "manifest.sig",
        "publication.pub.pem",
    ],
)
def test_one_changed_byte_in_any_file_is_found(root, key, name):
    path = root / "0002" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(Tampered, match="0002"):
        folder.verify_all(root, key)


@pytest.mark.parametrize("name", ["publication.json", "manifest.json", "manifest.sig"])
def test_missing_file_is_found(root, key, name):
    (root / "0001" / name).unlink()
    with pytest.raises(Tampered, match="缺少文件"):
        folder.verify_all(root, key)


def test_file_that_nobody_signed_is_found(root, key):
    (root / "0003" / "extra.csv").write_text("x")
    with pytest.raises(Tampered, match="不在签名清单中"):
        folder.verify_all(root, key)


def test_link_in_place_of_a_file_is_found(root, key, tmp_path):
    path = root / "0003" / "items.csv"
    shutil.move(path, tmp_path / "elsewhere.csv")
    path.symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(Tampered, match="不是普通文件"):
        folder.verify_all(root, key)


@pytest.mark.parametrize("number", ["0001", "0002"])
def test_publication_taken_out_of_the_history_is_found(root, key, number):
    shutil.rmtree(root / number)
    with pytest.raises(Tampered, match="缺少第"):
        folder.verify_all(root, key)


def test_publication_moved_to_another_number_is_found(root, key):
    shutil.rmtree(root / "0002")
    (root / "0003").rename(root / "0002")
    with pytest.raises(Tampered, match="0002"):
        folder.verify_all(root, key)


def test_history_signed_with_another_key_is_found(root, key, tmp_path):
    stranger = SigningKey(ec.generate_private_key(ec.SECP384R1()))
    forged = publish(tmp_path / "forged", make_publication(1), key=stranger)
    with pytest.raises(Tampered, match="签名与公钥不符"):
        folder.verify_all(forged, key)


def test_signed_publication_of_another_history_is_found(root, key, tmp_path):
    own = open_signing_key(root.parent / "keys")
    other = publish(tmp_path / "other", make_publication(1, title="另一份"), key=own)
    shutil.rmtree(root / "0001")
    shutil.copytree(other / "0001", root / "0001")
    with pytest.raises(Tampered, match="没有接续上一期"):
        folder.verify_all(root, key)


def test_empty_folder_has_no_publication(tmp_path, key):
    with pytest.raises(NoPublication):
        folder.verify_all(tmp_path / "nothing", key)


def test_half_written_publication_is_not_seen(root, key):
    (root / ".new-0004").mkdir()
    (root / ".new-0004" / "publication.json").write_text("{")
    assert folder.numbers(root) == (1, 2, 3)
    assert len(folder.verify_all(root, key)) == 3


def test_spreadsheet_takes_no_cell_for_a_formula(tmp_path):
    hostile = make_institution(name="=cmd()", area="@x")
    root = publish(tmp_path / "publication", make_publication(1, (hostile,)))
    text = (root / "0001" / "institutions.csv").read_text("utf-8-sig")
    assert "'=cmd()" in text
    assert "'@x" in text


def test_tables_show_the_last_day_that_counts(root):
    text = (root / "0001" / "rights.csv").read_text("utf-8-sig")
    assert "2026-12-31" in text
    assert "2027-01-01" not in text


def test_secret_key_is_for_its_owner_alone_and_made_once(tmp_path):
    first = open_signing_key(tmp_path / "keys")
    assert (tmp_path / "keys" / "publication.key.pem").stat().st_mode & 0o077 == 0
    assert open_signing_key(tmp_path / "keys").public.fingerprint == first.public.fingerprint
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [
        "publication.key.pem",
        "publication.pub.pem",
    ]


def test_key_of_another_curve_is_refused(tmp_path):
    weak = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    (tmp_path / "weak.pem").write_bytes(weak.public.pem)
    with pytest.raises(NoKey, match="P-384"):
        load_public_key(tmp_path / "weak.pem")


def test_single_file_is_verified_beside_its_manifest_and_by_hash(root, key, tmp_path):
    carried = tmp_path / "download.csv"
    shutil.copy(root / "0002" / "institutions.csv", carried)
    assert checking.verify_path(carried, key, root)[0].publication.number == 2
    beside = root / "0001" / "items.csv"
    assert checking.verify_path(beside, key, root)[0].publication.number == 1
    carried.write_bytes(carried.read_bytes() + b"x")
    with pytest.raises(Tampered, match=r"download\.csv"):
        checking.verify_path(carried, key, root)


def test_numbered_folder_is_verified_by_itself(root, key):
    assert checking.verify_path(root / "0002", key, root)[0].publication.number == 2
    manifest = json.loads((root / "0002" / "manifest.json").read_text())
    assert manifest["number"] == 2


def test_without_any_key_nothing_is_verified(tmp_path):
    settings = Settings(data_dir=tmp_path / "none")
    with pytest.raises(NoKey, match="--key"):
        checking.trusted_key(settings, tmp_path, None)
