"""Say what clause 7.1 would find in an upload before it is sent; nothing is kept.

The upload goes the way of every upload, in a transaction that is taken back at the end and with a
folder for its bytes that is removed: what is told here is what the same upload would be told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from accord import standard
from accord.app.importing import Imported, files_below
from accord.archive import service
from accord.archive.model import Result, Way
from accord.dataquality import service as dataquality
from accord.identity import service as identity
from accord.identity.model import PatientRecord
from accord.kit import clock
from accord.kit.access import Actor, ActorKind
from accord.kit.blobs import BlobStore
from accord.kit.errors import AccordError, Invalid
from accord.kit.settings import Settings
from accord.record import service as record
from accord.record.model import Examination, Order, Report, Visit
from accord.registry import service as registry
from accord.standard.model import Finding, Outcome

DOCUMENT: Final = ".json"
LARGEST_DOCUMENT: Final = 1 << 20
PASSED: Final = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE})


@dataclass(frozen=True, kw_only=True)
class Documents:
    """What a `.json` file of an upload holds: bodies of the REST interface, those there are."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    patient: PatientRecord | None = None
    visit: Visit | None = None
    order: Order | None = None
    report: Report | None = None


_DOCUMENTS: Final = TypeAdapter(Documents)


@dataclass(frozen=True)
class Checked:
    """What an upload would be told.

    Args:
        files: What would become of each DICOM file.
        refused: By path and kind, why a document would not be taken.
        examinations: What clause 7.1 finds of each examination, by its study UID or accession.
        hints: What order and images of an examination differ in (漏扫, 多扫, 错扫).
    """

    files: tuple[Imported, ...]
    refused: Mapping[tuple[Path, str], str]
    examinations: Mapping[str, tuple[Finding, ...]]
    hints: Mapping[str, tuple[str, ...]]

    @property
    def is_good(self) -> bool:
        """Say whether everything would be taken and nothing found."""
        taken = {Result.STORED, Result.ALREADY_STORED}
        return (
            not self.refused
            and all(file.outcome.result in taken for file in self.files)
            and bool(self.examinations)
            and not any(self.faults().values())
            and not any(self.hints.values())
        )

    def faults(self) -> dict[str, list[Finding]]:
        """Return what did not pass, by examination."""
        return {
            name: [finding for finding in findings if finding.outcome not in PASSED]
            for name, findings in self.examinations.items()
        }

    def as_dict(self, below: Path | None = None) -> dict[str, Any]:
        """Return plain JSON, with paths below that folder."""
        return {
            "good": self.is_good,
            "files": [file.as_dict() | {"path": _shown(file.path, below)} for file in self.files],
            "refused": {
                f"{_shown(path, below)}#{kind}": why for (path, kind), why in self.refused.items()
            },
            "examinations": {
                name: [finding.as_dict() | {"fix": fixes(finding)} for finding in found]
                for name, found in self.faults().items()
            },
            "hints": {name: list(told) for name, told in self.hints.items() if told},
        }


def _shown(path: Path, below: Path | None) -> str:
    return str(path if below is None else path.relative_to(below))


def fixes(finding: Finding) -> list[str]:
    """Return where each missing element is expected, most trusted place first."""
    missing: Any = finding.because.get("missing", ())
    return [_where(one) for one in missing if one in standard.elements()]


def _where(name: str) -> str:
    element = standard.element(name)
    places = [
        *(f"HL7 {field}" for field in element.hl7),
        *(f"DICOM {'+'.join(f'({tag})' for tag in tags)}" for tags in element.dicom),
        *([f"FHIR {element.fhir}"] if element.fhir else []),
    ]
    parts = f" ({', '.join(element.parts)})" if element.parts else ""
    return f"{name} {element.name}{parts}: {' / '.join(places) or 'REST'}"


def check(conn: Connection, settings: Settings, institution: str, paths: Sequence[Path]) -> Checked:
    """Return what an upload of the institution would be told; the transaction keeps nothing of it.

    Args:
        conn: A transaction; a savepoint of it is taken back.
        settings: Limits of this site.
        institution: Code of the institution that would send.
        paths: Files and folders; `.json` files hold documents, every other file is DICOM.

    Raises:
        Invalid: A path does not exist, a document cannot be read, or nobody registered the
            institution.
    """
    if registry.find_institution(conn, institution, clock.today()) is None:
        raise Invalid(f"No institution is registered under the code {institution}.")
    found = list(files_below(paths))
    documents = {path: _read(path) for path in found if path.suffix.lower() == DOCUMENT}
    trial = conn.begin_nested()
    try:
        with TemporaryDirectory(prefix="accord-check-") as folder:
            return _try(conn, settings, institution, Path(folder), found, documents)
    finally:
        trial.rollback()


def _read(path: Path) -> Documents:
    if path.stat().st_size > LARGEST_DOCUMENT:
        raise Invalid(
            f"{path.name} is larger than {LARGEST_DOCUMENT} bytes: not an order or a report."
        )
    try:
        return _DOCUMENTS.validate_json(path.read_bytes())
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, wrong["loc"]))
        raise Invalid(f"{path.name}: {place or 'file'}: {wrong['msg']}") from error


def _try(
    conn: Connection,
    settings: Settings,
    institution: str,
    folder: Path,
    paths: Sequence[Path],
    documents: Mapping[Path, Documents],
) -> Checked:
    actor = Actor(ActorKind.SYSTEM, "quality-check", "Quality check", institution=institution)
    refused = {}
    for path, given in documents.items():
        for kind, error in _send(conn, actor, given):
            refused[path, kind] = error
    sender = service.Sender(Way.IMPORT, institution, actor)
    blobs, bounds = BlobStore(folder), service.bounds_of(settings)
    taken = []
    for path in paths:
        if path in documents:
            continue
        with path.open("rb") as file:
            outcome = service.receive(
                conn, sender, file, blobs=blobs, bounds=bounds, largest=settings.max_object_size
            )
        taken.append(Imported(path, outcome))
    examinations, hints = {}, {}
    for examination in _joined(conn, institution, taken, documents.values()):
        name = examination.study_uid or examination.accession or ""
        examinations[name] = dataquality.measure(conn, examination)
        hints[name] = examination.item_hints
    return Checked(tuple(taken), refused, examinations, hints)


def _send(conn: Connection, actor: Actor, given: Documents) -> Iterator[tuple[str, str]]:
    """Send documents in the order in which they come about; yield what was refused, and why."""
    puts: tuple[tuple[str, Callable[..., object], object], ...] = (
        ("patient", identity.register_patient, given.patient),
        ("visit", record.put_visit, given.visit),
        ("order", record.put_order, given.order),
        ("report", record.put_report, given.report),
    )
    for kind, put, document in puts:
        if document is None:
            continue
        try:
            with conn.begin_nested():
                put(conn, actor, document)
        except AccordError as error:
            yield kind, str(error)


def _joined(
    conn: Connection,
    institution: str,
    taken: Sequence[Imported],
    documents: Iterable[Documents],
) -> list[Examination]:
    studies = {file.outcome.study_uid for file in taken if file.outcome.study_uid}
    numbers: dict[int, None] = {}
    for study in sorted(studies):
        numbers |= dict.fromkeys(record.join(conn, institution, None, study))
    for given in documents:
        if given.report is not None:
            report = given.report
            numbers |= dict.fromkeys(
                record.join(conn, report.performed_by, report.accession, report.study_uid)
            )
    found = (record.find_examination(conn, number) for number in numbers)
    return [examination for examination in found if examination is not None]
