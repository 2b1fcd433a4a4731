"""Read the package's YAML files and those of a site, and assemble a rule set from them.

The only place of the pure core that opens files; everything read is kept for the life of the
process. `assemble` itself takes texts, so it can be asked about any set of files.
"""

import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from accord.standard.errors import BrokenFile, UnknownName
from accord.standard.model import (
    Clause,
    Defect,
    Family,
    Ground,
    Jurisdiction,
    Number,
    Reading,
    Rule,
    RuleSet,
    Switch,
    Table,
    TransferSyntax,
    Unit,
    Value,
    as_json,
    by_id,
)
from accord.standard.schemas import (
    ClauseFile,
    FamilyRow,
    GroundRow,
    NumberEntry,
    ReadingEntry,
    RegisterFile,
    RuleEntry,
    RuleSetEntry,
    SiteFile,
    SyntaxRow,
    VersionsFile,
)

_MEASURES = {Unit.FACTOR, Unit.MILLIMETRES, Unit.KILOGRAMS}
_FileT = TypeVar("_FileT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Source:
    """A file by name and text."""

    name: str
    text: str


class _Loader(yaml.CSafeLoader):
    """Plain YAML, but a key given twice is refused and 1.96 stays the decimal that was written."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    found: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(None, None, "not a key", key_node.start_mark)
        if key in found:
            raise yaml.constructor.ConstructorError(
                None, None, f"{key} is given twice", key_node.start_mark
            )
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _construct_decimal(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    try:
        return Decimal(str(loader.construct_scalar(node)))
    except InvalidOperation:
        raise yaml.constructor.ConstructorError(
            None, None, f"{node.value} is not a plain decimal", node.start_mark
        ) from None


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_decimal)


def parse(source: Source, shape: type[_FileT]) -> _FileT:
    """Return the content of a file in its shape, or say which key of which file is wrong."""
    try:
        content = yaml.load(source.text, _Loader)  # noqa: S506 (a CSafeLoader)
    except yaml.YAMLError as error:
        raise BrokenFile(f"{source.name}: {error}", file=source.name) from error
    return _in_shape(source.name, content, shape)


def _in_shape(where: str, content: object, shape: type[_FileT]) -> _FileT:
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BrokenFile(f"{where}: {key}: {first['msg']}", file=where) from error


@dataclass(frozen=True, slots=True)
class Package:
    """The files a rule set is made of."""

    versions: Source
    register: Source
    clauses: tuple[Source, ...]


@lru_cache(maxsize=1)
def package() -> Package:
    """Return the files that come with the product, clauses in the order of the text."""
    folder = files("accord.standard")
    clauses = sorted(
        (item for item in (folder / "clauses").iterdir() if item.name.endswith(".yaml")),
        key=lambda item: _text_order(item.name.removesuffix(".yaml")),
    )
    return Package(
        versions=Source("rule_sets.yaml", (folder / "rule_sets.yaml").read_text("utf-8")),
        register=Source("readings.yaml", (folder / "readings.yaml").read_text("utf-8")),
        clauses=tuple(Source(f"clauses/{item.name}", item.read_text("utf-8")) for item in clauses),
    )


def site(folder: Path | None) -> tuple[Source, ...]:
    """Return the YAML files of the site's folder by name; none when no folder is set."""
    if folder is None:
        return ()
    if not folder.is_dir():
        raise BrokenFile(f"ACCORD_RULES_DIR: {folder} is not a folder.", folder=str(folder))
    return tuple(
        Source(path.name, path.read_text("utf-8"))
        for path in sorted(folder.iterdir())
        if path.suffix in {".yaml", ".yml"}
    )


@lru_cache(maxsize=1)
def rule_ids() -> frozenset[str]:
    """Return the ids of all rules of the text."""
    return frozenset(
        rule_id for source in package().clauses for rule_id in parse(source, ClauseFile).rules
    )


@dataclass(slots=True)
class _Site:
    """What the files of a site change, with the file that says so."""

    numbers: dict[tuple[str, str], tuple[int | Decimal | str, str]] = field(default_factory=dict)
    switches: dict[str, tuple[bool | str, str]] = field(default_factory=dict)
    in_force: dict[tuple[str, Jurisdiction], tuple[date, str]] = field(default_factory=dict)


def assemble(version: str, parts: Package, own: Iterable[Source] = ()) -> RuleSet:
    """Build a rule set from texts.

    Raises:
        BrokenFile: A file has an unknown key, a wrong unit, or names what does not exist.
        UnknownName: There is no such version.
    """
    versions = parse(parts.versions, VersionsFile).rule_sets
    entry = versions.get(version)
    if entry is None:
        raise UnknownName(f"There is no rule set {version}.", version=version)
    changes = _read_site(own, frozenset(versions))
    register = parse(parts.register, RegisterFile)
    clauses = [_clause(source, version, changes) for source in parts.clauses]
    readings = {
        reading_id: _reading(reading_id, given, changes)
        for reading_id, given in register.readings.items()
    }
    defects = {
        defect_id: Defect(id=defect_id, **given.model_dump())
        for defect_id, given in register.defects.items()
    }
    in_force = _in_force(version, entry, changes)
    try:
        rule_set = RuleSet(
            version=version,
            title=entry.title,
            status=entry.status,
            jurisdiction=entry.jurisdiction,
            in_force=in_force,
            clauses={clause.id: clause for clause in clauses},
            readings=readings,
            defects=defects,
            fingerprint=_fingerprint(parts, changes, version),
            overrides=_overrides(changes, version),
            grounds=_grounds(clauses),
            transfer_syntaxes=_transfer_syntaxes(clauses),
            families=_families(clauses),
        )
    except ValueError as error:
        raise BrokenFile(f"The clause files clash: {error}.") from error
    _check_names(rule_set, changes)
    return rule_set


def _read_site(own: Iterable[Source], versions: frozenset[str]) -> _Site:
    changes = _Site()
    for source in own:
        given = parse(source, SiteFile)
        for key, values in given.numbers.items():
            for version, value in values.items():
                _known_version(source, version, versions)
                _set_once(changes.numbers, (key, version), (value, source.name))
        for name, choice in given.switches.items():
            _set_once(changes.switches, name, (choice, source.name))
        for version, days in given.in_force.items():
            _known_version(source, version, versions)
            for province, day in days.items():
                _set_once(changes.in_force, (version, province), (day, source.name))
    return changes


def _known_version(source: Source, version: str, versions: frozenset[str]) -> None:
    if version not in versions:
        raise BrokenFile(f"{source.name}: there is no rule set {version}.", file=source.name)


_Key = TypeVar("_Key")
_Change = TypeVar("_Change")


def _set_once(
    changes: dict[_Key, tuple[_Change, str]], key: _Key, change: tuple[_Change, str]
) -> None:
    earlier = changes.get(key)
    if earlier is not None:
        raise BrokenFile(f"{change[1]}: {key} is already set in {earlier[1]}.", file=change[1])
    changes[key] = change


def _clause(source: Source, version: str, changes: _Site) -> Clause:
    given = parse(source, ClauseFile)
    if source.name != f"clauses/{given.clause}.yaml":
        raise BrokenFile(f"{source.name}: clause {given.clause} belongs in a file of its own name.")
    return Clause(
        id=given.clause,
        title=given.title,
        text=given.text.strip(),
        rules=tuple(_rule(given.clause, name, entry) for name, entry in given.rules.items()),
        numbers=tuple(
            _number(source, f"{given.clause}/{name}", entry, version, changes)
            for name, entry in given.numbers.items()
        ),
        tables=tuple(
            Table(
                key=f"{given.clause}/{name}",
                columns=tuple(table.columns),
                rows=tuple(table.rows),
                reading=table.reading,
            )
            for name, table in given.tables.items()
        ),
    )


def _rule(clause: str, rule_id: str, entry: RuleEntry) -> Rule:
    return Rule(
        id=rule_id,
        clause=clause,
        title=entry.title,
        quote=entry.quote,
        summary=entry.summary.strip(),
        answered_by=entry.answered_by,
        modal=entry.modal,
        severity=entry.severity,
        who=tuple(entry.who),
        where=entry.where,
        readings=tuple(entry.readings),
        numbers=tuple(key if "/" in key else f"{clause}/{key}" for key in entry.numbers),
        defects=tuple(entry.defects),
        because=entry.because,
    )


def _number(source: Source, key: str, entry: NumberEntry, version: str, changes: _Site) -> Number:
    written, origin = changes.numbers.get((key, version), (entry.values.get(version), version))
    if written is None:
        raise BrokenFile(f"{source.name}: {key} has no value for {version}.", file=source.name)
    file = source.name if origin == version else origin
    return Number(
        key=key,
        unit=entry.unit,
        value=_exact(file, key, entry.unit, written),
        quote=entry.quote,
        operator=entry.operator,
        jurisdiction=entry.jurisdiction,
        reading=entry.reading,
        note=entry.note,
        source=origin,
    )


def _exact(file: str, key: str, unit: Unit, written: int | Decimal | str) -> Value:
    """Return what was written as the exact value its unit asks for."""
    fits: Value | None = None
    if unit is Unit.TEXT:
        fits = written if isinstance(written, str) else None
    elif unit is Unit.RATIO:
        fits = _fraction(written)
    elif unit in _MEASURES:
        fits = None if isinstance(written, str) else Decimal(written)
    elif isinstance(written, int) and written >= 0:
        fits = written
    if fits is None:
        raise BrokenFile(f"{file}: {key}: {written!r} is not a number of {unit}.", file=file)
    return fits


def _fraction(written: int | Decimal | str) -> Fraction | None:
    try:
        return Fraction(written)
    except (ValueError, ZeroDivisionError):
        return None


def _reading(reading_id: str, entry: ReadingEntry, changes: _Site) -> Reading:
    switch = None
    if entry.switch is not None:
        name = entry.switch.name
        value, origin = changes.switches.get(name, (entry.switch.default, "default"))
        if value not in entry.switch.values or type(value) is not type(entry.switch.default):
            raise BrokenFile(
                f"{origin}: switch {name}: {value!r} is none of {entry.switch.values}.", file=origin
            )
        switch = Switch(name, tuple(entry.switch.values), value, origin)
    return Reading(
        id=reading_id,
        title=entry.title,
        text=entry.text.strip(),
        owner=entry.owner,
        decided_on=entry.date,
        switch=switch,
        unused_because=entry.unused_because,
    )


def _rows(clauses: Iterable[Clause], key: str, shape: type[_FileT]) -> list[_FileT]:
    """Return the rows of a table in their shape; a set of clauses without it has none."""
    return [
        _in_shape(f"{key}, row {place}", dict(row), shape)
        for clause in clauses
        for table in clause.tables
        if table.key == key
        for place, row in enumerate(table.rows, start=1)
    ]


def _grounds(clauses: Iterable[Clause]) -> Mapping[str, Ground]:
    rows = _rows(clauses, "6.7/grounds", GroundRow)
    return by_id((Ground(**row.model_dump()) for row in rows), lambda ground: ground.code)


def _transfer_syntaxes(clauses: Iterable[Clause]) -> Mapping[str, TransferSyntax]:
    rows = _rows(clauses, "7.1/transfer_syntaxes", SyntaxRow)
    return by_id((TransferSyntax(**row.model_dump()) for row in rows), lambda syntax: syntax.uid)


def _families(clauses: Iterable[Clause]) -> Mapping[str, Family]:
    rows = _rows(clauses, "9.1/families", FamilyRow)
    families = (
        Family(
            row.family,
            row.category,
            row.name,
            frozenset(number for entry in row.items for number in _run(entry)),
        )
        for row in rows
    )
    return by_id(families, lambda family: family.id)


def _run(entry: int | str) -> Iterable[int]:
    """Return the items of an entry: one number, or a run such as `4-18`, both ends included."""
    if isinstance(entry, int):
        return (entry,)
    first, last = (int(part) for part in entry.split("-"))
    return range(first, last + 1)


def _in_force(
    version: str, entry: RuleSetEntry, changes: _Site
) -> Mapping[Jurisdiction, date | None]:
    days = dict(entry.in_force)
    for (changed, province), (day, _) in changes.in_force.items():
        if changed == version:
            days[province] = day
    return days


def _overrides(changes: _Site, version: str) -> tuple[str, ...]:
    lines = [
        f"{key} = {value} ({file})"
        for (key, changed), (value, file) in changes.numbers.items()
        if changed == version
    ]
    lines += [f"{name} = {value} ({file})" for name, (value, file) in changes.switches.items()]
    lines += [
        f"in force in {province} from {day} ({file})"
        for (changed, province), (day, file) in changes.in_force.items()
        if changed == version
    ]
    return tuple(sorted(lines))


def _fingerprint(parts: Package, changes: _Site, version: str) -> str:
    """Hash the files and the changes, so that a stored answer names exactly what it went by."""
    whole = {
        "version": version,
        "files": [source.text for source in (parts.versions, parts.register, *parts.clauses)],
        "numbers": {"@".join(key): change[0] for key, change in changes.numbers.items()},
        "switches": {name: change[0] for name, change in changes.switches.items()},
        "in_force": {"@".join(key): change[0] for key, change in changes.in_force.items()},
    }
    return sha256(json.dumps(as_json(whole), sort_keys=True).encode()).hexdigest()[:16]


def _check_names(rule_set: RuleSet, changes: _Site) -> None:
    """Refuse a rule, number or change that names what is not there."""
    for rule in rule_set.rules.values():
        _all_known(rule.id, "number", rule.numbers, rule_set.numbers)
        _all_known(rule.id, "reading", rule.readings, rule_set.readings)
        _all_known(rule.id, "defect", rule.defects, rule_set.defects)
    for number in rule_set.numbers.values():
        _all_known(number.key, "reading", _cited(number.reading), rule_set.readings)
    for table in rule_set.tables.values():
        _all_known(table.key, "reading", _cited(table.reading), rule_set.readings)
    for defect in rule_set.defects.values():
        _all_known(defect.id, "reading", _cited(defect.reading), rule_set.readings)
    for (key, _), (_, file) in changes.numbers.items():
        _all_known(file, "number", (key,), rule_set.numbers)
    for name, (_, file) in changes.switches.items():
        _all_known(file, "switch", (name,), rule_set.switches)


def _cited(reading: str | None) -> tuple[str, ...]:
    return () if reading is None else (reading,)


def _all_known(asker: str, kind: str, names: Iterable[str], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            raise BrokenFile(f"{asker}: there is no {kind} {name}.")


def _text_order(clause: str) -> tuple[int, ...]:
    """Sort clauses as the text does, the common conventions first."""
    return tuple(int(part) for part in clause.split(".")) if clause[0].isdigit() else (0,)
