"""The code table of WS/T 364.8 (常用放射诊断检查技术编码), when somebody has it (R7.2-2, D21).

The table is not public and none is shipped; until a site loads one, only the format of a code can
be checked and `000000000` means not yet coded.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from accord.catalogue.errors import BrokenCodeTable

COLUMNS = ("code", "name", "parent", "valid_from", "valid_to", "source")
CODE = re.compile(r"^[0-9A-Z]{9}$")
NOT_YET_CODED = "0" * 9
MOST_BYTES = 16 * 1024**2  # the printed table has some thousand rows; more is another file
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class TechniqueCode:
    """One row of the table; its period is half-open in local days."""

    code: str
    name: str
    parent: str | None
    valid_from: date | None
    valid_to: date | None
    source: str

    def is_valid(self, day: date) -> bool:
        """Say whether the code may be used for an examination of that day."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class TechniqueCodes:
    """A loaded table and what its reader should look at once more."""

    codes: Mapping[str, TechniqueCode]
    warnings: tuple[str, ...]


def is_well_formed(code: str) -> bool:
    """Say whether a code has the format of the table: nine digits and capital letters."""
    return CODE.fullmatch(code) is not None


def load_technique_codes(path: Path) -> TechniqueCodes:
    """Read a table from a UTF-8 CSV file, or raise with every fault and its line."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BrokenCodeTable(f"{path.name} is larger than {MOST_BYTES} bytes.", file=path.name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenCodeTable(f"{path.name} is not UTF-8: byte {error.start}.") from error
    return read_technique_codes(text)


def read_technique_codes(text: str) -> TechniqueCodes:
    """Read a table from CSV text with the columns `code,name,parent,valid_from,valid_to,source`.

    A code of another format, a code given twice or a period without days is refused. The letter O
    is only a warning: the standard allows it, and scans of the printed table turn 0 into O.
    """
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BrokenCodeTable(f"The first line must be {','.join(COLUMNS)}.")
    codes: dict[str, TechniqueCode] = {}
    faults: list[str] = []
    try:
        for row in reader:
            faults += [f"line {reader.line_num}: {fault}" for fault in _faults(row, codes)]
            if not faults:
                codes[row["code"]] = _code(row)
    except csv.Error as error:
        raise BrokenCodeTable(f"Line {reader.line_num}: {error}.") from error
    if faults:
        raise BrokenCodeTable("; ".join(faults[:MOST_FAULTS]), faults=len(faults))
    if not codes:
        raise BrokenCodeTable("The table has no row.")
    return TechniqueCodes(codes, tuple(_warnings(codes)))


def _faults(row: Mapping[str, str | None], earlier: Mapping[str, TechniqueCode]) -> Iterator[str]:
    if None in row or None in row.values():
        yield f"needs {len(COLUMNS)} columns"
        return
    code = row["code"] or ""
    if not is_well_formed(code):
        yield f"code {code!r} is not nine digits and capital letters"
    elif code in earlier:
        yield f"code {code} stands twice"
    if not row["name"]:
        yield f"code {code} has no name"
    days = []
    for column in ("valid_from", "valid_to"):
        try:
            days.append(_day(row[column]))
        except ValueError:
            yield f"{column} {row[column]!r} is not a day like 2024-04-01"
    if len(days) == 2 and days[0] and days[1] and days[1] <= days[0]:  # noqa: PLR2004
        yield f"code {code} ends before it begins"


def _code(row: Mapping[str, str]) -> TechniqueCode:
    return TechniqueCode(
        code=row["code"],
        name=row["name"],
        parent=row["parent"] or None,
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        source=row["source"],
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _warnings(codes: Mapping[str, TechniqueCode]) -> Iterator[str]:
    for code, entry in codes.items():
        if "O" in code:
            yield f"code {code} has the letter O: check that the print does not say 0"
        if entry.parent and entry.parent not in codes:
            yield f"code {code} names the parent {entry.parent}, which is not in the table"
