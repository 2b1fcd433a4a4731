"""The mark of an examination, judged as of its own day and never stored in pixels."""

from sqlalchemy import Connection

from accord import catalogue, standard
from accord.kit.clock import local_day
from accord.kit.settings import get_settings
from accord.mark.model import Marked, MarkStatus
from accord.mark.rules import entitlement
from accord.record.model import Examination
from accord.registry import service as registry


def status_of(conn: Connection, examination: Examination) -> Marked:
    """Return whether the examination carries the mark, with the reason."""
    if examination.withdrawn:
        return Marked(MarkStatus.WITHDRAWN, "检查或报告已撤销")
    if examination.exam_end is None:
        return Marked(MarkStatus.NOT_ENTITLED, "检查时间不明")
    day = local_day(examination.exam_end)
    performer = registry.find_institution(conn, examination.performed_by, day)
    return entitlement(
        examination.items,
        registry.qualifications_of(conn, examination.performed_by, day),
        day,
        performer.level if performer else None,
        standard.load(get_settings().rule_set),
        catalogue.load(),
    )


def text_of(conn: Connection, examination: Examination) -> str | None:
    """Return the text of the mark where the examination carries it, else None."""
    return status_of(conn, examination).text
