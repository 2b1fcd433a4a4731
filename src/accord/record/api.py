"""REST of visits, orders, reports and studies under `/api/v1` (design.md 6).

Hospital systems write for their own institution alone; `Idempotency-Key` makes a repeated call
harmless.
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request

from accord.kit.access import Actor, declare, requires
from accord.kit.errors import Invalid, NotFound
from accord.kit.http import Transaction
from accord.kit.once import once
from accord.record import service
from accord.record.errors import UnknownVisit
from accord.record.model import Examination, Kept, Order, Report, Visit
from accord.record.store import as_json

READ = declare("record.read", "read visits, orders, reports and studies of the own institution")
WRITE = declare("record.write", "send visits, orders and reports of the own institution")

router = APIRouter(prefix="/api/v1", tags=["record"])

Reader = Annotated[Actor, requires(READ)]
Writer = Annotated[Actor, requires(WRITE)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
Limit = Annotated[int, Query(ge=1, le=500)]


def _shown(kept: Kept[Any]) -> dict[str, Any]:
    return {
        "institution": kept.institution,
        "version": kept.version,
        "at": kept.at.isoformat(),
        **as_json(kept.content),
    }


def _put(
    conn: Transaction, actor: Actor, key: str | None, request: Request, document: Any, act: Any
) -> dict[str, Any]:
    identity = f"{request.method} {request.url.path} {as_json(document)}".encode()
    return once(conn, actor, key, identity, lambda: _shown(act(conn, actor, document)))


def _same_number(number: str, document: Visit | Order | Report) -> None:
    if number != document.number:
        raise Invalid("路径中的编号与内容中的编号不一致。")


@router.post("/visits", status_code=201, operation_id="create_visit")
def create_visit(
    conn: Transaction, actor: Writer, request: Request, visit: Visit, key: Key = None
) -> dict[str, Any]:
    """Keep a visit of the caller's institution."""
    return _put(conn, actor, key, request, visit, service.put_visit)


@router.put("/visits/{number}", operation_id="amend_visit")
def amend_visit(
    conn: Transaction, actor: Writer, request: Request, number: str, visit: Visit, key: Key = None
) -> dict[str, Any]:
    """Keep the next version of a visit; `closed_at` closes it."""
    _same_number(number, visit)
    return _put(conn, actor, key, request, visit, service.put_visit)


@router.get("/visits/{number}", operation_id="read_visit")
def read_visit(conn: Transaction, actor: Reader, number: str) -> dict[str, Any]:
    """Return the present version of a visit."""
    kept = service.find_visit(conn, service.institution_of(actor), number)
    if kept is None:
        raise UnknownVisit("没有这次就诊。")
    return _shown(kept)


@router.post("/orders", status_code=201, operation_id="create_order")
def create_order(
    conn: Transaction, actor: Writer, request: Request, order: Order, key: Key = None
) -> dict[str, Any]:
    """Keep an order of the caller's institution."""
    return _put(conn, actor, key, request, order, service.put_order)


@router.put("/orders/{number}", operation_id="amend_order")
def amend_order(
    conn: Transaction, actor: Writer, request: Request, number: str, order: Order, key: Key = None
) -> dict[str, Any]:
    """Keep the next version of an order."""
    _same_number(number, order)
    return _put(conn, actor, key, request, order, service.put_order)


@router.post("/orders/{number}/withdraw", operation_id="withdraw_order")
def withdraw_order(conn: Transaction, actor: Writer, number: str) -> dict[str, Any]:
    """Withdraw an order."""
    return _shown(service.withdraw_order(conn, actor, number))


@router.get("/orders/{number}", operation_id="read_order")
def read_order(conn: Transaction, actor: Reader, number: str) -> dict[str, Any]:
    """Return the present version of an order."""
    return _shown(service.find_order(conn, service.institution_of(actor), number))


@router.get("/orders/{number}/versions", operation_id="read_order_versions")
def read_order_versions(conn: Transaction, actor: Reader, number: str) -> list[dict[str, Any]]:
    """Return every version of an order, oldest first."""
    institution = service.institution_of(actor)
    return [_shown(kept) for kept in service.versions_of_order(conn, institution, number)]


@router.get("/orders", operation_id="list_orders")
def list_orders(conn: Transaction, actor: Reader, limit: Limit = 100) -> list[dict[str, Any]]:
    """Return the institution's newest orders."""
    institution = service.institution_of(actor)
    return [_shown(kept) for kept in service.orders_at(conn, institution, limit=limit)]


@router.post("/reports", status_code=201, operation_id="create_report")
def create_report(
    conn: Transaction, actor: Writer, request: Request, report: Report, key: Key = None
) -> dict[str, Any]:
    """Keep a report by the caller's institution."""
    return _put(conn, actor, key, request, report, service.put_report)


@router.put("/reports/{number}", operation_id="amend_report")
def amend_report(
    conn: Transaction,
    actor: Writer,
    request: Request,
    number: str,
    report: Report,
    key: Key = None,
) -> dict[str, Any]:
    """Keep the next version of a report."""
    _same_number(number, report)
    return _put(conn, actor, key, request, report, service.put_report)


@router.post("/reports/{number}/withdraw", operation_id="withdraw_report")
def withdraw_report(conn: Transaction, actor: Writer, number: str) -> dict[str, Any]:
    """Withdraw a report."""
    return _shown(service.withdraw_report(conn, actor, number))


@router.get("/reports/{number}", operation_id="read_report")
def read_report(conn: Transaction, actor: Reader, number: str) -> dict[str, Any]:
    """Return the present version of a report."""
    return _shown(service.find_report(conn, service.institution_of(actor), number))


@router.get("/reports/{number}/versions", operation_id="read_report_versions")
def read_report_versions(conn: Transaction, actor: Reader, number: str) -> list[dict[str, Any]]:
    """Return every version of a report, oldest first."""
    institution = service.institution_of(actor)
    return [_shown(kept) for kept in service.versions_of_report(conn, institution, number)]


def _examination(examination: Examination) -> dict[str, Any]:
    shown = asdict(examination)
    for part in ("study", "order", "report"):
        shown.pop(part)
    shown["order"] = examination.order and examination.order.content.number
    shown["report"] = examination.report and examination.report.content.number
    return shown


@router.get("/studies", operation_id="list_studies")
def list_studies(conn: Transaction, actor: Reader, limit: Limit = 100) -> list[dict[str, Any]]:
    """Return the newest examinations performed at the caller's institution."""
    institution = service.institution_of(actor)
    return [
        _examination(found) for found in service.examinations_at(conn, institution, limit=limit)
    ]


@router.get("/studies/{study_uid}", operation_id="read_study")
def read_study(conn: Transaction, actor: Reader, study_uid: str) -> dict[str, Any]:
    """Return the examination of a study performed at the caller's institution."""
    found = service.find_examination_of_study(conn, study_uid)
    if found is None or found.performed_by != service.institution_of(actor):
        raise NotFound("本机构没有这份检查。")
    return _examination(found)
