"""Reminders, decisions, citations and notices as values (R6.6, R6.7); no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from accord.recognition.model import Recommendation, Relation
from accord.record.model import Order


class Status(StrEnum):
    """What the asking system is told; silence is never "no prior" (RD-6.6-STATUS)."""

    ANSWERED = "answered"
    NONE = "none"
    NOT_ASKED = "not_asked"


class Unasked(StrEnum):
    """Why nothing was asked; said to the caller, so it never tells about the patient."""

    NO_ORDER = "no_order"
    ITEM_UNKNOWN = "item_unknown"
    TIME_OUT = "time_out"
    UNAVAILABLE = "unavailable"


ADVICE_WORDS: Final[Mapping[Recommendation, str]] = {  # RD-CONV-ADVICE
    Recommendation.MUST: "建议互认",
    Recommendation.MAY: "可互认",
    Recommendation.NOT_ELIGIBLE: "仅供参考",
}


class Outcome(StrEnum):
    """What a physician may decide about an order item and a prior (R6.6-2)."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    DEFERRED = "DEFERRED"
    NOT_USED = "NOT_USED"
    WITHDRAWN = "WITHDRAWN"


OUTCOME_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.ACCEPTED: "已采用原结果",
    Outcome.REJECTED: "不采用，仍做检查",
    Outcome.DEFERRED: "稍后决定",
    Outcome.NOT_USED: "未采用（不需理由）",
    Outcome.WITHDRAWN: "已撤销",
}


class Looked(StrEnum):
    """What of a prior examination was opened."""

    PAGE = "PAGE"
    IMAGES = "IMAGES"
    REPORT = "REPORT"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the workstation asks before the order is signed.

    Attributes:
        institution: The asking institution.
        visit: Number of the open visit; without one, the patient's newest open visit there.
        patient_ids: Local ids by which the asker knows the patient.
        orders: Order items about to be signed.
        physician: How the asking system names its physician; never trusted as an actor.
        instance: Hook instance or request key, to find a call again.
        via: Which door the question came through.
    """

    institution: str
    visit: str | None
    patient_ids: tuple[str, ...]
    orders: tuple[Order, ...]
    physician: str | None = None
    instance: str | None = None
    via: str = "rest"


@dataclass(frozen=True)
class DayCount:
    """How long ago, counted both ways where they disagree (RD-6.5-MONTH)."""

    days: int
    in_months: bool
    in_days: bool
    months: int
    limit_days: int

    @property
    def differs(self) -> bool:
        """Say whether 30 days and the calendar month judge differently."""
        return self.in_months != self.in_days

    @property
    def words(self) -> str:
        """Return the count as screens show it."""
        ago = "当天" if self.days == 0 else f"{self.days} 天前"
        if not self.differs:
            return ago
        by_month, by_days = (
            ("未超过" if inside else "已超过") for inside in (self.in_months, self.in_days)
        )
        return (
            f"{ago}（按自然月计{by_month} {self.months} 个月；"
            f"按 {self.limit_days} 天计{by_days}，以自然月为准）"
        )


@dataclass(frozen=True, kw_only=True)
class Prior:
    """One earlier examination as it was shown, with every finding about it.

    Attributes:
        reason: The one reason, in plain Chinese, why it carries no duty; empty on a card with one.
        machine_grounds: Grounds found by machine (R6.7-2).
        trust: Evidence of trust, as (label, value).
    """

    examination: int
    performed_by: str
    performer: str
    advice: Recommendation
    relation: Relation
    study_uid: str | None = None
    level: str | None = None
    reported_by: str | None = None
    reporter: str | None = None
    item: str = ""
    modality: str | None = None
    exam_end: datetime | None = None
    ago: DayCount | None = None
    report: str | None = None
    released_at: datetime | None = None
    own: bool = False
    reason: str = ""
    lifted_by: tuple[str, ...] = ()
    machine_grounds: tuple[str, ...] = ()
    trust: tuple[tuple[str, str], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    readings: tuple[str, ...] = ()

    @property
    def interrupts(self) -> bool:
        """Say whether its card may interrupt: never with a machine-found ground (R6.6-1)."""
        return self.advice is not Recommendation.NOT_ELIGIBLE and not self.machine_grounds


@dataclass(frozen=True, kw_only=True)
class ItemAnswer:
    """The answer for one order item: at most one card, and the quiet list.

    Attributes:
        id: Id of the item, of its card, and of its page.
        order: The order item as asked.
        items: Items of the catalogue it was read as.
    """

    id: UUID
    order: Order
    status: Status
    items: tuple[int, ...] = ()
    item_names: tuple[str, ...] = ()
    unasked: Unasked | None = None
    card: Prior | None = None
    quiet: tuple[Prior, ...] = ()

    @property
    def priors(self) -> tuple[Prior, ...]:
        """Return everything that was shown, the card first."""
        return (*((self.card,) if self.card else ()), *self.quiet)

    def prior(self, examination: int) -> Prior | None:
        """Return the shown prior of that examination."""
        return next((each for each in self.priors if each.examination == examination), None)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a question, kept before it is sent.

    Attributes:
        results: The result of the prior of each card as it stands now, by examination; shown
            once and not kept with the reminder.
    """

    id: UUID
    status: Status
    asked_at: datetime
    institution: str
    items: tuple[ItemAnswer, ...] = ()
    results: Mapping[int, str] = field(default_factory=dict)
    unasked: Unasked | None = None
    rule_set: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class KeptReminder:
    """A reminder item as it was kept, with what its page needs of the reminder."""

    reminder: UUID
    institution: str
    visit: str | None
    patient_id: str | None
    physician: str | None
    asked_at: datetime
    rule_set: str
    item: ItemAnswer
    siblings: tuple[UUID, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GivenGround:
    """A ground as the physician gave it: code, the structured pick, text where asked."""

    code: str
    pick: str | None = None  # NR08: who asks
    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One act of a physician about one order item; never changed, only followed by another.

    Attributes:
        of: The decision that a withdrawal takes back.
        unseen: Accepted with neither images nor report opened.
        duty: Whether the card carried a duty when it was decided.
        unlinked_at: When its prior turned out not to be certainly the patient's.
    """

    id: UUID
    item: UUID
    examination: int
    outcome: Outcome
    physician: str
    physician_name: str
    institution: str
    at: datetime
    grounds: tuple[GivenGround, ...] = ()
    of: UUID | None = None
    unseen: bool = False
    advice: Recommendation = Recommendation.NOT_ELIGIBLE
    on_card: bool = False
    lifted_by: tuple[str, ...] = ()
    unlinked_at: datetime | None = None

    @property
    def is_refusal(self) -> bool:
        """Say whether the examination is repeated against the prior from now on."""
        withdrawn_with_ground = self.outcome is Outcome.WITHDRAWN and bool(self.grounds)
        return self.outcome is Outcome.REJECTED or withdrawn_with_ground


@dataclass(frozen=True, kw_only=True)
class Citation:
    """引用记录 with the four parts that R6.6-3 asks for.

    Attributes:
        unlinked_at: When its prior turned out not to be certainly the patient's; it is void.
    """

    id: UUID
    decision: UUID
    result: str
    performer: str
    exam_time: datetime
    study_uid: str
    cited_by: str
    cited_at: datetime
    link: str
    item: str
    performed_by: str
    patient_id: str
    reporter: str | None = None
    unseen: bool = False
    withdrawn_at: datetime | None = None
    unlinked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Unlinked:
    """Tells who was shown a prior that it is not certainly the patient's (RD-ID-UNLINK).

    Attributes:
        physicians: Who opened the reminder or decided by it; empty when nobody did.
        citation: The citation that is void by it.
    """

    id: UUID
    item: UUID
    examination: int
    study_uid: str | None
    institution: str
    physicians: tuple[str, ...]
    at: datetime
    visit: str | None = None
    patient_id: str | None = None
    order_number: str = ""
    citation: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """告知记录: purpose and necessity of a repeat were explained (R6.6-4)."""

    id: UUID
    decision: UUID
    informer: str
    informer_name: str
    at: datetime
    purpose: str
    necessity: str
    informed: str = "本人"
    relation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """Somebody opened something of a prior."""

    examination: int
    what: Looked
    physician: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ItemState:
    """What happened to a reminder item so far, oldest first."""

    decisions: tuple[Decision, ...] = ()
    citations: tuple[Citation, ...] = ()
    notices: tuple[Notice, ...] = ()
    looks: tuple[Look, ...] = ()
    reported: tuple[Mapping[str, Any], ...] = field(default=())
    unlinked: Mapping[int, datetime] = field(default_factory=dict)

    @property
    def in_force(self) -> Decision | None:
        """Return the decision that stands: not a withdrawal, nor one that was withdrawn."""
        taken_back = {each.of for each in self.decisions if each.of}
        standing = [
            each
            for each in self.decisions
            if each.outcome is not Outcome.WITHDRAWN and each.id not in taken_back
        ]
        return standing[-1] if standing else None

    @property
    def last(self) -> Decision | None:
        """Return the newest act, withdrawals included."""
        return self.decisions[-1] if self.decisions else None

    def has_looked(self, examination: int) -> bool:
        """Say whether images or report of that prior were opened."""
        return any(
            look.examination == examination and look.what is not Looked.PAGE for look in self.looks
        )

    def notice_of(self, decision: UUID) -> Notice | None:
        """Return the informing record of a decision."""
        return next((each for each in self.notices if each.decision == decision), None)

    def citation_of(self, decision: UUID) -> Citation | None:
        """Return the citation of a decision."""
        return next((each for each in self.citations if each.decision == decision), None)


def count_days(
    exam: date, order: date, *, last_day: date, months: int, limit_days: int
) -> DayCount:
    """Count local days from the examination to the order, the first day not counted.

    Args:
        exam: Local day of the end of acquisition.
        order: Local day of the question.
        last_day: Last day of the calendar-month window.
        months: Length of that window, for the words.
        limit_days: The other count that is shown where it judges differently.
    """
    days = max((order - exam).days, 0)
    return DayCount(days, order <= last_day, days <= limit_days, months, limit_days)
