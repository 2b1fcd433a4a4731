"""A face takes connections only once its application has warmed up."""

import asyncio
import subprocess
import sys
import time

import httpx
import pytest

from accord.app.web import create_app
from accord.kit import settings as kit_settings
from accord.kit.db import Database
from accord.kit.settings import Settings
from support.processes import free_port

SLOW = """
import sys, time
from contextlib import asynccontextmanager
from pathlib import Path
from fastapi import FastAPI
from accord.app import faces
from accord.kit.settings import Settings

@asynccontextmanager
async def warm_up(app):
    Path(sys.argv[2], "begun").touch()
    while not Path(sys.argv[2], "warm").exists():
        time.sleep(0.02)
    yield

app = FastAPI(lifespan=warm_up)
app.get("/readyz")(lambda: {"status": "ready"})
faces.serve(app, Settings(), "127.0.0.1", int(sys.argv[1]))
"""


def until(condition, seconds: float = 30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_cold_process_takes_no_connection(tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}/readyz"

    def is_ready() -> bool:
        try:
            return httpx.get(address, timeout=5).status_code == 200
        except httpx.ConnectError:
            return False

    words = [sys.executable, "-c", SLOW, str(port), str(tmp_path)]
    with subprocess.Popen(words) as process:
        try:
            until((tmp_path / "begun").exists)
            with pytest.raises(httpx.ConnectError):
                httpx.get(address, timeout=5)
            (tmp_path / "warm").touch()
            until(is_ready)
        finally:
            process.terminate()
    assert process.returncode == 0


def test_the_order_time_lane_is_warm_when_the_start_is_over(tmp_path):
    app = create_app(Settings(data_dir=tmp_path), Database("postgresql://nobody@127.0.0.1:1/none"))

    async def start() -> bool:
        async with app.router.lifespan_context(app):
            return hasattr(app.state, "reminder_lane")

    try:
        assert not hasattr(app.state, "reminder_lane")
        assert asyncio.run(start())
    finally:
        app.state.database.close()
        kit_settings.get_settings.cache_clear()
