"""Reminders, priors and orders as tests need them."""

from datetime import UTC, date, datetime
from uuid import UUID

from accord.recognition.model import Recommendation, Relation
from accord.record.model import Order
from accord.reminder.model import Answer, ItemAnswer, Prior, Status, count_days

AT = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
ITEM = UUID("00000000-0000-4000-8000-000000000001")
REMINDER = UUID("00000000-0000-4000-8000-0000000000aa")


def make_order(**changes):
    given = {
        "number": "O-1",
        "visit": "V-1",
        "patient_id": "P-1",
        "item_text": "胸部CT平扫",
        "item_code": "CYHR-094",
        "ordered_at": AT,
        "purpose": "咳嗽两周",
    }
    return Order(**{**given, **changes})


def make_prior(**changes):
    ended = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    given = {
        "examination": 7,
        "performed_by": "SC-H1",
        "performer": "成都第一医院",
        "advice": Recommendation.MUST,
        "relation": Relation.EQUAL,
        "study_uid": "2.25.7",
        "level": "三级",
        "item": "胸部CT平扫",
        "modality": "CT",
        "exam_end": ended,
        "ago": count_days(
            ended.date(), AT.date(), last_day=date(2026, 4, 3), months=1, limit_days=30
        ),
        "report": "已审核发布",
    }
    return Prior(**{**given, **changes})


def make_item(card=None, quiet=(), **changes):
    given = {
        "id": ITEM,
        "order": make_order(),
        "status": Status.ANSWERED if card or quiet else Status.NONE,
        "items": (94,),
        "item_names": ("胸部CT平扫",),
        "card": card,
        "quiet": tuple(quiet),
    }
    return ItemAnswer(**{**given, **changes})


def make_answer(*items, **changes):
    answered = any(item.status is Status.ANSWERED for item in items)
    given = {
        "id": REMINDER,
        "status": Status.ANSWERED if answered else Status.NONE,
        "asked_at": AT,
        "institution": "CQ-H1",
        "items": items,
        "rule_set": "2025-draft",
    }
    return Answer(**{**given, **changes})
