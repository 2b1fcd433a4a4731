"""The loader of the WS/T 364.8 table, when somebody has it."""

from datetime import date

import pytest

from accord.catalogue import technique_codes
from accord.catalogue.errors import BrokenCodeTable
from accord.catalogue.technique_codes import (
    is_well_formed,
    load_technique_codes,
    read_technique_codes,
)

HEAD = "code,name,parent,valid_from,valid_to,source\n"


def test_a_table_is_read():
    table = read_technique_codes(
        HEAD + "A00000001,甲,,2024-04-01,,print\nA00000002,乙,A00000001,,,p\n"
    )
    assert table.warnings == ()
    assert table.codes["A00000002"].parent == "A00000001"
    assert table.codes["A00000001"].valid_from == date(2024, 4, 1)


def test_a_period_is_half_open():
    table = read_technique_codes(HEAD + "A00000001,甲,,2024-04-01,2025-04-01,print\n")
    code = table.codes["A00000001"]
    assert [code.is_valid(date(2024, 3, 31)), code.is_valid(date(2024, 4, 1))] == [False, True]
    assert [code.is_valid(date(2025, 3, 31)), code.is_valid(date(2025, 4, 1))] == [True, False]


def test_a_code_without_days_is_always_valid():
    table = read_technique_codes(HEAD + "A00000001,甲,,,,print\n")
    assert table.codes["A00000001"].is_valid(date(1990, 1, 1))


def test_the_letter_o_is_a_warning():
    table = read_technique_codes(HEAD + "A0000000O,甲,,,,print\n")
    assert "letter O" in table.warnings[0]


def test_a_parent_outside_the_table_is_a_warning():
    table = read_technique_codes(HEAD + "A00000001,甲,B00000009,,,print\n")
    assert "B00000009" in table.warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,code\n", "first line"),
        ("", "first line"),
        (HEAD, "no row"),
        (HEAD + "a00000001,甲,,,,print\n", "line 2.*capital"),
        (HEAD + "A0000001,甲,,,,print\n", "nine digits"),
        (HEAD + "A00000001,甲,,,,p\nA00000001,乙,,,,p\n", "line 3.*twice"),
        (HEAD + "A00000001,,,,,p\n", "no name"),
        (HEAD + "A00000001,甲,,2024-13-01,,p\n", "valid_from"),
        (HEAD + "A00000001,甲,,2024-04-01,2024-04-01,p\n", "ends before"),
        (HEAD + "A00000001,甲,,\n", "6 columns"),
        (HEAD + "A00000001,甲,,,,p,more\n", "6 columns"),
        (HEAD + 'A00000001,"甲,,,,p\n', "Line"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(text, words):
    with pytest.raises(BrokenCodeTable, match=words):
        read_technique_codes(text)


def test_every_fault_is_named():
    with pytest.raises(BrokenCodeTable, match=r"line 2.*line 3") as error:
        read_technique_codes(HEAD + "x,甲,,,,p\ny,乙,,,,p\n")
    assert error.value.facts == {"faults": 2}


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + "A00000001,甲,,,,print\n").encode())
    assert set(load_technique_codes(path).codes) == {"A00000001"}


def test_a_file_of_another_character_set_is_refused(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_bytes((HEAD + "A00000001,甲,,,,print\n").encode("gb18030"))
    with pytest.raises(BrokenCodeTable, match="not UTF-8"):
        load_technique_codes(path)


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(technique_codes, "MOST_BYTES", 10)
    path = tmp_path / "codes.csv"
    path.write_text(HEAD + "A00000001,甲,,,,print\n", encoding="utf-8")
    with pytest.raises(BrokenCodeTable, match="larger"):
        load_technique_codes(path)


@pytest.mark.parametrize(
    ("code", "fits"), [("0" * 9, True), ("A1B2C3D4E", True), ("A1", False), ("a" * 9, False)]
)
def test_the_format_is_nine_digits_and_capital_letters(code, fits):
    assert is_well_formed(code) is fits
