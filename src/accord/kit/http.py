"""What every HTTP face shares: the transaction of a request, its errors, body limits.

Errors are JSON for programs and, where the face has a page for them, a page for people.
"""

import json
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accord.kit.errors import AccordError, Invalid, TooLarge

log = structlog.get_logger(__name__)


def _transaction(request: Request) -> Iterator[Connection]:
    with request.app.state.database.begin() as conn:
        yield conn


# Scope "function" commits before the answer is sent: what we call done is durable.
Transaction = Annotated[Connection, Depends(_transaction, scope="function")]


Page = Callable[[Request, int, str], Response]
"""Shows a status and a sentence to a person."""


def problem(error: AccordError) -> JSONResponse:
    """Return the JSON answer of an expected error."""
    return _as_json(error.status, error.code, error.sentence)


def _as_json(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def asks_for_a_page(request: Request) -> bool:
    """Say whether a browser shows the answer to a person; scripts and systems name no HTML."""
    return "text/html" in request.headers.get("accept", "").lower()


def answer_error(
    request: Request, status: int, code: str, message: str, *, for_people: str | None = None
) -> Response:
    """Return the answer of an error: a page where a person waits for one, else JSON.

    Args:
        request: The request that failed.
        status: HTTP status.
        code: For programs.
        message: What is wrong and what to do about it.
        for_people: The same for the page, where programs need other words.
    """
    page: Page | None = getattr(request.app.state, "problem_page", None)
    if page is not None and asks_for_a_page(request):
        return page(request, status, for_people or message)
    return _as_json(status, code, message)


_HTTP_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_FOR_PEOPLE: Final = {404: "没有这个页面。", 405: "此地址不能这样打开。"}


def install_error_handlers(app: FastAPI, page: Page | None = None) -> None:
    """Turn errors into `{"error": {"code", "message"}}` with their status, or into a page.

    Args:
        app: The face.
        page: Shows an error to a person; unset, everybody gets JSON.
    """
    app.state.problem_page = page

    @app.exception_handler(AccordError)
    def expected(request: Request, error: AccordError) -> Response:
        return answer_error(request, error.status, error.code, error.sentence)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        places = "；".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()[:10]
        )
        return answer_error(
            request,
            Invalid.status,
            Invalid.code,
            f"请求内容不符合要求：{places}",
            for_people="地址或表单不完整，请返回后重试。",
        )

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        status = error.status_code
        answer = answer_error(
            request,
            status,
            _HTTP_CODES.get(status, "http"),
            str(error.detail),
            for_people=_FOR_PEOPLE.get(status),
        )
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        log.error(
            "unexpected error",
            path=getattr(request.scope.get("route"), "path", "?"),
            error=type(error).__name__,
            where=_where(error),
        )
        return answer_error(request, 500, "internal", "系统内部错误，已记录。")


def _where(error: Exception) -> str:
    """Return the places the error went through, innermost last; its words may name people."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)


class BodyGuard:
    """Read a body under a size limit and refuse deep JSON before anybody parses it.

    Args:
        app: The application behind.
        largest: Bytes.
        deepest: Levels of JSON nesting.
        streaming: Path prefixes whose handlers stream and bound their bodies themselves.
    """

    def __init__(
        self, app: ASGIApp, *, largest: int, deepest: int, streaming: tuple[str, ...] = ()
    ) -> None:
        self.app = app
        self.largest = largest
        self.deepest = deepest
        self.streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        bodiless = scope.get("method") in {"GET", "HEAD", "OPTIONS"}
        if scope["type"] != "http" or bodiless or scope["path"].startswith(self.streaming):
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(dict(scope["headers"]), receive)
        except AccordError as error:
            answer = answer_error(Request(scope), error.status, error.code, error.sentence)
            await answer(scope, receive, send)
            return
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, replay, send)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self.largest:
            raise TooLarge("请求内容过大。")
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.largest:
                raise TooLarge("请求内容过大。")
        if b"json" in headers.get(b"content-type", b"json"):
            check_nesting(bytes(body), deepest=self.deepest)
            refuse_nul(bytes(body))
        return bytes(body)


_JSON_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def refuse_nul(text: bytes) -> None:
    """Refuse JSON with an escaped NUL, which the database does not keep.

    Raises:
        Invalid: It has one.
    """
    if b"\\u0000" in text and _NUL.search(text):
        raise Invalid("请求内容含有空字符（U+0000）。")


def check_nesting(text: bytes, *, deepest: int) -> None:
    """Refuse JSON nested deeper than `deepest`, without parsing it.

    Raises:
        TooLarge: It is nested deeper.
    """
    depth = 0
    for byte in _JSON_STRING.sub(b"", text).translate(None, _NOT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > deepest:
            raise TooLarge("JSON 嵌套层数过多。")


def parse_json(text: bytes, *, deepest: int) -> Any:
    """Return the parsed JSON of a bounded, not too deeply nested text.

    Raises:
        TooLarge: It is nested too deeply.
        Invalid: It is not JSON.
    """
    check_nesting(text, deepest=deepest)
    try:
        return json.loads(text)
    except (ValueError, UnicodeDecodeError) as error:
        raise Invalid("请求内容不是有效的 JSON。") from error
