"""REST of the registry under `/api/v1`: reads as of a day, writes by the authority that owns.

Every read takes `?on=YYYY-MM-DD`, today by default. Every write states what holds from a day on;
nothing that held before is lost.
"""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from accord.kit import clock
from accord.kit.access import Actor, requires
from accord.kit.http import Transaction
from accord.registry import access, intake, schemas, service
from accord.registry.errors import BadEntry, NotRegistered
from accord.registry.model import Dated, InstitutionList, PostHeld, RoleName

router = APIRouter(prefix="/api/v1", tags=["registry"])

Reader = Annotated[Actor, requires(access.READ)]
StaffReader = Annotated[Actor, requires(access.READ_STAFF)]
Writer = Annotated[Actor, requires(access.WRITE)]
Publisher = Annotated[Actor, requires(access.PUBLISH)]
Granter = Annotated[Actor, requires(access.GRANT)]
Loader = Annotated[Actor, requires(access.TRANSITIONAL)]
Poster = Annotated[Actor, requires(access.POSTS)]
On = Annotated[date | None, Query(description="local day; today by default")]
Day = Annotated[date, Query(description="first local day on which it no longer holds")]

Shown = dict[str, Any]


def _day(on: date | None) -> date:
    return on or clock.today()


def _shown(thing: Any) -> Shown:
    """Return a thing as JSON, with the last day on which it holds, as screens show it."""
    found = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in asdict(thing).items()
    }
    if isinstance(thing, Dated):
        found["last_day"] = thing.last_day
    return found


def _versions(conn: Connection, kind: str, **key: str) -> list[Shown]:
    found = service.history(conn, kind, **key)
    if not found:
        raise NotRegistered("没有该项登记。")
    return [{name: value for name, value in row.items() if name != "row_id"} for row in found]


def _same(stated: str | None, in_path: str) -> None:
    if stated != in_path:
        raise BadEntry("路径中的编码与内容中的编码不一致。")


# --- institutions -------------------------------------------------------------------------------


@router.get("/institutions", operation_id="list_institutions")
def list_institutions(
    conn: Transaction, _actor: Reader, on: On = None, province: str | None = None
) -> list[Shown]:
    """Return the institutions registered on a day."""
    return [_shown(each) for each in service.institutions(conn, _day(on), province=province)]


@router.get("/institutions/{code}", operation_id="read_institution")
def read_institution(conn: Transaction, _actor: Reader, code: str, on: On = None) -> Shown:
    """Return an institution as it stood on a day, and whether a published list names it."""
    found = service.find_institution(conn, code, _day(on))
    if found is None:
        raise NotRegistered(f"机构 {code} 在 {_day(on)} 未登记。")
    return _shown(found) | {"list": asdict(service.list_status(conn, code, _day(on)))}


@router.get("/institutions/{code}/history", operation_id="read_institution_history")
def read_institution_history(conn: Transaction, _actor: Reader, code: str) -> list[Shown]:
    """Return every version of an institution, superseded ones too."""
    return _versions(conn, "institution", code=code)


@router.put("/institutions/{code}", operation_id="put_institution")
def put_institution(
    conn: Transaction, actor: Writer, code: str, row: schemas.InstitutionRow
) -> Shown:
    """State an institution over a period."""
    _same(row.code, code)
    thing = intake.institution(conn, row)
    service.put_institution(conn, actor, thing)
    return read_institution(conn, actor, code, thing.valid_from)


@router.patch("/institutions/{code}", operation_id="change_institution")
def change_institution(
    conn: Transaction, actor: Writer, code: str, row: schemas.InstitutionChange
) -> Shown:
    """Change an institution from a day on."""
    service.change_institution(conn, actor, code, row.from_day, row.changes())
    return read_institution(conn, actor, code, row.from_day)


@router.delete("/institutions/{code}", status_code=204, operation_id="end_institution")
def end_institution(conn: Transaction, actor: Writer, code: str, on: Day) -> Response:
    """Take an institution out of the registry from a day on."""
    service.end_institution(conn, actor, code, on)
    return Response(status_code=204)


# --- consortia ----------------------------------------------------------------------------------


@router.get("/consortia", operation_id="list_consortia")
def list_consortia(conn: Transaction, _actor: Reader, on: On = None) -> list[Shown]:
    """Return the consortia with their members of a day."""
    return [_shown(each) for each in service.consortia(conn, _day(on))]


@router.get("/consortia/{code}", operation_id="read_consortium")
def read_consortium(conn: Transaction, _actor: Reader, code: str, on: On = None) -> Shown:
    """Return a consortium with its members of a day."""
    found = service.find_consortium(conn, code, _day(on))
    if found is None:
        raise NotRegistered(f"医联体 {code} 在 {_day(on)} 未登记。")
    return _shown(found)


@router.put("/consortia/{code}", operation_id="put_consortium")
def put_consortium(
    conn: Transaction, actor: Writer, code: str, row: schemas.ConsortiumRow
) -> Shown:
    """State a consortium over a period, and members that it gains; others stay members."""
    _same(row.code, code)
    thing = intake.consortium(conn, row)
    service.put_consortium(conn, actor, thing)
    for member in row.members:
        service.put_membership(conn, actor, intake.membership(thing, member))
    return read_consortium(conn, actor, code, thing.valid_from)


@router.delete("/consortia/{code}", status_code=204, operation_id="end_consortium")
def end_consortium(conn: Transaction, actor: Writer, code: str, on: Day) -> Response:
    """Dissolve a consortium from a day on."""
    service.end_consortium(conn, actor, code, on)
    return Response(status_code=204)


@router.put("/consortia/{code}/members/{institution}", operation_id="put_member")
def put_member(
    conn: Transaction, actor: Writer, code: str, institution: str, row: schemas.MemberRow
) -> Shown:
    """State that an institution belongs to a consortium over a period."""
    _same(row.institution, institution)
    first = row.valid_from or clock.today()
    thing = service.find_consortium(conn, code, first)
    if thing is None:
        raise NotRegistered(f"医联体 {code} 在 {first} 未登记。")
    member = row.model_copy(update={"valid_from": first})
    service.put_membership(conn, actor, intake.membership(thing, member))
    return read_consortium(conn, actor, code, first)


@router.delete(
    "/consortia/{code}/members/{institution}", status_code=204, operation_id="end_member"
)
def end_member(conn: Transaction, actor: Writer, code: str, institution: str, on: Day) -> Response:
    """Let an institution leave a consortium on a day."""
    service.end_membership(conn, actor, code, institution, on)
    return Response(status_code=204)


# --- devices and staff --------------------------------------------------------------------------


@router.get("/devices", operation_id="list_devices")
def list_devices(
    conn: Transaction, _actor: Reader, on: On = None, institution: str | None = None
) -> list[Shown]:
    """Return the devices registered on a day."""
    return [_shown(each) for each in service.devices(conn, _day(on), institution=institution)]


@router.get("/devices/{device_id}", operation_id="read_device")
def read_device(conn: Transaction, _actor: Reader, device_id: str, on: On = None) -> Shown:
    """Return a device with its tests, and whether they were in force on that day."""
    day = _day(on)
    found = service.find_device_by_id(conn, device_id, day)
    if found is None:
        raise NotRegistered(f"设备 {device_id} 在 {day} 未登记。")
    return _shown(found) | {"tested": found.is_tested_on(day)}


@router.put("/devices/{device_id}", operation_id="put_device")
def put_device(conn: Transaction, actor: Writer, device_id: str, row: schemas.DeviceRow) -> Shown:
    """State a device over a period, and tests that it brings."""
    thing = intake.device(conn, row)
    _same(thing.id, device_id)
    service.put_device(conn, actor, thing)
    return read_device(conn, actor, device_id, thing.valid_from)


@router.post("/devices/{device_id}/tests", status_code=201, operation_id="record_device_test")
def record_device_test(
    conn: Transaction, actor: Writer, device_id: str, row: schemas.TestRow
) -> Shown:
    """Keep the outcome of a device test."""
    service.record_test(conn, actor, device_id, intake.device_test(row))
    return read_device(conn, actor, device_id, row.tested_on)


@router.delete("/devices/{device_id}", status_code=204, operation_id="end_device")
def end_device(conn: Transaction, actor: Writer, device_id: str, on: Day) -> Response:
    """Take a device out of service from a day on."""
    service.end_device(conn, actor, device_id, on)
    return Response(status_code=204)


@router.get("/staff", operation_id="list_staff")
def list_staff(
    conn: Transaction, actor: StaffReader, on: On = None, institution: str | None = None
) -> list[Shown]:
    """Return the staff whose licences are in force on a day; a hospital sees its own alone."""
    place = actor.institution or institution
    return [_shown(each) for each in service.staff(conn, _day(on), institution=place)]


@router.put("/staff/{institution}/{code}", operation_id="put_staff")
def put_staff(
    conn: Transaction, actor: Writer, institution: str, code: str, row: schemas.StaffRow
) -> Shown:
    """State a member of the staff over the period of the licence."""
    _same(row.institution, institution)
    _same(row.code, code)
    thing = intake.staff(conn, row)
    service.put_staff(conn, actor, thing)
    return _shown(thing)


@router.delete("/staff/{institution}/{code}", status_code=204, operation_id="end_staff")
def end_staff(conn: Transaction, actor: Writer, institution: str, code: str, on: Day) -> Response:
    """Let the licence of a member of the staff end on a day."""
    service.end_staff(conn, actor, institution, code, on)
    return Response(status_code=204)


# --- lists --------------------------------------------------------------------------------------


@router.get("/lists", operation_id="list_lists")
def list_lists(conn: Transaction, actor: Reader) -> list[Shown]:
    """Return the published lists, and the drafts of the caller's own authority."""
    return [_shown(each) for each in service.lists(conn) if _may_see(each, actor)]


def _may_see(thing: InstitutionList, actor: Actor) -> bool:
    return thing.published_at is not None or thing.authority == actor.authority


@router.get("/lists/{list_id}", operation_id="read_list")
def read_list(conn: Transaction, actor: Reader, list_id: str, on: On = None) -> Shown:
    """Return a list and who is on it on a day."""
    found = next((each for each in service.lists(conn) if each.id == list_id), None)
    if found is None or not _may_see(found, actor):
        raise NotRegistered(f"没有名单 {list_id}。")
    entries = [_shown(each) for each in service.entries(conn, list_id, _day(on))]
    return _shown(found) | {"entries": entries}


@router.put("/lists/{list_id}", operation_id="put_list")
def put_list(conn: Transaction, actor: Publisher, list_id: str, row: schemas.ListRow) -> Shown:
    """Keep a list, and institutions that it gains; others stay on it."""
    _same(row.id, list_id)
    thing = intake.institution_list(conn, row)
    service.put_list(conn, actor, thing)
    for each in row.entries:
        service.put_entry(conn, actor, intake.entry(thing, each))
    return read_list(conn, actor, list_id)


@router.post("/lists/{list_id}/publish", operation_id="publish_list")
def publish_list(conn: Transaction, actor: Publisher, list_id: str) -> Shown:
    """Publish a list; it counts from today."""
    return _shown(service.publish_list(conn, actor, list_id))


@router.put("/lists/{list_id}/entries/{institution}", operation_id="put_entry")
def put_entry(
    conn: Transaction, actor: Publisher, list_id: str, institution: str, row: schemas.EntryRow
) -> Shown:
    """State that an institution is on a list over a period."""
    _same(row.institution, institution)
    found = next((each for each in service.lists(conn) if each.id == list_id), None)
    if found is None:
        raise NotRegistered(f"没有名单 {list_id}。")
    thing = intake.entry(found, row)
    service.put_entry(conn, actor, thing)
    return _shown(thing)


@router.delete("/lists/{list_id}/entries/{institution}", status_code=204, operation_id="end_entry")
def end_entry(
    conn: Transaction, actor: Publisher, list_id: str, institution: str, on: Day
) -> Response:
    """Take an institution off a list from a day on."""
    service.end_entry(conn, actor, list_id, institution, on)
    return Response(status_code=204)


# --- qualifications -----------------------------------------------------------------------------


@router.get("/qualifications", operation_id="list_qualifications")
def list_qualifications(
    conn: Transaction, _actor: Reader, on: On = None, institution: str | None = None
) -> list[Shown]:
    """Return the qualifications on a day, in every state."""
    found = (
        service.qualifications_of(conn, institution, _day(on))
        if institution
        else service.all_qualifications(conn, _day(on))
    )
    return [_shown(each) for each in found]


@router.get("/qualifications/{qualification_id}", operation_id="read_qualification")
def read_qualification(
    conn: Transaction, _actor: Reader, qualification_id: str, on: On = None
) -> Shown:
    """Return a qualification as it stands on a day."""
    found = service.find_qualification(conn, qualification_id, _day(on))
    if found is None:
        raise NotRegistered(f"没有在 {_day(on)} 有效的资格 {qualification_id}。")
    return _shown(found)


@router.get("/qualifications/{qualification_id}/history", operation_id="read_qualification_history")
def read_qualification_history(
    conn: Transaction, _actor: Reader, qualification_id: str
) -> list[Shown]:
    """Return every version of a qualification, superseded ones too."""
    return _versions(conn, "qualification", id=qualification_id)


@router.post("/inspections", status_code=201, operation_id="record_inspection")
def record_inspection(conn: Transaction, actor: Granter, row: schemas.InspectionRow) -> Shown:
    """Keep a concluded offline inspection of the caller's QC centre."""
    thing = intake.inspection(conn, row)
    service.record_inspection(conn, actor, thing)
    return _shown(thing)


@router.post("/qualifications", status_code=201, operation_id="grant_qualification")
def grant_qualification(conn: Transaction, actor: Granter, row: schemas.QualificationRow) -> Shown:
    """Grant a qualification that rests on a passed inspection."""
    if row.basis != "inspection":
        raise BadEntry("质控中心只能授予以线下质量抽查为依据的资格。")
    return _shown(service.grant(conn, actor, intake.qualification(conn, row)))


@router.post(
    "/qualifications/transitional", status_code=201, operation_id="load_transitional_qualification"
)
def load_transitional(conn: Transaction, actor: Loader, row: schemas.QualificationRow) -> Shown:
    """Load a transitional qualification of the caller's commission."""
    if row.basis != "transitional":
        raise BadEntry("此处只能载入过渡资格。")
    return _shown(service.grant(conn, actor, intake.qualification(conn, row)))


@router.post("/qualifications/{qualification_id}/{step}", operation_id="change_qualification")
def change_qualification(
    conn: Transaction,
    actor: Granter,
    qualification_id: str,
    step: schemas.Step,
    row: schemas.StepBody,
) -> Shown:
    """Suspend, resume or revoke a qualification from a day on, or take items out of it."""
    _step(conn, actor, qualification_id, step, row)
    return read_qualification(conn, actor, qualification_id, row.from_day)


@router.post(
    "/qualifications/transitional/{qualification_id}/{step}",
    operation_id="change_transitional_qualification",
)
def change_transitional(
    conn: Transaction,
    actor: Loader,
    qualification_id: str,
    step: schemas.Step,
    row: schemas.StepBody,
) -> Shown:
    """Do the same to a transitional qualification of the caller's commission."""
    _step(conn, actor, qualification_id, step, row)
    return read_qualification(conn, actor, qualification_id, row.from_day)


def _step(
    conn: Connection, actor: Actor, qualification_id: str, step: str, row: schemas.StepBody
) -> None:
    intake.take_step(
        conn,
        actor,
        schemas.StepRow(
            qualification=qualification_id,
            step=step,
            from_day=row.from_day,
            because=row.because,
            items=row.items,
        ),
    )


# --- posts --------------------------------------------------------------------------------------


@router.put("/posts/{login}/{role}", operation_id="assign_post")
def assign_post(
    conn: Transaction, actor: Poster, login: str, role: RoleName, row: schemas.PostRow
) -> Shown:
    """Give a person a role at one institution or authority."""
    _same(row.login, login)
    _same(row.role, role)
    thing = PostHeld(login, role, row.valid_from, row.valid_to, row.institution, row.authority)
    service.assign_post(conn, actor, thing)
    return _shown(thing)


@router.delete("/posts/{login}/{role}", status_code=204, operation_id="end_post")
def end_post(conn: Transaction, actor: Poster, login: str, role: RoleName, on: Day) -> Response:
    """Let a person leave a post on a day."""
    service.end_post(conn, actor, login, role, on)
    return Response(status_code=204)
