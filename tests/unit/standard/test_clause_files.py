"""The package's own clause files and register: complete, cited, exact."""

import re
from collections import Counter
from fractions import Fraction
from importlib.resources import files

import pytest

from accord.standard import published
from accord.standard.model import AnsweredBy, Found, Modal, Need, Outcome, Severity, SyntaxKind

STANDARD = published()

# Packages of the design, from the bottom up; `app` holds what only the assembly can answer.
PACKAGES = {
    *("kit", "standard", "catalogue", "registry", "identity", "archive", "record"),
    *("dataquality", "imagequality", "review", "mark", "recognition", "rectification"),
    *("reminder", "disclosure", "app"),
}


def cited_readings() -> set[str]:
    named = [
        *(name for rule in STANDARD.rules.values() for name in rule.readings),
        *(number.reading for number in STANDARD.numbers.values()),
        *(table.reading for table in STANDARD.tables.values()),
        *(defect.reading for defect in STANDARD.defects.values()),
    ]
    return {name for name in named if name is not None}


def test_holds_the_whole_text() -> None:
    assert len(STANDARD.rules) == 71
    assert len(STANDARD.readings) == 103
    assert list(STANDARD.defects) == [f"D{number}" for number in range(1, 23)]
    assert list(STANDARD.clauses) == [
        *("conv", "3.2", "3.3", "5", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7"),
        *("7.1", "7.1.1", "7.1.2", "7.1.3", "7.1.4", "7.1.5", "7.2", "7.3", "8"),
        *("9.1", "9.2", "9.3", "9.4", "10.1", "10.2", "10.3"),
    ]


def test_every_reading_is_cited_or_says_why_not() -> None:
    cited = cited_readings()
    unexplained = {
        reading.id
        for reading in STANDARD.readings.values()
        if (reading.id in cited) == (reading.unused_because is not None)
    }
    assert unexplained == set()


def test_every_number_is_compared_by_a_rule() -> None:
    used = {key for rule in STANDARD.rules.values() for key in rule.numbers}
    assert set(STANDARD.numbers) - used == set()


@pytest.mark.parametrize("number", STANDARD.numbers.values(), ids=lambda number: number.key)
def test_a_number_is_named_by_the_text_or_by_a_reading(number) -> None:
    assert number.source == "2025-draft"
    if number.quote is None:
        assert number.reading in STANDARD.readings
        return
    spoken = re.sub(r"\s", "", number.quote)
    clause = re.sub(r"\s|…", "", STANDARD.clause(number.clause).text)
    assert spoken.replace("…", "") in clause


@pytest.mark.parametrize("rule", STANDARD.rules.values(), ids=lambda rule: rule.id)
def test_a_rule_says_who_answers_where(rule) -> None:
    assert rule.where in PACKAGES
    assert re.search(r"[\u4e00-\u9fff]", rule.title)
    assert re.fullmatch(r"[\x20-\x7e一二三急诊报告未定级]+", rule.summary)


def test_nothing_is_left_without_an_answer() -> None:
    kinds = Counter(rule.answered_by for rule in STANDARD.rules.values())
    assert set(kinds) == {AnsweredBy.RULE, AnsweredBy.PERSON, AnsweredBy.WORKFLOW}


def test_where_the_text_names_no_strength_it_is_shall_and_major() -> None:
    not_shall = {r.id: r.modal for r in STANDARD.rules.values() if r.modal is not Modal.SHALL}
    assert not_shall == {
        "R6.2-4": Modal.MAY,
        "R6.7-1": Modal.MAY,
        "R7.1.1-f": Modal.SHOULD,
        "R9.2-1": Modal.SHOULD,
        "R9.3-1": Modal.MAY,
    }
    not_major = {
        r.id: r.severity for r in STANDARD.rules.values() if r.severity is not Severity.MAJOR
    }
    refused = ("3.3-1", "5-1", "5-2", "6.2-3", "6.4-3", "6.5-1", "6.6-6", "7.1-0", "7.1.2")
    assert not_major == {
        **dict.fromkeys((f"R{name}" for name in refused), Severity.BLOCK),
        **dict.fromkeys(["R5-3", "R7.1.1-f", "R7.1.1-g", "R7.1.1-h"], Severity.INFO),
        "R7.2-2": Severity.MINOR,
    }


def test_the_numbers_of_the_text() -> None:
    assert STANDARD.months("6.5/window") == 1
    assert STANDARD.text("6.4/mark") == "\u5ddd\u6e1d HR"
    assert [STANDARD.count(f"6.3/items{kind}") for kind in ("", "_dr", "_ct", "_mr")] == [
        141,
        66,
        49,
        26,
    ]
    limits = ("emergency_dr", "emergency_ct_mr", "routine_ct_mr", "special", "upload")
    assert [STANDARD.seconds(f"7.1.1/{name}") for name in limits] == [
        1800,
        7200,
        86_400,
        172_800,
        3600,
    ]
    assert {STANDARD.number(f"7.1.1/{name}").operator for name in limits} == {"<"}
    assert STANDARD.ratio("7.1.2/consistency") == 1
    assert STANDARD.ratio("7.1.3/completeness") == Fraction(95, 100)
    assert STANDARD.ratio("7.1.4/accuracy") == Fraction(90, 100)
    assert (STANDARD.seconds("7.1.5/gap"), STANDARD.number("7.1.5/gap").operator) == (86_400, "<=")


def test_the_numbers_of_the_readings() -> None:
    assert STANDARD.count("conv/least_n") == 30
    assert str(STANDARD.factor("conv/wilson_z")) == "1.96"
    assert STANDARD.hours("6.2/list_fresh") == 24
    assert STANDARD.days("6.2/list_usable") == 7
    assert STANDARD.years("6.3/infant_age") == 3
    assert STANDARD.minutes("6.5/future_tolerance") == 5
    assert STANDARD.milliseconds("5/accept_key_quiet") == 600
    assert STANDARD.months("6.6/quiet_list") == 12
    assert STANDARD.days("6.7/major_measure_within") == 7


def test_every_switch_is_off_unless_a_site_turns_it_on() -> None:
    assert {name: switch.value for name, switch in STANDARD.switches.items()} == {
        "accept_cr_reader": False,
        "whole_abdomen_contains_pelvis": False,
        "gate_study_completeness": False,
        "accept_proven_reversible": False,
        "final_only": False,
        "patient_request_signature": False,
    }


def test_a_draft_has_no_invented_day() -> None:
    assert STANDARD.is_provisional
    assert set(STANDARD.in_force.values()) == {None}


class TestGrounds:
    def test_are_the_eleven_of_the_clause_in_its_words(self) -> None:
        assert list(STANDARD.grounds) == [f"NR{number:02}" for number in range(1, 12)]
        text = STANDARD.clause("6.7").text
        assert [g.code for g in STANDARD.grounds.values() if g.clause not in text] == []

    def test_machine_finds_only_those_that_need_no_judgement(self) -> None:
        by_machine = {g.code for g in STANDARD.grounds.values() if Found.MACHINE in g.found}
        assert by_machine == {"NR02", "NR03", "NR07", "NR09", "NR10"}

    def test_the_emergency_asks_for_nothing(self) -> None:
        assert STANDARD.grounds["NR07"].needs == ()
        assert STANDARD.grounds["NR11"].needs == (Need.TEXT,)
        assert STANDARD.grounds["NR08"].needs == (Need.TICK, Need.RELATION)

    def test_doubts_are_opened_by_nr05_and_nr06_alone(self) -> None:
        doubts = {g.code for g in STANDARD.grounds.values() if g.opens_doubt}
        assert doubts == {"NR05", "NR06"}

    def test_map_onto_the_national_situations(self) -> None:
        known = {row["code"] for row in STANDARD.table("6.7/national").rows}
        given = [ground.national for ground in STANDARD.grounds.values()]
        assert given == ["N1", "N2", "N3", "N1", "N6", "N6", "N4", "N6", "N5", "N6", "N6"]
        assert set(given) == known


class TestTransferSyntaxes:
    @pytest.mark.parametrize(
        ("suffix", "kind", "outcome", "noted"),
        [
            ("", SyntaxKind.UNCOMPRESSED, Outcome.PASS, True),
            (".1", SyntaxKind.UNCOMPRESSED, Outcome.PASS, True),
            (".2", SyntaxKind.UNCOMPRESSED, Outcome.PASS, True),
            (".1.99", SyntaxKind.DEFLATED, Outcome.PASS, True),
            (".4.57", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".4.70", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".4.80", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".4.90", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".4.201", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".4.202", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".5", SyntaxKind.LOSSLESS, Outcome.PASS, False),
            (".4.81", SyntaxKind.MAYBE_LOSSY, Outcome.FAIL, False),
            (".4.91", SyntaxKind.MAYBE_LOSSY, Outcome.FAIL, False),
            (".4.203", SyntaxKind.MAYBE_LOSSY, Outcome.FAIL, False),
            (".4.50", SyntaxKind.LOSSY, Outcome.FAIL, False),
            (".4.51", SyntaxKind.LOSSY, Outcome.FAIL, False),
            (".4.102", SyntaxKind.LOSSY, Outcome.FAIL, False),
            (".4.107", SyntaxKind.LOSSY, Outcome.FAIL, False),
        ],
    )
    def test_verdict(self, suffix: str, kind: SyntaxKind, outcome: Outcome, noted: bool) -> None:
        syntax = STANDARD.transfer_syntaxes[f"1.2.840.10008.1.2{suffix}"]
        assert (syntax.kind, syntax.outcome, syntax.note is not None) == (kind, outcome, noted)

    def test_outcome_follows_from_the_kind(self) -> None:
        lossy = {SyntaxKind.MAYBE_LOSSY, SyntaxKind.LOSSY}
        wrong = [
            syntax.uid
            for syntax in STANDARD.transfer_syntaxes.values()
            if (syntax.outcome is Outcome.FAIL) != (syntax.kind in lossy)
        ]
        assert wrong == []


def test_the_families_share_out_every_item_once() -> None:
    shared = Counter(item for family in STANDARD.families.values() for item in family.items)
    assert shared == Counter(range(1, 142))
    sizes = Counter[str]()
    for family in STANDARD.families.values():
        sizes[family.category] += len(family.items)
    assert sizes == {"DR": 66, "CT": 49, "MR": 26}


def test_a_placeholder_is_words_and_a_negative_belongs_to_an_element() -> None:
    placeholders = [row["value"] for row in STANDARD.table("7.1.3/placeholders").rows]
    assert {"未知", "N/A", "0000", "19000101", "测试", "无"} <= set(placeholders)
    negatives = [row["element"] for row in STANDARD.table("7.1.3/negatives").rows]
    assert negatives == ["C4.2", "C4.3", "C4.7", "C9.1", "C9.2"]


def test_clause_files_are_named_after_their_clause() -> None:
    names = {item.name for item in (files("accord.standard") / "clauses").iterdir()}
    assert names == {f"{clause}.yaml" for clause in STANDARD.clauses}
