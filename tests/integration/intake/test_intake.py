"""Messages over a real socket: what is answered, what is kept, what the record then says."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from accord.identity import service as identity
from accord.intake import service
from accord.intake.model import State
from accord.kit.access import Actor, ActorKind
from accord.record import service as record
from accord.record.model import OrderStatus, ReportStatus, Urgency
from support.hl7 import (
    END,
    FINDINGS,
    IMPRESSION,
    OBR,
    ORC,
    PID,
    PV1,
    START,
    adt,
    connected,
    fields_of,
    message,
    msh,
    omg,
    oru,
    pid,
    result,
)
from support.listening import serving

HIS = Actor(ActorKind.SYSTEM, "his", "HIS", "CQ-A")


def sent(site, *messages: bytes) -> list[tuple[str, str]]:
    """Send messages on one connection; return verdict and error code of each answer."""
    found = []
    with connected(site.port) as line:
        for raw in messages:
            fields = fields_of(line.send(raw))
            error = fields["ERR"][3].split("^")[0] if "ERR" in fields else ""
            found.append((fields["MSA"][1], error))
    return found


def test_registration_order_and_report_are_one_examination(listening):
    assert sent(listening, adt("1"), omg("2"), oru("3")) == [("AA", "")] * 3
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        visit = record.find_visit(conn, "CQ-A", "V-1")
        order = record.find_order(conn, "CQ-A", "R-1")
        report = record.find_report(conn, "CQ-A", "A-1")
        (examination,) = record.examinations_at(conn, "CQ-A", limit=9)
        patient = identity.find_patient(conn, "CQ-A", "P-1")
    assert visit is not None
    assert visit.content.patient_id == "P-1"
    assert order.content.urgency is Urgency.STAT
    assert report.content.status is ReportStatus.FINAL
    assert examination.accession == "A-1"
    assert examination.order == order
    assert examination.report == report
    assert examination.items == (94,)
    assert patient is not None
    assert (patient.name, patient.id_state) == ("林测安", "verified")


def test_report_before_its_order_joins_when_the_order_comes(listening):
    sent(listening, adt("1"), oru("2"))
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        (before,) = record.examinations_at(conn, "CQ-A", limit=9)
    assert before.order is None
    sent(listening, omg("3"))
    listening.work()
    with listening.database.begin() as conn:
        (after,) = record.examinations_at(conn, "CQ-A", limit=9)
    assert after.order is not None
    assert (after.id, after.order.content.number) == (before.id, "R-1")


def test_report_for_another_patients_accession_waits(listening):
    other = oru("3", pid=pid(_3="P-2", _5="王^另"))
    assert sent(listening, adt("1"), omg("2"), other)[-1] == ("AA", "")
    assert listening.reasons() == ["other_patient"]
    with listening.database.begin() as conn:
        assert record.examinations_at(conn, "CQ-A", limit=9) == ()


def test_report_of_a_merged_patient_is_the_same_patients(listening):
    merge = message(msh("ADT^A40^ADT_A39", "4"), PID, "MRG|P-0")
    earlier = adt("1").replace(b"P-1^^^HIS", b"P-0^^^HIS").replace(b"V-1", b"V-0")
    late = oru("5", pid=pid(_3="P-0"))
    sent(listening, earlier, adt("2"), omg("3"), merge, late)
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        persons = {identity.person_of(conn, "CQ-A", each) for each in ("P-0", "P-1")}
        assert record.find_report(conn, "CQ-A", "A-1").content.patient_id == "P-0"
    assert len(persons) == 1


def test_merge_of_an_unknown_patient_waits_until_it_is_known(listening):
    merge = message(msh("ADT^A40^ADT_A39", "1"), PID, "MRG|P-0")
    sent(listening, merge)
    assert listening.reasons() == ["unknown_patient"]
    sent(listening, adt("2").replace(b"P-1^^^HIS", b"P-0^^^HIS").replace(b"V-1", b"V-0"), adt("3"))
    assert listening.reasons() == []


def test_order_waits_for_its_visit_and_is_then_taken_by_itself(listening):
    silent = PV1.replace("20261121133000", "")
    order = message(msh("OMG^O19^OMG_O19", "1"), PID, silent, ORC, OBR)
    assert sent(listening, order) == [("AA", "")]
    assert listening.reasons() == ["unknown_visit"]
    sent(listening, adt("2"))
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        assert record.find_order(conn, "CQ-A", "R-1").content.visit == "V-1"


def test_later_messages_change_what_they_tell_and_leave_the_rest(listening):
    later = message(msh("OMG^O19^OMG_O19", "3"), PID, "ORC|SC|R-1", "OBR|1|R-1|A-2")
    cancelled = message(msh("OMG^O19^OMG_O19", "4"), PID, "ORC|CA|R-1", "OBR|1|R-1")
    sent(listening, adt("1"), omg("2"), later, cancelled)
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        versions = [kept.content for kept in record.versions_of_order(conn, "CQ-A", "R-1")]
    registration = versions[0].registration
    assert registration is not None
    assert versions[1] == replace(versions[0], registration=replace(registration, accession="A-2"))
    assert versions[2] == replace(versions[1], status=OrderStatus.WITHDRAWN)


def test_corrected_and_withdrawn_reports_are_versions(listening):
    corrected = message(
        msh("ORU^R01", "2"), PID, result(_25="C"), IMPRESSION.replace("未见异常", "见结节")
    )
    withdrawn = message(msh("ORU^R01", "3"), PID, result(_25="X"))
    again = oru("4")
    sent(listening, oru("1"), corrected, withdrawn, again)
    assert listening.reasons() == ["illegal_status"]
    with listening.database.begin() as conn:
        versions = record.versions_of_report(conn, "CQ-A", "A-1")
    assert [kept.content.status.value for kept in versions] == ["FINAL", "AMENDED", "WITHDRAWN"]
    assert versions[1].content.findings == versions[0].content.findings
    assert versions[1].content.impression == "胸部CT平扫见结节。"


def test_urgency_cannot_be_changed_later(listening):
    changed = message(msh("OMG^O19", "3"), PID, PV1, ORC.replace("NW", "XO"), "TQ1|1||||||||R", OBR)
    sent(listening, adt("1"), omg("2"), changed)
    assert listening.reasons() == ["urgency_is_fixed"]


def test_order_poorer_than_the_registration_does_not_impoverish_the_patient(listening):
    poor = message(msh("OMG^O19", "2"), pid(_3="P-1", _7="", _13=""), PV1, ORC, OBR)
    sent(listening, adt("1"), poor)
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        patient = identity.find_patient(conn, "CQ-A", "P-1")
    assert patient is not None
    assert (patient.version, patient.id_state) == (1, "verified")


def test_visit_number_of_another_patient_waits(listening):
    other = (
        adt("2").replace(b"P-1^^^HIS", b"P-2^^^HIS").replace("林^测安".encode(), "王^另".encode())
    )
    sent(listening, adt("1"), other)
    assert listening.reasons() == ["other_patient"]
    with listening.database.begin() as conn:
        assert identity.find_patient(conn, "CQ-A", "P-2") is None  # nothing half


BAD = {
    "a carriage return inside a field": (
        message(msh("ORU^R01", "9"), PID, result(), "OBX|1|FT|IMP||一\r二"), ("AE", "100"),
    ),
    "a broken segment": (message(msh("ADT^A04", "9"), "PID", "pv1|1"), ("AE", "100")),
    "GBK declared as UTF-8": (
        message(msh("ADT^A04", "9"), PID, PV1, encoding="gbk"), ("AE", "102"),
    ),
    "the day 20261332": (message(msh("ADT^A04", "9"), pid(_7="20261332"), PV1), ("AE", "102")),
    "no patient id": (message(msh("ADT^A04", "9"), pid(_3=""), PV1), ("AE", "101")),
    "one delimiter twice": (
        adt("9").replace(b"^~\\&", b"^^\\&", 1), ("AE", "102"),
    ),
    "an unknown type": (message(msh("QBP^Q23", "9"), PID), ("AR", "200")),
    "an unknown event": (message(msh("ADT^A99", "9"), PID), ("AR", "201")),
    "a training message": (message(msh("ADT^A04", "9", processing="T"), PID), ("AR", "202")),
    "an unknown version": (message(msh("ADT^A04", "9", version="9.9"), PID), ("AR", "203")),
    "no control id": (message(msh("ADT^A04", ""), PID, PV1), ("AR", "101")),
    "an unknown sender": (adt("9", sender="HIS|OTHER"), ("AR", "204")),
    "a sender from another address": (adt("9", sender="FAR|CQA"), ("AR", "204")),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_its_answer_and_is_kept_where_the_answer_is_ae(listening, name):
    raw, (verdict, error) = BAD[name]
    # After it the same connection goes on.
    assert sent(listening, raw, adt("10")) == [(verdict, error), ("AA", "")]
    kept = [each for each in listening.messages() if each.control_id == "9"]
    assert len(kept) == (verdict == "AE")
    for each in kept:
        assert each.state is State.WAITING
        assert each.reason
        with listening.database.begin() as conn:
            assert service.show(conn, HIS, each.id)[1] == raw


def test_redefined_delimiters_are_used(listening):
    swapped = adt("1").translate(bytes.maketrans(b"|^~", b"#*!"))
    assert sent(listening, swapped) == [("AA", "")]
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        assert record.find_visit(conn, "CQ-A", "V-1") is not None


def test_gb18030_is_read_and_answered_in_gb18030(listening):
    raw = message(
        msh("ADT^A04", "1", charset="GB 18030-2000", sender="系统|医院"), PID, PV1,
        encoding="gb18030",
    )  # fmt: skip
    with connected(listening.port) as line:
        fields = fields_of(line.send(raw), "gb18030")
    assert fields["MSA"][1] == "AA"
    assert fields["MSH"][4] == "系统"
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        patient = identity.find_patient(conn, "CQ-A", "P-1")
    assert patient is not None
    assert patient.name == "林测安"


def test_oversize_message_is_refused_and_ends_the_connection(listening):
    large = oru("1").replace("双肺".encode(), b"x" * 30_000)
    with connected(listening.port) as line:
        line.socket.sendall(START + large + END)
        fields = fields_of(line.receive())
        assert fields["MSA"][1:] == ["AR", "1"]
        assert fields["ERR"][3].startswith("104")
        assert line.is_ended()
    assert listening.messages() == []


@pytest.mark.parametrize("raw", [b"MSH|^~\\&|", START + b"GET / HTTP/1.1" + END, START + END])
def test_what_is_no_frame_or_no_message_ends_the_connection(listening, raw):
    with connected(listening.port) as line:
        line.socket.sendall(raw)
        assert line.is_ended()
    assert sent(listening, adt("1")) == [("AA", "")]


@pytest.mark.parametrize("begun", [b"", START + b"MSH|^~"])
def test_silent_connection_ends(site, monkeypatch, begun):
    monkeypatch.setattr("accord.intake.listener.MESSAGE_PATIENCE", 0.3)
    impatient = site.settings.model_copy(update={"mllp_idle_timeout": timedelta(seconds=0.3)})
    with serving(impatient, site.database) as port, connected(port) as line:
        line.socket.sendall(begun)
        assert line.is_ended()


def test_the_same_message_a_thousand_times_is_one(listening):
    answers: set[bytes] = set()

    def send() -> None:
        with connected(listening.port) as line:
            answers.update(line.send(adt("1")) for _ in range(500))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 1
    assert fields_of(answers.pop())["MSA"] == ["MSA", "AA", "1"]
    assert len(listening.messages()) == 1
    assert listening.reasons() == []


def test_two_connections_at_once_lose_nothing(listening):
    def send(name: str) -> None:
        with connected(listening.port) as line:
            for number in range(40):
                raw = adt(f"{name}{number}").replace(b"V-1", f"V-{name}{number}".encode())
                assert fields_of(line.send(raw))["MSA"][1] == "AA"

    threads = [threading.Thread(target=send, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert listening.reasons() == []
    with listening.database.begin() as conn:
        count = conn.execute(text("SELECT count(*) FROM visit")).scalar_one()
    assert count == 80


def test_other_content_under_a_used_control_id_is_refused(listening):
    assert sent(listening, adt("1"), omg("1")) == [("AA", ""), ("AR", "205")]
    assert [each.kind for each in listening.messages()] == ["ADT^A04"]


def test_messages_sent_without_waiting_are_answered_in_order(listening):
    with connected(listening.port) as line:
        line.socket.sendall(START + adt("1") + END + START + omg("2") + END)
        received = line.receive()
        while received.count(b"MSA|") < 2:
            received += line.receive()
    assert received.index(b"MSA|AA|1") < received.index(b"MSA|AA|2")


def test_what_is_kept_shows_no_number_of_a_person(listening):
    sent(listening, adt("1"))
    with listening.database.begin() as conn:
        row = conn.execute(text("SELECT * FROM intake_message")).one()
        audit = conn.execute(text("SELECT * FROM audit_entry")).all()
    assert "509901198503070026" not in str(row) + str(audit)


def test_replay_takes_what_can_be_taken_now(listening):
    early = message(msh("OMG^O19", "1"), PID, "ORC|SC|R-1", "OBR|1|R-1|A-1")
    sent(listening, early)
    assert listening.reasons() == ["incomplete"]
    sent(listening, adt("2"))
    (waiting,) = listening.messages(whole=False)
    with listening.database.begin() as conn:
        assert service.replay(conn, HIS, waiting.id).code == "incomplete"
    sent(listening, omg("3"))
    listening.work()
    with listening.database.begin() as conn:
        assert service.replay(conn, HIS, waiting.id).state is State.DONE
        noted = conn.execute(
            text("SELECT detail->>'state' FROM audit_entry WHERE action = :a ORDER BY id"),
            {"a": "intake.message.replayed"},
        )
        assert list(noted.scalars()) == ["WAITING", "DONE"]
    assert listening.reasons() == []


def test_removed_sender_is_refused(listening):
    with listening.database.begin() as conn:
        service.remove_peer(conn, HIS, "HIS", "CQA")
    assert sent(listening, adt("1")) == [("AR", "204")]


def test_findings_alone_are_a_report(listening):
    sent(listening, message(msh("ORU^R01", "1"), PID, result(_25="P"), FINDINGS))
    assert listening.reasons() == []
