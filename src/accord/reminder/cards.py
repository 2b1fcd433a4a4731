"""The answer in the shape of CDS Hooks 2.0.1; pure.

No attribute is ever null or empty; a card always has its uuid, so that feedback can name it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

from accord.kit.clock import LOCAL
from accord.recognition.model import Recommendation
from accord.reminder.fhir import GROUND_SYSTEM
from accord.reminder.grounds import Ground
from accord.reminder.model import ADVICE_WORDS, Answer, ItemAnswer, Prior, Status, Unasked
from accord.reminder.text import markdown, moment_words, shorten

SERVICE: Final = "cyhr-duplicate-imaging"
EXTENSION: Final = "cyhr.reminder"
LABEL: Final = "川渝影像互认质控平台"
LONGEST_SUMMARY: Final = 139  # CDS Hooks: fewer than 140 characters
LONGEST_RESULT: Final = 600

UNASKED_WORDS: Final[Mapping[Unasked, str]] = {
    Unasked.NO_ORDER: "本次没有可查询的检查申请",
    Unasked.ITEM_UNKNOWN: "该检查项目尚未映射到互认项目",
    Unasked.TIME_OUT: "互认查询超时，医嘱照常进行",
    Unasked.UNAVAILABLE: "互认查询暂不可用，医嘱照常进行",
}


@dataclass(frozen=True)
class Draft:
    """The order of the workstation behind an order item, for the actions of a suggestion.

    Attributes:
        resource: The whole ServiceRequest as it was sent.
        others: Codes of the other items it orders; with any, it is updated and never deleted.
    """

    resource: Mapping[str, Any]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What a card shows beside the prior: the result as it stands now, and addresses."""

    base_url: str
    subject: str
    results: Mapping[int, str] = field(default_factory=dict)
    drafts: Mapping[UUID, Draft] = field(default_factory=dict)
    grounds: Sequence[Ground] = ()


def discovery() -> dict[str, Any]:
    """Return the answer of the discovery endpoint."""
    return {
        "services": [
            {
                "hook": "order-sign",
                "id": SERVICE,
                "title": "川渝影像互认 重复检查提醒（签署）",
                "description": (
                    "签署检查申请前，查询该患者近期可互认的 DR、CT、MR 检查，给出依据与影像入口。"
                    "仅作提示，不阻断医嘱。"
                ),
                "prefetch": {
                    "patient": "Patient/{{context.patientId}}",
                    "encounter": "Encounter/{{context.encounterId}}",
                },
                "usageRequirements": (
                    "患者须已在本机构登记且有未结束的就诊；身份不能确定时，回答与无既往检查相同。"
                ),
            }
        ]
    }


def response(answer: Answer, shown: Shown) -> dict[str, Any]:
    """Return the body for an answer.

    Without a prior that may be shown, the body holds nothing that differs from call to call.
    """
    cards = [card(item, item.card, shown) for item in answer.items if item.card is not None]
    told: dict[str, Any] = {"status": answer.status.value}
    if answer.unasked is not None:
        told |= {"reason": answer.unasked.value, "message": UNASKED_WORDS[answer.unasked]}
    if answer.status is Status.ANSWERED:
        told |= {"reminder": str(answer.id), "page": f"{shown.base_url}/reminder/{answer.id}"}
    if answer.items:
        told["items"] = [_item_status(item, shown) for item in answer.items]
    return {"cards": cards, "extension": {EXTENSION: told}}


def unasked(why: Unasked) -> dict[str, Any]:
    """Return the body that says that nothing was asked, and why."""
    told = {"status": Status.NOT_ASKED.value, "reason": why.value, "message": UNASKED_WORDS[why]}
    return {"cards": [], "extension": {EXTENSION: told}}


def card(item: ItemAnswer, prior: Prior, shown: Shown) -> dict[str, Any]:
    """Return the card of an order item."""
    page = f"{shown.base_url}/reminder/{item.id}"
    is_duty = prior.advice is Recommendation.MUST
    made: dict[str, Any] = {
        "uuid": str(item.id),
        "summary": summary(prior),
        "detail": detail(prior, shown.results.get(prior.examination), len(item.quiet)),
        "indicator": "warning" if is_duty and prior.interrupts else "info",
        "source": {
            "label": LABEL,
            "url": shown.base_url,
            "topic": {
                "system": "urn:cyhr:rule",
                "code": "R6.6-1",
                "display": "重复检查提醒",
            },
        },
    }
    if not prior.machine_grounds:
        made["suggestions"] = [_suggestion(item, prior, shown)]
        made["selectionBehavior"] = "at-most-one"
    made["overrideReasons"] = override_reasons(shown.grounds)
    made["links"] = [
        {"label": "打开提醒页：看图像、采用或说明理由", "url": page, "type": "absolute"}
    ]
    if prior.study_uid:
        images = f"{page}/images?examination={prior.examination}"
        made["links"].append({"label": "看图像", "url": images, "type": "absolute"})
    made["extension"] = {
        EXTENSION: {
            "advice": prior.advice.value,
            "advice_text": ADVICE_WORDS[prior.advice],
            "relation": prior.relation,
            "interrupts": prior.interrupts,
            **_filled(lifted_by=prior.lifted_by, grounds=prior.machine_grounds),
        }
    }
    return made


def summary(prior: Prior) -> str:
    """Return the one sentence of the card, fewer than 140 characters."""
    when = f"{prior.ago.days} 天前" if prior.ago and prior.ago.days else "今天"
    if prior.ago is None:
        when = "既往"
    words = f"{ADVICE_WORDS[prior.advice]}：{when}，{prior.performer}已做{prior.item}"
    if prior.machine_grounds:
        words += "（有不受互认限制的情形，仅提示）"
    return shorten(words, LONGEST_SUMMARY)


def detail(prior: Prior, result: str | None, others: int) -> str:
    """Return the Markdown of the card: images first, then where, when, evidence, result."""
    rows = [("项目", prior.item), ("检查机构", _with_level(prior.performer, prior.level))]
    if prior.reporter and prior.reported_by != prior.performed_by:
        rows.append(("报告机构", prior.reporter))
    if prior.exam_end:
        rows.append(("检查时间", moment_words(prior.exam_end)))
    if prior.ago:
        rows.append(("距今", prior.ago.words))
    rows += prior.trust
    lines = [f"- **{markdown(label)}** {markdown(value)}" for label, value in rows]
    if prior.reason:
        lines.append(f"- **说明** {markdown(prior.reason)}")
    if result:
        lines += ["", f"**原报告结论，供参考** {markdown(shorten(result, LONGEST_RESULT))}"]
    if others:
        lines += ["", f"另有 {others} 项既往检查，见提醒页。"]
    return "\n".join(lines)


def override_reasons(grounds: Sequence[Ground]) -> list[dict[str, str]]:
    """Return the grounds of clause 6.7 as codings."""
    return [
        {"system": GROUND_SYSTEM, "code": ground.code, "display": ground.display}
        for ground in grounds
    ]


def suggestion_id(item: UUID) -> UUID:
    """Return the id of the item's one suggestion, the same whenever it is asked for."""
    return uuid5(item, "accept")


def _item_status(item: ItemAnswer, shown: Shown) -> dict[str, Any]:
    told: dict[str, Any] = {"order": item.order.number, "status": item.status.value}
    if item.unasked is not None:
        told |= {"reason": item.unasked.value, "message": UNASKED_WORDS[item.unasked]}
    if item.status is Status.ANSWERED:
        told["page"] = f"{shown.base_url}/reminder/{item.id}"
    if item.quiet:
        told["quiet"] = [quiet_line(prior) for prior in item.quiet]
    return told


def quiet_line(prior: Prior) -> dict[str, str]:
    """Return one line of the quiet list with its one reason."""
    parts = [prior.item or prior.modality or "检查", prior.performer]
    if prior.exam_end:
        parts.append(moment_words(prior.exam_end))
    return {"text": shorten("，".join(parts), LONGEST_SUMMARY), "reason": prior.reason}


def _suggestion(item: ItemAnswer, prior: Prior, shown: Shown) -> dict[str, Any]:
    made: dict[str, Any] = {
        "label": "采用外院结果并引用",
        "uuid": str(suggestion_id(item.id)),
    }
    if prior.advice is Recommendation.MUST:
        made["isRecommended"] = True
    actions = [_citation(item, prior, shown)]
    draft = shown.drafts.get(item.id)
    if draft is not None and draft.resource.get("id"):
        actions.insert(0, _order_action(item, draft))
    made["actions"] = actions
    return made


def _order_action(item: ItemAnswer, draft: Draft) -> dict[str, Any]:
    """Take only this item out of the order: delete a single one, update one with others."""
    if not draft.others:
        return {
            "type": "delete",
            "description": "删除本条检查申请",
            "resourceId": f"ServiceRequest/{draft.resource['id']}",
        }
    ours = f"CYHR-{item.items[0]:03d}"
    code = draft.resource["code"]
    kept = [coding for coding in code["coding"] if coding.get("code") != ours]
    return {
        "type": "update",
        "description": f"仅从申请中去掉本项，其余 {len(draft.others)} 项不变",
        "resource": {**draft.resource, "code": {"coding": kept}},
    }


def _citation(item: ItemAnswer, prior: Prior, shown: Shown) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if prior.study_uid:
        identifier = {"system": "urn:dicom:uid", "value": f"urn:oid:{prior.study_uid}"}
        context = {"context": {"related": [{"identifier": identifier}]}}
    when = {"date": prior.exam_end.astimezone(LOCAL).isoformat()} if prior.exam_end else {}
    return {
        "type": "create",
        "description": "在病历中写入外院检查结果引用",
        "resource": {
            "resourceType": "DocumentReference",
            "status": "current",
            "type": {"text": "外院检查结果引用"},
            "subject": {"reference": f"Patient/{shown.subject}"},
            **when,
            "custodian": {"display": prior.performer},
            "description": shorten(f"{prior.performer} {prior.item}", LONGEST_SUMMARY),
            "content": [
                {
                    "attachment": {
                        "url": f"{shown.base_url}/reminder/{item.id}",
                        "title": "原报告与影像",
                    }
                }
            ],
            **context,
        },
    }


def _with_level(name: str, level: str | None) -> str:
    return f"{name}（{level}）" if level else name


def _filled(**parts: Sequence[str]) -> dict[str, list[str]]:
    return {name: list(part) for name, part in parts.items() if part}


def item_code(number: int) -> str:
    """Return the code of an item as it travels in FHIR."""
    return f"CYHR-{number:03d}"
