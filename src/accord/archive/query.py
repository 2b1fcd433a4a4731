"""Queries of QIDO-RS: what is asked, checked and bounded before any of it becomes SQL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from pydicom.datadict import tag_for_keyword

from accord.archive.errors import QueryInvalid
from accord.archive.facts import day_of

MOST_RESULTS: Final = 1000
DEFAULT_RESULTS: Final = 101
FARTHEST_OFFSET: Final = 100_000
MOST_VALUES: Final = 500
MOST_WILDCARDS: Final = 8
LONGEST_VALUE: Final = 256
CONTROL: Final = frozenset({"limit", "offset", "fuzzymatching", "includefield", "lng", "accept"})
DATES: Final = frozenset({"00080020", "00400244"})
TIMES: Final = frozenset({"00080030", "00400245"})
NUMBERS: Final = frozenset({"00200011", "00200013"})
UIDS: Final = frozenset({"0020000D", "0020000E", "00080018", "00080016"})
ALL_FIELDS: Final = "all"


class Level(StrEnum):
    """What is searched."""

    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


_STUDY_TAGS: Final = frozenset(
    {
        "0020000D",  # StudyInstanceUID
        "00100010",  # PatientName
        "00100020",  # PatientID
        "00080050",  # AccessionNumber
        "00080020",  # StudyDate
        "00080030",  # StudyTime
        "00080090",  # ReferringPhysicianName
        "00200010",  # StudyID
        "00081030",  # StudyDescription
        "00080061",  # ModalitiesInStudy
    }
)
_SERIES_TAGS: Final = frozenset(
    {
        "0020000E",  # SeriesInstanceUID
        "00080060",  # Modality
        "00200011",  # SeriesNumber
        "0008103E",  # SeriesDescription
        "00180015",  # BodyPartExamined
        "00400244",  # PerformedProcedureStepStartDate
        "00400245",  # PerformedProcedureStepStartTime
    }
)
_INSTANCE_TAGS: Final = frozenset(
    {
        "00080018",  # SOPInstanceUID
        "00080016",  # SOPClassUID
        "00200013",  # InstanceNumber
    }
)
MATCHED: Final = {
    Level.STUDY: _STUDY_TAGS,
    Level.SERIES: _STUDY_TAGS | _SERIES_TAGS,
    Level.INSTANCE: _STUDY_TAGS | _SERIES_TAGS | _INSTANCE_TAGS,
}


@dataclass(frozen=True)
class AnyOf:
    """The value is one of these."""

    values: tuple[str, ...]

    def typed(self, kind: type) -> Sequence[str | int | date]:
        """Return the values as a column of that type holds them.

        Raises:
            QueryInvalid: A value is none.
        """
        if kind is date:
            days = [day_of(value) for value in self.values]
            if None in days:
                raise QueryInvalid("日期格式应为 YYYYMMDD。")
            return [day for day in days if day is not None]
        try:
            return [int(value) for value in self.values]
        except ValueError as error:
            raise QueryInvalid("编号应为整数。") from error


@dataclass(frozen=True)
class Between:
    """The value lies between two bounds, both included; None is open."""

    low: str | date | None
    high: str | date | None


@dataclass(frozen=True)
class Like:
    """The value fits a pattern of SQL, escaped with a backslash."""

    pattern: str


Condition = AnyOf | Between | Like


@dataclass(frozen=True)
class Query:
    """A query that may be run.

    Attributes:
        level: What is searched.
        conditions: By tag; all must be met.
        fields: Tags that the answer includes beside the usual ones; `all` for every one.
        limit: Most results.
        offset: Results left out at the beginning.
        ignored: Keys that are not matched here.
    """

    level: Level
    conditions: dict[str, Condition]
    fields: frozenset[str] = frozenset()
    limit: int = DEFAULT_RESULTS
    offset: int = 0
    ignored: tuple[str, ...] = field(default=())


def parse(level: Level, parameters: Iterable[tuple[str, str]]) -> Query:
    """Return the query that these parameters ask for.

    Raises:
        QueryInvalid: A value is malformed or asks for too much.
    """
    conditions: dict[str, Condition] = {}
    fields: set[str] = set()
    ignored: list[str] = []
    limit, offset = DEFAULT_RESULTS, 0
    for key, value in parameters:
        name = key.lower()
        if name == "limit":
            limit = min(_whole(key, value), MOST_RESULTS)
        elif name == "offset":
            offset = _whole(key, value)
            if offset > FARTHEST_OFFSET:
                raise QueryInvalid("offset 过大，请缩小查询范围。")
        elif name == "includefield":
            fields |= {_field(part) for part in value.split(",") if part.strip()}
        elif name not in CONTROL:
            tag = tag_of(key)
            if tag not in MATCHED[level]:
                ignored.append(key[:LONGEST_VALUE])
            elif value not in ("", "*"):
                conditions[tag] = _condition(tag, value)
    return Query(level, conditions, frozenset(fields), limit, offset, tuple(ignored))


def tag_of(name: str) -> str:
    """Return the eight digits of a tag given by number or keyword; the last of a path counts.

    Raises:
        QueryInvalid: It is neither.
    """
    last = name.strip().rsplit(".", 1)[-1]
    if len(last) == 8 and all(digit in "0123456789abcdefABCDEF" for digit in last):  # noqa: PLR2004
        return last.upper()
    tag = tag_for_keyword(last)
    if tag is None:
        raise QueryInvalid(f"未知的查询字段：{last[:64]}")
    return f"{tag:08X}"


def _field(name: str) -> str:
    return ALL_FIELDS if name.strip().lower() == ALL_FIELDS else tag_of(name)


def _whole(key: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 12:  # noqa: PLR2004
        raise QueryInvalid(f"{key} 应为非负整数。")
    return int(value)


def _condition(tag: str, value: str) -> Condition:
    if tag in UIDS:
        values = tuple(part for part in value.replace("\\", ",").split(",") if part)
        if len(values) > MOST_VALUES:
            raise QueryInvalid(f"一次最多查询 {MOST_VALUES} 个 UID。")
        return AnyOf(values)
    if len(value) > LONGEST_VALUE:
        raise QueryInvalid("查询条件过长。")
    if "\0" in value:
        raise QueryInvalid("查询条件含无效字符。")
    if tag in DATES:
        return _range_of_days(value)
    if tag in TIMES:
        return _range_of_times(value)
    if tag in NUMBERS:
        return AnyOf(tuple(str(_whole(tag, part)) for part in value.split(",")))
    if "*" in value or "?" in value:
        return _pattern(value)
    return AnyOf((value,))


def _range_of_days(value: str) -> Condition:
    low, dash, high = value.partition("-")
    bounds = [day_of(part) if part else None for part in (low, high)]
    for part, bound in zip((low, high), bounds, strict=True):
        if part and bound is None:
            raise QueryInvalid("日期格式应为 YYYYMMDD 或 YYYYMMDD-YYYYMMDD。")
    if not dash:
        return Between(bounds[0], bounds[0])
    if bounds == [None, None]:
        raise QueryInvalid("日期范围为空。")
    return Between(bounds[0], bounds[1])


def _range_of_times(value: str) -> Condition:
    low, dash, high = value.replace(":", "").partition("-")
    for part in (low, high):
        if part and not part.replace(".", "", 1).isdigit():
            raise QueryInvalid("时间格式应为 HHMMSS 或 HHMMSS-HHMMSS。")
    if not dash:
        return AnyOf((low,))
    # Times are compared as text: a bound cut short stands for its whole minute or hour.
    return Between(low or None, f"{high}~" if high else None)


def _pattern(value: str) -> Condition:
    wildcards = value.count("*") + value.count("?")
    if wildcards > MOST_WILDCARDS:
        raise QueryInvalid(f"通配符最多 {MOST_WILDCARDS} 个。")
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Like(escaped.replace("*", "%").replace("?", "_"))
