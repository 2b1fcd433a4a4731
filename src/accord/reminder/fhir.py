"""The few FHIR R4 resources the reminder reads, and CDS Hooks 2.0.1 requests (pydantic, slim).

Unknown elements are left alone: hospitals send more than is read here. What is read is bounded
and typed. An order in the shape of R5 is refused with a sentence, not misread.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from accord.reminder.errors import NotR4

Short = Annotated[str, StringConstraints(max_length=400)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]

ITEM_SYSTEM: Final = "urn:cyhr:item"
GROUND_SYSTEM: Final = "urn:cyhr:non-recognition-reason"
MOST_ORDERS: Final = 50


class _Resource(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Coding(_Resource):
    """A code, or the hope of one: empty codings happen."""

    system: Short | None = None
    code: Short | None = None
    display: Short | None = None


class CodeableConcept(_Resource):
    """Codes and text of one idea."""

    coding: tuple[Coding, ...] = ()
    text: Short | None = None

    @property
    def words(self) -> str | None:
        """Return the text, or the first display."""
        return self.text or next((each.display for each in self.coding if each.display), None)


class Reference(_Resource):
    """A reference by address, identifier or words."""

    reference: Short | None = None
    display: Short | None = None


class Identifier(_Resource):
    """A business identifier."""

    system: Short | None = None
    value: Short | None = None


class Patient(_Resource):
    """The patient as the workstation knows them."""

    resource_type: Literal["Patient"] = Field(alias="resourceType")
    id: Code | None = None
    identifier: tuple[Identifier, ...] = ()


class Period(_Resource):
    """From and to."""

    start: datetime | None = None
    end: datetime | None = None


class Encounter(_Resource):
    """The visit; its class is a Coding in R4 and a list in R5."""

    resource_type: Literal["Encounter"] = Field(alias="resourceType")
    id: Code | None = None
    identifier: tuple[Identifier, ...] = ()
    encounter_class: Coding | None = Field(None, alias="class")


class ServiceRequest(_Resource):
    """A draft order; `code` is a CodeableConcept in R4 and a CodeableReference in R5."""

    resource_type: Literal["ServiceRequest"] = Field(alias="resourceType")
    id: Code | None = None
    identifier: tuple[Identifier, ...] = ()
    status: Code | None = None
    intent: Code | None = None
    priority: Code | None = None
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept | None = None
    body_site: tuple[CodeableConcept, ...] = Field((), alias="bodySite")
    reason_code: tuple[CodeableConcept, ...] = Field((), alias="reasonCode")
    occurrence: datetime | None = Field(None, alias="occurrenceDateTime")


class Context(_Resource):
    """Context of `order-sign`."""

    user_id: Short = Field(alias="userId")
    patient_id: Code = Field(alias="patientId")
    encounter_id: Code | None = Field(None, alias="encounterId")
    draft_orders: dict[str, Any] = Field(alias="draftOrders")


class HookRequest(_Resource):
    """A call of a CDS client. `fhirServer` and its token are not even read: nothing is called."""

    hook: Literal["order-sign"]
    hook_instance: UUID = Field(alias="hookInstance")
    context: Context
    prefetch: dict[str, dict[str, Any] | None] | None = None


class AcceptedSuggestion(_Resource):
    """A suggestion that was taken."""

    id: Short


class OverrideReason(_Resource):
    """Why a card was overridden: a reason, a comment, or both (cds-fb-3)."""

    reason: Coding | None = None
    user_comment: Annotated[str, StringConstraints(max_length=4000)] | None = Field(
        None, alias="userComment"
    )


class FeedbackEntry(_Resource):
    """What became of one card, as the client tells it."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    outcome_timestamp: datetime = Field(alias="outcomeTimestamp")
    accepted_suggestions: tuple[AcceptedSuggestion, ...] = Field((), alias="acceptedSuggestions")
    override_reason: OverrideReason | None = Field(None, alias="overrideReason")


class Feedback(_Resource):
    """The body of the feedback endpoint."""

    feedback: Annotated[tuple[FeedbackEntry, ...], Field(max_length=200)]


def read_orders(bundle: dict[str, Any]) -> tuple[ServiceRequest, ...]:
    """Return the imaging-order candidates of a draft bundle: its ServiceRequests.

    Other resources (drugs, referrals) are passed over.

    Raises:
        NotR4: The bundle or an order does not have the shape of R4.
    """
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise NotR4("context.draftOrders 应为 FHIR R4 Bundle。")
    orders = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or resource.get("resourceType") != "ServiceRequest":
            continue
        orders.append(read_order(resource))
    if len(orders) > MOST_ORDERS:
        raise NotR4(f"一次签署的检查申请不应超过 {MOST_ORDERS} 条。")
    return tuple(orders)


def read_order(resource: dict[str, Any]) -> ServiceRequest:
    """Return one order.

    Raises:
        NotR4: It has the shape of R5, or none that is known.
    """
    code = resource.get("code")
    if isinstance(code, dict) and ("concept" in code or "reference" in code):
        raise NotR4(
            "ServiceRequest.code 是 FHIR R5 的 CodeableReference 形式；本服务按 FHIR R4 接收，"
            "请以 CodeableConcept（coding/text）发送。"
        )
    try:
        return ServiceRequest.model_validate(resource)
    except ValidationError as error:
        raise NotR4(f"ServiceRequest 不符合 FHIR R4：{first_place(error)}") from None


def first_place(error: ValidationError) -> str:
    """Return where the first mistake is and what it is, without what was sent."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"
