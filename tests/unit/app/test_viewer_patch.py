"""The rewrites that turn the published OHIF into our viewer, on small pieces of it."""

import importlib.util
import io
import json
import re
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def patcher():
    spec = importlib.util.spec_from_file_location(
        "accord_patch_ohif", ROOT / "tools" / "viewer" / "patch_ohif.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


INDEX = (
    '<!doctype html><html lang="en"><head><meta name="apple-mobile-web-app-title" content="x">'
    '<script>console.time("t"),window.PUBLIC_URL="/"</script><link rel="manifest" href="/m.json">'
    '<link rel="apple-touch-icon" sizes="57x57" href="/assets/a.png">'
    '<link rel="icon" type="image/png" sizes="228x228" href="/assets/coast.png">'
    '<script rel="preload" as="script" src="/app-config.js"></script>'
    '<script type="module" src="/init-service-worker.js"></script><title>OHIF Viewer</title>'
    '<script>window.PUBLIC_URL="/"</script><script defer src="/app.bundle.0123.js"></script>'
    "</head><body><noscript> You need to enable JavaScript to run this app. </noscript></body>"
    "</html>"
)
SCRIPT = (
    '__webpack_require__.p = "/";\nresources: src_locales,\n'
    "e(isMixedPatients ? 'Multiple Patients' : 'Patient')"
)


def package(files: dict[str, bytes], links: dict[str, str] | None = None) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    buffer.seek(0)
    return buffer


def test_chunks_and_workers_load_from_the_prefix(patcher):
    text, hits = patcher.patch_script('a; __webpack_require__.p = "/"; b')
    assert (text, hits) == ('a; __webpack_require__.p = "/viewer/"; b', 1)


def test_script_without_a_public_path_is_left_as_it_is(patcher):
    assert patcher.patch_script("let a = 1;") == ("let a = 1;", 0)


def test_fonts_load_from_the_prefix_and_foreign_addresses_stay(patcher):
    text, hits = patcher.patch_style("url(/a.woff2) url('/b.png') url(//host/c) url(data:x)")
    assert text == "url(/viewer/a.woff2) url('/viewer/b.png') url(//host/c) url(data:x)"
    assert hits == 2


def test_page_loses_the_service_worker_and_the_touch_icons(patcher):
    text, hits = patcher.patch_index(INDEX)
    assert "service-worker" not in text
    assert "manifest" not in text
    assert "apple" not in text
    assert all(hits.values()), hits


def test_page_is_chinese_and_every_address_has_the_prefix(patcher):
    text, _ = patcher.patch_index(INDEX)
    assert '<html lang="zh-CN">' in text
    assert text.count('window.PUBLIC_URL="/viewer/"') == 2
    assert set(re.findall(r'src="(/[a-z]*/?)', text)) == {"/viewer/"}


@pytest.mark.parametrize("function", ["patch_script", "patch_languages", "patch_style"])
def test_second_patch_is_refused(patcher, function):
    source = {
        "patch_script": SCRIPT,
        "patch_languages": SCRIPT,
        "patch_style": "url(/a.woff2)",
    }[function]
    once, hits = getattr(patcher, function)(source)
    assert hits == 1
    with pytest.raises(patcher.PatchError, match="already patched"):
        getattr(patcher, function)(once)


def test_second_patch_of_the_page_is_refused(patcher):
    once, _ = patcher.patch_index(INDEX)
    with pytest.raises(patcher.PatchError, match="already patched"):
        patcher.patch_index(once)


def test_rewrite_that_finds_nothing_fails_the_build(patcher):
    report = patcher.Report(hits={"languages": 1, "style addresses": 0})
    with pytest.raises(patcher.PatchError, match="style addresses"):
        report.require("languages", "style addresses")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("index.html", True),
        ("100.bundle.cb02411ce321d4e4.js", True),
        ("assets/favicon.ico", True),
        ("assets/images/CT-Bone.png", True),
        ("assets/apple-touch-icon.png", False),
        ("ort/ort.wasm", False),
        ("dicom-microscopy-viewer/a.js", False),
        ("app.bundle.js.map", False),
        ("sw.js", False),
        ("app-config.js", False),
    ],
)
def test_only_what_the_viewer_needs_is_kept(patcher, name, kept):
    assert patcher.is_kept(name) is kept


@pytest.mark.parametrize("name", ["../../evil.js", "/etc/evil.js", "package/dist/..\\evil.js"])
def test_member_outside_the_package_is_refused(patcher, name):
    with (
        tarfile.open(fileobj=package({name: b"x"}), mode="r:gz") as archive,
        pytest.raises(patcher.PatchError, match="outside the package"),
    ):
        list(patcher.safe_members(archive))


def test_link_in_the_package_is_refused(patcher):
    with (
        tarfile.open(fileobj=package({}, {"package/dist/a.js": "/etc/passwd"})) as archive,
        pytest.raises(patcher.PatchError, match="no file"),
    ):
        list(patcher.safe_members(archive))


def test_our_strings_come_before_our_configuration(patcher):
    script = patcher.app_config("window.config = {};", {"Tools": {"Save": "保存"}}).decode()
    assert script.index('window.accordStrings={"Tools":{"Save":"保存"}};') < script.index("config")


def test_every_string_of_ours_is_chinese_and_keeps_its_placeholders():
    strings = json.loads((ROOT / "tools/viewer/strings.zh.json").read_text("utf-8"))
    assert len(strings) > 20
    for namespace, texts in strings.items():
        for english, chinese in texts.items():
            where = f"{namespace}: {english}"
            assert re.search(r"[\u4e00-\u9fff]|^\$t\(", chinese), where
            names = set(re.findall(r"{{\s*(\w+)\s*}}", chinese))
            assert names >= set(re.findall(r"{{\s*(\w+)\s*}}", english)), where


def test_mark_is_read_from_the_metadata_and_nowhere_written_as_a_constant():
    config = (ROOT / "tools/viewer/app-config.js").read_text("utf-8")
    assert "00211001" in config
    assert "川渝 HR" not in config
