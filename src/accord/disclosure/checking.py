"""Verify a publication folder, one number of it, or a single file that was handed out."""

from hashlib import sha256
from pathlib import Path

from accord.disclosure import folder
from accord.disclosure.errors import NoKey, NoPublication, Tampered
from accord.disclosure.folder import MANIFEST, NUMBERED, Verified
from accord.disclosure.signing import PUBLIC_NAME, PublicKey, load_public_key
from accord.kit.settings import Settings


def trusted_key(settings: Settings, path: Path, named: Path | None) -> PublicKey:
    """Return the key to check with: the one named, the site's own, or the one in the folder.

    Raises:
        NoKey: None of them can be read.
    """
    places = [named] if named else [settings.publication_key, settings.keys_dir / PUBLIC_NAME]
    if not named:
        start = path if path.is_dir() else path.parent
        places += [start / PUBLIC_NAME, start.parent / PUBLIC_NAME]
    for place in places:
        if place is not None and place.is_file():
            return load_public_key(place)
    raise NoKey("没有可用的验签公钥，请用 --key 指定。")


def verify_path(path: Path, key: PublicKey, publications: Path) -> tuple[Verified, ...]:
    """Verify what lies at a path and return the publications it belongs to.

    A folder of numbers is verified with its history, a numbered folder by itself. A single file
    is verified by the manifest beside it; a file carried away is looked up by its hash in
    `publications`.

    Raises:
        Tampered: Something is not what was signed, or no publication ever had this file.
        NoPublication: There is nothing to verify.
    """
    if path.is_dir():
        if (path / MANIFEST).exists() or NUMBERED.fullmatch(path.resolve().name):
            return (folder.verify(path.resolve(), key),)
        return folder.verify_all(path, key)
    if not path.is_file():
        raise NoPublication(f"没有 {path.name} 这个文件或文件夹。")
    if (path.parent / MANIFEST).is_file():
        return (folder.verify(path.parent.resolve(), key),)
    content = sha256(path.read_bytes()).hexdigest()
    for each in reversed(folder.verify_all(publications, key)):
        if content == each.hash or content in {
            entry.sha256 for entry in each.manifest.files.values()
        }:
            return (each,)
    raise Tampered(f"历次公布的文件中没有 {path.name}，内容可能被改动。")
