"""Read and check the catalogue files of the package; kept for the life of the process."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from accord import standard
from accord.catalogue.errors import BrokenCatalogue, UnknownVersion
from accord.catalogue.model import (
    AcquiredSides,
    AgeGroup,
    Catalogue,
    Codes,
    Contrast,
    Family,
    Item,
    Key,
    Modality,
    Side,
    fold,
)

Row = Mapping[str, str]
COUNTS = {
    Modality.DR: "6.3/items_dr",
    Modality.CT: "6.3/items_ct",
    Modality.MR: "6.3/items_mr",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a version of the standard says about its list of items.

    Args:
        title: Chinese title of the list.
        counts: Number of items by modality.
        families: By code such as `CT-胸`, its items as numbers and runs such as `4-18`.
    """

    title: str
    counts: Mapping[str, int]
    families: Mapping[str, Sequence[str]]


@lru_cache(maxsize=8)
def load(version: str = "2025-draft") -> Catalogue:
    """Return a catalogue version, refusing one that does not have its declared counts (R6.3-1).

    The version of the standard declares the counts (6.3) and the families (9.1).
    """
    package = files("accord.catalogue")
    lines = (package / "catalogue.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row["version"] == version]
    if not rows:
        raise UnknownVersion(f"There is no catalogue version {version}.", version=version)
    rule_set = standard.load(version)
    declared = Declared(
        title=f"{rule_set.title} 附录A",
        counts={kind: rule_set.count(number) for kind, number in COUNTS.items()},
        families={
            f"{row['category']}-{row['name']}": tuple(map(str, row["items"]))
            for row in rule_set.table("9.1/families").rows
        },
    )
    return build(version, declared, rows)


def build(version: str, declared: Declared, rows: Sequence[Row]) -> Catalogue:
    """Build a catalogue from its rows and check it against what the version declares.

    Args:
        version: Name of the version.
        declared: What it must come to.
        rows: One row an item, columns as in the package's file.
    """
    families = {
        code: Family(code, code.partition("-")[2], Modality(code.partition("-")[0]), _numbers(runs))
        for code, runs in declared.families.items()
    }
    family_of = {no: code for code, family in families.items() for no in family.items}
    items = tuple(_item(row, family_of) for row in rows)
    _check(version, declared.counts, items, families)
    return Catalogue(version, declared.title, items, families)


def _item(row: Row, family_of: Mapping[int, str]) -> Item:
    number = int(row["no"])
    if number not in family_of:
        raise BrokenCatalogue(f"Item {number} stands in no family.", item=number)
    return Item(
        no=number,
        name=row["name_raw"],
        modality_raw=row["modality_raw"],
        region_raw=row["region_raw"],
        key=Key(
            modality=Modality(row["modality"]),
            anatomy=row["anatomy"],
            laterality=Side(row["laterality"]),
            contrast=Contrast(row["contrast"]),
            projections=frozenset(_parts(row["projections"])),
        ),
        acquired=AcquiredSides(row["acquired_sides"]) if row["acquired_sides"] else None,
        age_group=AgeGroup(row["age_group"]) if row["age_group"] else None,
        position=row["position"] or None,
        needs_confirmation=row["needs_confirmation"] or None,
        aliases=_parts(row["aliases"]),
        family=family_of[number],
        codes=Codes(
            sct=row["sct_code"] or None,
            sct_meaning=row["sct_meaning"] or None,
            sct_match=row["sct_match"],
            body_part=row["body_part_examined"] or None,
            laterality_sct=row["laterality_sct"] or None,
            views=_parts(row["view_sct"]),
            view_modifiers=_parts(row["view_modifier_sct"]),
            dicom_modalities=frozenset(row["dicom_modality"].split("|")),
        ),
        note=row["note"] or None,
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def _numbers(runs: Iterable[str]) -> frozenset[int]:
    """Read `4-18` and `23` as the numbers they name."""
    found: set[int] = set()
    for run in runs:
        first, _, last = run.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _check(
    version: str,
    counts: Mapping[str, int],
    items: Sequence[Item],
    families: Mapping[str, Family],
) -> None:
    found = Counter(item.modality.value for item in items)
    if found != Counter(counts):
        raise BrokenCatalogue(
            f"Catalogue {version} declares {dict(counts)} and has {dict(found)}.", version=version
        )
    names = [fold(name) for item in items for name in (item.name, *item.aliases)]
    for what, values in (
        ("number", [item.no for item in items]),
        ("key", [item.key for item in items]),
        ("name", names),
        ("family of item", [no for family in families.values() for no in family.items]),
    ):
        twice = [value for value, times in Counter[Any](values).items() if times > 1]
        if twice:
            raise BrokenCatalogue(f"Catalogue {version} has {what} {twice[0]} twice.")
    modality_of = {item.no: item.modality for item in items}
    for family in families.values():
        strange = [no for no in sorted(family.items) if modality_of.get(no) != family.modality]
        if strange:
            raise BrokenCatalogue(f"Family {family.code} has no business with item {strange[0]}.")
    for item in items:
        if (item.laterality is Side.UNSPECIFIED) != (item.acquired is not None):
            raise BrokenCatalogue(f"Item {item.no}: acquired sides stand where no side is named.")
