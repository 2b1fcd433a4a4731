"""The build hook: fresh or rebuilt, never another tarball, one sentence when it cannot."""

import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from accord.app.viewer import BUILT

ROOT = Path(__file__).parents[3]
BUILD = "import hatchling.build; hatchling.build.build_editable('{out}')"


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("accord_hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path):
    """A copy of what the hook reads, in a project of its own."""
    root = tmp_path / "project"
    (root / "tools" / "viewer").mkdir(parents=True)
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        source = ROOT / name
        (root / name).write_bytes(source.read_bytes() if source.exists() else b"x\n")
    for source in (ROOT / "tools" / "viewer").glob("*.*"):
        (root / "tools" / "viewer" / source.name).write_bytes(source.read_bytes())
    package = root / "src" / "accord" / "app"
    package.mkdir(parents=True)
    (root / "src" / "accord" / "__init__.py").write_text("")
    return root


def small_package(tmp_path, name="package/dist/index.html", content=b"<html>"):
    path = tmp_path / "ohif-app-3.13.2.tgz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return path


def build(project, **environment):
    """Build as pip does, with no command on PATH at all."""
    return subprocess.run(
        [sys.executable, "-c", BUILD.format(out=project / "out")],
        cwd=project,
        env={"PATH": str(project / "nothing"), "HOME": str(project), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_installed_viewer_is_the_one_of_these_sources(hook):
    assert hook.is_fresh(ROOT, BUILT), "install the project again: the viewer is stale"


def test_stamp_changes_with_every_source_of_the_viewer(hook, project):
    before = hook.stamp(project)
    config = project / "tools" / "viewer" / "app-config.js"
    config.write_text(config.read_text("utf-8") + "\n", "utf-8")
    assert hook.stamp(project) != before


def test_registry_that_cannot_be_reached_ends_the_build_with_one_sentence(project):
    done = build(
        project,
        npm_config_registry="http://127.0.0.1:9/",
        npm_config_fetch_retry_mintimeout="1",
        npm_config_fetch_retry_maxtimeout="1",
        npm_config_cache=str(project / "npm-cache"),
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(told) == 1
    assert "was not built because npm could not fetch @ohif/app@3.13.2" in told[0]
    assert not (project / "src/accord/app/static/viewer").exists()


def test_tarball_with_another_checksum_is_refused(project, tmp_path):
    done = build(project, ACCORD_OHIF_TARBALL=str(small_package(tmp_path)))
    assert done.returncode != 0
    assert "wrong checksum" in done.stderr
    assert "Traceback" not in done.stderr


def test_kept_tarball_that_went_bad_is_not_used(hook, tmp_path, monkeypatch):
    monkeypatch.delenv("ACCORD_OHIF_TARBALL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = tmp_path / "cache" / "accord"
    kept.mkdir(parents=True)
    small_package(kept)
    asked = []

    def fetch(scratch):
        asked.append(scratch)
        return small_package(scratch)

    monkeypatch.setattr(hook, "_pack", fetch)
    with pytest.raises(hook.CannotBuild, match="does not have the expected checksum"):
        hook.tarball(tmp_path)
    assert asked == [tmp_path]


def test_build_that_looks_different_leaves_the_old_viewer(hook, project, tmp_path, monkeypatch):
    target = project / "src/accord/app/static/viewer"
    target.mkdir(parents=True)
    (target / "old").write_text("old")
    monkeypatch.setattr(
        hook, "tarball", lambda _scratch: small_package(tmp_path, "package/dist/a.js", b"1;")
    )
    with pytest.raises(hook.CannotBuild, match="looks different"):
        hook.build_viewer(project, target)
    assert (target / "old").read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["viewer"]


def test_no_address_of_a_registry_stands_in_the_sources():
    texts = [ROOT / "hatch_build.py", *(ROOT / "tools" / "viewer").glob("*.*")]
    for path in texts:
        assert "://" not in path.read_text("utf-8"), path.name
    assert json.loads((ROOT / "tools/viewer/strings.zh.json").read_text("utf-8"))
