"""Read a table of names (CSV or Excel): every fault with its row, and the rest goes on."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accord.catalogue.names.errors import BrokenTable
from accord.catalogue.names.model import Query
from accord.catalogue.names.text import MOST_CHARACTERS

MOST_BYTES: Final = 32 * 1024**2
MOST_UNPACKED: Final = 256 * 1024**2
MOST_ROWS: Final = 200_000
BROKEN: Final = (
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    SyntaxError,  # ElementTree's ParseError is one
    TypeError,
    ValueError,
)
"""What openpyxl raises for a file that is not what it says; it has no error of its own for that."""

WORST_CHARACTER: Final = "\ufffd"

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "local_name": (
        "项目名称", "检查项目", "检查项目名称", "检查名称", "名称", "院内名称", "院内项目名称",
        "收费项目名称", "医嘱名称", "name", "exam", "item_name", "procedure", "description",
    ),
    "modality": ("检查类型", "检查类别", "设备类型", "类别", "模态", "设备", "检查方式"),
    "body_part_examined": ("部位", "检查部位", "body_part", "bodypart", "bodypartexamined"),
    "view_position": ("体位", "投照体位", "viewposition"),
    "laterality": ("侧别", "方位", "左右"),
    "study_description": ("检查描述", "studydescription"),
    "series_description": ("序列描述", "seriesdescription"),
    "protocol": ("协议", "扫描协议", "protocolname", "protocol_name"),
    "contrast_agent": ("对比剂", "造影剂", "contrastbolusagent"),
    "code": ("项目编码", "项目代码", "编码", "代码", "编号", "院内编码", "local_code", "item_code"),
    "count": ("数量", "次数", "频次", "例数", "检查量", "使用次数", "frequency", "n"),
    "technique_code": ("检查技术编码", "技术编码", "ws/t364.8", "wst364.8", "ws364_8", "364.8编码"),
    "expected_no": (),
    "expected_kind": (),
    "note": ("备注",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row, in a sentence."""

    row: int
    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its place, and its cells by column."""

    row: int
    line: int
    cells: Mapping[str, str]
    faults: tuple[str, ...] = ()

    @property
    def query(self) -> Query:
        """Return name and fields of the row."""
        get = self.cells.get
        return Query(
            name=get("local_name", ""),
            modality=get("modality", ""),
            body_part=get("body_part_examined", ""),
            view_position=get("view_position", ""),
            laterality=get("laterality", ""),
            study_description=get("study_description", ""),
            series_description=get("series_description", ""),
            protocol=get("protocol", ""),
            contrast_agent=get("contrast_agent", ""),
        )


@dataclass(frozen=True)
class Table:
    """The rows of a file, sound and faulty, and how its bytes were read."""

    rows: tuple[Row, ...]
    encoding: str
    faults: tuple[Fault, ...] = field(default=())

    @property
    def sound(self) -> tuple[Row, ...]:
        """Return the rows without a fault."""
        return tuple(row for row in self.rows if not row.faults)


def read_table(content: bytes, *, unique_codes: bool = True) -> Table:
    """Read CSV in UTF-8, UTF-16 or GBK (with or without a mark), or an Excel workbook.

    Args:
        content: The bytes of the file.
        unique_codes: Refuse a code that an earlier row has with another name.

    Raises:
        BrokenTable: Nothing in it can be read: not a table, too large, or no column is known.
    """
    if len(content) > MOST_BYTES:
        raise BrokenTable(f"文件超过{MOST_BYTES // 1024**2} MB。")
    if content[:4] == b"PK\x03\x04":
        lines, encoding = list(_workbook(content)), "xlsx"
    elif content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise BrokenTable("旧版Excel（.xls）文件，请另存为.xlsx或CSV。")
    else:
        lines, encoding = _delimited(content)
    return _table(lines, encoding, unique_codes=unique_codes)


Line = tuple[int, Sequence[str], tuple[str, ...]]


def _delimited(content: bytes) -> tuple[list[Line], str]:
    text, encoding = decode(content)
    if "\0" in text:
        raise BrokenTable("不是文本表格：含有空字符。")
    head = text.split("\n", 1)[0]
    delimiter = "\t" if head.count("\t") > head.count(",") else ","
    if ";" in head and "," not in head and "\t" not in head:
        delimiter = ";"
    limit = csv.field_size_limit(MOST_BYTES)
    lines: list[Line] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cells in reader:
            wrong = any(WORST_CHARACTER in cell for cell in cells)
            faults = ("含有无法识别的字符编码",) if wrong else ()
            lines.append((reader.line_num, cells, faults))
            if len(lines) > MOST_ROWS:
                raise BrokenTable(f"超过{MOST_ROWS}行，请分开导入。")
    finally:
        csv.field_size_limit(limit)
    return lines, encoding


def decode(content: bytes) -> tuple[str, str]:
    """Return the text and its encoding; single lines in another encoding are read in theirs."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", errors="replace"), "utf-16"
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    lines = content.split(b"\n")
    as_utf = sum(not line.isascii() and _decodes(line, "utf-8") for line in lines)
    as_gbk = sum(not _decodes(line, "utf-8") and _decodes(line, "gb18030") for line in lines)
    order = ("utf-8", "gb18030") if as_utf >= as_gbk else ("gb18030", "utf-8")
    found = []
    for line in lines:
        # UTF-8 is tried first even in a GBK file: few GBK texts are valid UTF-8 by accident.
        fitting = [name for name in ("utf-8", "gb18030") if _decodes(line, name)]
        name = order[0] if order[0] in fitting and line.isascii() else (*fitting, order[0])[0]
        found.append(line.decode(name, errors="replace"))
    return "\n".join(found), order[0] if as_utf and as_gbk == 0 else "gb18030"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _workbook(content: bytes) -> Iterator[Line]:
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, and seldom needed
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415
    from openpyxl.worksheet.worksheet import Worksheet  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MOST_UNPACKED:
                raise BrokenTable("Excel文件解压后过大。")
        values = load_workbook(io.BytesIO(content), data_only=True)
        formulas = load_workbook(io.BytesIO(content), data_only=False)
    except (*BROKEN, InvalidFileException) as error:
        raise BrokenTable(f"无法读取Excel文件：{error}。") from error
    sheet, written = values.active, formulas.active
    if not isinstance(sheet, Worksheet) or not isinstance(written, Worksheet):
        raise BrokenTable("Excel文件中没有工作表。")
    covered = {
        (row, column)
        for merged in sheet.merged_cells.ranges
        for row in range(merged.min_row, merged.max_row + 1)
        for column in range(merged.min_col, merged.max_col + 1)
        if (row, column) != (merged.min_row, merged.min_col)
    }
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > MOST_ROWS:
            raise BrokenTable(f"超过{MOST_ROWS}行，请分开导入。")
        faults = []
        cells = []
        for column, cell in enumerate(row, start=1):
            place = f"{get_column_letter(column)}{number}"
            if (number, column) in covered:
                faults.append(f"{place}在合并单元格内，请先取消合并")
            if written.cell(number, column).data_type == "f" and cell.value is None:
                faults.append(f"{place}是公式且没有计算结果，请粘贴为数值")
            if cell.data_type == "e":
                faults.append(f"{place}是公式错误值{cell.value}")
            cells.append(_text(cell.value))
        yield number, cells, tuple(faults)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _table(lines: Sequence[Line], encoding: str, *, unique_codes: bool) -> Table:
    filled = [place for place, (_, cells, _) in enumerate(lines) if any(c.strip() for c in cells)]
    if not filled:
        raise BrokenTable("表格是空的。")
    columns = [_column(cell) for cell in lines[filled[0]][1]]
    known = [column for column in columns if column]
    if not {"local_name", "study_description", "body_part_examined"} & set(known):
        raise BrokenTable("第一行没有项目名称一列（local_name 或 项目名称）。")
    twice = {column for column in known if known.count(column) > 1}
    if twice:
        raise BrokenTable(f"列{'、'.join(sorted(twice))}出现了不止一次。")
    rows: list[Row] = []
    codes: dict[str, tuple[str, int]] = {}
    for line, cells, faults in lines[filled[0] + 1 :]:
        if not cells:
            continue
        values = {
            column: cell.strip()
            for column, cell in zip(columns, cells, strict=False)
            if column and cell.strip()
        }
        found = [*faults, *_faults(values, cells, columns)]
        code = values.get("code")
        if unique_codes and code and not found:
            name = values.get("local_name", "")
            earlier = codes.setdefault(code, (name, line))
            if earlier[0] != name:
                found.append(f"编码{code}与第{earlier[1]}行重复，名称不同")
        rows.append(Row(len(rows), line, values, tuple(found)))
    return Table(
        tuple(rows),
        encoding,
        tuple(Fault(row.row, row.line, sentence) for row in rows for sentence in row.faults),
    )


def _faults(
    values: Mapping[str, str], cells: Sequence[str], columns: Sequence[str | None]
) -> Iterator[str]:
    if not any(cell.strip() for cell in cells):
        yield "空行"
        return
    if len(cells) > len(columns):
        yield f"有{len(cells)}列，表头只有{len(columns)}列"
    fields = ("local_name", "body_part_examined", "study_description", "series_description")
    if not any(values.get(one) for one in (*fields, "protocol", "view_position", "modality")):
        yield "没有项目名称"
    for column, value in values.items():
        if column == "local_name" and len(value) > MOST_CHARACTERS:
            yield f"名称有{len(value)}个字符，超过{MOST_CHARACTERS}"
        if any(ord(char) < ord(" ") and char not in "\t\r\n" for char in value):
            yield f"{column}含有控制字符"
    count = values.get("count")
    if count and not count.replace(",", "").isdecimal():
        yield f"数量{count[:20]}不是整数"


def _column(head: str) -> str | None:
    name = head.strip().lstrip("\ufeff").lower().replace(" ", "")
    for column, others in COLUMNS.items():
        if name == column.replace(" ", "") or name in others:
            return column
    return None
