"""A prior that was another's: who was shown or cited it is told (RD-ID-UNLINK, R6.6-3)."""

from html import unescape

import pytest

from accord.identity import service as identity
from accord.kit import jobs
from accord.kit import store as kit_store
from accord.kit.access import Actor
from accord.record import service as record
from accord.reminder import jobs as reminder_jobs
from accord.reminder import service, store
from accord.reminder.errors import NotDecidable, NotShown
from accord.reminder.model import Looked, Outcome
from support.reminding import item_of, read

VIEWER = "DEMO-CQ04"


@pytest.fixture
def doctor(site):
    return site.physician(VIEWER)


def patient_of(conn, item):
    kept = store.find_item(conn, item, VIEWER)
    return identity.find_patient(conn, VIEWER, kept.patient_id)


def unlink(conn, item):
    """Take the visit's patient out of the person, and let the worker's task run here."""
    before = patient_of(conn, item)
    identity.unlink(conn, Actor.process("test"), before.id, "患者本人否认")
    reminder_jobs.tell_unlinked(conn, patient=before.id, from_person=before.person_id)
    return before


def notices_of(conn, item):
    found = store.list_unlinked(conn, VIEWER, limit=500)
    return [each for each in found if each.item == item]


def test_who_cited_it_is_told_once_and_the_citation_is_void(site, conn, doctor):
    item = item_of(site.duty(conn))
    decided = service.decide(conn, doctor, item, Outcome.ACCEPTED)
    before = unlink(conn, item)
    [notice] = [each for each in notices_of(conn, item) if each.citation]
    assert notice.citation == decided.citation.id
    assert notice.examination == decided.decision.examination
    assert notice.physicians == (doctor.id,)
    assert service.find_citation(conn, doctor, decided.citation.id).unlinked_at == notice.at
    assert service.find_decision(conn, doctor, decided.decision.id).unlinked_at == notice.at
    entries = kit_store.read_audit(conn, subject=f"reminder_item:{item}")
    assert [entry["action"] for entry in entries].count("reminder.unlinked") == len(
        notices_of(conn, item)
    )
    assert service.tell_unlinked(conn, doctor, before.id, before.person_id) == 0


def test_who_was_shown_it_sees_neither_images_nor_report_and_cannot_cite(site, conn, doctor):
    item = item_of(site.duty(conn))
    kept = service.find(conn, doctor, item)
    card = kept.item.card
    assert service.was_shown(conn, VIEWER, card.study_uid)
    unlink(conn, item)
    assert not service.was_shown(conn, VIEWER, card.study_uid)
    for what in (Looked.IMAGES, Looked.REPORT):
        with pytest.raises(NotShown):
            service.look(conn, doctor, kept, card.examination, what)
    with pytest.raises(NotDecidable):
        service.decide(conn, doctor, item, Outcome.ACCEPTED)


def test_a_cited_study_that_was_anothers_is_seen_no_more(site, conn, doctor):
    item = item_of(site.duty(conn))
    study = service.decide(conn, doctor, item, Outcome.ACCEPTED).citation.study_uid
    assert store.is_cited(conn, VIEWER, study)
    unlink(conn, item)
    assert not store.is_cited(conn, VIEWER, study)


def test_who_stayed_is_told_of_what_the_leaving_one_had(site, conn, doctor):
    """The hospital that performed it takes its patient out; the asker's record stays."""
    item = item_of(site.duty(conn))
    card = store.find_item(conn, item, VIEWER).item.card
    examination = record.find_examination(conn, card.examination)
    source = identity.find_patient(conn, examination.performed_by, examination.patient_id)
    identity.unlink(conn, Actor.process("test"), source.id, "登记有误")
    reminder_jobs.tell_unlinked(conn, patient=source.id, from_person=source.person_id)
    assert card.examination in {each.examination for each in notices_of(conn, item)}


def test_what_is_still_one_person_is_told_to_nobody(site, conn, doctor):
    item = item_of(site.duty(conn))
    patient = patient_of(conn, item)
    assert service.tell_unlinked(conn, doctor, patient.id, patient.person_id) == 0
    assert notices_of(conn, item) == []


def test_the_worker_tells_it_by_page_and_by_rest_until_it_is_opened(site, client):
    client.log_in(VIEWER)
    with site.database.begin() as conn:
        visit = site.visit(conn, "p19", VIEWER)  # nobody else asks about p19 here
        item = item_of(site.ask(conn, VIEWER, site.order(visit, 1)))
        patient = patient_of(conn, item)
        identity.unlink(conn, Actor.process("test"), patient.id, "患者本人否认")
    jobs.run_pending(site.database)
    told = [
        each for each in read(client.get("/api/v1/reminders/unlinked")) if each["item"] == str(item)
    ]
    assert told
    address = f"/reminder/{item}?examination={told[0]['examination']}"
    assert address in unescape(client.get("/reminder/order").text)
    page = unescape(client.get(address).text)
    assert service.NOT_CERTAIN in page
    assert address not in unescape(client.get("/reminder/order").text)
    client.log_in("DEMO-CQ02")
    others = read(client.get("/api/v1/reminders/unlinked"))
    assert str(item) not in {each["item"] for each in others}
