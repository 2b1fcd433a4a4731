"""Turn the published build of OHIF into the one that Accord serves at /viewer/.

The build is made for the root of a host, loads a service worker from outside hosts and speaks
half Chinese. Every rewrite must hit: a new OHIF that looks different fails the build here and
not the physician in front of a white page.
"""

import gzip
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

PREFIX = "/viewer/"
DIST = "package/dist/"
LICENSE = "package/LICENSE"

# Segmentation models (136 MB) and the microscopy viewer (20 MB) serve no modality of the
# standard; the service worker and the analytics stub reach for outside hosts; the rest is for
# hosting services, phones and a sign-in that is not ours.
DROPPED_FOLDERS = ("ort", "dicom-microscopy-viewer", "customizations")
DROPPED_FILES = frozenset(
    {
        "sw.js",
        "init-service-worker.js",
        "google.js",
        "_headers",
        "_redirects",
        "serve.json",
        "manifest.json",
        "app-config.js",
        "silent-refresh.html",
        "oidc-client.min.js",
        "es6-shim.min.js",
        "polyfill.min.js",
    }
)
KEPT_ASSETS = re.compile(r"assets/(favicon[\w.-]*|images/.+)")
TEXT_SUFFIXES = frozenset({".js", ".css", ".html", ".svg", ".wasm", ".json", ".txt", ".ico"})

ROOT_PUBLIC_PATH = '__webpack_require__.p = "/"'
LANGUAGE_RESOURCES = "resources: src_locales,"
MERGED_RESOURCES = (
    "resources: { ...src_locales, zh: Object.fromEntries("
    "[...new Set([...Object.keys(src_locales.zh), ...Object.keys(window.accordStrings || {})])]"
    ".map(ns => [ns, { ...src_locales.zh[ns], ...(window.accordStrings || {})[ns] }])"
    ") },"
)
# What OHIF does not look up in its languages and a physician may meet.
LABELS = {
    "isMixedPatients ? 'Multiple Patients' : 'Patient'": (
        "isMixedPatients ? '多个患者号' : '患者'"
    ),
    '"Error (404)"': '"没有这个页面"',
    "\"We can't find the page you're looking for.\"": '"请从检查或提醒中打开影像。"',
    '"One or more of the requested studies are not available at this time."': (
        '"没有这个检查，或您无权查看它。"'
    ),
}
INDEX_DROPS = (
    re.compile(r'<link rel="(?:apple-touch|yandex)[^>]*>'),
    re.compile(r'<link rel="manifest"[^>]*>'),
    re.compile(r'<meta name="(?:apple|msapplication|mobile-web-app)[^>]*>'),
    re.compile(r'<link rel="icon" type="image/png" sizes="228x228"[^>]*>'),
    re.compile(r"<script[^>]*init-service-worker[^>]*></script>"),
)


class PatchError(Exception):
    """The published build does not look as this patch expects."""


@dataclass
class Report:
    """What was written and how often each rewrite hit."""

    files: int = 0
    bytes_written: int = 0
    hits: dict[str, int] = field(default_factory=dict)

    def hit(self, rewrite: str, times: int) -> None:
        """Count a rewrite."""
        self.hits[rewrite] = self.hits.get(rewrite, 0) + times

    def require(self, *rewrites: str) -> None:
        """Refuse a build in which one of these rewrites found nothing to change."""
        missed = [name for name in rewrites if not self.hits.get(name)]
        if missed:
            raise PatchError(f"OHIF looks different than expected: nothing matched {missed}")


def _refuse_second_patch(text: str, rewritten: str) -> None:
    if rewritten in text:
        raise PatchError("this build is already patched for a sub-path")


def patch_script(text: str, prefix: str = PREFIX) -> tuple[str, int]:
    """Let chunks, workers and wasm load from the prefix; return the text and the hits."""
    _refuse_second_patch(text, f'__webpack_require__.p = "{prefix}"')
    return (
        text.replace(ROOT_PUBLIC_PATH, f'__webpack_require__.p = "{prefix}"'),
        text.count(ROOT_PUBLIC_PATH),
    )


def patch_languages(text: str) -> tuple[str, int]:
    """Let the strings of app-config.js complete the Chinese ones; return the text and the hits."""
    _refuse_second_patch(text, "window.accordStrings")
    return text.replace(LANGUAGE_RESOURCES, MERGED_RESOURCES), text.count(LANGUAGE_RESOURCES)


def patch_style(text: str, prefix: str = PREFIX) -> tuple[str, int]:
    """Let fonts and images load from the prefix; return the text and the hits."""
    if re.search(rf"url\([\"']?{re.escape(prefix)}", text):
        raise PatchError("this build is already patched for a sub-path")
    return re.subn(r"url\(([\"']?)/(?!/)", rf"url(\1{prefix}", text)


def patch_index(text: str, prefix: str = PREFIX) -> tuple[str, dict[str, int]]:
    """Rewrite index.html: prefix, language, title, no service worker and no touch icons."""
    _refuse_second_patch(text, f'window.PUBLIC_URL="{prefix}"')
    hits: dict[str, int] = {}
    for number, drop in enumerate(INDEX_DROPS):
        text, hits[f"index drop {number}"] = drop.subn("", text)
    text, hits["index addresses"] = re.subn(r'((?:src|href|content)=")/(?!/)', rf"\1{prefix}", text)
    for name, old, new in (
        ("index public url", 'window.PUBLIC_URL="/"', f'window.PUBLIC_URL="{prefix}"'),
        ("index language", '<html lang="en">', '<html lang="zh-CN">'),
        ("index title", "<title>OHIF Viewer</title>", "<title>川渝影像互认 · 阅片</title>"),
        (
            "index noscript",
            " You need to enable JavaScript to run this app. ",
            f'此浏览器未启用脚本，请改用 <a href="{prefix}frames">图片方式阅片</a>。',
        ),
    ):
        hits[name] = text.count(old)
        text = text.replace(old, new)
    return text, hits


def is_kept(name: str) -> bool:
    """Tell whether a file of dist/ (posix path relative to it) goes into our build."""
    if name in DROPPED_FILES or name.endswith(".map"):
        return False
    top = name.split("/", 1)[0]
    if top in DROPPED_FOLDERS:
        return False
    return top != "assets" or KEPT_ASSETS.fullmatch(name) is not None


def safe_members(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield (path, stream) of regular files; refuse any path that leaves the package."""
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or "\\" in member.name:
            raise PatchError(f"the tarball holds a path outside the package: {member.name!r}")
        if member.isdir():
            continue
        stream = archive.extractfile(member) if member.isfile() else None
        if stream is None:
            raise PatchError(f"the tarball holds something that is no file: {member.name!r}")
        yield path.as_posix(), stream


def _patch(name: str, content: bytes, report: Report) -> bytes:
    suffix = PurePosixPath(name).suffix
    if name == "index.html":
        text, hits = patch_index(content.decode())
        for rewrite, times in hits.items():
            report.hit(rewrite, times)
        return text.encode()
    if suffix == ".js":
        text, times = patch_script(content.decode())
        report.hit("script public path", times)
        for label, chinese in LABELS.items():
            report.hit(f"label {label}", text.count(label))
            text = text.replace(label, chinese)
        if name.startswith("app.bundle."):
            report.hit("app public path", times)
            text, times = patch_languages(text)
            report.hit("languages", times)
        return text.encode()
    if suffix == ".css":
        text, times = patch_style(content.decode())
        report.hit("style addresses", times)
        return text.encode()
    return content


def write_file(target: Path, name: str, content: bytes, report: Report) -> None:
    """Write one file; text and wasm as NAME.gz alone, the same bytes each time."""
    path = target / name
    if path.suffix in TEXT_SUFFIXES:
        path = path.with_name(path.name + ".gz")
        content = gzip.compress(content, compresslevel=9, mtime=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    report.files += 1
    report.bytes_written += len(content)


def app_config(config: str, strings: dict[str, dict[str, str]]) -> bytes:
    """Join our Chinese strings and our configuration into the one script OHIF loads first."""
    literal = json.dumps(strings, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"window.accordStrings={literal};\n{config}".encode()


def build(tarball: Path, sources: Path, target: Path) -> Report:
    """Write the patched viewer of `tarball` to the folder `target`, with our files of `sources`."""
    report = Report()
    with tarfile.open(tarball, "r:gz") as archive:
        for member, stream in safe_members(archive):
            if member == LICENSE:
                write_file(target, "OHIF-LICENSE.txt", stream.read(), report)
                report.hit("license", 1)
            name = member.removeprefix(DIST)
            if name == member or not is_kept(name):
                continue
            write_file(target, name, _patch(name, stream.read(), report), report)
    strings = json.loads((sources / "strings.zh.json").read_text("utf-8"))
    config = (sources / "app-config.js").read_text("utf-8")
    write_file(target, "app-config.js", app_config(config, strings), report)
    report.require(
        "license",
        "script public path",
        "app public path",
        *(f"label {label}" for label in LABELS),
        "languages",
        "style addresses",
        "index addresses",
        "index public url",
        "index language",
        "index title",
        "index noscript",
        *(f"index drop {number}" for number in range(len(INDEX_DROPS))),
    )
    return report
