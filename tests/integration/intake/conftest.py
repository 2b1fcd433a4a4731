"""A site with a listener of HL7 v2 messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accord.intake import jobs as intake_jobs
from accord.intake import service
from accord.intake.model import Peer, Received
from accord.kit import crypto, jobs
from accord.kit import settings as kit_settings
from accord.kit.access import Actor
from accord.kit.db import Database
from accord.kit.settings import Settings
from accord.record import jobs as record_jobs
from accord.registry import service as registry
from support.listening import serving
from support.region import make_region

TEST = Actor.process("test")
PEERS = (
    Peer("HIS", "CQA", "CQ-A"),
    Peer("系统", "医院", "CQ-A"),
    Peer("FAR", "CQA", "CQ-A", "10.1.2.3"),
)
assert intake_jobs.apply
assert record_jobs.join


@dataclass
class Site:
    """A database with a region, its senders, and where they are listened to."""

    database: Database
    settings: Settings
    port: int = 0

    def work(self) -> None:
        """Run what waits to be done."""
        jobs.run_pending(self.database)

    def messages(self, *, whole: bool = True) -> list[Received]:
        """Return the messages that are kept."""
        with self.database.begin() as conn:
            return service.work_list(conn, whole=whole, limit=10_000)

    def reasons(self) -> list[str | None]:
        """Work, and return the codes of what waits then."""
        self.work()
        return [each.code for each in self.messages(whole=False)]


@pytest.fixture
def site(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site with the small region of the tests and keys of its own."""
    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path))
    kit_settings.get_settings.cache_clear()
    with database.begin() as conn:
        registry.import_region(conn, TEST, make_region())
        for peer in PEERS:
            service.put_peer(conn, TEST, peer)
    yield Site(database, Settings(data_dir=tmp_path, mllp_port=0, max_message_size=20_000))
    kit_settings.get_settings.cache_clear()
    crypto._crypto.cache_clear()


@pytest.fixture
def listening(site: Site) -> Iterator[Site]:
    """The site with a listener in a thread of the test."""
    with serving(site.settings, site.database) as port:
        site.port = port
        yield site
