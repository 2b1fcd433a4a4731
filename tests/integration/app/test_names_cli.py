"""`accord names` as people run it: columns, faults by row, exit codes, a site's own words."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ACCORD = (sys.executable, "-c", "from accord.app.cli import main; main()", "names")
HEAD = "local_name,modality,body_part_examined,view_position,laterality\n"


def accord(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ACCORD, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_table_in_gbk_with_faults_is_answered_row_by_row(tmp_path: Path) -> None:
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    names = ["左膝关节正侧位", "", "双膝关节正侧位", "长" * 10_000, "胶片费"]
    lines = [f"{name},DX,,," if name else ",,,," for name in names]
    text = HEAD + "\n".join(lines) + "\n"
    table.write_bytes(text.encode("gbk"))
    done = accord("match", table, "--out", out)
    assert done.returncode == 0
    assert "line 3: 空行" in done.stderr
    assert "line 5: 名称有10000个字符" in done.stderr
    rows = rows_of(out)
    assert [(row["row"], row["predicted_no"], row["predicted_kind"]) for row in rows] == [
        ("0", "13", "item"),
        ("1", "", "ambiguous"),
        ("2", "", "multiple"),
        ("3", "", "ambiguous"),
        ("4", "", "not_an_exam"),
    ]
    assert rows[2]["items"] == "13|14"
    assert rows[1]["because"] == "第3行：空行"
    assert float(rows[0]["confidence"]) > 0.9


def test_the_summary_is_one_object(tmp_path: Path) -> None:
    table = tmp_path / "in.csv"
    table.write_text(f"{HEAD}胸片,DX,,,\n,,,,\n", encoding="utf-8")
    summary = json.loads(accord("match", table, "--out", tmp_path / "o.csv", "--json").stdout)
    assert summary["rows"] == 2
    assert summary["counts"] == {"item": 1, "ambiguous": 1}
    assert summary["faults"] == [{"row": 1, "line": 3, "fault": "空行"}]


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"a,b\n1,2\n", b"PK\x03\x04..."])
def test_what_is_no_table_is_wrong_use_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "in.csv"
    table.write_bytes(content)
    done = accord("match", table, "--out", tmp_path / "out.csv")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    done = accord("match", tmp_path / "nothing.csv", "--out", tmp_path / "out.csv")
    assert done.returncode == 2
    assert "nothing.csv" in done.stderr


def test_a_score_below_its_bar_ends_with_one(tmp_path: Path) -> None:
    table = tmp_path / "labelled.csv"
    table.write_text(
        "local_name,modality,expected_no,expected_kind,note\n左膝关节正侧位,DX,14,item,\n",
        encoding="utf-8",
    )
    done = accord("score", table, "--json")
    figures = json.loads(done.stdout)
    assert done.returncode == 1
    assert figures["dangerous"]["wrong_side"] == 1
    assert "dangerous wrong_side: 1" in figures["missed"]


def test_a_score_that_reaches_its_bars_ends_with_nought(tmp_path: Path) -> None:
    table = tmp_path / "labelled.csv"
    table.write_text(
        "local_name,modality,expected_no,expected_kind,note\n左膝关节正侧位,DX,13,item,\n",
        encoding="utf-8",
    )
    assert accord("score", table).returncode == 0


def test_a_label_that_is_no_kind_is_named_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "labelled.csv"
    table.write_text("local_name,expected_kind\n胸片,perhaps\n", encoding="utf-8")
    done = accord("score", table)
    assert done.returncode == 2
    assert "Line 2" in done.stderr


def test_an_explanation_has_parts_reasons_and_the_conforming_form():
    done = accord("explain", "左膝关节正侧位", "--modality", "DX", "--laterality", "R", "--json")
    shown = json.loads(done.stdout)
    assert shown["kind"] == "ambiguous"
    assert shown["contradictions"] == ["side"]
    assert shown["parts"]["anatomy"] == ["膝关节"]
    assert shown["missing"] == ["检查类别", "检查方案"]
    assert "DR 左侧膝关节 摄影 正侧位" in shown["conforming_names"]
    assert "13 左侧膝关节正侧位摄影" in accord("explain", "左膝正侧", "--modality", "DX").stdout


def test_a_site_adds_words_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "names"
    own.mkdir()
    (own / "parts.yaml").write_text("膝关节: {terms: 波棱盖}\n", encoding="utf-8")
    asked = ("explain", "左波棱盖CT平扫", "--modality", "CT", "--json")
    assert json.loads(accord(*asked).stdout)["kind"] == "ambiguous"
    shown = json.loads(accord(*asked, ACCORD_RULES_DIR=str(tmp_path)).stdout)
    assert (shown["kind"], shown["items"]) == ("item", [91])


def test_a_broken_file_of_a_site_is_named(tmp_path: Path) -> None:
    own = tmp_path / "names"
    own.mkdir()
    (own / "parts.yaml").write_text("膝关节: {terms: 髌骨}\n", encoding="utf-8")
    done = accord("explain", "左膝CT", ACCORD_RULES_DIR=str(tmp_path))
    assert done.returncode == 2
    assert "髌骨" in done.stderr
