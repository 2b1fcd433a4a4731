"""The CDS Hooks service over HTTP: shapes, keys, tokens, time-out, feedback."""

import json
import time
from datetime import timedelta
from time import perf_counter
from types import SimpleNamespace
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from accord.kit import clock
from accord.kit import store as kit_store
from accord.kit.access import Actor
from accord.kit.db import Database
from accord.kit.errors import Invalid
from accord.reminder import clients, hooks, service, store
from support.reminding import read

SIGN = "/cds-services/cyhr-duplicate-imaging"
FEEDBACK = f"{SIGN}/feedback"
VIEWER = "DEMO-CQ04"
ISSUER = "https://his.cq04.example"
KEY = ec.generate_private_key(ec.SECP384R1())


def bearer(site, institution=VIEWER):
    return {"authorization": f"Bearer {site.keys[institution]}"}


def call_for(visit, *, item=1, code=None, **changes):
    coding = {"system": "urn:cyhr:item", "code": f"CYHR-{item:03d}"}
    request = {
        "resourceType": "ServiceRequest",
        "id": "sr-1",
        "status": "draft",
        "intent": "order",
        "code": code or {"coding": [coding]},
    }
    given = {
        "hook": "order-sign",
        "hookInstance": str(uuid4()),
        "context": {
            "userId": "Practitioner/9",
            "patientId": visit.patient_id,
            "encounterId": visit.number,
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": request}]},
        },
        "prefetch": {"patient": {"resourceType": "Patient", "id": visit.patient_id}},
    }
    return {**given, **changes}


@pytest.fixture
def visit(site):
    with site.database.begin() as conn:
        return site.visit(conn, "p30", VIEWER)


@pytest.fixture
def nobody(site):
    with site.database.begin() as conn:
        return site.visit(conn, "p33", VIEWER)


def test_discovery_is_open(client):
    (offered,) = read(client.get("/cds-services"))["services"]
    assert f"/cds-services/{offered['id']}" == SIGN


def test_a_card_is_kept_before_it_is_answered(site, client, visit):
    body = read(client.post(SIGN, json=call_for(visit), headers=bearer(site)))
    (card,) = body["cards"]
    assert card["indicator"] == "warning"
    assert "原报告结论，供参考" in card["detail"]
    assert "心、肺、膈未见明显异常" in card["detail"]
    assert body["extension"]["cyhr.reminder"]["status"] == "answered"
    with site.database.begin() as conn:
        assert store.institution_of_item(conn, card["uuid"]) == VIEWER


def test_no_identity_no_visit_and_no_priors_are_the_same_bytes(site, client, visit, nobody):
    with site.database.begin() as conn:
        uncertain = site.visit(conn, "p30", "DEMO-CQ02", certain=False)
    plain = client.post(SIGN, json=call_for(nobody), headers=bearer(site))
    answers = [
        plain,
        client.post(SIGN, json=call_for(uncertain), headers=bearer(site, "DEMO-CQ02")),
        client.post(SIGN, json=call_for(visit), headers=bearer(site, "DEMO-CQ02")),
    ]
    assert {answer.content for answer in answers} == {plain.content}
    assert plain.json()["extension"]["cyhr.reminder"]["status"] == "none"
    names = [sorted(set(answer.headers) - {"server-timing"}) for answer in answers]
    assert names == [names[0]] * 3


def test_an_empty_coding_gives_no_card(site, client, visit):
    body = read(
        client.post(SIGN, json=call_for(visit, code={"coding": [{}]}), headers=bearer(site))
    )
    assert body["cards"] == []
    assert body["extension"]["cyhr.reminder"]["reason"] == "no_order"


def test_an_unmapped_code_says_so(site, client, visit):
    code = {"coding": [{"system": "urn:his", "code": "X1"}], "text": "神秘检查"}
    body = read(client.post(SIGN, json=call_for(visit, code=code), headers=bearer(site)))
    assert body["cards"] == []
    assert body["extension"]["cyhr.reminder"]["reason"] == "item_unknown"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"prefetch": None}, 412),
        ({"prefetch": {"patient": {"resourceType": "OperationOutcome"}}}, 412),
        ({"hook": "order-select"}, 400),
        ({"context": {"userId": "x"}}, 400),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(site, client, visit, changes, status):
    answer = client.post(SIGN, json=call_for(visit, **changes), headers=bearer(site))
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_an_order_in_the_shape_of_r5_is_refused(site, client, visit):
    code = {"concept": {"text": "CT"}}
    answer = client.post(SIGN, json=call_for(visit, code=code), headers=bearer(site))
    assert answer.status_code == 400
    assert "R5" in answer.json()["error"]["message"]


@pytest.mark.parametrize("credential", [None, "Bearer wrong", "Basic eDp5", "Bearer a.b.c"])
def test_without_a_valid_key_nothing_is_said(client, visit, credential):
    headers = {"authorization": credential} if credential else {}
    assert client.post(SIGN, json=call_for(visit), headers=headers).status_code == 401


def test_a_session_cookie_is_no_key(client, visit):
    client.log_in(VIEWER)
    assert client.post(SIGN, json=call_for(visit)).status_code == 401


def test_a_huge_or_deep_body_is_refused(site, client):
    deep = b"[" * 100 + b"]" * 100
    assert client.post(SIGN, content=deep, headers=bearer(site)).status_code == 413
    huge = b" " * (site.settings.max_json_size + 1)
    assert client.post(SIGN, content=huge, headers=bearer(site)).status_code == 413


@pytest.mark.parametrize("path", [SIGN, "/api/v1/reminders"])
def test_text_that_cannot_be_kept_is_refused(site, client, visit, path):
    body = call_for(visit, code={"text": "CT\x00"}) if path == SIGN else question(visit)
    if path != SIGN:
        body["orders"][0]["purpose"] = "咳\x00嗽"
    answer = client.post(path, json=body, headers=bearer(site))
    assert answer.status_code == 400
    assert "空字符" in answer.json()["error"]["message"]


def test_a_late_answer_lets_the_order_pass_and_is_audited(site, client, visit, monkeypatch):
    def slow(*_given):
        time.sleep(0.6)
        raise AssertionError("nobody waits for this answer")

    monkeypatch.setattr(hooks, "answer_call", slow)
    monkeypatch.setattr(hooks.lane_of(client.app.state), "cutoff", timedelta(milliseconds=50))
    begun = time.monotonic()
    answer = client.post(SIGN, json=call_for(visit), headers=bearer(site))
    assert time.monotonic() - begun < 5
    told = read(answer)["extension"]["cyhr.reminder"]
    assert answer.json()["cards"] == []
    assert told["reason"] == "time_out"
    hooks.lane_of(client.app.state).aside.submit(lambda: None).result()
    with site.database.begin() as conn:
        entry = kit_store.read_audit(conn, action="reminder.unavailable", limit=1)[0]
    assert entry["detail"]["code"] == "REMINDER_UNAVAILABLE"
    assert entry["detail"]["reason"] == "time_out"


def test_an_answer_that_comes_second_is_rolled_back(site, client, visit):
    ticket = hooks.Ticket()
    assert ticket.take()
    seen = []

    request = SimpleNamespace(app=client.app, headers=bearer(site), cookies={})

    def ask(conn, actor, question, at):
        answer = real(conn, actor, question, at)
        seen.append(answer.id)
        return answer

    real = service.ask
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "ask", ask)
        with pytest.raises(hooks.Late):
            hooks.answer_call(site.database, request, json.dumps(call_for(visit)).encode(), ticket)
    with site.database.begin() as conn:
        assert store.find_reminder(conn, seen[0], VIEWER) is None


def test_a_question_that_waited_too_long_for_a_thread_is_not_begun(site, client, visit):
    request = SimpleNamespace(app=client.app, headers=bearer(site), cookies={})
    ticket = hooks.Ticket(begins_by=perf_counter() - 0.001)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "ask", lambda *_given: pytest.fail("begun"))
        with pytest.raises(hooks.Late):
            hooks.answer_call(site.database, request, json.dumps(call_for(visit)).encode(), ticket)


def test_warming_up_keeps_nothing(site, client):
    with site.database.begin() as conn:
        before = len(kit_store.read_audit(conn, action="reminder.asked", limit=500))
    hooks.warm_up(client.app.state)
    with site.database.begin() as conn:
        after = kit_store.read_audit(conn, action="reminder.asked", limit=500)
    assert len(after) == before
    assert "warm-up" not in {entry["actor"] for entry in after}


def test_warming_up_without_a_database_is_no_failure(site, client):
    nowhere = client.app.state.settings.model_copy()
    state = SimpleNamespace(
        settings=nowhere, database=Database("postgresql://nobody@127.0.0.1:1/none")
    )
    hooks.warm_up(state)
    state.reminder_lane.close()
    state.database.close()


def test_a_failure_of_ours_lets_the_order_pass(site, client, visit, monkeypatch):
    def broken(*_given):
        raise ZeroDivisionError

    monkeypatch.setattr(hooks, "answer_call", broken)
    body = read(client.post(SIGN, json=call_for(visit), headers=bearer(site)))
    assert body["extension"]["cyhr.reminder"]["reason"] == "unavailable"


# --- tokens -------------------------------------------------------------------------------------


@pytest.fixture
def registered(site):
    key_set = {"keys": [{**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "k1"}]}
    with site.database.begin() as conn:
        return clients.register(
            conn,
            Actor.process("test"),
            issuer=ISSUER,
            display="云端",
            institution=VIEWER,
            key_set=json.dumps(key_set),
        )


def token(site, path=SIGN, **changes):
    issued = int(clock.now().timestamp())
    claims = {
        "iss": ISSUER,
        "aud": f"{site.settings.inner_url}{path}",
        "iat": issued,
        "exp": issued + 200,
        "jti": str(uuid4()),
        **changes,
    }
    signed = jwt.encode(claims, KEY, algorithm="ES384", headers={"kid": "k1"})
    return {"authorization": f"Bearer {signed}"}


def test_a_signed_token_is_let_in_once(site, client, visit, registered):
    once = token(site)
    assert client.post(SIGN, json=call_for(visit), headers=once).status_code == 200
    assert client.post(SIGN, json=call_for(visit), headers=once).status_code == 401


def test_a_token_for_another_address_is_refused(site, client, visit, registered):
    wrong = token(site, FEEDBACK)
    assert client.post(SIGN, json=call_for(visit), headers=wrong).status_code == 401
    assert client.post(FEEDBACK, json={"feedback": []}, headers=wrong).status_code == 200


def test_a_token_may_ask_and_nothing_else(site, client, registered):
    path = "/api/v1/decisions"
    assert client.get(path, headers=token(site, path)).status_code == 403


def test_a_client_of_an_unknown_institution_is_not_registered(site):
    with site.database.begin() as conn, pytest.raises(Invalid, match="no institution"):
        clients.register(
            conn, Actor.process("t"), issuer="x", display="x", institution="NONE", key_set="{}"
        )


# --- feedback -----------------------------------------------------------------------------------


@pytest.fixture
def card(site, client, visit):
    return read(client.post(SIGN, json=call_for(visit), headers=bearer(site)))["cards"][0]


def told(shown, **changes):
    entry = {
        "card": shown["uuid"],
        "outcome": "overridden",
        "overrideReason": {
            "reason": {"system": "urn:cyhr:non-recognition-reason", "code": "NR01"},
        },
        "outcomeTimestamp": "2026-03-15T02:00:00Z",
    }
    return {"feedback": [{**entry, **changes}]}


def history(site, card):
    with site.database.begin() as conn:
        return store.state_of(conn, card["uuid"])


def test_feedback_is_kept_once_with_its_history_and_decides_nothing(site, client, card):
    for _ in range(2):
        answer = client.post(FEEDBACK, json=told(card), headers=bearer(site))
        assert answer.status_code == 200
    accepted = told(
        card,
        outcome="accepted",
        overrideReason=None,
        acceptedSuggestions=[{"id": card["suggestions"][0]["uuid"]}],
    )
    assert client.post(FEEDBACK, json=accepted, headers=bearer(site)).status_code == 200
    state = history(site, card)
    assert [each["outcome"] for each in state.reported] == ["overridden", "accepted"]
    assert state.decisions == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "ignored"},  # cds-fb-1
        {"outcome": "accepted", "overrideReason": None},  # cds-fb-2
        {"overrideReason": {}},  # cds-fb-3
        {"overrideReason": {"userComment": "  "}},
        {"outcomeTimestamp": "2026-03-15T02:00:00"},
        {"card": "no uuid"},
    ],
)
def test_feedback_that_breaks_an_invariant_is_refused_whole(site, client, card, changes):
    body = {"feedback": [*told(card)["feedback"], *told(card, **changes)["feedback"]]}
    answer = client.post(FEEDBACK, json=body, headers=bearer(site))
    assert answer.status_code == 400
    assert history(site, card).reported == ()


def test_feedback_about_a_card_of_others_is_refused(site, client, card):
    answer = client.post(FEEDBACK, json=told(card), headers=bearer(site, "DEMO-CQ02"))
    assert answer.status_code == 404
    assert history(site, card).reported == ()


def test_a_comment_alone_is_a_reason(site, client, card):
    body = told(card, overrideReason={"userComment": "患者要求"})
    assert client.post(FEEDBACK, json=body, headers=bearer(site)).status_code == 200
    assert history(site, card).reported[0]["comment"] == "患者要求"


# --- REST ---------------------------------------------------------------------------------------


def question(visit, **changes):
    order = {"number": "O1", "item_text": "胸片", "item_code": "CYHR-001", "purpose": "咳嗽"}
    return {"visit": visit.number, "patient_id": visit.patient_id, "orders": [order], **changes}


def test_rest_gives_the_same_answer_with_all_findings(site, client, visit):
    body = read(client.post("/api/v1/reminders", json=question(visit), headers=bearer(site)))
    assert body["status"] == "answered"
    card = body["items"][0]["card"]
    assert (card["advice"], card["advice_text"]) == ("RECOGNISE_MUST", "建议互认")
    assert len(card["findings"]) > 10
    again = read(client.get(f"/api/v1/reminders/{body['id']}", headers=bearer(site)))
    assert again["items"][0]["card"] == card
    by_item = client.get(f"/api/v1/reminders/{body['items'][0]['id']}", headers=bearer(site))
    assert read(by_item)["id"] == body["id"]
    other = client.get(f"/api/v1/reminders/{body['id']}", headers=bearer(site, "DEMO-CQ02"))
    assert other.status_code == 404


def test_rest_without_right_or_priors_is_the_same_bytes(site, client, visit, nobody):
    plain = client.post("/api/v1/reminders", json=question(nobody), headers=bearer(site))
    foreign = client.post(
        "/api/v1/reminders", json=question(visit), headers=bearer(site, "DEMO-CQ02")
    )
    unknown = client.post(
        "/api/v1/reminders",
        json={**question(visit), "visit": "nowhere"},
        headers=bearer(site),
    )
    assert plain.content == foreign.content == unknown.content
    assert plain.json()["status"] == "none"


def test_a_physician_decides_by_rest_and_a_system_does_not(site, client, visit):
    asked = read(client.post("/api/v1/reminders", json=question(visit), headers=bearer(site)))
    body = {"item": asked["items"][0]["id"], "outcome": "ACCEPTED"}
    refused = client.post("/api/v1/decisions", json=body, headers=bearer(site))
    assert refused.status_code == 403
    client.log_in(VIEWER)
    made = read(client.post("/api/v1/decisions", json=body))
    assert made["citation"]["performer"] == "青衣县白马镇中心卫生院"
    assert made["unseen"] is True
    decision = read(client.get(f"/api/v1/decisions/{made['id']}"))
    assert decision["citation"]["id"] == made["citation"]["id"]
    assert read(client.get(f"/api/v1/citations/{made['citation']['id']}"))["study_uid"]
    assert made["citation"]["id"] in {each["id"] for each in read(client.get("/api/v1/citations"))}
    assert made["id"] in {each["id"] for each in read(client.get("/api/v1/decisions?mine=true"))}
    undone = read(client.post("/api/v1/decisions", json={**body, "outcome": "WITHDRAWN"}))
    assert undone["of"] == made["id"]
    client.log_in("DEMO-CQ02")
    assert client.get(f"/api/v1/decisions/{made['id']}").status_code == 404
    assert client.get(f"/api/v1/citations/{made['citation']['id']}").status_code == 404


def test_a_refusal_by_rest_and_its_tick(site, client, visit):
    asked = read(client.post("/api/v1/reminders", json=question(visit), headers=bearer(site)))
    client.log_in(VIEWER)
    body = {"item": asked["items"][0]["id"], "outcome": "REJECTED"}
    assert client.post("/api/v1/decisions", json=body).status_code == 400
    body["grounds"] = [{"code": "NR08", "relation": "配偶"}]
    made = read(client.post("/api/v1/decisions", json=body))
    assert made["grounds"] == [{"code": "NR08", "pick": "配偶", "text": None}]
    assert made["informing"]["severity"] == "MAJOR"
    notice = read(client.post(f"/api/v1/decisions/{made['id']}/informed"))
    assert (notice["informed"], notice["purpose"]) == ("本人", "咳嗽")


def test_a_write_without_the_csrf_value_is_refused(site, client, visit):
    asked = read(client.post("/api/v1/reminders", json=question(visit), headers=bearer(site)))
    client.log_in(VIEWER)
    del client.headers["x-csrf-token"]
    body = {"item": asked["items"][0]["id"], "outcome": "ACCEPTED"}
    assert client.post("/api/v1/decisions", json=body).status_code == 403
