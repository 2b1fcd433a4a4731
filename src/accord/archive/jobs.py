"""What the archive does by itself: settle quiet studies, tell results, clear what a crash left."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from accord.archive import commitment, service
from accord.kit import jobs
from accord.kit.blobs import store_at
from accord.kit.settings import get_settings

SWEEP = timedelta(seconds=5)
STALE = timedelta(days=1)
TELLINGS = 20  # the waits between them double up to five minutes: an hour in all

log = structlog.get_logger(__name__)


@jobs.periodic("archive.settle", every=SWEEP)
def settle(conn: Connection) -> None:
    """Settle the studies that received nothing for the quiet time."""
    service.settle(conn, get_settings().settle_after)


@jobs.periodic("archive.discard_stale", every=timedelta(hours=1))
def discard_stale(_conn: Connection) -> None:
    """Remove the temporary files of receivers that were killed."""
    store_at(get_settings().objects_dir).discard_stale(STALE)


@jobs.task("archive.tell_commitment", retry=TELLINGS)
def tell_commitment(
    conn: Connection,
    *,
    institution: str,
    ae_title: str,
    transaction: str,
    references: Sequence[Sequence[str]],
) -> None:
    """Tell a peer over an association of our own which objects it asked about are held.

    A peer without an address in the settings can only be told while its own association lasts;
    that it was not is noted.
    """
    settings = get_settings()
    asked = [commitment.Reference(*pair) for pair in references]
    verdict = commitment.judge(conn, store_at(settings.objects_dir), institution, asked)
    how = "own association"
    if ae_title in settings.peer_addresses:
        commitment.tell(settings, ae_title, transaction, verdict)
    else:
        how = "not told: no address"
        log.warning("commitment not told: no address", ae_title=ae_title)
    commitment.note(conn, jobs.WORKER, transaction, verdict, how)
