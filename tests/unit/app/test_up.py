"""Who of the children gets which environment, and in which order they stop."""

from pathlib import Path

import pytest

from accord.app.up import addresses, processes
from accord.kit.settings import Settings

SETTINGS = Settings(data_dir=Path("/data"), http_workers=1, receive_processes=2)
URL = "postgresql://accord:secret@/accord?host=%2Frun"


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACCORD_DATA_DIR", "/elsewhere")
    monkeypatch.setenv("ACCORD_DATABASE_URL", URL)
    return {each.name: each for each in processes(SETTINGS, URL)}


@pytest.mark.parametrize("name", ["serve-0", "receive-0", "receive-1", "work"])
def test_inner_processes_get_folder_database_and_ports(children, name: str):
    environment = children[name].environment
    assert environment["ACCORD_DATA_DIR"] == "/data"
    assert environment["ACCORD_DATABASE_URL"] == URL
    assert environment["ACCORD_HTTP_PORT"] == "8080"
    assert environment["ACCORD_RECEIVE_PROCESSES"] == environment["ACCORD_HTTP_WORKERS"] == "1"


def test_outer_face_gets_only_its_publication(children):
    outer = children["disclose"]
    assert not [value for value in outer.environment.values() if "secret" in value]
    assert "ACCORD_DATA_DIR" not in outer.environment
    assert list(outer.argv)[-2:] == ["--publication", "/data/publication"]


def test_worker_stops_last(children):
    last = max(children.values(), key=lambda each: each.stop_rank)
    assert last.name == "work"
    assert [c.name for c in children.values() if c.stop_rank == last.stop_rank] == ["work"]


def test_addresses_say_https_where_there_is_a_certificate():
    plain = addresses(Settings(data_dir=Path("/data")))
    assert plain == {
        "inner": "http://127.0.0.1:8080",
        "outer": "http://127.0.0.1:8090",
        "dimse": "ACCORD@127.0.0.1:11112",
        "mllp": "127.0.0.1:2575",
    }
    secured = addresses(Settings(data_dir=Path("/data"), tls_certificate=Path("/c.pem")))
    assert secured["outer"].startswith("https://")
