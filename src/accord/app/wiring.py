"""Join what the packages declare: events to jobs, posts to actors, visibility to the archive."""

from sqlalchemy import Connection

from accord.archive.model import StudyBegun, StudySettled
from accord.identity.model import PersonUnlinked
from accord.kit import events, jobs
from accord.kit.access import Actor
from accord.mark import service as mark
from accord.record import service as record
from accord.record.model import ExaminationChanged
from accord.reminder import service as reminder


def connect_events() -> None:
    """Map what happened in lower packages to jobs of higher ones; calling it again is harmless."""
    events.subscribe(StudyBegun, _join_study)
    events.subscribe(StudySettled, _join_study)
    events.subscribe(ExaminationChanged, _measure)
    events.subscribe(PersonUnlinked, _tell_unlinked)


def _join_study(conn: Connection, event: StudyBegun | StudySettled) -> None:
    record.join_later(conn, event.institution, None, event.study_uid)


def _measure(conn: Connection, event: ExaminationChanged) -> None:
    jobs.defer(
        conn,
        "dataquality.measure",
        lock=f"dataquality.measure/{event.examination}",
        queueing_lock=f"dataquality.measure/{event.examination}",
        examination=event.examination,
    )


def _tell_unlinked(conn: Connection, event: PersonUnlinked) -> None:
    jobs.defer(
        conn, "reminder.tell_unlinked", patient=event.patient_id, from_person=event.from_person
    )


def may_see_study(conn: Connection, actor: Actor, study_uid: str) -> bool:
    """Say whether the actor may open the images of a study.

    The institution that performed or reported it may; another one only when a reminder showed
    the study to it and the visit behind that reminder is still open.
    """
    if actor.institution is None:
        return False
    found = record.find_examination_of_study(conn, study_uid)
    if found is not None and actor.institution in {found.performed_by, found.reported_by}:
        return True
    return reminder.was_shown(conn, actor.institution, study_uid)


def study_mark(conn: Connection, study_uid: str) -> str | None:
    """Return the text of the mark that the study carries today, or None."""
    found = record.find_examination_of_study(conn, study_uid)
    return mark.text_of(conn, found) if found else None
