"""What a CDS client tells about its cards: kept with its history, never taken for a decision.

A message of a system names no authenticated physician, and only a physician's act decides (R5-1).
The page of the card shows what was told, and the physician confirms it there.
"""

from typing import Any

from sqlalchemy import Connection

from accord.kit import audit
from accord.kit.access import Actor
from accord.kit.errors import Invalid
from accord.reminder import store
from accord.reminder.errors import UnknownReminder
from accord.reminder.fhir import GROUND_SYSTEM, Feedback, FeedbackEntry


def keep(conn: Connection, actor: Actor, told: Feedback) -> int:
    """Keep each entry once; return how many were new.

    Raises:
        UnknownReminder: A card is not one of the sender's institution; nothing is kept.
        Invalid: An entry misses what its outcome needs.
    """
    for entry in told.feedback:
        _check(entry)
        if store.institution_of_item(conn, entry.card) != actor.institution:
            raise UnknownReminder("反馈中的卡片不存在，或不属于该机构。", card=str(entry.card))
    return sum(_keep_one(conn, actor, entry) for entry in told.feedback)


def _check(entry: FeedbackEntry) -> None:
    if entry.outcome_timestamp.tzinfo is None:
        raise Invalid("outcomeTimestamp 须带时区（RFC 3339）。")
    if entry.outcome == "accepted" and not entry.accepted_suggestions:
        raise Invalid("outcome 为 accepted 时须给出 acceptedSuggestions。")
    if entry.outcome == "overridden" and entry.accepted_suggestions:
        raise Invalid("outcome 为 overridden 时不应给出 acceptedSuggestions。")
    reason = entry.override_reason
    if reason is None:
        return
    if entry.outcome == "accepted":
        raise Invalid("outcome 为 accepted 时不应给出 overrideReason。")
    has_code = reason.reason is not None and bool(reason.reason.code)
    if not has_code and not (reason.user_comment or "").strip():
        raise Invalid("overrideReason 须有 reason 或 userComment。")


def _keep_one(conn: Connection, actor: Actor, entry: FeedbackEntry) -> bool:
    content: dict[str, Any] = {"happened_at": entry.outcome_timestamp.isoformat()}
    if entry.accepted_suggestions:
        content["suggestions"] = [each.id for each in entry.accepted_suggestions]
    reason = entry.override_reason
    if reason is not None and reason.reason is not None:
        content["reason"] = reason.reason.model_dump(exclude_none=True)
        content["known"] = reason.reason.system == GROUND_SYSTEM
    if reason is not None and reason.user_comment:
        content["comment"] = reason.user_comment
    is_new = store.add_feedback(
        conn, entry.card, actor.id, entry.outcome, entry.outcome_timestamp, content
    )
    if is_new:
        audit.record(
            conn,
            actor,
            action="reminder.feedback",
            subject=f"reminder_item:{entry.card}",
            detail={"outcome": entry.outcome},
        )
    return is_new
