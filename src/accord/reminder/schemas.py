"""Bodies of the REST interface of the reminder."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from accord.record.model import Measure, Order, Urgency
from accord.reminder.model import (
    ADVICE_WORDS,
    Answer,
    Citation,
    Decision,
    GivenGround,
    ItemAnswer,
    ItemState,
    KeptReminder,
    Notice,
    Outcome,
    Prior,
    Status,
    Unlinked,
)
from accord.reminder.service import SELF, Decided, Informing
from accord.standard.model import as_json

Code = Annotated[str, Field(min_length=1, max_length=64)]
Line = Annotated[str, Field(max_length=400)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderItem(_Body):
    """One order item about to be signed."""

    number: Code
    item_text: Line
    item_code: Code | None = None
    side: Code | None = None
    position: Code | None = None
    department: Line | None = None
    physician: Line | None = None
    purpose: Line | None = None
    urgency: Urgency = Urgency.ROUTINE
    follow_up: bool = False
    planned_measure: Measure | None = None
    planned_on: date | None = None

    def as_order(self, visit: str, patient_id: str, at: datetime) -> Order:
        """Return it as an order of the record."""
        return Order(visit=visit, patient_id=patient_id, ordered_at=at, **self.model_dump())


class Ask(_Body):
    """The question at order time."""

    visit: Code
    patient_id: Code
    orders: Annotated[list[OrderItem], Field(max_length=50)] = []
    order_numbers: Annotated[list[Code], Field(max_length=50)] = []
    physician: Line | None = None


class GroundIn(_Body):
    """A ground of clause 6.7 with what it needs."""

    code: Annotated[str, Field(pattern=r"^NR(0[1-9]|1[01])$")]
    pick: Annotated[str, Field(max_length=40)] | None = None
    relation: Annotated[str, Field(max_length=40)] | None = None
    text: Annotated[str, Field(max_length=1000)] | None = None

    def as_ground(self) -> GivenGround:
        """Return it as the engine takes it; the relation of NR08 is its pick."""
        return GivenGround(code=self.code, pick=self.pick or self.relation, text=self.text)


class InformedIn(_Body):
    """The tick 「已告知」; purpose and necessity come from the order and the ground."""

    purpose: Line | None = None
    necessity: Line | None = None
    informed: Annotated[str, Field(max_length=40)] = SELF
    relation: Annotated[str, Field(max_length=40)] | None = None

    def as_informing(self) -> Informing:
        """Return it as the service takes it."""
        return Informing(**self.model_dump())


class DecideIn(_Body):
    """A physician's decision."""

    item: UUID
    outcome: Outcome
    examination: int | None = None
    grounds: Annotated[list[GroundIn], Field(max_length=11)] = []
    informed: InformedIn | None = None


def shown_answer(answer: Answer, base_url: str) -> dict[str, Any]:
    """Return an answer as REST tells it; without priors it holds nothing that varies."""
    told: dict[str, Any] = {"status": answer.status.value}
    if answer.unasked is not None:
        told["reason"] = answer.unasked.value
    if answer.status is Status.ANSWERED:
        told["id"] = str(answer.id)
        told["page"] = f"{base_url}/reminder/{answer.id}"
    told["items"] = [shown_item(item, base_url) for item in answer.items]
    return told


def shown_item(item: ItemAnswer, base_url: str) -> dict[str, Any]:
    """Return the answer for one order item."""
    told: dict[str, Any] = {
        "order": item.order.number,
        "status": item.status.value,
        "items": [f"CYHR-{number:03d}" for number in item.items],
    }
    if item.unasked is not None:
        told["reason"] = item.unasked.value
    if item.status is Status.ANSWERED:
        told["id"] = str(item.id)
        told["page"] = f"{base_url}/reminder/{item.id}"
        told["card"] = shown_prior(item.card) if item.card else None
        told["quiet"] = [shown_prior(prior) for prior in item.quiet]
    return told


def shown_prior(prior: Prior) -> dict[str, Any]:
    """Return a prior with its advice, its one reason and every finding."""
    return {
        "examination": prior.examination,
        "study_uid": prior.study_uid,
        "item": prior.item,
        "modality": prior.modality,
        "performed_by": prior.performed_by,
        "performer": prior.performer,
        "level": prior.level,
        "reported_by": prior.reported_by,
        "reporter": prior.reporter,
        "exam_end": prior.exam_end.isoformat() if prior.exam_end else None,
        "ago": prior.ago.words if prior.ago else None,
        "report": prior.report,
        "advice": prior.advice.value,
        "advice_text": ADVICE_WORDS[prior.advice],
        "relation": prior.relation.value,
        "reason": prior.reason or None,
        "interrupts": prior.interrupts,
        "lifted_by": list(prior.lifted_by),
        "grounds": list(prior.machine_grounds),
        "trust": dict(prior.trust),
        "findings": [dict(finding) for finding in prior.findings],
        "readings": list(prior.readings),
    }


def shown_kept(kept: KeptReminder, state: ItemState, base_url: str) -> dict[str, Any]:
    """Return a reminder item as it was kept, with what happened to it since."""
    return {
        "reminder": str(kept.reminder),
        "asked_at": kept.asked_at.isoformat(),
        "visit": kept.visit,
        "rule_set": kept.rule_set,
        **shown_item(kept.item, base_url),
        "decisions": [shown_decision(decision) for decision in state.decisions],
        "citations": [shown_citation(citation) for citation in state.citations],
        "notices": [shown_notice(notice) for notice in state.notices],
        "reported": [dict(each) for each in state.reported],
    }


def shown_decided(decided: Decided) -> dict[str, Any]:
    """Return a decision with what it left behind."""
    return {
        **shown_decision(decided.decision),
        "citation": shown_citation(decided.citation) if decided.citation else None,
        "notice": shown_notice(decided.notice) if decided.notice else None,
        "informing": as_json(decided.informing.as_dict()) if decided.informing else None,
    }


def shown_decision(decision: Decision) -> dict[str, Any]:
    """Return a decision."""
    return {
        "id": str(decision.id),
        "item": str(decision.item),
        "examination": decision.examination,
        "outcome": decision.outcome.value,
        "physician": decision.physician,
        "physician_name": decision.physician_name,
        "institution": decision.institution,
        "at": decision.at.isoformat(),
        "grounds": [
            {"code": one.code, "pick": one.pick, "text": one.text} for one in decision.grounds
        ],
        "of": str(decision.of) if decision.of else None,
        "unseen": decision.unseen,
        "advice": decision.advice.value,
        "on_card": decision.on_card,
        "lifted_by": list(decision.lifted_by),
        "unlinked_at": decision.unlinked_at.isoformat() if decision.unlinked_at else None,
    }


def shown_citation(citation: Citation) -> dict[str, Any]:
    """Return a citation with its four parts."""
    return {
        "id": str(citation.id),
        "decision": str(citation.decision),
        "patient_id": citation.patient_id,
        "result": citation.result,
        "performer": citation.performer,
        "performed_by": citation.performed_by,
        "reporter": citation.reporter,
        "item": citation.item,
        "exam_time": citation.exam_time.isoformat(),
        "cited_by": citation.cited_by,
        "cited_at": citation.cited_at.isoformat(),
        "study_uid": citation.study_uid,
        "link": citation.link,
        "unseen": citation.unseen,
        "withdrawn_at": citation.withdrawn_at.isoformat() if citation.withdrawn_at else None,
        "unlinked_at": citation.unlinked_at.isoformat() if citation.unlinked_at else None,
    }


def shown_unlinked(notice: Unlinked) -> dict[str, Any]:
    """Return a notice that a shown prior is not certainly the patient's."""
    return {
        "id": str(notice.id),
        "item": str(notice.item),
        "order": notice.order_number,
        "visit": notice.visit,
        "patient_id": notice.patient_id,
        "examination": notice.examination,
        "study_uid": notice.study_uid,
        "citation": str(notice.citation) if notice.citation else None,
        "physicians": list(notice.physicians),
        "at": notice.at.isoformat(),
    }


def shown_notice(notice: Notice) -> dict[str, Any]:
    """Return an informing record."""
    return {
        "id": str(notice.id),
        "decision": str(notice.decision),
        "informer": notice.informer,
        "informer_name": notice.informer_name,
        "at": notice.at.isoformat(),
        "purpose": notice.purpose,
        "necessity": notice.necessity,
        "informed": notice.informed,
        "relation": notice.relation,
    }
