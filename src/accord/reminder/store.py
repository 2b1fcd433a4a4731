"""All SQL of reminders, decisions, citations, notices, feedback and CDS clients."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    Connection,
    Exists,
    Row,
    Select,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import insert as upsert

from accord.kit import clock
from accord.kit.access import Actor
from accord.kit.db import Prepared, tell
from accord.recognition.model import Recommendation
from accord.record.model import Visit
from accord.reminder import tables
from accord.reminder.model import (
    Answer,
    Citation,
    Decision,
    GivenGround,
    ItemAnswer,
    ItemState,
    KeptReminder,
    Look,
    Looked,
    Notice,
    Outcome,
    Question,
    Status,
    Unlinked,
)
from accord.reminder.tokens import Client, Token

_ITEM = TypeAdapter(ItemAnswer)
_GROUNDS = TypeAdapter(tuple[GivenGround, ...])


_ADD = Prepared(insert(tables.reminder), [column.name for column in tables.reminder.c])
_ADD_ITEM = Prepared(insert(tables.reminder_item), [each.name for each in tables.reminder_item.c])
_ADD_SHOWN = Prepared(
    insert(tables.shown_study).from_select(
        ["institution", "study_uid", "item_id"],
        select(
            bindparam("institution", type_=String),
            func.unnest(bindparam("studies", type_=ARRAY(String))),
            func.unnest(bindparam("items", type_=ARRAY(PG_UUID))),
        ),
    )
)


def keep_answer(
    conn: Connection,
    actor: Actor,
    question: Question,
    answer: Answer,
    *,
    because: str,
    visit: Visit | None,
) -> None:
    """Keep a question with its answer: every item, every finding, who asked, by which rules."""
    row = {
        "id": answer.id,
        "asked_at": answer.asked_at,
        "institution": question.institution,
        "asker_kind": actor.kind.value,
        "asker": actor.id,
        "via": question.via,
        "physician": question.physician,
        "visit": visit.number if visit else None,
        "patient_id": visit.patient_id if visit else None,
        "instance": question.instance,
        "status": answer.status.value,
        "because": because,
        "rule_set": answer.rule_set,
        "fingerprint": answer.fingerprint,
    }
    tell(conn, _ADD, row)
    for place, item in enumerate(answer.items):
        tell(conn, _ADD_ITEM, _item_row(answer.id, place, item))
    shown = sorted(
        {
            (prior.study_uid, item.id)
            for item in answer.items
            for prior in item.priors
            if prior.study_uid
        }
    )
    if shown:
        tell(
            conn,
            _ADD_SHOWN,
            {
                "institution": question.institution,
                "studies": [study for study, _ in shown],
                "items": [item for _, item in shown],
            },
        )


def _item_row(reminder: UUID, place: int, item: ItemAnswer) -> dict[str, Any]:
    card = item.card
    return {
        "id": item.id,
        "reminder_id": reminder,
        "position": place,
        "order_number": item.order.number,
        "status": item.status.value,
        "advice": card and card.advice.value,
        "relation": card and card.relation.value,
        "examination": card and card.examination,
        "lifted": bool(card and (card.lifted_by or card.machine_grounds)),
        # Straight to text: a findings list is long, and this is on the way of an order.
        "shown": _ITEM.dump_json(item, exclude_defaults=True).decode(),
    }


_KEPT = (
    select(
        tables.reminder_item.c.id,
        tables.reminder_item.c.shown,
        tables.reminder.c.id.label("reminder"),
        tables.reminder.c.institution,
        tables.reminder.c.visit,
        tables.reminder.c.patient_id,
        tables.reminder.c.physician,
        tables.reminder.c.asked_at,
        tables.reminder.c.rule_set,
    )
    .join(tables.reminder)
    .where(tables.reminder.c.institution == bindparam("institution"))
)


def _kept(row: Any, siblings: tuple[UUID, ...]) -> KeptReminder:
    return KeptReminder(
        reminder=row.reminder,
        institution=row.institution,
        visit=row.visit,
        patient_id=row.patient_id,
        physician=row.physician,
        asked_at=row.asked_at,
        rule_set=row.rule_set,
        item=_ITEM.validate_python(row.shown),
        siblings=siblings,
    )


def find_item(
    conn: Connection, item: UUID, institution: str, *, lock: bool = False
) -> KeptReminder | None:
    """Return a reminder item of that asking institution, its row locked on request."""
    query = _KEPT.where(tables.reminder_item.c.id == item)
    if lock:
        query = query.with_for_update(of=tables.reminder_item)
    row = conn.execute(query, {"institution": institution}).first()
    if row is None:
        return None
    siblings = conn.execute(
        select(tables.reminder_item.c.id)
        .where(tables.reminder_item.c.reminder_id == row.reminder)
        .order_by(tables.reminder_item.c.position)
    ).scalars()
    return _kept(row, tuple(siblings))


def items_of(conn: Connection, reminder: UUID, institution: str) -> tuple[KeptReminder, ...]:
    """Return the items of a reminder in the order of the question."""
    rows = conn.execute(
        _KEPT.where(tables.reminder.c.id == reminder).order_by(tables.reminder_item.c.position),
        {"institution": institution},
    ).all()
    siblings = tuple(row.id for row in rows)
    return tuple(_kept(row, siblings) for row in rows)


def find_reminder(conn: Connection, reminder: UUID, institution: str) -> Row[Any] | None:
    """Return the row of a reminder of that asking institution."""
    return conn.execute(
        select(tables.reminder).where(
            tables.reminder.c.id == reminder, tables.reminder.c.institution == institution
        )
    ).first()


def newest_by_order(
    conn: Connection, institution: str, numbers: Sequence[str]
) -> dict[str, tuple[str, Outcome | None]]:
    """Return by order number its newest item that shows something, with the newest act there."""
    if not numbers:
        return {}
    items = conn.execute(
        select(tables.reminder_item.c.order_number, tables.reminder_item.c.id)
        .join(tables.reminder)
        .where(
            tables.reminder.c.institution == institution,
            tables.reminder_item.c.order_number.in_(numbers),
            tables.reminder_item.c.status == "answered",
        )
        .order_by(tables.reminder.c.asked_at)
    ).all()
    newest = {row.order_number: row.id for row in items}
    acts = conn.execute(
        select(tables.decision.c.item_id, tables.decision.c.outcome)
        .where(tables.decision.c.item_id.in_(newest.values()))
        .order_by(tables.decision.c.number)
    ).all()
    last = {row.item_id: Outcome(row.outcome) for row in acts}
    return {number: (str(item), last.get(item)) for number, item in newest.items()}


def institution_of_item(conn: Connection, item: UUID) -> str | None:
    """Return the asking institution of a reminder item."""
    return conn.execute(
        select(tables.reminder.c.institution)
        .join_from(tables.reminder, tables.reminder_item)
        .where(tables.reminder_item.c.id == item)
    ).scalar()


def _is_unlinked() -> Exists:
    """The shown study of the row is not certainly that of the patient any more."""
    return exists().where(
        tables.unlinked.c.item_id == tables.reminder_item.c.id,
        tables.unlinked.c.study_uid == tables.shown_study.c.study_uid,
    )


def visits_shown(conn: Connection, institution: str, study_uid: str) -> tuple[str, ...]:
    """Return the visits for which the institution was shown that study, newest first."""
    rows = conn.execute(
        select(tables.reminder.c.visit)
        .select_from(tables.reminder)
        .join(tables.reminder_item)
        .join(tables.shown_study, tables.shown_study.c.item_id == tables.reminder_item.c.id)
        .where(
            tables.shown_study.c.institution == institution,
            tables.shown_study.c.study_uid == study_uid,
            tables.reminder.c.visit.is_not(None),
            ~_is_unlinked(),
        )
        .order_by(tables.reminder.c.asked_at.desc())
        .limit(20)
    ).scalars()
    return tuple(dict.fromkeys(visit for visit in rows if visit))


def is_cited(conn: Connection, institution: str, study_uid: str) -> bool:
    """Say whether the institution cited that study."""
    found = conn.execute(
        _citations(institution)
        .where(tables.citation.c.study_uid == study_uid, tables.unlinked.c.at.is_(None))
        .limit(1)
    ).first()
    return found is not None


def state_of(conn: Connection, item: UUID) -> ItemState:
    """Return everything that happened to a reminder item, oldest first."""
    decisions = [
        _decision(row)
        for row in conn.execute(
            _decisions().where(tables.decision.c.item_id == item).order_by(tables.decision.c.number)
        )
    ]
    unlinked = {
        row.examination: row.at
        for row in conn.execute(select(tables.unlinked).where(tables.unlinked.c.item_id == item))
    }
    examined = {each.id: each.examination for each in decisions}
    ids = [each.id for each in decisions]
    withdrawn = {each.of: each.at for each in decisions if each.of}
    citations = [
        _citation(row, withdrawn.get(row.decision_id), unlinked.get(examined[row.decision_id]))
        for row in conn.execute(
            select(tables.citation).where(tables.citation.c.decision_id.in_(ids))
        )
    ]
    notices = [
        _notice(row)
        for row in conn.execute(select(tables.notice).where(tables.notice.c.decision_id.in_(ids)))
    ]
    looks = [
        Look(examination=row.examination, what=Looked(row.what), physician=row.physician, at=row.at)
        for row in conn.execute(
            select(tables.look).where(tables.look.c.item_id == item).order_by(tables.look.c.id)
        )
    ]
    reported = [
        {"outcome": row.outcome, "at": row.happened_at.isoformat(), **row.content}
        for row in conn.execute(
            select(tables.feedback)
            .where(tables.feedback.c.card == item)
            .order_by(tables.feedback.c.id)
        )
    ]
    return ItemState(
        decisions=tuple(decisions),
        citations=tuple(citations),
        notices=tuple(notices),
        looks=tuple(looks),
        reported=tuple(reported),
        unlinked=unlinked,
    )


def _decisions() -> Select[Any]:
    return select(tables.decision, tables.unlinked.c.at.label("unlinked_at")).outerjoin(
        tables.unlinked,
        (tables.unlinked.c.item_id == tables.decision.c.item_id)
        & (tables.unlinked.c.examination == tables.decision.c.examination),
    )


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        id=row.id,
        item=row.item_id,
        examination=row.examination,
        outcome=Outcome(row.outcome),
        physician=row.physician,
        physician_name=row.physician_name,
        institution=row.institution,
        at=row.at,
        grounds=_GROUNDS.validate_python(row.grounds),
        of=row.of,
        unseen=row.unseen,
        advice=Recommendation(row.advice),
        on_card=row.on_card,
        lifted_by=tuple(row.lifted_by),
        unlinked_at=row.unlinked_at,
    )


def _citation(
    row: Row[Any], withdrawn_at: datetime | None, unlinked_at: datetime | None
) -> Citation:
    return Citation(
        id=row.id,
        decision=row.decision_id,
        result=row.result,
        performer=row.performer,
        exam_time=row.exam_time,
        study_uid=row.study_uid,
        cited_by=row.cited_by,
        cited_at=row.cited_at,
        link=row.link,
        item=row.item,
        performed_by=row.performed_by,
        patient_id=row.patient_id,
        reporter=row.reporter,
        unseen=row.unseen,
        withdrawn_at=withdrawn_at,
        unlinked_at=unlinked_at,
    )


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        decision=row.decision_id,
        informer=row.informer,
        informer_name=row.informer_name,
        at=row.at,
        purpose=row.purpose,
        necessity=row.necessity,
        informed=row.informed,
        relation=row.relation,
    )


def find_decision(conn: Connection, decision: UUID, institution: str) -> Decision | None:
    """Return a decision of that institution."""
    row = conn.execute(
        _decisions().where(
            tables.decision.c.id == decision, tables.decision.c.institution == institution
        )
    ).first()
    return None if row is None else _decision(row)


def list_decisions(
    conn: Connection, institution: str, *, physician: str | None, limit: int
) -> tuple[Decision, ...]:
    """Return the institution's newest decisions, on request of one physician alone."""
    query = _decisions().where(tables.decision.c.institution == institution)
    if physician is not None:
        query = query.where(tables.decision.c.physician == physician)
    rows = conn.execute(query.order_by(tables.decision.c.number.desc()).limit(limit))
    return tuple(_decision(row) for row in rows)


def _citations(institution: str) -> Select[Any]:
    withdrawal = tables.decision.alias("withdrawal")
    return (
        select(
            tables.citation,
            withdrawal.c.at.label("withdrawn_at"),
            tables.unlinked.c.at.label("unlinked_at"),
        )
        .join(tables.decision, tables.decision.c.id == tables.citation.c.decision_id)
        .outerjoin(
            tables.unlinked,
            (tables.unlinked.c.item_id == tables.decision.c.item_id)
            & (tables.unlinked.c.examination == tables.decision.c.examination),
        )
        .outerjoin(withdrawal, withdrawal.c.of == tables.citation.c.decision_id)
        .where(tables.citation.c.institution == institution)
    )


def find_citation(conn: Connection, citation: UUID, institution: str) -> Citation | None:
    """Return a citation in the records of that institution."""
    row = conn.execute(_citations(institution).where(tables.citation.c.id == citation)).first()
    return None if row is None else _citation(row, row.withdrawn_at, row.unlinked_at)


def list_citations(conn: Connection, institution: str, *, limit: int) -> tuple[Citation, ...]:
    """Return the institution's newest citations, each with its withdrawal if there is one."""
    rows = conn.execute(
        _citations(institution).order_by(tables.citation.c.cited_at.desc()).limit(limit)
    )
    return tuple(_citation(row, row.withdrawn_at, row.unlinked_at) for row in rows)


def items_for(conn: Connection, keys: Collection[tuple[str, str]]) -> tuple[KeptReminder, ...]:
    """Return every item that was asked for these (institution, local id) and showed a prior."""
    rows = conn.execute(
        select(*_KEPT.selected_columns)
        .join_from(tables.reminder_item, tables.reminder)
        .where(
            tuple_(tables.reminder.c.institution, tables.reminder.c.patient_id).in_(set(keys)),
            tables.reminder_item.c.status == Status.ANSWERED.value,
        )
        .order_by(tables.reminder.c.asked_at, tables.reminder_item.c.position)
    )
    return tuple(_kept(row, ()) for row in rows)


def add_unlinked(conn: Connection, thing: Unlinked) -> bool:
    """Keep that a shown prior is not certainly the patient's; False when that is known."""
    added = conn.execute(
        upsert(tables.unlinked)
        .values(
            id=thing.id,
            item_id=thing.item,
            examination=thing.examination,
            study_uid=thing.study_uid,
            institution=thing.institution,
            physicians=list(thing.physicians),
            at=thing.at,
        )
        .on_conflict_do_nothing()
        .returning(tables.unlinked.c.id)
    ).first()
    return added is not None


def list_unlinked(conn: Connection, institution: str, *, limit: int) -> tuple[Unlinked, ...]:
    """Return the newest notices about shown priors that are not certainly the patient's."""
    return _unlinked(conn, _told(institution).limit(limit))


def unread_unlinked(conn: Connection, institution: str, physician: str) -> tuple[Unlinked, ...]:
    """Return the notices to a physician whose reminder was not opened since.

    Where nobody had opened the reminder, every physician of the institution is told.
    """
    told, look = tables.unlinked, tables.look
    to_all = told.c.physicians == []
    opened = exists().where(
        look.c.item_id == told.c.item_id,
        look.c.at >= told.c.at,
        to_all | (look.c.physician == physician),
    )
    query = _told(institution).where(to_all | told.c.physicians.contains([physician]), ~opened)
    return _unlinked(conn, query)


def _told(institution: str) -> Select[Any]:
    cited = (  # accepted, withdrawn and accepted again leaves several: the newest
        select(tables.citation.c.id)
        .join(tables.decision, tables.decision.c.id == tables.citation.c.decision_id)
        .where(
            tables.decision.c.item_id == tables.unlinked.c.item_id,
            tables.decision.c.examination == tables.unlinked.c.examination,
        )
        .order_by(tables.citation.c.cited_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            tables.unlinked,
            tables.reminder.c.visit,
            tables.reminder.c.patient_id,
            tables.reminder_item.c.order_number,
            cited.label("citation"),
        )
        .join(tables.reminder_item, tables.reminder_item.c.id == tables.unlinked.c.item_id)
        .join(tables.reminder, tables.reminder.c.id == tables.reminder_item.c.reminder_id)
        .where(tables.unlinked.c.institution == institution)
        .order_by(tables.unlinked.c.at.desc(), tables.unlinked.c.id)
    )


def _unlinked(conn: Connection, query: Select[Any]) -> tuple[Unlinked, ...]:
    return tuple(
        Unlinked(
            id=row.id,
            item=row.item_id,
            examination=row.examination,
            study_uid=row.study_uid,
            institution=row.institution,
            physicians=tuple(row.physicians),
            at=row.at,
            visit=row.visit,
            patient_id=row.patient_id,
            order_number=row.order_number,
            citation=row.citation,
        )
        for row in conn.execute(query)
    )


def add_decision(conn: Connection, decision: Decision) -> None:
    """Append a decision."""
    conn.execute(
        insert(tables.decision).values(
            id=decision.id,
            item_id=decision.item,
            examination=decision.examination,
            outcome=decision.outcome.value,
            physician=decision.physician,
            physician_name=decision.physician_name,
            institution=decision.institution,
            at=decision.at,
            grounds=_GROUNDS.dump_python(decision.grounds, mode="json", exclude_none=True),
            of=decision.of,
            unseen=decision.unseen,
            advice=decision.advice.value,
            on_card=decision.on_card,
            lifted_by=list(decision.lifted_by),
        )
    )


def add_citation(conn: Connection, citation: Citation, institution: str) -> None:
    """Append a citation."""
    conn.execute(
        insert(tables.citation).values(
            id=citation.id,
            decision_id=citation.decision,
            institution=institution,
            patient_id=citation.patient_id,
            result=citation.result,
            item=citation.item,
            performed_by=citation.performed_by,
            performer=citation.performer,
            reporter=citation.reporter,
            exam_time=citation.exam_time,
            study_uid=citation.study_uid,
            cited_by=citation.cited_by,
            cited_at=citation.cited_at,
            link=citation.link,
            unseen=citation.unseen,
        )
    )


def add_notice(conn: Connection, notice: Notice) -> None:
    """Append an informing record."""
    conn.execute(
        insert(tables.notice).values(
            id=notice.id,
            decision_id=notice.decision,
            informer=notice.informer,
            informer_name=notice.informer_name,
            at=notice.at,
            purpose=notice.purpose,
            necessity=notice.necessity,
            informed=notice.informed,
            relation=notice.relation,
        )
    )


def add_doubts(
    conn: Connection,
    decision: Decision,
    asked_about: str,
    doubts: Sequence[tuple[UUID, GivenGround]],
) -> None:
    """Open one question a ground at the QC centre of the source."""
    conn.execute(
        insert(tables.doubt),
        [
            {
                "id": number,
                "decision_id": decision.id,
                "ground": ground.code,
                "pick": ground.pick,
                "asked_about": asked_about,
                "examination": decision.examination,
                "opened_at": decision.at,
            }
            for number, ground in doubts
        ],
    )


def doubts_of(conn: Connection, decision: UUID) -> list[Mapping[str, Any]]:
    """Return the questions that a decision opened."""
    rows = conn.execute(select(tables.doubt).where(tables.doubt.c.decision_id == decision))
    return [dict(row) for row in rows.mappings()]


def add_look(
    conn: Connection, item: UUID, examination: int, what: Looked, physician: str, at: datetime
) -> None:
    """Note that something of a prior was opened."""
    conn.execute(
        insert(tables.look).values(
            item_id=item, examination=examination, what=what.value, physician=physician, at=at
        )
    )


def add_feedback(
    conn: Connection,
    card: UUID,
    sender: str,
    outcome: str,
    happened_at: datetime,
    content: Mapping[str, Any],
) -> bool:
    """Keep what a client reports about a card; return False when it reported just that before."""
    words = json.dumps(content, sort_keys=True, ensure_ascii=False)
    added = conn.execute(
        upsert(tables.feedback)
        .values(
            card=card,
            received_at=clock.now(),
            happened_at=happened_at,
            sender=sender,
            outcome=outcome,
            content=dict(content),
            content_hash=hashlib.sha256(words.encode()).hexdigest(),
        )
        .on_conflict_do_nothing()
        .returning(tables.feedback.c.id)
    ).first()
    return added is not None


def put_client(conn: Connection, client: Client) -> None:
    """Register a CDS client, or give a known one new keys."""
    values = {
        "display": client.display,
        "institution": client.institution,
        "keys": [dict(key) for key in client.keys],
        "active": True,
    }
    conn.execute(
        upsert(tables.cds_client)
        .values(issuer=client.issuer, registered_at=clock.now(), **values)
        .on_conflict_do_update(index_elements=[tables.cds_client.c.issuer], set_=values)
    )


def find_client(conn: Connection, issuer: str) -> Client | None:
    """Return the active CDS client of that issuer."""
    row = conn.execute(
        select(tables.cds_client).where(
            tables.cds_client.c.issuer == issuer, tables.cds_client.c.active
        )
    ).first()
    if row is None:
        return None
    return Client(row.issuer, row.display, row.institution, tuple(row.keys))


def use_token(conn: Connection, token: Token, at: datetime) -> bool:
    """Note that a token was used; return False when it was used before."""
    conn.execute(delete(tables.used_token).where(tables.used_token.c.expires_at < at))
    added = conn.execute(
        upsert(tables.used_token)
        .values(issuer=token.client.issuer, token_id=token.id, expires_at=token.expires_at)
        .on_conflict_do_nothing()
        .returning(tables.used_token.c.token_id)
    ).first()
    return added is not None
