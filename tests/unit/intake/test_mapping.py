"""What messages say in the words of the record."""

from datetime import UTC, date, datetime

import pytest

from accord.intake import mapping
from accord.intake.errors import Fault
from accord.intake.mapping import Content
from accord.intake.message import read, read_head
from accord.record.model import OrderStatus, ReportStatus, Urgency, VisitKind
from support.hl7 import (
    FINDINGS,
    IMPRESSION,
    OBR,
    ORC,
    PID,
    PV1,
    RESULT,
    adt,
    message,
    msh,
    omg,
    oru,
    pid,
    result,
    segment,
)


def said(raw: bytes) -> Content:
    head = read_head(raw)
    assert head is not None
    return mapping.understand(read(raw, head), "CQ-A")


def fault(raw: bytes) -> tuple[int, str]:
    with pytest.raises(Fault) as error:
        said(raw)
    return error.value.error, str(error.value.place)


def test_registration_brings_patient_and_visit():
    content = said(adt("1"))
    patient = content.patient
    assert patient is not None
    assert (patient.authority, patient.local_id, patient.name) == ("CQ-A", "P-1", "林测安")
    assert (patient.sex, patient.birth_date) == ("F", date(1985, 3, 7))
    assert (patient.id_type, patient.id_number) == ("resident_card", "509901198503070026")
    assert patient.phone == "13800000000"
    assert content.visit == {
        "number": "V-1",
        "patient_id": "P-1",
        "kind": VisitKind.OUTPATIENT,
        "opened_at": datetime(2026, 11, 21, 5, 30, tzinfo=UTC),
        "department": "呼吸内科",
    }


def test_number_in_pid_19_is_the_citizens():
    raw = message(msh("ADT^A04", "1"), pid(_3="P-1", _19="509901198503070026"), PV1)
    patient = said(raw).patient
    assert patient is not None
    assert (patient.id_type, patient.id_number) == ("resident_card", "509901198503070026")


def test_name_in_chinese_characters_wins_over_pinyin():
    raw = message(msh("ADT^A08", "1"), pid(_5="Lin^Cean^^^^^P~林^测安^^^^^L"))
    patient = said(raw).patient
    assert patient is not None
    assert patient.name == "林测安"


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((pid(_7="20261332"), PV1), (102, "PID[1]-7")),
        ((pid(_8="女"), PV1), (103, "PID[1]-8")),
        ((pid(_3=""), PV1), (101, "PID[1]-3")),
        ((pid(_3="509901198503070026^^^^NI"), PV1), (101, "PID[1]-3")),
        ((pid(_5=""), PV1), (101, "PID[1]-5")),
        ((PID,), (101, "PV1[1]-19")),
        ((PID, segment("PV1", {2: "X", 19: "V-1"})), (103, "PV1[1]-2")),
        ((PV1,), (100, "PID[1]")),
    ],
)
def test_what_a_registration_lacks_is_named(segments, expected):
    assert fault(message(msh("ADT^A04", "1"), *segments)) == expected


def test_merge_names_both_ids():
    content = said(message(msh("ADT^A40^ADT_A39", "1"), PID, "MRG|P-0^^^HIS"))
    assert (content.local_id, content.prior) == ("P-1", "P-0")


def test_merge_without_the_prior_id_is_told():
    assert fault(message(msh("ADT^A40", "1"), PID)) == (100, "MRG[1]")


def test_order_is_mapped_element_for_element():
    (order,) = said(omg("1")).orders
    assert order == {
        "number": "R-1",
        "visit": "V-1",
        "patient_id": "P-1",
        "item_text": "胸部CT平扫",
        "item_code": "CYHR-094",
        "ordered_at": datetime(2026, 11, 21, 5, 40, tzinfo=UTC),
        "department": "呼吸内科",
        "physician": "周测",
        "purpose": "排除肺炎",
        "complaint": "咳嗽两周",
        "urgency": Urgency.STAT,
        "registration": {
            "accession": "A-1",
            "registered_at": datetime(2026, 11, 21, 5, 42, tzinfo=UTC),
            "scheduled_at": datetime(2026, 11, 21, 6, 0, tzinfo=UTC),
            "registrar": "登记",
            "technologist": "技师",
        },
        "status": OrderStatus.PLACED,
    }


def test_old_order_has_its_urgency_in_orc_7():
    orc = segment("ORC", {1: "NW", 2: "R-1", 7: "^^^^^S", 9: "202611211340"})
    raw = message(msh("ORM^O01", "1", version="2.3.1"), PID, PV1, orc, "OBR|1|R-1||CT94^胸部CT")
    (order,) = said(raw).orders
    assert (order["urgency"], order["item_code"]) == (Urgency.STAT, "CT94")


def test_imaging_order_has_accession_and_study_in_ipc():
    ipc = segment("IPC", {1: "ACC-9", 3: "1.2.840.99", 7: "CT-1"})
    raw = message(msh("OMI^O23^OMI_O23", "1"), PID, PV1, ORC, OBR, ipc)
    (order,) = said(raw).orders
    told = order["registration"]
    assert (told["accession"], told["study_uid"], told["device"]) == ("ACC-9", "1.2.840.99", "CT-1")


def test_study_uid_of_zds_is_read():
    raw = message(msh("ORM^O01", "1"), PID, PV1, ORC, OBR, "ZDS|1.2.840.98^100^Application^DICOM")
    (order,) = said(raw).orders
    assert order["registration"]["study_uid"] == "1.2.840.98"


def test_cancelled_order_tells_only_that():
    raw = message(msh("OMG^O19", "1"), PID, "ORC|CA|R-1", "OBR|1|R-1")
    (order,) = said(raw).orders
    assert order == {"number": "R-1", "patient_id": "P-1", "status": OrderStatus.WITHDRAWN}


def test_several_orders_in_one_message():
    second = segment("ORC", {1: "NW", 2: "R-2", 9: "20261121134000"})
    raw = message(
        msh("OMG^O19", "1"), PID, PV1, ORC, "TQ1|1||||||||S", OBR, second, "OBR|1|R-2||DR1^胸片"
    )
    first, other = said(raw).orders
    assert (first["number"], first["urgency"]) == ("R-1", Urgency.STAT)
    assert (other["number"], other["item_text"]) == ("R-2", "胸片")
    assert "urgency" not in other


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((PID, PV1, ORC), (100, "OBR[1]")),
        ((PID, PV1, OBR), (100, "ORC[1]")),
        ((PID, PV1, ORC.replace("NW", "ZZ"), OBR), (103, "ORC[1]-1")),
        ((PID, PV1, ORC.replace("20261121134000", "20261332"), OBR), (102, "ORC[1]-9")),
        ((PID, PV1, ORC.replace("20261121134000", ""), OBR), (101, "ORC[1]-9")),
        ((PID, ORC, OBR), (101, "PV1[1]-19")),
        ((PID, PV1, ORC, segment("OBR", {2: "R-1"})), (101, "OBR[1]-4")),
        ((PID, PV1, ORC, OBR, ORC, OBR), (103, "OBR[2]-2")),
        ((PID, PV1, ORC, "TQ1|1||||||||Q", OBR), (103, "TQ1[1]-9")),
    ],
)
def test_what_an_order_lacks_is_named(segments, expected):
    assert fault(message(msh("OMG^O19", "1"), *segments)) == expected


def test_report_is_mapped_element_for_element():
    (report,) = said(oru("1")).reports
    released = datetime(2026, 11, 21, 6, 45, tzinfo=UTC)
    assert report == {
        "number": "A-1",
        "status": ReportStatus.FINAL,
        "accession": "A-1",
        "patient_id": "P-1",
        "patient_name": "林测安",
        "patient_sex": "F",
        "patient_birth_date": date(1985, 3, 7),
        "item_text": "胸部CT平扫",
        "modality": "CT",
        "examined_on": date(2026, 11, 21),
        "findings": "双肺纹理清晰\n未见实变。",
        "impression": "胸部CT平扫未见异常。",
        "author": "吴测",
        "verifier": "郑测",
        "authored_at": released,
        "verified_at": released,
        "released_at": released,
        "positive": False,
    }


@pytest.mark.parametrize(
    ("letter", "status"),
    [("P", "PRELIMINARY"), ("R", "PRELIMINARY"), ("F", "FINAL"), ("C", "AMENDED")],
)
def test_result_status_becomes_report_status(letter, status):
    (report,) = said(oru("1", result=result(_25=letter))).reports
    assert report["status"] == status
    assert ("released_at" in report) is (letter in "FC")


def test_withdrawn_report_needs_no_text():
    (report,) = said(message(msh("ORU^R01", "1"), PID, result(_25="X"))).reports
    assert report["status"] is ReportStatus.WITHDRAWN


def test_amendment_tells_why():
    raw = message(
        msh("ORU^R01", "1"), PID, result(_25="C"), FINDINGS, IMPRESSION, "NTE|1||更正侧别"
    )
    assert said(raw).reports[0]["amends"] == "更正侧别"


def test_parts_of_a_report_are_told_by_suffix_or_name_as_well():
    raw = message(
        msh("ORU^R01", "1"),
        PID,
        RESULT,
        "OBX|1|TX|24558-9&GDT^CT||第一行~第二行",
        "OBX|2|TX|X^诊断意见||肺炎|||A",
        "OBX|3|NM|DLP||120",
        "OBX|4|ST|113014^DICOM Study^DCM||1.2.840.97",
    )
    (report,) = said(raw).reports
    assert (report["findings"], report["impression"]) == ("第一行\n第二行", "肺炎")
    assert (report["positive"], report["study_uid"]) == (True, "1.2.840.97")


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((PID,), (100, "OBR[1]")),
        ((PID, RESULT), (103, "OBR[1]")),
        ((PID, RESULT, "OBX|1|TX|未知^未知||文字"), (103, "OBR[1]")),
        ((PID, result(_25="Q"), FINDINGS), (103, "OBR[1]-25")),
        ((PID, result(_25=""), FINDINGS), (101, "OBR[1]-25")),
        ((PID, result(_22=""), FINDINGS), (101, "OBR[1]-22")),
        ((PID, result(_22="20261332120000"), FINDINGS), (102, "OBR[1]-22")),
        ((PID, result(_2="", _3=""), FINDINGS), (101, "OBR[1]-3")),
    ],
)
def test_what_a_report_lacks_is_named(segments, expected):
    assert fault(message(msh("ORU^R01", "1"), *segments)) == expected


TXA = {1: "1", 6: "20261121142000", 9: "2^吴^测", 12: "DOC-1", 15: "A-1", 17: "AU",
       22: "1^郑^测^^^^^^^^^^^^20261121144500"}  # fmt: skip


def document(**changes: str) -> bytes:
    told = TXA | {int(name[1:]): value for name, value in changes.items()}
    return message(
        msh("MDM^T02^MDM_T02", "1"), "EVN||1", PID, PV1, segment("TXA", told), FINDINGS, IMPRESSION
    )


def test_document_is_a_report():
    (report,) = said(document()).reports
    assert (report["number"], report["accession"]) == ("DOC-1", "A-1")
    assert report["status"] is ReportStatus.FINAL
    assert (report["author"], report["verifier"]) == ("吴测", "郑测")
    assert report["authored_at"] == datetime(2026, 11, 21, 6, 20, tzinfo=UTC)
    assert report["released_at"] == datetime(2026, 11, 21, 6, 45, tzinfo=UTC)


def test_cancelled_document_is_a_withdrawn_report():
    assert said(document(_19="CA")).reports[0]["status"] is ReportStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"_17": "ZZ"}, (103, "TXA[1]-17")),
        ({"_12": ""}, (101, "TXA[1]-12")),
        ({"_6": "", "_22": ""}, (101, "TXA[1]-22")),
    ],
)
def test_what_a_document_lacks_is_named(changes, expected):
    assert fault(document(**changes)) == expected


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        (msh("QBP^Q23", "1"), 200),
        (msh("ADT^A99", "1"), 201),
        (msh("ADT^A04", "1", processing="T"), 202),
        (msh("ADT^A04", "1", version="3.0"), 203),
    ],
)
def test_what_is_never_taken_is_refused_by_its_head(changed, error):
    head = read_head(changed.encode())
    assert head is not None
    with pytest.raises(Fault) as found:
        mapping.check_head(head)
    assert found.value.error == error
