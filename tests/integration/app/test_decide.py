"""`accord decide` prints one decision from a file, without a database."""

import json
import sys

import pytest

from accord.app.cli import main

KEYS = {"advice", "relation", "lifted_by", "findings", "grounds", "readings"}
FINDING = {"rule", "outcome", "effect", "code", "because"}


@pytest.fixture
def decide(tmp_path, monkeypatch, capsys):
    """Run the command on a case, and return exit code, output and complaint."""

    def run(case, *options):
        path = tmp_path / "case.yaml"
        path.write_bytes(case if isinstance(case, bytes) else case.encode())
        monkeypatch.setattr(sys, "argv", ["accord", "decide", str(path), *options])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return run


def test_json_is_exactly_the_object_of_the_contract(decide):
    code, out, _ = decide("order: {visit: EMERGENCY}", "--json")
    answer = json.loads(out)
    assert code == 0
    assert set(answer) == KEYS
    assert all(set(finding) == FINDING for finding in answer["findings"])
    assert answer["advice"] == "RECOGNISE_MAY"
    assert answer["relation"] == "EQUAL"
    assert answer["lifted_by"] == ["NR07"]


def test_the_last_day_of_the_window_and_the_day_after(decide):
    prior = 'prior: {exam_end: "2026-01-31 23:50"}\non: '
    assert json.loads(decide(prior + "2026-02-28 08:00", "--json")[1])["advice"] == "RECOGNISE_MUST"
    late = json.loads(decide(prior + "2026-03-01 00:00", "--json")[1])
    assert late["advice"] == "NOT_ELIGIBLE"
    assert "OUT_OF_WINDOW" in {finding["code"] for finding in late["findings"]}


def test_without_options_it_prints_one_line_a_finding(decide):
    code, out, _ = decide("source: {listed: false}")
    assert code == 0
    assert out.splitlines()[0] == "NOT_ELIGIBLE EQUAL"
    assert "R6.2-3 fail gate SOURCE_NOT_LISTED 检查机构不在互认名单内" in out


def test_explain_gives_the_chinese_text(decide):
    _, out, _ = decide("", "--explain")
    assert out.startswith("结论：建议互认（同一项目）")


def test_explain_stands_beside_the_object(decide):
    _, out, _ = decide("", "--explain", "--json")
    answer = json.loads(out)
    assert set(answer) == KEYS | {"explanation"}
    assert answer["explanation"][0] == "结论：建议互认（同一项目）"


def test_without_identity_nothing_of_the_prior_is_printed(decide):
    _, out, _ = decide("identity: {certain: false}", "--json")
    answer = json.loads(out)
    assert answer["relation"] is None
    assert [finding["rule"] for finding in answer["findings"]] == ["R-ID-1"]
    assert answer["grounds"] == ["NR10"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("prior: {report: {state: done}}", "prior.report.state"),
        ("viewer: {levl: 三级}", "viewer.levl"),
        (b"\xff\xfe", "not UTF-8"),
        ("[", "no YAML"),
    ],
)
def test_a_broken_case_is_wrong_use_and_names_the_place(decide, case, words):
    code, out, err = decide(case, "--json")
    assert (code, out) == (2, "")
    assert words in err


def test_a_missing_file_is_wrong_use(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["accord", "decide", str(tmp_path / "none.yaml")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "none.yaml" in capsys.readouterr().err
