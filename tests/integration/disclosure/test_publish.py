"""Publishing from a real registry, by the service and by the command."""

import json
from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

from accord import catalogue, standard
from accord.app.cli import list as list_command
from accord.disclosure import folder, service
from accord.disclosure.errors import Tampered
from accord.kit import clock, store
from accord.kit.access import Actor
from accord.kit.settings import Settings, get_settings
from accord.mark.model import MarkStatus
from accord.mark.rules import entitlement
from accord.registry import service as registry
from support.region import make_region

PUBLISHER = Actor.process("list publish")
NOW = datetime(2026, 10, 21, 4, 0, tzinfo=UTC)
TODAY = date(2026, 10, 21)


@pytest.fixture(autouse=True)
def on_a_fixed_day():
    with clock.freeze(NOW):
        yield


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path)


@pytest.fixture
def region(conn):
    registry.import_region(conn, Actor.process("test"), make_region())
    return conn


def publish(conn, settings):
    return service.publish(conn, settings, PUBLISHER, settings.publication_dir)


def test_listed_institutions_are_published_and_no_other(region, settings):
    found = publish(region, settings).verified.publication
    assert [each.code for each in found.institutions] == ["CQ-A", "CQ-B", "CQ-C", "SC-A"]
    assert {each.name for each in found.authorities} == {
        "重庆市卫生健康委员会",
        "四川省卫生健康委员会",
    }
    assert len(found.items) == 141


def test_rights_are_spelled_out_item_by_item(region, settings):
    found = publish(region, settings).verified.publication
    hospital = found.institution_of["CQ-A"]
    lines = found.item_rights(hospital, TODAY)
    assert [line.item.no for line in lines] == [94, 107]
    assert {line.mark for line in lines} == {standard.load("2025-draft").text("6.4/mark")}
    assert {line.right.centre for line in lines} == {"重庆市放射质控中心"}
    assert {line.last_day for line in lines} == {date(2028, 1, 9)}
    transitional = found.institution_of["SC-A"].rights[0]
    assert (transitional.basis, transitional.notice) == ("transitional", "川卫办发〔2026〕1号")


def test_next_publication_is_due_within_the_period_of_the_clause(region, settings):
    found = publish(region, settings).verified.publication
    months = standard.load("2025-draft").months("10.3/published_every")
    assert found.next_due == date(2026 + months // 12, 10, 21)


def test_second_publication_of_the_same_words_changes_nothing(region, settings):
    first, second = publish(region, settings), publish(region, settings)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.place == second.place
    assert folder.numbers(settings.publication_dir) == (1,)


def test_suspension_is_published_with_its_first_day(region, settings):
    publish(region, settings)
    registry.suspend(
        region, Actor.process("test"), "Q-CQ-A-CT", from_day=TODAY, because="抽查不合格"
    )
    found = publish(region, settings).verified.publication
    assert found.number == 2
    assert found.is_entitled("CQ-A", 94, date(2026, 10, 20))
    assert found.answer("CQ-A", 94, TODAY).reason.value == "suspended"


def test_publication_leaves_an_audit_entry_without_the_content(region, settings):
    done = publish(region, settings)
    entry = store.read_audit(region, action="disclosure.published")[0]
    assert entry["subject"] == "publication:1"
    assert entry["detail"]["manifest"] == done.verified.hash


def test_tampered_history_is_not_continued(region, settings):
    done = publish(region, settings)
    (done.place / "items.csv").write_text("x")
    with pytest.raises(Tampered):
        publish(region, settings)


def test_what_the_public_is_told_is_what_the_mark_is_given_by(region, settings):
    found = publish(region, settings).verified.publication
    rules, items = standard.load("2025-draft"), catalogue.load()
    compared = 0
    for each in found.institutions:
        level = registry.find_institution(region, each.code, TODAY).level
        held = registry.qualifications_of(region, each.code, TODAY)
        for item in found.items:
            marked = entitlement([item.no], held, TODAY, level, rules, items)
            told = found.is_entitled(each.code, item.no, TODAY)
            assert told is (marked.status is MarkStatus.MARKED), (each.code, item.no)
            compared += told
    assert compared > 0


@pytest.fixture
def command(database, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ACCORD_DATABASE_URL", database.url)
    get_settings.cache_clear()
    with database.begin() as conn:
        registry.import_region(conn, Actor.process("test"), make_region())

    def run(*words):
        import typer

        app = typer.Typer()
        list_command.add(app)
        return CliRunner().invoke(app, ["list", *words])

    yield run
    get_settings.cache_clear()


def test_command_publishes_and_verifies(command, tmp_path):
    done = command("publish", "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.output)
    assert (facts["number"], facts["institutions"], facts["new"]) == (1, 4, True)
    checked = command("verify", str(tmp_path / "data" / "publication"), "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.output)["verified"] is True


def test_command_ends_with_one_where_a_file_was_changed(command, tmp_path):
    out = tmp_path / "elsewhere"
    assert command("publish", "--out", str(out)).exit_code == 0
    changed = out / "0001" / "institutions.csv"
    changed.write_bytes(changed.read_bytes().replace("重庆第一医院".encode(), "冒名医院".encode()))
    answer = command("verify", str(out), "--json")
    assert answer.exit_code == 1
    assert "institutions.csv" in json.loads(answer.output)["reason"]
