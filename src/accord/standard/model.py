"""The standard as values: clauses, rules, numbers, readings, and the finding a rule answers with.

Nothing here reads a file; `accord.standard.load` builds a `RuleSet` from the package files.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Any, TypeVar

from accord.standard.errors import UnknownName, WrongUnit


class Outcome(StrEnum):
    """What a rule found; "could not measure" is an outcome, never an error."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    NOT_EVALUABLE = "not_evaluable"
    DATA_ERROR = "data_error"
    NO_VERDICT = "no_verdict"


class Effect(StrEnum):
    """What a finding does to the advice (RD-CONV-EFFECT)."""

    GATE = "gate"
    LIMIT = "limit"
    SOURCE = "source"
    NOTE = "note"


class Severity(StrEnum):
    """How heavy a miss weighs: refused, counted, advised, or only shown."""

    BLOCK = "BLOCK"
    MAJOR = "MAJOR"
    MINOR = "MINOR"
    INFO = "INFO"


class Modal(StrEnum):
    """How strongly the text asks: 应, 宜, 可 or 鼓励."""

    SHALL = "SHALL"
    SHOULD = "SHOULD"
    MAY = "MAY"


class AnsweredBy(StrEnum):
    """Who answers a rule: a pure function, a person on a form, a workflow, or nobody."""

    RULE = "rule"
    PERSON = "person"
    WORKFLOW = "workflow"
    NOTHING = "nothing"


class Jurisdiction(StrEnum):
    """Whose rule it is; 川渝 stands for both provinces together."""

    CHONGQING = "重庆"
    SICHUAN = "四川"
    BOTH = "川渝"


class Status(StrEnum):
    """Whether a rule set is law or only a proposal."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    REPEALED = "repealed"


class Unit(StrEnum):
    """Units a number of the standard may have."""

    YEARS = "years"
    MONTHS = "months"
    DAYS = "days"
    HOURS = "hours"
    MINUTES = "minutes"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    RATIO = "ratio"
    COUNT = "count"
    FACTOR = "factor"
    MILLIMETRES = "millimetres"
    KILOGRAMS = "kilograms"
    TEXT = "text"


class Found(StrEnum):
    """How a ground of 6.7 comes up: by machine, offered with evidence, or said by a physician."""

    MACHINE = "machine"
    ASSISTED = "assisted"
    DECLARED = "declared"


class Need(StrEnum):
    """What a ground of 6.7 asks for when it is given."""

    PICK = "pick"
    TICK = "tick"
    RELATION = "relation"
    PURPOSE = "purpose"
    TEXT = "text"


class SyntaxKind(StrEnum):
    """What a transfer syntax does to pixels."""

    LOSSLESS = "lossless"
    UNCOMPRESSED = "uncompressed"
    DEFLATED = "deflated"
    MAYBE_LOSSY = "maybe_lossy"
    LOSSY = "lossy"


Value = int | Fraction | Decimal | str

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lt,
    "<=": le,
    "==": eq,
    ">=": ge,
    ">": gt,
}
OPERATORS = tuple(_COMPARISONS)

_DURATIONS: Mapping[Unit, timedelta] = {
    Unit.DAYS: timedelta(days=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.MINUTES: timedelta(minutes=1),
    Unit.SECONDS: timedelta(seconds=1),
    Unit.MILLISECONDS: timedelta(milliseconds=1),
}


_PLAIN = frozenset({bool, int, float, str, type(None)})


def as_json(value: object) -> object:
    """Return `value` as plain JSON: days and moments in ISO form, durations in seconds.

    An exact fraction is written `"19/20"` and a decimal as its digits, so that nothing is rounded
    on the way into an explanation. A type that is not known here raises, so that no reason is
    stored as the mere name of an object.
    """
    kind = type(value)
    if kind in _PLAIN:  # most of a finding; the order-time answer is short
        return value
    write = _WRITERS.get(kind)
    if write is None:
        write = _WRITERS[kind] = _writer(kind)
    return write(value)


def _writer(kind: type) -> Callable[[Any], object]:
    """Return what writes values of a type; the order counts, since enums are also text."""
    for bases, write in _BY_BASE:
        if issubclass(kind, bases):
            return write
    raise TypeError(f"{kind.__name__} cannot stand in a finding")


def _mapping(value: Mapping[Any, object]) -> dict[str, object]:
    return {
        key if type(key) is str else str(as_json(key)): as_json(item) for key, item in value.items()
    }


def _array(value: Iterable[object]) -> list[object]:
    return [as_json(item) for item in value]


def _sorted(value: Iterable[object]) -> list[object]:
    return sorted((as_json(item) for item in value), key=str)


def _enum(value: Enum) -> str:
    return str(value.value)


def _itself(value: object) -> object:
    return value


def _moment(value: date | time) -> str:
    return value.isoformat()


def _seconds(value: timedelta) -> float:
    seconds = value.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


_BY_BASE: tuple[tuple[tuple[type, ...], Callable[[Any], object]], ...] = (
    ((Mapping,), _mapping),
    ((frozenset, set), _sorted),
    ((list, tuple), _array),
    ((StrEnum,), str.__str__),  # the plain text, with no way through the enum's descriptor
    ((Enum,), _enum),
    ((bool, int, float, str), _itself),
    ((datetime, date, time), _moment),
    ((timedelta,), _seconds),
    ((Fraction, Decimal), str),
)
_WRITERS: dict[type, Callable[[Any], object]] = {}
"""Writers by exact type, filled as types are met."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one rule with its reasons.

    Args:
        rule: Id of the rule that answers.
        outcome: What was found.
        because: The facts used, by name; what was missing under `missing`.
        effect: What it does to the advice; none for a pass.
        severity: How heavy a miss weighs.
        code: Machine word of the reason, such as `OUT_OF_WINDOW`.
        numbers: The numbers of the standard that were compared, by key.
        readings: Readings of the text that were used.
        note: A remark for people; a pass with a note is a pass.
    """

    rule: str
    outcome: Outcome
    because: Mapping[str, object]
    effect: Effect | None = None
    severity: Severity | None = None
    code: str | None = None
    numbers: Mapping[str, object] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    note: str | None = None

    def __post_init__(self) -> None:
        # own copies: a dict that the rule goes on filling must not change a finding already given
        object.__setattr__(self, "because", dict(self.because))
        object.__setattr__(self, "numbers", dict(self.numbers))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; `because` always stands, other empty parts are left out."""
        parts: dict[str, Any] = {"rule": self.rule, "outcome": as_json(self.outcome)}
        if self.effect is not None:
            parts["effect"] = as_json(self.effect)
        if self.severity is not None:
            parts["severity"] = as_json(self.severity)
        if self.code is not None:
            parts["code"] = as_json(self.code)
        parts["because"] = as_json(self.because)
        if self.numbers:
            parts["numbers"] = as_json(self.numbers)
        if self.readings:
            parts["readings"] = list(self.readings)
        if self.note is not None:
            parts["note"] = as_json(self.note)
        return parts


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the standard with its words, unit and operator, in one rule-set version.

    Args:
        key: `clause/name`, such as `6.5/window`.
        unit: Its unit.
        value: Exact: a whole number, a fraction for ratios, a decimal for measures, or text.
        quote: The words of the clause that name it; empty where a reading proposes it.
        operator: How the text compares a measured value with it, where it says so.
        jurisdiction: Whose number it is.
        reading: The reading that proposes it, where the text is silent.
        source: Where the value comes from: the version, or the file of the site.
    """

    key: str
    unit: Unit
    value: Value
    quote: str | None = None
    operator: str | None = None
    jurisdiction: Jurisdiction = Jurisdiction.BOTH
    reading: str | None = None
    note: str | None = None
    source: str = ""

    @property
    def clause(self) -> str:
        """Clause the number belongs to."""
        return self.key.split("/", 1)[0]

    def is_met_by(self, measured: int | Fraction | Decimal | timedelta) -> bool:
        """Compare by the operator of the text, exactly; a duration needs a unit of time.

        For a ratio pass `Fraction(num, den)`, which compares as whole numbers do.
        """
        if self.operator is None:
            raise WrongUnit(f"{self.key} has no operator: the text does not compare with it")
        limit: object = self.duration() if isinstance(measured, timedelta) else self.value
        if isinstance(limit, str):
            raise WrongUnit(f"{self.key} is text and cannot be compared with a measure")
        return _COMPARISONS[self.operator](measured, limit)

    def duration(self) -> timedelta:
        """Return the number as a duration; months and years have none."""
        unit = _DURATIONS.get(self.unit)
        if unit is None or not isinstance(self.value, int):
            raise WrongUnit(f"{self.key} is in {self.unit}, which is not an exact duration")
        return unit * self.value

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON, without what is not stated."""
        parts = {
            "key": self.key,
            "value": self.value,
            "unit": self.unit,
            "operator": self.operator,
            "quote": self.quote,
            "jurisdiction": self.jurisdiction,
            "reading": self.reading,
            "note": self.note,
            "source": self.source,
        }
        return {key: as_json(part) for key, part in parts.items() if part is not None}


@dataclass(frozen=True, slots=True)
class Rule:
    """One testable rule of the text.

    Args:
        id: Its id in the rules of the standard, such as `R6.5-1`.
        clause: Id of the clause it stands in.
        title: Short Chinese title.
        quote: The words of the clause that it answers.
        summary: What is asked, in short English words of our own.
        answered_by: Who answers.
        modal: How strongly the text asks.
        severity: How heavy a miss weighs.
        who: Responsible parties.
        where: Package that holds the answer: function, form or workflow.
        readings: Readings it uses.
        numbers: Keys of the numbers it compares with.
        defects: Drafting defects it works around.
        because: Why nobody answers, where `answered_by` is `nothing`.
    """

    id: str
    clause: str
    title: str
    quote: str
    summary: str
    answered_by: AnsweredBy
    modal: Modal
    severity: Severity
    who: tuple[str, ...]
    where: str
    readings: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    because: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        parts: dict[str, object] = {
            "id": self.id,
            "clause": self.clause,
            "title": self.title,
            "quote": self.quote,
            "summary": self.summary,
            "answered_by": self.answered_by,
            "modal": self.modal,
            "severity": self.severity,
            "who": self.who,
            "where": self.where,
            "readings": self.readings,
            "numbers": self.numbers,
            "defects": self.defects,
            "because": self.because,
        }
        return {key: as_json(part) for key, part in parts.items() if part is not None}


@dataclass(frozen=True, slots=True)
class Switch:
    """A choice that a reading leaves to the authority or the site.

    Args:
        name: Name by which rules ask for it.
        values: Values it may take.
        value: Value in force here.
        source: `default`, or the file of the site that set it.
    """

    name: str
    values: tuple[bool | str, ...]
    value: bool | str
    source: str = "default"


@dataclass(frozen=True, slots=True)
class Reading:
    """One decision where the text is silent, unclear or contradicts itself.

    Args:
        id: `RD-…`.
        title: Short Chinese words.
        text: What is decided, in English.
        owner: Who may change it.
        decided_on: Day of the decision.
        switch: The choice it leaves open, if any.
        unused_because: Why no rule or number cites it, where none does.
    """

    id: str
    title: str
    text: str
    owner: str
    decided_on: date
    switch: Switch | None = None
    unused_because: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; `switch` and `value` stand only where a choice is left open."""
        parts: dict[str, object] = {
            "id": self.id,
            "title": self.title,
            "text": self.text,
            "owner": self.owner,
            "decided_on": self.decided_on,
        }
        if self.switch is not None:
            parts |= {
                "switch": self.switch.name,
                "value": self.switch.value,
                "values": self.switch.values,
                "source": self.switch.source,
            }
        return {key: as_json(part) for key, part in parts.items()}


@dataclass(frozen=True, slots=True)
class Defect:
    """A drafting defect of the text and what the software does about it."""

    id: str
    where: str
    defect: str
    answer: str
    reading: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        parts = {
            "id": self.id,
            "where": self.where,
            "defect": self.defect,
            "answer": self.answer,
            "reading": self.reading,
        }
        return {key: part for key, part in parts.items() if part is not None}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a clause as data: rows with the same columns, in the order of the text."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    reading: str | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the text: its words, and what stands under it here."""

    id: str
    title: str
    text: str
    rules: tuple[Rule, ...] = ()
    numbers: tuple[Number, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """One of the eleven situations of 6.7; it permits a repeat and never forbids recognition.

    Args:
        code: `NR01` … `NR11`.
        clause: Its words in the clause.
        found: How it comes up.
        needs: What giving it asks for; nothing when empty.
        picks: Words to choose from for a pick, relation or purpose.
        national: Its situation in the national measures, `N1` … `N6`.
        signal: What makes it be offered or found, in Chinese.
        opens_doubt: Whether giving it opens a question about the source's result.
    """

    code: str
    clause: str
    found: tuple[Found, ...]
    needs: tuple[Need, ...]
    picks: tuple[str, ...]
    national: str
    signal: str | None = None
    opens_doubt: bool = False


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """What the format rule says of one transfer syntax while (0028,2110) is absent or 00.

    Args:
        uid: Its UID.
        name: Its name in DICOM.
        kind: What it does to pixels.
        outcome: Pass or fail by format.
        note: A remark to a pass, in Chinese; a pass with a note is a pass.
    """

    uid: str
    name: str
    kind: SyntaxKind
    outcome: Outcome
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """Items for which one inspection speaks (RD-9.1-FAMILY).

    Args:
        id: Such as `dr_chest`.
        category: DR, CT or MR.
        name: Chinese name.
        items: Numbers of the items in the catalogue.
    """

    id: str
    category: str
    name: str
    items: frozenset[int]


Named = TypeVar("Named")


def by_id(things: Iterable[Named], name: Callable[[Named], str]) -> dict[str, Named]:
    """Return the things by their name, refusing a name that is given twice."""
    found: dict[str, Named] = {}
    for thing in things:
        key = name(thing)
        if key in found:
            raise ValueError(f"{key} is given twice")
        found[key] = thing
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """One version of the standard as it applies here: rules, numbers, readings, switches.

    Two rule sets are the same only if they are one object (`load` keeps them), so that one can be
    the key of a cache; compare fingerprints to compare contents.

    The typed getters return whole numbers in the unit of their name (`months`, `seconds` …), an
    exact `Fraction` for `ratio`, a `Decimal` for `factor`, `millimetres` and `kilograms`. They
    raise `UnknownName` for a key that does not exist and `WrongUnit` for a number of another unit.

    Args:
        version: Name of the version, such as `2025-draft`.
        title: Its Chinese title.
        status: Draft, in force, or repealed.
        jurisdiction: Whose rule set it is.
        in_force: First day in force by province; `None` where no day was published.
        clauses: Clauses by id, in the order of the text.
        readings: Register of readings by id.
        defects: Register of drafting defects by id.
        fingerprint: Hash over everything that can change an answer, overrides included.
        overrides: What the site changed, as `key = value (file)`.
        grounds: The grounds of 6.7 by code, in the order of the clause.
        transfer_syntaxes: Verdicts of 7.1 by UID; a syntax that is not here has none.
        families: Item families of 9.1 by id.
    """

    version: str
    title: str
    status: Status
    jurisdiction: Jurisdiction
    in_force: Mapping[Jurisdiction, date | None]
    clauses: Mapping[str, Clause]
    readings: Mapping[str, Reading]
    defects: Mapping[str, Defect]
    fingerprint: str
    overrides: tuple[str, ...] = ()
    grounds: Mapping[str, Ground] = field(default_factory=dict)
    transfer_syntaxes: Mapping[str, TransferSyntax] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(init=False)
    numbers: Mapping[str, Number] = field(init=False)
    tables: Mapping[str, Table] = field(init=False)
    switches: Mapping[str, Switch] = field(init=False)

    def __post_init__(self) -> None:
        clauses = self.clauses.values()
        switches = (reading.switch for reading in self.readings.values())
        parts: dict[str, object] = {
            "rules": by_id((rule for clause in clauses for rule in clause.rules), _id),
            "numbers": by_id((number for clause in clauses for number in clause.numbers), _key),
            "tables": by_id((table for clause in clauses for table in clause.tables), _key),
            "switches": by_id((switch for switch in switches if switch), _name),
        }
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    @property
    def is_provisional(self) -> bool:
        """Say whether answers by this version are marked provisional."""
        return self.status is Status.DRAFT

    def is_in_force(self, province: Jurisdiction, day: date) -> bool | None:
        """Say whether the version binds in a province on a day; `None` while no day is known."""
        places = (
            (Jurisdiction.CHONGQING, Jurisdiction.SICHUAN)
            if province is Jurisdiction.BOTH
            else (province,)
        )
        first_days = [self.in_force.get(place) for place in places]
        if any(first is not None and first > day for first in first_days):
            return False
        return None if None in first_days else self.status is not Status.REPEALED

    def rule(self, rule_id: str) -> Rule:
        """Return a rule by its id."""
        return _find(self.rules, rule_id, "rule")

    def clause(self, clause_id: str) -> Clause:
        """Return a clause by its id."""
        return _find(self.clauses, clause_id, "clause")

    def number(self, key: str) -> Number:
        """Return a number by `clause/name`."""
        return _find(self.numbers, key, "number")

    def reading(self, reading_id: str) -> Reading:
        """Return a reading by its id."""
        return _find(self.readings, reading_id, "reading")

    def table(self, key: str) -> Table:
        """Return a table by `clause/name`."""
        return _find(self.tables, key, "table")

    def switch(self, name: str) -> bool | str:
        """Return the value of a switch of a reading."""
        return _find(self.switches, name, "switch").value

    def is_on(self, name: str) -> bool:
        """Say whether a yes-or-no switch is on."""
        value = self.switch(name)
        if not isinstance(value, bool):
            raise WrongUnit(f"switch {name} is not a yes-or-no choice")
        return value

    def years(self, key: str) -> int:
        """Return a number of whole years."""
        return self._whole(key, Unit.YEARS)

    def months(self, key: str) -> int:
        """Return a number of whole calendar months."""
        return self._whole(key, Unit.MONTHS)

    def days(self, key: str) -> int:
        """Return a number of whole days."""
        return self._whole(key, Unit.DAYS)

    def hours(self, key: str) -> int:
        """Return a number of whole hours."""
        return self._whole(key, Unit.HOURS)

    def minutes(self, key: str) -> int:
        """Return a number of whole minutes."""
        return self._whole(key, Unit.MINUTES)

    def seconds(self, key: str) -> int:
        """Return a number of whole seconds."""
        return self._whole(key, Unit.SECONDS)

    def milliseconds(self, key: str) -> int:
        """Return a number of whole milliseconds."""
        return self._whole(key, Unit.MILLISECONDS)

    def count(self, key: str) -> int:
        """Return a number of things."""
        return self._whole(key, Unit.COUNT)

    def ratio(self, key: str) -> Fraction:
        """Return an exact share of one; compare it with `Fraction(num, den)`."""
        value = self._value(key, Unit.RATIO)
        if not isinstance(value, Fraction):
            raise WrongUnit(f"{key} is not a ratio")
        return value

    def factor(self, key: str) -> Decimal:
        """Return a number without unit that need not be whole."""
        return self._measure(key, Unit.FACTOR)

    def millimetres(self, key: str) -> Decimal:
        """Return a length in millimetres."""
        return self._measure(key, Unit.MILLIMETRES)

    def kilograms(self, key: str) -> Decimal:
        """Return a mass in kilograms."""
        return self._measure(key, Unit.KILOGRAMS)

    def text(self, key: str) -> str:
        """Return words that the standard fixes, such as the mark."""
        return str(self._value(key, Unit.TEXT))

    def duration(self, key: str) -> timedelta:
        """Return any number of days, hours, minutes, seconds or milliseconds as a duration."""
        return self.number(key).duration()

    def is_met(self, key: str, measured: int | Fraction | Decimal | timedelta) -> bool:
        """Compare a measure with a number by the operator of the text, exactly."""
        return self.number(key).is_met_by(measured)

    def _value(self, key: str, unit: Unit) -> Value:
        number = self.number(key)
        if number.unit is not unit:
            raise WrongUnit(f"{key} is in {number.unit}, not in {unit}")
        return number.value

    def _whole(self, key: str, unit: Unit) -> int:
        value = self._value(key, unit)
        if not isinstance(value, int):
            raise WrongUnit(f"{key} is not a whole number")
        return value

    def _measure(self, key: str, unit: Unit) -> Decimal:
        value = self._value(key, unit)
        if not isinstance(value, Decimal):
            raise WrongUnit(f"{key} is not a measure")
        return value


def _id(thing: Rule) -> str:
    return thing.id


def _key(thing: Number | Table) -> str:
    return thing.key


def _name(thing: Switch) -> str:
    return thing.name


def _find(things: Mapping[str, Named], name: str, kind: str) -> Named:
    found = things.get(name)
    if found is None:
        raise UnknownName(f"The standard has no {kind} {name}.", **{kind: name})
    return found
