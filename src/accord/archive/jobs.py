"""What the archive does by itself: settle quiet studies, clear what a crash left behind."""

from datetime import timedelta

from sqlalchemy import Connection

from accord.archive import service
from accord.kit import jobs
from accord.kit.blobs import store_at
from accord.kit.settings import get_settings

SWEEP = timedelta(seconds=5)
STALE = timedelta(days=1)


@jobs.periodic("archive.settle", every=SWEEP)
def settle(conn: Connection) -> None:
    """Settle the studies that received nothing for the quiet time."""
    service.settle(conn, get_settings().settle_after)


@jobs.periodic("archive.discard_stale", every=timedelta(hours=1))
def discard_stale(_conn: Connection) -> None:
    """Remove the temporary files of receivers that were killed."""
    store_at(get_settings().objects_dir).discard_stale(STALE)
