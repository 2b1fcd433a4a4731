"""The publication folder: numbered folders of files, each named by hash in a signed manifest.

    publication/0001/manifest.json    number, day, files with SHA-256, hash of the manifest before
    publication/0001/manifest.sig     ES384 over the bytes of manifest.json
    publication/0001/publication.json everything, for machines
    publication/0001/institutions.csv, items.csv, rights.csv
    publication/0001/publication.pub.pem

Each manifest names the one before it, so that nothing can be taken out of the history unseen.
Readers verify before they believe a byte, and keep what they verified in memory.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from accord.disclosure.errors import NoPublication, Tampered
from accord.disclosure.model import BASIS_WORDS, STATE_WORDS, Publication
from accord.disclosure.signing import ALGORITHM, PUBLIC_NAME, PublicKey, SigningKey

FORMAT: Final = "accord-publication/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
CONTENT: Final = "publication.json"
NUMBERED: Final = re.compile(r"\d{4,6}")
LARGEST_FILE: Final = 64 * 1024**2
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_publication = TypeAdapter(Publication)


class FileEntry(BaseModel):
    """A file as the manifest names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    bytes: int


class Manifest(BaseModel):
    """What is signed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    number: int
    day: date
    published_at: str
    rule_set: str
    catalogue: str
    jurisdictions: tuple[str, ...]
    previous: str | None
    key: str
    files: dict[str, FileEntry]


class Signature(BaseModel):
    """The signature beside the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alg: str
    key: str
    signature: str


@dataclass(frozen=True)
class Verified:
    """A publication whose every byte was checked.

    Attributes:
        place: The numbered folder.
        hash: SHA-256 of the manifest, by which the next one names it.
        kept: The two files that no manifest names, as they were verified.
    """

    publication: Publication
    manifest: Manifest
    place: Path
    hash: str
    kept: Mapping[str, bytes]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files that may be handed out."""
        return (*self.manifest.files, *self.kept)

    def content(self, name: str) -> bytes:
        """Return a file as it was signed, read and checked anew.

        Raises:
            KeyError: The publication has no such file.
            Tampered: It was changed since.
        """
        if name in self.kept:
            return self.kept[name]
        return _checked(self.place, name, self.manifest.files[name])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


# --- writing ----------------------------------------------------------------------------------


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Let one writer at a time into the folder."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def numbers(root: Path) -> tuple[int, ...]:
    """Return the numbers of the publications that stand in the folder, rising."""
    if not root.is_dir():
        return ()
    return tuple(
        sorted(
            int(entry.name)
            for entry in root.iterdir()
            if entry.is_dir() and NUMBERED.fullmatch(entry.name)
        )
    )


def place(root: Path, number: int) -> Path:
    """Return the folder of one publication."""
    return root / f"{number:04d}"


def write(root: Path, publication: Publication, key: SigningKey, previous: str | None) -> Path:
    """Write a publication, durable before it can be seen; the folder appears whole.

    Args:
        root: The publication folder; held by `writing`.
        publication: What to publish, with its number.
        key: Signs it.
        previous: Hash of the manifest before it.

    Returns:
        The new numbered folder.
    """
    files = {
        CONTENT: _json(_publication.dump_python(publication, mode="json")),
        **tables(publication),
        PUBLIC_NAME: key.public.pem,
    }
    manifest = Manifest(
        format=FORMAT,
        number=publication.number,
        day=publication.day,
        published_at=publication.published_at.isoformat(),
        rule_set=publication.rule_set,
        catalogue=publication.catalogue,
        jurisdictions=publication.jurisdictions,
        previous=previous,
        key=key.public.fingerprint,
        files={
            name: FileEntry(sha256=_sha256(content), bytes=len(content))
            for name, content in files.items()
        },
    )
    signed = _json(manifest.model_dump(mode="json"))
    signature = Signature(alg=ALGORITHM, key=key.public.fingerprint, signature=key.sign(signed))
    files[MANIFEST] = signed
    files[SIGNATURE] = _json(signature.model_dump(mode="json"))
    partial = root / f".new-{publication.number:04d}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, content in files.items():
        with (partial / name).open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    _sync_folder(partial)
    final = place(root, publication.number)
    partial.rename(final)
    _sync_folder(root)
    return final


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def tables(publication: Publication) -> dict[str, bytes]:
    """Return the CSV files, UTF-8 with a byte order mark as spreadsheets of the region need it."""
    return {
        "institutions.csv": _table(_INSTITUTION_HEAD, _institution_rows(publication)),
        "items.csv": _table(
            ("序号", "项目代码", "类别", "部位", "项目名称"),
            (
                (item.no, item.code, item.modality, item.region, item.name)
                for item in publication.items
            ),
        ),
        "rights.csv": _table(_RIGHT_HEAD, _right_rows(publication)),
    }


_INSTITUTION_HEAD: Final = (
    *("机构代码", "机构名称", "院区", "省市", "地区", "级别", "等次", "性质"),
    *("发布机关", "名单编号", "起始日", "最后有效日", "发布日互认项目数"),
)
_RIGHT_HEAD: Final = (
    *("机构代码", "机构名称", "院区", "项目序号", "项目名称", "标识"),
    *("状态", "依据", "质控中心", "文件", "起始日", "最后有效日"),
)


def _institution_rows(publication: Publication) -> Iterator[tuple[object, ...]]:
    day = publication.day
    for each in publication.institutions:
        count = len(publication.item_rights(each, day))
        who = (each.code, each.name, each.campus, each.province, each.area)
        what = (each.level, each.grade, each.ownership, each.authority)
        for listing in each.listings:
            when = (listing.valid_from, listing.last_day or "")
            yield (*who, *what, listing.list_id, *when, count if listing.covers(day) else 0)


def _right_rows(publication: Publication) -> Iterator[tuple[object, ...]]:
    for each in publication.institutions:
        who = (each.code, each.name, each.campus)
        for right in each.rights:
            state, basis = STATE_WORDS[right.state], BASIS_WORDS[right.basis]
            why = (right.mark, state, basis, right.centre, right.notice)
            when = (right.valid_from, right.last_day or "")
            for number in right.items:
                yield (*who, number, publication.item_of[number].name, *why, *when)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


# --- reading ----------------------------------------------------------------------------------


def verify(folder: Path, key: PublicKey) -> Verified:
    """Check one numbered folder: signature, every hash, nothing missing, nothing beside.

    Raises:
        NoPublication: The folder is not there.
        Tampered: Something in it is not what was signed.
    """
    if not folder.is_dir():
        raise NoPublication(f"没有第 {folder.name} 期公开名单。")
    name = folder.name
    signed, told = _read(folder, MANIFEST), _read(folder, SIGNATURE)
    try:
        signature = Signature.model_validate_json(told)
    except ValidationError as error:
        raise Tampered(f"第 {name} 期：签名文件 {SIGNATURE} 无法读取。") from error
    if signature.alg != ALGORITHM or not key.has_signed(signed, signature.signature):
        raise Tampered(f"第 {name} 期：{MANIFEST} 的签名与公钥不符，内容可能被改动。")
    try:
        manifest = Manifest.model_validate_json(signed)
    except ValidationError as error:
        raise Tampered(f"第 {name} 期：{MANIFEST} 的格式不符。") from error
    if manifest.format != FORMAT or f"{manifest.number:04d}" != name:
        raise Tampered(f"第 {name} 期：{MANIFEST} 属于第 {manifest.number:04d} 期。")
    _refuse_strangers(folder, manifest)
    content = b""
    for file, entry in manifest.files.items():
        checked = _checked(folder, file, entry)
        content = checked if file == CONTENT else content
    try:
        publication = _publication.validate_json(content)
    except ValidationError as error:
        raise Tampered(f"第 {name} 期：{CONTENT} 缺失或格式不符。") from error
    if publication.number != manifest.number:
        raise Tampered(f"第 {name} 期：{CONTENT} 属于第 {publication.number:04d} 期。")
    kept = {MANIFEST: signed, SIGNATURE: told}
    return Verified(publication, manifest, folder, _sha256(signed), kept)


def _refuse_strangers(folder: Path, manifest: Manifest) -> None:
    beside = {entry.name for entry in folder.iterdir()} - {MANIFEST, SIGNATURE}
    strange = sorted(beside - manifest.files.keys())
    if strange:
        raise Tampered(f"第 {folder.name} 期：文件 {strange[0]} 不在签名清单中。")


def _checked(folder: Path, name: str, entry: FileEntry) -> bytes:
    if "/" in name or name.startswith("."):
        raise Tampered(f"第 {folder.name} 期：签名清单中的文件名 {name!r} 不合规。")
    content = _read(folder, name)
    if len(content) != entry.bytes or _sha256(content) != entry.sha256:
        raise Tampered(f"第 {folder.name} 期：文件 {name} 的内容与签名清单不符，可能被改动。")
    return content


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_FILE:
            raise Tampered(f"第 {folder.name} 期：文件 {name} 不是普通文件或过大。")
        return path.read_bytes()
    except OSError as error:
        raise Tampered(f"第 {folder.name} 期：缺少文件 {name}。") from error


def verify_all(root: Path, key: PublicKey) -> tuple[Verified, ...]:
    """Check every publication and the chain between them, oldest first.

    Raises:
        NoPublication: There is none.
        Tampered: One is changed, or one is missing from the history.
    """
    found = tuple(verify(place(root, number), key) for number in numbers(root))
    if not found:
        raise NoPublication("尚未发布互认名单。")
    before: Verified | None = None
    for position, each in enumerate(found, start=1):
        if each.manifest.number != position:
            raise Tampered(f"历史不完整：缺少第 {position:04d} 期。")
        if each.manifest.previous != (before.hash if before else None):
            raise Tampered(f"第 {position:04d} 期没有接续上一期，历史可能被改动。")
        before = each
    return found


def state_of(root: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return what changes whenever a file of the folder does: names, sizes, times, inodes."""
    seen = []
    for number in numbers(root):
        for entry in sorted(place(root, number).iterdir()):
            status = entry.lstat()
            seen.append(
                (f"{number}/{entry.name}", status.st_size, status.st_mtime_ns, status.st_ino)
            )
    return tuple(seen)
