"""Tables of names: encodings, Excel, and a clear fault by row while the rest goes on."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from accord.catalogue.names import intake
from accord.catalogue.names.errors import BrokenTable
from accord.catalogue.names.intake import read_table

HEAD = "项目名称,检查类型,项目编码,数量\n"


def faults(content: bytes) -> dict[int, str]:
    return {fault.line: fault.sentence for fault in read_table(content).faults}


def workbook(*rows: list[object], merge: str | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_is_read_in_every_usual_encoding(encoding: str) -> None:
    table = read_table((HEAD + "左膝关节正侧位,DX,A1,12\n").encode(encoding))
    assert table.rows[0].query.name == "左膝关节正侧位"
    assert table.rows[0].query.modality == "DX"
    assert table.faults == ()


def test_a_line_in_another_encoding_is_read_in_its_own():
    content = (HEAD + "胸部CT平扫,CT,A1,1\n").encode() + "左膝关节正侧位,DX,A2,2\n".encode("gbk")
    assert [row.query.name for row in read_table(content).rows] == ["胸部CT平扫", "左膝关节正侧位"]


def test_a_line_in_no_encoding_is_a_fault_of_that_row_alone():
    content = (
        (HEAD + "胸部CT平扫,CT,A1,1\n").encode()
        + b"\xff\xfe\xfd,CT,A2,2\n"
        + "胸片,DX,A3,3\n".encode()
    )
    table = read_table(content)
    assert [row.row for row in table.sound] == [0, 2]
    assert "编码" in table.faults[0].sentence


def test_every_fault_is_named_with_its_line_and_the_rest_goes_on():
    rows = [
        "胸部CT平扫,CT,A1,10",
        ",,,",
        f"{'长' * 10_000},CT,A3,1",
        "头颅CT平扫,CT,A1,3",
        "腹部\x07CT,CT,A5,3",
        "头颅CT增强,CT,A6,很多",
        "头颅CT增强,CT,A7,3,多余",
        "颈椎CT平扫,CT,A8,7",
    ]
    found = faults((HEAD + "\n".join(rows) + "\n").encode())
    assert set(found) == {3, 4, 5, 6, 7, 8}
    assert found[3] == "空行"
    assert "10000个字符" in found[4]
    assert found[5] == "编码A1与第2行重复，名称不同"
    assert "控制字符" in found[6]
    assert "不是整数" in found[7]
    assert "5列" in found[8]


def test_rows_are_counted_from_zero_and_blank_lines_are_no_rows():
    table = read_table((HEAD + "胸部CT平扫,CT,A1,1\n\n\n头颅CT平扫,CT,A2,1\n").encode())
    assert [(row.row, row.line) for row in table.rows] == [(0, 2), (1, 5)]


def test_a_name_over_two_lines_keeps_its_place():
    table = read_table((HEAD + '"胸部\nCT平扫",CT,A1,1\n头颅CT平扫,CT,A2,1\n').encode())
    assert table.rows[0].query.name == "胸部\nCT平扫"
    assert table.faults == ()


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators_are_read(separator: str) -> None:
    text = HEAD.replace(",", separator) + separator.join(["胸部CT平扫", "CT", "A1", "1"]) + "\n"
    assert read_table(text.encode()).rows[0].query.modality == "CT"


def test_a_workbook_is_read_and_its_numbers_are_text():
    table = read_table(workbook(["项目名称", "编码", "数量"], ["胸部CT平扫", 1001, 12.0]))
    assert table.encoding == "xlsx"
    assert table.rows[0].cells == {"local_name": "胸部CT平扫", "code": "1001", "count": "12"}


def test_merged_cells_and_formulas_without_a_result_are_faults_of_their_rows():
    content = workbook(
        ["项目名称", "检查类型"],
        ["胸部CT平扫", "CT"],
        ["头颅CT平扫", "CT"],
        ['=CONCATENATE("颈椎","CT")', "CT"],
        ["腰椎CT平扫", "CT"],
        merge="A2:A3",
    )
    found = faults(content)
    assert found[3].startswith("A3在合并单元格内")
    assert found[4].startswith("A4是公式且没有计算结果")
    assert set(found) == {3, 4}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "空"),
        (b"\n\n", "空"),
        ("甲,乙\n1,2\n".encode(), "项目名称"),
        ("项目名称,项目名称\n1,2\n".encode(), "不止一次"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 100, "xlsx"),
        (b"PK\x03\x04broken", "Excel"),
        (b"local_name\n\0\n", "空字符"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(BrokenTable, match=message):
        read_table(content)


def test_a_workbook_that_unpacks_too_far_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_UNPACKED", 1000)
    with pytest.raises(BrokenTable, match="解压"):
        read_table(workbook(["项目名称"], ["胸部CT平扫" * 500]))


def test_too_many_bytes_or_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_ROWS", 3)
    with pytest.raises(BrokenTable, match="3行"):
        read_table((HEAD + "胸片,DX,,\n" * 5).encode())
    monkeypatch.setattr(intake, "MOST_BYTES", 10)
    with pytest.raises(BrokenTable, match="MB"):
        read_table(HEAD.encode())


def test_a_zip_that_is_no_workbook_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.txt", "a")
    with pytest.raises(BrokenTable, match="Excel"):
        read_table(file.getvalue())


def test_a_row_with_a_code_alone_has_no_name():
    assert faults((HEAD + ",,A1,5\n").encode()) == {2: "没有项目名称"}


def test_an_error_value_of_a_formula_is_a_fault():
    found = faults(workbook(["项目名称"], ["胸部CT平扫"], ["#N/A"]))
    assert found == {3: "A3是公式错误值#N/A"}


@pytest.mark.parametrize("keep", [True, False])
def test_a_workbook_whose_first_sheet_is_a_chart_is_refused(keep: bool) -> None:
    book = Workbook()
    book.create_chartsheet("图")
    book.active = 1
    if not keep:
        book.remove(book["Sheet"])
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(BrokenTable, match="Excel"):
        read_table(file.getvalue())


def test_too_many_rows_of_a_workbook_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_ROWS", 2)
    with pytest.raises(BrokenTable, match="2行"):
        read_table(workbook(["项目名称"], ["胸片"], ["胸片"]))


def test_numbers_of_a_workbook_lose_no_digit():
    assert [intake._text(value) for value in (12.0, 12.5, 12, None)] == ["12", "12.5", "12", ""]
