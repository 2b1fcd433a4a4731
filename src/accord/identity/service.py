"""Register patients, link those that are certainly one person, hand the rest to people.

Linking is done again whenever a record changes: a patient belongs to a person only as long as
R-ID-1 holds between them. What cannot be decided is a task of people and nothing to anybody else.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from sqlalchemy import Connection

from accord.identity import store
from accord.identity.errors import (
    BadPatient,
    ForeignPatient,
    NotOnePerson,
    UnknownPatient,
    UnknownTask,
)
from accord.identity.model import (
    Patient,
    PatientRecord,
    PersonUnlinked,
    Sex,
    Task,
    TaskDecision,
    TaskKind,
    parse_id_type,
)
from accord.identity.names import normalise
from accord.identity.rules import numbers, persons
from accord.identity.rules.placing import Basis, Group, Placement
from accord.identity.store import Kept
from accord.kit import audit, clock, events
from accord.kit.access import Actor, ActorKind
from accord.kit.crypto import get_crypto
from accord.kit.db import Read
from accord.registry import service as registry

PURPOSE: Final = "identity"
_MOST_NAMESAKES: Final = 20


# --- reads --------------------------------------------------------------------------------------


def find_patient(conn: Connection, authority: str, local_id: str) -> Patient | None:
    """Return the patient of that key."""
    found = store.find(conn, authority, local_id)
    return None if found is None else found.patient


def person_of(conn: Connection, authority: str, local_id: str) -> str | None:
    """Return the person of a patient; None unless that is certain.

    A patient in quarantine and one that nobody could identify have no person to a caller.
    """
    patient = find_patient(conn, authority, local_id)
    if patient is None or patient.quarantined or persons.is_unidentified(patient.name):
        return None
    return patient.person_id


def keys_of_persons(
    authority: str, local_ids: Collection[str]
) -> Read[dict[str, tuple[tuple[str, str], ...]]]:
    """Ask whose keys the certain persons of some patients have, by local id.

    For a question that goes together with others; it leaves out whom `person_of` does not know.
    """
    read = store.persons_of(authority, local_ids)

    def certain(rows: Sequence[Any]) -> dict[str, tuple[tuple[str, str], ...]]:
        return {
            local_id: whose.keys
            for local_id, whose in read.make(rows).items()
            if not whose.quarantined and not persons.is_unidentified(whose.name)
        }

    return Read(read.statement, read.values, certain)


def certain_persons(
    conn: Connection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the certain person of each (authority, local id), without those who have none."""
    found = ((key, person_of(conn, *key)) for key in set(keys))
    return {key: person for key, person in found if person is not None}


def keys_apart(conn: Connection, patient_id: int, from_person: str) -> tuple[tuple[str, str], ...]:
    """Return the keys of a patient that was taken out of a person, and of those who stayed."""
    gone = tuple(kept.patient for kept in store.get(conn, [patient_id]))
    return tuple(
        (each.authority, each.local_id) for each in (*gone, *store.of_person(conn, from_person))
    )


def has_number(conn: Connection, patient: Patient, number: str) -> bool | None:
    """Say whether a number read elsewhere (header, report) is the one registered.

    15 and 18 digits of one citizen are the same number. None where none is registered.
    """
    kept = store.get(conn, [patient.id])
    sealed = kept[0].sealed if kept else None
    if sealed is None:
        return None
    bound_to = _bound_to(patient.authority, patient.local_id)
    registered = get_crypto().open(PURPOSE, sealed, bound_to=bound_to).decode()
    return _one_spelling(registered) == _one_spelling(number)


def _one_spelling(number: str) -> str:
    citizen = numbers.read_citizen_number(number, clock.today())
    return citizen.text if citizen else numbers.folded(number)


# --- registration -------------------------------------------------------------------------------


def register_patient(conn: Connection, actor: Actor, record: PatientRecord) -> Patient:
    """Register a patient, or amend one that is known, and link it where that is certain.

    The same record twice changes nothing.

    Raises:
        ForeignPatient: The id is not of the actor's institution.
        BadPatient: The record cannot be kept.
    """
    _check_authority(actor, record.authority)
    record = _checked(record)
    store.lock(conn, "patient", record.authority, record.local_id)
    known = store.find(conn, record.authority, record.local_id)
    crypto = get_crypto()
    digests = crypto.macs(PURPOSE, _content(record))
    if known is not None and known.digest in digests:
        return known.patient
    number = numbers.judge(record, clock.today())
    tokens = crypto.macs(PURPOSE, number.key.encode()) if number.key else ()
    values = _columns(record, number, tokens, digests[0])
    if known is None:
        patient_id = store.add(conn, values)
    else:
        patient_id = known.patient.id
        store.amend(conn, patient_id, values)
    fresh = store.get(conn, [patient_id])[0].patient
    audit.record(
        conn,
        actor,
        action="identity.patient.registered" if known is None else "identity.patient.amended",
        subject=f"patient:{patient_id}",
        detail={
            "authority": record.authority,
            "version": fresh.version,
            "id_state": number.state.value,
        },
    )
    _settle(conn, actor, patient_id, tokens)
    kept = store.get(conn, [patient_id])[0]
    _look_for_namesakes(conn, kept)
    return kept.patient


def _check_authority(actor: Actor, authority: str) -> None:
    if actor.kind is not ActorKind.PROCESS and actor.institution != authority:
        raise ForeignPatient("只能登记本机构分配的患者编号。")


def _checked(record: PatientRecord) -> PatientRecord:
    """Return the record with its parts in their usual spelling.

    Raises:
        BadPatient: A part is missing or impossible.
    """
    local_id, name = record.local_id.strip(), " ".join(record.name.split())
    if not local_id or not name:
        raise BadPatient("患者编号和姓名不能为空。")
    if numbers.read_citizen_number(local_id, clock.today()) is not None:
        raise BadPatient("不得以身份证件号码作为患者编号，请使用院内编号。")
    if record.birth_date is not None and record.birth_date > clock.today():
        raise BadPatient("出生日期晚于今天，请核对。")
    try:
        sex = Sex(record.sex)
    except ValueError:
        raise BadPatient("性别须为 M、F、O 或 U。") from None
    return replace(record, local_id=local_id, name=name, sex=sex.value)


def _content(record: PatientRecord) -> bytes:
    return json.dumps(asdict(record), default=str, sort_keys=True).encode()


def _bound_to(authority: str, local_id: str) -> bytes:
    return f"{authority}\x1f{local_id}".encode()


def _columns(
    record: PatientRecord, number: numbers.Number, tokens: tuple[str, ...], digest: str
) -> dict[str, Any]:
    crypto = get_crypto()
    bound_to = _bound_to(record.authority, record.local_id)

    def seal(text: str | None) -> str | None:
        if not text or not text.strip():
            return None
        return crypto.seal(PURPOSE, text.strip().encode(), bound_to=bound_to)

    return {
        "authority": record.authority,
        "local_id": record.local_id,
        "name": record.name,
        "name_key": normalise(record.name),
        "sex": record.sex,
        "birth_date": record.birth_date,
        "id_type": _type_of(record),
        "id_country": record.id_country if record.id_number else None,
        "id_kind": number.kind,
        "id_token": tokens[0] if tokens else None,
        "id_sealed": seal(record.id_number),
        "id_state": number.state.value,
        "phone_sealed": seal(record.phone),
        "birth_order": record.birth_order,
        "digest": digest,
    }


def _type_of(record: PatientRecord) -> str | None:
    if not record.id_number or not record.id_type:
        return None
    try:
        return parse_id_type(record.id_type).value
    except ValueError:
        return None


# --- linking ------------------------------------------------------------------------------------


def _settle(conn: Connection, actor: Actor, subject: int, tokens: Collection[str]) -> None:
    """Place a patient, then those in quarantine that its change may have set right."""
    if tokens:
        # The oldest key's hash is the same in every process, also while keys rotate.
        store.lock(conn, "number", list(tokens)[-1])
    for other in _place(conn, actor, subject, tokens):
        _place(conn, actor, other, tokens)


def _place(conn: Connection, actor: Actor, subject: int, tokens: Collection[str]) -> list[int]:
    """Place one patient and return those near it that are in quarantine."""
    members = store.group(conn, subject, tokens)
    decided = store.decisions(conn, [kept.patient.id for kept in members])
    group = Group((kept.member(tokens) for kept in members), decided)
    patients = {kept.patient.id: kept.patient for kept in members}
    placed = group.place(subject)
    quarantined = bool(placed.against)
    if quarantined is not patients[subject].quarantined:
        store.set_quarantine(conn, subject, quarantined)
        audit.record(
            conn,
            actor,
            action=f"identity.patient.{'quarantined' if quarantined else 'released'}",
            subject=f"patient:{subject}",
            detail={"because": list(placed.against)},
        )
    whole = placed.with_whom | {subject}
    wanted = [whole, *group.components(patients.keys() - whole)]
    _assign(conn, actor, subject, patients, wanted)
    _keep_tasks(conn, actor, patients[subject], placed)
    if placed.with_whom:
        for task in store.settled_tasks(conn, whole):
            store.close_task(conn, task, TaskDecision.LINKED, f"{actor.kind}:{actor.id}", "")
    return [each.id for each in patients.values() if each.quarantined and each.id != subject]


def _assign(
    conn: Connection,
    actor: Actor,
    subject: int,
    patients: Mapping[int, Patient],
    wanted: Iterable[frozenset[int]],
) -> None:
    """Give every component one person that no other has: that of its oldest member.

    Who joins takes the others' person and who leaves leaves it to them, however old: ids are
    given before the lock, so the older one may well come second.
    """
    taken: set[str] = set()
    before: dict[str, set[int]] = {}
    for number, patient in patients.items():
        before.setdefault(patient.person_id, set()).add(number)
    for component in sorted(wanted, key=lambda each: (each == {subject}, min(each))):
        person = patients[min(component - {subject} or component)].person_id
        if person in taken:
            person = store.new_person_id()
        taken.add(person)
        for number in sorted(component):
            patient = patients[number]
            if patient.person_id == person:
                continue
            left_behind = before[patient.person_id] - component
            joins = bool(component - {number})
            reason = "linked" if joins else "unlinked"
            store.move(conn, patient, person, reason, f"{actor.kind}:{actor.id}")
            audit.record(
                conn,
                actor,
                action=f"identity.person.{reason}",
                subject=f"patient:{number}",
                detail={"from": patient.person_id, "to": person},
            )
            if left_behind:
                events.publish(conn, PersonUnlinked(number, patient.person_id))


def _keep_tasks(conn: Connection, actor: Actor, patient: Patient, placed: Placement) -> None:
    """Open what people must look at now, close what a correction has settled."""
    standing: dict[TaskKind, tuple[str, ...]] = {}
    if placed.against:
        standing[TaskKind.CONTRADICTION] = placed.against
    elif patient.id_state.needs_people:
        standing[TaskKind.ID_NOT_VERIFIED] = (patient.id_state.value,)
    for kind, because in standing.items():
        task = store.open_task(conn, kind, patient, placed.contradicted, because)
        _audit_task(conn, actor, task, kind, patient)
    settled = {TaskKind.CONTRADICTION, TaskKind.ID_NOT_VERIFIED} - standing.keys()
    if patient.version > 1 or patient.quarantined:  # a new patient has no task yet
        by = f"{actor.kind}:{actor.id}"
        store.close_tasks(conn, patient.id, settled, TaskDecision.CORRECTED, by)


def _audit_task(
    conn: Connection, actor: Actor, task: int, kind: TaskKind, patient: Patient
) -> None:
    audit.record(
        conn,
        actor,
        action="identity.task.opened",
        subject=f"identity_task:{task}",
        detail={"kind": kind.value, "patient": patient.id},
    )


def _look_for_namesakes(conn: Connection, kept: Kept) -> None:
    """Open a task where somebody else may be the same person; nobody but people learns of it."""
    patient = kept.patient
    if patient.birth_date is None:
        return
    found = store.namesakes(
        conn,
        normalise(patient.name),
        patient.birth_date,
        without_person=patient.person_id,
        most=_MOST_NAMESAKES,
    )
    if not found:
        return
    decided = store.decisions(conn, [patient.id, *(other.patient.id for other in found)])
    others = [
        other.patient.id
        for other in found
        if persons.may_be_same(kept.facts(), other.facts())
        and (min(patient.id, other.patient.id), max(patient.id, other.patient.id)) not in decided
    ]
    if others:
        store.open_task(
            conn, TaskKind.POSSIBLE_SAME, patient, others, ("name_and_birth_date_equal",)
        )


# --- what sources and people decide -------------------------------------------------------------


def link_by_source(
    conn: Connection, actor: Actor, authority: str, local_id: str, other_local_id: str
) -> Patient:
    """Take over that an assigning authority merges or cross-references two of its own ids.

    Nothing is linked where name, birth date, sex or verified ids contradict: then it is a task.

    Raises:
        UnknownPatient: One of the ids is not registered.
    """
    _check_authority(actor, authority)
    first, second = sorted(
        (_known(conn, authority, each) for each in (local_id, other_local_id)),
        key=lambda kept: kept.patient.id,
    )
    if first.patient.id == second.patient.id:
        raise BadPatient("不能将患者编号与其自身合并。")
    by = f"{actor.kind}:{actor.id}"
    store.decide(
        conn,
        first.patient.id,
        second.patient.id,
        same=True,
        basis=Basis.SOURCE,
        by=by,
        reason="feed",
    )
    audit.record(
        conn,
        actor,
        action="identity.patient.merged_by_source",
        subject=f"patient:{first.patient.id}",
        detail={"other": second.patient.id, "authority": authority},
    )
    _settle(conn, actor, second.patient.id, _tokens(second))
    return _known(conn, authority, local_id).patient


def _known(conn: Connection, authority: str, local_id: str) -> Kept:
    found = store.find(conn, authority, local_id)
    if found is None:
        raise UnknownPatient("本机构没有该编号的患者。")
    return found


def _tokens(kept: Kept) -> tuple[str, ...]:
    return (kept.token,) if kept.token else ()


def open_tasks(conn: Connection, actor: Actor) -> tuple[Task, ...]:
    """Return the open tasks that the actor works on.

    A post at an institution has those of its own patients and does not see who the others are; a
    regional post has those of its authority's institutions, with both sides.
    """
    mine = store.tasks(conn, authorities=_authorities_of(conn, actor))
    if actor.institution is None:
        return mine
    return tuple(_narrowed(task, actor.institution) for task in mine)


def _authorities_of(conn: Connection, actor: Actor) -> frozenset[str] | None:
    """Return whose patients the actor may work on; None means everybody's."""
    if actor.kind is ActorKind.PROCESS:
        return None
    if actor.institution is not None:
        return frozenset({actor.institution})
    return frozenset(
        each.code
        for each in registry.institutions(conn, clock.today())
        if each.authority == actor.authority
    )


def _narrowed(task: Task, institution: str) -> Task:
    others = tuple(other for other in task.others if other.authority == institution)
    return replace(task, others=others)


def decide_task(
    conn: Connection, actor: Actor, task_id: int, decision: TaskDecision, note: str
) -> None:
    """Decide a task: link the patient with the others, keep them apart, or note a correction.

    Raises:
        UnknownTask: There is no such open task for the actor.
        NotOnePerson: The other side is another institution's, which needs the regional post; or
            a task of that kind is not settled that way.
        BadPatient: No reason is given.
    """
    task = store.find_task(conn, task_id)
    mine = _authorities_of(conn, actor)
    outside = task is None or (mine is not None and task.patient.authority not in mine)
    if task is None or task.decision is not None or outside:
        raise UnknownTask("没有可处理的该项任务。")
    if not note.strip():
        raise BadPatient("须写明处理依据。")
    foreign = any(other.authority != task.patient.authority for other in task.others)
    if actor.institution is not None and foreign and _is_word(decision):
        raise NotOnePerson("涉及其他机构的患者，须由区域患者身份管理岗位处理。")
    if decision not in _DECISIONS[task.kind] or (_is_word(decision) and not task.others):
        raise NotOnePerson("该项任务不能这样处理；登记有误的，请由登记机构修改登记信息。")
    by = f"{actor.kind}:{actor.id}"
    if _is_word(decision):
        for other in task.others:
            store.decide(
                conn,
                task.patient.id,
                other.id,
                same=decision is TaskDecision.LINKED,
                basis=Basis.PEOPLE,
                by=by,
                reason=note.strip(),
            )
    store.close_task(conn, task_id, decision, by, note.strip())
    audit.record(
        conn,
        actor,
        action="identity.task.decided",
        subject=f"identity_task:{task_id}",
        detail={"decision": decision.value, "patient": task.patient.id},
    )
    if _is_word(decision):
        kept = store.get(conn, [task.patient.id])[0]
        _settle(conn, actor, task.patient.id, _tokens(kept))


_WORDS: Final = frozenset({TaskDecision.LINKED, TaskDecision.KEPT_APART})
_DECISIONS: Final[Mapping[TaskKind, frozenset[TaskDecision]]] = {
    TaskKind.ID_NOT_VERIFIED: frozenset({TaskDecision.CORRECTED}),
    TaskKind.CONTRADICTION: _WORDS,
    TaskKind.POSSIBLE_SAME: _WORDS,
}


def _is_word(decision: TaskDecision) -> bool:
    """Say whether it is people's word on who is one person with whom."""
    return decision in _WORDS


def unlink(conn: Connection, actor: Actor, patient_id: int, note: str) -> Patient:
    """Take a patient out of its person by people's decision; the machine never puts it back.

    Raises:
        ForeignPatient: The actor has a post at an institution and not a regional one.
        UnknownPatient: There is no such patient.
        BadPatient: No reason is given, or it is alone already.
    """
    if actor.institution is not None:
        raise ForeignPatient("拆分涉及多家机构，须由区域患者身份管理岗位处理。")
    found = store.get(conn, [patient_id])
    mine = _authorities_of(conn, actor)
    if not found or (mine is not None and found[0].patient.authority not in mine):
        raise UnknownPatient("没有该患者。")
    if not note.strip():
        raise BadPatient("须写明拆分依据。")
    members = store.group(conn, patient_id, ())
    person = found[0].patient.person_id
    others = [
        kept.patient.id
        for kept in members
        if kept.patient.person_id == person and kept.patient.id != patient_id
    ]
    if not others:
        raise BadPatient("该患者未与其他记录关联。")
    for other in others:
        store.decide(
            conn,
            patient_id,
            other,
            same=False,
            basis=Basis.PEOPLE,
            by=f"{actor.kind}:{actor.id}",
            reason=note.strip(),
        )
    _settle(conn, actor, patient_id, _tokens(found[0]))
    return store.get(conn, [patient_id])[0].patient
