"""Clause 7.1.3: which elements a study carries, and how complete it is."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from accord import standard
from accord.dataquality.answers import Answer
from accord.dataquality.model import SourceName, StudyEvidence, Value
from accord.standard import rule
from accord.standard.fields import Condition, Element
from accord.standard.model import Finding, RuleSet, Severity

PRESENT = "R7.1.3-0"
COMPLETE = "R7.1.3"
SIDE = "C7.3"
OF_THE_REPORT = frozenset({"C8", "C9", "C10"})
IMAGING = {"DR": Condition.DR, "CT": Condition.CT, "MR": Condition.MR}
RADIATION = frozenset({"DR", "CT"})


@dataclass(frozen=True, slots=True)
class Presence:
    """Which elements of one study are applicable, and which of them are present.

    Args:
        found: Present elements, each with the source that was used.
        missing: Applicable elements that no source carries with content.
        excused: Elements that the device cannot send.
    """

    found: Mapping[str, SourceName | str]
    missing: tuple[str, ...]
    excused: tuple[str, ...]

    @property
    def applicable(self) -> int:
        """Number of applicable elements, the denominator."""
        return len(self.found) + len(self.missing)

    @property
    def hard_missing(self) -> tuple[str, ...]:
        """Missing elements without which nothing is recognised."""
        return tuple(name for name in self.missing if standard.element(name).hard)


def presence(evidence: StudyEvidence, rule_set: RuleSet) -> Presence:
    """Decide for every element whether it applies and whether any source carries it."""
    reader = _Reader.of(rule_set)
    holding = conditions(evidence, rule_set)
    judged_report = evidence.report is not None and evidence.report.is_released
    excuses = _excuses(evidence)
    found: dict[str, SourceName | str] = {}
    missing, excused = [], []
    for element in standard.elements().values():
        if not element.applies(holding) or (element.group in OF_THE_REPORT and not judged_report):
            continue
        source = _side_source(evidence) if element.id == SIDE else reader.source(element, evidence)
        if source is not None:
            found[element.id] = source
        elif element.id in excuses:
            excused.append(element.id)
        else:
            missing.append(element.id)
    return Presence(found, tuple(missing), tuple(excused))


def conditions(evidence: StudyEvidence, rule_set: RuleSet) -> frozenset[Condition]:
    """Return the conditions of elements that hold for a study; what is unknown does not hold."""
    holding = {
        Condition.CONTRAST: evidence.enhanced,
        Condition.BOOKED: evidence.booked,
        Condition.PAIRED: evidence.paired,
        Condition.LISTED: evidence.listed,
        Condition.PREGNANCY: _may_be_pregnant(evidence, rule_set),
    }
    imaging = {IMAGING[evidence.modality]} if evidence.modality in IMAGING else set()
    return frozenset({condition for condition, holds in holding.items() if holds} | imaging)


def _may_be_pregnant(evidence: StudyEvidence, rule_set: RuleSet) -> bool:
    regions = {row["region"] for row in rule_set.table("7.1.3/pregnancy_regions").rows}
    return (
        evidence.sex == "F"
        and evidence.age is not None
        and rule_set.number("7.1.3/pregnancy_age_from").is_met_by(evidence.age)
        and rule_set.number("7.1.3/pregnancy_age_to").is_met_by(evidence.age)
        and evidence.modality in RADIATION
        and evidence.region in regions
    )


def _excuses(evidence: StudyEvidence) -> frozenset[str]:
    """Return the elements excused on the examination day; a review day passed ends them."""
    day, until = evidence.examined_on, evidence.excused_until
    in_time = day is not None and until is not None and day < until
    return evidence.excused if in_time else frozenset()


def _side_source(evidence: StudyEvidence) -> SourceName | str | None:
    """Return who names the side; none when nobody does or two contradict each other."""
    named: dict[SourceName | str, str | None] = {
        SourceName.ORDER: evidence.order_side,
        SourceName.REPORT: evidence.stated.side,
        SourceName.HEADER: evidence.header.side,
        "item": evidence.item_side,
    }
    sides = {source: side for source, side in named.items() if side}
    return next(iter(sides)) if len(set(sides.values())) == 1 else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Tells content from blanks and placeholders, by the tables of clause 7.1.3."""

    placeholders: frozenset[str]
    negatives: Mapping[str, frozenset[str]]
    registered: frozenset[str]
    trusted: tuple[SourceName, ...]

    @classmethod
    def of(cls, rule_set: RuleSet) -> "_Reader":
        table = rule_set.table
        return cls(
            placeholders=frozenset(
                _folded(row["value"]) for row in table("7.1.3/placeholders").rows
            ),
            negatives={
                row["element"]: frozenset(map(_folded, row["values"]))
                for row in table("7.1.3/negatives").rows
            },
            registered=frozenset(row["element"] for row in table("7.1.3/from_registration").rows),
            trusted=tuple(SourceName(row["source"]) for row in table("7.1.3/sources").rows),
        )

    def source(self, element: Element, evidence: StudyEvidence) -> SourceName | None:
        """Return the most trusted source that completes an element; parts may come from several.

        A registration speaks only for the elements it may stand in for.
        """
        needed = set(range(len(element.parts) or 1))
        last = None
        for source in self.trusted:
            if source is SourceName.REGISTRATION and element.id not in self.registered:
                continue
            value = evidence.elements.get(source, {}).get(element.id)
            gained = set(self._filled(element, value)) & needed
            if gained:
                needed -= gained
                last = source
            if not needed:
                return last
        return None

    def _filled(self, element: Element, value: Value | None) -> Iterator[int]:
        texts: Iterable[str] = (value,) if isinstance(value, str) else value or ()
        for place, text in enumerate(texts):
            folded = _folded(text)
            negative = folded in self.negatives.get(element.id, frozenset())
            if folded and (negative or folded not in self.placeholders):
                yield place


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(char for char in folded if not char.isspace())


@rule(PRESENT)
def is_present(evidence: StudyEvidence, rule_set: RuleSet) -> Finding:
    """Pass when every applicable element is present from any source with real content.

    Names the missing ones; what that means for the study is for R7.1.3 to say. C8, C9 and C10
    are not asked before the final report (RD-6.5-PENDING).
    """
    found = presence(evidence, rule_set)
    sources = Counter(str(source) for source in found.found.values())
    because = {"missing": found.missing, "excused": found.excused, "sources": dict(sources)}
    readings = ("RD-7.1.3-SOURCE", "RD-7.1.3-PLACEHOLDER", "RD-7.1.3-PREG")
    answer = Answer(PRESENT, rule_set, because, readings=readings)
    if evidence.modality is None:
        return answer.unknown("modality")
    if found.missing:
        return answer.notes("ELEMENT_MISSING", Severity.MINOR)
    return answer.passes()


@rule(COMPLETE)
def is_complete(evidence: StudyEvidence, rule_set: RuleSet) -> Finding:
    """Pass when all hard elements and the share of clause 7.1.3 of all applicable ones are there.

    A missing hard element shuts the advice; a low share with all hard ones counts against the
    source, or shuts the advice where the site has switched that on.
    """
    found = presence(evidence, rule_set)
    limit = rule_set.number("7.1.3/completeness")
    because = {
        "filled": len(found.found),
        "applicable": found.applicable,
        "hard_missing": found.hard_missing,
        "thin_groups": _thin_groups(found, rule_set),
    }
    numbers = ("7.1.3/completeness", "7.1.3/group_warning")
    readings = ("RD-7.1.3-RATE", "RD-6.5-GATE", "RD-CONV-RATE")
    answer = Answer(COMPLETE, rule_set, because, numbers, readings)
    if evidence.modality is None or not found.applicable:
        return answer.unknown("modality")
    if found.hard_missing:
        return answer.gates("HARD_ELEMENT_MISSING")
    if limit.is_met_by(Fraction(len(found.found), found.applicable)):
        return answer.passes()
    if rule_set.is_on("gate_study_completeness"):
        return answer.gates("INCOMPLETE")
    return answer.tells_source("INCOMPLETE")


def by_group(evidence: StudyEvidence, rule_set: RuleSet) -> dict[str, list[int]]:
    """Return filled and applicable elements of each group that applies to a study."""
    found = presence(evidence, rule_set)
    filled = Counter(standard.element(name).group for name in found.found)
    missing = Counter(standard.element(name).group for name in found.missing)
    return {
        group: [filled[group], filled[group] + missing[group]]
        for group in standard.groups()
        if filled[group] + missing[group]
    }


def _thin_groups(found: Presence, rule_set: RuleSet) -> list[str]:
    """Return the groups below their own share, a warning and no failure."""
    least = rule_set.number("7.1.3/group_warning")
    filled = Counter(standard.element(name).group for name in found.found)
    missing = Counter(standard.element(name).group for name in found.missing)
    return [
        group
        for group in standard.groups()
        if missing[group]
        and not least.is_met_by(Fraction(filled[group], filled[group] + missing[group]))
    ]
