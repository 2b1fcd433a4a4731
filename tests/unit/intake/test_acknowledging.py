"""Acknowledgements, and what a strict reader of HL7 v2 says of them."""

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from accord.intake.acknowledging import acknowledge
from accord.intake.errors import Fault, Place
from accord.intake.message import read_head
from accord.intake.model import Verdict
from support.hl7 import fields_of, msh

FAULT = Fault(102, Place("PID", 1, 7), "出生日期不是真实的日期|^~\\&\r")


def answer(verdict=Verdict.ACCEPT, fault=None, kind="ADT^A04", **options: str) -> bytes:
    head = read_head(msh(kind, "M-1", **options).encode())
    assert head is not None
    return acknowledge(head, verdict, fault)


def test_acceptance_names_sender_and_control_id():
    fields = fields_of(answer())
    assert fields["MSH"][4:6] == ["HIS", "CQA"]
    assert fields["MSH"][8] == "ACK^A04^ACK"
    assert fields["MSH"][17] == "UNICODE UTF-8"
    assert fields["MSA"] == ["MSA", "AA", "M-1"]
    assert "ERR" not in fields


def test_error_says_where_and_what():
    fields = fields_of(answer(Verdict.ERROR, FAULT))
    assert fields["MSA"][1] == "AE"
    assert fields["ERR"][2:5] == ["PID^1^7", "102^Data type error^HL70357", "E"]
    assert "\\F\\\\S\\\\R\\\\E\\\\T\\" in fields["ERR"][8]


def test_error_of_an_old_version_has_its_old_form():
    fields = fields_of(answer(Verdict.ERROR, FAULT, version="2.3.1"))
    assert fields["MSH"][11] == "2.3.1"
    assert fields["MSA"][3].startswith("PID[1]-7")
    assert fields["ERR"] == ["ERR", "PID^1^7^102&Data type error&HL70357"]


def test_answer_is_in_the_character_set_of_the_message():
    raw = answer(Verdict.ERROR, FAULT, charset="GB 18030-2000")
    assert fields_of(raw, "gb18030")["MSH"][17] == "GB 18030-2000"
    assert "出生日期" in raw.decode("gb18030")


def test_control_id_cannot_break_the_answer():
    head = read_head(b"MSH#^~\\&#HIS#CQA##########\r".replace(b"####\r", b"\r"))
    assert head is not None
    assert acknowledge(head, Verdict.REJECT, FAULT).count(b"\r") == 3


@pytest.mark.parametrize("version", ["2.3.1", "2.5.1"])
@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("charset", ["UNICODE UTF-8", "GB 18030-2000", "ASCII"])
@pytest.mark.parametrize("kind", ["ADT^A40", "ORM^O01", "ORU^R01", "MDM^T02"])
def test_strict_reader_accepts_every_answer(version, verdict, charset, kind):
    fault = None if verdict is Verdict.ACCEPT else FAULT
    raw = answer(verdict, fault, kind, version=version, charset=charset)
    text = raw.decode("gb18030" if charset.startswith("GB") else "utf-8")
    parsed = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert parsed.validate()
