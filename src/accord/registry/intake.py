"""Take in a region from a plain mapping or a file: the demo and every import go through here."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError
from sqlalchemy import Connection

from accord.kit.access import Actor
from accord.kit.clock import local_day
from accord.registry import model as m
from accord.registry import schemas, service, store
from accord.registry.errors import BadEntry
from accord.standard.model import Jurisdiction

_MOST_MISTAKES: Final = 10


def read_file(path: Path, kind: str | None = None) -> Mapping[str, Any]:
    """Return the mapping that a YAML, JSON or CSV file holds; a CSV holds rows of one kind.

    Raises:
        BadEntry: The file cannot be read as what its name says.
    """
    try:
        words = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            return {_checked_kind(kind): list(_csv_rows(words))}
        data = json.loads(words) if path.suffix.lower() == ".json" else yaml.safe_load(words)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise BadEntry(f"文件 {path.name} 无法读取：{type(error).__name__}。") from error
    if not isinstance(data, Mapping):
        raise BadEntry(f"文件 {path.name} 须为一个对象，按类别列出各行。")
    return data


def _checked_kind(kind: str | None) -> str:
    if kind not in schemas.Region.model_fields or kind == "valid_from":
        raise BadEntry("导入 CSV 须指明类别，例如 --kind institutions。")
    return kind


def _csv_rows(words: str) -> Iterator[dict[str, Any]]:
    """Give the rows of a table; an empty cell is a field that was not given."""
    for row in csv.DictReader(StringIO(words)):
        yield {name: cell for name, cell in row.items() if name and cell}


def read_region(data: Mapping[str, Any]) -> schemas.Region:
    """Check the form of every row.

    Raises:
        BadEntry: Some rows are not of their form; the sentence names where.
    """
    try:
        return schemas.Region.model_validate(data)
    except ValidationError as error:
        mistakes = [
            f"{'.'.join(str(part) for part in item['loc'])}：{item['msg']}"
            for item in error.errors(include_url=False, include_input=False)
        ]
        more = f" 等 {len(mistakes)} 处" if len(mistakes) > _MOST_MISTAKES else ""
        raise BadEntry(f"导入内容有误：{'；'.join(mistakes[:_MOST_MISTAKES])}{more}。") from error


def take_in(conn: Connection, actor: Actor, data: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Take in every row that was not imported before in exactly this form; all or nothing."""
    region = read_region(data)
    counts: dict[str, dict[str, int]] = {}
    for kind, key_of, take in _STEPS:
        rows = getattr(region, kind)
        if kind == "institutions":  # a campus needs its licence holder first
            rows = sorted(rows, key=lambda row: row.licence_holder not in {"", row.code})
        counts[kind] = {"taken": 0, "known": 0}
        for row in rows:
            digest = store.digest_of(row.model_dump(mode="json"))
            if store.remember_import(conn, kind, key_of(row), digest):
                take(conn, actor, row)
                counts[kind]["taken"] += 1
            else:
                counts[kind]["known"] += 1
    return {kind: count for kind, count in counts.items() if any(count.values())}


# --- rows to things, with what their surroundings say ------------------------------------------


def jurisdiction_of(conn: Connection, authority: str) -> Jurisdiction:
    """Return the jurisdiction of an authority."""
    found = service.find_authority(conn, authority)
    if found is None:
        raise BadEntry(f"卫生健康行政部门 {authority} 未登记。")
    return found.jurisdiction


def owner_of(conn: Connection, institution: str) -> tuple[str, Jurisdiction]:
    """Return the authority of an institution and its jurisdiction."""
    owner = store.institution_owner(conn, institution)
    if owner is None:
        raise BadEntry(f"机构 {institution} 未登记，请先登记机构。")
    return owner, jurisdiction_of(conn, owner)


def institution(conn: Connection, row: schemas.InstitutionRow) -> m.Institution:
    """Return the institution that a row states."""
    level, grade = row.level or (m.Level.UNRATED, "")
    return m.Institution(
        code=row.code,
        name=row.name,
        level=level,
        level_is_own=row.level is not None,
        grade=row.grade or grade,
        ownership=row.ownership,
        province=row.province,
        area=row.area,
        campus=row.campus,
        licence_holder=row.licence_holder or row.code,
        authority=row.authority,
        jurisdiction=row.jurisdiction or jurisdiction_of(conn, row.authority),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        registry_complete=row.registry_complete,
        radiology_licence=row.radiology_licence,
    )


def consortium(conn: Connection, row: schemas.ConsortiumRow) -> m.Consortium:
    """Return the consortium that a row states, its members left out."""
    return m.Consortium(
        code=row.code,
        name=row.name,
        kind=row.kind,
        all_items=row.all_items,
        authority=row.authority,
        jurisdiction=row.jurisdiction or jurisdiction_of(conn, row.authority),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def device(conn: Connection, row: schemas.DeviceRow) -> m.Device:
    """Return the device that a row states, with its tests."""
    authority, jurisdiction = owner_of(conn, row.institution)
    return m.Device(
        id=row.id or f"{row.institution}.{row.serial}",
        institution=row.institution,
        serial=row.serial,
        kind=row.kind,
        authority=authority,
        jurisdiction=jurisdiction,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        manufacturer=row.manufacturer,
        model=row.model,
        cannot_send=frozenset(row.cannot_send),
        review_on=row.review_on,
        configuration_licence=row.configuration_licence,
        tests=tuple(device_test(test) for test in row.tests),
    )


def device_test(row: schemas.TestRow) -> m.DeviceTest:
    """Return the device test that a row states."""
    return m.DeviceTest(
        kind=row.kind,
        passed=row.passed,
        tested_on=row.tested_on,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        standard=row.standard,
        report_number=row.report_number,
    )


def staff(conn: Connection, row: schemas.StaffRow) -> m.Staff:
    """Return the member of the staff that a row states."""
    authority, jurisdiction = owner_of(conn, row.institution)
    return m.Staff(
        institution=row.institution,
        code=row.code,
        name=row.name,
        profession=row.profession,
        authority=authority,
        jurisdiction=jurisdiction,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        licence=row.licence,
        scope=row.scope,
    )


def institution_list(conn: Connection, row: schemas.ListRow) -> m.InstitutionList:
    """Return the list that a row states, its entries left out."""
    return m.InstitutionList(
        id=row.id,
        title=row.title,
        authority=row.authority,
        jurisdiction=row.jurisdiction or jurisdiction_of(conn, row.authority),
        published_at=row.published_at,
        refreshed_at=row.refreshed_at,
    )


def inspection(conn: Connection, row: schemas.InspectionRow) -> m.Inspection:
    """Return the inspection that a row states."""
    _, jurisdiction = owner_of(conn, row.institution)
    return m.Inspection(
        id=row.id,
        institution=row.institution,
        scope_kind=row.scope_kind,
        scope_value=row.scope_value,
        centre=row.centre,
        concluded_on=row.concluded_on,
        passed=row.passed,
        signatures=tuple(row.signatures),
        jurisdiction=jurisdiction,
        report_number=row.report_number,
    )


def qualification(conn: Connection, row: schemas.QualificationRow) -> m.Qualification:
    """Return the qualification that a row asks for."""
    authority, jurisdiction = owner_of(conn, row.institution)
    return m.Qualification(
        id=row.id or qualification_id(row),
        institution=row.institution,
        scope_kind=row.scope_kind,
        scope_value=row.scope_value,
        mark_scope=row.mark_scope,
        state=m.QualificationState.PASSED,
        basis=row.basis,
        authority=authority,
        jurisdiction=jurisdiction,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        centre=row.centre,
        inspection=row.inspection,
        notice=row.notice,
        list_hash=row.list_hash.lower(),
    )


def qualification_id(row: schemas.QualificationRow) -> str:
    """Return the id of a qualification that came without one: the same row, the same id."""
    facts = (row.institution, row.scope_kind.value, row.scope_value, row.valid_from, row.mark_scope)
    return f"Q-{store.digest_of({'facts': facts})[:16]}"


# --- takers -------------------------------------------------------------------------------------


def _take_authority(conn: Connection, actor: Actor, row: schemas.AuthorityRow) -> None:
    thing = m.HealthAuthority(row.code, row.name, row.province, row.jurisdiction)
    service.put_authority(conn, actor, thing)


def _take_centre(conn: Connection, actor: Actor, row: schemas.CentreRow) -> None:
    jurisdiction = row.jurisdiction or jurisdiction_of(conn, row.authority)
    thing = m.QCCentre(row.code, row.name, row.rank, row.province, row.authority, jurisdiction)
    service.put_centre(conn, actor, thing, row.valid_from)


def _take_institution(conn: Connection, actor: Actor, row: schemas.InstitutionRow) -> None:
    service.put_institution(conn, actor, institution(conn, row))


def _take_consortium(conn: Connection, actor: Actor, row: schemas.ConsortiumRow) -> None:
    thing = consortium(conn, row)
    service.put_consortium(conn, actor, thing)
    for member in row.members:
        service.put_membership(conn, actor, membership(thing, member))


def membership(thing: m.Consortium, row: schemas.MemberRow) -> m.Membership:
    """Return the membership that a row states; without days it has the consortium's."""
    return m.Membership(
        thing.code,
        row.institution,
        thing.authority,
        thing.jurisdiction,
        row.valid_from or thing.valid_from,
        row.valid_to or thing.valid_to,
    )


def _take_device(conn: Connection, actor: Actor, row: schemas.DeviceRow) -> None:
    service.put_device(conn, actor, device(conn, row))


def _take_staff(conn: Connection, actor: Actor, row: schemas.StaffRow) -> None:
    service.put_staff(conn, actor, staff(conn, row))


def _take_list(conn: Connection, actor: Actor, row: schemas.ListRow) -> None:
    thing = institution_list(conn, row)
    service.put_list(conn, actor, thing)
    for each in row.entries:
        service.put_entry(conn, actor, entry(thing, each))


def entry(thing: m.InstitutionList, row: schemas.EntryRow) -> m.ListEntry:
    """Return the entry that a row states; without days it counts from the publication."""
    first = row.valid_from
    if first is None:
        if thing.published_at is None:
            raise BadEntry(f"名单 {thing.id} 未发布，列入机构时须写明起始日期。")
        first = local_day(thing.published_at)
    return m.ListEntry(
        thing.id, row.institution, thing.authority, thing.jurisdiction, first, row.valid_to
    )


def _take_inspection(conn: Connection, actor: Actor, row: schemas.InspectionRow) -> None:
    service.record_inspection(conn, actor, inspection(conn, row))


def _take_qualification(conn: Connection, actor: Actor, row: schemas.QualificationRow) -> None:
    service.grant(conn, actor, qualification(conn, row))


def take_step(conn: Connection, actor: Actor, row: schemas.StepRow) -> None:
    """Take a step in the life of a qualification."""
    if row.step == "revoke_items":
        items = frozenset(row.items)
        service.revoke_items(conn, actor, row.qualification, row.from_day, items, row.because)
        return
    step = {"suspend": service.suspend, "resume": service.resume, "revoke": service.revoke}
    step[row.step](conn, actor, row.qualification, row.from_day, row.because)


def _take_post(conn: Connection, actor: Actor, row: schemas.PostRow) -> None:
    thing = m.PostHeld(
        row.login, row.role, row.valid_from, row.valid_to, row.institution, row.authority
    )
    service.assign_post(conn, actor, thing)


def _take_ae_title(conn: Connection, actor: Actor, row: schemas.AETitleRow) -> None:
    service.bind_ae_title(conn, actor, row.title, row.institution, row.valid_from, row.valid_to)


Key = Callable[[Any], str]
Take = Callable[[Connection, Actor, Any], None]

_STEPS: Final[tuple[tuple[str, Key, Take], ...]] = (
    ("authorities", lambda row: row.code, _take_authority),
    ("centres", lambda row: f"{row.code} {row.valid_from}", _take_centre),
    ("institutions", lambda row: f"{row.code} {row.valid_from}", _take_institution),
    ("consortia", lambda row: f"{row.code} {row.valid_from}", _take_consortium),
    (
        "devices",
        lambda row: f"{row.id or f'{row.institution} {row.serial}'} {row.valid_from}",
        _take_device,
    ),
    ("staff", lambda row: f"{row.institution} {row.code} {row.valid_from}", _take_staff),
    ("lists", lambda row: row.id, _take_list),
    ("inspections", lambda row: row.id, _take_inspection),
    ("qualifications", lambda row: row.id or qualification_id(row), _take_qualification),
    ("steps", lambda row: f"{row.qualification} {row.step} {row.from_day}", take_step),
    ("posts", lambda row: f"{row.login} {row.role} {row.valid_from}", _take_post),
    ("ae_titles", lambda row: f"{row.title} {row.valid_from}", _take_ae_title),
)
