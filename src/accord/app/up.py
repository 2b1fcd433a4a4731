"""`accord up`: database, inner and outer face, receiver and worker under one supervisor."""

import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog

from accord.app.exposure import refuse_unsafe
from accord.app.supervisor import Process, Supervisor, accord, environment
from accord.kit import running
from accord.kit.db import Database
from accord.kit.errors import CannotRun
from accord.kit.listening import bind
from accord.kit.postgres import Postgres
from accord.kit.preparation import prepare
from accord.kit.settings import Settings

PORTS: Final = {
    "http": ("http_port", "host"),
    "outer": ("outer_port", "outer_host"),
    "dimse": ("dimse_port", "dimse_host"),
    "mllp": ("mllp_port", "mllp_host"),
}
REST_AFTER: Final = 6.0  # seconds that the rest waits for the inner face to answer, at most
OTHERS_WITHIN: Final = 15.0  # seconds the other faces may lag behind `/readyz`

log = structlog.get_logger(__name__)


def run(
    settings: Settings,
    *,
    before: Callable[[Database, Settings], object] | None = None,
    on_ready: Callable[[Settings], object] | None = None,
    say: Callable[[str], object] = lambda words: print(words, file=sys.stderr),  # noqa: T201
) -> None:
    """Run everything until Ctrl-C or SIGTERM.

    Args:
        settings: Of this site; port 0 means any free one.
        before: Called with the migrated database and these settings before the faces open.
        on_ready: Called once, with the ports in use, when `/readyz` answers.
        say: Takes short notes for the person in front of it.

    Raises:
        running.InUse: Another `accord up` runs in this folder.
        CannotRun: A port is taken, the database does not start, an address is not safe.
    """
    refuse_unsafe(settings, settings.host)
    refuse_unsafe(settings, settings.outer_host)
    refuse_unsafe(settings, settings.dimse_host, client_certificates=True)
    refuse_unsafe(settings, settings.mllp_host, client_certificates=True)
    data_dir = settings.data_dir.resolve()
    with running.hold(data_dir, say=say) as held:
        settings = with_ports(settings.model_copy(update={"data_dir": data_dir}))
        with _database(settings) as (url, look_after_database):
            if before is not None:
                database = Database(url)
                try:
                    before(database, settings)
                finally:
                    database.close()
            held.tell(url, ports_of(settings))
            supervisor = Supervisor(processes(settings, url))
            readiness = _Readiness(settings, on_ready, supervisor.start_the_rest)

            def each_tick() -> None:
                look_after_database()
                readiness.look()

            supervisor.each_tick = each_tick
            supervisor.run()
            held.fall_silent()


def processes(settings: Settings, url: str) -> list[Process]:
    """Return the children: who gets which environment, and in which order they stop.

    Several processes of one face share its port; none of them needs a supervisor of its own.
    """
    ports = {f"ACCORD_{PORTS[name][0].upper()}": str(at) for name, at in ports_of(settings).items()}
    inner = environment(
        ACCORD_DATA_DIR=str(settings.data_dir),
        ACCORD_DATABASE_URL=url,
        ACCORD_HTTP_WORKERS="1",
        ACCORD_RECEIVE_PROCESSES="1",
        **ports,
    )
    # The outer face learns neither the database nor the folder in which its address stands.
    outer = environment(ACCORD_DATA_DIR=None, ACCORD_DATABASE_URL=None, **ports)
    disclose = accord("disclose", "--publication", str(settings.publication_dir))
    return [
        *_several("serve", settings.http_workers, inner),
        *_several("receive", settings.receive_processes, inner, delay=REST_AFTER),
        Process("mllp", accord("receive", "--mllp"), inner, delay=REST_AFTER),
        Process("disclose", disclose, outer, delay=REST_AFTER),
        Process("work", accord("work"), inner, stop_rank=1, patience=30.0, delay=REST_AFTER),
    ]


def _several(
    name: str, count: int, inner: Mapping[str, str], *, delay: float = 0.0
) -> list[Process]:
    return [
        Process(f"{name}-{number}", accord(name), inner, delay=delay) for number in range(count)
    ]


def ports_of(settings: Settings) -> dict[str, int]:
    """Return the ports in use by face."""
    return {name: getattr(settings, port) for name, (port, _) in PORTS.items()}


def with_ports(settings: Settings) -> Settings:
    """Return settings in which every port is a free one.

    Raises:
        CannotRun: A port is taken.
    """
    chosen = {
        port: _free_port(getattr(settings, host), getattr(settings, port))
        for port, host in PORTS.values()
    }
    return settings.model_copy(update=chosen)


def _free_port(host: str, port: int) -> int:
    with bind(host, port) as probe:
        found: int = probe.getsockname()[1]
        return found


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give the address of the database and what keeps it alive."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        _refuse_other_schema(url)
        yield url, lambda: None
        return
    server = Postgres(settings.data_dir / "database")

    def look_after() -> None:
        if server.pid is None:
            log.warning("process ended", process="postgres")
            server.start()

    with server.running() as url:
        prepare(url)
        yield url, look_after


def _refuse_other_schema(url: str) -> None:
    from accord.app import migrations  # noqa: PLC0415 - slow to import, not needed embedded

    if not migrations.is_current(url):
        raise CannotRun("The schema is of another version: run `accord db upgrade` first.")


@dataclass
class _Readiness:
    """Tells once that the inner face answers, and once that everything does."""

    settings: Settings
    on_ready: Callable[[Settings], object] | None
    on_inner: Callable[[], object]
    _told: bool = False
    _ready_at: float | None = None
    _next_look: float = field(default=0.0)

    def look(self) -> None:
        now = time.monotonic()
        if self._told or now < self._next_look:
            return
        self._next_look = now + 0.3
        if self._ready_at is None and is_ready(self.settings):
            self._ready_at = now
            self.on_inner()
        if self._ready_at is None:
            return
        if not (late := self._late()) or now - self._ready_at > OTHERS_WITHIN:
            if late:
                log.error("not answering yet", faces=late)
            self._told = True
            if self.on_ready is not None:
                self.on_ready(self.settings)

    def _late(self) -> list[str]:
        return [
            name
            for name, (port, host) in PORTS.items()
            if not _accepts(getattr(self.settings, host), getattr(self.settings, port))
        ]


def is_ready(settings: Settings) -> bool:
    """Say whether the inner face says that it is ready."""
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE  # asks itself
    try:
        with urllib.request.urlopen(  # noqa: S310 - our own address
            f"{scheme}://{host}:{settings.http_port}/readyz", timeout=2, context=trusting
        ) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def addresses(settings: Settings) -> Mapping[str, str]:
    """Return the addresses of all faces, as a person writes them."""
    scheme = "https" if settings.tls_certificate else "http"
    return {
        "inner": settings.inner_url,
        "outer": f"{scheme}://{settings.outer_host}:{settings.outer_port}",
        "dimse": f"{settings.ae_title}@{settings.dimse_host}:{settings.dimse_port}",
        "mllp": f"{settings.mllp_host}:{settings.mllp_port}",
    }
