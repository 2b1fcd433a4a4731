"""Judge every prior of the person for one order item, and choose what is shown (R6.6-1).

The engine answers for each pair by itself; this module asks it, picks at most one card an item,
and gives every other prior its one reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection

from accord import catalogue
from accord.kit.clock import local_day
from accord.recognition import service as recognition
from accord.recognition.explain import main_reason, word
from accord.recognition.model import (
    Advice,
    OrderFacts,
    Planned,
    Position,
    Recommendation,
    Relation,
    TakenSide,
)
from accord.recognition.service import Measured
from accord.record import service as record
from accord.record.items import is_national, items_of_order
from accord.record.model import Examination, Kept, Order, Purpose, ReportStatus, Visit
from accord.registry import service as registry
from accord.reminder.model import DayCount, ItemAnswer, Prior, Status, count_days
from accord.standard.model import RuleSet

REPORT_WORDS: Final[Mapping[ReportStatus, str]] = {
    ReportStatus.PRELIMINARY: "初步报告，未审核",
    ReportStatus.EMERGENCY: "急诊报告",
    ReportStatus.FINAL: "已审核发布",
    ReportStatus.AMENDED: "发布后已修订",
    ReportStatus.WITHDRAWN: "已撤回",
}
_SIDES: Final[Mapping[str, TakenSide]] = {
    "L": TakenSide.LEFT,
    "左": TakenSide.LEFT,
    "R": TakenSide.RIGHT,
    "右": TakenSide.RIGHT,
    "B": TakenSide.BOTH,
    "双": TakenSide.BOTH,
}
_RANK: Final = {Relation.EQUAL: 0, Relation.COVERS: 1}
PENDING: Final = frozenset({"REPORT_PENDING", "ARRIVING"})
OWN: Final = "OWN_PRIOR"
QUALIFIED: Final = "R6.4-2"


@dataclass(frozen=True)
class Read:
    """An order item read as items of the catalogue."""

    numbers: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Asking:
    """What the priors of a certain person are judged with.

    Attributes:
        institution: Who asks.
        visit: The open visit.
        priors: The person's examinations of the last months that may be shown, newest first.
        measured: What clause 7.1 says of each.
    """

    institution: str
    visit: Visit
    priors: Sequence[Examination]
    measured: Measured
    at: datetime
    rules: RuleSet


def visits_behind(priors: Sequence[Examination]) -> set[tuple[str, str]]:
    """Return the keys of the visits for which the priors were ordered."""
    return {key for prior in priors if (key := _visit_of(prior))}


def showable(
    priors: Sequence[Examination], visits: Mapping[tuple[str, str], Kept[Visit]]
) -> tuple[Examination, ...]:
    """Return the priors without those made for an appraisal (RD-6.6-LIST).

    Args:
        priors: The person's examinations.
        visits: Those of `visits_behind` that are known.
    """
    return tuple(
        prior
        for prior in priors
        if (visit := visits.get(_visit_of(prior) or ("", ""))) is None
        or visit.content.purpose is Purpose.CARE
    )


def _visit_of(prior: Examination) -> tuple[str, str] | None:
    return (prior.order.institution, prior.order.content.visit) if prior.order else None


def read_items(
    conn: Connection, institution: str, orders: Sequence[Order]
) -> Iterator[tuple[Order, Read]]:
    """Read each order item as items of the catalogue, by code, approved alias or its words."""
    known = catalogue.load()
    aliases: Mapping[tuple[str, str], int] = {}
    if not all(_is_printed(known, order) for order in orders):
        names = {order.item_text for order in orders} | {order.item_code for order in orders}
        folded = {catalogue.fold(name) for name in names if name}
        aliases = record.find_aliases(conn, institution, folded)
    for order in orders:
        numbers = items_of_order(known, institution, aliases, order)
        items = [item for number in numbers if (item := known.by_no(number))]
        yield order, Read(numbers, tuple(item.name for item in items))


def _is_printed(known: catalogue.Catalogue, order: Order) -> bool:
    """Say whether no alias can matter: the order has an item's code or its printed name."""
    coded = order.item_code is not None and is_national(order.item_code)
    return coded or known.by_name(order.item_text) is not None


def judge(conn: Connection, asking: Asking, item: ItemAnswer) -> ItemAnswer:
    """Return the item with its card, if any prior deserves one, and the quiet list."""
    facts = order_facts(item, asking.visit)
    advices = recognition.advise_all(
        conn, facts, asking.priors, asking.institution, asking.at, asking.measured
    )
    judged = [
        (advice, _prior(conn, asking, examination, advice))
        for examination, advice in zip(asking.priors, advices, strict=True)
    ]
    fitting = [(advice, prior) for advice, prior in judged if advice.shows_card]
    card = min(fitting, key=_preference)[1] if fitting else None
    quiet = [(advice, prior) for advice, prior in judged if prior is not card]
    # Pending and arriving first; the rest as it came: newest first.
    quiet.sort(key=lambda pair: not pair[0].codes & PENDING)
    return replace(
        item,
        status=Status.ANSWERED if judged else Status.NONE,
        card=card,
        quiet=tuple(prior for _, prior in quiet),
    )


def _preference(pair: tuple[Advice, Prior]) -> tuple[int, int, float]:
    """Prefer a duty, then an equal examination, then the newest."""
    advice, prior = pair
    ended = prior.exam_end.timestamp() if prior.exam_end else 0.0
    is_may = int(advice.advice is not Recommendation.MUST)
    return is_may, _RANK.get(prior.relation, len(_RANK)), -ended


def order_facts(item: ItemAnswer, visit: Visit) -> OrderFacts:
    """Return the order item as the engine takes it."""
    order = item.order
    positions = [each for each in Position if each.value == (order.position or "").lower()]
    planned = order.planned_measure
    return OrderFacts(
        item=item.items[0],
        side=_SIDES.get((order.side or "").upper()[:1]),
        positions=tuple(positions),
        text=" ".join(part for part in (order.item_text, order.purpose) if part),
        department=order.department or visit.department,
        visit=visit.kind,
        triage=visit.triage,
        green_channel=visit.green_channel,
        purpose=visit.purpose,
        follow_up=order.follow_up,
        planned=(Planned(kind=planned, on=order.planned_on),) if planned else (),
    )


def _prior(conn: Connection, asking: Asking, examination: Examination, advice: Advice) -> Prior:
    today = local_day(asking.at)
    performer = registry.find_institution(conn, examination.performed_by, today)
    reporter = None
    if examination.reported_by not in {None, examination.performed_by}:
        reporter = registry.find_institution(conn, examination.reported_by or "", today)
    findings = tuple(finding.as_dict() for finding in advice.findings)
    status = examination.report_status
    return Prior(
        examination=examination.id,
        performed_by=examination.performed_by,
        performer=performer.name if performer else examination.performed_by,
        level=performer.level.value if performer else None,
        reported_by=examination.reported_by,
        reporter=reporter.name if reporter else None,
        advice=advice.advice,
        relation=advice.relation or Relation.NONE,
        study_uid=examination.study_uid,
        item=item_words(examination),
        modality=examination.modality,
        exam_end=examination.exam_end,
        ago=days_since(examination.exam_end, asking.at, asking.rules),
        report=REPORT_WORDS[status] if status else "报告未出",
        released_at=examination.released_at,
        own=OWN in advice.codes,
        reason=reason_of(advice),
        lifted_by=advice.lifted_by,
        machine_grounds=advice.grounds,
        trust=trust(examination, findings),
        findings=findings,
        readings=advice.readings,
    )


def reason_of(advice: Advice) -> str:
    """Return the one reason why a prior carries no duty; empty where it carries one."""
    if advice.advice is Recommendation.MUST:
        return ""
    lifted = next((word("codes", code) for code in advice.lifted_by), "")
    return main_reason(advice) or lifted


def days_since(exam_end: datetime | None, at: datetime, rules: RuleSet) -> DayCount | None:
    """Return how long ago an examination ended, counted both ways (RD-6.5-MONTH)."""
    if exam_end is None:
        return None
    months = rules.months("6.5/window")
    exam = local_day(exam_end)
    return count_days(
        exam,
        local_day(at),
        last_day=exam + relativedelta(months=months),
        months=months,
        limit_days=rules.days("6.5/other_count"),
    )


def item_words(examination: Examination) -> str:
    """Return what was examined, by the catalogue where it is an item, else as it was called."""
    if examination.items:
        items = [catalogue.load().by_no(number) for number in examination.items]
        return "、".join(item.name for item in items if item)
    for source in (examination.report, examination.order):
        if source is not None and source.content.item_text:
            return source.content.item_text
    described = (examination.study or {}).get("study_description")
    return str(described) if described else f"{examination.modality or ''}检查"


def trust(
    examination: Examination, findings: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, str], ...]:
    """Return the evidence of trust that is shown beside the advice, as (label, value)."""
    shown: list[tuple[str, str]] = []
    quality = [each for each in findings if each["rule"] == QUALIFIED]
    if quality:
        passed = all(each["outcome"] == "pass" for each in quality)
        shown.append(("项目质控", "检查日质控合格" if passed else "检查日未确认合格"))
    study = examination.study
    if study is None:
        return tuple(shown)
    device = study.get("device") or {}
    model = " ".join(str(device[key]) for key in ("manufacturer", "model") if device.get(key))
    if model:
        shown.append(("设备", model))
    series = study.get("series") or []
    thinnest = min(
        (each["slice_thickness"] for each in series if each.get("slice_thickness")), default=None
    )
    if thinnest is not None:
        shown.append(("最薄层厚", f"{thinnest:g} mm"))
    if series:
        images = sum(each.get("frames") or each.get("instances") or 0 for each in series)
        shown.append(("影像", f"{len(series)} 个序列，{images} 幅"))
    return tuple(shown)
