"""What a qualification is worth on the examination day (R6.4-2, R6.4-3).

Works on anything shaped like a qualification of the registry, so that the engine of clause 6 and
the mark judge by the same words.
"""

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar

from accord.catalogue import Catalogue
from accord.mark.model import Marked, MarkStatus
from accord.registry.model import Basis, CentreRank, Level, QualificationState, ScopeKind
from accord.standard.model import RuleSet

WHOLE_COUNTRY = "全国"
BOTH_PROVINCES = "川渝"


class Right(Protocol):
    """A qualification, as the registry or a case states it."""

    @property
    def scope_kind(self) -> ScopeKind: ...  # noqa: D102
    @property
    def scope_value(self) -> str: ...  # noqa: D102
    @property
    def mark_scope(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> QualificationState: ...  # noqa: D102
    @property
    def basis(self) -> Basis: ...  # noqa: D102
    @property
    def centre_rank(self) -> CentreRank | None: ...  # noqa: D102
    @property
    def revoked_items(self) -> frozenset[int]: ...  # noqa: D102

    def is_valid_on(self, day: date) -> bool: ...  # noqa: D102


RightT = TypeVar("RightT", bound=Right)


def covering(rights: Iterable[RightT], item: int, catalogue: Catalogue) -> list[RightT]:
    """Return the qualifications whose scope holds the item and that were not revoked for it."""
    return [
        right
        for right in rights
        if item in catalogue.scope(right.scope_kind, right.scope_value) - right.revoked_items
    ]


def rank_of(level: Level, rule_set: RuleSet) -> int:
    """Return the rank of a level; 未定级 ranks as the table of the rule set says."""
    ranks = {row["name"]: int(row["rank"]) for row in rule_set.table("6.2/levels").rows}
    return ranks[level.value]


def is_of_least_level(level: Level, rule_set: RuleSet) -> bool:
    """Say whether a level is the second or above."""
    return rule_set.number("6.2/least_level").is_met_by(rank_of(level, rule_set))


def has_sufficient_rank(right: Right, level: Level | None, rule_set: RuleSet) -> bool | None:
    """Say whether the centre behind a qualification stands high enough (D16).

    A transitional qualification rests on the notice of a commission and needs no centre
    (RD-9.1-BASIS). None where level or rank is not known.
    """
    if right.basis is Basis.TRANSITIONAL:
        return True
    if right.centre_rank is None:
        return None
    full = CentreRank(rule_set.text("6.4/qualification_rank"))
    below = CentreRank(rule_set.text("6.4/qualification_rank_below"))
    if right.centre_rank.height >= full.height:
        return True
    if right.centre_rank.height < below.height:
        return False
    return None if level is None else not is_of_least_level(level, rule_set)


def entitlement(
    items: Iterable[int],
    rights: Iterable[Right],
    day: date,
    level: Level | None,
    rule_set: RuleSet,
    catalogue: Catalogue,
) -> Marked:
    """Judge whether an examination of these items may carry 川渝 HR (R6.4-3: all of them)."""
    in_force = [right for right in rights if right.is_valid_on(day)]
    worst = Marked(MarkStatus.NOT_ENTITLED, "检查尚未对应到互认项目")
    for item in items:
        worst = _of_item(covering(in_force, item, catalogue), item, level, rule_set)
        if worst.status is not MarkStatus.MARKED:
            return worst
    return worst


def _of_item(rights: list[Right], item: int, level: Level | None, rule_set: RuleSet) -> Marked:
    if any(right.state is QualificationState.SUSPENDED for right in rights):
        return Marked(MarkStatus.SUSPENDED, f"检查当日第{item}项的互认资格处于暂停状态")
    carrying = [
        right
        for right in rights
        if right.state is QualificationState.PASSED
        and right.mark_scope in {WHOLE_COUNTRY, BOTH_PROVINCES}
        and has_sufficient_rank(right, level, rule_set)
    ]
    if not carrying:
        return Marked(MarkStatus.NOT_ENTITLED, f"检查当日第{item}项没有川渝范围的互认资格")
    return Marked(MarkStatus.MARKED, f"检查当日第{item}项互认资格有效", rule_set.text("6.4/mark"))
