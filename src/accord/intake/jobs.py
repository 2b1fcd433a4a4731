"""Background entry points of the intake."""

from sqlalchemy import Connection

from accord.intake import service
from accord.kit.jobs import task


@task("intake.apply")
def apply(conn: Connection, *, institution: str) -> None:
    """Map the pending messages of one institution."""
    service.apply_pending(conn, institution)
