"""The image viewer at /viewer/: the built OHIF, its entry page, and plain frames without WebGL.

The files are the same for everybody and need no login; every image and every word about a
patient comes from routes that do.
"""

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from accord.app import frames
from accord.kit.access import OPEN
from accord.kit.errors import NotFound

BUILT: Final = Path(__file__).parent / "static" / "viewer"
PREFIX: Final = "/viewer"

HASHED_NAME: Final = re.compile(r"(^|[./])[0-9a-f]{16}\.[a-z0-9]+$")
ENTRY_SCRIPT: Final = re.compile(rb"__webpack_require__\.p = ")
INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
# Not by mimetypes: it reads the machine's tables, and a wrong type stops scripts under nosniff.
MEDIA_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}

# A worker sees pixels and no page. The glue of its codecs for JPEG-LS and JPEG 2000 is made with
# `new Function`, so these images stay black without 'unsafe-eval'; the page itself never has it.
WORKER_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; "
    "connect-src 'self' data: blob:; base-uri 'none'"
)

router = APIRouter(prefix=PREFIX, tags=["viewer"])
frames.add(router)


class ViewerNotBuilt(NotFound):
    """The package was installed without its viewer."""

    status = 503
    code = "viewer_not_built"
    exit_code = 3


@dataclass(frozen=True)
class BuiltFile:
    """One file of the built viewer, as it is served."""

    path: Path
    media_type: str
    compressed: bool
    immutable: bool
    etag: str


@dataclass(frozen=True)
class Build:
    """The built viewer: its files by their address, and the policies its page and workers need."""

    files: dict[str, BuiltFile]
    workers: frozenset[str]
    page_policy: str

    def policy_of(self, address: str) -> str:
        """Return the Content-Security-Policy to send with a file."""
        return WORKER_POLICY if address in self.workers else self.page_policy


@lru_cache(maxsize=4)
def load_build(folder: Path = BUILT) -> Build:
    """Read the folder once; only what stands there now is ever served.

    Raises:
        ViewerNotBuilt: The folder has no viewer.
    """
    if not (folder / "index.html.gz").is_file():
        raise ViewerNotBuilt("界面未构建：请重新安装本软件以生成阅片器。")
    files = {}
    for path in sorted(folder.rglob("*")):
        address = path.relative_to(folder).as_posix()
        if not path.is_file() or path.name.startswith("."):
            continue
        content = path.read_bytes()
        compressed = path.suffix == ".gz"
        address = address.removesuffix(".gz") if compressed else address
        files[address] = BuiltFile(
            path,
            MEDIA_TYPES.get(Path(address).suffix, "application/octet-stream"),
            compressed,
            HASHED_NAME.search(address) is not None,
            f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        )
    index = gzip.decompress(files["index.html"].path.read_bytes())
    workers = frozenset(
        address
        for address, file in files.items()
        if address.endswith(".js")
        and address.encode() not in index
        and ENTRY_SCRIPT.search(gzip.decompress(file.path.read_bytes()))
    )
    return Build(files, workers, content_policy(index))


def content_policy(index: bytes) -> str:
    """Return the Content-Security-Policy of OHIF's page.

    Its inline scripts are named by their hash, so that no other inline script runs; compiled
    wasm codecs and styles set by script are what OHIF cannot work without.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in INLINE_SCRIPT.findall(index)
    )
    return (
        f"default-src 'self'; script-src 'self' {hashes} 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:; "
        "connect-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'"
    )


def _accepts_gzip(request: Request) -> bool:
    """Tell whether the caller takes gzip (RFC 9110: absent or q=0 means no)."""
    for part in request.headers.get("accept-encoding", "").split(","):
        coding, _, parameters = part.strip().partition(";")
        if coding.strip().lower() in {"gzip", "*"}:
            quality = parameters.strip().lower().removeprefix("q=")
            return not re.fullmatch(r"0(\.0*)?", quality)
    return False


def _answer(request: Request, file: BuiltFile, policy: str) -> Response:
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if file.immutable else "no-cache",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "ETag": file.etag,
    }
    if file.compressed:
        headers["Vary"] = "Accept-Encoding"
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.path.read_bytes()
    if file.compressed:
        if _accepts_gzip(request):
            headers["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
    return Response(content, media_type=file.media_type, headers=headers)


@router.get("/{path:path}", include_in_schema=False, dependencies=[OPEN])
def viewer_file(request: Request, path: str) -> Response:
    """Serve a built file, or OHIF's page for an address of its own router.

    An unknown address with a suffix is 404: OHIF would take index.html for its script and show
    a white page.
    """
    build = load_build()
    if path not in build.files:
        if "." in path.rsplit("/", 1)[-1]:
            raise NotFound("阅片器没有这个文件。")
        path = "index.html"
    return _answer(request, build.files[path], build.policy_of(path))
