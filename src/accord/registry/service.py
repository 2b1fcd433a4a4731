"""Use cases of the registry: reads as of a day, changes that keep history, the import.

Every change checks that the row belongs to the authority that acts, keeps what was before, and
writes its audit entry in the same transaction.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from accord import standard
from accord.kit import audit, clock
from accord.kit.access import Actor, ActorKind, Post
from accord.kit.db import Read
from accord.kit.settings import get_settings
from accord.registry import memory, roles, store
from accord.registry.errors import BadEntry, BadState, CannotGrant, NotRegistered, OutsideScope
from accord.registry.model import (
    STEPS,
    Basis,
    CentreRank,
    Consortium,
    Device,
    DeviceTest,
    HealthAuthority,
    Inspection,
    Institution,
    InstitutionList,
    ListEntry,
    ListStatus,
    Membership,
    PostHeld,
    QCCentre,
    Qualification,
    QualificationState,
    RoleName,
    Staff,
    TestKind,
)
from accord.registry.rules import granting, listing
from accord.registry.rules.scopes import Families

_SIGNATURES: Final = 2


Found = TypeVar("Found")


def _recall(conn: Connection, key: Hashable, read: Callable[[], Found]) -> Found:
    return memory.recall(conn, store.version, key, read)


def state() -> Read[UUID | None]:
    """Ask which state the registry is in, for a question that goes together with others."""
    return store.state()


def recall_as_of(conn: Connection, state: UUID | None) -> None:
    """Recall what is known of that state in the rest of this transaction, without asking again."""
    memory.note(conn, state)


def _stretch(conn: Connection, institution: str, on: date) -> date:
    """Return the first of the days, `on` among them, that all get one answer about it.

    What is recalled is recalled for a stretch of days, not for each day: a year of examinations
    asks about a year of days.
    """
    days = _recall(
        conn, ("turning days", institution), lambda: store.turning_days(conn, institution)
    )
    passed = bisect_right(days, on)
    return days[passed - 1] if passed else date.min


# --- reads as of a day ------------------------------------------------------------------------


def find_institution(conn: Connection, code: str, on: date) -> Institution | None:
    """Return an institution as it stood on a day; None when it was not registered then."""
    found = _recall(
        conn,
        ("institution", code, _stretch(conn, code, on)),
        lambda: store.institutions(conn, on, codes=(code,)),
    )
    return found[0] if found else None


def institutions(
    conn: Connection, on: date, *, province: str | None = None
) -> tuple[Institution, ...]:
    """Return every institution as it stood on a day."""
    return store.institutions(conn, on, province=province)


def find_authority(conn: Connection, code: str) -> HealthAuthority | None:
    """Return a health commission by its code."""
    return store.find_authority(conn, code)


def find_centre(conn: Connection, code: str, on: date) -> QCCentre | None:
    """Return a QC centre as it stood on a day."""
    return _recall(conn, ("centre", code, on), lambda: store.find_centre(conn, code, on))


def institution_of_ae(conn: Connection, ae_title: str, on: date | None = None) -> str | None:
    """Return the institution that a calling AE title speaks for, today by default."""
    title, day = ae_title.strip(), on or clock.today()
    return _recall(
        conn, ("ae_title", title, day), lambda: store.institution_of_ae(conn, title, day)
    )


def list_status(conn: Connection, code: str, on: date) -> ListStatus:
    """Say whether an institution is on a published list on a day (R6.2-3)."""
    return _recall(
        conn, ("list_status", code, _stretch(conn, code, on)), lambda: _list_status(conn, code, on)
    )


def _list_status(conn: Connection, code: str, on: date) -> ListStatus:
    naming = store.lists_naming(conn, code, on)
    owner = store.institution_owner(conn, code)
    of_authority = store.lists_of_authority(conn, owner) if owner else store.lists(conn)
    return listing.status(naming, of_authority, on)


def qualifications_of(conn: Connection, institution: str, on: date) -> tuple[Qualification, ...]:
    """Return the qualifications that hold on a day, in every state: the rules judge the state."""
    return _recall(
        conn,
        ("qualifications", institution, _stretch(conn, institution, on)),
        lambda: store.qualifications(conn, on, institution=institution),
    )


def shared_consortia(conn: Connection, a: str, b: str, on: date) -> tuple[Consortium, ...]:
    """Return the consortia of every kind to which both belong on a day."""
    return _recall(
        conn,
        ("shared", a, b, _stretch(conn, a, on)),
        lambda: store.shared_consortia(conn, a, b, on),
    )


def consortia(conn: Connection, on: date) -> tuple[Consortium, ...]:
    """Return every consortium with its members of a day."""
    return store.consortia(conn, on)


def find_consortium(conn: Connection, code: str, on: date) -> Consortium | None:
    """Return a consortium with its members of a day."""
    found = store.consortia(conn, on, codes=(code,))
    return found[0] if found else None


def find_device(conn: Connection, institution: str, serial: str, on: date) -> Device | None:
    """Return the device of that serial number at an institution on a day, with its tests."""
    serial = serial.strip()
    found = _recall(
        conn,
        ("device", institution, serial, _stretch(conn, institution, on)),
        lambda: store.devices(conn, on, institution=institution, serial=serial),
    )
    return found[0] if found else None


def find_device_by_id(conn: Connection, device_id: str, on: date) -> Device | None:
    """Return a device as it stood on a day, with its tests."""
    found = store.devices(conn, on, ids=(device_id,))
    return found[0] if found else None


def devices(conn: Connection, on: date, *, institution: str | None = None) -> tuple[Device, ...]:
    """Return the devices registered on a day."""
    return store.devices(conn, on, institution=institution)


def registry_complete(conn: Connection, institution: str, on: date | None = None) -> bool:
    """Say whether devices and staff of an institution are declared complete (R3.2-1)."""
    found = find_institution(conn, institution, on or clock.today())
    return found is not None and found.registry_complete


def find_staff(conn: Connection, institution: str, code: str, on: date) -> Staff | None:
    """Return a member of the staff whose licence is in force on a day."""
    found = _recall(
        conn,
        ("staff", institution, code, _stretch(conn, institution, on)),
        lambda: store.staff(conn, on, institution=institution, code=code),
    )
    return found[0] if found else None


def staff(conn: Connection, on: date, *, institution: str | None = None) -> tuple[Staff, ...]:
    """Return the staff whose licences are in force on a day."""
    if institution is None:
        return store.staff(conn, on)
    return _recall(
        conn,
        ("staff", institution, _stretch(conn, institution, on)),
        lambda: store.staff(conn, on, institution=institution),
    )


def lists(conn: Connection) -> tuple[InstitutionList, ...]:
    """Return every list, drafts too."""
    return store.lists(conn)


def entries(conn: Connection, list_id: str, on: date) -> tuple[ListEntry, ...]:
    """Return who is on a list on a day."""
    return store.entries(conn, list_id, on)


def entry_periods(conn: Connection, until: date) -> tuple[ListEntry, ...]:
    """Return every period on every list that began by a day, as known now (R10.3-1)."""
    return store.entry_periods(conn, until)


def qualification_periods(conn: Connection, until: date) -> tuple[Qualification, ...]:
    """Return every period of every qualification that began by a day, as known now (R10.3-1)."""
    return store.qualification_periods(conn, until)


def all_qualifications(conn: Connection, on: date) -> tuple[Qualification, ...]:
    """Return the qualifications of every institution on a day, in every state."""
    return store.qualifications(conn, on)


def find_qualification(conn: Connection, qualification_id: str, on: date) -> Qualification | None:
    """Return one qualification as it stands on a day."""
    found = store.qualifications(conn, on, qualification_id=qualification_id)
    return found[0] if found else None


def post_of(conn: Connection, login: str) -> Post:
    """Return what a person's posts of today amount to; nothing for a person without a post."""
    today = clock.today()
    held = _recall(conn, ("posts", login, today), lambda: store.posts(conn, login, today))
    if not held:
        return Post()
    names = frozenset(post.role.value for post in held)
    return Post(held[0].institution, held[0].authority, names, roles.permissions_of(names))


def history(conn: Connection, kind: str, **key: str) -> list[dict[str, Any]]:
    """Return every version of a thing, superseded ones too, in the order of recording."""
    return store.history_of(conn, kind, key)


@lru_cache(maxsize=4)
def families(version: str = "2025-draft") -> Families:
    """Return the families of items of a version of the standard (RD-9.1-FAMILY)."""
    return Families.of_table(standard.load(version).table("9.1/families").rows)


def _limits() -> granting.Limits:
    rules = standard.load(get_settings().rule_set)
    return granting.Limits(
        transitional_months=rules.months("9.1/transitional_most"),
        least_level=rules.count("6.2/least_level"),
        rank=CentreRank(rules.text("6.4/qualification_rank")),
        rank_below=CentreRank(rules.text("6.4/qualification_rank_below")),
    )


# --- scope ------------------------------------------------------------------------------------


def _check_owner(actor: Actor, *owners: str | None) -> None:
    """Refuse a change of rows that belong to another authority.

    Raises:
        OutsideScope: One of the owners is not the authority of the actor's post.
    """
    if actor.kind is ActorKind.PROCESS:
        return
    if any(owner is not None and owner != actor.authority for owner in owners):
        raise OutsideScope("该数据由其他机关登记，只能变更本机关登记的数据。")


def _check_period(valid_from: date, valid_to: date | None) -> None:
    if valid_to is not None and valid_to <= valid_from:
        raise BadEntry(f"终止日期 {valid_to} 须晚于起始日期 {valid_from}。")


def _institution_on(conn: Connection, code: str, on: date) -> Institution:
    found = find_institution(conn, code, on)
    if found is None:
        raise BadEntry(f"机构 {code} 在 {on} 未登记，请先登记机构。")
    return found


def _record(
    conn: Connection, actor: Actor, action: str, subject: str, thing: Any, **detail: Any
) -> None:
    period = {"from": str(thing.valid_from), "to": str(thing.valid_to) if thing.valid_to else None}
    audit.record(conn, actor, action=action, subject=subject, detail={**period, **detail})


# --- changes ----------------------------------------------------------------------------------


def put_authority(conn: Connection, actor: Actor, thing: HealthAuthority) -> None:
    """Register a health commission; only processes of ours do (import, set-up)."""
    _check_owner(actor, thing.code)
    store.put_authority(conn, thing)
    audit.record(conn, actor, action="registry.authority.put", subject=f"authority:{thing.code}")


def put_centre(conn: Connection, actor: Actor, thing: QCCentre, valid_from: date) -> bool:
    """State a QC centre and its rank from a day on."""
    _check_owner(actor, thing.authority, store.owner_of(conn, "qc_centre", {"code": thing.code}))
    _check_authority(conn, thing.authority)
    changed = store.put_centre(conn, thing, valid_from)
    if changed:
        audit.record(
            conn,
            actor,
            action="registry.centre.put",
            subject=f"centre:{thing.code}",
            detail={"from": str(valid_from), "rank": thing.rank.value},
        )
    return changed


def _check_authority(conn: Connection, code: str) -> HealthAuthority:
    found = store.find_authority(conn, code)
    if found is None:
        raise BadEntry(f"卫生健康行政部门 {code} 未登记。")
    return found


def put_institution(conn: Connection, actor: Actor, thing: Institution) -> bool:
    """State an institution over its period; returns whether that changed anything."""
    _check_owner(actor, thing.authority, store.institution_owner(conn, thing.code))
    _check_period(thing.valid_from, thing.valid_to)
    authority = _check_authority(conn, thing.authority)
    if authority.province != thing.province:
        raise BadEntry(f"机构 {thing.code} 所在省市与登记机关 {authority.code} 不一致。")
    if thing.licence_holder != thing.code:
        holder = _institution_on(conn, thing.licence_holder, thing.valid_from)
        if holder.licence_holder != holder.code:
            raise BadEntry(f"{holder.code} 本身是院区，不能作为执业许可持有机构。")
    elif not thing.level_is_own:
        raise BadEntry(f"机构 {thing.code} 没有执业许可持有机构，须登记级别。")
    changed = store.put_institution(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.institution.put",
            f"institution:{thing.code}",
            thing,
            level=thing.level.value if thing.level_is_own else None,
            ownership=thing.ownership.value,
        )
    return changed


def change_institution(
    conn: Connection, actor: Actor, code: str, from_day: date, changes: Mapping[str, Any]
) -> Institution:
    """Change an institution from a day on, up to the end of the version of that day."""
    before = find_institution(conn, code, from_day)
    if before is None:
        raise NotRegistered(f"机构 {code} 在 {from_day} 未登记。")
    if "level" in changes:
        changes = {**changes, "level_is_own": True}
    after = replace(before, **changes, valid_from=from_day)
    put_institution(conn, actor, after)
    return after


def end_institution(conn: Connection, actor: Actor, code: str, on: date) -> None:
    """Take an institution out of the registry from a day on; what was before stays."""
    _end(conn, actor, "institution", {"code": code}, on)


def _end(conn: Connection, actor: Actor, kind: str, key: Mapping[str, str], on: date) -> None:
    owner = store.owner_of(conn, kind, key)
    name = "/".join(key.values())
    if owner is None:
        raise NotRegistered(f"没有登记 {name}。")
    _check_owner(actor, owner)
    if store.end_of(conn, kind, key, on) == 0:
        raise NotRegistered(f"{name} 在 {on} 及以后没有有效登记。")
    audit.record(
        conn,
        actor,
        action=f"registry.{kind}.ended",
        subject=f"{kind}:{name}",
        detail={"on": str(on)},
    )


def put_consortium(conn: Connection, actor: Actor, thing: Consortium) -> bool:
    """State a consortium over its period; members are stated by `put_membership`."""
    owner = store.owner_of(conn, "consortium", {"code": thing.code})
    _check_owner(actor, thing.authority, owner)
    _check_period(thing.valid_from, thing.valid_to)
    _check_authority(conn, thing.authority)
    changed = store.put_consortium(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.consortium.put",
            f"consortium:{thing.code}",
            thing,
            kind=thing.kind.value,
            all_items=thing.all_items,
        )
    return changed


def end_consortium(conn: Connection, actor: Actor, code: str, on: date) -> None:
    """Dissolve a consortium from a day on."""
    _end(conn, actor, "consortium", {"code": code}, on)


def put_membership(conn: Connection, actor: Actor, thing: Membership) -> bool:
    """State that an institution belongs to a consortium over a period."""
    owner = store.owner_of(conn, "consortium", {"code": thing.consortium})
    if owner is None:
        raise BadEntry(f"医联体 {thing.consortium} 未登记。")
    _check_owner(actor, thing.authority, owner)
    _check_period(thing.valid_from, thing.valid_to)
    _institution_on(conn, thing.institution, thing.valid_from)
    changed = store.put_membership(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.membership.put",
            f"consortium:{thing.consortium}",
            thing,
            institution=thing.institution,
        )
    return changed


def end_membership(
    conn: Connection, actor: Actor, consortium: str, institution: str, on: date
) -> None:
    """Let an institution leave a consortium on a day."""
    _check_owner(actor, store.owner_of(conn, "consortium", {"code": consortium}))
    if store.end_membership(conn, consortium, institution, on) == 0:
        raise NotRegistered(f"{institution} 在 {on} 及以后不是医联体 {consortium} 的成员。")
    audit.record(
        conn,
        actor,
        action="registry.membership.ended",
        subject=f"consortium:{consortium}",
        detail={"institution": institution, "on": str(on)},
    )


def put_device(conn: Connection, actor: Actor, thing: Device) -> bool:
    """State a device, and the tests it brings, over its period."""
    place = _institution_on(conn, thing.institution, thing.valid_from)
    owner = store.owner_of(conn, "device", {"id": thing.id})
    _check_owner(actor, thing.authority, owner, place.authority)
    _check_period(thing.valid_from, thing.valid_to)
    if thing.cannot_send and thing.review_on is None:
        raise BadEntry("登记设备不能提供的数据项时，须写明复核日期。")
    store.lock(conn)
    twins = store.devices_with_serial(
        conn, thing.institution, thing.serial, thing.valid_from, thing.valid_to
    )
    if set(twins) - {thing.id}:
        raise BadEntry(f"{thing.institution} 已登记序列号为 {thing.serial} 的设备。")
    changed = store.put_device(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.device.put",
            f"device:{thing.id}",
            thing,
            kind=thing.kind.value,
            institution=thing.institution,
        )
    tested = [record_test(conn, actor, thing.id, test) for test in thing.tests]
    return changed or any(tested)


def record_test(conn: Connection, actor: Actor, device_id: str, test: DeviceTest) -> bool:
    """Keep the outcome of a device test and how long it counts."""
    found = store.devices(conn, test.tested_on, ids=(device_id,))
    device = found[0] if found else None
    owner = store.owner_of(conn, "device", {"id": device_id})
    if owner is None:
        raise NotRegistered(f"设备 {device_id} 未登记。")
    _check_owner(actor, owner)
    _check_period(test.valid_from, test.valid_to)
    if test.valid_to is None and test.kind is TestKind.STATE:
        raise BadEntry("状态检测须写明有效期的终止日期。")
    if test.valid_from < test.tested_on:
        raise BadEntry("检测有效期不能早于检测日期。")
    jurisdiction = device.jurisdiction if device else _check_authority(conn, owner).jurisdiction
    changed = store.put_device_test(conn, device_id, test, owner, jurisdiction)
    if changed:
        _record(
            conn,
            actor,
            "registry.device.tested",
            f"device:{device_id}",
            test,
            kind=test.kind.value,
            passed=test.passed,
        )
    return changed


def end_device(conn: Connection, actor: Actor, device_id: str, on: date) -> None:
    """Take a device out of service from a day on."""
    _end(conn, actor, "device", {"id": device_id}, on)


def put_staff(conn: Connection, actor: Actor, thing: Staff) -> bool:
    """State a member of the staff over the period of the licence."""
    place = _institution_on(conn, thing.institution, thing.valid_from)
    key = {"institution": thing.institution, "code": thing.code}
    _check_owner(actor, thing.authority, store.owner_of(conn, "staff", key), place.authority)
    _check_period(thing.valid_from, thing.valid_to)
    changed = store.put_staff(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.staff.put",
            f"staff:{thing.institution}/{thing.code}",
            thing,
            profession=thing.profession.value,
        )
    return changed


def end_staff(conn: Connection, actor: Actor, institution: str, code: str, on: date) -> None:
    """Let the licence of a member of the staff end on a day."""
    _end(conn, actor, "staff", {"institution": institution, "code": code}, on)


def put_list(conn: Connection, actor: Actor, thing: InstitutionList) -> None:
    """Keep a list; a published one keeps its day of publication.

    Raises:
        BadEntry: A published list would be published on another day.
    """
    known = store.find_list(conn, thing.id)
    _check_owner(actor, thing.authority, known.authority if known else None)
    _check_authority(conn, thing.authority)
    if known and known.published_at and thing.published_at != known.published_at:
        raise BadEntry(f"名单 {thing.id} 已发布，发布时间不能更改。")
    if known == thing:
        return
    store.put_list(conn, thing)
    audit.record(
        conn,
        actor,
        action="registry.list.put",
        subject=f"list:{thing.id}",
        detail={"published": thing.published_at is not None},
    )


def publish_list(
    conn: Connection, actor: Actor, list_id: str, at: datetime | None = None
) -> InstitutionList:
    """Publish a list; it counts from the local day of that moment."""
    known = store.find_list(conn, list_id)
    if known is None:
        raise NotRegistered(f"没有名单 {list_id}。")
    if known.published_at is not None:
        raise BadState(f"名单 {list_id} 已发布。")
    _check_owner(actor, known.authority)
    published = replace(known, published_at=at or clock.now())
    store.put_list(conn, published)
    audit.record(conn, actor, action="registry.list.published", subject=f"list:{list_id}")
    return published


def put_entry(conn: Connection, actor: Actor, thing: ListEntry) -> bool:
    """State that an institution is on a list over a period."""
    known = store.find_list(conn, thing.list_id)
    if known is None:
        raise BadEntry(f"没有名单 {thing.list_id}。")
    place = _institution_on(conn, thing.institution, thing.valid_from)
    if place.authority != known.authority:
        raise OutsideScope(f"{thing.institution} 不属于发布名单的机关，不能列入。")
    _check_owner(actor, thing.authority, known.authority)
    _check_period(thing.valid_from, thing.valid_to)
    changed = store.put_entry(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.list.entered",
            f"list:{thing.list_id}",
            thing,
            institution=thing.institution,
        )
    return changed


def end_entry(conn: Connection, actor: Actor, list_id: str, institution: str, on: date) -> None:
    """Take an institution off a list from a day on."""
    known = store.find_list(conn, list_id)
    if known is None:
        raise NotRegistered(f"没有名单 {list_id}。")
    _check_owner(actor, known.authority)
    if store.end_entry(conn, list_id, institution, on) == 0:
        raise NotRegistered(f"{institution} 在 {on} 及以后不在名单 {list_id} 上。")
    audit.record(
        conn,
        actor,
        action="registry.list.removed",
        subject=f"list:{list_id}",
        detail={"institution": institution, "on": str(on)},
    )


# --- inspections and qualifications -----------------------------------------------------------


def record_inspection(conn: Connection, actor: Actor, thing: Inspection) -> bool:
    """Keep a concluded offline inspection; a conclusion never changes, so twice is one.

    Raises:
        BadEntry: Other facts stand under that id, or fewer than two people signed.
    """
    _check_owner(actor, thing.centre)
    scope_value = families(get_settings().rule_set).spelled(thing.scope_kind, thing.scope_value)
    thing = replace(thing, scope_value=scope_value)
    known = store.find_inspection(conn, thing.id)
    if known == thing:
        return False
    if known is not None:
        raise BadEntry(f"抽查记录 {thing.id} 已存在且内容不同，结论不可更改。")
    if len(set(thing.signatures)) < _SIGNATURES:
        raise BadEntry("抽查结论须由两名不同的人员签署。")
    if store.find_centre(conn, thing.centre, thing.concluded_on) is None:
        raise BadEntry(f"质控中心 {thing.centre} 在 {thing.concluded_on} 未登记。")
    _institution_on(conn, thing.institution, thing.concluded_on)
    if not families(get_settings().rule_set).items_of(thing.scope_kind, thing.scope_value):
        raise BadEntry(f"抽查范围「{thing.scope_value}」不是附录A的项目、项目组或类别。")
    store.add_inspection(conn, thing)
    audit.record(
        conn,
        actor,
        action="registry.inspection.concluded",
        subject=f"inspection:{thing.id}",
        detail={"institution": thing.institution, "passed": thing.passed},
    )
    return True


def grant(conn: Connection, actor: Actor, thing: Qualification) -> Qualification:
    """Grant a qualification on its basis (R9.1-1).

    Raises:
        CannotGrant: It has no sufficient basis; the sentence names every reason.
    """
    scope_value = families(get_settings().rule_set).spelled(thing.scope_kind, thing.scope_value)
    thing = replace(thing, scope_value=scope_value)
    if store.qualification_exists(conn, thing.id):
        raise CannotGrant(f"资格编号 {thing.id} 已使用。")
    centre = store.find_centre(conn, thing.centre, thing.valid_from) if thing.centre else None
    owner = store.institution_owner(conn, thing.institution)
    if thing.basis is Basis.TRANSITIONAL:
        _check_owner(actor, owner, thing.authority)
    else:
        _check_owner(actor, thing.centre)
        if centre is not None and centre.authority != owner:
            raise OutsideScope("质控中心与该机构不属同一机关管辖。")
    application = granting.Application(
        qualification=thing,
        institution=find_institution(conn, thing.institution, thing.valid_from),
        centre=centre,
        inspection=store.find_inspection(conn, thing.inspection) if thing.inspection else None,
        families=families(get_settings().rule_set),
        limits=_limits(),
    )
    reasons = granting.reasons_against(application)
    if reasons:
        raise CannotGrant("；".join(reasons) + "。")
    granted = replace(
        thing,
        state=QualificationState.PASSED,
        centre_rank=centre.rank if centre else None,
        revoked_items=frozenset(),
    )
    store.put_qualification(conn, granted)
    _tell(conn, actor, "granted", granted, granted.valid_from)
    return granted


def suspend(
    conn: Connection, actor: Actor, qualification_id: str, from_day: date, because: str
) -> None:
    """Suspend a qualification from a day on, that day included (R6.4-2)."""
    _step(conn, actor, qualification_id, from_day, QualificationState.SUSPENDED, because)


def resume(
    conn: Connection, actor: Actor, qualification_id: str, from_day: date, because: str
) -> None:
    """Let a suspended qualification stand as passed again from a day on."""
    _step(conn, actor, qualification_id, from_day, QualificationState.PASSED, because)


def revoke(
    conn: Connection, actor: Actor, qualification_id: str, from_day: date, because: str
) -> None:
    """Revoke a whole qualification from a day on; it is never revived."""
    _step(conn, actor, qualification_id, from_day, QualificationState.REVOKED, because)


def _step(
    conn: Connection,
    actor: Actor,
    qualification_id: str,
    from_day: date,
    state: QualificationState,
    because: str,
) -> None:
    before = _changeable(conn, actor, qualification_id, from_day, because)
    for version in before:
        if state not in STEPS[version.state]:
            raise BadState(
                f"资格自 {version.valid_from} 起的状态为"
                f"「{_STATE_WORDS[version.state]}」，不能改为「{_STATE_WORDS[state]}」。"
            )
    changes = {"state": state.value, "because": because}
    store.amend_qualification(conn, qualification_id, from_day, changes)
    _tell(conn, actor, state.value, replace(before[0], state=state), from_day)


def revoke_items(
    conn: Connection,
    actor: Actor,
    qualification_id: str,
    from_day: date,
    items: frozenset[int],
    because: str,
) -> None:
    """Take single items out of a qualification from a day on."""
    before = _changeable(conn, actor, qualification_id, from_day, because)
    scope = families(get_settings().rule_set).items_of(before[0].scope_kind, before[0].scope_value)
    if not items or not items <= scope:
        raise BadEntry("要撤销的项目不在该资格的范围内。")
    for version in before:
        whole = sorted(version.revoked_items | items)
        store.amend_qualification(
            conn,
            qualification_id,
            max(from_day, version.valid_from),
            {"revoked_items": whole, "because": because},
        )
    changed = replace(before[0], revoked_items=before[0].revoked_items | items)
    _tell(conn, actor, "items_revoked", changed, from_day)


def _changeable(
    conn: Connection, actor: Actor, qualification_id: str, from_day: date, because: str
) -> tuple[Qualification, ...]:
    versions = store.versions_of_qualification(conn, qualification_id, from_day)
    if not versions:
        raise NotRegistered(f"没有在 {from_day} 及以后有效的资格 {qualification_id}。")
    if versions[0].basis is Basis.TRANSITIONAL:
        _check_owner(actor, versions[0].authority)
    else:
        _check_owner(actor, versions[0].centre)
    if not because.strip():
        raise BadEntry("须写明理由。")
    return versions


def _tell(conn: Connection, actor: Actor, what: str, thing: Qualification, from_day: date) -> None:
    audit.record(
        conn,
        actor,
        action=f"registry.qualification.{what}",
        subject=f"qualification:{thing.id}",
        detail={
            "institution": thing.institution,
            "scope": thing.scope_value,
            "from": str(from_day),
            "revoked_items": sorted(thing.revoked_items),
        },
    )


_STATE_WORDS: Final = {
    QualificationState.PASSED: "合格",
    QualificationState.SUSPENDED: "暂停",
    QualificationState.REVOKED: "撤销",
}


# --- posts and AE titles ----------------------------------------------------------------------


def assign_post(conn: Connection, actor: Actor, thing: PostHeld) -> bool:
    """Give a person a role at one institution or one authority over a period.

    Raises:
        BadEntry: The role has no such place, or the person holds a post elsewhere then.
    """
    _check_period(thing.valid_from, thing.valid_to)
    if (thing.institution is None) == (thing.authority is None):
        raise BadEntry("岗位须属于一个医疗机构或一个管理机关，二者择一。")
    if not roles.has_place(thing.role, at_authority=thing.authority is not None):
        raise BadEntry(f"岗位「{thing.role.value}」不能设在这类单位。")
    _check_place(conn, thing)
    store.lock(conn)
    for other in store.posts(conn, thing.login, since=thing.valid_from):
        apart = thing.valid_to is not None and other.valid_from >= thing.valid_to
        elsewhere = (other.institution, other.authority) != (thing.institution, thing.authority)
        if elsewhere and not apart:
            raise BadEntry("同一账号在同一时间只能在一个单位任岗，请另设账号或先结束原岗位。")
    changed = store.put_post(conn, thing)
    if changed:
        _record(
            conn,
            actor,
            "registry.post.assigned",
            f"person:{thing.login}",
            thing,
            role=thing.role.value,
            place=thing.institution or thing.authority,
        )
    return changed


def _check_place(conn: Connection, thing: PostHeld) -> None:
    if thing.institution is not None:
        _institution_on(conn, thing.institution, thing.valid_from)
    elif thing.authority is not None:
        known = store.find_authority(conn, thing.authority) or store.find_centre(
            conn, thing.authority, thing.valid_from
        )
        if known is None:
            raise BadEntry(f"管理机关 {thing.authority} 未登记。")


def end_post(conn: Connection, actor: Actor, login: str, role: RoleName, on: date) -> None:
    """Let a person leave a post on a day."""
    if store.end_post(conn, login, role, on) == 0:
        raise NotRegistered(f"账号 {login} 在 {on} 及以后没有该岗位。")
    audit.record(
        conn,
        actor,
        action="registry.post.ended",
        subject=f"person:{login}",
        detail={"role": role.value, "on": str(on)},
    )


def bind_ae_title(
    conn: Connection,
    actor: Actor,
    title: str,
    institution: str,
    valid_from: date,
    valid_to: date | None = None,
) -> bool:
    """Let a calling AE title speak for an institution over a period."""
    title = title.strip()
    _check_period(valid_from, valid_to)
    place = _institution_on(conn, institution, valid_from)
    _check_owner(actor, place.authority, store.owner_of(conn, "ae_title", {"title": title}))
    changed = store.put_ae_title(
        conn, title, institution, place.authority, place.jurisdiction, valid_from, valid_to
    )
    if changed:
        audit.record(
            conn,
            actor,
            action="registry.ae_title.bound",
            subject=f"ae_title:{title}",
            detail={"institution": institution, "from": str(valid_from)},
        )
    return changed


# --- import -----------------------------------------------------------------------------------


def import_region(
    conn: Connection, actor: Actor, data: Mapping[str, Any]
) -> dict[str, dict[str, int]]:
    """Take in a region from a plain mapping (see docs/how-to/registry.md).

    A row that was imported before in exactly this form is left alone, so that the same file can
    be taken in again and again, also after people changed things by hand. All or nothing.

    Returns:
        Per kind of row how many were `taken` and how many `known`.
    """
    from accord.registry import intake  # noqa: PLC0415 - the edge, which imports this module

    return intake.take_in(conn, actor, data)
