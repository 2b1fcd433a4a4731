import re
from pathlib import Path

import pytest

from accord.app import docs
from accord.app.docs.cases import cases
from accord.app.docs.clauses import clauses
from accord.app.docs.commands import all_commands, commands
from accord.app.docs.markdown import page, table
from accord.app.docs.numbers import numbers
from accord.app.docs.objects import is_kept_aside, objects
from accord.app.docs.readings import readings
from accord.app.docs.settings import settings, variable
from accord.archive.model import Reason
from accord.kit.settings import Settings, default_data_dir
from accord.standard import published

NOWHERE = Path("nowhere")
STANDARD = published()


def rows_of(text: str) -> dict[str, list[str]]:
    """Rows of all tables by the bare text of their first cell."""
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {row[0].strip("*`"): row[1:] for row in rows}


def test_the_matrix_has_a_row_for_every_rule_and_number() -> None:
    rows = rows_of(clauses(NOWHERE))
    assert set(STANDARD.rules) | set(STANDARD.numbers) <= set(rows)


def test_a_rule_is_shown_with_its_strength_and_its_answer() -> None:
    rows = rows_of(clauses(NOWHERE))
    assert rows["R9.3-1"][1:6] == ["MAY", "MAJOR", "workflow", "`imagequality`", "–"]
    assert rows["R7.1-0"][4].startswith("`dataquality.rules.")


def test_a_number_is_shown_with_operator_unit_and_words() -> None:
    rows = rows_of(clauses(NOWHERE))
    assert rows["7.1.5/gap"] == ["<= 86400", "seconds", "「间断时间过长不应超过24小时」", "–"]
    assert rows["conv/wilson_z"][:3] == ["1.96", "factor", "RD-CONV-N"]


def test_the_table_of_cases_is_named_where_there_is_one(tmp_path: Path) -> None:
    cases = tmp_path / "tests" / "rules"
    cases.mkdir(parents=True)
    (cases / "R6.5-1.yaml").write_text("[]", "utf-8")
    rows = rows_of(clauses(tmp_path))
    assert (rows["R6.5-1"][5], rows["R6.5-2"][5]) == ("`R6.5-1.yaml`", "–")


def test_every_reading_and_defect_has_a_row_with_its_users() -> None:
    rows = rows_of(readings(NOWHERE))
    assert set(STANDARD.readings) | set(STANDARD.defects) <= set(rows)
    assert "R6.5-1" in rows["RD-6.5-MONTH"][-1]
    assert "6.5/other_count" in rows["RD-6.5-MONTH"][-1]
    assert rows["RD-6.1-CR"][3] == "`accept_cr_reader` = false"


def test_cases_are_shown_by_name_with_what_differs(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "rules"
    folder.mkdir(parents=True)
    (folder / "R6.5-1.yaml").write_text(
        "- {name: in time, expect: pass}\n"
        "- {name: too late, given: {prior: {ended: 2026-01-31}}, expect: fail, code: LATE}\n"
        "- {name: nobody knows, given: {prior: null}, expect: {outcome: not_evaluable}}\n",
        "utf-8",
    )
    text = cases(tmp_path)
    rows = rows_of(text)
    assert "## R6.5-1 互认时限为一个月" in text
    assert rows["in time"] == ["–", "pass"]
    assert rows["too late"] == ["`prior: {ended: 2026-01-31}`", "`expect: fail, code: LATE`"]
    assert rows["nobody knows"] == ["`prior: null`", "`outcome: not_evaluable`"]


def test_a_rule_without_table_has_no_cases() -> None:
    assert "## R" not in cases(NOWHERE)


def test_a_bar_or_a_new_line_does_not_break_a_table() -> None:
    assert table(("a", "b"), [("x|y", "one\ntwo"), ("", "z")]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        r"| x\|y | one two |",
        "| – | z |",
    ]


def test_a_page_says_that_it_is_generated() -> None:
    assert page("Words", "text").splitlines() == [
        "# Words",
        "",
        docs.markdown.GENERATED,
        "",
        "text",
    ]


def test_every_setting_has_a_row_with_its_meaning() -> None:
    rows = rows_of(settings(NOWHERE))
    told = {variable(name): field.description for name, field in Settings.model_fields.items()}
    assert {name: rows[name][-1] for name in told} == told
    assert all(told.values())


def test_a_setting_is_shown_with_unit_bounds_and_default() -> None:
    rows = rows_of(settings(NOWHERE))
    assert rows["ACCORD_HTTP_PORT"][:2] == ["number, at least 0, at most 65535", "`8080`"]
    assert rows["ACCORD_SETTLE_AFTER"][:2] == ["duration", "`PT1M`"]
    assert rows["ACCORD_MAX_OBJECT_SIZE"][:2] == ["size", "`4GiB`"]
    assert rows["ACCORD_MAC_ALGORITHM"][0] == "`HMAC-SM3` or `HMAC-SHA-256`"


def test_settings_tell_nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings(NOWHERE)
    monkeypatch.setenv("ACCORD_HTTP_PORT", "4711")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere/else")
    assert settings(NOWHERE) == before
    assert str(default_data_dir()) not in before


def test_every_command_has_a_section_and_says_what_it_does() -> None:
    sections = commands(NOWHERE).split("\n## ")[1:]
    by_name = {section.partition("\n")[0]: section for section in sections}
    found = dict(all_commands())
    assert list(by_name) == list(found)
    assert [name for name, context in found.items() if not context.command.help] == []
    assert {"accord up", "accord import", "accord bench remind"} <= set(found)


def test_every_option_has_a_row_and_says_what_it_does() -> None:
    text = commands(NOWHERE)
    options = [
        (name, option)
        for name, context in all_commands()
        for option in context.command.params
        if option.name != "help"
    ]
    assert [(name, one.name) for name, one in options if not getattr(one, "help", None)] == []
    assert {one.opts[0] for _, one in options if one.opts[0][0] == "-"} <= set(
        re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE)
    )


def test_a_command_is_shown_as_it_is_called() -> None:
    text = commands(NOWHERE)
    assert "accord import [OPTIONS] PATHS..." in text
    assert "accord names match --out OUT [OPTIONS] TABLE" in text


def test_every_number_has_a_row_with_its_words() -> None:
    rows = rows_of(numbers(NOWHERE))
    assert set(STANDARD.numbers) <= set(rows)
    assert rows["6.5/window"][:3] == ["<= 1", "months", "「近期（1个月）」"]


def test_every_reason_has_a_row_with_its_status() -> None:
    rows = rows_of(objects(NOWHERE))
    assert {reason.value for reason in Reason} <= set(rows)
    assert rows["lossy_marked"][:2] == ["kept aside", "`0xB000`"]
    assert rows["unknown_syntax"][:2] == ["refused", "`0xC122`"]
    assert is_kept_aside(Reason.SAME_UID_OTHER_BYTES)
    assert not is_kept_aside(Reason.NOT_DICOM)


def test_a_syntax_is_shown_as_offered_lossless_and_decoded() -> None:
    rows = rows_of(objects(NOWHERE))
    assert rows["1.2.840.10008.1.2.4.90"][1:] == ["yes", "yes", "yes"]
    assert rows["1.2.840.10008.1.2.4.50"][1:] == ["yes", "–", "yes"]
    assert rows["1.2.840.10008.1.2.1.99"][1:] == ["–", "yes", "yes"]


class TestFreshness:
    @pytest.fixture(autouse=True)
    def two_pages(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        pages = {"docs/a.md": lambda root: "new\n", "docs/b/c.md": lambda root: "same\n"}
        monkeypatch.setattr(docs, "PAGES", pages)
        (tmp_path / "docs" / "b").mkdir(parents=True)
        (tmp_path / "docs" / "a.md").write_text("old\n", "utf-8")
        (tmp_path / "docs" / "b" / "c.md").write_text("same\n", "utf-8")

    def test_a_page_that_differs_is_stale(self, tmp_path: Path) -> None:
        assert docs.find_stale(tmp_path) == ["docs/a.md"]

    def test_a_missing_page_is_stale(self, tmp_path: Path) -> None:
        (tmp_path / "docs" / "b" / "c.md").unlink()
        assert docs.find_stale(tmp_path) == ["docs/a.md", "docs/b/c.md"]

    def test_generating_writes_only_stale_pages(self, tmp_path: Path) -> None:
        assert docs.generate(tmp_path) == ["docs/a.md"]
        assert (tmp_path / "docs" / "a.md").read_text("utf-8") == "new\n"
        assert docs.generate(tmp_path) == []


class TestCommand:
    @pytest.fixture
    def invoke(self, monkeypatch: pytest.MonkeyPatch):
        import typer
        from typer.testing import CliRunner

        from accord.app.cli import docs as command

        app = typer.Typer()
        command.add(app)
        monkeypatch.setattr(docs, "PAGES", {"docs/a.md": lambda root: "new\n"})
        return lambda *arguments: CliRunner().invoke(app, ["docs", *arguments])

    def test_check_ends_with_1_until_the_pages_are_generated(self, invoke, tmp_path: Path) -> None:
        (tmp_path / "docs").mkdir()
        root = ("--root", str(tmp_path))
        stale = invoke("check", *root)
        assert (stale.exit_code, stale.stdout) == (1, "docs/a.md is stale\n")
        assert invoke("generate", *root).stdout == "docs/a.md\n"
        fresh = invoke("check", *root)
        assert (fresh.exit_code, fresh.stdout) == (0, "all pages are fresh\n")
        assert invoke("check", "--json", *root).stdout == '{"stale": []}\n'
        assert invoke("generate", "--json", *root).stdout == '{"written": []}\n'

    def test_outside_the_repository_it_says_so(self, invoke, tmp_path: Path) -> None:
        result = invoke("check", "--root", str(tmp_path))
        assert "has no folder docs" in str(result.exception)
