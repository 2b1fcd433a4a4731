"""A site with one receiver, and what reads back what it stored."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pynetdicom import AE, Association, build_context

from accord.archive import service, store
from accord.archive.model import Instance, Way
from accord.archive.receive.intake import Intake
from accord.archive.receive.listener import Receiver
from accord.kit.access import Actor
from accord.kit.blobs import SEGMENTS, BlobStore, store_at
from accord.kit.db import Database
from accord.kit.settings import Settings
from accord.registry import service as registry
from support.region import make_region

AE_TITLE = "CQA_PACS"
INSTITUTION = "CQ-A"
OTHER_TITLE = "CQB_PACS"
AE_TITLES = [
    {"title": AE_TITLE, "institution": INSTITUTION},
    {"title": OTHER_TITLE, "institution": "CQ-B"},
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a site whose data folder is the test's own."""
    return Settings(data_dir=tmp_path, dimse_port=0)


@dataclass
class Site:
    """A database with a region, and the folder of its objects."""

    settings: Settings
    database: Database

    @property
    def blobs(self) -> BlobStore:
        """The object store."""
        return store_at(self.settings.objects_dir)

    def instances(self, study_uid: str) -> list[Instance]:
        """Return what is indexed of a study."""
        with self.database.begin() as conn:
            return store.find_instances(conn, study_uid)

    def data_set(self, instance: Instance) -> bytes:
        """Return the bytes of a stored data set."""
        return self.blobs.read(instance.blob, instance.head)

    def kept_aside(self, study_uid: str) -> dict[str, int]:
        """Count what is kept aside of a study."""
        with self.database.begin() as conn:
            return store.kept_aside_of(conn, study_uid)

    def sender(self, institution: str | None = INSTITUTION) -> service.Sender:
        """Return an upload of an institution."""
        return service.Sender(Way.IMPORT, institution, Actor.process("test"))

    def files(self) -> list[Path]:
        """Return the files of large objects, those on their way in included."""
        return [
            path
            for path in self.settings.objects_dir.rglob("*")
            if path.is_file() and path.parent.name != SEGMENTS
        ]


@pytest.fixture
def site(settings: Settings, database: Database) -> Site:
    """A site with the small region of the tests."""
    with database.begin() as conn:
        registry.import_region(conn, Actor.process("test"), make_region(ae_titles=AE_TITLES))
    return Site(settings, database)


@dataclass
class Listening:
    """A receiver that serves in a thread of the test."""

    site: Site
    host: str
    port: int

    def associate(
        self, *contexts: tuple[str, str], ae_title: str = AE_TITLE, **options: object
    ) -> Association:
        """Associate as a hospital's PACS would."""
        entity = AE(ae_title)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
        proposed = [build_context(abstract, [syntax]) for abstract, syntax in contexts]
        return entity.associate(
            self.host, self.port, contexts=proposed, ae_title="ACCORD", **options
        )


@pytest.fixture
def listening(site: Site) -> Iterator[Listening]:
    """A receiver on a free port."""
    intake = Intake(site.settings, site.database)
    receiver = Receiver(site.settings, intake)
    thread = threading.Thread(target=receiver.serve)
    thread.start()
    yield Listening(site, receiver.address.host, receiver.address.port)
    receiver.stop()
    thread.join()
    intake.close()
