"""Advise about an order and the priors of a certain person; nothing is stored here.

On the way of an order (R6.6-1): at most one query for any number of priors; the registry answers
from memory until it changes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from accord import catalogue, standard
from accord.dataquality import service as dataquality
from accord.kit.clock import local_day
from accord.kit.settings import get_settings
from accord.recognition import facts
from accord.recognition.judge import evaluate
from accord.recognition.model import Advice, Case, OrderFacts
from accord.record.model import Examination
from accord.registry import service as registry
from accord.standard.model import Finding

Measured = Mapping[int, tuple[Finding, ...]]
"""What clause 7.1 says of examinations, by their id."""


WARMED = 20
"""Institutions whose registers are read before anybody asks; the others follow as they occur."""


def warm_up(conn: Connection, at: datetime) -> None:
    """Read what a case takes from the registers, so that the first orders find it remembered."""
    rule_set, items = standard.load(get_settings().rule_set), catalogue.load()
    for institution in registry.institutions(conn, local_day(at))[:WARMED]:
        prior = Examination(
            id=0,
            performed_by=institution.code,
            patient_id=None,
            study_uid=None,
            accession=None,
            items=(),
            item_reason="",
            modality=None,
            exam_start=at,
            exam_end=at,
            settled_at=None,
            reported_by=institution.code,
            report_status=None,
            released_at=None,
            withdrawn=False,
        )
        asked = facts.Asked(OrderFacts(), institution.code, at)
        facts.collect(conn, asked, prior, (), rule_set, items)


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
    measured: Measured | None = None,
) -> tuple[Advice, ...]:
    """Advise about one order item and each of its priors, in their order.

    Args:
        conn: The caller's transaction.
        order: The order item, with the visit it belongs to.
        examinations: Priors of a person who is certainly the order's patient (R-ID-1), as
            `record.candidates` returns them.
        viewer: Code of the institution that asks.
        at: Moment of the evaluation at its stage.
        measured: What clause 7.1 says of each prior, where the caller has read it already.
    """
    rule_set, items = standard.load(get_settings().rule_set), catalogue.load()
    return tuple(
        evaluate(case, rule_set, items)
        for case in cases(conn, order, examinations, viewer, at, measured)
    )


def cases(
    conn: Connection,
    order: OrderFacts,
    examinations: Sequence[Examination],
    viewer: str,
    at: datetime,
    measured: Measured | None = None,
) -> tuple[Case, ...]:
    """Collect the case of an order item and each of its priors."""
    if not examinations:
        return ()
    rule_set, items = standard.load(get_settings().rule_set), catalogue.load()
    asked = facts.Asked(order, viewer, at)
    if measured is None:
        measured = dataquality.findings_of(conn, examinations)
    return tuple(
        facts.collect(conn, asked, examination, measured[examination.id], rule_set, items)
        for examination in examinations
    )
