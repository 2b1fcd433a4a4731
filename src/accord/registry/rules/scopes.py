"""What the scope of a qualification contains: modality ⊇ family ⊇ item (R9.1-1, RD-9.1-FAMILY)."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accord.registry.model import Qualification, ScopeKind


@dataclass(frozen=True)
class Family:
    """A family of items.

    Attributes:
        code: How it is kept, such as `CT-胸`.
        alias: Its name in the files of the standard, such as `ct_chest`.
        modality: DR, CT or MR.
        items: Numbers of its items.
    """

    code: str
    alias: str
    modality: str
    items: frozenset[int]


class Families:
    """Every family of a version of the standard."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._by_code: Mapping[str, Family] = {each.code: each for each in families}

    @classmethod
    def of_table(cls, rows: Iterable[Mapping[str, Any]]) -> "Families":
        """Read the rows of the table 9.1/families; `1-3` is a run of numbers."""
        return cls(
            Family(
                f"{row['category']}-{row['name']}",
                row["family"],
                row["category"],
                frozenset(number for part in row["items"] for number in _run(part)),
            )
            for row in rows
        )

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        names = {_squeezed(each.code): each.code for each in self._by_code.values()}
        return names | {_squeezed(each.alias): each.code for each in self._by_code.values()}

    def of_item(self, number: int) -> Family | None:
        """Return the family of an item; None for one outside the list."""
        return next((each for each in self._by_code.values() if number in each.items), None)

    def items_of(self, kind: ScopeKind, value: str) -> frozenset[int]:
        """Return the numbers of the items inside a scope; empty for an unknown one."""
        if kind is ScopeKind.FAMILY:
            family = self._by_code.get(value)
            return frozenset() if family is None else family.items
        if kind is ScopeKind.MODALITY:
            return frozenset(
                number
                for each in self._by_code.values()
                if each.modality == value
                for number in each.items
            )
        number = int(value) if value.isdecimal() else 0
        return frozenset() if self.of_item(number) is None else frozenset({number})

    def spelled(self, kind: ScopeKind, value: str) -> str:
        """Return the spelling in which a scope is kept; an unknown one comes back folded.

        `CT-胸`, `CT 胸` and `ct_chest` are one family, `CYHR-013` and `13` one item, `MRI` is MR.
        """
        text = unicodedata.normalize("NFKC", value).strip().upper()
        if kind is ScopeKind.ITEM:
            digits = text.removeprefix("CYHR-")
            return str(int(digits)) if digits.isdecimal() else text
        text = text.replace("MRI", "MR")
        if kind is ScopeKind.MODALITY:
            return text
        return self._by_name.get(_squeezed(text), text)


def _squeezed(name: str) -> str:
    return "".join(char for char in name.upper() if char not in " -_·")


def _run(part: int | str) -> range:
    first, _, last = str(part).partition("-")
    return range(int(first), int(last or first) + 1)


def contains(
    families: Families, outer: tuple[ScopeKind, str], inner: tuple[ScopeKind, str]
) -> bool:
    """Say whether one scope has every item of another; an empty scope is in none."""
    inside = families.items_of(*inner)
    return bool(inside) and inside <= families.items_of(*outer)


def covers(qualification: Qualification, item: int, families: Families) -> bool:
    """Say whether an item is in the scope and not taken out of it; the state is not asked."""
    scope = families.items_of(qualification.scope_kind, qualification.scope_value)
    return item in scope and item not in qualification.revoked_items
