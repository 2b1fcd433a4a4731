"""The eleven grounds of clause 6.7 and what each of them needs; pure.

Needs beyond the clause (typed notes, signatures, numbers) are never compulsory (R6.7-3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from accord.reminder.errors import GroundsIncomplete
from accord.reminder.model import GivenGround
from accord.standard.model import RuleSet


class Need(StrEnum):
    """What a ground may need beside its code."""

    PICK = "pick"
    TICK = "tick"
    RELATION = "relation"
    PURPOSE = "purpose"
    TEXT = "text"


_QUESTIONS: Final[Mapping[Need, str]] = {Need.RELATION: "提出人", Need.PURPOSE: "用途"}


@dataclass(frozen=True)
class Ground:
    """One ground.

    Attributes:
        code: NR01 … NR11.
        display: The words of the clause, short.
        picks: What to pick one of; empty where nothing is to be picked.
        national: The matching situation of the national measures.
        opens_doubt: Whether it asks the QC centre a question about the source (R6.7-4).
    """

    code: str
    display: str
    needs: frozenset[Need]
    picks: tuple[str, ...]
    national: str
    opens_doubt: bool

    @property
    def question(self) -> str:
        """Return the words in front of the picks."""
        return next((words for need, words in _QUESTIONS.items() if need in self.needs), "具体为")


@lru_cache(maxsize=8)
def grounds_of(rule_set: RuleSet) -> Mapping[str, Ground]:
    """Return the grounds of a version of the standard by code, in its order."""
    rows = rule_set.table("6.7/grounds").rows
    return {
        row["code"]: Ground(
            row["code"],
            row["clause"],
            frozenset(Need(need) for need in row["needs"]),
            tuple(row.get("picks") or ()),
            row["national"],
            bool(row.get("opens_doubt")),
        )
        for row in rows
    }


def check(given: Sequence[GivenGround], rule_set: RuleSet, found: Sequence[str] = ()) -> None:
    """Refuse grounds of which any lacks what it needs (RD-6.7-ALL).

    Args:
        given: At least one; the first is primary.
        rule_set: The version with the eleven grounds.
        found: Grounds the machine found: the finding fills their pick.

    Raises:
        GroundsIncomplete: Names the first ground that is incomplete, and what it lacks.
    """
    if not given:
        raise GroundsIncomplete("请至少选择一项不互认的理由。")
    codes = [one.code for one in given]
    for one in given:
        if codes.count(one.code) > 1:
            raise GroundsIncomplete(f"理由 {one.code} 重复。", ground=one.code)
        _check_one(one, rule_set, found=one.code in found)


def _check_one(one: GivenGround, rule_set: RuleSet, *, found: bool) -> None:
    ground = grounds_of(rule_set).get(one.code)
    if ground is None:
        raise GroundsIncomplete("没有这项理由，应为 NR01 至 NR11。", ground=one.code)
    if Need.TEXT in ground.needs and not found:
        least = rule_set.count("6.7/other_text_least")
        if len("".join((one.text or "").split())) < least:
            raise GroundsIncomplete(
                f"选择“{ground.display}”须写明理由，至少 {least} 个字。", ground=one.code
            )
    if one.pick is not None and one.pick not in ground.picks:
        known = "、".join(ground.picks) or "无"
        raise GroundsIncomplete(
            f"“{ground.display}”没有“{one.pick}”这一选项，可选：{known}。", ground=one.code
        )
    if ground.picks and one.pick is None and not found:
        raise GroundsIncomplete(
            f"选择“{ground.display}”须再选一项：{'、'.join(ground.picks)}。", ground=one.code
        )


def words(given: Sequence[GivenGround], rule_set: RuleSet) -> str:
    """Return the grounds as one part of a sentence, the primary first."""
    known = grounds_of(rule_set)
    parts = []
    for one in given:
        more = one.pick or one.text
        display = known[one.code].display
        parts.append(f"{display}（{more}）" if more else display)
    return "；".join(parts)
