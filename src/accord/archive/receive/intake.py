"""What any receiver hands its objects to: who may send, and durable before acknowledged.

Rows of objects that arrive at the same time are written in one transaction (group commit): while
one commit is under way the next objects gather.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from accord.archive import service
from accord.archive.examine import Bounds
from accord.archive.model import StoreOutcome, Way
from accord.archive.receive.messages import Delivery
from accord.kit.access import Actor, ActorKind
from accord.kit.blobs import store_at
from accord.kit.db import Database
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings
from accord.registry import service as registry

MOST_IN_ONE_COMMIT: Final = 64
log = structlog.get_logger(__name__)


class Intake:
    """Stores what receivers deliver.

    Args:
        settings: Limits and places of this site.
        database: Where it is indexed.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self.blobs = store_at(settings.objects_dir)
        self._database = database
        self._bounds: Bounds = service.bounds_of(settings)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._indexer = threading.Thread(target=self._index, name="indexer", daemon=True)
        self._indexer.start()

    def admit(self, calling_ae: str) -> service.Sender | None:
        """Return who sends under a calling AE title; None when nobody is registered under it."""
        with self._database.begin() as conn:
            institution = registry.institution_of_ae(conn, calling_ae)
        if institution is None:
            return None
        actor = Actor(ActorKind.SYSTEM, f"ae:{calling_ae}", calling_ae, institution)
        return service.Sender(Way.DIMSE, institution, actor, calling_ae)

    def take(self, sender: service.Sender, delivery: Delivery) -> StoreOutcome:
        """Store an object; it is durable and indexed when this returns.

        Raises:
            StorageFull: There is no room.
            CannotRun: The database does not answer.
        """
        prepared = delivery.data.prepare(sender, self.blobs, self._bounds)
        waiting = _Waiting(prepared, Future())
        self._queue.put(waiting)
        return waiting.outcome.result()

    def close(self) -> None:
        """Finish what was taken and stop."""
        self._queue.put(None)
        self._indexer.join()

    def _index(self) -> None:
        going = True
        while going:
            batch: list[_Waiting] = []
            found = self._queue.get()
            while found is not None:
                batch.append(found)
                if self._queue.empty() or len(batch) == MOST_IN_ONE_COMMIT:
                    break
                found = self._queue.get()
            going = found is not None
            self._commit(batch)

    def _commit(self, batch: Sequence["_Waiting"]) -> None:
        """Index a batch: at once what nothing speaks against, the rest in a transaction."""
        prepared = [waiting.prepared for waiting in batch]
        try:
            with self._database.engine.connect() as conn:
                alone = conn.execution_options(isolation_level="AUTOCOMMIT")
                outcomes = service.keep_where_known(alone, prepared)
        except Exception as error:  # noqa: BLE001 - the transaction finds what is wrong, and tells
            log.warning("objects not indexed at once", error=type(error).__name__)
            outcomes = {}
        for number, outcome in outcomes.items():
            batch[number].outcome.set_result(outcome)
        rest = [waiting for number, waiting in enumerate(batch) if number not in outcomes]
        if rest:
            self._decide(rest)

    def _decide(self, batch: Sequence["_Waiting"]) -> None:
        """Index a batch in one transaction; when that fails, each object in one of its own."""
        try:
            with self._database.begin() as conn:
                outcomes = service.keep(conn, [waiting.prepared for waiting in batch])
        except Exception as error:  # noqa: BLE001 - told to the association that waits for it
            if len(batch) > 1:
                for waiting in batch:
                    self._decide([waiting])
            else:
                log.error("object not indexed", error=type(error).__name__)  # noqa: TRY400 - no names
                batch[0].outcome.set_exception(_told(error))
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.outcome.set_result(outcome)


@dataclass(frozen=True)
class _Waiting:
    prepared: service.Prepared
    outcome: "Future[StoreOutcome]"


def _told(error: Exception) -> Exception:
    if isinstance(error, OperationalError):
        return CannotRun("the database does not answer: send again later")
    return error
