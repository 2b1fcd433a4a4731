"""Clause 7.1.4: of what is stated and can be checked by machine, how much is right.

Seven groups of checks. A check answers `None` where the fact is absent or nothing can be compared
(presence is asked by clause 7.1.3), an empty text where the element is right, and otherwise the
code of what is wrong with it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from accord.dataquality.answers import Answer
from accord.dataquality.model import ReportState, Statements
from accord.identity.names import NameMatch, equal_names
from accord.standard import rule
from accord.standard.model import Effect, Finding, RuleSet

RULE = "R7.1.4"
KEY = "7.1.4/accuracy"
READINGS = ("RD-7.1.4-OFFICIAL", "RD-7.1.4-REGION", "RD-CONV-RATE")
RIGHT = ""
ICD10 = re.compile(r"(?<![A-Z0-9])[A-TV-Z][0-9][0-9AB](?:\.[0-9A-Z]+)?(?![A-Z0-9])")
EGFR = re.compile(r"E-?GFR[^0-9]*([0-9]+(?:\.[0-9]+)?)")
LEFT, RIGHT_SIDE = "左", "右"
SOUND_IDS = frozenset({"verified", "derived_birth_date"})
FAULTY_IDS = {"malformed": "ID_MALFORMED", "contradicts": "ID_CONTRADICTS"}
PREGNANT = frozenset({"妊娠", "可能妊娠", "是", "有", "阳性", "Y"})
MALE = "M"
SIGNED = frozenset({ReportState.FINAL, ReportState.AMENDED})
ENHANCED_WITHOUT = "AGENT_IN_PLAIN_ITEM"

Ask = Callable[[Statements, RuleSet], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one element."""

    group: str
    element: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found about an element that could be checked."""

    group: str
    element: str
    wrong: str

    @property
    def is_right(self) -> bool:
        """Say whether the element is accurate."""
        return not self.wrong


def checked(statements: Statements, rule_set: RuleSet) -> tuple[Checked, ...]:
    """Return every element that could be checked, each once: right if all its checks say so."""
    found: dict[tuple[str, str], str] = {}
    for check in CHECKS:
        answer = check.ask(statements, rule_set)
        if answer is not None:
            place = (check.group, check.element)
            found[place] = found.get(place) or answer
    return tuple(Checked(group, element, wrong) for (group, element), wrong in found.items())


@rule(RULE)
def is_accurate(statements: Statements, rule_set: RuleSet) -> Finding:
    """Pass when the share of right elements, of those that are stated and checkable, is enough.

    The machine's figure alone; the audited one comes from people. It never changes the advice.
    """
    elements = checked(statements, rule_set)
    right = sum(one.is_right for one in elements)
    because = {
        "accurate": right,
        "checkable": len(elements),
        "wrong": {one.element: one.wrong for one in elements if not one.is_right},
        "groups": _by_group(elements),
    }
    answer = Answer(RULE, rule_set, because, (KEY,), READINGS)
    if not elements:
        return answer.unknown("checkable element", effect=Effect.NOTE)
    if rule_set.number(KEY).is_met_by(Fraction(right, len(elements))):
        return answer.passes()
    return answer.tells_source("INACCURATE")


def _by_group(elements: Iterable[Checked]) -> dict[str, list[int]]:
    of_all = Counter(one.group for one in elements)
    of_right = Counter(one.group for one in elements if one.is_right)
    return {group: [of_right[group], of_all[group]] for group in sorted(of_all)}


def _says(holds: bool | None, wrong: str) -> str | None:
    """Return the answer of a check whose question is yes, no, or cannot be asked."""
    return None if holds is None else RIGHT if holds else wrong


def _folded(text: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", text or "").upper().split())


def _in_order(earlier: datetime | None, later: datetime | None) -> bool | None:
    return None if earlier is None or later is None else earlier <= later


def _agree(*values: object) -> bool | None:
    """Say whether at least two sources state something, and all state the same."""
    stated = [value for value in values if value not in {None, ""}]
    return len(set(stated)) == 1 if len(stated) > 1 else None


# ------------------------------------------------------------------ A1 医生检查申请信息
def _item(facts: Statements, _: RuleSet) -> str | None:
    return _says(facts.item_known, "ITEM_NOT_IN_DICTIONARY")


def _physician(facts: Statements, _: RuleSet) -> str | None:
    return _says(facts.physician_known, "PHYSICIAN_NOT_REGISTERED")


def _ordered(facts: Statements, _: RuleSet) -> str | None:
    return _says(_in_order(facts.ordered_at, facts.exam_start), "ORDERED_AFTER_EXAM")


def _diagnosis(facts: Statements, _: RuleSet) -> str | None:
    text = _folded(facts.diagnosis)
    return _says(bool(ICD10.search(text)), "DIAGNOSIS_NOT_CODED") if text else None


def _purpose(facts: Statements, _: RuleSet) -> str | None:
    purpose, item = _folded(facts.purpose), _folded(facts.item_text)
    return _says(purpose != item, "PURPOSE_REPEATS_ITEM") if purpose and item else None


# ------------------------------------------------------------------ A2 患者诉求信息
def _complaint(facts: Statements, rule_set: RuleSet) -> str | None:
    text = _folded(facts.complaint)
    if not text:
        return None
    placeholders = {_folded(row["value"]) for row in rule_set.table("7.1.3/placeholders").rows}
    if text in placeholders:
        return "PLACEHOLDER"
    return _says(rule_set.number("7.1.4/complaint_least").is_met_by(len(text)), "TOO_SHORT")


# ------------------------------------------------------------------ A3 预约登记信息
def _id_number(facts: Statements, _: RuleSet) -> str | None:
    state = facts.id_state or ""
    return RIGHT if state in SOUND_IDS else FAULTY_IDS.get(state)


def _name(facts: Statements, _: RuleSet) -> str | None:
    names = [side.name for side in (facts.registered, facts.header, facts.stated)]
    matches = [
        equal_names(one, other) for place, one in enumerate(names) for other in names[place + 1 :]
    ]
    known = [match for match in matches if match is not NameMatch.UNKNOWN]
    wrong = {NameMatch.DIFFERENT, NameMatch.NOT_A_READING}
    return _says(not wrong.intersection(known), "NAMES_DIFFER") if known else None


def _sex(facts: Statements, _: RuleSet) -> str | None:
    sides = (facts.registered, facts.header, facts.stated)
    return _says(_agree(*(side.sex for side in sides)), "SEXES_DIFFER")


def _born(facts: Statements, _: RuleSet) -> str | None:
    """Compare birth dates; the first of January stands for any day of its year."""
    sides = (facts.registered, facts.header, facts.stated)
    dates = [side.birth_date for side in sides if side.birth_date is not None]
    if not dates[1:]:
        return None
    whole = {day for day in dates if (day.month, day.day) != (1, 1)}
    years = {day.year for day in dates}
    return _says(not (whole - {min(whole, default=None)}) and len(years) == 1, "BIRTH_DATES_DIFFER")


def _local_id(facts: Statements, _: RuleSet) -> str | None:
    sides = (facts.registered, facts.header, facts.stated)
    return _says(_agree(*(side.patient_id for side in sides)), "PATIENT_IDS_DIFFER")


def _accession(facts: Statements, _: RuleSet) -> str | None:
    sides = (facts.registered, facts.header, facts.stated)
    return _says(_agree(*(side.accession for side in sides)), "ACCESSIONS_DIFFER")


def _accession_is_unique(facts: Statements, _: RuleSet) -> str | None:
    uses = facts.accession_uses
    return _says(uses == 1, "ACCESSION_USED_TWICE") if uses else None


def _study_uid(facts: Statements, _: RuleSet) -> str | None:
    sides = (facts.registered, facts.header, facts.stated)
    return _says(_agree(*(side.study_uid for side in sides)), "STUDY_UIDS_DIFFER")


def _registered(facts: Statements, _: RuleSet) -> str | None:
    return _says(_in_order(facts.registered_at, facts.exam_start), "REGISTERED_AFTER_EXAM")


# ------------------------------------------------------------------ A4 护理准备评估信息
def _weight(facts: Statements, rule_set: RuleSet) -> str | None:
    if facts.weight_kg is None:
        return None
    weight = Decimal(str(facts.weight_kg))
    limits = ("7.1.4/weight_from", "7.1.4/weight_to")
    return _says(all(rule_set.number(key).is_met_by(weight) for key in limits), "OUT_OF_RANGE")


def _renal(facts: Statements, rule_set: RuleSet) -> str | None:
    found = EGFR.search(_folded(facts.renal_function))
    if found is None:
        return None
    value = Decimal(found.group(1))
    limits = ("7.1.4/egfr_from", "7.1.4/egfr_to")
    return _says(all(rule_set.number(key).is_met_by(value) for key in limits), "OUT_OF_RANGE")


def _coded(text: str | None, rule_set: RuleSet) -> str | None:
    folded = _folded(text)
    codes = {_folded(row["value"]) for row in rule_set.table("7.1.4/coded_answers").rows}
    return _says(folded in codes, "ANSWER_NOT_CODED") if folded else None


def _pregnancy(facts: Statements, rule_set: RuleSet) -> str | None:
    sex = facts.registered.sex or facts.header.sex
    if sex == MALE and _folded(facts.pregnancy) in PREGNANT:
        return "PREGNANT_MAN"
    return _coded(facts.pregnancy, rule_set)


def _allergy(facts: Statements, rule_set: RuleSet) -> str | None:
    return _coded(facts.allergy, rule_set)


def _implants(facts: Statements, rule_set: RuleSet) -> str | None:
    return _coded(facts.implants, rule_set)


# ------------------------------------------------------------------ A5 技师采集参数信息
def _acquired(facts: Statements, _: RuleSet) -> str | None:
    """Acquisition ends after it starts and before its images are received: else a clock is off."""
    order = (
        _in_order(facts.exam_start, facts.exam_end),
        _in_order(facts.exam_end, facts.received_at),
    )
    known = [one for one in order if one is not None]
    return _says(all(known), "ACQUISITION_TIME_IMPOSSIBLE") if known else None


def _device(facts: Statements, _: RuleSet) -> str | None:
    return _says(facts.device_known, "DEVICE_NOT_REGISTERED")


def _within(element: str) -> Ask:
    """Return the check that the parameters of an element lie in the range of the modality."""

    def ask(facts: Statements, rule_set: RuleSet) -> str | None:
        answers = [
            _is_between(facts.measures[row["keyword"]], row["least"], row["most"])
            for row in rule_set.table("7.1.4/ranges").rows
            if (row["element"], row["modality"]) == (element, facts.modality)
            and facts.measures.get(row["keyword"])
        ]
        return _says(all(answers), "OUT_OF_RANGE") if answers else None

    return ask


def _is_between(text: str, least: Decimal, most: Decimal) -> bool:
    """Say whether every value of an element lies between two ends; what is no number does not."""
    try:
        values = [Decimal(part) for part in text.split("\\")]
    except InvalidOperation:
        return False
    return all(value.is_finite() and least <= value <= most for value in values)


def _agent(facts: Statements, _: RuleSet) -> str | None:
    if not facts.agent or facts.item_is_plain is None:
        return None
    return _says(not facts.item_is_plain, ENHANCED_WITHOUT)


def _side(facts: Statements, _: RuleSet) -> str | None:
    sides = (facts.header.side, facts.item_side, facts.order_side, facts.stated.side)
    return _says(_agree(*sides), "SIDES_DIFFER")


# ------------------------------------------------------------------ A6 医师诊断结论信息
def _organs(text: str | None, facts: Statements, rule_set: RuleSet) -> str | None:
    """Return whether a text names no organ of the other sex; unknown where sex or text is."""
    sex = facts.registered.sex or facts.header.sex
    organs = rule_set.table("7.1.4/sex_organs").rows
    if not text or sex not in {row["sex"] for row in organs}:
        return None
    other = [row["word"] for row in organs if row["sex"] != sex and row["word"] in text]
    return _says(not other, "ORGAN_OF_THE_OTHER_SEX")


def _findings(facts: Statements, rule_set: RuleSet) -> str | None:
    return _organs(facts.findings, facts, rule_set)


def _impression(facts: Statements, rule_set: RuleSet) -> str | None:
    return _organs(facts.impression, facts, rule_set)


def _impression_side(facts: Statements, _: RuleSet) -> str | None:
    """Compare the sides that findings and impression name, where each names just one."""
    found, concluded = _only_side(facts.findings), _only_side(facts.impression)
    return _says(_agree(found, concluded), "SIDE_OF_FINDINGS_DIFFERS")


def _only_side(text: str | None) -> str | None:
    named = [side for side in (LEFT, RIGHT_SIDE) if side in (text or "")]
    return named[0] if len(named) == 1 else None


def _part(facts: Statements, _: RuleSet) -> str | None:
    one, other = facts.item_part, facts.report_part
    return _says(one in other or other in one, "PARTS_DIFFER") if one and other else None


def _positive(facts: Statements, rule_set: RuleSet) -> str | None:
    """Compare flag and words: a positive impression says more than that nothing was found."""
    text = facts.impression or ""
    if facts.positive is None or not text:
        return None
    normal = [row["word"] for row in rule_set.table("7.1.4/normal_words").rows]
    clauses = [part for part in re.split(r"[,，;；。.\s]+", text) if part]
    calm = [any(word in clause for word in normal) for clause in clauses]
    if facts.positive:
        return _says(not all(calm), "POSITIVE_WITHOUT_FINDING")
    return _says(any(calm), "NEGATIVE_WITH_FINDING")


def _verifier(facts: Statements, _: RuleSet) -> str | None:
    author, verifier = _folded(facts.author), _folded(facts.verifier)
    if not author or not verifier:
        return None
    return _says(author != verifier or facts.may_verify_own, "VERIFIED_BY_THE_AUTHOR")


def _report_times(facts: Statements, _: RuleSet) -> str | None:
    order = (
        _in_order(facts.exam_end, facts.authored_at),
        _in_order(facts.authored_at, facts.verified_at),
    )
    known = [one for one in order if one is not None]
    return _says(all(known), "REPORT_TIMES_IMPOSSIBLE") if known else None


# ------------------------------------------------------------------ A7 影像检查结果发布信息
def _state(facts: Statements, _: RuleSet) -> str | None:
    """A final report was verified; a 急诊报告 was written by somebody at some time."""
    if facts.report in SIGNED:
        return _says(facts.verified_at is not None, "FINAL_WITHOUT_VERIFICATION")
    if facts.report is ReportState.EMERGENCY:
        return _says(facts.authored_at is not None, "EMERGENCY_WITHOUT_AUTHOR_TIME")
    return None


def _released(facts: Statements, _: RuleSet) -> str | None:
    before = [
        moment
        for moment in (facts.verified_at, facts.authored_at, facts.exam_end)
        if moment is not None
    ]
    if facts.released_at is None or not before:
        return None
    return _says(facts.released_at >= max(before), "RELEASED_TOO_EARLY")


def _critical(facts: Statements, _: RuleSet) -> str | None:
    return (
        _says(facts.critical_told_at is not None, "CRITICAL_NOT_TOLD") if facts.critical else None
    )


MEASURED = ("C5.7", "C5.8", "C5.9", "C5.11", "C5.12", "C5.14", "C5.16", "C5.18", "C5.19")

CHECKS = (
    Check("A1", "C1.2", _ordered),
    Check("A1", "C1.4", _physician),
    Check("A1", "C1.5", _item),
    Check("A1", "C1.6", _diagnosis),
    Check("A1", "C1.7", _purpose),
    Check("A2", "C1.8", _complaint),
    Check("A3", "C2.1", _name),
    Check("A3", "C2.2", _sex),
    Check("A3", "C2.3", _born),
    Check("A3", "C2.4", _local_id),
    Check("A3", "C2.5", _id_number),
    Check("A3", "C3.1", _accession),
    Check("A3", "C3.1", _accession_is_unique),
    Check("A3", "C3.2", _study_uid),
    Check("A3", "C3.3", _registered),
    Check("A4", "C4.2", _pregnancy),
    Check("A4", "C4.3", _allergy),
    Check("A4", "C4.4", _renal),
    Check("A4", "C4.6", _weight),
    Check("A4", "C4.7", _implants),
    Check("A5", "C5.2", _acquired),
    Check("A5", "C5.3", _device),
    *(Check("A5", element, _within(element)) for element in MEASURED),
    Check("A5", "C5.15", _agent),
    Check("A5", "C7.3", _side),
    Check("A6", "C8.1", _findings),
    Check("A6", "C8.1", _part),
    Check("A6", "C8.2", _impression),
    Check("A6", "C8.2", _impression_side),
    Check("A6", "C8.4", _verifier),
    Check("A6", "C8.5", _report_times),
    Check("A6", "C9.1", _positive),
    Check("A7", "C9.2", _critical),
    Check("A7", "C10.1", _state),
    Check("A7", "C10.2", _released),
)
"""In the order of the groups; an element with several checks is right when all agree."""
