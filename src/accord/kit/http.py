"""What every HTTP face shares: the transaction of a request, errors as JSON, body limits."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
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


def problem(error: AccordError) -> JSONResponse:
    """Return the JSON answer of an expected error."""
    return JSONResponse(
        {"error": {"code": error.code, "message": error.sentence}}, status_code=error.status
    )


def install_error_handlers(app: FastAPI) -> None:
    """Turn expected errors into `{"error": {"code", "message"}}` with their status."""

    @app.exception_handler(AccordError)
    def expected(_request: Request, error: AccordError) -> JSONResponse:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        places = "；".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()[:10]
        )
        return problem(Invalid(f"请求内容不符合要求：{places}"))

    @app.exception_handler(HTTPException)
    def http(_request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "not_found", 405: "method_not_allowed"}
        return JSONResponse(
            {"error": {"code": codes.get(error.status_code, "http"), "message": str(error.detail)}},
            status_code=error.status_code,
            headers=error.headers,
        )

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", path=request.url.path, error=type(error).__name__)
        return JSONResponse(
            {"error": {"code": "internal", "message": "系统内部错误，已记录。"}}, status_code=500
        )


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
            await problem(error)(scope, receive, send)
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
