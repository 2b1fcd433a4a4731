"""An upload is told what it would be told, and nothing of it stays."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import Connection, text

from accord.app import precheck, precheck_api
from accord.app.precheck import Documents
from accord.dataquality import service as dataquality
from accord.kit import clock, store
from accord.kit.access import Gate
from accord.kit.errors import Invalid
from accord.kit.http import install_error_handlers
from accord.kit.settings import Settings
from accord.registry import roles
from accord.registry import service as registry
from accord.standard.model import Outcome
from support import pair as given
from support.asgi import Asker
from support.borrowed import BorrowedDatabase
from support.pair import LATER, PERFORMER, STARTED, Pair

TABLES = ("patient", "visit", "exam_order", "report", "examination", "study", "instance")


def counted(conn: Connection) -> dict[str, int]:
    return {
        table: conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES
    }


def written(folder: Path, name: str, **documents: object) -> Path:
    path = folder / name
    path.write_bytes(TypeAdapter(Documents).dump_json(Documents(**documents)))
    return path


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """A folder with the images, the order and the report of one examination."""
    folder = tmp_path / "upload"
    folder.mkdir()
    objects = given.images()
    for number, dataset in enumerate(objects):
        (folder / f"{number}.dcm").write_bytes(given.encoded(dataset))
    written(folder, "order.json", order=given.order())
    written(folder, "report.json", report=given.report(str(objects[0].StudyInstanceUID)))
    return folder


def checked(pair: Pair, *paths: Path) -> precheck.Checked:
    with clock.freeze(STARTED + 4 * LATER):
        return precheck.check(pair.conn, Settings(data_dir=pair.folder), PERFORMER, paths)


def test_it_tells_what_the_upload_is_told_and_keeps_nothing(pair, upload):
    before = counted(pair.conn)
    told = checked(pair, upload)
    assert counted(pair.conn) == before
    assert not (pair.folder / "objects").exists()
    assert {file.outcome.result.value for file in told.files} == {"stored"}
    assert told.refused == {}
    ((study, findings),) = told.examinations.items()
    sent = pair.whole()
    assert study == sent.study_uid
    with clock.freeze(STARTED + 4 * LATER):
        measured = dataquality.measure(pair.conn, sent)
    told = {finding.rule: finding.outcome for finding in findings}
    outcomes = {finding.rule: finding.outcome for finding in measured}
    # Only how long the images took differs: the upload would be now, and came earlier.
    assert told.pop("R7.1.1-e") is Outcome.FAIL
    assert outcomes.pop("R7.1.1-e") is Outcome.PASS
    assert told == outcomes


def test_it_says_where_a_missing_element_is_expected(pair, upload):
    told = checked(pair, upload).as_dict()
    (findings,) = told["examinations"].values()
    (missed,) = [one for one in findings if one["because"].get("missing")]
    (fix,) = missed["fix"]
    assert fix.startswith("C5.14 ")
    assert "DICOM (" in fix
    assert not told["good"]


def test_a_document_that_would_be_refused_is_named_and_the_rest_goes_on(pair, upload):
    written(upload, "order.json", order=replace(given.order(), visit="V-UNKNOWN"))
    told = checked(pair, upload)
    assert list(told.refused) == [(upload / "order.json", "order")]
    assert len(told.examinations) == 1


def test_images_that_are_not_what_was_ordered_are_a_hint(pair, upload):
    head = replace(given.order(), item_text="颅脑 CT 平扫", item_code="CYHR-092")
    written(upload, "order.json", order=head)
    told = checked(pair, upload)
    (hints,) = told.hints.values()
    assert hints
    assert told.as_dict()["hints"] == {key: list(hints) for key in told.examinations}


def test_a_visit_and_a_patient_may_come_with_the_upload(pair, upload):
    written(
        upload,
        "a-visit.json",
        patient=replace(given.patient_record(PERFORMER, "P9"), id_number=None, id_type=None),
        visit=replace(given.visit(), number="V9", patient_id="P9"),
    )
    before = counted(pair.conn)
    assert checked(pair, upload).refused == {}
    assert counted(pair.conn) == before


@pytest.mark.parametrize(
    ("name", "body", "word"),
    [
        ("order.json", b"{", "JSON"),
        ("order.json", json.dumps({"order": {"number": "O1"}}).encode(), "order.visit"),
        ("order.json", json.dumps({"invoice": {}}).encode(), "invoice"),
        ("order.json", b"[" * 100_000, "JSON"),
        ("order.json", b" " * (precheck.LARGEST_DOCUMENT + 1), "larger"),
    ],
)
def test_a_document_nobody_can_read_is_an_error_with_its_place(pair, upload, name, body, word):
    (upload / name).write_bytes(body)
    with pytest.raises(Invalid, match=word):
        checked(pair, upload)


def test_what_is_no_dicom_is_refused_with_the_reason(pair, tmp_path):
    (tmp_path / "note.txt").write_bytes(b"no image")
    told = checked(pair, tmp_path / "note.txt").as_dict()
    assert [file["code"] for file in told["files"]] == ["not_dicom"]
    assert told["examinations"] == {}
    assert not told["good"]


def test_an_unknown_institution_is_told(pair, upload):
    with pytest.raises(Invalid, match="CQ-NONE"):
        precheck.check(pair.conn, Settings(data_dir=pair.folder), "CQ-NONE", [upload])


@pytest.fixture
def client(pair: Pair) -> Asker:
    """The address, with one PACS that may ask and one HIS that may not."""
    for code in ("pacs", "his"):
        store.put_system(
            pair.conn,
            code,
            code,
            f"key-of-{code}",
            institution=PERFORMER,
            permissions=roles.SYSTEMS[code],
        )
    app = FastAPI()
    app.state.database = BorrowedDatabase(pair.conn)
    app.state.settings = Settings(data_dir=pair.folder)
    app.state.gate = Gate(app.state.database, app.state.settings, registry.post_of)
    install_error_handlers(app)
    app.include_router(precheck_api.router)
    return Asker(app)


def asked(client: Asker, parts: list[tuple[str, bytes]], code: str = "pacs") -> httpx.Response:
    body = b"".join(
        b"--b0undary\r\nContent-Type: " + kind.encode() + b"\r\n\r\n" + data + b"\r\n"
        for kind, data in parts
    )
    return client.post(
        precheck_api.ADDRESS,
        content=body + b"--b0undary--\r\n",
        headers={
            "authorization": f"Bearer key-of-{code}",
            "content-type": "multipart/related; boundary=b0undary",
        },
    )


def test_a_system_asks_over_http_and_nothing_stays(pair, client, upload):
    before = counted(pair.conn)
    kinds = {".dcm": "application/dicom", ".json": "application/json"}
    parts = [(kinds[path.suffix], path.read_bytes()) for path in sorted(upload.iterdir())]
    with clock.freeze(STARTED + 4 * LATER):
        answer = asked(client, parts)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    dicoms = [f"{place}.dcm" for place, (kind, _) in enumerate(parts, 1) if "dicom" in kind]
    assert sorted(file["path"] for file in told["files"]) == sorted(dicoms)
    assert told["refused"] == {}
    assert len(told["examinations"]) == 1
    assert counted(pair.conn) == before


def test_the_address_is_for_those_who_send(client):
    assert asked(client, [], code="his").status_code == 403


@pytest.mark.parametrize(
    ("parts", "status", "word"),
    [
        ([("text/plain", b"x")], 415, "第 1 部分"),
        ([("application/json", b"{")], 400, "1.json"),
    ],
)
def test_parts_that_nobody_can_read_are_named(client, parts, status, word):
    answer = asked(client, parts)
    assert answer.status_code == status
    assert word in answer.text


def test_a_body_beyond_the_limit_is_refused_while_it_comes(client):
    client.app.state.settings = Settings(max_object_size=1 << 20)
    answer = asked(client, [("application/dicom", b"0" * (2 << 20))])
    assert answer.status_code == 413
