"""Background entry points of the reminder."""

from sqlalchemy import Connection

from accord.kit.jobs import WORKER, task
from accord.reminder import service


@task("reminder.tell_unlinked")
def tell_unlinked(conn: Connection, *, patient: int, from_person: str) -> None:
    """Tell who was shown or cited what is another's since a patient left a person."""
    service.tell_unlinked(conn, WORKER, patient, from_person)
