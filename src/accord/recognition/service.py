"""Advise about an order and the priors of a certain person; nothing is stored here.

On the way of an order (R6.6-1): one query for any number of priors; the registry answers from
memory until it changes.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from accord import catalogue, standard
from accord.dataquality import service as dataquality
from accord.kit.settings import get_settings
from accord.recognition import facts
from accord.recognition.judge import evaluate
from accord.recognition.model import Advice, Case, OrderFacts
from accord.record.model import Examination


def advise(
    conn: Connection, order: OrderFacts, examination: Examination, viewer: str, at: datetime
) -> Advice:
    """Advise about one order item and one prior of the same person."""
    return advise_all(conn, order, (examination,), viewer, at)[0]


def advise_all(
    conn: Connection,
    order: OrderFacts,
    examinations: Sequence[Examination],
    viewer: str,
    at: datetime,
) -> tuple[Advice, ...]:
    """Advise about one order item and each of its priors, in their order.

    Args:
        conn: The caller's transaction.
        order: The order item, with the visit it belongs to.
        examinations: Priors of a person who is certainly the order's patient (R-ID-1), as
            `record.candidates` returns them.
        viewer: Code of the institution that asks.
        at: Moment of the evaluation at its stage.
    """
    rule_set, items = standard.load(get_settings().rule_set), catalogue.load()
    return tuple(
        evaluate(case, rule_set, items) for case in cases(conn, order, examinations, viewer, at)
    )


def cases(
    conn: Connection,
    order: OrderFacts,
    examinations: Sequence[Examination],
    viewer: str,
    at: datetime,
) -> tuple[Case, ...]:
    """Collect the case of an order item and each of its priors."""
    if not examinations:
        return ()
    rule_set, items = standard.load(get_settings().rule_set), catalogue.load()
    asked = facts.Asked(order, viewer, at)
    measured = dataquality.findings_of(conn, examinations)
    return tuple(
        facts.collect(conn, asked, examination, measured[examination.id], rule_set, items)
        for examination in examinations
    )
