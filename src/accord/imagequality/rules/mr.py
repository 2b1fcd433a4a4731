"""Clause 7.3.3.3: MR series run one way per plane, joints and spine in several planes (R7.3-5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from accord.imagequality.evidence import QualityEvidence, SeriesEvidence
from accord.imagequality.model import Terms
from accord.standard import rule
from accord.standard.model import Effect, Finding, Outcome, Severity

RULE = "R7.3-5"
READINGS = ("RD-7.3-MR",)
LEAST = "7.3/planes_least"
STATED = {"sagittal": "-x", "coronal": "+y", "axial": "-z"}
"""从左往右、从前往后、从上往下 in patient axes: +x is the patient's left, +y back, +z head."""


@rule(RULE)
def is_shown_one_way(evidence: QualityEvidence, terms: Terms) -> Finding:
    """Pass when the series of each plane run in one direction and the part has enough planes.

    A study that runs wholly against the stated directions is consistent: a pass with a note.
    Where nobody says what part it is, the number of planes is not asked.
    """
    if evidence.modality != "MR":
        return _answer(terms, Outcome.NOT_APPLICABLE, {"why": "not an MR examination"})
    found = directions(evidence.series)
    if not found:
        return _answer(terms, Outcome.NOT_EVALUABLE, {"missing": ["plane and direction"]})
    because: dict[str, object] = {
        "directions": {plane: sorted(ways) for plane, ways in found.items()},
        "planes": sorted(planes(evidence.series)),
        "many planes": evidence.many_planes,
    }
    if differing(found):
        return _answer(terms, Outcome.FAIL, because, code="DIRECTION_DIFFERS")
    enough = has_volume(evidence.series) or terms.rule_set.is_met(
        LEAST, len(planes(evidence.series))
    )
    if evidence.many_planes and not enough:
        return _answer(terms, Outcome.FAIL, because, code="PLANES_MISSING")
    if reversed_planes(found):
        note = "各序列方向一致，但与左→右、前→后、上→下相反"
        return _answer(terms, Outcome.PASS, because, code="DIRECTION_REVERSED", note=note)
    return _answer(terms, Outcome.PASS, because)


def directions(series: Iterable[SeriesEvidence]) -> Mapping[str, set[str]]:
    """Return the directions met in each plane; oblique series have none."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in series:
        if one.plane in STATED and one.direction is not None:
            found[one.plane].add(one.direction)
    return dict(found)


def differing(found: Mapping[str, set[str]]) -> list[str]:
    """Name the planes in which series run in opposite directions."""
    return sorted(plane for plane, ways in found.items() if len(ways) > 1)


def reversed_planes(found: Mapping[str, set[str]]) -> list[str]:
    """Name the planes in which all series run against the stated direction."""
    return sorted(plane for plane, ways in found.items() if ways == {_turned(STATED[plane])})


def planes(series: Iterable[SeriesEvidence]) -> set[str]:
    """Return the planes that the series show, oblique ones as one more."""
    return {one.plane for one in series if one.plane is not None}


def has_volume(series: Iterable[SeriesEvidence]) -> bool:
    """Say whether a series can be read in every plane."""
    return any(one.is_volume for one in series)


def _turned(direction: str) -> str:
    return direction.replace("-", "+") if "-" in direction else direction.replace("+", "-")


def _answer(
    terms: Terms,
    outcome: Outcome,
    because: Mapping[str, object],
    *,
    code: str | None = None,
    note: str | None = None,
) -> Finding:
    failed = outcome is Outcome.FAIL
    severity = terms.rule_set.rule(RULE).severity if failed else Severity.MINOR if code else None
    return Finding(
        RULE,
        outcome,
        because,
        effect=Effect.SOURCE if failed else Effect.NOTE if code else None,
        severity=severity,
        code=code,
        numbers={LEAST: terms.rule_set.number(LEAST).value},
        readings=READINGS,
        note=note,
    )
