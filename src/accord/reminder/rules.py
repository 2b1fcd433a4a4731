"""Clauses 6.6-3 and 6.6-4 as pure answers: the citation's four parts, the duty to inform."""

from dataclasses import dataclass
from datetime import datetime

from accord.standard import rule
from accord.standard.model import Effect, Finding, Outcome, RuleSet, Severity

EMERGENCY_GROUND = "NR07"


@dataclass(frozen=True, kw_only=True)
class CitationNote:
    """What an acceptance writes into the record; the four parts of R6.6-3 and their halves.

    Attributes:
        result: 检查结果.
        performer: 检查机构名称 of who performed it.
        reported_elsewhere: Whether another institution reported it.
        reporter: Name of that institution.
        exam_time: 检查时间, the end of acquisition.
        cited_by, cited_at, study_uid, link: 引用记录: who, when, which study, where it opens.
    """

    result: str | None = None
    performer: str | None = None
    reported_elsewhere: bool = False
    reporter: str | None = None
    exam_time: datetime | None = None
    cited_by: str | None = None
    cited_at: datetime | None = None
    study_uid: str | None = None
    link: str | None = None


PARTS = {
    "result": "检查结果",
    "performer": "检查机构名称",
    "reporter": "报告机构名称",
    "exam_time": "检查时间",
    "cited_by": "引用医师",
    "cited_at": "引用时间",
    "study_uid": "原检查标识",
    "link": "原检查链接",
}


@rule("R6.6-3")
def has_four_parts(note: CitationNote, rule_set: RuleSet) -> Finding:
    """Pass when result, institution, time and citation record are all filled.

    White space is not filled. The reporter's name is asked for only where another institution
    reported. A miss means that nothing is written.
    """
    missing = [
        name
        for name in PARTS
        if (name != "reporter" or note.reported_elsewhere) and not _is_filled(getattr(note, name))
    ]
    if not missing:
        return Finding("R6.6-3", Outcome.PASS, {"parts": tuple(PARTS.values())})
    return Finding(
        "R6.6-3",
        Outcome.FAIL,
        {"missing": tuple(missing), "words": tuple(PARTS[name] for name in missing)},
        effect=Effect.GATE,
        severity=rule_set.rule("R6.6-3").severity,
        code="CITATION_INCOMPLETE",
    )


def _is_filled(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """A decision that repeats an examination, as the duty to inform sees it.

    Attributes:
        refused: The prior is not used and the examination is done again.
        on_card: The prior is EQUAL or COVERS and was shown by card.
        duty: The card carried a duty (MUST) that nothing lifted.
        grounds: Grounds given or found.
        informed: An informing record exists.
        visit_open: Whether the encounter is still open; unknown is None.
    """

    refused: bool
    on_card: bool
    duty: bool
    grounds: tuple[str, ...] = ()
    informed: bool = False
    visit_open: bool | None = None


@rule("R6.6-4")
def is_informed(repeat: Repeat, rule_set: RuleSet) -> Finding:
    """Pass when every repeat of a prior shown by card has its informing record.

    Missing weighs MAJOR under a duty, MINOR otherwise; with NR07 it may follow until the
    encounter closes (RD-6.6-INFORM).
    """
    because = {"on_card": repeat.on_card, "duty": repeat.duty, "grounds": repeat.grounds}
    if not (repeat.refused and repeat.on_card):
        return Finding("R6.6-4", Outcome.NOT_APPLICABLE, because)
    if repeat.informed:
        return Finding("R6.6-4", Outcome.PASS, because)
    if EMERGENCY_GROUND in repeat.grounds and repeat.visit_open is not False:
        return Finding(
            "R6.6-4",
            Outcome.NOT_EVALUABLE,
            {**because, "open_until": "the encounter closes"},
            code="INFORMING_OPEN",
            readings=("RD-6.6-INFORM",),
        )
    return Finding(
        "R6.6-4",
        Outcome.FAIL,
        because,
        effect=Effect.NOTE,
        severity=rule_set.rule("R6.6-4").severity if repeat.duty else Severity.MINOR,
        code="INFORMING_MISSING",
        readings=("RD-6.6-INFORM",),
    )
