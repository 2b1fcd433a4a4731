"""From parts to one of the five answers, by the rules that the grammar and the catalogue give.

An item is given only if part, side, projections and contrast are those of the item; more than the
item is `multiple`, less or other is `out_of_catalogue`, not enough said is `ambiguous`. A
contradiction between name and fields is `ambiguous` with the contradiction named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from accord.catalogue.model import Catalogue, Item
from accord.catalogue.names.films import NO_SUCH_VIEW, Films
from accord.catalogue.names.lexicon import Lexicon
from accord.catalogue.names.model import Kind
from accord.catalogue.names.outcome import Outcome, out
from accord.catalogue.names.parser import Group
from accord.catalogue.names.scans import Scans
from accord.catalogue.names.voting import Evidence

WITH_BASE_SCAN: Final = frozenset({"功能成像", "灌注"})
"""Techniques that are added to a plain or enhanced scan, so that it may stand in the same name."""

UNLISTED_VIEWS: Final = frozenset({"special", "decubitus", "inverted", "tangential"})
CONTRADICTIONS: Final = {
    "side": "侧别",
    "contrast": "平扫与增强",
    "modality": "检查类别",
    "part": "检查部位",
}


@dataclass(frozen=True)
class Decider:
    """Decides with one catalogue and one lexicon."""

    catalogue: Catalogue
    lexicon: Lexicon
    _by_part: Mapping[tuple[str, str], tuple[Item, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[tuple[str, str], list[Item]] = {}
        for item in self.catalogue.items:
            found.setdefault((item.modality.value, item.anatomy), []).append(item)
        object.__setattr__(self, "_by_part", {key: tuple(items) for key, items in found.items()})

    # ------------------------------------------------------------------ the whole name
    def decide(self, evidence: Evidence) -> Outcome:
        """Return the answer to name and fields."""
        if fee := self._fee(evidence):
            return Outcome(Kind.NOT_AN_EXAM, because=(fee,))
        modality = evidence.modality
        if modality == "other":
            return Outcome(Kind.OUT_OF_CATALOGUE, because=("该检查类别不在互认项目目录内",))
        groups = [group for group in evidence.groups if self._is_part(group, modality)]
        if not groups:
            return self._without_part(evidence, modality)
        if modality is None and any(len(group.modalities) != 1 for group in groups):
            return self._any_modality(groups)
        return self._named(evidence, groups, modality)

    def _named(self, evidence: Evidence, groups: Sequence[Group], modality: str | None) -> Outcome:
        """Return the answer to an order whose parts are known; each may have its own modality."""
        if evidence.series and modality is not None:
            return self._series(modality)
        alone = len(groups) == 1
        outcomes = [
            self.decide_group(group, modality or next(iter(group.modalities)), alone=alone)
            for group in groups
        ]
        joined = outcomes[0] if alone else _joined(outcomes)
        if evidence.alternatives and not alone:
            joined = self._one_of(groups, outcomes)
        if not evidence.contradictions or modality is None:
            return joined
        return self._contradicted(evidence, groups, joined, modality)

    def _one_of(self, groups: Sequence[Group], outcomes: Sequence[Outcome]) -> Outcome:
        """Return the answer to `A or B`: the part in which the others lie, else candidates."""
        names = [str(group.part) for group in groups]
        for name, outcome in zip(names, outcomes, strict=True):
            if all(other == name or self.lexicon.lies_in(other, name) for other in names):
                return outcome
        numbers = tuple(dict.fromkeys(no for one in outcomes for no in one.items))
        if not numbers:
            return outcomes[0]
        return Outcome(Kind.AMBIGUOUS, numbers, ("几个部位之一",))

    def _fee(self, evidence: Evidence) -> str | None:
        groups = [*evidence.groups, evidence.whole]
        fees = [fee for group in groups for fee in group.fees]
        strong = [name for name, strength in fees if strength == "strong"]
        if strong and evidence.has_name:
            return f"收费或服务项目（{strong[0]}），不是检查"
        services = [name for name, strength in fees if strength == "service"]
        examined = any(group.modalities or group.contrasts or group.views for group in groups)
        if services and evidence.has_name and not examined:
            return f"分析或软件服务（{services[0]}），没有检查"
        named = any(
            group.part and not self.lexicon.entries[group.part].get("vague")
            for group in evidence.groups
        )
        if fees and not named and not any(group.techniques for group in groups):
            return f"只有附加项目（{fees[0][0]}），没有检查部位"
        return None

    def _is_part(self, group: Group, modality: str | None) -> bool:
        entry = self.lexicon.entries[str(group.part)]
        return bool(entry.get(modality or "CT") != "unknown")

    def _without_part(self, evidence: Evidence, modality: str | None) -> Outcome:
        groups = [*evidence.groups, evidence.whole]
        special = [name for group in groups for name in group.techniques]
        if special:
            return Outcome(Kind.OUT_OF_CATALOGUE, because=(f"{special[0]}不在互认项目目录内",))
        views = set().union(*(group.views for group in groups))
        if modality == "DR" and views & UNLISTED_VIEWS:
            return Outcome(Kind.OUT_OF_CATALOGUE, because=(NO_SUCH_VIEW,))
        return Outcome(Kind.AMBIGUOUS, because=("没有检查部位",))

    def _any_modality(self, groups: Sequence[Group]) -> Outcome:
        scans = any(group.contrasts for group in groups)
        candidates = [
            no
            for modality in (("CT", "MR") if scans else ("DR", "CT", "MR"))
            for group in groups
            for no in self.decide_group(group, modality, alone=True).items
        ]
        unique = tuple(dict.fromkeys(candidates))
        return Outcome(Kind.AMBIGUOUS, unique, ("没有检查类别（DR、CT、MR）",))

    def _series(self, modality: str) -> Outcome:
        """Return the items of an acute abdomen series: frontal chest, abdomen erect and supine."""
        numbers = tuple(
            item.no
            for part in self.lexicon.grammar["abdominal_series"]
            for item in self._by_part.get((modality, part), ())
            if len(item.projections) == 1 and item.age_group is None
        )
        return Outcome(Kind.MULTIPLE, numbers, ("系列检查，含多个项目",))

    # ------------------------------------------------------------------ contradictions
    def _contradicted(
        self, evidence: Evidence, groups: Sequence[Group], joined: Outcome, modality: str
    ) -> Outcome:
        named = evidence.contradictions
        candidates = sorted({no for one in groups for no in self._under(one, named, modality)})
        if not candidates and joined.kind is Kind.OUT_OF_CATALOGUE and "part" not in named:
            return joined
        reasons = tuple(f"名称与影像字段的{CONTRADICTIONS[one]}相互矛盾" for one in named)
        return Outcome(Kind.AMBIGUOUS, tuple(candidates), reasons)

    def _under(self, group: Group, named: Sequence[str], modality: str) -> list[int]:
        """Return what a group would be under every side and contrast that was said."""
        sides = [{"L"}, {"R"}] if "side" in named else [group.sides]
        contrasts = [{"plain"}, {"enhanced"}] if "contrast" in named else [group.contrasts]
        return [
            no
            for side in sides
            for contrast in contrasts
            for no in self.decide_group(
                replace(group, sides=set(side), contrasts=set(contrast)), modality, alone=True
            ).items
        ]

    # ------------------------------------------------------------------ one part
    def decide_group(self, group: Group, modality: str, *, alone: bool) -> Outcome:
        """Return the answer for one part of the body."""
        part = str(group.part)
        if group.techniques:
            base = group.contrasts & {"plain", "enhanced"}
            if not (modality == "MR" and base and set(group.techniques) <= WITH_BASE_SCAN):
                return out(part, f"{group.techniques[0]}不在互认项目目录内")
            group = replace(group, techniques=[], extra=[*group.extra, *group.techniques])
        if modality == "DR":
            short = self.lexicon.grammar["short_in_films"]
            part = short.get(group.word, part)
            films = Films(self.lexicon, self._by_part)
            outcome = films.decide(group, part, self._spec(part, modality))
        else:
            spec = self._spec(part, modality)
            outcome = Scans(self._by_part).decide(group, part, modality, spec, alone=alone)
        return _with_extra_scans(outcome, group.extra)

    def _spec(self, part: str, modality: str) -> Any:
        """Return what a part is in the catalogue: by its line, or the part of the same name."""
        spec = self.lexicon.entries[part].get(modality)
        if spec is not None:
            return spec
        return part if (modality, part) in self._by_part else "out"


def _with_extra_scans(outcome: Outcome, extra: Sequence[str]) -> Outcome:
    if not extra or outcome.kind not in {Kind.ITEM, Kind.MULTIPLE}:
        return outcome
    return replace(
        outcome,
        kind=Kind.MULTIPLE,
        because=(*outcome.because, f"另有{'、'.join(dict.fromkeys(extra))}"),
        more=(*outcome.more, "extra_scan"),
    )


def _joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Join the answers for several parts of one order."""
    because = tuple(reason for one in outcomes for reason in one.because)
    assumptions = tuple(dict.fromkeys(x for one in outcomes for x in one.assumptions))
    listed = [one for one in outcomes if one.kind in {Kind.ITEM, Kind.MULTIPLE}]
    unsure = [one for one in outcomes if one.kind is Kind.AMBIGUOUS]
    numbers = tuple(dict.fromkeys(no for one in outcomes for no in one.items))
    if not numbers:
        return Outcome(Kind.AMBIGUOUS if unsure else Kind.OUT_OF_CATALOGUE, because=because)
    if not listed:
        return Outcome(Kind.AMBIGUOUS, numbers, because, assumptions)
    numbers = tuple(dict.fromkeys(no for one in listed for no in one.items))
    more = tuple(dict.fromkeys(x for one in outcomes for x in one.more))
    if len(listed) < len(outcomes):
        more = tuple(dict.fromkeys((*more, "extra_scan")))
    if len(numbers) == 1 and len(listed) == len(outcomes) and not more:
        return Outcome(Kind.ITEM, numbers, because, assumptions)
    return Outcome(Kind.MULTIPLE, numbers, because, assumptions, more)
