"""DICOMweb under `/dicom-web`: STOW-RS, QIDO-RS, WADO-RS (PS3.18), as OHIF and others ask for it.

A study that the caller may not see answers like one that does not exist. Every text is UTF-8,
whatever character set the object was written in.
"""

import json
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from sqlalchemy import Connection, Row

from accord.archive import render, service, store, stow
from accord.archive.accept import Accepted, parse_accept, rendered_type
from accord.archive.codecs import NATIVE, Array, Picture, decode
from accord.archive.errors import CannotShow, NoSuchImages, PixelsTooLarge, QueryInvalid
from accord.archive.examine import data_set, is_uid
from accord.archive.frames import encoded_frame
from accord.archive.model import Instance
from accord.archive.multipart import Part, write
from accord.archive.part10 import EXPLICIT
from accord.archive.query import ALL_FIELDS, Level, Query, parse
from accord.kit import audit
from accord.kit.access import Actor, declare, requires
from accord.kit.blobs import BlobStore, store_at
from accord.kit.errors import Forbidden
from accord.kit.http import Transaction
from accord.kit.settings import Settings

READ = declare("images.read", "look at the images that the post gives access to")
WRITE = declare("images.write", "send images of the own institution")

DICOM_JSON: Final = "application/dicom+json"
OCTETS: Final = "application/octet-stream"
DICOM: Final = "application/dicom"
PREFIX: Final = "/dicom-web"
# Media types of stored frames (PS3.18 table 8.7.3-5).
IMAGE_TYPES: Final = {
    **dict.fromkeys(("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"), "image/jpeg"),
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    **dict.fromkeys(("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"), "image/jphc"),
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
MARK_GROUP: Final = "0021"
MARK_CREATOR: Final = "ACCORD HR"
MOST_FRAMES: Final = 1000
SCAN_STEP: Final = 200
MOST_SCANNED: Final = 4000

router = APIRouter(prefix=PREFIX, tags=["dicom-web"])

Reader = Annotated[Actor, requires(READ)]
Writer = Annotated[Actor, requires(WRITE)]
Visible = Callable[[Connection, Actor, str], bool]


# -- store --------------------------------------------------------------------------------------


@router.post("/studies", operation_id="store_instances")
async def store_instances(request: Request, actor: Writer) -> Response:
    """Store the instances of a multipart body, as they stream in (STOW-RS)."""
    return await _store(request, actor, None)


@router.post("/studies/{study_uid}", operation_id="store_instances_of_study")
async def store_instances_of_study(request: Request, actor: Writer, study_uid: str) -> Response:
    """Store instances that must belong to one study (STOW-RS)."""
    return await _store(request, actor, _uid(study_uid))


async def _store(request: Request, actor: Actor, study_uid: str | None) -> Response:
    if actor.institution is None:
        raise Forbidden("只有医疗机构的账号或系统可以上传影像。")
    outcomes = await stow.take_in(
        stow.Intake(
            request.app.state.database, _blobs(request), _settings(request), actor, study_uid
        ),
        request.headers.get("content-type", ""),
        request.stream(),
    )
    answer = stow.answer(outcomes, _base(request))
    return JSONResponse(answer.body, status_code=answer.status, media_type=DICOM_JSON)


# -- search -------------------------------------------------------------------------------------


@router.get("/studies", operation_id="search_studies")
def search_studies(request: Request, conn: Transaction, actor: Reader) -> Response:
    """Search studies (QIDO-RS)."""
    return _search(request, conn, actor, Level.STUDY)


@router.get("/series", operation_id="search_series")
def search_series(request: Request, conn: Transaction, actor: Reader) -> Response:
    """Search series of all studies (QIDO-RS)."""
    return _search(request, conn, actor, Level.SERIES)


@router.get("/instances", operation_id="search_instances")
def search_instances(request: Request, conn: Transaction, actor: Reader) -> Response:
    """Search instances of all studies (QIDO-RS)."""
    return _search(request, conn, actor, Level.INSTANCE)


@router.get("/studies/{study_uid}/series", operation_id="search_series_of_study")
def search_series_of_study(
    request: Request, conn: Transaction, actor: Reader, study_uid: str
) -> Response:
    """Search the series of a study (QIDO-RS)."""
    return _search(request, conn, actor, Level.SERIES, study_uid)


@router.get("/studies/{study_uid}/instances", operation_id="search_instances_of_study")
def search_instances_of_study(
    request: Request, conn: Transaction, actor: Reader, study_uid: str
) -> Response:
    """Search the instances of a study (QIDO-RS)."""
    return _search(request, conn, actor, Level.INSTANCE, study_uid)


@router.get(
    "/studies/{study_uid}/series/{series_uid}/instances", operation_id="search_instances_of_series"
)
def search_instances_of_series(
    request: Request, conn: Transaction, actor: Reader, study_uid: str, series_uid: str
) -> Response:
    """Search the instances of a series (QIDO-RS)."""
    return _search(request, conn, actor, Level.INSTANCE, study_uid, series_uid)


def _search(
    request: Request,
    conn: Connection,
    actor: Actor,
    level: Level,
    study_uid: str | None = None,
    series_uid: str | None = None,
) -> Response:
    parameters = list(request.query_params.multi_items())
    if study_uid is not None:
        parameters.append(("0020000D", _uid(study_uid)))
    if series_uid is not None:
        parameters.append(("0020000E", _uid(series_uid)))
    query = parse(level, parameters)
    base = _base(request)
    rows, is_cut = _visible_rows(request, conn, actor, query)
    found = [_FOUND[level](row, query, base) for row in rows]
    headers = {}
    if query.ignored:
        headers["Warning"] = '299 accord "some matching keys are not supported and were ignored"'
    if is_cut:
        headers["Warning"] = '299 accord "too many studies to search: narrow the query"'
    return JSONResponse(found, media_type=DICOM_JSON, headers=headers)


def _visible_rows(
    request: Request, conn: Connection, actor: Actor, query: Query
) -> tuple[list[Row[Any]], bool]:
    """Return the page of rows that the caller may see, and whether the search was cut short."""
    known: dict[str, bool] = {}
    found: list[Row[Any]] = []
    for start in range(0, MOST_SCANNED, SCAN_STEP):
        rows = store.search(conn, query.level, query.conditions, limit=SCAN_STEP, offset=start)
        for row in rows:
            if row.study_uid not in known:
                known[row.study_uid] = _may_see(request, conn, actor, row.study_uid)
            if known[row.study_uid]:
                found.append(row)
        if len(rows) < SCAN_STEP or len(found) >= query.offset + query.limit:
            return found[query.offset : query.offset + query.limit], False
    return found[query.offset : query.offset + query.limit], True


# What an answer carries beside what is asked for (PS3.18 10.6.3.3; OHIF).
STUDY_FIELDS: Final = (
    "00080005", "00080020", "00080030", "00080050", "00080090", "00080201", "00081030",
    "00100010", "00100020", "00100021", "00100030", "00100040", "00200010", "0020000D",
)  # fmt: skip
SERIES_FIELDS: Final = (
    "00080005", "00080060", "00080201", "0008103E", "0020000D", "0020000E", "00200011",
    "00400244", "00400245", "00180015", "00200060", "00080021", "00080031",
)  # fmt: skip
INSTANCE_FIELDS: Final = (
    "00080005", "00080016", "00080018", "00080201", "0020000D", "0020000E", "00200013",
    "00280010", "00280011", "00280100", "00280008",
)  # fmt: skip


def _chosen(row: Row[Any], query: Query, usual: tuple[str, ...]) -> dict[str, Any]:
    header: Mapping[str, Any] = row.header or {}
    wanted = set(header) if ALL_FIELDS in query.fields else {*usual, *query.fields}
    return {tag: header[tag] for tag in sorted(wanted) if tag in header and _is_inline(header[tag])}


def _is_inline(element: Mapping[str, Any]) -> bool:
    return "BulkDataURI" not in element


def _study_found(row: Row[Any], query: Query, base: str) -> dict[str, Any]:
    return {
        **_chosen(row, query, STUDY_FIELDS),
        "0020000D": _element("UI", row.study_uid),
        "00080056": _element("CS", "ONLINE"),
        "00080061": _element("CS", *(row.modalities or ())),
        "00080062": _element("UI", *(row.sop_classes or ())),
        "00081190": _element("UR", f"{base}/studies/{row.study_uid}"),
        "00201206": _element("IS", row.series_count),
        "00201208": _element("IS", row.instance_count),
    }


def _series_found(row: Row[Any], query: Query, base: str) -> dict[str, Any]:
    return {
        **_chosen(row, query, SERIES_FIELDS),
        "0020000D": _element("UI", row.study_uid),
        "0020000E": _element("UI", row.series_uid),
        "00081190": _element("UR", f"{base}/studies/{row.study_uid}/series/{row.series_uid}"),
        "00201209": _element("IS", row.instance_count),
    }


def _instance_found(row: Row[Any], query: Query, base: str) -> dict[str, Any]:
    place = f"{base}/studies/{row.study_uid}/series/{row.series_uid}/instances/{row.sop_uid}"
    return {
        **_chosen(row, query, INSTANCE_FIELDS),
        "00080056": _element("CS", "ONLINE"),
        "00081190": _element("UR", place),
        "00083002": _element("UI", row.syntax),
    }


_FOUND: Final = {
    Level.STUDY: _study_found,
    Level.SERIES: _series_found,
    Level.INSTANCE: _instance_found,
}


def _element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


# -- metadata -----------------------------------------------------------------------------------


@router.get("/studies/{study_uid}/metadata", operation_id="study_metadata")
def study_metadata(request: Request, conn: Transaction, actor: Reader, study_uid: str) -> Response:
    """Return the headers of a study."""
    return _metadata(request, conn, actor, study_uid)


@router.get("/studies/{study_uid}/series/{series_uid}/metadata", operation_id="series_metadata")
def series_metadata(
    request: Request, conn: Transaction, actor: Reader, study_uid: str, series_uid: str
) -> Response:
    """Return the headers of a series."""
    return _metadata(request, conn, actor, study_uid, series_uid)


@router.get(
    "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/metadata",
    operation_id="instance_metadata",
)
def instance_metadata(
    request: Request,
    conn: Transaction,
    actor: Reader,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
) -> Response:
    """Return the header of an instance."""
    return _metadata(request, conn, actor, study_uid, series_uid, sop_uid)


def _metadata(request: Request, conn: Connection, actor: Actor, *uids: str) -> Response:
    study_uid = _open(request, conn, actor, *uids)
    mark = request.app.state.study_mark(conn, study_uid)
    headers = store.header_texts(conn, *uids)
    if not headers:
        raise NoSuchImages("没有这个检查的影像。")
    pieces = _joined(headers, f"{_base(request)}/studies/{study_uid}", mark)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return StreamingResponse(
            _gzipped(pieces),
            media_type=DICOM_JSON,
            headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
        )
    return StreamingResponse(pieces, media_type=DICOM_JSON, headers={"Vary": "Accept-Encoding"})


def _joined(headers: list[Row[Any]], base: str, mark: str | None) -> Iterator[bytes]:
    """Return a JSON array of headers, put together as text: parsing them again costs more."""
    yield b"["
    for number, row in enumerate(headers):
        place = f"{base}/series/{row.series_uid}/instances/{row.sop_uid}/bulkdata/"
        text = row.header.replace('"BulkDataURI": "', f'"BulkDataURI": "{place}')
        ours = {"00083002": _element("UI", row.syntax)}
        if mark is not None or f'"{MARK_CREATOR}"' in text:
            # Only we speak under this name: an object that carries it gives itself no mark.
            text = _without_group(text, MARK_GROUP)
        if mark is not None:
            ours[MARK_GROUP + "0010"] = _element("LO", MARK_CREATOR)
            ours[MARK_GROUP + "1001"] = _element("LO", mark)
        told = json.dumps(ours, ensure_ascii=False)
        yield f"{',' if number else ''}{told[:-1]}, {text[1:]}".encode()
    yield b"]"


def _without_group(text: str, group: str) -> str:
    """Return a header without a private group that a maker uses for itself."""
    if f'"{group}' not in text:
        return text
    header = json.loads(text)
    kept = {tag: element for tag, element in header.items() if not tag.startswith(group)}
    return json.dumps(kept, ensure_ascii=False)


def _gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    stream = zlib.compressobj(1, wbits=31)
    for piece in pieces:
        if compressed := stream.compress(piece):
            yield compressed
    yield stream.flush()


# -- retrieve -----------------------------------------------------------------------------------


@router.get("/studies/{study_uid}", operation_id="retrieve_study")
def retrieve_study(request: Request, conn: Transaction, actor: Reader, study_uid: str) -> Response:
    """Return every object of a study, byte for byte (WADO-RS)."""
    return _retrieve(request, conn, actor, study_uid)


@router.get("/studies/{study_uid}/series/{series_uid}", operation_id="retrieve_series")
def retrieve_series(
    request: Request, conn: Transaction, actor: Reader, study_uid: str, series_uid: str
) -> Response:
    """Return every object of a series, byte for byte (WADO-RS)."""
    return _retrieve(request, conn, actor, study_uid, series_uid)


@router.get(
    "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}",
    operation_id="retrieve_instance",
)
def retrieve_instance(
    request: Request,
    conn: Transaction,
    actor: Reader,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
) -> Response:
    """Return one object, byte for byte (WADO-RS)."""
    return _retrieve(request, conn, actor, study_uid, series_uid, sop_uid)


def _retrieve(request: Request, conn: Connection, actor: Actor, *uids: str) -> Response:
    _open(request, conn, actor, *uids)
    accepted = parse_accept(request.headers.get("accept", ""))
    found = service.instances(conn, *uids)
    for instance in found:
        if not any(choice.takes(DICOM, instance.syntax) for choice in accepted):
            raise CannotShow("只能以存储时的传输语法提供整个对象。", syntax=instance.syntax)
    blobs = _blobs(request)
    is_single = len(found) == 1 and accepted[0].is_single and accepted[0].media_type == DICOM
    if is_single:
        (instance,) = found
        return StreamingResponse(
            blobs.chunks(instance.blob),
            media_type=f"{DICOM}; transfer-syntax={instance.syntax}",
            headers={"Content-Disposition": "attachment"},
        )
    parts = (
        Part(f"{DICOM}; transfer-syntax={one.syntax}", blobs.chunks(one.blob)) for one in found
    )
    return _multipart(parts, DICOM)


# -- frames -------------------------------------------------------------------------------------

INSTANCE_PATH: Final = "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"


@router.get(INSTANCE_PATH + "/frames/{numbers}", operation_id="retrieve_frames")
def retrieve_frames(
    request: Request,
    conn: Transaction,
    actor: Reader,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
    numbers: str,
) -> Response:
    """Return frames: as stored where the caller takes them so, else decoded (WADO-RS)."""
    _check(request, conn, actor, study_uid, series_uid, sop_uid)
    (instance,) = service.instances(conn, study_uid, series_uid, sop_uid)
    wanted = _frame_numbers(numbers)
    accepted = parse_accept(request.headers.get("accept", ""))
    choice, syntax = _frame_choice(accepted, instance)
    content_type = f"{choice}; transfer-syntax={syntax}"
    frames = _frames(request, instance, wanted, is_decoded=syntax != instance.syntax)
    if len(wanted) == 1 and accepted[0].is_single:
        return Response(frames[0], media_type=content_type)
    parts = (Part(content_type, [frame]) for frame in frames)
    return _multipart(parts, choice, syntax)


def _frame_choice(accepted: list[Accepted], instance: Instance) -> tuple[str, str]:
    """Return media type and syntax of the answer: stored bytes first, else decoded."""
    stored = instance.syntax if instance.syntax not in NATIVE else EXPLICIT
    image = IMAGE_TYPES.get(stored)
    for choice in accepted:
        if choice.takes(OCTETS, stored, unstated=EXPLICIT):
            return OCTETS, stored
        if image is not None and choice.media_type == image and choice.takes(image, stored):
            return image, stored
        if choice.takes(OCTETS, EXPLICIT, unstated=EXPLICIT):
            return OCTETS, EXPLICIT
    raise CannotShow("不能以所要求的格式提供影像帧。", syntax=instance.syntax)


def _frames(
    request: Request, instance: Instance, numbers: list[int], *, is_decoded: bool
) -> list[bytes]:
    largest = _settings(request).max_frame_size
    with _opened(request, instance) as (data, picture):
        frames = []
        total = 0
        for number in numbers:
            encoded = _encoded(data, instance, picture, number, largest)
            if is_decoded or instance.syntax in NATIVE:
                frame = _as_explicit(decode(encoded, picture, largest=largest), picture)
            else:
                frame = encoded
            total += len(frame)
            if total > largest:
                raise QueryInvalid("一次请求的影像帧过多，请分次请求。")
            frames.append(frame)
        return frames


def _as_explicit(pixels: Array, picture: Picture) -> bytes:
    if picture.allocated == 1:
        return render.pack_bits(pixels)
    return pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()


@router.get(INSTANCE_PATH + "/rendered", operation_id="retrieve_rendered")
def retrieve_rendered(
    request: Request,
    conn: Transaction,
    actor: Reader,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
) -> Response:
    """Return the first frame as PNG or JPEG."""
    return _rendered(request, conn, actor, (study_uid, series_uid, sop_uid), 1)


@router.get(INSTANCE_PATH + "/frames/{numbers}/rendered", operation_id="retrieve_frame_rendered")
def retrieve_frame_rendered(
    request: Request,
    conn: Transaction,
    actor: Reader,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
    numbers: str,
) -> Response:
    """Return a frame as PNG or JPEG."""
    wanted = _frame_numbers(numbers)
    if len(wanted) != 1:
        raise QueryInvalid("一次只能生成一帧的图片。")
    return _rendered(request, conn, actor, (study_uid, series_uid, sop_uid), wanted[0])


def _rendered(
    request: Request, conn: Connection, actor: Actor, uids: tuple[str, str, str], number: int
) -> Response:
    _check(request, conn, actor, *uids)
    (instance,) = service.instances(conn, *uids)
    media_type = rendered_type(
        request.query_params.get("accept") or request.headers.get("accept", "")
    )
    if media_type is None:
        raise CannotShow("图片只能以 PNG 或 JPEG 提供。")
    parameters = request.query_params
    window = render.parse_window(parameters["window"]) if "window" in parameters else None
    viewport = render.parse_viewport(parameters["viewport"]) if "viewport" in parameters else None
    largest = _settings(request).max_frame_size
    with _opened(request, instance) as (data, picture):

        def bulk(place: str) -> bytes:
            return _bulk(data, place)

        encoded = _encoded(data, instance, picture, number, largest)
        pixels = decode(encoded, picture, largest=largest)
        shown = render.to_screen(
            pixels, instance.header, picture, number=number, bulk=bulk, window=window
        )
    if viewport is not None:
        shown = render.scale(shown, viewport)
    return Response(
        render.encode(shown, media_type, quality=_quality(parameters.get("quality", ""))),
        media_type=media_type,
    )


def _quality(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= 3  # noqa: PLR2004
    return min(max(int(text), 1), 100) if is_number else 90


@router.get(INSTANCE_PATH + "/bulkdata/{start}/{length}", operation_id="retrieve_bulkdata")
def retrieve_bulkdata(
    request: Request,
    conn: Transaction,
    actor: Reader,
    study_uid: str,
    series_uid: str,
    sop_uid: str,
    start: int,
    length: int,
) -> Response:
    """Return a long value of an instance, from where its metadata says that it lies."""
    _check(request, conn, actor, study_uid, series_uid, sop_uid)
    (instance,) = service.instances(conn, study_uid, series_uid, sop_uid)
    place = f"{start}/{length}"
    if not _points_at(instance.header, place):
        raise NoSuchImages("没有这项数据。")
    with _data(request, instance) as data:
        value = _bulk(data, place)
    accepted = parse_accept(request.headers.get("accept", ""))
    if accepted[0].is_single:
        return Response(value, media_type=OCTETS)
    return _multipart([Part(OCTETS, [value])], OCTETS)


def _points_at(header: Mapping[str, Any], place: str) -> bool:
    """Say whether a header points at these bytes, at any depth."""
    waiting = [header]
    while waiting:
        for element in waiting.pop().values():
            if element.get("BulkDataURI") == place:
                return True
            if element.get("vr") == "SQ":
                waiting += element.get("Value") or []
    return False


def _bulk(data: memoryview, place: str) -> bytes:
    start, _, length = place.partition("/")
    return bytes(data[int(start) : int(start) + int(length)])


# -- what the routes share ----------------------------------------------------------------------


def _uid(text: str) -> str:
    if not is_uid(text):
        raise NoSuchImages("没有这个检查的影像。")
    return text


def _may_see(request: Request, conn: Connection, actor: Actor, study_uid: str) -> bool:
    if actor.institution is not None and (
        store.owners_of(conn, [study_uid]).get(study_uid, store.NOBODY).institution
        == actor.institution
    ):
        return True
    visible: Visible = request.app.state.may_see_study
    return visible(conn, actor, study_uid)


def _check(request: Request, conn: Connection, actor: Actor, *uids: str) -> None:
    """Raise unless the UIDs can be some and the caller may see the study."""
    for uid in uids:
        _uid(uid)
    if not _may_see(request, conn, actor, uids[0]):
        raise NoSuchImages("没有这个检查的影像。")


def _open(request: Request, conn: Connection, actor: Actor, *uids: str) -> str:
    """Check, and note in the audit trail that the study was opened; return its UID."""
    _check(request, conn, actor, *uids)
    audit.record(conn, actor, action="archive.study.opened", subject=f"study:{uids[0]}")
    return uids[0]


def open_study(request: Request, conn: Connection, actor: Actor, study_uid: str) -> list[Instance]:
    """Return the instances of a study and note that it was opened, for a page that shows frames.

    Raises:
        NoSuchImages: There is none, or the caller may not see it.
    """
    return service.instances(conn, _open(request, conn, actor, study_uid))


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _blobs(request: Request) -> BlobStore:
    return store_at(_settings(request).objects_dir)


def _base(request: Request) -> str:
    """Return our address as the caller wrote it, so that addresses in answers lead back here."""
    public = _settings(request).public_url
    root = public.rstrip("/") if public else str(request.base_url).rstrip("/")
    return root + PREFIX


def _multipart(parts: Iterable[Part], part_type: str, syntax: str | None = None) -> Response:
    boundary = secrets.token_hex(16)
    told = f"; transfer-syntax={syntax}" if syntax else ""
    return StreamingResponse(
        write(parts, boundary),
        headers={
            "Content-Type": f'multipart/related; type="{part_type}"{told}; boundary={boundary}'
        },
    )


def _frame_numbers(text: str) -> list[int]:
    parts = text.split(",")
    is_list = all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts)  # noqa: PLR2004
    if not is_list or len(parts) > MOST_FRAMES:
        raise QueryInvalid(f"帧号应为以逗号分隔的正整数，最多 {MOST_FRAMES} 个。")
    return [int(part) for part in parts]


@contextmanager
def _data(request: Request, instance: Instance) -> Iterator[memoryview]:
    """Show the data set of an instance as its header counts it."""
    blobs = _blobs(request)
    bounds = service.bounds_of(_settings(request))
    with (
        blobs.mapped(instance.blob) as whole,
        whole[instance.head :] as stored,
        data_set(stored, instance.syntax, bounds, blobs.stage) as data,
    ):
        yield data


@contextmanager
def _opened(request: Request, instance: Instance) -> Iterator[tuple[memoryview, Picture]]:
    if instance.pixels is None:
        raise NoSuchImages("该对象没有影像。")
    picture = Picture.of(instance.header, instance.syntax)
    with _data(request, instance) as data:
        yield data, picture


def _encoded(
    data: memoryview, instance: Instance, picture: Picture, number: int, largest: int
) -> bytes:
    """Return the stored bytes of a frame, refusing by its declared size before reading any."""
    if picture.decoded_bytes > largest:
        raise PixelsTooLarge("影像尺寸超过本站解码限制，不能显示。")
    assert instance.pixels is not None  # noqa: S101 - checked when it was opened
    return encoded_frame(data, instance.pixels, picture, number)
