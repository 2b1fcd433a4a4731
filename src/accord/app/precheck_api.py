"""`POST /api/v1/quality/check`: an upload is told what it would be told, before it is sent."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from accord.app import precheck
from accord.archive.errors import QueryInvalid
from accord.archive.multipart import Parser, PartBegins, PartData, media_type
from accord.kit.access import Actor, declare, requires
from accord.kit.errors import TooLarge, Unsupported
from accord.record.service import institution_of

CHECK = declare("quality.check", "ask what an upload of the own institution would be told")
SUFFIXES: Final = {"application/dicom": ".dcm", "application/json": precheck.DOCUMENT}
MOST_PARTS: Final = 20_000
ADDRESS: Final = "/api/v1/quality/check"

router = APIRouter(tags=["quality"])

Checker = Annotated[Actor, requires(CHECK)]


@router.post(ADDRESS, operation_id="check_upload")
async def check_upload(request: Request, actor: Checker) -> dict[str, Any]:
    """Check a multipart/related body of application/dicom and application/json parts.

    The parts are called `1.dcm`, `2.json` and so on, by their place.
    """
    institution = institution_of(actor)
    with TemporaryDirectory(prefix="accord-check-") as folder:
        await _spool(request, Path(folder))
        return await run_in_threadpool(_check, request, institution, Path(folder))


def _check(request: Request, institution: str, folder: Path) -> dict[str, Any]:
    state = request.app.state
    with state.database.begin() as conn:
        checked = precheck.check(conn, state.settings, institution, [folder])
    return checked.as_dict(below=folder)


async def _spool(request: Request, folder: Path) -> None:
    """Write every part to a file of its own.

    Raises:
        Unsupported: The body, or a part of it, is of another kind.
        QueryInvalid: It is not multipart as declared, or has too many parts.
        TooLarge: It is longer than the largest object.
    """
    name, parameters = media_type(request.headers.get("content-type", ""))
    if name != "multipart/related":
        raise Unsupported("请求应为 multipart/related。")
    parser = Parser(parameters.get("boundary", ""))
    left: int = request.app.state.settings.max_object_size
    parts = 0
    file: BinaryIO | None = None
    try:
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                raise TooLarge("内容过大，请按检查分批核对。")
            for event in parser.feed(chunk):
                if isinstance(event, PartBegins):
                    parts += 1
                    file = _begin(folder, parts, event.media_type)
                elif isinstance(event, PartData) and file is not None:
                    file.write(event.data)
                elif file is not None:
                    file.close()
        parser.finish()
    finally:
        if file is not None:
            file.close()


def _begin(folder: Path, number: int, kind: str) -> BinaryIO:
    if number > MOST_PARTS:
        raise QueryInvalid(f"一次最多核对 {MOST_PARTS} 个对象，请按检查分批核对。")
    suffix = SUFFIXES.get(kind)
    if suffix is None:
        raise Unsupported(f"第 {number} 部分应为 application/dicom 或 application/json。")
    return (folder / f"{number}{suffix}").open("wb")
