"""Patients over HTTP: a hospital's system registers its own, people work on tasks."""

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection

from accord.identity.api import router
from accord.kit import access, store
from accord.kit.access import Actor, Gate
from accord.kit.http import install_error_handlers
from accord.kit.settings import Settings
from accord.registry import roles, service
from support.asgi import Asker
from support.borrowed import PASSWORD, BorrowedDatabase, password_hash
from support.region import make_region

NUMBER = "509900197008150028"
ZENG = {
    "local_id": "1", "name": "曾丽", "sex": "F", "birth_date": "1970-08-15",
    "id_type": "01", "id_number": NUMBER, "phone": "13900001111",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture
def client(conn: Connection) -> Asker:
    posts = [
        {"login": "mpi.cq", "role": "patient_admin", "authority": "CQ-WJW"},
        {"login": "front", "role": "patient_admin", "institution": "CQ-A"},
        {"login": "doctor", "role": "physician", "institution": "CQ-A"},
    ]
    service.import_region(conn, Actor.process("test"), make_region(posts=posts))
    for post in posts:
        store.put_person(conn, post["login"], post["login"], password_hash())
    for code in ("CQ-A", "CQ-B"):
        store.put_system(
            conn, f"his.{code}", "HIS", f"key-of-{code}",
            institution=code, permissions=roles.SYSTEMS["his"],
        )  # fmt: skip
    store.put_system(
        conn,
        "pacs",
        "PACS",
        "key-of-pacs",
        institution="CQ-A",
        permissions=roles.SYSTEMS["pacs"],
    )
    app = FastAPI()
    app.state.database = BorrowedDatabase(conn)
    app.state.gate = Gate(app.state.database, Settings(), service.post_of)
    install_error_handlers(app)
    app.include_router(router)
    return Asker(app)


def by(code: str) -> dict[str, str]:
    return {"authorization": f"Bearer key-of-{code}"}


def log_in(client: Asker, login: str) -> dict[str, str]:
    session = client.app.state.gate.log_in(login, PASSWORD)
    return {"cookie": f"{access.SESSION_COOKIE}={session.token}", access.CSRF_HEADER: session.csrf}


def test_hospital_registers_amends_and_reads_its_own(client: Asker):
    made = client.post("/api/v1/patients", json=ZENG, headers=by("CQ-A"))
    assert made.status_code == 201, made.text
    assert (made.json()["authority"], made.json()["id_state"]) == ("CQ-A", "verified")
    amended = client.request(
        "PUT", "/api/v1/patients/1", json={**ZENG, "name": "曾莉"}, headers=by("CQ-A")
    )
    assert amended.json()["version"] == 2
    assert client.get("/api/v1/patients/1", headers=by("CQ-A")).json()["name"] == "曾莉"


def test_no_answer_carries_the_number_or_the_person(client: Asker):
    for code in ("CQ-A", "CQ-B"):
        answer = client.post("/api/v1/patients", json=ZENG, headers=by(code))
        assert NUMBER not in answer.text
        assert "person_id" not in answer.text
    first, second = (
        client.get("/api/v1/patients/1", headers=by(code)).json() for code in ("CQ-A", "CQ-B")
    )
    # Nothing but the own institution and the moment differs: no hint that the other knows her.
    assert {key for key in first if first[key] != second[key]} == {"authority", "updated_at"}


def test_patient_of_another_hospital_does_not_exist(client: Asker):
    client.post("/api/v1/patients", json=ZENG, headers=by("CQ-A"))
    answer = client.get("/api/v1/patients/1", headers=by("CQ-B"))
    assert answer.status_code == 404
    missing = client.get("/api/v1/patients/none", headers=by("CQ-B"))
    assert answer.json() == missing.json()
    assert (
        client.request("PUT", "/api/v1/patients/1", json=ZENG, headers=by("CQ-B")).status_code
        == 404
    )
    merge = client.post("/api/v1/patients/1/merge", json={"with_local_id": "2"}, headers=by("CQ-B"))
    assert merge.status_code == 404


def test_no_route_without_a_key(client: Asker):
    tried = 0
    for route in router.routes:
        path = route.path.format(local_id="1", task_id="1", patient_id="1")
        for method in route.methods:
            for headers in ({}, by("nobody")):
                answer = client.request(method, path, json={}, headers=headers)
                assert answer.status_code == 401, (method, path)
            tried += 1
    assert tried == len(router.routes)


def test_who_has_no_business_is_refused(client: Asker):
    assert client.post("/api/v1/patients", json=ZENG, headers=by("pacs")).status_code == 403
    doctor = log_in(client, "doctor")
    assert client.post("/api/v1/patients", json=ZENG, headers=doctor).status_code == 403
    assert client.get("/api/v1/tasks/identity", headers=doctor).status_code == 403
    assert client.get("/api/v1/tasks/identity", headers=by("CQ-A")).status_code == 403


BAD = (
    {"id_type": "驾驶证"},
    {"id_type": None},
    {"sex": "X"},
    {"birth_date": "1970-02-30"},
    {"local_id": NUMBER},
    {"local_id": "a\\b"},
    {"authority": "CQ-B"},
    {"name": ""},
    {"id_country": "CN"},
    {"id_number": NUMBER * 3},
    {"birth_order": 0},
)


def test_bad_patient_is_refused_without_repeating_it(client: Asker):
    for changes in BAD:
        answer = client.post("/api/v1/patients", json={**ZENG, **changes}, headers=by("CQ-A"))
        assert answer.status_code == 400, changes
        assert NUMBER not in answer.text
        assert "曾丽" not in answer.text


def test_regional_post_decides_a_contradiction(client: Asker):
    client.post("/api/v1/patients", json=ZENG, headers=by("CQ-A"))
    other = client.post("/api/v1/patients", json={**ZENG, "name": "曾莉"}, headers=by("CQ-B"))
    assert other.json()["status"] == "quarantined"
    front = log_in(client, "front")
    assert client.get("/api/v1/tasks/identity", headers=front).json() == []
    regional = log_in(client, "mpi.cq")
    [task] = client.get("/api/v1/tasks/identity", headers=regional).json()
    assert task["because"] == ["name_differs"]
    assert [each["authority"] for each in task["others"]] == ["CQ-A"]
    path = f"/api/v1/tasks/identity/{task['id']}/decision"
    decision = {"decision": "linked", "note": "户籍核实为同一人，曾用名"}
    refused = client.post(path, json={"decision": "corrected", "note": "x"}, headers=regional)
    assert refused.status_code == 409
    assert client.post(path, json=decision, headers=front).status_code == 404
    assert client.post(path, json=decision, headers=regional).status_code == 204
    assert client.post(path, json=decision, headers=regional).status_code == 404
    patient = client.get("/api/v1/patients/1", headers=by("CQ-B")).json()
    assert patient["status"] == "active"
    unlinked = client.post(
        f"/api/v1/tasks/identity/patients/{task['patient_id']}/unlink",
        json={"note": "复核为两人"},
        headers=regional,
    )
    assert unlinked.status_code == 200


def test_source_merges_by_http(client: Asker):
    for number in ("1", "2"):
        body = {**ZENG, "local_id": number, "id_number": None, "id_type": None}
        client.post("/api/v1/patients", json=body, headers=by("CQ-A"))
    merge = {"with_local_id": "2"}
    assert (
        client.post("/api/v1/patients/1/merge", json=merge, headers=by("CQ-A")).status_code == 200
    )
    merge = {"with_local_id": "1"}
    itself = client.post("/api/v1/patients/1/merge", json=merge, headers=by("CQ-A"))
    assert itself.status_code == 400
