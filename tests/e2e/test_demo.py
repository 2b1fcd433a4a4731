"""The demo as a person runs it: it starts, tells how to enter, keeps its promises, stops."""

import time
from uuid import uuid4

import httpx
import pytest

from accord.app.demo.people import PEOPLE
from support.processes import is_alive, mentioning, short_folder, wait_until
from support.whole import Whole, children_of, running

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

SIGN = "/cds-services/cyhr-duplicate-imaging"
PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


# --- start and stop ------------------------------------------------------------------------------


def everybody(whole: Whole) -> list[int]:
    """Return the supervisor with everything below it."""
    found, waiting = [], [whole.pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children_of(found[-1])
    return found


def test_second_run_is_ready_and_ctrl_c_leaves_nobody(small_demo, capsys):
    with running(small_demo) as whole:
        assert whole.stop() == 0
        whole.start()
        begun = time.monotonic()
        assert wait_until(whole.is_ready, within=60), whole.said()[-3000:]
        took = time.monotonic() - begun
        whole.wait()
        family = everybody(whole)
        assert len(family) >= 6
        begun = time.monotonic()
        assert whole.stop() == 0
        stopped = time.monotonic() - begun
        assert [pid for pid in family if is_alive(pid)] == []
        assert mentioning(whole.folder) == []
        assert "examinations" not in whole.said()  # nothing was loaded again
    with capsys.disabled():
        print(f" [/readyz after {took:.1f} s, Ctrl-C {stopped:.1f} s]", end="")


def test_addresses_and_accounts_are_told(everything):
    told, demo = everything.told.read_text(), everything.demo
    assert f"http://127.0.0.1:{everything.ports['http']}" in told
    assert f"http://127.0.0.1:{everything.ports['outer']}" in told
    assert f"ACCORD@127.0.0.1:{everything.ports['dimse']}" in told
    assert len(demo["accounts"]) >= 30
    for account in demo["accounts"]:
        assert account["login"] in told
        assert account["password"] in told
    assert demo["addresses"]["inner"] == f"http://127.0.0.1:{everything.ports['http']}"
    for ready in demo["ready_orders"]:
        assert ready["page"].startswith(demo["addresses"]["inner"])


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_fresh_folder_ends_ready_and_tells_everything(capsys):
    with short_folder() as folder:
        fresh = Whole(folder)
        begun = time.monotonic()
        fresh.start()
        try:
            fresh.wait(within=1200)
            took = time.monotonic() - begun
            assert len(fresh.demo["ready_orders"]) >= 9
            assert fresh.is_ready()
        finally:
            assert fresh.stop() == 0
            assert mentioning(folder) == []
    with capsys.disabled():
        print(f" [fresh demo ready after {took:.1f} s]", end="")


# --- the promises --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready_orders(everything) -> dict[str, dict]:
    """The ready orders by key."""
    return {each["key"]: each for each in everything.demo["ready_orders"]}


def ask(everything, ready: dict) -> dict:
    """Ask at order time as the hospital's system does."""
    with everything.his(ready["institution"]) as his:
        answer = his.post(
            "/api/v1/reminders",
            json={
                "visit": ready["visit"],
                "patient_id": ready["patient_id"],
                "order_numbers": [ready["order"]],
                "physician": ready["physician"],
            },
        )
    assert answer.status_code == 200, answer.text
    told: dict = answer.json()
    return told


def priors_of(told: dict) -> dict[str, dict]:
    (item,) = told["items"]
    shown = [*([item["card"]] if item.get("card") else []), *item.get("quiet", [])]
    return {prior["study_uid"]: prior for prior in shown}


def test_each_ready_order_yields_the_advice_it_promises(everything, ready_orders):
    broken = {}
    for key, ready in ready_orders.items():
        told = ask(everything, ready)
        prior = priors_of(told).get(ready["prior_study"])
        if ready["advice"] is None:
            kept = prior is None and told["status"] == "none"
        else:
            kept = prior is not None and (
                prior["advice"] == ready["advice"]
                and ready["relation"] in {None, prior["relation"]}
                and (ready["lifted_by"] is None or ready["lifted_by"] in prior["lifted_by"])
                and (ready["code"] is None or ready["code"] in codes_of(prior))
            )
        if not kept:
            broken[key] = (ready, prior)
    assert broken == {}
    assert {r["advice"] for r in ready_orders.values()} >= {
        "RECOGNISE_MUST",
        "RECOGNISE_MAY",
        "NOT_ELIGIBLE",
    }


def codes_of(prior: dict) -> set[str]:
    return {prior["reason"], *(found.get("code") for found in prior["findings"])}


def test_accepted_result_is_cited_and_can_be_withdrawn(everything, ready_orders):
    ready = ready_orders["must"]
    (item,) = ask(everything, ready)["items"]
    assert item["card"]["advice"] == "RECOGNISE_MUST"
    with everything.person(ready["physician"]) as doctor:
        images = doctor.get(f"/dicom-web/studies/{ready['prior_study']}/metadata")
        assert images.status_code == 200
        decided = doctor.post("/api/v1/decisions", json={"item": item["id"], "outcome": "ACCEPTED"})
        assert decided.status_code == 201, decided.text
        citation = doctor.get(f"/api/v1/citations/{decided.json()['citation']['id']}").json()
        assert citation["performer"] == ready["prior_institution"]
        assert citation["result"]
        assert citation["item"]
        assert citation["exam_time"]
        assert citation["study_uid"] == ready["prior_study"]
        withdrawn = doctor.post(
            "/api/v1/decisions", json={"item": item["id"], "outcome": "WITHDRAWN"}
        )
        assert withdrawn.status_code == 201, withdrawn.text
        again = doctor.get(f"/api/v1/citations/{citation['id']}").json()
        assert again["withdrawn_at"]
    with everything.his(ready["institution"]) as his:
        history = his.get(f"/api/v1/reminders/{item['id']}").json()["items"][0]["decisions"]
    assert [each["outcome"] for each in history] == ["ACCEPTED", "WITHDRAWN"]


def test_another_refuses_with_a_ground_and_informs_the_patient(everything, ready_orders):
    ready = ready_orders["consortium"]
    call = {
        "hook": "order-sign",
        "hookInstance": str(uuid4()),
        "context": {
            "userId": f"Practitioner/{ready['physician']}",
            "patientId": ready["patient_id"],
            "encounterId": ready["visit"],
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [
                    {
                        "resource": {
                            "resourceType": "ServiceRequest",
                            "id": "sr-1",
                            "status": "draft",
                            "intent": "order",
                            "code": {
                                "coding": [
                                    {
                                        "system": "urn:cyhr:item",
                                        "code": f"CYHR-{ready['item']:03d}",
                                    }
                                ]
                            },
                        }
                    }
                ],
            },
        },
        "prefetch": {"patient": {"resourceType": "Patient", "id": ready["patient_id"]}},
    }
    with everything.his(ready["institution"]) as his:
        answer = his.post(SIGN, json=call)
        assert answer.status_code == 200, answer.text
        (card,) = answer.json()["cards"]
        told = his.post(
            f"{SIGN}/feedback",
            json={
                "feedback": [
                    {
                        "card": card["uuid"],
                        "outcome": "overridden",
                        "outcomeTimestamp": "2026-11-24T01:00:00Z",
                        "overrideReason": {"userComment": "病情变化"},
                    }
                ]
            },
        )
        assert told.status_code == 200
    with everything.person(ready["physician"]) as doctor:
        bare = doctor.post("/api/v1/decisions", json={"item": card["uuid"], "outcome": "REJECTED"})
        assert 400 <= bare.status_code < 500  # a duty is not refused without a ground
        decided = doctor.post(
            "/api/v1/decisions",
            json={
                "item": card["uuid"],
                "outcome": "REJECTED",
                "grounds": [{"code": "NR01", "pick": "新症状"}],
            },
        )
        assert decided.status_code == 201, decided.text
        informed = doctor.post(
            f"/api/v1/decisions/{decided.json()['id']}/informed", json={"purpose": "复查"}
        )
        assert informed.status_code == 201, informed.text
        kept = doctor.get(f"/api/v1/decisions/{decided.json()['id']}").json()
    assert [ground["code"] for ground in kept["grounds"]] == ["NR01"]
    assert kept["notice"]["informer"] == ready["physician"]
    assert kept["notice"]["necessity"]
    assert kept["citation"] is None


def test_public_face_shows_institutions_and_items_and_no_patient(everything):
    names = [person.name for person in PEOPLE.values()]
    with everything.http("outer") as public:
        pages = {path: public.get(path) for path in ("/", "/items", "/verify/", "/history")}
        assert {answer.status_code for answer in pages.values()} == {200}
        assert any("嘉陵第一医院" in answer.text for answer in pages.values())
        assert "胸部" in pages["/items"].text
        for answer in pages.values():
            assert not [name for name in names if name in answer.text]
        for path in ("/api/v1/orders", "/dicom-web/studies", "/reminder/order"):
            assert public.get(path).status_code == 404


# --- pages for people ----------------------------------------------------------------------------


def shown(answer: httpx.Response) -> str:
    assert answer.headers["content-type"].startswith("text/html"), answer.text
    assert '<html lang="zh-CN">' in answer.text
    assert 'href="/"' in answer.text or 'href="/reminder/order"' in answer.text
    assert '{"error"' not in answer.text
    assert "content-security-policy" in answer.headers
    return answer.text


def test_error_of_a_page_is_a_page_with_a_way_back(everything):
    with everything.http() as client:
        lost = client.get("/nowhere", headers={"accept": PAGE})
        assert lost.status_code == 404
        assert "没有这个页面" in shown(lost)
        closed = client.get("/api/v1/studies?limit=5", headers={"accept": PAGE})
        assert closed.status_code == 401
        assert "/login?next=%2Fapi%2Fv1%2Fstudies%3Flimit%3D5" in shown(closed)
        wrong = client.post("/login", data={}, headers={"accept": PAGE})
        assert wrong.status_code == 400
        shown(wrong)
        large = client.post("/login", content=b"x" * 3_000_000, headers={"accept": PAGE})
        assert large.status_code == 413
        assert "请求内容过大" in shown(large)
    with everything.person("doctor.cq02") as doctor:
        absent = doctor.get(f"/reminder/{uuid4()}", headers={"accept": PAGE})
        assert absent.status_code == 404
        shown(absent)
    with everything.person("reader.cq01") as reader:
        refused = reader.get("/reminder/order", headers={"accept": PAGE})
        assert refused.status_code == 403
        shown(refused)


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_error_of_a_program_stays_json(everything, accept):
    with everything.http(accept=accept) as client:
        for path, status in (("/nowhere", 404), ("/api/v1/studies", 401)):
            answer = client.get(path)
            assert answer.status_code == status
            assert answer.json()["error"]["code"]
