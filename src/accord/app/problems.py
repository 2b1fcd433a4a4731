"""The page that a person sees in place of what they asked for, with a way on."""

from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from accord.kit.errors import Unauthenticated

HEADINGS: Final = {
    401: "请先登录",
    403: "没有权限",
    404: "没有找到",
    413: "内容过大",
    429: "请稍后再试",
    503: "暂时不可用",
}
POLICY: Final = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
OTHERWISE: Final = "无法完成"
FAILED: Final = "系统出现错误"
LEAST_FAILURE: Final = 500

templates = Jinja2Templates(Path(__file__).parent / "templates")


def page(request: Request, status: int, sentence: str) -> HTMLResponse:
    """Return the page of an error: what is wrong, and links to the login or the home page."""
    usual = FAILED if status >= LEAST_FAILURE else OTHERWISE
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    again = wanted if request.method in {"GET", "HEAD"} else "/"
    return templates.TemplateResponse(
        request,
        "problem.html",
        {
            "status": status,
            "heading": HEADINGS.get(status, usual),
            "sentence": sentence,
            "login": "/login?" + urlencode({"next": again})
            if status == Unauthenticated.status
            else None,
        },
        status_code=status,
        # The outermost handler answers past the middleware that sets these elsewhere.
        headers={
            "content-security-policy": POLICY,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
        },
    )
