from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from accord.standard.errors import UnknownName, WrongUnit
from accord.standard.model import (
    AnsweredBy,
    Clause,
    Defect,
    Effect,
    Finding,
    Jurisdiction,
    Modal,
    Number,
    Outcome,
    Reading,
    Rule,
    RuleSet,
    Severity,
    Status,
    Switch,
    Table,
    Unit,
    as_json,
    by_id,
)


def rule_set(*numbers: Number, status: Status = Status.DRAFT, **parts: object) -> RuleSet:
    given: dict[str, object] = {
        "version": "v",
        "title": "t",
        "status": status,
        "jurisdiction": Jurisdiction.BOTH,
        "in_force": {Jurisdiction.CHONGQING: None, Jurisdiction.SICHUAN: None},
        "clauses": {"1": Clause("1", "t", "t", numbers=numbers)},
        "readings": {},
        "defects": {},
        "fingerprint": "f",
    }
    return RuleSet(**(given | parts))


def number(unit: Unit, value: object, operator: str | None = None) -> Number:
    return Number("1/n", unit, value, operator=operator)


class TestFinding:
    def test_says_rule_outcome_and_reasons(self) -> None:
        finding = Finding("R6.5-1", Outcome.PASS, {"examined": date(2026, 1, 31)})
        assert finding.as_dict() == {
            "rule": "R6.5-1",
            "outcome": "pass",
            "because": {"examined": "2026-01-31"},
        }

    def test_writes_every_part_that_is_given(self) -> None:
        finding = Finding(
            "R6.2-3",
            Outcome.FAIL,
            {},
            Effect.GATE,
            Severity.BLOCK,
            "SOURCE_NOT_LISTED",
            {"6.2/list_usable": 7},
            ("RD-6.2-STALE",),
            "名单过期",
        )
        assert finding.as_dict() == {
            "rule": "R6.2-3",
            "outcome": "fail",
            "effect": "gate",
            "severity": "BLOCK",
            "code": "SOURCE_NOT_LISTED",
            "because": {},
            "numbers": {"6.2/list_usable": 7},
            "readings": ["RD-6.2-STALE"],
            "note": "名单过期",
        }

    def test_keeps_its_reasons_when_the_rule_goes_on_filling_its_dict(self) -> None:
        because = {"level": 2}
        finding = Finding("R6.2-5", Outcome.PASS, because)
        because["level"] = 3
        assert finding.because == {"level": 2}

    def test_cannot_be_changed(self) -> None:
        finding = Finding("R6.2-5", Outcome.PASS, {})
        with pytest.raises(AttributeError):
            finding.outcome = Outcome.FAIL


class TestAsJson:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (None, None),
            (True, True),
            (3, 3),
            (1.5, 1.5),
            ("川渝 HR", "川渝 HR"),
            (Outcome.DATA_ERROR, "data_error"),
            (date(2026, 2, 28), "2026-02-28"),
            (datetime(2026, 2, 28, 8, tzinfo=UTC), "2026-02-28T08:00:00+00:00"),
            (time(8, 30), "08:30:00"),
            (timedelta(minutes=30), 1800),
            (timedelta(milliseconds=1500), 1.5),
            (Fraction(95, 100), "19/20"),
            (Decimal("1.96"), "1.96"),
            ((1, [date(2026, 1, 1)]), [1, ["2026-01-01"]]),
            (frozenset({"b", "a"}), ["a", "b"]),
            ({"day": {1: date(2026, 1, 1)}}, {"day": {"1": "2026-01-01"}}),
        ],
    )
    def test_writes_plain_json(self, value: object, written: object) -> None:
        assert as_json(value) == written

    def test_refuses_what_would_lose_its_meaning(self) -> None:
        with pytest.raises(TypeError, match="object cannot stand in a finding"):
            as_json({"study": object()})


class TestGetters:
    @pytest.mark.parametrize(
        ("getter", "unit", "value"),
        [
            ("years", Unit.YEARS, 3),
            ("months", Unit.MONTHS, 1),
            ("days", Unit.DAYS, 7),
            ("hours", Unit.HOURS, 24),
            ("minutes", Unit.MINUTES, 5),
            ("seconds", Unit.SECONDS, 1800),
            ("milliseconds", Unit.MILLISECONDS, 600),
            ("count", Unit.COUNT, 30),
            ("ratio", Unit.RATIO, Fraction(95, 100)),
            ("factor", Unit.FACTOR, Decimal("1.96")),
            ("millimetres", Unit.MILLIMETRES, Decimal(1)),
            ("kilograms", Unit.KILOGRAMS, Decimal("0.3")),
            ("text", Unit.TEXT, "川渝 HR"),
        ],
    )
    def test_each_returns_only_its_own_unit(self, getter: str, unit: Unit, value: object) -> None:
        assert getattr(rule_set(number(unit, value)), getter)("1/n") == value
        other = Unit.DAYS if unit is not Unit.DAYS else Unit.HOURS
        with pytest.raises(WrongUnit, match=f"1/n is in {other}, not in {unit}"):
            getattr(rule_set(number(other, 1)), getter)("1/n")

    @pytest.mark.parametrize(
        ("getter", "unit", "value"),
        [
            ("months", Unit.MONTHS, Fraction(1, 2)),
            ("ratio", Unit.RATIO, 1),
            ("factor", Unit.FACTOR, 2),
        ],
    )
    def test_refuses_a_value_that_is_not_exact_for_its_unit(
        self, getter: str, unit: Unit, value: object
    ) -> None:
        with pytest.raises(WrongUnit, match="1/n is not a"):
            getattr(rule_set(number(unit, value)), getter)("1/n")

    def test_an_unknown_key_is_named(self) -> None:
        with pytest.raises(UnknownName, match="no number 1/other"):
            rule_set().months("1/other")

    @pytest.mark.parametrize(
        ("kind", "lookup"),
        [("rule", "rule"), ("clause", "clause"), ("reading", "reading"), ("table", "table")],
    )
    def test_an_unknown_name_is_named(self, kind: str, lookup: str) -> None:
        with pytest.raises(UnknownName, match=f"no {kind} ZZ"):
            getattr(rule_set(), lookup)("ZZ")

    def test_finds_what_it_has(self) -> None:
        table = Table("1/t", ("a",), ({"a": 1},))
        clause = Clause("1", "t", "t", tables=(table,))
        reading = Reading("RD-X", "t", "t", "o", date(2026, 11, 24))
        found = rule_set(clauses={"1": clause}, readings={"RD-X": reading})
        assert (found.table("1/t"), found.clause("1"), found.reading("RD-X")) == (
            table,
            clause,
            reading,
        )

    def test_can_be_the_key_of_a_cache(self) -> None:
        one, other = rule_set(), rule_set()
        assert {one: 1, other: 2}[one] == 1


class TestNumber:
    @pytest.mark.parametrize(
        ("unit", "value", "duration"),
        [
            (Unit.DAYS, 7, timedelta(days=7)),
            (Unit.HOURS, 24, timedelta(hours=24)),
            (Unit.MINUTES, 5, timedelta(minutes=5)),
            (Unit.SECONDS, 1800, timedelta(minutes=30)),
            (Unit.MILLISECONDS, 600, timedelta(milliseconds=600)),
        ],
    )
    def test_is_a_duration_where_its_unit_is_exact(
        self, unit: Unit, value: int, duration: timedelta
    ) -> None:
        assert rule_set(number(unit, value)).duration("1/n") == duration

    @pytest.mark.parametrize("unit", [Unit.MONTHS, Unit.YEARS, Unit.COUNT])
    def test_a_month_is_no_duration(self, unit: Unit) -> None:
        with pytest.raises(WrongUnit, match="not an exact duration"):
            number(unit, 1).duration()

    @pytest.mark.parametrize(
        ("operator", "measured", "met"),
        [
            ("<", timedelta(seconds=3600) - timedelta(microseconds=1), True),
            ("<", timedelta(seconds=3600), False),
            ("<=", timedelta(seconds=3600), True),
            ("<=", timedelta(seconds=3600, microseconds=1), False),
            ("==", 3600, True),
            ("==", 3599, False),
            (">=", 3600, True),
            (">", 3600, False),
        ],
    )
    def test_compares_by_the_operator_of_the_text(
        self, operator: str, measured: timedelta | int, met: bool
    ) -> None:
        found = rule_set(number(Unit.SECONDS, 3600, operator))
        assert found.is_met("1/n", measured) is met

    @pytest.mark.parametrize(
        ("num", "den", "met"), [(95, 100, True), (949, 1000, False), (99_999, 100_000, True)]
    )
    def test_rates_compare_exactly(self, num: int, den: int, met: bool) -> None:
        found = number(Unit.RATIO, Fraction(95, 100), ">=")
        assert found.is_met_by(Fraction(num, den)) is met

    def test_does_not_compare_where_the_text_does_not(self) -> None:
        with pytest.raises(WrongUnit, match="no operator"):
            number(Unit.COUNT, 30).is_met_by(30)

    def test_does_not_compare_words(self) -> None:
        with pytest.raises(WrongUnit, match="is text"):
            number(Unit.TEXT, "川渝 HR", "==").is_met_by(1)

    def test_does_not_compare_a_duration_with_months(self) -> None:
        with pytest.raises(WrongUnit, match="not an exact duration"):
            number(Unit.MONTHS, 1, "<=").is_met_by(timedelta(days=30))

    def test_knows_its_clause(self) -> None:
        assert Number("7.1.1/upload", Unit.SECONDS, 3600).clause == "7.1.1"


class TestVersion:
    CHONGQING = Jurisdiction.CHONGQING
    SICHUAN = Jurisdiction.SICHUAN
    BOTH = Jurisdiction.BOTH

    def test_a_draft_is_provisional_and_has_no_day(self) -> None:
        draft = rule_set()
        assert draft.is_provisional
        assert draft.is_in_force(self.BOTH, date(2027, 1, 1)) is None

    def test_is_in_force_from_its_first_day(self) -> None:
        days = {self.CHONGQING: date(2027, 1, 1), self.SICHUAN: date(2027, 3, 1)}
        law = rule_set(status=Status.IN_FORCE, in_force=days)
        assert not law.is_provisional
        assert law.is_in_force(self.CHONGQING, date(2026, 12, 31)) is False
        assert law.is_in_force(self.CHONGQING, date(2027, 1, 1)) is True

    def test_binds_between_the_provinces_only_when_in_force_in_both(self) -> None:
        days = {self.CHONGQING: date(2027, 1, 1), self.SICHUAN: date(2027, 3, 1)}
        law = rule_set(status=Status.IN_FORCE, in_force=days)
        assert law.is_in_force(self.BOTH, date(2027, 2, 1)) is False
        assert law.is_in_force(self.BOTH, date(2027, 3, 1)) is True

    def test_a_day_not_yet_come_in_one_province_is_enough_for_no(self) -> None:
        law = rule_set(in_force={self.CHONGQING: date(2027, 1, 1), self.SICHUAN: None})
        assert law.is_in_force(self.BOTH, date(2026, 1, 1)) is False
        assert law.is_in_force(self.BOTH, date(2027, 1, 1)) is None

    def test_a_repealed_version_binds_nobody(self) -> None:
        law = rule_set(status=Status.REPEALED, in_force={self.SICHUAN: date(2020, 1, 1)})
        assert law.is_in_force(self.SICHUAN, date(2027, 1, 1)) is False


class TestSwitches:
    def reading(self, value: bool | str) -> Reading:
        switch = Switch("choice", (value,), value)
        return Reading("RD-X", "t", "t", "o", date(2026, 11, 24), switch)

    def test_a_switch_is_asked_by_name(self) -> None:
        assert rule_set(readings={"RD-X": self.reading(True)}).is_on("choice") is True

    def test_a_choice_of_words_is_not_on_or_off(self) -> None:
        found = rule_set(readings={"RD-X": self.reading("strict")})
        assert found.switch("choice") == "strict"
        with pytest.raises(WrongUnit, match="not a yes-or-no choice"):
            found.is_on("choice")

    def test_an_unknown_switch_is_named(self) -> None:
        with pytest.raises(UnknownName, match="no switch other"):
            rule_set().is_on("other")

    def test_is_written_with_its_value(self) -> None:
        written = self.reading(True).as_dict()
        assert (written["switch"], written["value"], written["source"]) == (
            "choice",
            True,
            "default",
        )


class TestWritten:
    def test_a_rule_is_written_without_what_it_does_not_state(self) -> None:
        rule = Rule(
            "R5-3",
            "5",
            "减轻负担",
            "以降低患者负担为导向",
            "counted",
            AnsweredBy.WORKFLOW,
            Modal.SHALL,
            Severity.INFO,
            ("platform",),
            "disclosure",
        )
        assert rule.as_dict() == {
            "id": "R5-3",
            "clause": "5",
            "title": "减轻负担",
            "quote": "以降低患者负担为导向",
            "summary": "counted",
            "answered_by": "workflow",
            "modal": "SHALL",
            "severity": "INFO",
            "who": ["platform"],
            "where": "disclosure",
            "readings": [],
            "numbers": [],
            "defects": [],
        }

    def test_a_number_is_written_with_its_unit(self) -> None:
        written = number(Unit.RATIO, Fraction(95, 100), ">=").as_dict()
        assert (written["value"], written["unit"], written["operator"]) == ("19/20", "ratio", ">=")
        assert not {"quote", "reading", "note"} & set(written)

    def test_a_reading_without_choice_has_no_switch(self) -> None:
        written = Reading("RD-X", "题", "words", "both", date(2026, 11, 24)).as_dict()
        assert written == {
            "id": "RD-X",
            "title": "题",
            "text": "words",
            "owner": "both",
            "decided_on": "2026-11-24",
        }

    def test_a_defect_is_written_without_a_reading_it_does_not_have(self) -> None:
        assert Defect("D2", "3", "占位", "nothing").as_dict() == {
            "id": "D2",
            "where": "3",
            "defect": "占位",
            "answer": "nothing",
        }


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a is given twice"):
        by_id(["a", "b", "a"], str)
