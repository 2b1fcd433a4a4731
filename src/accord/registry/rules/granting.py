"""When a qualification may be granted (R9.1-1, RD-9.1-BASIS; rank by R6.4-2 and D16)."""

import re
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta

from accord.registry.model import (
    Basis,
    CentreRank,
    Inspection,
    Institution,
    QCCentre,
    Qualification,
)
from accord.registry.rules.scopes import Families, contains

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Limits:
    """Numbers of the standard that a grant is held against.

    Attributes:
        transitional_months: How long a transitional qualification may last at most.
        least_level: Level from which the higher rank is asked.
        rank: Least rank of the centre for institutions of that level and above.
        rank_below: Least rank of the centre for institutions below.
    """

    transitional_months: int
    least_level: int
    rank: CentreRank
    rank_below: CentreRank


@dataclass(frozen=True)
class Application:
    """Everything that decides whether a qualification may be granted.

    Attributes:
        institution: As it stands on the first day of the qualification; None if unknown.
        centre: As it stands on that day; None for a transitional one, or if unknown.
        inspection: The record it names; None if there is none.
    """

    qualification: Qualification
    institution: Institution | None
    centre: QCCentre | None
    inspection: Inspection | None
    families: Families
    limits: Limits


def least_rank(institution: Institution, limits: Limits) -> CentreRank:
    """Return the least rank of the centre behind a qualification of such an institution."""
    return limits.rank if institution.level.rank >= limits.least_level else limits.rank_below


def reasons_against(application: Application) -> tuple[str, ...]:
    """Return every reason why it cannot be granted, as sentences; none means it can."""
    asked = application.qualification
    reasons: list[str] = []
    if application.institution is None:
        reasons.append(f"机构 {asked.institution} 在 {asked.valid_from} 未登记")
    if not application.families.items_of(asked.scope_kind, asked.scope_value):
        reasons.append(f"资格范围「{asked.scope_value}」不是附录A的项目、项目组或类别")
    if asked.valid_to is not None and asked.valid_to <= asked.valid_from:
        reasons.append("资格终止日期须晚于起始日期")
    if asked.basis is Basis.INSPECTION:
        reasons.extend(_against_centre(application))
        reasons.extend(_against_inspection(application))
    else:
        reasons.extend(_against_transitional(application))
    return tuple(reasons)


def _against_centre(application: Application) -> list[str]:
    asked, centre = application.qualification, application.centre
    if centre is None:
        return [f"质控中心「{asked.centre}」在 {asked.valid_from} 未登记"]
    if application.institution is None:
        return []
    least = least_rank(application.institution, application.limits)
    if centre.rank.height >= least.height:
        return []
    level = application.institution.level
    return [f"质控中心级别不足：{level}机构须由{_RANK_WORDS[least]}及以上质控中心评价"]


def _against_inspection(application: Application) -> list[str]:
    asked, record = application.qualification, application.inspection
    if record is None:
        return ["没有线下质量抽查记录，也不是过渡资格，不能授予"]
    reasons = []
    if not record.passed:
        reasons.append("线下质量抽查结论为不合格")
    if record.institution != asked.institution or record.centre != asked.centre:
        reasons.append("线下质量抽查记录不属于该机构或该质控中心")
    if not contains(
        application.families,
        (record.scope_kind, record.scope_value),
        (asked.scope_kind, asked.scope_value),
    ):
        reasons.append(f"线下质量抽查范围「{record.scope_value}」未覆盖「{asked.scope_value}」")
    if record.concluded_on > asked.valid_from:
        reasons.append("资格起始日期早于线下质量抽查结论日期")
    return reasons


def _against_transitional(application: Application) -> list[str]:
    asked = application.qualification
    months = application.limits.transitional_months
    reasons = []
    if not asked.notice.strip():
        reasons.append("过渡资格须写明依据的通知")
    if not _SHA256.fullmatch(asked.list_hash):
        reasons.append("过渡资格须附名单文件的 SHA-256 值")
    latest = asked.valid_from + relativedelta(months=months)
    if asked.valid_to is None or asked.valid_to > latest:
        reasons.append(f"过渡资格须有终止日期，且不超过 {months} 个月")
    return reasons


_RANK_WORDS = {
    CentreRank.NATIONAL: "国家级",
    CentreRank.PROVINCIAL: "省级",
    CentreRank.PREFECTURE: "地市级",
    CentreRank.COUNTY: "县级",
}
