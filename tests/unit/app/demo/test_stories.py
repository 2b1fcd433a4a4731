from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from accord import catalogue
from accord.app.demo import papers
from accord.app.demo.people import PEOPLE
from accord.app.demo.region import BY_CODE, machine_of
from accord.app.demo.stories import (
    KINDS,
    LOCAL_NAMES,
    MAY,
    MUST,
    NOT,
    READY_ORDERS,
    SCENES,
    local_name,
    wording,
)
from accord.catalogue import fold
from accord.identity.model import IdState
from accord.identity.rules.numbers import judge, read_citizen_number
from accord.kit.clock import local_day
from accord.record.model import ReportStatus

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)  # 15:00 local


@pytest.mark.parametrize("person", PEOPLE.values(), ids=lambda p: p.key)
def test_ids_are_valid_and_of_a_region_that_does_not_exist(person):
    record = papers.patient_at(person, "DEMO-CQ01")
    assert judge(record, DAY).state is IdState.VERIFIED
    assert person.national_id[2:4] == "99"


def test_a_wrong_check_digit_would_be_noticed():
    number = PEOPLE["p01"].national_id
    other = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert read_citizen_number(number, DAY) is not None
    assert read_citizen_number(other, DAY) is None


def test_nobody_shares_an_id():
    assert len({p.national_id for p in PEOPLE.values()}) == len(PEOPLE)


def test_at_least_sixty_examinations_of_every_kind():
    assert len(SCENES) >= 60
    assert {scene.kind for scene in SCENES} == set(KINDS)
    assert len({scene.key for scene in SCENES}) == len(SCENES)


def test_every_scene_has_its_machine_its_words_and_its_people():
    for scene in SCENES:
        assert machine_of(BY_CODE[scene.at], KINDS[scene.kind].modality)
        assert wording(scene.kind, scene.finding).impression
        assert scene.person in PEOPLE


def test_local_names_of_one_hospital_mean_one_item_each():
    for code in BY_CODE:
        names = Counter(fold(local_name(code, item)) for item in LOCAL_NAMES)
        assert max(names.values()) == 1


def test_every_item_has_local_names_that_need_an_approved_mapping():
    for item, names in LOCAL_NAMES.items():
        known = [catalogue.load().by_name(name) for name in names]
        assert known.count(None) >= 2
        assert {found.no for found in known if found} <= {item}


def test_every_kind_of_advice_has_a_ready_order():
    assert {ready.promise.advice for ready in READY_ORDERS} == {MUST, MAY, NOT, ""}
    assert {r.promise.relation for r in READY_ORDERS} >= {
        "EQUAL", "COVERS", "PARTIAL", "SIMILAR", "NONE",
    }  # fmt: skip
    assert {r.promise.code for r in READY_ORDERS} >= {
        "REPORT_PENDING", "OWN_PRIOR", "OUT_OF_WINDOW", "SOURCE_NOT_LISTED", "OUT_OF_SCOPE",
        "ITEM_NOT_QUALIFIED", "HARD_ELEMENT_MISSING", "SCOPE_OUTSIDE",
    }  # fmt: skip
    assert {r.promise.lifted_by for r in READY_ORDERS} >= {"NR02", "NR03", "NR07", "NR09"}


def test_every_ready_order_is_about_a_scene_of_the_demo():
    keys = {scene.key for scene in SCENES}
    assert {ready.prior for ready in READY_ORDERS} <= keys
    assert len({ready.key for ready in READY_ORDERS}) == len(READY_ORDERS)


def test_ready_orders_do_not_share_a_person():
    people = Counter(ready.person for ready in READY_ORDERS)
    assert max(people.values()) == 1


@pytest.fixture(params=range(len(SCENES)), ids=[scene.key for scene in SCENES])
def told(request):
    return SCENES[request.param], papers.papers(SCENES[request.param], request.param, DAY, NOW)


def test_everything_happens_in_order_and_before_now(told):
    scene, found = told
    order, report = found.order, found.report
    moments = [found.visit.opened_at, order.ordered_at, order.registration.registered_at]
    moments += [found.exam.started_at, found.uploaded_at]
    assert moments == sorted(moments)
    assert found.uploaded_at < NOW
    if report is not None:
        assert found.exam.started_at < report.authored_at < report.released_at < NOW
    assert (report is None) == (scene.report == "pending")


def test_images_order_and_report_name_the_same_examination(told):
    _, found = told
    registration, report = found.order.registration, found.report
    assert registration.accession == found.exam.accession
    assert registration.study_uid == found.exam.study_uid
    assert found.exam.patient.patient_id == found.patient.local_id
    if report is not None:
        assert report.study_uid == found.exam.study_uid
        assert report.patient_birth_date == found.exam.patient.born
        assert report.examined_on == local_day(found.exam.started_at)


def test_accession_numbers_are_unique_in_their_hospital():
    numbers = [(s.at, papers.accession_of(s, index)) for index, s in enumerate(SCENES)]
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) <= 16 for _, number in numbers)


def test_only_the_planted_scenes_are_defective():
    planted = {s.person for s in SCENES if s.planted != type(s.planted)()}
    unsound = {s.person for s in SCENES if s.report != "final"}
    assert planted == {"p25", "p33"}
    assert unsound == {"p05", "p18", "p32"}


def test_a_township_film_is_reported_by_the_county():
    found = next(papers.papers(s, i, DAY, NOW) for i, s in enumerate(SCENES) if s.person == "p14")
    assert (found.institution, found.reporter) == ("DEMO-CQ04", "DEMO-CQ03")
    assert found.report.performed_by == "DEMO-CQ04"


def test_an_emergency_report_is_signed_and_not_verified():
    found = next(papers.papers(s, i, DAY, NOW) for i, s in enumerate(SCENES) if s.person == "p32")
    assert found.report.status is ReportStatus.EMERGENCY
    assert (found.report.author_is_licensed, found.report.verifier) == (True, None)


def test_no_examination_of_the_last_hours_runs_over_midnight():
    just_after = datetime(2026, 3, 1, 18, 20, tzinfo=UTC)  # 02:20 local: 2.5 h ago is 23:50
    scene = next(s for s in SCENES if s.person == "p05")
    started = scene.started_at(date(2026, 3, 2), just_after)
    assert local_day(started) == local_day(started + timedelta(minutes=20))


def test_ready_orders_wait_in_an_open_visit_of_the_same_patient():
    for ready in READY_ORDERS:
        visit, order = papers.ready_visit(ready, NOW), papers.ready_order(ready, NOW)
        assert visit.closed_at is None
        assert visit.opened_at < order.ordered_at < NOW
        assert visit.patient_id == order.patient_id
