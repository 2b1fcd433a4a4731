"""A loaded piece of the demo region: hospitals, rights, and a few plain-film examinations.

Everything came in through the services that hospitals use. Tests share it; each opens visits of
its own, so that nobody meets another's reminders.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import Connection

from accord.app import work
from accord.app.demo import papers, phantoms
from accord.app.demo.load import _approve_names
from accord.app.demo.people import PEOPLE
from accord.app.demo.region import login_of, region
from accord.app.demo.stories import SCENES
from accord.archive import service as archive
from accord.archive.model import Way
from accord.identity import service as identity
from accord.kit import clock, crypto, jobs, settings
from accord.kit import store as kit_store
from accord.kit.access import Actor, ActorKind, hash_password
from accord.kit.blobs import BlobStore
from accord.kit.db import Database
from accord.record import service as record
from accord.record.model import Order, Visit, VisitKind
from accord.registry import service as registry
from accord.registry.roles import SYSTEMS, permissions_of
from accord.reminder import service
from accord.reminder.model import Answer, Question
from support.asgi import Asker
from support.database import Server

LOADER = Actor.process("test")
PASSWORD = "a-long-password"
SHOWN = ("p30", "p15", "p05", "p07", "p14", "p22", "p19")


@dataclass
class Site:
    """The loaded site, and the hands that act at its hospitals."""

    database: Database
    settings: settings.Settings
    now: datetime
    keys: dict[str, str]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def his(self, institution: str) -> Actor:
        """Return the information system of a hospital."""
        return Actor(
            ActorKind.SYSTEM,
            f"his.{institution}",
            "HIS",
            institution,
            permissions=SYSTEMS["his"],
        )

    def physician(self, institution: str, login: str = "doctor") -> Actor:
        """Return a physician of a hospital."""
        return Actor(
            ActorKind.PERSON,
            login_of(institution, login),
            "王医生",
            institution,
            permissions=permissions_of(["physician"]),
            roles=frozenset({"physician"}),
        )

    def visit(
        self, conn: Connection, person: str, viewer: str, *, certain: bool = True, **changes: object
    ) -> Visit:
        """Open a visit of that person at a hospital."""
        given = {
            "number": f"TV{next(self.numbers)}",
            "patient_id": PEOPLE[person].local_id(viewer),
            "kind": VisitKind.OUTPATIENT,
            "opened_at": self.now - timedelta(minutes=20),
        }
        visit = Visit(**{**given, **changes})
        patient = papers.patient_at(PEOPLE[person], viewer, certain=certain)
        identity.register_patient(conn, self.his(viewer), patient)
        record.put_visit(conn, self.his(viewer), visit)
        return visit

    def order(self, visit: Visit, item: int, **changes: object) -> Order:
        """Return an order item of a visit, not yet sent."""
        given = {
            "number": f"TO{next(self.numbers)}",
            "visit": visit.number,
            "patient_id": visit.patient_id,
            "item_text": "检查",
            "item_code": f"CYHR-{item:03d}",
            "ordered_at": self.now,
            "purpose": "了解肺部情况",
        }
        return Order(**{**given, **changes})

    def ask(
        self,
        conn: Connection,
        viewer: str,
        *orders: Order,
        visit: str | None = "of the order",
        at: datetime | None = None,
        patient_ids: tuple[str, ...] | None = None,
    ) -> Answer:
        """Ask as the information system of a hospital."""
        question = Question(
            institution=viewer,
            visit=orders[0].visit if visit == "of the order" and orders else visit,
            patient_ids=(orders[0].patient_id,) if patient_ids is None else patient_ids,
            orders=orders,
        )
        return service.ask(conn, self.his(viewer), question, at or self.now)

    def duty(self, conn: Connection, **changes: object) -> Answer:
        """Ask where a duty is found: same level, qualified, six days ago."""
        visit = self.visit(conn, "p30", "DEMO-CQ04")
        return self.ask(conn, "DEMO-CQ04", self.order(visit, 1, **changes))

    def choice(self, conn: Connection) -> Answer:
        """Ask where no duty is found: a lower source outside the consortium."""
        visit = self.visit(conn, "p15", "DEMO-CQ02")
        return self.ask(conn, "DEMO-CQ02", self.order(visit, 2))


def item_of(answer: Answer) -> UUID:
    """Return the id of the one item of an answer."""
    (item,) = answer.items
    return item.id


@contextmanager
def loaded_site(server: Server, folder: Path) -> Iterator[Site]:
    """Load a database of its own, with `folder` as the data folder of this process."""
    before = os.environ.get("ACCORD_DATA_DIR")
    os.environ["ACCORD_DATA_DIR"] = str(folder)
    settings.get_settings.cache_clear()
    name = f"reminder_{secrets.token_hex(6)}"
    database = Database(server.clone(name))
    try:
        yield load(database)
    finally:
        database.close()
        server.drop(name)
        if before is None:
            del os.environ["ACCORD_DATA_DIR"]
        else:
            os.environ["ACCORD_DATA_DIR"] = before
        settings.get_settings.cache_clear()
        crypto._crypto.cache_clear()


def load(database: Database) -> Site:
    """Play the scenes and give every hospital's system a key."""
    chosen = settings.get_settings()
    work.load()
    now = clock.now()
    day = clock.local_day(now)
    with database.begin() as conn:
        registry.import_region(conn, LOADER, region(day))
        _approve_names(conn)
        keys = {}
        for code in ("DEMO-CQ02", "DEMO-CQ03", "DEMO-CQ04", "DEMO-SC01"):
            keys[code] = secrets.token_urlsafe(16)
            kit_store.put_system(
                conn,
                f"his.{code}",
                "HIS",
                keys[code],
                institution=code,
                permissions=SYSTEMS["his"],
            )
            kit_store.put_person(conn, login_of(code, "doctor"), "王医生", hash_password(PASSWORD))
    site = Site(database, chosen, now, keys)
    for index, scene in enumerate(SCENES):
        if scene.person in SHOWN and scene.kind.startswith("dr-"):
            _play(site, papers.papers(scene, index, day, now))
    jobs.run_pending(database)
    return site


def _play(site: Site, found: papers.Papers) -> None:
    sender = site.his(found.institution)
    with site.database.begin() as conn:
        with clock.freeze(found.visited_at):
            identity.register_patient(conn, sender, found.patient)
            record.put_visit(conn, sender, found.visit)
            record.put_order(conn, sender, found.order)
        with clock.freeze(found.uploaded_at):
            for each in phantoms.generate(found.exam):
                archive.receive(
                    conn,
                    archive.Sender(Way.IMPORT, found.institution, sender),
                    BytesIO(phantoms.encoded(each)),
                    blobs=BlobStore(site.settings.objects_dir),
                    bounds=archive.bounds_of(site.settings),
                    largest=site.settings.max_object_size,
                )
        with clock.freeze(found.uploaded_at + timedelta(minutes=2)):
            archive.settle(conn, timedelta(minutes=1))
        if found.report is not None:
            with clock.freeze(found.report.released_at or found.uploaded_at):
                record.put_report(conn, site.his(found.reporter), found.report)


class Browser(Asker):
    """A client that keeps its session and sends the CSRF value in the header."""

    def __init__(self, app, base_url: str) -> None:
        super().__init__(app, base_url)
        self.headers: dict[str, str] = {}

    def request(self, method: str, path: str, **options) -> httpx.Response:
        """Send one request as whoever is logged in."""
        options["headers"] = {**self.headers, **(options.get("headers") or {})}
        return super().request(method, path, **options)

    def log_in(self, institution: str) -> str:
        """Log the physician of a hospital in and return the CSRF value."""
        self.headers = {}
        answer = self.post(
            "/api/v1/login",
            json={"login": login_of(institution, "doctor"), "password": PASSWORD},
        )
        assert answer.status_code == 200, answer.text
        csrf: str = answer.json()["csrf"]
        cookie = answer.headers["set-cookie"].partition(";")[0]
        self.headers = {"cookie": cookie, "x-csrf-token": csrf}
        return csrf


def read(answer: httpx.Response) -> dict:
    """Return the JSON of a good answer."""
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()
