"""`accord registry import`, `accord person`, `accord system`: what they leave and how they end."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from accord.app.cli import build
from accord.kit import settings, store
from accord.kit.access import Gate
from accord.kit.db import Database
from accord.kit.errors import AccordError, Unauthenticated
from accord.registry import roles, service
from support.region import make_region


@pytest.fixture
def site(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Settings that lead every command to the test's own database."""
    monkeypatch.setenv("ACCORD_DATABASE_URL", database.url)
    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path / "data"))
    settings.get_settings.cache_clear()
    return database


@pytest.fixture(autouse=True)
def fresh_settings():
    yield
    settings.get_settings.cache_clear()


def run(*words: object) -> Result:
    return CliRunner().invoke(build(), [str(word) for word in words])


def take_in(site: Database, tmp_path: Path) -> Result:
    file = tmp_path / "region.json"
    file.write_text(json.dumps(make_region()), encoding="utf-8")
    return run("registry", "import", file, "--json")


def test_file_is_taken_in_once(site: Database, tmp_path: Path):
    first, second = take_in(site, tmp_path), take_in(site, tmp_path)
    assert first.exit_code == second.exit_code == 0, first.output
    assert json.loads(first.stdout)["counts"]["institutions"] == {"taken": 6, "known": 0}
    assert json.loads(second.stdout)["counts"]["institutions"] == {"taken": 0, "known": 6}


def test_table_needs_the_kind_of_its_rows(site: Database, tmp_path: Path):
    file = tmp_path / "authorities.csv"
    file.write_text(
        "\ufeffcode,name,province,jurisdiction\nCQ-WJW,某委,重庆市,重庆\n", encoding="utf-8"
    )
    assert run("registry", "import", file, "--kind", "authorities").exit_code == 0
    with site.begin() as conn:
        assert service.find_authority(conn, "CQ-WJW").province == "重庆"
    for words in ((), ("--kind", "nonsense"), ("--kind", "valid_from")):
        refused = run("registry", "import", file, *words)
        assert isinstance(refused.exception, AccordError)
        assert refused.exception.exit_code == 2


@pytest.mark.parametrize("words", ["- a list", "{broken", "\x00", "institutions: [{code: X}]"])
def test_broken_file_changes_nothing(site: Database, tmp_path: Path, words: str):
    file = tmp_path / "region.yaml"
    file.write_text(words, encoding="utf-8")
    refused = run("registry", "import", file)
    assert isinstance(refused.exception, AccordError)
    assert refused.exception.exit_code == 2
    with site.begin() as conn:
        assert service.lists(conn) == ()


def test_person_gets_a_post_and_a_password_that_works(site: Database, tmp_path: Path):
    take_in(site, tmp_path)
    words = ("person", "add", "dr.new", "--name", "新医生", "--role", "physician")
    made = run(*words, "--institution", "CQ-A", "--json")
    assert made.exit_code == 0, made.output
    password = json.loads(made.stdout)["password"]
    gate = Gate(site, settings.get_settings(), service.post_of)
    assert gate.log_in("dr.new", password).token
    with site.begin() as conn:
        assert service.post_of(conn, "dr.new").institution == "CQ-A"
    again = json.loads(run("person", "add", "dr.new", "--name", "新医生", "--json").stdout)
    with pytest.raises(Unauthenticated):
        gate.log_in("dr.new", password)
    assert gate.log_in("dr.new", again["password"]).token
    assert run("person", "leave", "dr.new", "--role", "physician").exit_code == 0
    with site.begin() as conn:
        assert service.post_of(conn, "dr.new").institution is None


def test_account_and_post_are_made_together_or_not_at_all(site: Database, tmp_path: Path):
    take_in(site, tmp_path)
    words = ("person", "add", "dr.new", "--name", "新", "--role", "physician")
    refused = run(*words, "--institution", "NOWHERE")
    assert isinstance(refused.exception, AccordError)
    with site.begin() as conn:
        assert store.lock_person(conn, "dr.new") is None
    assert run(*words[:-1], "king", "--institution", "CQ-A").exit_code == 2


def test_short_password_is_refused(site: Database):
    typed = CliRunner().invoke(
        build(), ["person", "add", "dr.new", "--name", "新", "--ask"], input="short\nshort\n"
    )
    assert isinstance(typed.exception, AccordError)
    assert "密码至少" in typed.exception.sentence


def test_system_gets_a_key_that_is_kept_nowhere(site: Database, tmp_path: Path):
    take_in(site, tmp_path)
    words = ("system", "add", "pacs", "--name", "PACS", "--kind", "pacs")
    made = run(*words, "--institution", "CQ-A", "--json")
    key = json.loads(made.stdout)["key"]
    with site.begin() as conn:
        actor = store.find_system(conn, key)
    assert (actor.institution, actor.permissions) == ("CQ-A", roles.SYSTEMS["pacs"])
    for wrong in ((*words, "--institution", "NONE"), words, (*words[:-1], "toaster")):
        assert isinstance(run(*wrong).exception, AccordError)
