"""`accord up`, `serve`, `receive`, `work`, `disclose`: all processes, or one."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accord.kit.db import Database
    from accord.kit.settings import Settings


def add(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, serve, receive, work, disclose):
        app.command()(command)


def up(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demo region first and print its accounts.")
    ] = False,
    imports: Annotated[
        list[Path] | None,
        typer.Option("--import", help="With --demo: DICOM to send as well; repeatable."),
    ] = None,
) -> None:
    """Run everything on this machine until Ctrl-C."""
    from accord.app import up as everything
    from accord.kit import logs
    from accord.kit.settings import get_settings

    if imports and not demo:
        raise typer.BadParameter("--import goes with --demo; else use `accord import`.")
    if demo:
        # Nobody who tries it wants to wait a minute for what was just sent; the children read
        # their settings from the environment.
        os.environ.setdefault("ACCORD_SETTLE_AFTER", "5")
    settings = get_settings()
    logs.configure(settings.log_level)
    everything.run(
        settings,
        before=_demo_loader(imports or []) if demo else None,
        on_ready=_tell_with_demo if demo else _tell,
    )


def _demo_loader(imports: list[Path]) -> "Callable[[Database, Settings], object]":
    def say(words: str) -> None:
        print(words, file=sys.stderr, flush=True)

    def load_what_is_missing(database: "Database", settings: "Settings") -> None:
        from accord.app.demo.kept import is_whole

        with database.begin() as conn:
            if not imports and is_whole(conn, settings):
                return
        from accord.app.demo.load import load

        load(database, settings, imports=imports, say=say)

    return load_what_is_missing


def _tell_with_demo(settings: "Settings") -> None:
    from accord.app.demo.kept import describe

    for line in describe(settings):
        print(line)
    _tell(settings)


def _tell(settings: "Settings") -> None:
    from accord.app.up import addresses

    for face, address in addresses(settings).items():
        print(f"{face:6} {address}")
    print("ready", flush=True)


def serve() -> None:
    """Serve the inner HTTP face: API, DICOMweb, CDS Hooks, pages."""
    from accord.app import faces
    from accord.app.exposure import refuse_unsafe
    from accord.kit import logs, running
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)
    refuse_unsafe(settings, settings.host)
    with running.database(settings, command="serve") as database:
        if settings.http_workers > 1:
            faces.serve_in_processes(settings.http_workers, database.url)
            return
        from accord.app.web import create_app

        faces.serve(create_app(settings, database), settings, settings.host, settings.http_port)


def receive(
    *,
    mllp: Annotated[
        bool, typer.Option("--mllp", help="Receive HL7 v2 messages by MLLP instead.")
    ] = False,
) -> None:
    """Receive DICOM objects by DIMSE, or HL7 v2 messages by MLLP."""
    from accord.app import faces
    from accord.app.exposure import refuse_unsafe
    from accord.kit import logs, running
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)
    host = settings.mllp_host if mllp else settings.dimse_host
    refuse_unsafe(settings, host, client_certificates=True)
    faces.end_on_sigterm()
    with running.database(settings, command="receive") as database:
        if mllp:
            from accord.app import mllp_receiver

            mllp_receiver.run(settings, database)
            return
        from accord.app import receiver

        receiver.run(settings, database)


def work() -> None:
    """Run jobs: settle, match, measure, deadlines."""
    from accord.app import faces
    from accord.kit import logs, running
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)
    faces.end_on_sigterm()
    with running.database(settings, command="work") as database:
        from accord.app import work as worker

        worker.run(settings, database)


def disclose(
    publication: Annotated[
        Path | None, typer.Option(help="Folder of the signed publication; default: the site's own.")
    ] = None,
) -> None:
    """Serve the outer face from a signed publication folder, without any database."""
    from accord.app import faces
    from accord.app.exposure import refuse_unsafe
    from accord.disclosure.outer import create_app
    from accord.kit import logs
    from accord.kit.settings import get_settings

    settings = get_settings()
    logs.configure(settings.log_level)
    refuse_unsafe(settings, settings.outer_host)
    outer = create_app(publication or settings.publication_dir)
    faces.serve(outer, settings, settings.outer_host, settings.outer_port)
