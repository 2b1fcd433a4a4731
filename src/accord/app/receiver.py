"""`accord receive`: DIMSE receivers on one port, as many processes as the site asks for."""

import gc
import signal
import sys
import threading
import warnings
from typing import Final

import pydicom.config
import structlog

from accord.app import wiring
from accord.app.supervisor import Process, Supervisor, accord, environment
from accord.archive.receive.intake import Intake
from accord.archive.receive.listener import Receiver
from accord.kit.db import Database
from accord.kit.listening import bind
from accord.kit.settings import Settings

CONNECTIONS: Final = 4

log = structlog.get_logger(__name__)


def run(settings: Settings, database: Database) -> None:
    """Receive until SIGTERM or SIGINT.

    Raises:
        CannotRun: The port is taken.
    """
    if settings.receive_processes > 1:
        _run_several(settings, database)
        return
    wiring.connect_events()
    # Commands with odd UIDs are judged by the archive; pydicom's own words about them cost more
    # than the objects, and would put what peers send into the log.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    warnings.filterwarnings("ignore", module="pydicom")
    pool = Database(database.url, pool_size=CONNECTIONS)
    intake = Intake(settings, pool)
    receiver = Receiver(settings, intake)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: collections need not look at it again
    serving = threading.Thread(target=receiver.serve, name="receive", daemon=True)
    serving.start()
    log.info("receiving", host=receiver.address.host, port=receiver.address.port)
    try:
        wait_for_end()
    finally:
        receiver.stop()
        serving.join()
        intake.close()
        pool.close()


def _run_several(settings: Settings, database: Database) -> None:
    """Run `accord receive` so many times on one port.

    The port is held, without listening, while they start and run: port 0 becomes the same port for
    all, and a port that another program uses is told at once.
    """
    with bind(settings.dimse_host, settings.dimse_port, shared=True) as held:
        own = environment(
            ACCORD_DATABASE_URL=database.url,
            ACCORD_RECEIVE_PROCESSES="1",
            ACCORD_DIMSE_PORT=str(held.getsockname()[1]),
        )
        names = [f"receive-{number}" for number in range(settings.receive_processes)]
        Supervisor([Process(name, accord("receive"), own) for name in names]).run()


def wait_for_end() -> None:
    """Return on SIGINT; SIGTERM ends the process by way of its `finally` blocks."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
