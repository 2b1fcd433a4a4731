"""Clause 7.3.2.3: CT slices complete and in order, resolving power, phases (R7.3-4)."""

from accord.imagequality import geometry
from accord.imagequality.evidence import QualityEvidence, SeriesEvidence
from accord.imagequality.model import Terms
from accord.imagequality.views import tolerances
from accord.standard import rule
from accord.standard.model import Effect, Finding, Outcome

RULE = "R7.3-4"
READINGS = ("RD-7.3-CT",)
GAP = "7.3/gap_factor"
THIN = "7.3/thin_slice"


@rule(RULE)
def is_complete_and_in_order(evidence: QualityEvidence, terms: Terms) -> Finding:
    """Pass when no slice is missing, doubled, displaced or out of order, and phases are stated.

    A thick series never fails: without a thin one or a device test the pass carries a note.
    """
    if evidence.modality != "CT":
        return _answer(terms, Outcome.NOT_APPLICABLE, {"why": "not a CT examination"})
    if not evidence.series:
        return _answer(terms, Outcome.NOT_EVALUABLE, {"missing": ["slice positions"]})
    because: dict[str, object] = {
        "gaps": sum(_gaps(one, terms) for one in evidence.series),
        "duplicates": sum(_doubled(one, terms) for one in evidence.series),
        "displaced": sum(one.displaced for one in evidence.series),
        "turns": sum(_turns(one, terms) for one in evidence.series),
        "phases not stated": _unstated(evidence),
        "thinnest_mm": min(
            (one.thickness_mm for one in evidence.series if one.thickness_mm is not None),
            default=None,
        ),
        "device_test": evidence.device_test,
    }
    faults = (
        ("gaps", "SLICE_MISSING"),
        ("displaced", "SLICE_DISPLACED"),
        ("turns", "SLICES_OUT_OF_ORDER"),
        ("duplicates", "SLICE_DUPLICATED"),
        ("phases not stated", "PHASE_NOT_STATED"),
    )
    for name, code in faults:
        if because[name]:
            return _answer(terms, Outcome.FAIL, because, code=code)
    if not all(one.is_numbered for one in evidence.series):
        because["missing"] = ["instance numbers"]
        return _answer(terms, Outcome.NOT_EVALUABLE, because)
    return _passes(evidence, terms, because)


def _passes(evidence: QualityEvidence, terms: Terms, because: dict[str, object]) -> Finding:
    limit = float(terms.rule_set.millimetres(THIN))
    has_thin = any(
        one.thickness_mm is not None and one.thickness_mm <= limit for one in evidence.series
    )
    if has_thin and evidence.device_test is True:
        return _answer(terms, Outcome.PASS, because)
    code = "NO_THIN_SERIES" if not has_thin else "NO_DEVICE_TEST"
    note = "分辨力未证明：无≤1mm薄层序列" if not has_thin else "分辨力未证明：无设备检测记录"
    return _answer(terms, Outcome.PASS, because, code=code, note=note)


def _answer(
    terms: Terms,
    outcome: Outcome,
    because: dict[str, object],
    *,
    code: str | None = None,
    note: str | None = None,
) -> Finding:
    failed = outcome is Outcome.FAIL
    effect = Effect.SOURCE if failed else Effect.NOTE if code else None
    return Finding(
        RULE,
        outcome,
        because,
        effect=effect,
        severity=terms.rule_set.rule(RULE).severity if failed else None,
        code=code,
        numbers={key: terms.rule_set.number(key).value for key in (GAP, THIN)},
        readings=READINGS,
        note=note,
    )


def _gaps(one: SeriesEvidence, terms: Terms) -> int:
    factor = float(terms.rule_set.factor(GAP))
    told = tolerances(terms)
    return sum(len(geometry.gaps(_apart(stack, terms), factor, told)) for stack in one.stacks)


def _apart(stack: tuple[float, ...], terms: Terms) -> list[float]:
    """Return the places of a stack in ascending order, each once."""
    least = terms.limit("same_position_mm")
    places: list[float] = []
    for at in sorted(stack):
        if not places or at - places[-1] > least:
            places.append(at)
    return places


def _doubled(one: SeriesEvidence, terms: Terms) -> int:
    inside = sum(len(stack) - len(_apart(stack, terms)) for stack in one.stacks)
    return one.repeated + inside


def _turns(one: SeriesEvidence, terms: Terms) -> int:
    if not one.is_numbered:
        return 0
    told = tolerances(terms)
    return sum(len(geometry.out_of_order(stack, told)) for stack in one.stacks)


def _unstated(evidence: QualityEvidence) -> list[str]:
    """Name the contrast series that state neither phase nor delay."""
    if evidence.enhanced is not True:
        return []
    return [
        one.uid
        for one in evidence.series
        if one.has_contrast and one.phase is None and not one.has_delay
    ]
