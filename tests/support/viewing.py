"""The parts of the inner face that show images, on a real database, with two small studies."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from secrets import token_hex

import uvicorn
from fastapi import FastAPI
from pydicom.dataset import Dataset
from starlette.types import ASGIApp

from accord.app import login, viewer
from accord.archive import api as archive_api
from accord.archive import service as archive
from accord.archive.model import Result, Way
from accord.kit.access import Actor, Gate, Post
from accord.kit.blobs import BlobStore
from accord.kit.db import Database
from accord.kit.http import install_error_handlers
from accord.kit.settings import Settings
from support.builders import encoded, make_study

MARK = "川渝 HR"


@dataclass(frozen=True)
class Shown:
    """Two studies: one that carries the mark, one that does not."""

    marked: str
    unmarked: str


def take_in(
    database: Database, settings: Settings, institution: str, several: list[Dataset]
) -> str:
    """Store the objects of one study as an institution's and return its UID."""
    sender = archive.Sender(Way.IMPORT, institution, Actor.process("import"))
    with database.begin() as conn:
        for dataset in several:
            outcome = archive.receive(
                conn,
                sender,
                BytesIO(encoded(dataset)),
                blobs=BlobStore(settings.objects_dir),
                bounds=archive.bounds_of(settings),
                largest=settings.max_object_size,
            )
            assert outcome.result is Result.STORED, outcome
    return str(several[0].StudyInstanceUID)


def make_face(
    database: Database, settings: Settings, post_of: Callable[[str], Post], marked: set[str]
) -> FastAPI:
    """Return login, DICOMweb and viewer; the mark is told by `marked`, the post by `post_of`."""
    app = FastAPI()
    app.state.settings = settings
    app.state.database = database
    app.state.gate = Gate(database, settings, lambda _conn, login_: post_of(login_))
    app.state.may_see_study = lambda _conn, _actor, _uid: False
    app.state.study_mark = lambda _conn, uid: MARK if uid in marked else None
    install_error_handlers(app)
    for router in (login.router, archive_api.router, viewer.router):
        app.include_router(router)
    return app


def two_studies(database: Database, settings: Settings, institution: str) -> Shown:
    """Store a CT that will carry the mark and an MR that will not."""
    return Shown(
        take_in(
            database,
            settings,
            institution,
            make_study(modality="CT", body="chest", slices=2, matrix=32, seed=token_hex(8)),
        ),
        take_in(
            database,
            settings,
            institution,
            make_study(modality="MR", body="head", slices=2, matrix=32, seed=token_hex(8)),
        ),
    )


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port of this machine; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        assert server.started
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(20)
