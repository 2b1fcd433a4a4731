"""Questions over DIMSE, each about what the institution of the asking AE title sent itself."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row

from accord.archive import commitment, find
from accord.archive.commitment import encoded
from accord.archive.errors import QueryInvalid
from accord.archive.receive.messages import (
    CANNOT_UNDERSTAND,
    DOES_NOT_FIT,
    INVALID_ARGUMENT,
    N_ACTION_RQ,
    NO_SUCH_ACTION,
    OUT_OF_RESOURCES,
    PENDING,
    PENDING_KEYS_IGNORED,
    RESOURCE_LIMITATION,
    SUCCESS,
    Answer,
    Event,
    Question,
)
from accord.archive.service import Sender
from accord.kit import clock, jobs
from accord.kit.blobs import BlobStore
from accord.kit.db import Database

# How long a result may still go out on the association that asked for it.
TELL_AFTER: Final = timedelta(seconds=10)

log = structlog.get_logger(__name__)


class Questions:
    """Answers what is asked.

    Args:
        database: The index.
        blobs: The objects.
        ae_title: Our own.
    """

    def __init__(self, database: Database, blobs: BlobStore, ae_title: str) -> None:
        self._database = database
        self._ae_title = ae_title
        self._blobs = blobs

    def ask(self, sender: Sender, question: Question) -> Iterator[Answer]:
        """Answer a question: pending answers as they are found, a final one at the end."""
        if question.operation == N_ACTION_RQ:
            yield self._commit(sender, question)
        else:
            yield from self._find(sender, question)

    # -- query ----------------------------------------------------------------------------------

    def _find(self, sender: Sender, question: Question) -> Iterator[Answer]:
        try:
            search = find.read(question.sop_class, question.data, question.syntax)
        except find.DoesNotFit as error:
            yield Answer(DOES_NOT_FIT, str(error))
            return
        except QueryInvalid as error:
            yield Answer(CANNOT_UNDERSTAND, error.code)
            return
        pending = PENDING_KEYS_IGNORED if search.ignores else PENDING
        matches = find.once(search, self._rows(search, sender))
        for count, row in enumerate(matches):
            if count == find.MOST_MATCHES:
                yield Answer(OUT_OF_RESOURCES, f"more than {count} matches: narrow the query")
                return
            match = find.answer(search, row, self._ae_title)
            yield Answer(pending, data=encoded(match, question.syntax))
        yield Answer(SUCCESS)

    def _rows(self, search: find.Search, sender: Sender) -> Iterator[Row[Any]]:
        """Look page by page, so that no transaction waits for the peer."""
        start = 0
        while True:
            with self._database.begin() as conn:
                rows = find.rows(conn, search, sender.institution, start)
            yield from rows
            start += find.STEP
            if len(rows) < find.STEP:
                return

    # -- storage commitment ---------------------------------------------------------------------

    def _commit(self, sender: Sender, question: Question) -> Answer:
        """Take a request on; its result is told later, by a job if not on this association."""
        if question.action != commitment.REQUEST:
            return Answer(NO_SUCH_ACTION)
        try:
            asked = commitment.read_request(question.data, question.syntax)
        except commitment.BadRequest:
            return Answer(INVALID_ARGUMENT, "no transaction UID or no valid references")
        except commitment.TooManyReferences:
            most = commitment.MOST_REFERENCES
            return Answer(RESOURCE_LIMITATION, f"more than {most} references")
        with self._database.begin() as conn:
            job = jobs.defer(
                conn,
                "archive.tell_commitment",
                schedule_at=clock.now() + TELL_AFTER,
                institution=sender.institution,
                ae_title=sender.ae_title,
                transaction=asked.transaction,
                references=commitment.pairs(asked.references),
            )
        return Answer(SUCCESS, later=lambda: self._result(sender, question.syntax, asked, job))

    def _result(
        self, sender: Sender, syntax: str, asked: commitment.Request, job: int | None
    ) -> Event | None:
        """Return what is to be told; None leaves it to the job."""
        try:
            with self._database.begin() as conn:
                verdict = commitment.judge(conn, self._blobs, sender.institution, asked.references)
            data = encoded(commitment.result(asked.transaction, verdict), syntax)
        except Exception as error:  # noqa: BLE001 - the job tries again
            log.error("commitment not told yet", error=type(error).__name__)  # noqa: TRY400
            return None

        def confirm() -> None:
            """Note that it was told; what fails here lets the job tell it once more."""
            try:
                with self._database.begin() as conn:
                    if job is not None:
                        jobs.withdraw(conn, job)
                    commitment.note(conn, sender.actor, asked.transaction, verdict, "same")
            except Exception as error:  # noqa: BLE001 - it was told, and may be told twice
                log.error("commitment not noted", error=type(error).__name__)  # noqa: TRY400

        return Event(commitment.PUSH_MODEL, commitment.PUSH_INSTANCE, verdict.event, data, confirm)
