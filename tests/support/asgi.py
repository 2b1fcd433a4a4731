"""Ask an ASGI application over HTTP without a socket; the frozen clock goes along."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class Asker:
    """A client of one application; follows no redirects and keeps no cookies."""

    def __init__(self, app: ASGIApp, base_url: str = "http://test") -> None:
        self.app = app
        self._base_url = base_url

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and return the answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", path, **options)
