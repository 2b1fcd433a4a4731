"""R-ID-1 as a finding: whether two records are one person; its reasons never name a value."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from accord.identity.model import PatientRecord, Same
from accord.identity.rules.persons import compare, facts_of
from accord.standard import rule
from accord.standard.model import Effect, Finding, Outcome, RuleSet

UNKNOWN: Final = frozenset({"no_strong_id", "birth_date_missing", "name_missing", "unidentified"})
"""Reasons that say that a fact is missing, and not that two facts differ."""


@dataclass(frozen=True, kw_only=True)
class TwoRecords:
    """Two patient records that may be one person.

    Attributes:
        linked_by_source: One assigning authority links or merges them in its own feed.
        on: Day of the comparison, for the ages that numbers state.
    """

    one: PatientRecord
    other: PatientRecord
    linked_by_source: bool = False
    on: date


@rule("R-ID-1")
def is_one_person(records: TwoRecords, rule_set: RuleSet) -> Finding:
    """Pass only where it is certain; everything else is for people and shows nothing.

    Equal patient ids of two authorities mean nothing, and a contradiction beside an equal strong
    id is no link.
    """
    one, other = records.one, records.other
    by_source = records.linked_by_source and one.authority == other.authority
    verdict = compare(
        facts_of(one, records.on), facts_of(other, records.on), linked_by_source=by_source
    )
    because = {"same": verdict.same, "reasons": verdict.because}
    readings = ("RD-ID-CERTAIN",)
    if verdict.same is Same.CERTAIN:
        return Finding("R-ID-1", Outcome.PASS, because, readings=readings)
    contradicted = verdict.same is Same.CONTRADICTED
    unknown = bool(UNKNOWN & set(verdict.because)) and not contradicted
    return Finding(
        "R-ID-1",
        Outcome.NOT_EVALUABLE if unknown else Outcome.FAIL,
        because,
        effect=Effect.GATE,
        severity=rule_set.rule("R-ID-1").severity,
        code="IDENTITY_CONTRADICTED" if contradicted else "IDENTITY_NOT_CERTAIN",
        readings=readings,
    )
