"""A scratch database full of invented examinations, multiplied from those of the demo region.

Every row goes in by COPY as text that is put together once for each demo examination and day, so
that a million examinations with their orders, reports and findings take minutes.
"""

import json
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from accord.kit import clock
from accord.kit.errors import CannotRun

SEED: Final = 20261124
FIRST_ID: Final = 1_000_000_000
SPREAD: Final = timedelta(days=364)
MOST_VISITS: Final = 50_000
SAME_ITEM: Final = 0.7  # of the questions ask for an item that the person has
EXAMS_OF_A_PERSON: Final = ((1, 0.50), (2, 0.27), (3, 0.13), (4, 0.06), (7, 0.04))
TABLES: Final = ("patient", "visit", "exam_order", "report", "examination", "study_evaluation")
AT_ONCE: Final = 64  # lines that go to the server in one piece
MEMORY: Final = "512MB"  # for making the indexes again


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

    def fill(self, values: Mapping[str, str]) -> "Mould":
        """Return the mould with some of its places filled for good."""
        filled = Mould("", {})
        filled.parts = []
        for part, is_place in self.parts:
            if is_place and part not in values:
                filled.parts.append((part, True))
                continue
            text = values[part] if is_place else part
            if filled.parts and not filled.parts[-1][1]:
                text = filled.parts.pop()[0] + text
            filled.parts.append((text, False))
        return filled

    def cast(self, values: Mapping[str, str]) -> str:
        """Return a copy with the places filled."""
        return "".join(values[part] if is_place else part for part, is_place in self.parts)


# --- a demo examination as lines of COPY ---------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A column that differs from copy to copy."""

    name: str

    @property
    def word(self) -> str:
        """Return the word that stands for it in a line; it occurs in no text of the demo."""
        return f"\ue000{self.name}\ue001"


STUDY, ACCESSION, PATIENT = Place("study"), Place("accession"), Place("patient")
NUMBER, ORDER, REPORT = Place("number"), Place("order"), Place("report")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "exam_order": (
        *("id", "institution", "number", "patient_id", "accession", "study_uid"),
        *("version", "at", "content"),
    ),
    "report": (
        *("id", "institution", "number", "performed_by", "accession", "study_uid"),
        *("version", "at", "content"),
    ),
    "study_evaluation": (
        *("examination", "basis", "rule_set", "fingerprint", "evidence", "findings"),
        "evaluated_at",
    ),
}
MOMENTS: Final = ("exam_start", "exam_end", "settled_at", "released_at", "changed_at")
BESIDE: Final = frozenset(
    {
        *("order_number", "order_institution", "order_content", "order_version"),
        *("report_number", "report_institution", "report_content", "report_version"),
        *("basis", "rule_set", "fingerprint", "findings"),
    }
)


@dataclass(frozen=True)
class Template:
    """An examination of the demo, ready to be multiplied.

    Attributes:
        row: The joined row.
        day: Local day of its end.
        lines: Its line in each table, as COPY takes it.
    """

    row: Mapping[str, Any]
    day: date
    lines: Mapping[str, Mould]

    def moved(self, shift: timedelta) -> dict[str, str]:
        """Return what fills the days and moments of a copy that is moved by so many days."""
        days = {name: (day + shift).strftime(form) for name, day, form in _days_around(self.day)}
        moments = {name: _field(self.row[name] and self.row[name] + shift) for name in MOMENTS}
        return days | moments


def _days_around(day: date) -> Iterator[tuple[str, date, str]]:
    """Give the days near an examination by which its documents name moments."""
    for offset in range(-3, 4):
        yield f"short{offset}", day + timedelta(days=offset), "%Y%m%d"
        yield f"long{offset}", day + timedelta(days=offset), "%Y-%m-%d"


def make_template(row: Mapping[str, Any]) -> Template:
    """Return the template of a row of `_TEMPLATES`."""
    day = row["exam_end"].astimezone(clock.LOCAL).date()
    places = {near.strftime(form): name for name, near, form in _days_around(day)}
    places |= {
        str(row["study_uid"]): STUDY.name,
        str(row["accession"]): ACCESSION.name,
        str(row["patient_id"]): PATIENT.name,
    }
    own = [Place(name) for name in MOMENTS]
    places |= {
        place.word: place.name for place in (STUDY, ACCESSION, PATIENT, NUMBER, ORDER, REPORT, *own)
    }
    lines = {table: Mould(_line(values), places) for table, values in _values(row).items()}
    return Template(row, day, lines)


def _values(row: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    """Return the values of the line in each table that a copy of the row has a line in."""
    end = Place("exam_end")
    same: dict[str, Any] = {
        **{name: value for name, value in row.items() if name not in BESIDE},
        **{name: Place(name) for name in MOMENTS},
        "id": NUMBER,
        "patient_id": PATIENT,
        "study_uid": STUDY,
        "accession": ACCESSION,
        "order_id": None if row["order_content"] is None else NUMBER,
        "report_id": None if row["report_content"] is None else NUMBER,
    }
    values: dict[str, Sequence[Any]] = {"examination": list(same.values())}
    keys = (ACCESSION, STUDY)
    if row["order_content"] is not None:
        document = (row["order_version"], end, row["order_content"])
        values["exam_order"] = (
            *(NUMBER, row["order_institution"], ORDER, PATIENT, *keys),
            *document,
        )
    if row["report_content"] is not None:
        document = (row["report_version"], end, row["report_content"])
        values["report"] = (
            *(NUMBER, row["report_institution"], REPORT, row["performed_by"], *keys),
            *document,
        )
    if row["findings"] is not None:
        told: tuple[Any, ...] = (
            row["basis"],
            row["rule_set"],
            row["fingerprint"],
            {},
            row["findings"],
        )
        values["study_evaluation"] = (NUMBER, *told, end)
    return values


def _line(values: Iterable[Any]) -> str:
    return "\t".join(map(_field, values)) + "\n"


def _field(value: Any) -> str:
    """Return a value as the text format of COPY writes it."""
    match value:
        case None:
            return r"\N"
        case Place():
            return value.word
        case bool():
            return "t" if value else "f"
        case datetime() | date():
            return value.isoformat()
        case list() if all(isinstance(one, int) for one in value):
            text = "{" + ",".join(map(str, value)) + "}"
        case list() if all(isinstance(one, str) for one in value):
            text = "{" + ",".join(json.dumps(one, ensure_ascii=False) for one in value) + "}"
        case dict() | list():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    for char, escaped in (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r")):
        text = text.replace(char, escaped)
    return text


# --- filling ------------------------------------------------------------------------------------


def fill(url: str, exams: int) -> Filled:
    """Multiply the demo's examinations until there are so many more."""
    chance = random.Random(SEED)
    with psycopg.connect(url, row_factory=dict_row) as conn:
        templates = [make_template(row) for row in conn.execute(_TEMPLATES)]
        institutions = sorted({template.row["performed_by"] for template in templates})
        patient = conn.execute("SELECT * FROM patient WHERE NOT quarantined LIMIT 1").fetchone()
        if patient is None or not templates:
            raise CannotRun("The demo region did not load: nothing to multiply.")
        plan = make_plan(chance, templates, institutions, exams)
        asked = chance.sample(plan, min(len(plan), MOST_VISITS))
        indexes = _drop_indexes(conn)
        conn.commit()
        columns = [name for name in templates[0].row if name not in BESIDE]
        days = _by_day(plan)
        _copy_at_once(
            url,
            [
                [_copying("examination", columns, days)],
                [
                    lambda into: _copy_people(into, plan, asked, patient),
                    *(_copying(table, columns, days) for table, columns in COLUMNS.items()),
                ],
            ],
        )
        conn.execute(f"SET maintenance_work_mem = '{MEMORY}'")
        for statement in indexes:
            conn.execute(statement)
        conn.commit()
        conn.autocommit = True
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")  # else it falls into what is measured
        row = conn.execute("SELECT count(*) AS exams FROM examination").fetchone()
    return Filled(row["exams"] if row else 0, len(plan), _questions(chance, plan, asked))


Copying = Callable[[psycopg.Connection[Any]], None]


def _copy_at_once(url: str, lanes: Sequence[Sequence[Copying]]) -> None:
    """Work off each lane on a connection of its own: the server parses on every processor."""

    def work_off(lane: Sequence[Copying]) -> None:
        with psycopg.connect(url) as conn:
            for copying in lane:
                copying(conn)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(work_off, lane) for lane in lanes]:
            done.result()


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


def make_plan(
    chance: random.Random, templates: Sequence[Template], institutions: Sequence[str], exams: int
) -> list[Person]:
    """Return people with so many examinations in all, spread over hospitals, items and days."""
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
            shift = day - template.day
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


@dataclass(frozen=True)
class Day:
    """Copies of one template that end on one day."""

    template: Template
    shift: timedelta
    copies: Sequence[tuple[int, int]]  # number of the copy, number of the person


def _by_day(plan: Sequence[Person]) -> Sequence[Day]:
    """Return the copies by day, oldest first, as they would have come in."""
    found: dict[tuple[date, int, timedelta], list[tuple[int, int]]] = defaultdict(list)
    templates: dict[int, Template] = {}
    for person in plan:
        for copied in person.copies:
            place = id(copied.template)
            templates[place] = copied.template
            found[copied.template.day + copied.shift, place, copied.shift].append(
                (copied.number, person.number)
            )
    return [Day(templates[key[1]], key[2], copies) for key, copies in sorted(found.items())]


def _copying(table: str, columns: Sequence[str], days: Sequence[Day]) -> Copying:
    return lambda conn: _copy_lines(conn, table, columns, _lines(table, days))


def _lines(table: str, days: Sequence[Day]) -> Iterator[str]:
    for day in days:
        mould = day.template.lines.get(table)
        if mould is None:
            continue
        of_the_day = mould.fill(day.template.moved(day.shift))
        for number, person in day.copies:
            yield of_the_day.cast(
                {
                    "number": str(FIRST_ID + number),
                    "study": f"2.25.9{number:012d}",
                    "accession": f"B{number}",
                    "patient": f"B{person}",
                    "order": f"BO{number}",
                    "report": f"BR{number}",
                }
            )


def _copy_lines(
    conn: psycopg.Connection[Any], table: str, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Copy finished lines, many at a time."""
    with conn.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        several: list[str] = []
        for line in lines:
            several.append(line)
            if len(several) == AT_ONCE:
                copy.write("".join(several))
                several.clear()
        copy.write("".join(several))


def _copy_people(
    conn: psycopg.Connection[Any],
    plan: Sequence[Person],
    asked: Sequence[Person],
    like: Mapping[str, Any],
) -> None:
    """Copy the patients, at their hospitals and where they are seen now, with open visits."""
    seen = {person.number for person in asked}
    columns = [name for name in like if name != "id"]
    _copy_lines(conn, "patient", columns, _patients(plan, seen, columns, like))
    now = clock.now()
    columns = ["institution", "number", "patient_id", "closed_at", "version", "at", "content"]
    _copy_lines(conn, "visit", columns, (_line(_visit(person, now)) for person in asked))


def _patients(
    plan: Sequence[Person], seen: set[int], columns: Sequence[str], like: Mapping[str, Any]
) -> Iterator[str]:
    own = ("authority", "local_id", "person_id", "id_token")
    places = [Place(name) for name in own]
    values = [Place(name) if name in own else like[name] for name in columns]
    mould = Mould(_line(values), {place.word: place.name for place in places})
    for person in plan:
        keys = {(each.template.row["performed_by"], f"B{person.number}") for each in person.copies}
        if person.number in seen:
            keys.add((person.viewer, f"V{person.number}"))
        for authority, local_id in sorted(keys):
            yield mould.cast(
                {
                    "authority": authority,
                    "local_id": local_id,
                    "person_id": person.person,
                    "id_token": f"bench:{person.number}",
                }
            )


def _visit(person: Person, now: datetime) -> tuple[Any, ...]:
    number, patient = f"BV{person.number}", f"V{person.number}"
    content = {
        "number": number,
        "patient_id": patient,
        "kind": "OUTPATIENT",
        "opened_at": (now - timedelta(hours=1)).isoformat(),
    }
    return person.viewer, number, patient, None, 1, now, content


def _questions(
    chance: random.Random, plan: Sequence[Person], asked: Sequence[Person]
) -> tuple[tuple[str, str, str, int], ...]:
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
