"""`accord receive --mllp`: the listener of HL7 v2 messages, a process of its own."""

import threading
from typing import Final

import structlog

from accord.app.receiver import wait_for_end
from accord.intake.answering import Answering
from accord.intake.listener import MessageListener
from accord.kit.db import Database
from accord.kit.settings import Settings

CONNECTIONS: Final = 4

log = structlog.get_logger(__name__)


def run(settings: Settings, database: Database) -> None:
    """Receive until SIGTERM or SIGINT.

    Raises:
        CannotRun: The port is taken.
    """
    pool = Database(database.url, pool_size=CONNECTIONS)
    listener = MessageListener(settings, Answering(pool))
    serving = threading.Thread(target=listener.serve, name="mllp", daemon=True)
    serving.start()
    log.info("receiving", host=settings.mllp_host, port=listener.address.port)
    try:
        wait_for_end()
    finally:
        listener.stop()
        serving.join()
        pool.close()
