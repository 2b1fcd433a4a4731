"""The dictionary of an institution: intake, proposals, approval, confirmation, work list (R7.2-1).

The department approves, the QC centre of its province confirms; only then the alias counts. An
alias never crosses side, contrast or modality, whoever approves it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection

from accord import catalogue
from accord.catalogue.model import Side
from accord.catalogue.names import matcher
from accord.catalogue.names.aliases import WORDS, crossings
from accord.catalogue.names.changes import Snapshot, between, snapshot
from accord.catalogue.names.intake import Fault, Row, read_table
from accord.catalogue.names.model import Answer, Kind, Parts, Query
from accord.catalogue.technique_codes import is_well_formed
from accord.kit import audit, clock
from accord.kit.access import Actor
from accord.kit.errors import Forbidden
from accord.record import store as record_store
from accord.record.names import store
from accord.record.names.errors import BadCode, CrossesMeaning, UnknownName, WrongStep
from accord.record.names.model import LocalName, ProposalGroup, State, grouped
from accord.registry import service as registry

MOST_NAMES: Final = 20_000
OPEN: Final = (State.PROPOSED, State.REJECTED)


@dataclass(frozen=True)
class Intake:
    """What became of a dictionary: rows kept, and the fault of each row that was not."""

    rows: int
    kept: int
    encoding: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Unmapped:
    """A name of the work list: how often it occurs, and what the matcher says."""

    name: str
    count: int
    kind: Kind
    items: tuple[int, ...]
    because: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """A name whose answer is another one since the lexicon changed."""

    name: str
    before: Kind
    before_items: tuple[int, ...]
    after: Kind
    after_items: tuple[int, ...]


@dataclass(frozen=True)
class Rematched:
    """What a changed lexicon did: names looked at, matched again, moved."""

    names: int
    matched_again: int
    moved: tuple[Moved, ...]


def _institution(actor: Actor) -> str:
    if actor.institution is None:
        raise Forbidden("此操作须以医疗机构的身份进行。")
    return actor.institution


def take_in(conn: Connection, actor: Actor, content: bytes) -> Intake:
    """Take in a dictionary (CSV or Excel) of the actor's institution as proposals.

    A faulty row is reported with its line and passed by. A name taken in again keeps what was
    decided about it.

    Raises:
        BrokenTable: Nothing in the file can be read.
    """
    institution = _institution(actor)
    table = read_table(content)
    known = matcher.load()
    state = snapshot(known.lexicon)
    store.keep_lexicon(conn, state.fingerprint, state.as_dict())
    faults = list(table.faults)
    seen: dict[str, Row] = {}
    kept = 0
    for row in table.sound:
        fault = _fault(row, seen)
        if fault is not None:
            faults.append(Fault(row.row, row.line, fault))
            continue
        seen[catalogue.fold(row.cells["local_name"])] = row
        store.put_proposal(conn, _proposal(row, institution, actor, known, state.fingerprint))
        kept += 1
    audit.record(
        conn,
        actor,
        action="record.names.taken_in",
        subject=f"names:{institution}",
        detail={"rows": len(table.rows), "kept": kept, "faults": len(faults)},
    )
    return Intake(
        len(table.rows), kept, table.encoding, tuple(sorted(faults, key=lambda f: f.line))
    )


def _fault(row: Row, seen: dict[str, Row]) -> str | None:
    name = row.cells.get("local_name")
    if not name:
        return "没有项目名称"
    earlier = seen.get(catalogue.fold(name))
    if earlier is not None:
        if earlier.query.modality != row.query.modality:
            return f"与第{earlier.line}行同名而检查类别不同，请在名称中写明类别"
        return f"名称与第{earlier.line}行重复"
    code = row.cells.get("technique_code")
    if code and not is_well_formed(code):
        return f"检查技术编码{code[:20]}不是9位数字或大写字母"
    return None


def _proposal(
    row: Row, institution: str, actor: Actor, known: matcher.Matcher, fingerprint: str
) -> dict[str, Any]:
    answer = known.match(row.query)
    return {
        "institution": institution,
        "name": catalogue.fold(row.cells["local_name"]),
        "written": row.cells["local_name"],
        "code": row.cells.get("code"),
        "technique_code": row.cells.get("technique_code"),
        "count": int(row.cells.get("count", "0").replace(",", "") or 0),
        "query": {name: value for name, value in asdict(row.query).items() if value},
        "answer": _as_json(answer),
        "lexicon": fingerprint,
        "item": None,
        "proposed_by": actor.id,
    }


def _as_json(answer: Answer) -> dict[str, Any]:
    return answer.as_dict() | {"concepts": sorted(answer.concepts)}


def proposals(conn: Connection, institution: str) -> list[ProposalGroup]:
    """Return what waits for the department, grouped by answer, the safest first."""
    return grouped(store.names_of(conn, institution, OPEN, limit=MOST_NAMES))


def names_in(conn: Connection, institution: str, state: State) -> list[LocalName]:
    """Return an institution's names in one state, the most used first."""
    return store.names_of(conn, institution, (state,), limit=MOST_NAMES)


def approve(
    conn: Connection,
    actor: Actor,
    name: str,
    *,
    item: int | None,
    technique_code: str | None = None,
) -> LocalName:
    """Approve a name for an item, or as one outside the catalogue (no item).

    Raises:
        UnknownName: The dictionary does not have it.
        CrossesMeaning: The item contradicts side, contrast or modality of the name.
        BadCode: The code of WS/T 364.8 has not its format.
    """
    institution = _institution(actor)
    found = _locked(conn, institution, name)
    if found.state is State.CONFIRMED:
        raise WrongStep("该名称已由质控中心确认，如需更改请先由质控中心退回。")
    _refuse_crossing(found, item)
    if technique_code is not None and not is_well_formed(technique_code):
        raise BadCode("检查技术编码应为9位数字或大写字母。")
    values = {
        "state": State.APPROVED.value,
        "item": item,
        "approved_by": actor.id,
        "approved_at": clock.now(),
        "reason": None,
    } | ({"technique_code": technique_code} if technique_code else {})
    return _step(conn, actor, found, values, "approved")


def _refuse_crossing(found: LocalName, item: int | None) -> None:
    if item is None:
        return
    meant = catalogue.load().by_no(item)
    if meant is None:
        raise UnknownName(f"互认项目目录中没有第{item}项。")
    crossed = list(crossings(_parts(found.answer), meant))
    crossed += [one for one in found.answer["contradictions"] if one in WORDS]
    if crossed:
        words = "、".join(WORDS[one] for one in dict.fromkeys(crossed))
        raise CrossesMeaning(f"“{found.written}”与第{item}项的{words}矛盾，不能映射。")


def _parts(answer: Any) -> Parts:
    parts = answer["parts"]
    return Parts(
        modality=parts["modality"], laterality=Side(parts["laterality"]), contrast=parts["contrast"]
    )


def confirm(conn: Connection, actor: Actor, institution: str, name: str) -> LocalName:
    """Confirm what the department approved; from now on the alias counts.

    Raises:
        Forbidden: The actor's centre does not serve the institution's province.
        WrongStep: The department has not approved it, or the same person did.
    """
    _refuse_stranger(conn, actor, institution)
    found = _locked(conn, institution, name)
    if found.state is not State.APPROVED:
        raise WrongStep("科室尚未审批该名称。")
    if found.approved_by == actor.id:
        raise WrongStep("审批与确认须由不同的人进行。")
    _refuse_crossing(found, found.item)
    for alias in _aliases(found):
        if found.item is not None:
            approver = str(found.approved_by)
            record_store.put_alias(conn, institution, alias, found.item, approved_by=approver)
        else:
            store.remove_alias(conn, institution, alias)
    values = {
        "state": State.CONFIRMED.value,
        "confirmed_by": actor.id,
        "confirmed_at": clock.now(),
    }
    return _step(conn, actor, found, values, "confirmed")


def reject(conn: Connection, actor: Actor, institution: str, name: str, reason: str) -> LocalName:
    """Send a name back to the department with a reason; a confirmed alias stops counting."""
    _refuse_stranger(conn, actor, institution)
    found = _locked(conn, institution, name)
    if found.state not in {State.APPROVED, State.CONFIRMED}:
        raise WrongStep("该名称不在待确认或已确认状态。")
    for alias in _aliases(found):
        store.remove_alias(conn, institution, alias)
    values = {"state": State.REJECTED.value, "reason": reason}
    return _step(conn, actor, found, values, "rejected")


def _aliases(found: LocalName) -> tuple[str, ...]:
    """Return by what an order may call the name: its words, or the institution's own code."""
    return (found.name, catalogue.fold(found.code)) if found.code else (found.name,)


def _refuse_stranger(conn: Connection, actor: Actor, institution: str) -> None:
    today = clock.today()
    centre = registry.find_centre(conn, actor.authority, today) if actor.authority else None
    served = registry.find_institution(conn, institution, today)
    if centre is None or served is None or centre.province != served.province:
        raise Forbidden("只有该机构所在省（市）的质控中心可以确认或退回。")


def _locked(conn: Connection, institution: str, name: str) -> LocalName:
    found = store.find(conn, institution, catalogue.fold(name), lock=True)
    if found is None:
        raise UnknownName("院内项目字典中没有这个名称。")
    return found


def _step(
    conn: Connection, actor: Actor, found: LocalName, values: dict[str, Any], what: str
) -> LocalName:
    store.put_step(conn, found.institution, found.name, values)
    audit.record(
        conn,
        actor,
        action=f"record.names.{what}",
        subject=f"names:{found.institution}",
        detail={"name": found.name, "item": values.get("item", found.item)},
    )
    return _locked(conn, found.institution, found.name)


def work_list(conn: Connection, institution: str) -> list[Unmapped]:
    """Return the names without an item by frequency: of the dictionary and of the records."""
    known = matcher.load()
    found: dict[str, Unmapped] = {}
    for name in store.names_of(conn, institution, OPEN, limit=MOST_NAMES):
        if name.kind is not Kind.NOT_AN_EXAM:
            because = tuple(name.answer["because"])
            found[name.name] = Unmapped(name.written, name.count, name.kind, name.items, because)
    for written, times, _ in store.unmapped_in_records(conn, institution):
        folded = catalogue.fold(written)
        before = found.get(folded)
        if before is not None:
            count = max(before.count, times)
            found[folded] = Unmapped(before.name, count, before.kind, before.items, before.because)
            continue
        answer = known.match(Query(name=written))
        found[folded] = Unmapped(written, times, answer.kind, answer.items, answer.because)
    return sorted(found.values(), key=lambda one: (-one.count, one.name))


def rematch(conn: Connection, actor: Actor, institution: str) -> Rematched:
    """Match again what the present lexicon can change, and report what moved.

    A confirmed alias stays; a moved answer under it is reported all the same.
    """
    known = matcher.load()
    now = snapshot(known.lexicon)
    store.keep_lexicon(conn, now.fingerprint, now.as_dict())
    names = store.names_of_other_lexicon(conn, institution, now.fingerprint)
    again = 0
    moved: list[Moved] = []
    for name in names:
        if not _can_move(conn, name, now):
            store.put_answer(conn, institution, name.name, name.answer, now.fingerprint)
            continue
        again += 1
        answer = known.match(_query(name.query))
        store.put_answer(conn, institution, name.name, _as_json(answer), now.fingerprint)
        if (answer.kind, answer.items) != (name.kind, name.items):
            moved.append(Moved(name.written, name.kind, name.items, answer.kind, answer.items))
    audit.record(
        conn,
        actor,
        action="record.names.rematched",
        subject=f"names:{institution}",
        detail={"names": len(names), "again": again, "moved": len(moved)},
    )
    return Rematched(len(names), again, tuple(moved))


def _can_move(conn: Connection, name: LocalName, now: Snapshot) -> bool:
    content = store.find_lexicon(conn, name.lexicon)
    if content is None:
        return True
    change = between(Snapshot.of_dict(content), now)
    texts = [str(value) for key, value in name.query.items() if key != "series"]
    parts = name.answer["parts"]
    unsure = (*parts["unread"], *parts.get("guessed", ()))
    return change.can_move(texts, name.answer["concepts"], unsure)


def _query(content: Any) -> Query:
    names = {one.name for one in fields(Query)} - {"series"}
    return Query(**{key: value for key, value in content.items() if key in names})


def match_names(queries: Sequence[Query]) -> list[Answer]:
    """Return the matcher's answers, without any alias."""
    return list(matcher.load().match_all(queries))
