"""Run one HTTP face with uvicorn: bounded, quiet, on a port that several processes may share."""

import logging
import signal
import sys
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from accord.app.supervisor import Process, Supervisor, accord, environment
from accord.kit.listening import bind
from accord.kit.settings import Settings

GRACE: Final = 8  # seconds that open requests may take when the process is told to stop
BACKLOG: Final = 512


def end_on_sigterm() -> None:
    """Make SIGTERM end this process by way of its `finally` blocks, with exit code 0."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))


class WithoutWords(logging.Filter):
    """Keeps the words of errors out of uvicorn's log: they may carry what a patient sent.

    The face has logged kind and place of the error already.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the traceback away; the line itself stays."""
        record.exc_info = record.exc_text = None
        return True


def serve(app: ASGIApp, settings: Settings, host: str, port: int) -> None:
    """Serve an application until SIGTERM or SIGINT.

    Raises:
        CannotRun: The port is taken.
    """
    end_on_sigterm()
    words = logging.getLogger("uvicorn.error")
    words.setLevel(logging.WARNING)
    words.addFilter(WithoutWords())
    configuration = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses of requests may carry ids of people
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=_text(settings.tls_certificate),
        ssl_keyfile=_text(settings.tls_key),
    )
    # It listens once the application has warmed up: a cold process takes nobody.
    with bind(host, port, shared=True) as listener:
        uvicorn.Server(configuration).run(sockets=[listener])


def serve_in_processes(count: int, database_url: str) -> None:
    """Run `accord serve` so many times on one port until SIGTERM or SIGINT."""
    own = environment(ACCORD_DATABASE_URL=database_url, ACCORD_HTTP_WORKERS="1")
    Supervisor([Process(f"serve-{number}", accord("serve"), own) for number in range(count)]).run()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
