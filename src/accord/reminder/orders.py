"""The order page: ready orders of an institution, signed without a hospital information system.

It lets a person play the physician; a real workstation asks by CDS Hooks or REST.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlalchemy import Connection

from accord.identity import service as identity
from accord.kit import clock
from accord.kit.access import Actor
from accord.record import service as record
from accord.record.model import Order, OrderStatus, Urgency, Visit, VisitKind
from accord.reminder import service, store
from accord.reminder.cards import UNASKED_WORDS
from accord.reminder.errors import UnknownReminder
from accord.reminder.model import OUTCOME_WORDS, Answer, Outcome, Question, Status, Unasked
from accord.reminder.text import moment_words

MOST_ORDERS: Final = 200
TOLD: Final[Mapping[str, str]] = {
    Status.NONE.value: "已查询：没有可供互认或参考的既往检查，医嘱照常进行。",
    **{why.value: f"{UNASKED_WORDS[why]}。" for why in Unasked},
}
VISIT_WORDS: Final[Mapping[VisitKind, str]] = {
    VisitKind.OUTPATIENT: "门诊",
    VisitKind.INPATIENT: "住院",
    VisitKind.EMERGENCY: "急诊",
    VisitKind.CHECKUP: "体检",
}


@dataclass(frozen=True)
class ReadyOrder:
    """An order on the page, with what became of its newest reminder."""

    number: str
    item: str
    side: str
    purpose: str
    ordered: str
    urgent: bool
    page: str | None
    decision: str | None


@dataclass(frozen=True)
class ReadyVisit:
    """A visit on the page with its orders."""

    number: str
    kind: str
    patient: str
    department: str
    orders: tuple[ReadyOrder, ...]


def ready(conn: Connection, institution: str) -> list[ReadyVisit]:
    """Return the open visits whose orders are placed and not yet registered for an examination."""
    waiting = [
        kept.content
        for kept in record.orders_at(conn, institution, limit=MOST_ORDERS)
        if kept.content.status is OrderStatus.PLACED and kept.content.registration is None
    ]
    waiting.sort(key=lambda order: (order.visit, order.number))
    pages = store.newest_by_order(conn, institution, [order.number for order in waiting])
    found = []
    for number, group in groupby(waiting, key=lambda order: order.visit):
        kept = record.find_visit(conn, institution, number)
        if kept is not None and kept.content.closed_at is None:
            found.append(_visit(conn, institution, kept.content, list(group), pages))
    return found


def _visit(
    conn: Connection,
    institution: str,
    visit: Visit,
    group: Sequence[Order],
    pages: Mapping[str, tuple[str, Outcome | None]],
) -> ReadyVisit:
    patient = identity.find_patient(conn, institution, visit.patient_id)
    return ReadyVisit(
        number=visit.number,
        kind=VISIT_WORDS[visit.kind],
        patient=patient.name if patient else visit.patient_id,
        department=visit.department or "",
        orders=tuple(_order(order, pages.get(order.number)) for order in group),
    )


def _order(order: Order, page: tuple[str, Outcome | None] | None) -> ReadyOrder:
    number, outcome = page or (None, None)
    return ReadyOrder(
        number=order.number,
        item=order.item_text,
        side=order.side or "",
        purpose=order.purpose or "",
        ordered=moment_words(order.ordered_at),
        urgent=order.urgency is Urgency.STAT,
        page=number,
        decision=OUTCOME_WORDS[outcome] if outcome else None,
    )


def sign(conn: Connection, actor: Actor, visit: str, numbers: Sequence[str]) -> Answer:
    """Ask about orders of one visit as their physician signs them.

    Raises:
        UnknownReminder: An order is not one of that visit.
    """
    institution = actor.institution or ""
    chosen = [record.find_order(conn, institution, number).content for number in numbers]
    if any(order.visit != visit for order in chosen):
        raise UnknownReminder("所选申请单不属于同一次就诊。")
    question = Question(
        institution=institution,
        visit=visit,
        patient_ids=tuple(dict.fromkeys(order.patient_id for order in chosen)),
        orders=tuple(chosen),
        physician=actor.id,
        via="page",
    )
    return service.ask(conn, actor, question, clock.now())
