"""Background entry points of the record."""

from sqlalchemy import Connection

from accord.kit.jobs import task
from accord.record import service


@task("record.join")
def join(
    conn: Connection, *, performed_by: str, accession: str | None, study_uid: str | None
) -> None:
    """Join images, order and report of one accession or study."""
    service.join(conn, performed_by, accession, study_uid)
