"""CT and MR: part, side and contrast against the items (R6.3-2).

No contrast word means plain, for enhancement is charged and therefore always written in Chinese
names; that is an assumption of the answer. Enhanced is never given as plain: a part without an
enhanced item is then outside the catalogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accord.catalogue.model import Contrast, Item, Side
from accord.catalogue.names.model import Kind
from accord.catalogue.names.outcome import PAIR, Outcome, ambiguous, out
from accord.catalogue.names.parser import Group


@dataclass(frozen=True, slots=True)
class Scan:
    """One part of the body in CT or MR, with its contrast."""

    group: Group
    part: str
    modality: str
    contrast: str
    assumptions: tuple[str, ...]

    @property
    def contrast_word(self) -> str:
        """Return the contrast in Chinese."""
        return "增强" if self.contrast == Contrast.ENHANCED else "平扫"


@dataclass(frozen=True)
class Scans:
    """Decides scans with the items of one catalogue, by modality and part."""

    by_part: Mapping[tuple[str, str], tuple[Item, ...]]

    def decide(self, group: Group, part: str, modality: str, spec: Any, *, alone: bool) -> Outcome:
        """Return the answer for one part of the body."""
        if "either" in group.contrasts:
            return self._either(group, part, modality, spec, alone=alone)
        said = group.contrasts & {"plain", "enhanced"}
        contrast = "enhanced" if "enhanced" in said else "plain"
        return self._with(
            Scan(group, part, modality, contrast, () if said else ("plain",)), spec, alone=alone
        )

    def _either(self, group: Group, part: str, modality: str, spec: Any, *, alone: bool) -> Outcome:
        found: list[int] = []
        for contrast in ("plain", "enhanced"):
            scan = Scan(group, part, modality, contrast, ())
            found += self._with(scan, spec, alone=alone).items
        if not found:
            return out(part, f"{modality}目录内没有{part}")
        return ambiguous(part, tuple(found), "未说明平扫或增强")

    def _with(self, scan: Scan, spec: Any, *, alone: bool) -> Outcome:
        if isinstance(spec, dict):
            if not alone and "beside_others" in spec:
                spec = spec["beside_others"]
            else:
                spec = spec.get(scan.contrast, spec)
        if spec == "out":
            return out(scan.part, f"{scan.modality}目录内没有{scan.part}")
        if isinstance(spec, str):
            return self._sided(spec, scan)
        which, parts = next(iter(spec.items()))
        numbers = tuple(dict.fromkeys(no for one in parts for no in self._sided(one, scan).items))
        if not numbers:
            return out(scan.part, f"{scan.modality}目录内没有{scan.part}的{scan.contrast_word}项目")
        kind = Kind.AMBIGUOUS if which == "any" else Kind.MULTIPLE
        why = f"{scan.part}可以是几个项目之一" if which == "any" else f"{scan.part}含几个项目"
        return Outcome(kind, numbers, (why,), scan.assumptions, part=scan.part)

    def _sided(self, anatomy: str, scan: Scan) -> Outcome:
        by_side = {
            item.laterality: item
            for item in self.by_part.get((scan.modality, anatomy), ())
            if item.contrast is Contrast(scan.contrast)
        }
        if not by_side:
            return out(scan.part, f"{scan.modality}目录内没有{anatomy}的{scan.contrast_word}项目")
        return _choose(by_side, scan, f"{anatomy}，{scan.contrast_word}")


def _choose(by_side: Mapping[Side, Item], scan: Scan, read: str) -> Outcome:
    """Pick by side; never the other side, never one for both."""
    side = _fitting(by_side, scan.group.sides)
    if side is not None:
        return Outcome(Kind.ITEM, (by_side[side].no,), (read,), scan.assumptions, part=scan.part)
    if len(scan.group.sides) == 1:
        return out(scan.part, f"目录内只有双侧{scan.part}")
    pair = tuple(by_side[one].no for one in (Side.LEFT, Side.RIGHT) if one in by_side)
    if scan.group.sides and pair:
        why = (read, "双侧，含左右两项")
        return Outcome(Kind.MULTIPLE, pair, why, scan.assumptions, part=scan.part)
    candidates = pair or tuple(item.no for item in by_side.values())
    return Outcome(Kind.AMBIGUOUS, candidates, (read, "没有侧别"), scan.assumptions, part=scan.part)


def _fitting(by_side: Mapping[Side, Item], sides: set[str]) -> Side | None:
    """Return the side of the item that fits, if one does."""
    if Side.NONE in by_side:
        return Side.NONE
    wanted = Side.BOTH if len(sides) == PAIR else Side(next(iter(sides))) if sides else None
    if wanted in by_side:
        return wanted
    return Side.UNSPECIFIED if Side.UNSPECIFIED in by_side else None
