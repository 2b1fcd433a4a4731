"""REST of local names under `/api/v1/names`: intake, proposals, approval, work list, matching."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from accord import catalogue, standard
from accord.catalogue.names import conforming
from accord.catalogue.names.intake import MOST_BYTES
from accord.catalogue.names.model import Answer, Query
from accord.catalogue.rules.naming import NameEvidence, has_technique_code, states_four_parts
from accord.kit.access import Actor, declare, requires
from accord.kit.errors import Forbidden, TooLarge
from accord.kit.http import Transaction
from accord.kit.settings import get_settings
from accord.record.names import service
from accord.record.names.model import LocalName, State

PROPOSE: Final = declare(
    "names.propose", "import the dictionary of the own institution and read the proposed mappings"
)
APPROVE: Final = declare("names.approve", "approve mappings of names of the own institution")
CONFIRM: Final = declare("names.confirm", "confirm or return mappings that an institution approved")

router = APIRouter(prefix="/api/v1/names", tags=["names"])

Proposer = Annotated[Actor, requires(PROPOSE)]
Approver = Annotated[Actor, requires(APPROVE)]
Confirmer = Annotated[Actor, requires(CONFIRM)]
Shown = dict[str, Any]
Line = Annotated[str, Field(max_length=400)]


class Strict(BaseModel):
    """Refuse fields nobody asked for."""

    model_config = ConfigDict(extra="forbid")


class Asked(Strict):
    """One name with its fields."""

    name: Line = ""
    modality: Line = ""
    body_part: Line = ""
    view_position: Line = ""
    laterality: Line = ""
    study_description: Line = ""
    series_description: Line = ""
    protocol: Line = ""
    contrast_agent: Line = ""


class AskedAll(Strict):
    """Several names."""

    names: Annotated[list[Asked], Field(min_length=1, max_length=1000)]


class Approval(Strict):
    """A name and the item it is approved for; no item: outside the catalogue."""

    name: Annotated[str, Field(min_length=1, max_length=400)]
    item: int | None
    technique_code: str | None = None


class Named(Strict):
    """A name of an institution."""

    institution: Annotated[str, Field(min_length=1, max_length=64)]
    name: Annotated[str, Field(min_length=1, max_length=400)]


class Rejection(Named):
    """A name sent back, with the reason."""

    reason: Annotated[str, Field(min_length=1, max_length=400)]


@router.post("/match", operation_id="match_names")
def match_names(_actor: Proposer, asked: AskedAll) -> list[Shown]:
    """Match names without keeping anything."""
    queries = [Query(**one.model_dump()) for one in asked.names]
    return [
        _answer(query.name, answer)
        for query, answer in zip(queries, service.match_names(queries), strict=True)
    ]


@router.post("/dictionary", operation_id="take_in_names")
async def take_in_names(request: Request, actor: Proposer) -> Shown:
    """Take in the dictionary of the caller's institution: the body is a CSV or Excel file."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MOST_BYTES:
            raise TooLarge(f"文件超过{MOST_BYTES // 1024**2} MB。")

    def take() -> Shown:
        with request.app.state.database.begin() as conn:
            return asdict(service.take_in(conn, actor, bytes(content)))

    return await run_in_threadpool(take)


@router.get("/proposals", operation_id="list_name_proposals")
def list_name_proposals(conn: Transaction, actor: Proposer, limit: int = 200) -> list[Shown]:
    """Return what waits for the department, grouped by answer, the safest first."""
    groups = service.proposals(conn, _own(actor))
    return [
        {
            "kind": group.kind.value,
            "items": list(group.items),
            "confidence": group.confidence,
            "count": group.count,
            "names": [_name(one) for one in group.names],
        }
        for group in groups[: max(1, min(limit, 1000))]
    ]


@router.get("/worklist", operation_id="list_unmapped_names")
def list_unmapped_names(conn: Transaction, actor: Proposer) -> list[Shown]:
    """Return the names without an item, the most frequent first."""
    return [asdict(one) for one in service.work_list(conn, _own(actor))]


@router.post("/approvals", operation_id="approve_names")
def approve_names(
    conn: Transaction, actor: Approver, approvals: Annotated[list[Approval], Field(max_length=1000)]
) -> list[Shown]:
    """Approve names for items; one that crosses side, contrast or modality refuses them all."""
    return [
        _name(
            service.approve(conn, actor, one.name, item=one.item, technique_code=one.technique_code)
        )
        for one in approvals
    ]


@router.get("/approved", operation_id="list_approved_names")
def list_approved_names(conn: Transaction, _actor: Confirmer, institution: str) -> list[Shown]:
    """Return what an institution approved and the centre has not confirmed."""
    return [_name(one) for one in service.names_in(conn, institution, State.APPROVED)]


@router.post("/confirmations", operation_id="confirm_name")
def confirm_name(conn: Transaction, actor: Confirmer, named: Named) -> Shown:
    """Confirm an approved name; from now on it wins over the parser."""
    return _name(service.confirm(conn, actor, named.institution, named.name))


@router.post("/rejections", operation_id="reject_name")
def reject_name(conn: Transaction, actor: Confirmer, rejection: Rejection) -> Shown:
    """Send a name back to the department."""
    return _name(
        service.reject(conn, actor, rejection.institution, rejection.name, rejection.reason)
    )


@router.post("/rematch", operation_id="rematch_names")
def rematch_names(conn: Transaction, actor: Approver) -> Shown:
    """Match again what a changed lexicon can change, and report what moved."""
    return asdict(service.rematch(conn, actor, _own(actor)))


def _own(actor: Actor) -> str:
    if actor.institution is None:
        raise Forbidden("此操作须以医疗机构的身份进行。")
    return actor.institution


def _name(name: LocalName) -> Shown:
    known = catalogue.load()
    form = conforming.judge(name.written, known)
    items = [item for no in name.items if (item := known.by_no(no))]
    rule_set = standard.load(get_settings().rule_set)
    confirmed = name.state is State.CONFIRMED
    evidence = NameEvidence(name.written, form, confirmed, name.technique_code)
    return {
        "institution": name.institution,
        "name": name.written,
        "code": name.code,
        "technique_code": name.technique_code,
        "count": name.count,
        "state": name.state.value,
        "item": name.item,
        "reason": name.reason,
        "approved_by": name.approved_by,
        "confirmed_by": name.confirmed_by,
        "answer": {key: value for key, value in name.answer.items() if key != "concepts"},
        "conforms": form.conforms,
        "missing": list(form.missing),
        "conforming_names": [conforming.form_of(item) for item in items],
        "findings": [
            answer(evidence, rule_set).as_dict()
            for answer in (states_four_parts, has_technique_code)
        ],
    }


def _answer(name: str, answer: Answer) -> Shown:
    known = catalogue.load()
    form = conforming.judge(name, known)
    items = [item for no in answer.items if (item := known.by_no(no))]
    return answer.as_dict() | {
        "conforms": form.conforms,
        "missing": list(form.missing),
        "conforming_names": [conforming.form_of(item) for item in items],
    }
