"""The registry over HTTP: who may read, who may write, what a refusal says."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection

from accord.kit import access, store
from accord.kit.access import Actor, Gate
from accord.kit.http import install_error_handlers
from accord.kit.settings import Settings
from accord.registry import service
from accord.registry.api import router
from support.asgi import Asker
from support.borrowed import PASSWORD, BorrowedDatabase, password_hash
from support.region import make_region

IMPORT = Actor.process("test.import")


class Client(Asker):
    """Asks the registry as whoever logged in last."""

    headers: dict[str, str]

    def __init__(self, app: FastAPI) -> None:
        super().__init__(app)
        self.headers = {}

    def request(self, method: str, path: str, **options: object) -> httpx.Response:
        return super().request(method, path, headers=self.headers, **options)

    def put(self, path: str, **options: object) -> httpx.Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: object) -> httpx.Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: object) -> httpx.Response:
        return self.request("DELETE", path, **options)


@pytest.fixture
def client(conn: Connection) -> Client:
    posts = [
        {"login": "wjw.cq", "role": "health_authority", "authority": "CQ-WJW"},
        {"login": "wjw.sc", "role": "health_authority", "authority": "SC-WJW"},
        {"login": "qc.cq", "role": "qc_centre", "authority": "CQ-QC"},
        {"login": "doctor", "role": "physician", "institution": "CQ-B"},
        {"login": "dept", "role": "department", "institution": "CQ-A"},
        {"login": "admin", "role": "administrator", "authority": "CQ-WJW"},
    ]
    service.import_region(conn, IMPORT, make_region(posts=posts))
    for post in posts:
        store.put_person(conn, post["login"], post["login"], password_hash())
    app = FastAPI()
    app.state.database = BorrowedDatabase(conn)
    app.state.gate = Gate(app.state.database, Settings(), service.post_of)
    install_error_handlers(app)
    app.include_router(router)
    return Client(app)


def log_in(client: Client, login: str) -> Client:
    session = client.app.state.gate.log_in(login, PASSWORD)
    client.headers = {
        "cookie": f"{access.SESSION_COOKIE}={session.token}",
        access.CSRF_HEADER: session.csrf,
    }
    return client


def test_every_route_refuses_who_is_not_logged_in(client: Client):
    tried = 0
    for route in router.routes:
        path = route.path.format(
            code="CQ-A", institution="CQ-A", device_id="D", list_id="L", qualification_id="Q",
            step="suspend", login="x", role="physician",
        )  # fmt: skip
        for method in route.methods:
            answer = client.request(method, path, params={"on": "2026-03-01"}, json={})
            assert answer.status_code == 401, (method, path, answer.text)
            tried += 1
    assert tried >= 30


FORBIDDEN = (
    ("doctor", "DELETE", "/institutions/CQ-B"),
    ("doctor", "DELETE", "/devices/CQ-A.CT-001"),
    ("doctor", "GET", "/staff"),
    ("qc.cq", "DELETE", "/institutions/CQ-B"),
    ("dept", "DELETE", "/lists/CQ-2024-1/entries/CQ-A"),
    ("admin", "DELETE", "/consortia/CQ-YY-YGT"),
    ("wjw.cq", "DELETE", "/posts/doctor/physician"),
)


def test_post_without_the_permission_is_refused(client: Client):
    for login, method, path in FORBIDDEN:
        log_in(client, login)
        answer = client.request(method, f"/api/v1{path}", params={"on": "2026-03-01"})
        assert answer.status_code == 403, (login, method, path)
        assert answer.json()["error"]["code"] == "forbidden"


def test_authority_promotes_its_hospital_and_the_past_stays(client: Client):
    log_in(client, "wjw.cq")
    body = {"from_day": "2026-05-01", "level": "三级乙等"}
    answer = client.patch("/api/v1/institutions/CQ-B", json=body)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["level"], answer.json()["grade"]) == ("三级", "乙等")
    before = client.get("/api/v1/institutions/CQ-B", params={"on": "2026-04-30"}).json()
    assert (before["level"], before["last_day"]) == ("二级", "2026-04-30")
    assert len(client.get("/api/v1/institutions/CQ-B/history").json()) == 3
    assert before["list"]["listed"] is True


def test_authority_of_the_other_province_is_refused(client: Client):
    log_in(client, "wjw.sc")
    body = {"from_day": "2026-05-01", "level": "三级"}
    answer = client.patch("/api/v1/institutions/CQ-B", json=body)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "outside_scope"
    level = client.get("/api/v1/institutions/CQ-B", params={"on": "2026-05-01"}).json()["level"]
    assert level == "二级"


def test_new_institution_consortium_device_staff_and_list_by_http(client: Client):
    log_in(client, "wjw.cq")
    since = {"valid_from": "2026-04-01"}
    hospital = {
        "code": "CQ-N", "name": "新建医院", "level": "二级", "ownership": "公立",
        "province": "重庆", "authority": "CQ-WJW", **since,
    }  # fmt: skip
    alliance = {
        "code": "CQ-U", "name": "某医疗集团", "kind": "紧密型城市医疗集团",
        "authority": "CQ-WJW", "members": ["CQ-N"], **since,
    }  # fmt: skip
    state = {
        "kind": "state", "passed": True, "tested_on": "2026-04-02",
        "valid_from": "2026-04-02", "valid_to": "2027-04-02",
    }  # fmt: skip
    calls = [
        ("PUT", "/institutions/CQ-N", hospital),
        ("PUT", "/consortia/CQ-U", alliance),
        ("PUT", "/consortia/CQ-U/members/CQ-A", {"institution": "CQ-A", **since}),
        ("PUT", "/devices/D9", {
            "id": "D9", "institution": "CQ-N", "serial": "9", "kind": "MR", **since,
        }),
        ("POST", "/devices/D9/tests", {**state, "kind": "acceptance"}),
        ("POST", "/devices/D9/tests", state),
        ("PUT", "/staff/CQ-N/P1", {
            "institution": "CQ-N", "code": "P1", "name": "李明", "profession": "physician", **since,
        }),
        ("PUT", "/lists/L9", {"id": "L9", "title": "新名单", "authority": "CQ-WJW"}),
        ("PUT", "/lists/L9/entries/CQ-N", {"institution": "CQ-N", **since}),
        ("POST", "/lists/L9/publish", None),
    ]  # fmt: skip
    for method, path, body in calls:
        answer = client.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code in {200, 201}, (path, answer.text)
    found = client.get("/api/v1/consortia/CQ-U", params={"on": "2026-04-01"}).json()
    assert found["members"] == ["CQ-A", "CQ-N"]
    device = client.get("/api/v1/devices/D9", params={"on": "2027-04-01"}).json()
    assert device["tested"] is True
    assert client.get("/api/v1/institutions/CQ-N").json()["list"]["listed"] is True
    assert client.delete("/api/v1/devices/D9", params={"on": "2026-06-01"}).status_code == 204
    gone = client.get("/api/v1/devices/D9", params={"on": "2026-06-01"})
    assert gone.json()["error"]["code"] == "not_registered"


def test_qc_centre_grants_on_its_inspection_and_takes_back(client: Client):
    log_in(client, "qc.cq")
    asked = {
        "id": "Q9", "institution": "CQ-B", "scope_kind": "family", "scope_value": "ct_chest",
        "mark_scope": "川渝", "basis": "inspection", "centre": "CQ-QC", "inspection": "I9",
        "valid_from": "2026-05-01",
    }  # fmt: skip
    refused = client.post("/api/v1/qualifications", json=asked)
    assert refused.status_code == 409
    assert "没有线下质量抽查记录" in refused.json()["error"]["message"]
    inspection = {
        "id": "I9", "institution": "CQ-B", "scope_kind": "modality", "scope_value": "CT",
        "centre": "CQ-QC", "concluded_on": "2026-04-20", "passed": True, "signatures": ["甲", "乙"],
    }  # fmt: skip
    assert client.post("/api/v1/inspections", json=inspection).status_code == 201
    granted = client.post("/api/v1/qualifications", json=asked)
    assert granted.status_code == 201, granted.text
    assert granted.json()["scope_value"] == "CT-胸"
    step = {"from_day": "2026-06-01", "because": "增强期相不足", "items": [107]}
    answer = client.post("/api/v1/qualifications/Q9/revoke_items", json=step)
    assert answer.json()["revoked_items"] == [107]
    step = {"from_day": "2026-07-01", "because": "抽查不合格"}
    assert (
        client.post("/api/v1/qualifications/Q9/suspend", json=step).json()["state"] == "suspended"
    )
    again = client.post("/api/v1/qualifications/Q9/suspend", json=step)
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "bad_state"
    listed = client.get(
        "/api/v1/qualifications", params={"institution": "CQ-B", "on": "2026-06-30"}
    )
    assert [each["state"] for each in listed.json()] == ["passed"]


def test_commission_loads_a_transitional_right_and_no_other(client: Client):
    log_in(client, "wjw.cq")
    asked = {
        "id": "Q8", "institution": "CQ-B", "scope_kind": "modality", "scope_value": "DR",
        "mark_scope": "重庆", "basis": "transitional", "notice": "渝卫函〔2026〕2号",
        "list_hash": "AB" * 32, "valid_from": "2026-05-01", "valid_to": "2027-05-02",
    }  # fmt: skip
    too_long = client.post("/api/v1/qualifications/transitional", json=asked)
    assert "12 个月" in too_long.json()["error"]["message"]
    asked["valid_to"] = "2027-05-01"
    assert client.post("/api/v1/qualifications/transitional", json=asked).status_code == 201
    step = {"from_day": "2026-07-01", "because": "通知废止"}
    answer = client.post("/api/v1/qualifications/transitional/Q8/revoke", json=step)
    assert answer.json()["state"] == "revoked"
    assert client.post("/api/v1/qualifications", json=asked).status_code == 403


def test_hospital_sees_its_own_staff_alone(client: Client):
    log_in(client, "dept")
    answer = client.get("/api/v1/staff", params={"institution": "CQ-B", "on": "2026-03-01"})
    assert {each["institution"] for each in answer.json()} == {"CQ-A"}


def test_draft_is_seen_by_its_own_authority_alone(client: Client):
    draft = {"id": "L8", "title": "草稿", "authority": "CQ-WJW"}
    assert log_in(client, "wjw.cq").put("/api/v1/lists/L8", json=draft).status_code == 200
    assert client.get("/api/v1/lists/L8").status_code == 200
    log_in(client, "wjw.sc")
    assert client.get("/api/v1/lists/L8").status_code == 404
    assert "L8" not in [each["id"] for each in client.get("/api/v1/lists").json()]
    assert client.get("/api/v1/lists/SC-2024-1").json()["entries"][0]["institution"] == "SC-A"


def test_administrator_assigns_posts(client: Client):
    log_in(client, "admin")
    row = {
        "login": "new", "role": "radiologist", "institution": "CQ-A", "valid_from": "2026-01-01"
    }  # fmt: skip
    assert client.put("/api/v1/posts/new/radiologist", json=row).status_code == 200
    assert client.put("/api/v1/posts/other/radiologist", json=row).status_code == 400
    ended = client.delete("/api/v1/posts/new/radiologist", params={"on": "2026-02-01"})
    assert ended.status_code == 204


def test_bad_words_are_refused_with_a_sentence(client: Client):
    log_in(client, "wjw.cq")
    body = {"from_day": "2026-05-01", "level": "五级"}
    answer = client.patch("/api/v1/institutions/CQ-B", json=body)
    assert answer.status_code == 400
    assert "机构级别「五级」无法识别" in answer.json()["error"]["message"]
    body = {"from_day": "2026-05-01", "colour": "red"}
    assert client.patch("/api/v1/institutions/CQ-B", json=body).status_code == 400
    assert client.get("/api/v1/institutions/NONE").status_code == 404
    assert client.get("/api/v1/institutions", params={"on": "tomorrow"}).status_code == 400
