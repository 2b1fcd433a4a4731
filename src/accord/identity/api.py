"""REST of patients under `/api/v1`: hospitals register their own, people work on the tasks."""

from typing import Annotated

from fastapi import APIRouter

from accord.identity import access, service
from accord.identity.errors import BadPatient, ForeignPatient, UnknownPatient
from accord.identity.schemas import (
    DecisionBody,
    MergeBody,
    PatientBody,
    PatientView,
    TaskView,
    UnlinkBody,
)
from accord.kit.access import Actor, requires
from accord.kit.http import Transaction

router = APIRouter(prefix="/api/v1", tags=["patients"])

Registrar = Annotated[Actor, requires(access.REGISTER)]
Clerk = Annotated[Actor, requires(access.TASKS)]


def _institution(actor: Actor) -> str:
    if actor.institution is None:
        raise ForeignPatient("登记患者须以医疗机构的身份进行。")
    return actor.institution


@router.post("/patients", status_code=201, operation_id="register_patient")
def register_patient(conn: Transaction, actor: Registrar, body: PatientBody) -> PatientView:
    """Register a patient of the caller's institution, or amend a known one."""
    record = body.record(_institution(actor))
    return PatientView.of(service.register_patient(conn, actor, record))


@router.put("/patients/{local_id}", operation_id="amend_patient")
def amend_patient(
    conn: Transaction, actor: Registrar, local_id: str, body: PatientBody
) -> PatientView:
    """Keep the next version of a patient."""
    if body.local_id != local_id:
        raise BadPatient("路径中的患者编号与内容中的编号不一致。")
    institution = _institution(actor)
    if service.find_patient(conn, institution, local_id) is None:
        raise UnknownPatient("本机构没有该编号的患者。")
    return PatientView.of(service.register_patient(conn, actor, body.record(institution)))


@router.get("/patients/{local_id}", operation_id="read_patient")
def read_patient(conn: Transaction, actor: Registrar, local_id: str) -> PatientView:
    """Return a patient of the caller's institution."""
    found = service.find_patient(conn, _institution(actor), local_id)
    if found is None:
        raise UnknownPatient("本机构没有该编号的患者。")
    return PatientView.of(found)


@router.post("/patients/{local_id}/merge", operation_id="merge_patients")
def merge_patients(
    conn: Transaction, actor: Registrar, local_id: str, body: MergeBody
) -> PatientView:
    """Take over that the institution merges two of its own ids."""
    institution = _institution(actor)
    return PatientView.of(
        service.link_by_source(conn, actor, institution, local_id, body.with_local_id)
    )


@router.get("/tasks/identity", operation_id="list_identity_tasks")
def list_tasks(conn: Transaction, actor: Clerk) -> list[TaskView]:
    """Return the open tasks of the caller's patients; of all for a regional post."""
    return [TaskView.of(task) for task in service.open_tasks(conn, actor)]


@router.post(
    "/tasks/identity/{task_id}/decision", status_code=204, operation_id="decide_identity_task"
)
def decide_task(conn: Transaction, actor: Clerk, task_id: int, body: DecisionBody) -> None:
    """Decide an open task."""
    service.decide_task(conn, actor, task_id, body.decision, body.note)


@router.post("/tasks/identity/patients/{patient_id}/unlink", operation_id="unlink_patient")
def unlink_patient(
    conn: Transaction, actor: Clerk, patient_id: int, body: UnlinkBody
) -> PatientView:
    """Take a patient out of its person; only a regional post may."""
    return PatientView.of(service.unlink(conn, actor, patient_id, body.note))
