"""`accord bench remind`: the order-time question over the whole HTTP path, on many examinations.

A scratch database of its own is filled with examinations multiplied from the demo region (COPY,
spread over twelve months, hospitals, items and people), the real `accord serve` answers, and a
process of its own asks at a fixed rate. Everything is removed afterwards.
"""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import psycopg
import typer
from psycopg.rows import dict_row

from accord.app.bench.machine import machine, percentile
from accord.kit import children, clock
from accord.kit.errors import CannotRun
from accord.kit.postgres import Postgres
from accord.kit.settings import Settings

COMMAND: Final = (sys.executable, "-P", "-c", "from accord.app.cli import main; main()")
PATH: Final = "/cds-services/cyhr-duplicate-imaging"
WARM_UP: Final = 3.0  # seconds asked and not counted
STARTS_WITHIN: Final = 60.0
SEED: Final = 20261124
FIRST_ID: Final = 1_000_000_000
SPREAD: Final = timedelta(days=364)
MOST_VISITS: Final = 50_000
SAME_ITEM: Final = 0.7  # of the questions ask for an item that the person has
EXAMS_OF_A_PERSON: Final = ((1, 0.50), (2, 0.27), (3, 0.13), (4, 0.06), (7, 0.04))
TABLES: Final = ("patient", "visit", "exam_order", "report", "examination", "study_evaluation")


def run(
    settings: Settings,
    *,
    exams: Annotated[
        int, typer.Option(min=1_000, help="Examinations in the database.")
    ] = 1_000_000,
    rate: Annotated[float, typer.Option(min=1, help="Questions a second.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long is measured.")] = 20.0,
) -> dict[str, Any]:
    """Measure the order-time answer at a fixed rate, server side and client side."""
    workers = str(settings.http_workers)  # all else happens in a folder of its own
    folder = Path(tempfile.mkdtemp(prefix="accord-bench-"))
    folder.chmod(0o711)
    server = Postgres(folder / "database")
    try:
        environment = _environment(folder, server.start()) | {"ACCORD_HTTP_WORKERS": workers}
        begun = time.perf_counter()
        _command(environment, "db", "upgrade")
        _command(environment, "demo", "load", "--json")
        filled = fill(server.url, exams)
        took = time.perf_counter() - begun
        with _serving(environment) as port:
            taken = _ask(folder, port, filled, rate, seconds)
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "name": "remind",
        "machine": machine(),
        "figures": {
            "exams": filled.exams,
            "people": filled.people,
            "http_workers": settings.http_workers,
            "rate": rate,
            "seconds": seconds,
            "asked": len(taken["client"]),
            **_percentiles("server_ms", taken["server"]),
            **_percentiles("client_ms", taken["client"]),
            "load_lateness_ms_p99": round(percentile(taken["lateness"], 99), 2),
            "statuses": taken["statuses"],
            "answers": taken["answers"],
            "fill_seconds": round(took, 1),
        },
        "peer": {},
        "ratios": {},
    }


def _percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    shown = {
        f"{name}_p{percent}": round(percentile(values, percent), 2) for percent in (50, 95, 99)
    }
    return {**shown, f"{name}_max": round(max(values, default=float("nan")), 2)}


# --- filling ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filled:
    """What stands in the scratch database, and the questions that may be asked of it."""

    exams: int
    people: int
    questions: tuple[tuple[str, str, str, int], ...]  # institution, patient, visit, item


class Mould:
    """A text with places for what differs from one copy to the next."""

    def __init__(self, text: str, places: Mapping[str, str]) -> None:
        """Cut the text at every word of `places` (word to name of the place)."""
        words = sorted((word for word in places if word), key=len, reverse=True)
        pattern = "|".join(re.escape(word) for word in words)
        parts = re.split(f"({pattern})", text) if pattern else [text]
        self.parts = [(places[part], True) if part in places else (part, False) for part in parts]

    def cast(self, values: Mapping[str, str]) -> str:
        """Return a copy with the places filled."""
        return "".join(values[part] if is_place else part for part, is_place in self.parts)


@dataclass(frozen=True)
class Template:
    """An examination of the demo, ready to be multiplied."""

    row: Mapping[str, Any]
    study: Mould | None
    order: Mould | None
    report: Mould | None
    basis: Mould | None
    findings: Mould | None
    days: Mapping[str, date]

    def values(self, shift: timedelta, **given: str) -> dict[str, str]:
        """Return what fills the places of a copy moved by so many days."""
        moved = {
            name: (day + shift).strftime("%Y%m%d" if name.startswith("d8") else "%Y-%m-%d")
            for name, day in self.days.items()
        }
        return {**given, **moved}


def _template(row: Mapping[str, Any]) -> Template:
    day = row["exam_end"].astimezone(clock.LOCAL).date()
    days: dict[str, date] = {}
    places = {
        str(row["study_uid"]): "study",
        str(row["accession"]): "accession",
        str(row["patient_id"]): "patient",
    }
    for offset in range(-3, 4):
        near = day + timedelta(days=offset)
        for kind, text in (("d8", near.strftime("%Y%m%d")), ("d10", near.isoformat())):
            days[f"{kind}{offset}"] = near
            places[text] = f"{kind}{offset}"

    def mould(name: str) -> Mould | None:
        value = row[name]
        if value is None:
            return None
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return Mould(text, places)

    return Template(
        row,
        mould("study"),
        mould("order_content"),
        mould("report_content"),
        mould("basis"),
        mould("findings"),
        days,
    )


def fill(url: str, exams: int) -> Filled:
    """Multiply the demo's examinations until there are so many more."""
    chance = random.Random(SEED)
    with psycopg.connect(url, row_factory=dict_row) as conn:
        templates = [_template(row) for row in conn.execute(_TEMPLATES)]
        institutions = sorted({template.row["performed_by"] for template in templates})
        patient = conn.execute("SELECT * FROM patient WHERE NOT quarantined LIMIT 1").fetchone()
        if patient is None or not templates:
            raise CannotRun("The demo region did not load: nothing to multiply.")
        indexes = _drop_indexes(conn)
        plan = _plan(chance, templates, institutions, exams)
        questions = _copy_people(conn, chance, plan, patient)
        _copy_documents(conn, plan)
        _copy_examinations(conn, plan)
        for statement in indexes:
            conn.execute(statement)
        conn.commit()
        conn.autocommit = True
        conn.execute("VACUUM ANALYZE")
        row = conn.execute("SELECT count(*) AS exams FROM examination").fetchone()
    return Filled(row["exams"] if row else 0, len(plan), questions)


_TEMPLATES: Final = """
    SELECT e.*, o.number AS order_number, o.institution AS order_institution,
           o.content AS order_content, o.version AS order_version, r.number AS report_number,
           r.institution AS report_institution, r.content AS report_content,
           r.version AS report_version, q.basis, q.rule_set, q.fingerprint, q.findings
    FROM examination e
    LEFT JOIN exam_order o ON o.id = e.order_id
    LEFT JOIN report r ON r.id = e.report_id
    LEFT JOIN LATERAL (
        SELECT * FROM study_evaluation WHERE examination = e.id ORDER BY id DESC LIMIT 1
    ) q ON true
    WHERE e.exam_end IS NOT NULL AND e.patient_id IS NOT NULL AND e.study_uid IS NOT NULL
      AND e.accession IS NOT NULL AND cardinality(e.items) > 0
    ORDER BY e.id
"""


@dataclass(frozen=True)
class Copy:
    """One examination to be."""

    number: int
    template: Template
    shift: timedelta


@dataclass(frozen=True)
class Person:
    """One invented person with their examinations, and who asks about them."""

    number: int
    person: str
    copies: tuple[Copy, ...]
    viewer: str


def _plan(
    chance: random.Random, templates: Sequence[Template], institutions: Sequence[str], exams: int
) -> list[Person]:
    counts = [count for count, _ in EXAMS_OF_A_PERSON]
    weights = [weight for _, weight in EXAMS_OF_A_PERSON]
    today = clock.today()
    people: list[Person] = []
    made = 0
    while made < exams:
        copies = []
        for _ in range(min(chance.choices(counts, weights)[0], exams - made)):
            template = chance.choice(templates)
            day = today - timedelta(days=chance.randrange(SPREAD.days))
            shift = day - template.days["d100"]
            copies.append(Copy(made, template, shift))
            made += 1
        people.append(
            Person(
                len(people),
                str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                tuple(copies),
                chance.choice(institutions),
            )
        )
    return people


def _drop_indexes(conn: psycopg.Connection[Any]) -> list[str]:
    """Drop what only slows the filling; return the statements that make it again."""
    rows = conn.execute(
        "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made "
        "FROM pg_index i WHERE i.indrelid = ANY(%s::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        [list(TABLES)],
    ).fetchall()
    for row in rows:
        conn.execute(f"DROP INDEX {row['name']}")
    return [str(row["made"]) for row in rows]


def _copy_people(
    conn: psycopg.Connection[Any],
    chance: random.Random,
    plan: Sequence[Person],
    like: Mapping[str, Any],
) -> tuple[tuple[str, str, str, int], ...]:
    """Copy the patients, at their hospitals and where they are seen now, with open visits."""
    asked = chance.sample(plan, min(len(plan), MOST_VISITS))
    seen = {person.number for person in asked}
    columns = [name for name in like if name != "id"]
    with conn.cursor().copy(f"COPY patient ({', '.join(columns)}) FROM STDIN") as copy:
        for person in plan:
            places = {
                (each.template.row["performed_by"], f"B{person.number}") for each in person.copies
            }
            if person.number in seen:
                places.add((person.viewer, f"V{person.number}"))
            for authority, local_id in sorted(places):
                own = {
                    "authority": authority,
                    "local_id": local_id,
                    "person_id": person.person,
                    "id_token": f"bench:{person.number}",
                }
                copy.write_row([own.get(name, like[name]) for name in columns])
    now = clock.now()
    with conn.cursor().copy(
        "COPY visit (institution, number, patient_id, closed_at, version, at, content) FROM STDIN"
    ) as copy:
        for person in asked:
            content = {
                "number": f"BV{person.number}",
                "patient_id": f"V{person.number}",
                "kind": "OUTPATIENT",
                "opened_at": (now - timedelta(hours=1)).isoformat(),
            }
            copy.write_row(
                [
                    person.viewer,
                    f"BV{person.number}",
                    f"V{person.number}",
                    None,
                    1,
                    now,
                    json.dumps(content),
                ]
            )
    items = sorted(
        {
            item
            for each in plan[:1000]
            for copied in each.copies
            for item in copied.template.row["items"]
        }
    )
    return tuple(
        (
            person.viewer,
            f"V{person.number}",
            f"BV{person.number}",
            chance.choice(person.copies).template.row["items"][0]
            if chance.random() < SAME_ITEM
            else chance.choice(items),
        )
        for person in asked
    )


def _each(plan: Sequence[Person]) -> Iterator[tuple[Person, Copy, dict[str, str]]]:
    for person in plan:
        for copied in person.copies:
            values = copied.template.values(
                copied.shift,
                study=f"2.25.9{copied.number:012d}",
                accession=f"B{copied.number}",
                patient=f"B{person.number}",
            )
            yield person, copied, values


def _copy_documents(conn: psycopg.Connection[Any], plan: Sequence[Person]) -> None:
    """Copy the orders, then the reports."""
    with conn.cursor().copy(
        "COPY exam_order (id, institution, number, patient_id, accession, study_uid, version, at,"
        " content) FROM STDIN"
    ) as copy:
        for person, copied, values in _each(plan):
            row, mould = copied.template.row, copied.template.order
            if mould is not None:
                copy.write_row(
                    [
                        FIRST_ID + copied.number,
                        row["order_institution"],
                        f"BO{copied.number}",
                        f"B{person.number}",
                        values["accession"],
                        values["study"],
                        row["order_version"],
                        row["exam_end"] + copied.shift,
                        mould.cast(values),
                    ]
                )
    with conn.cursor().copy(
        "COPY report (id, institution, number, performed_by, accession, study_uid, version, at,"
        " content) FROM STDIN"
    ) as copy:
        for _, copied, values in _each(plan):
            row, mould = copied.template.row, copied.template.report
            if mould is not None:
                copy.write_row(
                    [
                        FIRST_ID + copied.number,
                        row["report_institution"],
                        f"BR{copied.number}",
                        row["performed_by"],
                        values["accession"],
                        values["study"],
                        row["report_version"],
                        row["exam_end"] + copied.shift,
                        mould.cast(values),
                    ]
                )


_MOVED: Final = ("exam_start", "exam_end", "settled_at", "released_at", "changed_at")
_BESIDE: Final = frozenset(
    {
        *("order_number", "order_institution", "order_content", "order_version"),
        *("report_number", "report_institution", "report_content", "report_version"),
        *("basis", "rule_set", "fingerprint", "findings"),
    }
)


def _copy_examinations(conn: psycopg.Connection[Any], plan: Sequence[Person]) -> None:
    """Copy the joined rows, then what clause 7.1 found about them."""
    columns = [name for name in plan[0].copies[0].template.row if name not in _BESIDE]
    with conn.cursor().copy(f"COPY examination ({', '.join(columns)}) FROM STDIN") as copy:
        for person, copied, values in _each(plan):
            row, template = copied.template.row, copied.template
            own: dict[str, Any] = {
                "id": FIRST_ID + copied.number,
                "patient_id": f"B{person.number}",
                "study_uid": values["study"],
                "accession": values["accession"],
                "order_id": FIRST_ID + copied.number if template.order else None,
                "report_id": FIRST_ID + copied.number if template.report else None,
                "study": template.study.cast(values) if template.study else None,
            }
            own |= {name: row[name] and row[name] + copied.shift for name in _MOVED}
            copy.write_row([own.get(name, row[name]) for name in columns])
    with conn.cursor().copy(
        "COPY study_evaluation (examination, basis, rule_set, fingerprint, evidence, findings,"
        " evaluated_at) FROM STDIN"
    ) as copy:
        for _, copied, values in _each(plan):
            row, template = copied.template.row, copied.template
            if template.basis is not None and template.findings is not None:
                copy.write_row(
                    [
                        FIRST_ID + copied.number,
                        template.basis.cast(values),
                        row["rule_set"],
                        row["fingerprint"],
                        "{}",
                        template.findings.cast(values),
                        row["exam_end"] + copied.shift,
                    ]
                )


# --- asking -------------------------------------------------------------------------------------


def _environment(folder: Path, url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}
    return kept | {"ACCORD_DATA_DIR": str(folder / "data"), "ACCORD_DATABASE_URL": url}


def _command(environment: Mapping[str, str], *words: str) -> None:
    done = subprocess.run(  # noqa: PLW1510 - the code is looked at
        [*COMMAND, *words], env=dict(environment), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise CannotRun(f"`accord {' '.join(words)}` ended with {done.returncode}: {done.stderr}")


@contextmanager
def _serving(environment: Mapping[str, str]) -> Iterator[int]:
    """Run the real server within the block, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    own = {**environment, "ACCORD_HTTP_PORT": str(port)}
    server = children.start([*COMMAND, "serve"], environment=own)
    try:
        until = time.monotonic() + STARTS_WITHIN
        while not _is_ready(port):
            if server.poll() is not None or time.monotonic() > until:
                raise CannotRun("`accord serve` does not start.")
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's word for yes
    except OSError:
        return False


def _ask(folder: Path, port: int, filled: Filled, rate: float, seconds: float) -> dict[str, Any]:
    told = json.loads((folder / "data" / "demo.json").read_text(encoding="utf-8"))
    keys = {each["institution"]: each["key"] for each in told["systems"]}
    plan = {
        "host": "127.0.0.1",
        "port": port,
        "path": PATH,
        "rate": rate,
        "seconds": seconds,
        "warm_up": WARM_UP,
        "requests": [
            {"key": keys[institution], "body": json.dumps(_question(patient, visit, item))}
            for institution, patient, visit, item in filled.questions
        ],
    }
    file = folder / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "accord.app.bench.open_loop", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def _question(patient: str, visit: str, item: int) -> dict[str, Any]:
    order = {
        "resourceType": "ServiceRequest",
        "id": f"o-{visit}",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "urn:cyhr:item", "code": f"CYHR-{item:03d}"}]},
        "reasonCode": [{"text": "门诊检查"}],
    }
    return {
        "hook": "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "context": {
            "userId": "Practitioner/bench",
            "patientId": patient,
            "encounterId": visit,
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": patient},
            "encounter": {"resourceType": "Encounter", "id": visit},
        },
    }
