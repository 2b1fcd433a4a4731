"""Whether a form can be concluded from what the machine may decide alone (RD-Q-CRITICAL).

Only critical header facts conclude anything here: they make a study waste. Points need the pixels
and the reviewers, so every other study has no grade, with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from accord.imagequality.model import CheckFinding, Terms, Verdict

WASTE = "waste"


@dataclass(frozen=True, slots=True)
class Graded:
    """The grade, or why there is none.

    Args:
        grade: 废片 or 0级; none while the form cannot be concluded.
        reason: Why, in Chinese.
        critical: Critical defects that the machine found, those that a person must confirm too.
    """

    grade: str | None
    reason: str
    critical: tuple[str, ...] = ()


def grade(findings: Iterable[CheckFinding], modalities: frozenset[str], terms: Terms) -> Graded:
    """Return waste for a critical defect that a machine may decide alone, else no grade."""
    alone = {
        row["code"]
        for row in terms.rule_set.table("7.3/critical_defects").rows
        if row["by_machine_alone"]
    }
    found = {
        one.measured.critical
        for one in findings
        if one.verdict is Verdict.FAIL and one.measured.critical is not None
    }
    told = tuple(sorted(found))
    decided = sorted(found & alone)
    if decided and modalities:
        row = next(row for row in terms.rule_set.table("7.3/grades").rows if row["grade"] == WASTE)
        words = row["dr"] if modalities == {"DR"} else row["ct_mr"]
        return Graded(str(words), f"影像头事实构成危急缺陷 {'、'.join(decided)}", told)
    if not modalities:
        return Graded(None, "无 DR、CT、MR 影像，不评分", told)
    if found:
        return Graded(None, f"疑似危急缺陷 {'、'.join(told)} 须经人员确认；未作像素评价", told)
    return Graded(None, "仅评价了影像头与几何；评分表须像素检查与人员评阅后方可得出等级", told)
