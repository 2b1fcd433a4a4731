"""A listener of HL7 v2 messages in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from accord.intake.answering import Answering
from accord.intake.listener import MessageListener
from accord.kit.db import Database
from accord.kit.settings import Settings


@contextmanager
def serving(settings: Settings, database: Database) -> Iterator[int]:
    """Serve on a free port, which is given."""
    listener = MessageListener(settings, Answering(database))
    thread = threading.Thread(target=listener.serve)
    thread.start()
    try:
        yield listener.address.port
    finally:
        listener.stop()
        thread.join()
