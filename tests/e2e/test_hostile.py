"""What nobody should send, sent to real processes: a clear refusal, and everything lives on."""

import itertools
import json
import os
import socket
import struct
import time
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from pydicom import dcmread

from accord.app.demo.people import PEOPLE
from accord.app.demo.phantoms import uid
from accord.app.demo.stories import READY_ORDERS, SCENES
from support.builders import encoded, make_study
from support.processes import wait_until
from support.whole import resident, running

pytestmark = pytest.mark.processes

US, THEM = "DEMO-CQ03", "DEMO-SC02"
OURS = next(ready for ready in READY_ORDERS if ready.viewer == US)
# Somebody no reminder of the demo is about, so that nothing of them was ever shown elsewhere.
THEIRS = next(
    scene
    for scene in SCENES
    if scene.at == THEM and scene.person not in {ready.person for ready in READY_ORDERS}
)
MEGABYTE = 1024 * 1024
WRITES = ("/api/v1/patients", "/api/v1/visits", "/api/v1/orders", "/api/v1/reports",
          "/api/v1/reminders", "/api/v1/decisions", "/api/v1/login",
          "/cds-services/cyhr-duplicate-imaging")  # fmt: skip
CROOKED = ["../../../../evil", "..%2f..%2f..%2fevil", "1.2.3%2f..%2f..%2fevil", "1.2.840.x", "1..2"]


@pytest.fixture(scope="module", autouse=True)
def whole_all_along(everything):
    """Every process that ran before the attacks runs after them, and nothing lies about."""
    names = ("serve", "receive", "work", "disclose", "postgres")
    before = {name: everything.children(name) for name in names}
    around = outside(everything)
    yield
    assert {name: everything.children(name) for name in names} == before
    assert everything.is_ready()
    assert outside(everything) == around


def outside(whole) -> set[Path]:
    """List what stands in the folder around the data folder, and every `evil` inside it."""
    beside = set(whole.folder.iterdir())
    return beside | set(whole.data_dir.rglob("*evil*")) | set(Path("/tmp").glob("*evil*"))


def refusal(answer) -> dict:
    """Return what a refusal says; it must say something a person can act on."""
    error = answer.json()["error"]
    assert error["code"]
    assert error["message"]
    assert "Traceback" not in answer.text
    return error


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WRITES)
def test_body_declared_as_100_megabytes_is_refused_before_it_is_read(everything, path):
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {100 * MEGABYTE}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", everything.ports["http"]), timeout=20) as peer:
        peer.sendall(head.encode())
        answer = peer.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]


@pytest.mark.parametrize("path", WRITES[1:3])
def test_body_of_100_megabytes_in_chunks_is_refused(everything, path):
    (pid,) = everything.children("serve")
    before = resident(pid)
    chunk = b"[" + b'"' + b"x" * (MEGABYTE - 3) + b'"'
    with socket.create_connection(("127.0.0.1", everything.ports["http"]), timeout=60) as peer:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        peer.sendall(head.encode() + b"content-type: application/json\r\n\r\n")
        sent = 0
        try:
            for _ in range(100):
                sent += 1
                peer.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            peer.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            assert sent < 100  # it hung up, and the answer may be lost with the connection
        else:
            assert peer.recv(65536).startswith(b"HTTP/1.1 413")
    assert resident(pid) - before < 64 * MEGABYTE


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 5000,
    ],
    ids=["lists", "objects", "open"],
)
def test_json_nested_5000_deep_is_refused(everything, path, body):
    with everything.his(US) as his:
        answer = his.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "嵌套" in refusal(answer)["message"]


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b'{"number": "\xc3\x28"}', b'{"number": "\\ud800"}', b"", b"null", b"{"],
    ids=["bytes", "utf-8", "surrogate", "empty", "null", "open"],
)
def test_what_is_no_json_is_refused_with_a_sentence(everything, path, body):
    with everything.his(US) as his:
        answer = his.post(path, content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    refusal(answer)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "x", ""])
@pytest.mark.parametrize("path", WRITES[:5])
def test_unknown_content_type_is_refused(everything, path, kind):
    with everything.his(US) as his:
        answer = his.post(path, content=b"<x/>", headers={"content-type": kind})
    assert 400 <= answer.status_code < 500, answer.text
    refusal(answer)


def test_slow_body_keeps_nobody_else_out(everything):
    head = b"POST /api/v1/visits HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    slow = [
        socket.create_connection(("127.0.0.1", everything.ports["http"]), timeout=5)
        for _ in range(30)
    ]
    try:
        for peer in slow:
            peer.sendall(head + b"content-length: 1000\r\n\r\n{")
        with everything.http() as client:
            assert client.get("/healthz", timeout=10).status_code == 200
        with everything.his(US) as his:
            assert his.get("/api/v1/orders?limit=1", timeout=10).status_code == 200
    finally:
        for peer in slow:
            peer.close()


# --- DICOMweb ------------------------------------------------------------------------------------


def paths_of(document: dict, prefix: str, method: str) -> list[str]:
    return [
        path
        for path, ways in document["paths"].items()
        if path.startswith(prefix) and method in ways
    ]


@pytest.fixture(scope="module")
def document(everything) -> dict:
    """The addresses of the interface, as it tells them."""
    with everything.http() as client:
        found: dict = client.get("/api/openapi.json").json()
    return found


def filled(path: str, **values: str) -> str:
    for name, value in values.items():
        path = path.replace("{" + name + "}", value).replace("{" + name + ":path}", value)
    return path


@pytest.mark.parametrize("crooked", CROOKED)
def test_uid_that_leads_elsewhere_is_no_image(everything, document, crooked):
    paths = [p for p in paths_of(document, "/dicom-web", "get") if "{" in p]
    assert len(paths) >= 8
    with everything.his(US) as his:
        for path in paths:
            names = [part.strip("{}").partition(":")[0] for part in path.split("/") if "{" in part]
            for target in names:
                values = {name: crooked if name == target else "1.2.3" for name in names}
                answer = his.get(filled(path, **values))
                assert answer.status_code in {400, 404}, (path, target, answer.text)
                refusal(answer)


def stow(client, body: bytes, path: str = "/dicom-web/studies", kind: str = "application/dicom"):
    return client.post(
        path,
        content=b"--b\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + body + b"\r\n--b--\r\n",
        headers={"content-type": 'multipart/related; type="application/dicom"; boundary=b'},
    )


@pytest.mark.parametrize("name", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", ["../../../../evil", "1.2/../../evil"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.filterwarnings("ignore:The value length")
def test_stored_uid_that_leads_elsewhere_is_refused(everything, name, value):
    (one,) = make_study(slices=1, seed=f"{name}{value}")
    good = getattr(one, name).encode()
    # In the bytes, as a sender without scruples would: pydicom would not write it.
    body = encoded(one).replace(good, value.encode().ljust(len(good), b"\0"))
    with everything.his(US) as his:
        answer = stow(his, body)
    assert answer.status_code == 409, answer.text
    assert "00081199" not in answer.json()


def test_stow_to_a_crooked_study_is_refused(everything):
    (one,) = make_study(slices=1, seed="crooked")
    with everything.his(US) as his:
        answer = stow(his, encoded(one), "/dicom-web/studies/..%2f..%2fevil")
    assert answer.status_code in {400, 404, 405}
    refusal(answer)


def test_part_that_is_no_dicom_is_named_and_the_others_stay(everything):
    (one,) = make_study(slices=1, seed="beside junk")
    parts = [b"\xff" * 5000, encoded(one)]
    body = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + p + b"\r\n" for p in parts)
    with everything.his(US) as his:
        answer = his.post(
            "/dicom-web/studies",
            content=body + b"--b--\r\n",
            headers={"content-type": 'multipart/related; type="application/dicom"; boundary=b'},
        )
    assert answer.status_code == 202, answer.text
    (taken,) = answer.json()["00081199"]["Value"]
    assert taken["00081155"]["Value"] == [one.SOPInstanceUID]


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/related", "multipart/related; boundary=b", ""]
)
def test_stow_of_another_content_type_is_refused(everything, kind):
    with everything.his(US) as his:
        answer = his.post("/dicom-web/studies", content=b"x", headers={"content-type": kind})
    assert answer.status_code in {400, 415}
    refusal(answer)


def test_stow_part_over_the_limit_of_the_site_is_refused_and_leaves_nothing(small_demo):
    (one,) = make_study(slices=1, seed="oversize")
    one.add_new(0x00420011, "OB", bytes(3 * MEGABYTE))
    with running(small_demo, ACCORD_MAX_OBJECT_SIZE=str(2 * MEGABYTE)) as small:
        before = {path for path in (small.data_dir / "objects").rglob("*") if path.is_file()}
        with small.his(US) as his:
            answer = stow(his, encoded(one))
            assert answer.status_code == 409
            assert his.get(f"/dicom-web/studies/{one.StudyInstanceUID}").status_code == 404
        after = {path for path in (small.data_dir / "objects").rglob("*") if path.is_file()}
        assert after == before
        with small.http() as client:  # it lives, and a page is a page for people
            lost = client.get("/nowhere", headers={"accept": "text/html,*/*"})
            assert (lost.status_code, lost.headers["content-type"][:9]) == (404, "text/html")


# --- who may what --------------------------------------------------------------------------------


def test_wrong_password_twenty_times_locks_that_account_alone(everything):
    victim, other = "doctor.sc04", "doctor.sc03"
    with everything.http() as client:
        wrong = [
            client.post("/api/v1/login", json={"login": victim, "password": f"wrong {n}"})
            for n in range(20)
        ]
        right = client.post(
            "/api/v1/login", json={"login": victim, "password": everything.password(victim)}
        )
        page = client.post(
            "/login", data={"login": victim, "password": everything.password(victim)}
        )
        for answer in [*wrong, right]:
            assert refusal(answer)["message"]
            assert not answer.cookies
    assert [answer.status_code for answer in wrong] == [401] * 5 + [429] * 15
    assert right.status_code == page.status_code == 429
    assert "临时锁定" in page.text
    with everything.person(other) as free:
        assert free.get("/api/v1/session").json()["id"] == other


def test_unknown_login_takes_as_long_and_reads_the_same_as_a_wrong_password(everything):
    def asked(client, login: str):
        begun = time.monotonic()
        answer = client.post("/api/v1/login", json={"login": login, "password": "wrong wrong"})
        return time.monotonic() - begun, answer

    known = ["doctor.sc05", "doctor.sc06", "wjw.sc", "auditor", "doctor.cq05"]
    with everything.http() as client:
        asked(client, "nobody")
        pairs = [(asked(client, login), asked(client, f"nobody.{login}")) for login in known]
    told = {(a.status_code, a.text) for pair in pairs for _, a in pair}
    assert len(told) == 1
    quickest_known = min(first[0] for first, _ in pairs)
    quickest_unknown = min(second[0] for _, second in pairs)
    assert quickest_unknown > quickest_known / 3  # hashing, not looking up, is what takes time


@pytest.mark.parametrize("value", [None, "", "wrong", "é"])
def test_write_by_cookie_without_its_csrf_value_is_refused(everything, value):
    with everything.person("doctor.cq03") as doctor:
        del doctor.headers["x-csrf-token"]
        headers = {} if value is None else {"x-csrf-token": value.encode()}
        answer = doctor.post(
            "/api/v1/decisions", json={"item": str(uuid4()), "outcome": "ACCEPTED"}, headers=headers
        )
    assert answer.status_code == 403
    assert "CSRF" in refusal(answer)["message"]


def test_session_that_is_over_opens_nothing(everything):
    with everything.person("doctor.cq03") as doctor:
        cookie = doctor.cookies["accord_session"]
        assert doctor.get("/api/v1/session").status_code == 200
        assert doctor.post("/api/v1/logout").status_code == 200
    with everything.http(cookie=f"accord_session={cookie}") as client:
        answer = client.get("/api/v1/orders")
        assert answer.status_code == 401
        refusal(answer)
        page = client.get("/reminder/order", headers={"accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize(
    "credential", ["Bearer x", "Bearer", "Basic eDp5", "Bearer a.b.c", "Bearer " + "x" * 9000]
)
def test_wrong_key_opens_nothing(everything, document, credential):
    with everything.http(authorization=credential) as client:
        for path in itertools.chain(
            paths_of(document, "/api/v1", "get"), paths_of(document, "/dicom-web", "get")
        ):
            answer = client.get(path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, path


@pytest.fixture(scope="module")
def theirs(everything) -> dict[str, str]:
    """Everything another hospital has of one patient, by the names of the parameters."""
    study = uid("study", THEIRS.key)
    with everything.his(THEM) as his:
        found = his.get(f"/api/v1/studies/{study}").json()
        order = his.get(f"/api/v1/orders/{found['order']}").json()
        (instance, *_) = his.get(f"/dicom-web/studies/{study}/instances").json()
        assert his.get(f"/api/v1/patients/{order['patient_id']}").status_code == 200
        asked = his.post(
            "/api/v1/reminders",
            json={
                "visit": "DEMO-V-past-window",
                "patient_id": PEOPLE["p08"].local_id(THEM),
                "order_numbers": ["DEMO-R-past-window"],
            },
        ).json()
    return {
        "patient": order["patient_id"],
        "visit": order["visit"],
        "order": found["order"],
        "report": found["report"],
        "reminder": asked["id"],
        "study_uid": study,
        "series_uid": instance["0020000E"]["Value"][0],
        "sop_uid": instance["00080018"]["Value"][0],
        "accession": order["registration"]["accession"],
    }


def addresses_of(theirs: dict[str, str]) -> list[str]:
    """Return every address that names something of theirs."""
    record = [
        f"/api/v1/{resource}s/{theirs[resource]}{more}"
        for resource, tails in {
            "patient": ("",),
            "visit": ("",),
            "order": ("", "/versions"),
            "report": ("", "/versions"),
            "reminder": ("",),
        }.items()
        for more in tails
    ]
    study = f"/dicom-web/studies/{theirs['study_uid']}"
    series = f"{study}/series/{theirs['series_uid']}"
    instance = f"{series}/instances/{theirs['sop_uid']}"
    images = [
        study, series, instance, f"{study}/metadata", f"{series}/metadata", f"{instance}/metadata",
        f"{instance}/frames/1", f"{instance}/rendered", f"{instance}/frames/1/rendered",
    ]  # fmt: skip
    pages = [f"/viewer/frames?StudyInstanceUIDs={theirs['study_uid']}"]
    return [*record, f"/api/v1/studies/{theirs['study_uid']}", *images, *pages]


def test_their_own_system_reads_them_so_that_the_matrix_can_fail(everything, theirs):
    with everything.his(THEM) as his:
        answers = {path: his.get(path).status_code for path in addresses_of(theirs)}
    pages = {path for path in answers if path.startswith("/viewer/")}
    assert {path: code for path, code in answers.items() if path not in pages} == dict.fromkeys(
        set(answers) - pages, 200
    )


@pytest.mark.parametrize("who", ["system", "doctor.cq03", "reader.cq03", "dept.cq03"])
def test_nothing_of_another_hospital_can_be_read(everything, theirs, who):
    client = everything.his(US) if who == "system" else everything.person(who)
    name = PEOPLE[THEIRS.person].name
    with client as caller:
        for path in addresses_of(theirs):
            answer = caller.get(path)
            assert answer.status_code in {403, 404}, (path, answer.status_code)
            assert name not in answer.text
            assert theirs["patient"] not in answer.text
        for path in ("/api/v1/orders", "/api/v1/studies", "/api/v1/decisions",
                     "/api/v1/citations"):  # fmt: skip
            answer = caller.get(path, params={"limit": 500})
            assert answer.status_code in {200, 403}
            assert theirs["study_uid"] not in answer.text
            assert THEM not in {each.get("institution") for each in listed(answer)}


def listed(answer) -> list[dict]:
    found = answer.json()
    return found if isinstance(found, list) else []


@pytest.mark.parametrize("key", ["StudyInstanceUID", "PatientID", "AccessionNumber", "PatientName"])
def test_no_search_finds_images_of_another_hospital(everything, theirs, key):
    value = {
        "StudyInstanceUID": theirs["study_uid"],
        "PatientID": theirs["patient"],
        "AccessionNumber": theirs["accession"],
        "PatientName": "*",
    }[key]
    with everything.his(US) as his, everything.his(THEM) as them:
        for level in ("studies", "series", "instances"):
            parameters = {key: value, "limit": 500}
            ours = his.get(f"/dicom-web/{level}", params=parameters)
            assert ours.status_code == 200
            assert theirs["study_uid"] not in ours.text
            if level == "studies":
                assert (
                    theirs["study_uid"] in them.get(f"/dicom-web/{level}", params=parameters).text
                )


def snapshot(everything, theirs) -> dict[str, str]:
    with everything.his(THEM) as his:
        return {path: his.get(path).text for path in addresses_of(theirs) if "/api/" in path}


def test_nothing_of_another_hospital_can_be_written(everything, theirs):
    before = snapshot(everything, theirs)
    with everything.his(THEM) as them:
        bodies = {
            kind: them.get(f"/api/v1/{kind}s/{theirs[kind]}").json()
            for kind in ("patient", "visit", "order", "report")
        }
    for body in bodies.values():
        for told in ("institution", "version", "at", "authority", "id_state", "updated_at"):
            body.pop(told, None)
    bodies["patient"].pop("status", None)
    bodies["report"]["status"] = "WITHDRAWN"
    with everything.his(US) as his:
        refused = {
            "amend patient": his.put(
                f"/api/v1/patients/{theirs['patient']}", json={**bodies["patient"], "name": "某某"}
            ),
            "visit": his.post("/api/v1/visits", json=bodies["visit"]),
            "order": his.post("/api/v1/orders", json=bodies["order"]),
            "report": his.post("/api/v1/reports", json=bodies["report"]),
            "amend report": his.put(f"/api/v1/reports/{theirs['report']}", json=bodies["report"]),
            "withdraw order": his.post(f"/api/v1/orders/{theirs['order']}/withdraw"),
            "withdraw report": his.post(f"/api/v1/reports/{theirs['report']}/withdraw"),
            "merge": his.post(
                f"/api/v1/patients/{theirs['patient']}/merge",
                json={"with_local_id": PEOPLE[OURS.person].local_id(US)},
            ),
            "ask": his.post(
                "/api/v1/reminders",
                json={
                    "visit": theirs["visit"],
                    "patient_id": theirs["patient"],
                    "order_numbers": [theirs["order"]],
                },
            ),
        }
    for what, answer in refused.items():
        assert 400 <= answer.status_code < 500, (what, answer.text)
        refusal(answer)
    with everything.person("doctor.cq03") as doctor:
        decided = doctor.post(
            "/api/v1/decisions", json={"item": theirs["reminder"], "outcome": "ACCEPTED"}
        )
        assert decided.status_code in {403, 404}
    assert snapshot(everything, theirs) == before


def test_object_added_to_a_study_of_another_hospital_is_kept_aside(everything, theirs):
    with everything.his(THEM) as them:
        path = f"/dicom-web/studies/{theirs['study_uid']}"
        count = len(them.get(f"{path}/instances").json())
        (one, *_) = make_study(slices=1, seed="intruder")
        one.StudyInstanceUID = theirs["study_uid"]
        with everything.his(US) as his:
            answer = stow(his, encoded(one))
            assert answer.status_code == 202
            assert "00081190" not in answer.json()["00081199"]["Value"][0]
            assert his.get(path).status_code == 404
        assert len(them.get(f"{path}/instances").json()) == count


def test_repeated_request_acts_once_and_its_key_fits_no_other(everything):
    visit = {
        "number": f"V{uuid4().hex[:12]}",
        "patient_id": PEOPLE[OURS.person].local_id(US),
        "kind": "OUTPATIENT",
        "opened_at": "2026-11-24T01:00:00+00:00",
    }
    key = {"idempotency-key": uuid4().hex}
    with everything.his(US) as his, everything.his(THEM) as them:
        first = his.post("/api/v1/visits", json=visit, headers=key)
        again = his.post("/api/v1/visits", json=visit, headers=key)
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert again.json() == first.json()
        other = {**visit, "kind": "INPATIENT"}
        assert his.post("/api/v1/visits", json=other, headers=key).status_code == 409
        assert his.get(f"/api/v1/visits/{visit['number']}").json()["version"] == 1
        theirs_now = them.post("/api/v1/visits", json=visit, headers=key)
        assert theirs_now.text != first.text  # keys of two callers never meet


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_system_of_a_hospital_changes_nothing_of_the_registry(everything, document, method):
    areas = ("institutions", "consortia", "devices", "staff", "lists", "qualifications", "posts",
             "inspections", "names", "tasks", "audit", "marks")  # fmt: skip
    paths = [
        path
        for path, ways in document["paths"].items()
        if method.lower() in ways and path.split("/")[3:4] and path.split("/")[3] in areas
    ]
    assert paths or method == "PATCH"
    with everything.his(US) as his:
        for path in paths:
            answer = his.request(method, path.replace("{", "").replace("}", ""), json={})
            assert answer.status_code in {403, 404, 422, 400}, (path, answer.text)
            assert answer.status_code == 403 or "names" in path, (path, answer.text)


# --- DIMSE ---------------------------------------------------------------------------------------

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"


def echo(everything) -> int:
    association = everything.associate(US, (VERIFICATION, IMPLICIT))
    assert association.is_established
    status: int = association.send_c_echo().Status
    association.release()
    return status


def dimse(everything) -> socket.socket:
    return socket.create_connection(("127.0.0.1", everything.ports["dimse"]), timeout=15)


def associate_request(calling: bytes) -> bytes:
    """Return an A-ASSOCIATE-RQ for C-ECHO, byte by byte."""

    def item(kind: int, content: bytes) -> bytes:
        return struct.pack(">BBH", kind, 0, len(content)) + content

    context = item(0x30, VERIFICATION.encode()) + item(0x40, IMPLICIT.encode())
    body = struct.pack(">HH", 1, 0) + b"ACCORD".ljust(16) + calling.ljust(16) + bytes(32)
    body += item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, b"\1\0\0\0" + context)
    body += item(0x50, item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3.4"))
    return struct.pack(">BBL", 1, 0, len(body)) + body


def test_peers_that_say_nothing_or_nonsense_keep_nobody_out_and_cost_no_memory(everything):
    assert echo(everything) == 0
    (pid,) = everything.children("receive")
    before = resident(pid)
    silent = [dimse(everything) for _ in range(8)]
    try:
        for _ in range(20):
            with dimse(everything) as peer:
                peer.sendall(struct.pack(">BBL", 1, 0, 0x7FFFFFFF) + b"x" * 65536)
                assert peer.recv(1) in {b"\7", b""}
            with dimse(everything) as peer:
                peer.sendall(os.urandom(4096))
        established = [everything.associate(US, (VERIFICATION, IMPLICIT)) for _ in range(8)]
        assert all(one.is_established for one in established)
        assert echo(everything) == 0
        for one in established:
            one.release()
    finally:
        for peer in silent:
            peer.close()
    assert resident(pid) - before < 64 * MEGABYTE


@pytest.mark.parametrize(
    "calling",
    [b"NOBODY", b"../../evil", b"\xff" * 16],
    ids=["unknown", "path", "bytes"],
)
def test_unknown_title_is_rejected_or_cut_off(everything, calling):
    with dimse(everything) as peer:
        peer.sendall(associate_request(calling))
        answer = peer.recv(10)
    assert answer[:1] in {b"\3", b"\7"}, answer  # A-ASSOCIATE-RJ, A-ABORT
    assert echo(everything) == 0


def stored(everything, *datasets) -> list[int]:
    contexts = {(str(d.SOPClassUID), str(d.file_meta.TransferSyntaxUID)) for d in datasets}
    association = everything.associate(US, *sorted(contexts))
    assert association.is_established
    found = [association.send_c_store(dcmread(BytesIO(encoded(d)))).Status for d in datasets]
    association.release()
    return found


def test_good_object_is_stored_beside_a_bad_peer_and_an_abort(everything):
    (good, broken) = make_study(slices=2, seed="beside")
    broken.add_new(0x00420011, "OB", bytes(4 * MEGABYTE))
    association = everything.associate(US, (str(broken.SOPClassUID), EXPLICIT))
    provider = association.dul.socket
    connection = provider.socket
    raw = encoded(broken)
    context = association.accepted_contexts[0].context_id
    # The first fragments of an object that never ends.
    fragment = struct.pack(">LBB", MEGABYTE // 64 + 2, context, 0) + raw[: MEGABYTE // 64]
    provider.send(struct.pack(">BBL", 4, 0, len(fragment)) + fragment)
    assert stored(everything, good) == [0]
    association.abort()
    association.join(10)
    connection.close()  # pynetdicom lets go of it unclosed when the peer was first to close
    with everything.his(US) as his:
        path = f"/dicom-web/studies/{good.StudyInstanceUID}/instances"
        found = [each["00080018"]["Value"][0] for each in his.get(path).json()]
    assert found == [good.SOPInstanceUID]


def test_sequences_nested_5000_deep_end_as_a_refusal(everything):
    (one,) = make_study(slices=1, seed="nested")
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nested = struct.pack("<HH2sHL", 0x0009, 0x1001, b"SQ", 0, 0xFFFFFFFF) + item
    raw = encoded(one)
    at = raw.index(struct.pack("<HH", 0x0010, 0x0010))  # between two groups of the data set
    body = raw[:at] + nested * 5000 + raw[at:]
    with everything.his(US) as his:
        answer = stow(his, body)
    assert answer.status_code == 409
    assert "深" in json.dumps(answer.json(), ensure_ascii=False) or "00081197" in answer.text
    assert wait_until(lambda: echo(everything) == 0)
