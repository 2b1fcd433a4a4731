"""One owner of a data folder; everybody else joins, waits or is told."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from accord.kit import running
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings
from support.database import Server
from support.processes import is_alive, mentioning, python, short_folder, wait_until

pytestmark = pytest.mark.database

COMMAND = """
import sys, time
from pathlib import Path
from sqlalchemy import text
from accord.kit import running
from accord.kit.settings import Settings
with running.database(Settings(data_dir=Path(sys.argv[1])), command="other") as database:
    with database.begin() as conn:
        conn.execute(text("CREATE TABLE IF NOT EXISTS seen (n int)"))
        conn.execute(text("INSERT INTO seen VALUES (1)"))
    print("connected", flush=True)
    until = Path(sys.argv[2])
    while not until.exists():
        time.sleep(0.05)
"""
HOLDER = """
import sys, time
from pathlib import Path
from accord.kit import running
with running.hold(Path(sys.argv[1])) as held:
    held.tell("postgresql://nowhere/none", {"http": 8080})
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder / "var"


def count(database: running.Database) -> int:
    with database.begin() as conn:
        return int(conn.execute(text("SELECT count(*) FROM seen")).scalar_one())


def test_command_starts_the_database_for_its_own_duration(data_dir: Path):
    with running.database(Settings(data_dir=data_dir)) as database:
        assert database.is_reachable()
        assert running.read_run(data_dir) is not None
    assert running.read_run(data_dir) is None
    assert mentioning(data_dir) == []


def test_description_of_what_runs_is_for_its_owner_alone(data_dir: Path):
    with running.database(Settings(data_dir=data_dir)) as database:
        assert stat.S_IMODE((data_dir / "run.json").stat().st_mode) == 0o600
        run = running.read_run(data_dir)
        assert run is not None
        assert run.database_url == database.url
        assert run.pid == os.getpid()


def test_other_command_joins_the_running_database(data_dir: Path):
    done = data_dir.parent / "done"
    with (
        running.database(Settings(data_dir=data_dir)) as database,
        python(COMMAND, data_dir, done) as guest,
    ):
        assert guest.stdout is not None
        assert guest.stdout.readline() == "connected\n"
        assert count(database) == 1
        done.touch()
        assert guest.wait(20) == 0
        assert database.is_reachable()


def test_owner_stops_the_database_only_after_its_guest(data_dir: Path):
    done, own_end = data_dir.parent / "done", data_dir.parent / "own"
    with python(COMMAND, data_dir, own_end) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "connected\n"
        with python(COMMAND, data_dir, done) as guest:
            assert guest.stdout is not None
            assert guest.stdout.readline() == "connected\n"
            own_end.touch()
            assert wait_until(lambda: running.read_run(data_dir) is None)
            assert owner.poll() is None
            done.touch()
            assert guest.wait(20) == 0
        assert owner.wait(20) == 0


def test_command_after_a_killed_owner_starts_anew_and_finds_the_rows(data_dir: Path):
    never = data_dir.parent / "never"
    with python(COMMAND, data_dir, never) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "connected\n"
        owner.kill()
        owner.wait()
        assert (data_dir / "run.json").exists()
        with running.database(Settings(data_dir=data_dir)) as database:
            assert count(database) == 1


def test_second_up_says_who_and_since_when(data_dir: Path):
    with python(HOLDER, data_dir) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        sentence = rf"process {first.pid} since 20\d\d-"
        with pytest.raises(running.InUse, match=sentence) as told, running.hold(data_dir):
            pass
        assert told.value.exit_code == 3


def test_up_waits_for_a_command_that_runs_the_database(data_dir: Path):
    done = data_dir.parent / "done"
    said: list[str] = []
    with python(COMMAND, data_dir, done) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "connected\n"
        threading.Timer(0.5, done.touch).start()
        with running.hold(data_dir, say=said.append) as held:
            assert held.owner.pid == os.getpid()
        assert owner.wait(20) == 0
    assert len(said) == 1
    assert str(owner.pid) in said[0]


def test_folder_is_free_again_after_a_killed_up(data_dir: Path):
    with python(HOLDER, data_dir) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
        first.wait()
    with running.hold(data_dir):
        assert running.read_run(data_dir) is None
    assert not is_alive(first.pid)


def test_address_in_the_settings_is_used_as_it_is(server: Server, data_dir: Path):
    settings = Settings(data_dir=data_dir, database_url=server.url)
    with running.database(settings) as database:
        assert database.is_reachable()
    assert not data_dir.exists()


def test_folder_that_cannot_be_made_is_named(data_dir: Path):
    data_dir.parent.joinpath("file").touch()
    impossible = data_dir.parent / "file" / "var"
    settings = Settings(data_dir=impossible)
    with pytest.raises(CannotRun, match="ACCORD_DATA_DIR"), running.database(settings):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="tells what happens as root")
def test_root_leaves_the_folder_of_another_user_alone(data_dir: Path):
    data_dir.mkdir()
    os.chown(data_dir, 65534, 65534)
    settings = Settings(data_dir=data_dir)
    with pytest.raises(CannotRun, match="another user"), running.database(settings):
        pass
    assert list(data_dir.iterdir()) == []
