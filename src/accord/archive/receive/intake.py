"""What any receiver hands its objects to: who may send, and durable before acknowledged.

Rows of objects that arrive at the same time are written in one transaction (group commit): while
one commit is under way the next objects gather.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from accord.archive import service
from accord.archive.examine import Bounds
from accord.archive.model import StoreOutcome, Way
from accord.archive.receive.messages import Delivery
from accord.kit.access import Actor, ActorKind
from accord.kit.blobs import store_at
from accord.kit.db import Database
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings
from accord.kit.together import Together
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
        self.database = database
        self._bounds: Bounds = service.bounds_of(settings)
        self._index = Together[_Waiting](self._commit, most=MOST_IN_ONE_COMMIT)
        self._alone: Connection | None = None

    def admit(self, calling_ae: str) -> service.Sender | None:
        """Return who sends under a calling AE title; None when nobody is registered under it."""
        with self.database.begin() as conn:
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
        waiting = _Waiting(delivery.data.prepare(sender, self.blobs, self._bounds))
        self._index.act(waiting)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.outcome is not None  # noqa: S101 - it has the one or the other
        return waiting.outcome

    def close(self) -> None:
        """Give the connection back."""
        alone, self._alone = self._alone, None
        if alone is not None:
            alone.close()

    def _commit(self, batch: Sequence["_Waiting"]) -> None:
        """Index a batch: at once what nothing speaks against, the rest in a transaction."""
        outcomes = self._keep_at_once([waiting.prepared for waiting in batch])
        for number, outcome in outcomes.items():
            batch[number].outcome = outcome
        rest = [waiting for waiting in batch if waiting.outcome is None]
        if rest:
            self._decide(rest)

    def _keep_at_once(self, several: Sequence[service.Prepared]) -> dict[int, StoreOutcome]:
        """Index on a connection that commits each statement, kept open from batch to batch."""
        try:
            if self._alone is None:
                fresh = self.database.engine.connect()
                self._alone = fresh.execution_options(isolation_level="AUTOCOMMIT")
            return service.keep_where_known(self._alone, several)
        except SQLAlchemyError as error:  # the transaction then finds what is wrong, and tells
            log.warning("objects not indexed at once", error=type(error).__name__)
            broken, self._alone = self._alone, None
            if broken is not None:
                broken.invalidate()
                broken.close()
            return {}

    def _decide(self, batch: Sequence["_Waiting"]) -> None:
        """Index a batch in one transaction; when that fails, each object in one of its own."""
        try:
            with self.database.begin() as conn:
                outcomes = service.keep(conn, [waiting.prepared for waiting in batch])
        except Exception as error:  # noqa: BLE001 - told to the association that waits for it
            if len(batch) > 1:
                for waiting in batch:
                    self._decide([waiting])
            else:
                log.error("object not indexed", error=type(error).__name__)  # noqa: TRY400 - no names
                batch[0].error = _told(error)
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.outcome = outcome


@dataclass
class _Waiting:
    prepared: service.Prepared
    outcome: StoreOutcome | None = None
    error: Exception | None = None


def _told(error: Exception) -> Exception:
    if isinstance(error, OperationalError):
        return CannotRun("the database does not answer: send again later")
    return error
