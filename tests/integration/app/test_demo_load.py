"""The demo region, loaded once into a database of its own with small pictures."""

import json
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from accord.app.demo import papers, phantoms
from accord.app.demo.kept import describe
from accord.app.demo.load import GUEST_HOSPITAL, NotEmpty, load, smaller, system_of
from accord.app.demo.people import PEOPLE
from accord.app.demo.region import HOSPITALS, PREFIX, region
from accord.app.demo.stories import READY_ORDERS, SCENES
from accord.archive import service as archive
from accord.kit import clock, crypto, settings, store
from accord.kit.access import Actor, Gate
from accord.kit.blobs import BlobStore
from accord.kit.db import Database
from accord.kit.errors import CannotRun, Invalid
from accord.record import service as record
from accord.record.model import ReportStatus
from accord.registry import service as registry
from accord.reminder import service as reminder
from accord.reminder.model import Question, Status
from support.database import Server


@dataclass(frozen=True)
class Demo:
    """The loaded region."""

    database: Database
    settings: settings.Settings
    counts: dict

    @property
    def told(self) -> dict:
        """What `demo.json` tells now."""
        return json.loads((self.settings.data_dir / "demo.json").read_text())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[settings.Settings]:
    """A data folder of this module's own, behind the settings of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORD_DATA_DIR", str(tmp_path_factory.mktemp("demo")))
        settings.get_settings.cache_clear()
        crypto._crypto.cache_clear()
        yield settings.get_settings()
    settings.get_settings.cache_clear()
    crypto._crypto.cache_clear()


@pytest.fixture(scope="module")
def demo(server: Server, site: settings.Settings) -> Iterator[Demo]:
    name = f"demo_region_{secrets.token_hex(6)}"  # every worker has one
    database = Database(server.clone(name))
    try:
        counts = load(database, site, small=True).as_dict()
        yield Demo(database, site, counts)
    finally:
        database.close()
        server.drop(name)


@pytest.fixture
def empty(server: Server, site: settings.Settings) -> Iterator[Database]:
    name = f"demo_refused_{secrets.token_hex(6)}"
    database = Database(server.clone(name))
    yield database
    database.close()
    server.drop(name)


def study_of(prior: str) -> str:
    return phantoms.uid("study", prior)


def test_everything_promised_is_there(demo):
    assert demo.counts["examinations"] == demo.counts["loaded_now"] == len(SCENES) >= 60
    assert demo.counts["institutions"] == len(HOSPITALS) >= 10
    assert demo.counts["people"] == len(PEOPLE)  # every record of a person is linked
    assert demo.counts["ready_orders"] == len(READY_ORDERS)
    with demo.database.begin() as conn:
        known = registry.institutions(conn, clock.today())
        found = [record.find_examination_of_study(conn, study_of(scene.key)) for scene in SCENES]
    assert {place.code for place in known} == {h.code for h in HOSPITALS}
    assert all(examination and len(examination.items) == 1 for examination in found)
    assert all(e.order is not None for e in found)


def test_every_object_was_stored_but_the_lossy_ones(demo):
    objects = demo.counts["objects"]
    assert objects["refused"] == objects["already_stored"] == 0
    with demo.database.begin() as conn:
        lossy = archive.study_facts(conn, study_of("p33/DEMO-CQ06/ct-chest"))
    assert (lossy.stored, lossy.kept_aside_reasons) == (0, {"lossy_syntax": lossy.kept_aside})
    real_lossy = 1  # among pydicom's own images
    assert objects["kept_aside"] == lossy.kept_aside + real_lossy


def test_an_examination_was_received_and_reported_when_it_happened(demo):
    with demo.database.begin() as conn:
        found = record.find_examination_of_study(conn, study_of("p01/DEMO-SC01/ct-chest"))
        facts = archive.study_facts(conn, found.study_uid)
    assert clock.today() - clock.local_day(found.exam_end) == timedelta(days=6)
    assert timedelta(0) < facts.last_received_at - found.exam_end < timedelta(hours=1)
    assert found.report_status is ReportStatus.FINAL
    assert found.exam_end < found.released_at < found.exam_end + timedelta(hours=24)
    assert found.settled_at is not None


def test_images_can_be_read_back_byte_for_byte(demo):
    scene = SCENES[0]
    exam = papers.papers(scene, 0, clock.today(), clock.now()).exam
    made = list(phantoms.generate(smaller(exam)))
    with demo.database.begin() as conn:
        kept = {each.sop_uid: each for each in archive.instances(conn, study_of(scene.key))}
    assert kept.keys() == {dataset.SOPInstanceUID for dataset in made}
    blobs = BlobStore(demo.settings.objects_dir)
    for dataset in made:
        with blobs.mapped(kept[dataset.SOPInstanceUID].blob) as content:
            assert bytes(content) == phantoms.encoded(dataset)


@pytest.mark.parametrize("ready", READY_ORDERS, ids=lambda ready: ready.key)
def test_ready_order_gets_the_advice_it_promises(demo, ready):
    connection = demo.database.engine.connect()
    with connection as conn, conn.begin() as transaction:
        order = record.find_order(conn, ready.viewer, papers.order_number(ready)).content
        question = Question(
            institution=ready.viewer,
            visit=order.visit,
            patient_ids=(order.patient_id,),
            orders=(order,),
        )
        answer = reminder.ask(conn, system_of(ready.viewer), question, clock.now())
        prior_of = record.find_examination_of_study(conn, study_of(ready.prior))
        transaction.rollback()
    item = answer.items[0]
    assert item.items == (ready.item,)
    if not ready.promise.advice:
        assert (answer.status, item.priors) == (Status.NONE, ())
        return
    prior = item.prior(prior_of.id)
    assert prior is not None
    codes = {finding.get("code") for finding in prior.findings}
    shown = (prior.advice.value, codes, prior.lifted_by, prior.reason)
    assert prior.advice.value == ready.promise.advice, shown
    if ready.promise.relation:
        assert prior.relation.value == ready.promise.relation, shown
    if ready.promise.code:
        assert ready.promise.code in codes, shown
    assert prior.lifted_by == ((ready.promise.lifted_by,) if ready.promise.lifted_by else ())
    on_card = item.card is not None and item.card.examination == prior.examination
    assert on_card == ready.promise.card, shown


def test_the_person_with_many_priors_has_one_card_and_a_quiet_list(demo):
    ready = next(ready for ready in READY_ORDERS if ready.key == "many-priors")
    with demo.database.engine.connect() as conn, conn.begin() as transaction:
        order = record.find_order(conn, ready.viewer, papers.order_number(ready)).content
        question = Question(
            institution=ready.viewer, visit=order.visit, patient_ids=(), orders=(order,)
        )
        item = reminder.ask(conn, system_of(ready.viewer), question, clock.now()).items[0]
        transaction.rollback()
    assert item.card is not None
    assert len(item.quiet) == 3
    assert all(prior.reason for prior in item.quiet)


def test_demo_json_is_for_its_owner_alone_and_opens_every_door(demo):
    place = demo.settings.data_dir / "demo.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    accounts = {each["login"]: each for each in demo.told["accounts"]}
    gate = Gate(demo.database, demo.settings, registry.post_of)
    assert gate.log_in("doctor.cq02", accounts["doctor.cq02"]["password"]).token
    with demo.database.begin() as conn:
        for each in demo.told["systems"]:
            assert store.find_system(conn, each["key"]).institution == each["institution"]
        for code, title in demo.told["ae_titles"].items():
            assert registry.institution_of_ae(conn, title) == code
    assert len(demo.told["ready_orders"]) == len(READY_ORDERS)


def test_the_accounts_are_told_to_a_person(demo, tmp_path):
    lines = "\n".join(describe(demo.settings))
    for each in demo.told["accounts"]:
        assert f"{each['login']} " in lines
        assert each["password"] in lines
    assert all(ready.title in lines for ready in READY_ORDERS)
    elsewhere = demo.settings.model_copy(update={"data_dir": tmp_path})
    with pytest.raises(CannotRun, match="no demo"):
        describe(elsewhere)


def test_real_images_come_with_order_and_report(demo):
    with demo.database.begin() as conn:
        order = record.find_order(conn, GUEST_HOSPITAL, "R-CT-small").content
        found = record.find_examination_of_study(conn, order.registration.study_uid)
        facts = archive.study_facts(conn, order.registration.study_uid)
    assert (facts.stored, facts.institution) == (1, GUEST_HOSPITAL)
    assert found.report.content.impression
    assert found.items == ()  # nobody guesses an item for it


def test_every_account_holds_its_post(demo):
    with demo.database.begin() as conn:
        for each in demo.told["accounts"]:
            post = registry.post_of(conn, each["login"])
            assert each["role"] in post.roles
            assert (post.institution, post.authority) == (each["institution"], each["authority"])


def test_loading_again_changes_nothing(demo):
    before = demo.told
    again = load(demo.database, demo.settings, small=True).as_dict()
    assert again["loaded_now"] == 0
    assert again["objects"]["stored"] == 0
    assert demo.told == before
    with demo.database.begin() as conn:
        assert len(registry.institutions(conn, clock.today())) == len(HOSPITALS)


def test_lost_demo_json_is_written_anew_with_new_passwords(demo):
    before = {each["login"]: each["password"] for each in demo.told["accounts"]}
    (demo.settings.data_dir / "demo.json").unlink()
    load(demo.database, demo.settings, small=True)
    after = {each["login"]: each["password"] for each in demo.told["accounts"]}
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    gate = Gate(demo.database, demo.settings, registry.post_of)
    assert gate.log_in("admin", after["admin"]).token


def test_nothing_is_loaded_when_what_shall_be_imported_does_not_exist(empty, site, tmp_path):
    with pytest.raises(Invalid, match="no file or folder"):
        load(empty, site, imports=[tmp_path / "absent"], small=True)
    with empty.begin() as conn:
        assert registry.institutions(conn, clock.today()) == ()


def test_what_the_user_brings_along_is_sent_by_a_hospital_of_the_demo(demo, tmp_path):
    own = phantoms.make_study(modality="CT", body="head", slices=2, matrix=32, seed="own")
    for dataset in own:
        (tmp_path / f"{dataset.InstanceNumber}.dcm").write_bytes(phantoms.encoded(dataset))
    (tmp_path / "note.txt").write_text("not an image")
    counts = load(demo.database, demo.settings, imports=[tmp_path], small=True)
    assert counts.imported == {"stored": 2, "already_stored": 0, "kept_aside": 0, "refused": 1}
    with demo.database.begin() as conn:
        assert archive.study_facts(conn, own[0].StudyInstanceUID).institution == GUEST_HOSPITAL


def test_a_database_with_a_real_hospital_is_refused(empty, site):
    rows = region(clock.today())
    real = {**rows["institutions"][0], "code": "450123456", "name": "某医院"}
    with empty.begin() as conn:
        registry.import_region(
            conn,
            Actor.process("test"),
            {"authorities": rows["authorities"], "institutions": [real]},
        )
    with pytest.raises(NotEmpty, match="not of the demo") as refused:
        load(empty, site, small=True)
    assert refused.value.exit_code == 3
    with empty.begin() as conn:
        known = registry.institutions(conn, clock.today())
    assert not [place for place in known if place.code.startswith(PREFIX)]


def test_a_database_with_images_of_nobody_is_refused(empty, site, tmp_path):
    from accord.app.importing import import_paths

    file = tmp_path / "one.dcm"
    file.write_bytes(phantoms.encoded(phantoms.make_study(
        modality="CT", body="head", slices=1, matrix=32)[0]))  # fmt: skip
    assert len(list(import_paths(site, empty, [file], None, Actor.process("test")))) == 1
    with pytest.raises(NotEmpty, match="patients or images"):
        load(empty, site, small=True)
