"""Load the demo region through the services that hospitals use; never a row past them.

Every act is kept at the moment at which it happened in the story: an examination of last week is
ordered, received and reported last week, also in the trail. What is loaded already stays as it
is, so that loading again is quick and harmless.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.data import get_testdata_file
from sqlalchemy import Connection

from accord.app import importing, work
from accord.app.demo import access, kept, papers, phantoms
from accord.app.demo.people import PEOPLE
from accord.app.demo.region import BY_CODE, HOSPITALS, PREFIX, STANDS_FOR, ae_title, region
from accord.app.demo.stories import (
    GUESTS,
    LOCAL_NAMES,
    READY_ORDERS,
    SCENES,
    ReadyOrder,
    local_name,
)
from accord.archive import service as archive
from accord.archive.model import Result, Way
from accord.catalogue import fold
from accord.disclosure import service as disclosure
from accord.identity import service as identity
from accord.kit import clock, jobs, store
from accord.kit.access import Actor, ActorKind
from accord.kit.blobs import store_at
from accord.kit.db import Database
from accord.kit.errors import CannotRun, Invalid
from accord.kit.settings import Settings
from accord.record import service as record
from accord.record.errors import UnknownOrder
from accord.registry import roles
from accord.registry import service as registry

GUEST_HOSPITAL: Final = "DEMO-SC01"
"""Who sends the real images: those of pydicom and those of `--import`."""
_TRACES: Final = ("archive.study.begun", "identity.patient.registered", "record.visit.kept")

SMALL_MATRIX: Final = 64
SMALL_SLICES: Final = 4
A_MOMENT: Final = timedelta(seconds=1)

Say = Callable[[str], object]


class NotEmpty(CannotRun):
    """The database holds what is not of the demo."""

    code = "not_empty"


@dataclass(frozen=True)
class Counts:
    """What stands in the database after loading, and what this loading did.

    Attributes:
        people: Certain persons with at least one examination.
        loaded_now: Scenes that were not there before.
        jobs: Background jobs that were run to the end.
        objects: What became of each object that was sent.
        imported: The same for what the user brought along.
    """

    day: date
    institutions: int
    people: int
    examinations: int
    ready_orders: int
    accounts: int
    loaded_now: int
    jobs: int
    objects: dict[str, int]
    imported: dict[str, int]

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON."""
        return asdict(self) | {"day": self.day.isoformat()}


def load(
    database: Database,
    settings: Settings,
    *,
    imports: Sequence[Path] = (),
    say: Say = lambda _words: None,
    small: bool = False,
) -> Counts:
    """Load the demo region, or what is still missing of it, and write `demo.json`.

    Args:
        database: Migrated; empty, or holding nothing but the demo.
        settings: Of this site.
        imports: Files and folders of DICOM that a hospital of the demo sends as well.
        say: Takes short notes on progress.
        small: Fewer and smaller pictures of each examination, for tests.

    Raises:
        NotEmpty: The database holds real data.
        Invalid: A path to import does not exist.
    """
    for path in imports:
        if not path.exists():
            raise Invalid(f"There is no file or folder {path}.")
    work.load()
    with database.begin() as conn:
        day = _day_of(conn)
        first = day is None
        if day is None:
            _refuse_traces(conn)
            day = clock.today()
        say("region")
        registry.import_region(conn, access.LOADER, region(day))
        _approve_names(conn)
        people = access.give(conn, settings, fresh=first)
    loading = _Loading(database, settings, day, clock.now(), say, small)
    loading.scenes()
    loading.real_images()
    for ready in READY_ORDERS:
        loading.ready(ready)
    imported = loading.imports(imports)
    say("measuring")
    ran = jobs.run_pending(database)
    with database.begin() as conn:
        disclosure.publish(conn, settings, access.LOADER, settings.publication_dir)
        found = [
            record.find_examination_of_study(conn, phantoms.uid("study", scene.key))
            for scene in SCENES
        ]
        persons = {
            identity.person_of(conn, each.performed_by, each.patient_id)
            for each in found
            if each is not None and each.patient_id is not None
        }
        institutions = len(registry.institutions(conn, clock.today()))
    access.write(settings, day, people)
    with database.begin() as conn:
        kept.note(conn, access.LOADER)
    return Counts(
        day,
        institutions=institutions,
        people=len(persons - {None}),
        examinations=len([each for each in found if each is not None]),
        ready_orders=sum(loading.is_known(r.viewer, papers.order_number(r)) for r in READY_ORDERS),
        accounts=len(people.passwords),
        loaded_now=loading.loaded,
        jobs=ran,
        objects=loading.objects,
        imported=imported,
    )


def _day_of(conn: Connection) -> date | None:
    """Return the day on which the demo here was loaded; None when there is none.

    Raises:
        NotEmpty: Somebody registered a hospital that is not of the demo.
    """
    known = registry.institutions(conn, clock.today())
    others = [place.code for place in known if not place.code.startswith(PREFIX)]
    if others:
        raise NotEmpty(
            f"This database holds {len(others)} institutions that are not of the demo: "
            "load the demo into a fresh one (set ACCORD_DATA_DIR or ACCORD_DATABASE_URL)."
        )
    first = registry.find_institution(conn, HOSPITALS[0].code, clock.today())
    return None if first is None else first.valid_from + STANDS_FOR


def _refuse_traces(conn: Connection) -> None:
    for action in _TRACES:
        if store.read_audit(conn, action=action, limit=1):
            raise NotEmpty(
                "This database holds patients or images that are not of the demo: "
                "load the demo into a fresh one (set ACCORD_DATA_DIR or ACCORD_DATABASE_URL)."
            )


def _approve_names(conn: Connection) -> None:
    """Map what the hospitals call their examinations to items, as their departments would."""
    for hospital in HOSPITALS:
        names = {local_name(hospital.code, item): item for item in LOCAL_NAMES}
        known = record.find_aliases(conn, hospital.code, [fold(name) for name in names])
        for name, item in names.items():
            if (hospital.code, fold(name)) not in known:
                record.approve_alias(conn, access.LOADER, hospital.code, name, item)


def system_of(institution: str) -> Actor:
    """Return the hospital system that sends on behalf of an institution."""
    code = access.system_code(institution)
    name = f"{BY_CODE[institution].short}信息系统"
    return Actor(
        ActorKind.SYSTEM, code, name, institution, permissions=roles.SYSTEMS[access.SYSTEM_KIND]
    )


def smaller(exam: phantoms.Exam) -> phantoms.Exam:
    """Return an examination with fewer and smaller pictures; all else stays."""
    return replace(exam, matrix=SMALL_MATRIX, slices=min(exam.slices, SMALL_SLICES))


@dataclass
class _Loading:
    """One run of loading: where to, as of when, and what came of it."""

    database: Database
    settings: Settings
    day: date
    now: datetime
    say: Say
    small: bool
    loaded: int = 0
    objects: dict[str, int] = field(default_factory=lambda: {result.value: 0 for result in Result})

    def __post_init__(self) -> None:
        self._blobs = store_at(self.settings.objects_dir)
        self._bounds = archive.bounds_of(self.settings)

    def scenes(self) -> None:
        """Play every scene that was not played yet, the oldest first."""
        numbered = list(enumerate(SCENES))
        numbered.sort(key=lambda pair: pair[1].started_at(self.day, self.now))
        for count, (index, scene) in enumerate(numbered, start=1):
            found = papers.papers(scene, index, self.day, self.now)
            if not self.is_known(found.institution, found.order.number):
                self._play(found)
                self.loaded += 1
                self.say(f"examinations {count}/{len(SCENES)}")

    def is_known(self, institution: str, order: str) -> bool:
        """Say whether an order was kept, and with it all that belongs to it."""
        with self.database.begin() as conn, suppress(UnknownOrder):
            record.find_order(conn, institution, order)
            return True
        return False

    def _play(self, found: papers.Papers) -> None:
        """Let one examination happen: all of it commits, or nothing."""
        exam = smaller(found.exam) if self.small else found.exam
        files = [phantoms.encoded(each) for each in phantoms.generate(exam)]
        sender = system_of(found.institution)
        with self.database.begin() as conn:
            with clock.freeze(found.visited_at):
                identity.register_patient(conn, sender, found.patient)
                record.put_visit(conn, sender, found.visit)
                record.put_order(conn, sender, found.order)
            with clock.freeze(found.uploaded_at):
                self._send(conn, sender, files)
            with clock.freeze(found.uploaded_at + self.settings.settle_after + A_MOMENT):
                archive.settle(conn, self.settings.settle_after)
            if found.report is not None:
                with clock.freeze(found.report.released_at or found.uploaded_at):
                    record.put_report(conn, system_of(found.reporter), found.report)

    def _send(self, conn: Connection, actor: Actor, files: Sequence[bytes]) -> None:
        institution = actor.institution or ""
        sender = archive.Sender(Way.IMPORT, institution, actor, ae_title(institution))
        for content in files:
            outcome = archive.receive(
                conn,
                sender,
                BytesIO(content),
                blobs=self._blobs,
                bounds=self._bounds,
                largest=self.settings.max_object_size,
            )
            self.objects[outcome.result.value] += 1

    def ready(self, ready: ReadyOrder) -> None:
        """Let a ready order wait at its workstation."""
        if self.is_known(ready.viewer, papers.order_number(ready)):
            return
        actor = system_of(ready.viewer)
        patient = papers.patient_at(PEOPLE[ready.person], ready.viewer, certain=ready.certain)
        with self.database.begin() as conn:
            identity.register_patient(conn, actor, patient)
            record.put_visit(conn, actor, papers.ready_visit(ready, self.now))
            record.put_order(conn, actor, papers.ready_order(ready, self.now))

    def real_images(self) -> None:
        """Send the real images that pydicom carries, with their papers; nothing is downloaded."""
        self.say("real images")
        actor = system_of(GUEST_HOSPITAL)
        for guest in GUESTS:
            path = get_testdata_file(guest.file, download=False)
            if not isinstance(path, str):
                continue  # a pydicom that no longer carries it
            header = dcmread(path, stop_before_pixels=True)
            found = papers.guest_papers(guest, GUEST_HOSPITAL, header, self.now)
            if self.is_known(GUEST_HOSPITAL, found.order.number):
                continue
            with self.database.begin() as conn:
                identity.register_patient(conn, actor, found.patient)
                record.put_visit(conn, actor, found.visit)
                record.put_order(conn, actor, found.order)
                self._send(conn, actor, [Path(path).read_bytes()])
                record.put_report(conn, actor, found.report)

    def imports(self, paths: Sequence[Path]) -> dict[str, int]:
        """Send what the user brought along."""
        if not paths:
            return {}
        self.say("import")
        actor = system_of(GUEST_HOSPITAL)
        outcomes = importing.import_paths(
            self.settings, self.database, paths, GUEST_HOSPITAL, actor
        )
        return importing.counts(list(outcomes))
