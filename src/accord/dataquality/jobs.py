"""Background entry points of data quality."""

from sqlalchemy import Connection

from accord.dataquality import service
from accord.kit.jobs import task


@task("dataquality.measure")
def measure(conn: Connection, *, examination: int) -> None:
    """Measure an examination whose images, order or report changed."""
    service.keep(conn, examination)
