"""No log and no audit entry names a patient, whatever was done and whatever went wrong."""

import json
from io import BytesIO
from uuid import uuid4

import pytest
from pydicom import dcmread

from support.builders import encoded, make_study
from support.processes import wait_until
from support.whole import secrets_of_people, told_about

pytestmark = pytest.mark.processes

HOSPITAL = "DEMO-CQ02"
NAME = "欧阳渝蓉测试"
PINYIN = "OUYANG^YURONGCESHI"
NUMBER = "509901196103180022"
PHONE = "13912345678"
PASSWORD = "not-the-right-password-1"
TOKEN = "not-a-key-of-anybody-0123456789"
TEXT = "右肺上叶见一枚结节约八毫米"
SECRETS = {NAME, PINYIN, NUMBER, PHONE, PASSWORD, TOKEN, TEXT}


@pytest.fixture(scope="module")
def busy(everything):
    """The system after a patient was registered, imaged, reported, asked about, and refused."""
    local_id = f"L{uuid4().hex[:8]}"
    visit = f"V{uuid4().hex[:8]}"
    patient = {
        "local_id": local_id,
        "name": NAME,
        "sex": "F",
        "birth_date": "1961-03-18",
        "id_type": "resident_card",
        "id_number": NUMBER,
        "phone": PHONE,
    }
    with everything.his(HOSPITAL) as his:
        for body in (
            patient,
            {**patient, "id_number": NUMBER[:-1]},  # too short
            {**patient, "name": NAME * 60},  # too long
            {**patient, "sex": NAME},
            {**patient, "birth_date": NAME},
            {**patient, NAME: NAME},
        ):
            his.post("/api/v1/patients", json=body)
        assert his.get(f"/api/v1/patients/{local_id}").json()["name"] == NAME
        his.put(f"/api/v1/patients/{local_id}", json={**patient, "birth_date": "1990-01-01"})
        his.post(
            "/api/v1/visits",
            json={
                "number": visit,
                "patient_id": local_id,
                "kind": "OUTPATIENT",
                "opened_at": "2026-11-24T01:00:00Z",
            },
        )
        his.post(
            "/api/v1/orders",
            json={
                "number": f"O{visit}",
                "visit": visit,
                "patient_id": local_id,
                "item_text": "胸部CT平扫",
                "purpose": TEXT,
                "ordered_at": "2026-11-24T01:00:00Z",
            },
        )
        his.post("/api/v1/orders", json={"number": NAME, "purpose": TEXT})
        his.get(f"/api/v1/orders/{NAME}")
        his.get("/dicom-web/studies", params={"PatientName": NAME, NAME: PHONE})
        his.get(f"/nowhere/{NAME}")
        his.post(
            "/api/v1/reminders",
            json={"visit": visit, "patient_id": local_id, "order_numbers": [f"O{visit}"]},
        )
        his.post("/cds-services/cyhr-duplicate-imaging", json={"context": {"patientId": NAME}})
    with everything.http() as client:
        for login in ("doctor.cq06", NAME):
            client.post("/api/v1/login", json={"login": login, "password": PASSWORD})
            client.post("/login", data={"login": login, "password": PASSWORD})
    with everything.http(authorization=f"Bearer {TOKEN}") as client:
        client.get("/api/v1/orders")
    with everything.person("doctor.cq02") as doctor:
        doctor.get("/reminder/order")
    send_images(everything, local_id)
    return everything


def send_images(everything, local_id: str) -> None:
    """Send good, contradicting and broken images of the patient, and wait for their jobs."""
    study = make_study(slices=3, seed=local_id)
    for dataset in study:
        dataset.PatientName = PINYIN
        dataset.PatientID = local_id
        dataset.OtherPatientIDs = NUMBER
        dataset.PatientTelephoneNumbers = PHONE
    other = dcmread(BytesIO(encoded(study[0])))
    other.PatientName = NAME
    study[2].PatientBirthDate = "19900101"
    association = everything.associate(
        HOSPITAL, (str(study[0].SOPClassUID), str(study[0].file_meta.TransferSyntaxUID))
    )
    statuses = [
        association.send_c_store(dcmread(BytesIO(encoded(each)))).Status for each in [*study, other]
    ]
    association.release()
    assert statuses[:3] == [0, 0, 0]
    broken = encoded(study[1])[:-5000] + NAME.encode()
    with everything.his(HOSPITAL) as his:
        his.post(
            "/dicom-web/studies",
            content=b"--b\r\nContent-Type: application/dicom\r\n\r\n" + broken + b"\r\n--b--\r\n",
            headers={"content-type": 'multipart/related; type="application/dicom"; boundary=b'},
        )
        uid = study[0].StudyInstanceUID
        his.get(f"/dicom-web/studies/{uid}/metadata")
    settled = "SELECT 1 FROM study WHERE study_uid = %s AND settled_at IS NOT NULL"
    assert wait_until(lambda: everything.query(settled, uid) != [], within=60)


def test_no_log_names_a_person_or_a_credential(busy):
    logs = [busy.log, *busy.data_dir.rglob("*.log"), *busy.data_dir.rglob("*.log.1")]
    assert len(logs) >= 2
    words = SECRETS | secrets_of_people(busy)
    for log in logs:
        assert told_about(log.read_bytes().decode(errors="replace"), words) == set(), log
    assert "Traceback" not in busy.said()


def test_no_audit_entry_names_a_person_or_a_credential(busy):
    rows = busy.query("SELECT actor, action, subject, detail::text FROM audit_entry")
    assert len(rows) > 100
    text = json.dumps(rows, ensure_ascii=False)
    assert told_about(text, SECRETS | secrets_of_people(busy)) == set()
    assert {"access.login_failed", "access.logged_in"} <= {row[1] for row in rows}


def test_no_job_carries_a_person(busy):
    rows = busy.query("SELECT task_name, args::text, lock, queueing_lock FROM procrastinate_jobs")
    assert len(rows) > 50
    text = json.dumps(rows, ensure_ascii=False)
    assert told_about(text, SECRETS | secrets_of_people(busy)) == set()


def test_numbers_of_documents_stand_nowhere_in_the_open(busy):
    rows = busy.query(
        "SELECT p.id FROM patient p WHERE p::text LIKE %s OR p::text LIKE %s",
        f"%{NUMBER}%",
        f"%{PHONE}%",
    )
    assert rows == []


def test_scan_finds_what_it_looks_for():
    assert told_about(f"event='x' path='/{NAME}'", SECRETS) == {NAME}
