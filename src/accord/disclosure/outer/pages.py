"""The public pages (R10.3-1, R6.2-3): lists, items, one institution, history, verification.

Server-rendered, without scripts and without cookies; every answer may be cached by anyone.
"""

import re
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accord import __version__
from accord.disclosure.errors import Tampered
from accord.disclosure.model import (
    BASIS_WORDS,
    STATE_WORDS,
    Answer,
    ItemRight,
    PublishedInstitution,
    Reason,
    Verdict,
)
from accord.disclosure.outer.shelf import Contents, Held, Shelf, on_day
from accord.kit import clock
from accord.kit.errors import AccordError, Invalid, NotFound
from accord.kit.settings import get_settings

HERE: Final = Path(__file__).parent
PAGE_SIZE: Final = 20
LONGEST_WORDS: Final = 100
CANDIDATES: Final = 10
MODALITIES: Final = ("DR", "CT", "MR")
MODALITY_WORDS: Final = {"DR": "数字 X 线摄影", "CT": "计算机断层扫描", "MR": "磁共振成像"}
REASON_WORDS: Final = {
    Reason.QUALIFIED: "该机构在所查日期列入互认机构名单，且该项目质量评价合格。",
    Reason.NOT_LISTED: "该机构在所查日期未列入互认机构名单。",
    Reason.NOT_QUALIFIED: "该机构在所查日期没有该项目的质量评价合格记录。",
    Reason.SUSPENDED: "该机构该项目的互认资格在所查日期处于暂停状态。",
    Reason.REVOKED: "该机构该项目的互认资格已撤销。",
    Reason.UNKNOWN_INSTITUTION: "公开名单中没有这家机构，请核对机构代码或名称。",
    Reason.UNKNOWN_ITEM: "项目清单中没有这个项目，请核对项目序号。",
}
STATIC: Final = {"outer.css": "text/css; charset=utf-8", "favicon.svg": "image/svg+xml"}
FILE_TYPES: Final = {
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".sig": "application/json",
    ".pem": "application/x-pem-file",
}
SHORT: Final = "public, max-age=60"
FOREVER: Final = "public, max-age=31536000, immutable"

READ: Final = ["GET", "HEAD"]

router = APIRouter()
templates = Jinja2Templates(HERE / "templates")
templates.env.globals.update(
    states=STATE_WORDS, bases=BASIS_WORDS, modality_words=MODALITY_WORDS, modalities=MODALITIES
)


def chinese_day(day: date | None) -> str:
    """Write a day as people of the region do; an open end as 长期."""
    return "长期" if day is None else f"{day.year}年{day.month}月{day.day}日"


templates.env.filters["day"] = chinese_day


@dataclass(frozen=True)
class Page:
    """A slice of a result, with the addresses before and behind it."""

    rows: tuple[Any, ...]
    number: int
    count: int
    total: int
    query: dict[str, str]

    def address(self, number: int) -> str:
        """Return the address of another page of the same search."""
        return "?" + urlencode({**self.query, "page": str(number)})


def paged(rows: tuple[Any, ...], number: int, query: dict[str, str]) -> Page:
    """Cut one page out; a number past the end gives the last page."""
    count = max(1, -(-len(rows) // PAGE_SIZE))
    number = min(max(number, 1), count)
    start = (number - 1) * PAGE_SIZE
    kept = {name: value for name, value in query.items() if value}
    return Page(rows[start : start + PAGE_SIZE], number, count, len(rows), kept)


def _number(text: str, what: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len("99999"):
        raise Invalid(f"{what}应为数字。")
    return int(text)


def _words(text: str, what: str) -> str:
    if len(text) > LONGEST_WORDS:
        raise Invalid(f"{what}过长，请缩短后再查。")
    return " ".join(text.split())


def _day(text: str, otherwise: date) -> date:
    if not text.strip():
        return otherwise
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid("日期应写作 2026-01-31 这样的形式。") from error


@dataclass(frozen=True)
class Row:
    """An institution in the list, with what it is entitled to today."""

    institution: PublishedInstitution
    last_day: date | None
    counts: dict[str, int]
    line: ItemRight | None


def _row(held: Held, institution: PublishedInstitution, item: int | None, day: date) -> Row:
    lines = on_day(held, day).rights[institution.code]
    counts = dict.fromkeys(MODALITIES, 0)
    for line in lines:
        counts[line.item.modality] = counts.get(line.item.modality, 0) + 1
    last = [listing.last_day for listing in institution.listings if listing.covers(day)]
    return Row(
        institution,
        None if None in last else max(each for each in last if each is not None),
        counts,
        next((line for line in lines if line.item.no == item), None),
    )


def create_app(publication_dir: Path, key: Path | None = None) -> FastAPI:
    """Return the outer application.

    Args:
        publication_dir: Folder of numbered publications.
        key: Public key to check them with; unset: the setting `ACCORD_PUBLICATION_KEY`, else the
            key in the folder.
    """
    app = FastAPI(title="Accord 公开名单", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.shelf = Shelf(publication_dir, key or get_settings().publication_key)
    app.include_router(router)
    _add_errors(app)
    app.add_middleware(Headers)
    return app


def _shelf(request: Request) -> Contents:
    contents: Contents = request.app.state.shelf.contents()
    return contents


def _show(request: Request, template: str, contents: Contents, **facts: Any) -> Response:
    return templates.TemplateResponse(
        request,
        template,
        {
            "publication": contents.current.publication,
            "fingerprint": contents.key.fingerprint,
            "today": clock.today(),
            **facts,
        },
        headers={"cache-control": SHORT, "etag": _tag(contents)},
    )


def _tag(contents: Contents) -> str:
    """Name the state a page is made from: it changes by publication, by day and by version."""
    return f'"{contents.current.verified.hash[:24]}-{clock.today().isoformat()}-{__version__}"'


def _is_known(request: Request, contents: Contents) -> bool:
    return _tag(contents) in request.headers.get("if-none-match", "")


@router.api_route("/", methods=READ)
def lists(
    request: Request, q: str = "", item: str = "", province: str = "", page: str = ""
) -> Response:
    """Search the institutions that are listed today."""
    contents = _shelf(request)
    if _is_known(request, contents):
        return Response(status_code=304)
    held, day = contents.current, clock.today()
    query = {
        "q": _words(q, "检索词"),
        "item": item.strip(),
        "province": _words(province, "省市"),
    }
    number = _number(item, "项目序号")
    found = held.publication.find(
        words=query["q"], item=number, province=query["province"], day=day
    )
    result = paged(found, _number(page, "页码") or 1, query)
    return _show(
        request,
        "lists.html",
        contents,
        page=result,
        rows=[_row(held, each, number, day) for each in result.rows],
        query=query,
        item=held.publication.item_of.get(number) if number else None,
        totals=_totals(held, day),
    )


@router.api_route("/items", methods=READ)
def items(request: Request, q: str = "", modality: str = "") -> Response:
    """Show the catalogue with how many institutions are entitled for each item."""
    contents = _shelf(request)
    if _is_known(request, contents):
        return Response(status_code=304)
    held = contents.current
    words = _words(q, "检索词")
    shown = tuple(
        each
        for each in held.publication.items
        if (not modality or each.modality == modality)
        and all(word in f"{each.no} {each.name} {each.region}" for word in words.split())
    )
    return _show(
        request,
        "items.html",
        contents,
        items=shown,
        query={"q": words, "modality": modality},
        institutions_of=on_day(held, clock.today()).institutions_of,
    )


@router.api_route("/institutions/{code}", methods=READ)
def institution(request: Request, code: str) -> Response:
    """Show one institution: its listing, and item by item what it is entitled to."""
    contents = _shelf(request)
    found = contents.current.publication.institution_of.get(code)
    if found is None:
        raise NotFound("公开名单中没有这家机构。")
    if _is_known(request, contents):
        return Response(status_code=304)
    day = clock.today()
    return _show(
        request,
        "institution.html",
        contents,
        institution=found,
        authority=contents.current.publication.authority_of.get(found.authority),
        listed=found.is_listed_on(day),
        lines=contents.current.publication.item_rights(found, day),
        others=_others(contents.current, found, day),
    )


@router.api_route("/history", methods=READ)
def history(request: Request) -> Response:
    """Show every publication with what changed in it and its files."""
    contents = _shelf(request)
    if _is_known(request, contents):
        return Response(status_code=304)
    return _show(request, "history.html", contents, all=tuple(reversed(contents.all)))


@router.api_route("/verify/", methods=READ)
def verify(
    request: Request, institution: str = "", item: str = "", day: str = "", sha256: str = ""
) -> Response:
    """Say whether an institution is entitled on a day, or whether a file was published."""
    contents = _shelf(request)
    publication = contents.current.publication
    on = _day(day, clock.today())
    asked = _words(institution, "机构")
    answer = None
    if asked or item.strip():
        answer = publication.answer(
            _code_of(contents.current, asked), _number(item, "项目序号") or 0, on
        )
    return _show(
        request,
        "verify.html",
        contents,
        institution=asked,
        item=item.strip(),
        day=on,
        answer=answer,
        because=REASON_WORDS[answer.reason] if answer else "",
        entitled=_is_yes(answer),
        unknown=answer is not None and answer.verdict is Verdict.UNKNOWN,
        candidates=_candidates(contents.current, asked, answer),
        sha256=sha256.strip(),
        file=_file_of(contents, sha256),
    )


@router.api_route("/verify", methods=READ)
def verify_short() -> Response:
    """Lead to the address with the slash."""
    return RedirectResponse("/verify/", status_code=308)


def _is_yes(answer: Answer | None) -> bool:
    return answer is not None and answer.verdict is Verdict.ENTITLED


def _code_of(held: Held, asked: str) -> str:
    """Return the code of the one institution of that code or name; what was asked, if none."""
    institutions = held.publication.institutions
    if asked in held.publication.institution_of:
        return asked
    named = [each.code for each in institutions if asked in {each.title, each.name}]
    return named[0] if len(named) == 1 else asked


def _candidates(held: Held, asked: str, answer: Answer | None) -> tuple[PublishedInstitution, ...]:
    """Return institutions that may have been meant, when the one asked for is not known."""
    if answer is None or answer.reason is not Reason.UNKNOWN_INSTITUTION or not asked:
        return ()
    return held.publication.find(words=asked, day=clock.today())[:CANDIDATES]


def _file_of(contents: Contents, sha256: str) -> tuple[Held, str] | None:
    text = sha256.strip().lower()
    if not text:
        return None
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise Invalid("SHA-256 应为 64 位十六进制字符。")
    return contents.file_by_hash(text)


def _totals(held: Held, day: date) -> dict[str, Any]:
    known = on_day(held, day)
    provinces: dict[str, int] = {}
    for each in known.listed:
        provinces[each.province] = provinces.get(each.province, 0) + 1
    return {
        "institutions": len(known.listed),
        "items": len(held.publication.items),
        "provinces": provinces,
    }


def _others(held: Held, found: PublishedInstitution, day: date) -> tuple[Any, ...]:
    """Return the rights that do not count today: suspended, revoked or past."""
    return tuple(
        {
            "right": right,
            "items": [held.publication.item_of[number] for number in right.items],
            "past": right.valid_to is not None and right.valid_to <= day,
        }
        for right in found.rights
        if right.state != "passed" or not right.covers(day)
    )


@router.api_route("/publications/{number}/{name}", methods=READ)
def publication_file(request: Request, number: int, name: str) -> Response:
    """Hand out a file of one publication as it was verified."""
    held = _shelf(request).by_number(number)
    if held is None or name not in held.verified.names:
        raise NotFound("没有这个文件。")
    return Response(
        held.verified.content(name),
        media_type=FILE_TYPES.get(Path(name).suffix, "application/octet-stream"),
        headers={
            "cache-control": FOREVER,
            "content-disposition": f'attachment; filename="{number:04d}-{name}"',
        },
    )


@router.api_route("/download/{name}", methods=READ)
def current_file(request: Request, name: str) -> Response:
    """Lead to a file of the publication in force."""
    current = _shelf(request).current
    if name not in current.verified.names:
        raise NotFound("没有这个文件。")
    return RedirectResponse(
        f"/publications/{current.publication.number}/{name}",
        status_code=302,
        headers={"cache-control": SHORT},
    )


@router.api_route("/static/{name}", methods=READ)
def static(name: str) -> Response:
    """Hand out the style sheet and the icon."""
    if name not in STATIC:
        raise NotFound("没有这个文件。")
    return Response(
        (HERE / "static" / name).read_bytes(),
        media_type=STATIC[name],
        headers={"cache-control": "public, max-age=3600"},
    )


@router.api_route("/healthz", methods=READ)
def healthz(request: Request) -> JSONResponse:
    """Say which publication is shown, or why none is."""
    try:
        number = _shelf(request).current.publication.number
    except AccordError as error:
        return JSONResponse({"status": error.code}, status_code=503)
    return JSONResponse({"status": "ok", "publication": number})


def _add_errors(app: FastAPI) -> None:
    def notice(request: Request, status: int, title: str, sentence: str) -> Response:
        return templates.TemplateResponse(
            request, "notice.html", {"title": title, "sentence": sentence}, status_code=status
        )

    @app.exception_handler(Tampered)
    def tampered(request: Request, error: Tampered) -> Response:
        return notice(
            request,
            503,
            "名单暂停展示",
            f"公开文件未通过签名校验，为避免误导已停止展示，请稍后再来。（{error.sentence}）",
        )

    @app.exception_handler(AccordError)
    def expected(request: Request, error: AccordError) -> Response:
        titles = {404: "没有找到", 503: "暂无公开名单"}
        return notice(request, error.status, titles.get(error.status, "无法查询"), error.sentence)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        is_missing = error.status_code == HTTPStatus.NOT_FOUND
        sentence = "没有这个页面。" if is_missing else "不支持这种访问方式。"
        return notice(request, error.status_code, "没有找到", sentence)


class Headers:
    """Add the headers of every public answer: no script, no frame, no foreign source."""

    FIXED: Final[dict[bytes, bytes]] = {
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-opener-policy": b"same-origin",
        b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
        b"cache-control": b"no-store",
        b"content-security-policy": (
            b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
            b"base-uri 'none'; frame-ancestors 'none'"
        ),
    }

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; a header that the handler has set stays."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: list[Any] = message.setdefault("headers", [])
                present = {name.lower() for name, _ in headers}
                headers += [item for item in self.FIXED.items() if item[0] not in present]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
