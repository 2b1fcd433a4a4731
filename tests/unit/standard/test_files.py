from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from accord.standard import elements, published
from accord.standard.errors import BrokenFile, UnknownName
from accord.standard.fields import read
from accord.standard.files import Package, Source, assemble
from accord.standard.model import Jurisdiction, RuleSet

VERSIONS = """
rule_sets:
  2025-draft: {title: 稿, status: draft, jurisdiction: 川渝, in_force: {重庆: null, 四川: null}}
  2027: {title: 正式, status: in_force, jurisdiction: 川渝, in_force: {重庆: 2027-01-01}}
"""
REGISTER = """
readings:
  RD-6.5-MONTH: {title: 月, text: words, owner: both, date: 2026-11-24}
  RD-6.1-CR:
    title: 读取
    text: words
    owner: both
    date: 2026-11-24
    switch: {name: accept_cr_reader, values: [false, true], default: false}
defects:
  D11: {where: "6.5", defect: 不一, answer: configured, reading: RD-6.5-MONTH}
"""
CLAUSE = """
clause: "6.5"
title: 互认时限
text: 近期（1个月）
numbers:
  window: {quote: 近期（1个月）, unit: months, operator: "<=", values: {2025-draft: 1, "2027": 3}}
rules:
  R6.5-1:
    title: 时限
    quote: 近期（1个月）
    summary: in time
    answered_by: rule
    modal: SHALL
    severity: BLOCK
    who: [platform]
    where: recognition
    readings: [RD-6.5-MONTH]
    numbers: [window]
    defects: [D11]
"""


def package(clause: str = CLAUSE, register: str = REGISTER, versions: str = VERSIONS) -> Package:
    return Package(
        Source("rule_sets.yaml", versions.replace("2027: {title", '"2027": {title')),
        Source("readings.yaml", register),
        (Source("clauses/6.5.yaml", clause),),
    )


def with_site(*texts: str, version: str = "2025-draft") -> RuleSet:
    own = [Source(f"site{place}.yaml", text) for place, text in enumerate(texts, start=1)]
    return assemble(version, package(), own)


class TestAssemble:
    def test_reads_rule_number_and_reading(self) -> None:
        found = assemble("2025-draft", package())
        assert found.months("6.5/window") == 1
        assert found.rule("R6.5-1").numbers == ("6.5/window",)
        assert found.reading("RD-6.5-MONTH").decided_on == date(2026, 11, 24)
        assert found.defects["D11"].reading == "RD-6.5-MONTH"

    def test_a_version_has_its_own_number_and_days(self) -> None:
        found = assemble("2027", package())
        assert found.months("6.5/window") == 3
        assert found.is_in_force(Jurisdiction.CHONGQING, date(2027, 1, 1)) is True

    def test_an_unknown_version_is_named(self) -> None:
        with pytest.raises(UnknownName, match="no rule set 1999"):
            assemble("1999", package())

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("title: 时限", "titel: 时限", r"clauses/6\.5\.yaml: rules\.R6\.5-1\.\w+: "),
            ("modal: SHALL", "modal: MUST", r"clauses/6\.5\.yaml: rules\.R6\.5-1\.modal: "),
            ("unit: months, ", "", r"clauses/6\.5\.yaml: numbers\.window\.unit: Field required"),
            ("unit: months", "unit: moons", r"clauses/6\.5\.yaml: numbers\.window\.unit: "),
            ('"<="', '"=<"', r"clauses/6\.5\.yaml: numbers\.window\.operator: "),
            ("{2025-draft: 1, ", "{", r"clauses/6\.5\.yaml: 6\.5/window has no value for 2025-d"),
            ("2025-draft: 1,", "2025-draft: 1.5,", r"6\.5/window: Decimal\('1.5'\) is not a numb"),
            ("2025-draft: 1,", "2025-draft: -1,", r"6\.5/window: -1 is not a number of months"),
            ("quote: 近期（1个月）, unit", "unit", r"numbers\.window: .* a number needs the quote"),
            ('clause: "6.5"', "clause: 6.5", r"clauses/6\.5\.yaml: clause: "),
            ('clause: "6.5"', 'clause: "6.6"', "clause 6.6 belongs in a file of its own name"),
            ("R6.5-1:", "6.5-1:", r"clauses/6\.5\.yaml: rules\.6\.5-1\.\[key\]: "),
            ("answered_by: rule", "answered_by: nothing", r"`because` stands exactly where"),
            ("title: 互认时限", "title: 互认时限\ntitle: 时限", "title is given twice"),
            ("title: 互认时限", "title: [", r"clauses/6\.5\.yaml: while parsing"),
            ("numbers: [window]", "numbers: [windows]", r"R6\.5-1: there is no number 6\.5/win"),
            ("[RD-6.5-MONTH]", "[RD-6.5-WEEK]", r"R6\.5-1: there is no reading RD-6\.5-WEEK"),
            ("[D11]", "[D99]", r"R6\.5-1: there is no defect D99"),
        ],
    )
    def test_a_broken_clause_file_is_refused_with_file_and_key(
        self, old: str, new: str, message: str
    ) -> None:
        assert old in CLAUSE
        with pytest.raises(BrokenFile, match=message):
            assemble("2025-draft", package(CLAUSE.replace(old, new, 1)))

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("owner: both", "author: both", r"readings\.yaml: readings\.RD-6\.5-MONTH\.\w+: "),
            ("default: false", "default: maybe", r"switch: .* default 'maybe' is none of"),
            ("reading: RD-6.5-MONTH", "reading: RD-NONE", r"D11: there is no reading RD-NONE"),
            ("D11:", "E11:", r"readings\.yaml: defects\.E11\.\[key\]: "),
        ],
    )
    def test_a_broken_register_is_refused_with_file_and_key(
        self, old: str, new: str, message: str
    ) -> None:
        assert old in REGISTER
        with pytest.raises(BrokenFile, match=message):
            assemble("2025-draft", package(register=REGISTER.replace(old, new, 1)))

    def test_an_empty_file_is_refused(self) -> None:
        with pytest.raises(BrokenFile, match=r"clauses/6\.5\.yaml: the whole file: "):
            assemble("2025-draft", package(""))

    def test_a_rule_in_two_clauses_is_refused(self) -> None:
        twice = replace(
            package(),
            clauses=(
                Source("clauses/6.5.yaml", CLAUSE),
                Source("clauses/6.6.yaml", CLAUSE.replace('"6.5"', '"6.6"')),
            ),
        )
        with pytest.raises(BrokenFile, match=r"R6\.5-1 is given twice"):
            assemble("2025-draft", twice)

    @pytest.mark.parametrize(
        ("unit", "written", "value"),
        [
            ("ratio", "95/100", Fraction(19, 20)),
            ("ratio", "0.95", Fraction(19, 20)),
            ("factor", "1.96", Decimal("1.96")),
            ("millimetres", "1", Decimal(1)),
            ("text", "川渝 HR", "川渝 HR"),
        ],
    )
    def test_a_value_is_read_exactly(self, unit: str, written: str, value: object) -> None:
        text = CLAUSE.replace("unit: months", f"unit: {unit}").replace("1, ", f"{written}, ", 1)
        assert assemble("2025-draft", package(text)).number("6.5/window").value == value

    @pytest.mark.parametrize(
        ("unit", "written"),
        [("ratio", "most"), ("ratio", "1/0"), ("factor", "much"), ("text", "1")],
    )
    def test_a_value_that_does_not_fit_its_unit_is_refused(self, unit: str, written: str) -> None:
        text = CLAUSE.replace("unit: months", f"unit: {unit}").replace("1, ", f"{written}, ", 1)
        with pytest.raises(BrokenFile, match=rf"6\.5/window: .* is not a number of {unit}"):
            assemble("2025-draft", package(text))

    @pytest.mark.parametrize("written", [".inf", ".nan", "1:30.5"])
    def test_a_number_that_is_no_plain_decimal_is_refused(self, written: str) -> None:
        text = CLAUSE.replace("2025-draft: 1", f"2025-draft: {written}")
        with pytest.raises(BrokenFile, match=r"6\.5"):
            assemble("2025-draft", package(text))

    def test_a_list_is_no_key(self) -> None:
        with pytest.raises(BrokenFile, match="not a key"):
            assemble("2025-draft", package("? [a]\n: 1\n"))


class TestTables:
    TABLE = CLAUSE.replace(
        "rules:",
        "tables:\n  words:\n    columns: [code, name]\n    rows:\n      - {code: A}\nrules:",
        1,
    )

    def test_a_row_may_leave_out_a_column(self) -> None:
        found = assemble("2025-draft", package(self.TABLE)).table("6.5/words")
        assert (found.columns, list(found.rows)) == (("code", "name"), [{"code": "A"}])

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("{code: A, title: B}", r"row 1 has unknown columns \['title'\]"),
            ("{name: B}", "row 1 lacks its first column code"),
            ("{code: null}", r"tables\.words\.rows\.0\.code"),
            ("{code: 2026-01-01}", r"tables\.words\.rows\.0\.code"),
        ],
    )
    def test_a_row_that_does_not_fit_is_refused(self, row: str, message: str) -> None:
        with pytest.raises(BrokenFile, match=message):
            assemble("2025-draft", package(self.TABLE.replace("{code: A}", row)))

    def test_the_reading_of_a_table_must_exist(self) -> None:
        text = self.TABLE.replace("    columns:", "    reading: RD-NONE\n    columns:")
        with pytest.raises(BrokenFile, match=r"6\.5/words: there is no reading RD-NONE"):
            assemble("2025-draft", package(text))

    def test_a_ground_without_words_to_pick_is_refused(self) -> None:
        text = (
            'clause: "6.7"\ntitle: 情形\ntext: 情形\ntables:\n  grounds:\n'
            "    columns: [code, clause, found, needs, national]\n    rows:\n"
            "      - {code: NR01, clause: 变化, found: [declared], needs: [pick], national: N1}\n"
        )
        parts = replace(package(), clauses=(Source("clauses/6.7.yaml", text),))
        with pytest.raises(BrokenFile, match=r"6\.7/grounds, row 1: .* needs words to choose from"):
            assemble("2025-draft", parts)


class TestSite:
    def test_changes_a_number_of_a_version(self) -> None:
        found = with_site("because: 渝卫办\nnumbers: {6.5/window: {2025-draft: 3}}")
        assert found.months("6.5/window") == 3
        assert found.number("6.5/window").source == "site1.yaml"
        assert found.overrides == ("6.5/window = 3 (site1.yaml)",)

    def test_leaves_other_versions_alone(self) -> None:
        own = "because: 渝卫办\nnumbers: {6.5/window: {2025-draft: 2}}"
        found = with_site(own, version="2027")
        assert found.months("6.5/window") == 3
        assert found.overrides == ()

    def test_switches_a_reading(self) -> None:
        found = with_site("because: 县域规则\nswitches: {accept_cr_reader: true}")
        assert found.is_on("accept_cr_reader") is True
        assert found.overrides == ("accept_cr_reader = True (site1.yaml)",)

    def test_names_the_day_in_force(self) -> None:
        found = with_site("because: 公告\nin_force: {2025-draft: {重庆: 2026-12-01}}")
        assert found.is_in_force(Jurisdiction.CHONGQING, date(2026, 12, 1)) is True
        assert found.is_in_force(Jurisdiction.SICHUAN, date(2026, 12, 1)) is None
        assert found.overrides == ("in force in 重庆 from 2026-12-01 (site1.yaml)",)

    def test_a_day_in_force_belongs_to_its_version(self) -> None:
        found = with_site(
            "because: 公告\nin_force: {2025-draft: {四川: 2026-12-01}}", version="2027"
        )
        assert found.is_in_force(Jurisdiction.SICHUAN, date(2026, 12, 1)) is None
        assert found.overrides == ()

    def test_every_change_changes_the_fingerprint(self) -> None:
        found = {
            assemble("2025-draft", package()).fingerprint,
            with_site("because: a\nnumbers: {6.5/window: {2025-draft: 3}}").fingerprint,
            with_site("because: a\nswitches: {accept_cr_reader: true}").fingerprint,
            with_site("because: a\nin_force: {2025-draft: {重庆: 2026-12-01}}").fingerprint,
        }
        assert len(found) == 4

    @pytest.mark.parametrize(
        ("own", "message"),
        [
            ("numbers: {}", r"site1\.yaml: because: Field required"),
            ("because: a\nnumber: {}", r"site1\.yaml: number: "),
            ("because: a\nnumbers: {6.5/windows: {2025-draft: 3}}", "no number 6.5/windows"),
            ("because: a\nnumbers: {6.5/window: {2026: 3}}", r"site1\.yaml: "),
            ("because: a\nnumbers: {6.5/window: {'2026': 3}}", r"site1\.yaml: there is no rule se"),
            ("because: a\nnumbers: {6.5/window: {2025-draft: soon}}", r"site1\.yaml: 6\.5/window"),
            ("because: a\nswitches: {accept_film: true}", "there is no switch accept_film"),
            ("because: a\nswitches: {accept_cr_reader: often}", r"site1\.yaml: switch accept_cr"),
            ("because: a\nin_force: {'2026': {重庆: 2026-12-01}}", "there is no rule set 2026"),
            ("because: a\nin_force: {2025-draft: {上海: 2026-12-01}}", r"site1\.yaml: in_force"),
        ],
    )
    def test_a_wrong_change_is_refused_with_file_and_key(self, own: str, message: str) -> None:
        with pytest.raises(BrokenFile, match=message):
            with_site(own)

    def test_two_files_may_not_set_the_same(self) -> None:
        own = "because: a\nswitches: {accept_cr_reader: true}"
        with pytest.raises(BrokenFile, match=r"site2\.yaml: accept_cr_reader is already set in s"):
            with_site(own, own)


class TestElementFile:
    TEXT = """
groups: {C1: 申请}
elements: {C1.1: {name: 单号}}
accuracy: {A1: {name: 申请, elements: [C1]}}
"""

    def test_reads_groups_and_elements(self) -> None:
        found = read(Source("elements.yaml", self.TEXT))
        assert found.accuracy["A1"].elements == ("C1.1",)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("C1.1:", "C2.1:", "C2.1 belongs to no group"),
            ("[C1]", "[C9]", "there is no element C9"),
            ("{name: 单号}", "{name: 单号, dicom: ['0008,005']}", r"elements\.C1\.1\.dicom\.0"),
            ("{name: 单号}", "{name: 单号, condition: [US]}", r"elements\.C1\.1\.condition"),
        ],
    )
    def test_a_broken_file_is_refused_with_the_key(self, old: str, new: str, message: str) -> None:
        with pytest.raises(BrokenFile, match=message):
            read(Source("elements.yaml", self.TEXT.replace(old, new, 1)))


def test_the_package_is_read_once() -> None:
    assert published() is published()
    assert elements() is elements()
