"""Clause 6.2: which institutions, and between which of them there is a duty.

Level, list and consortium of the source are the performer's; the reporter is asked only for the
list on the report day and never raises the advice (R6.2-7).
"""

from datetime import timedelta

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer, weightiest
from accord.mark.rules import is_of_least_level, rank_of
from accord.recognition.model import Case, ConsortiumFacts, Party, Province, QualificationFacts
from accord.registry.model import CentreRank, ConsortiumKind, Ownership, QualificationState
from accord.standard import rule
from accord.standard.model import Finding, Jurisdiction, RuleSet, Severity

DUTIFUL = frozenset({ConsortiumKind.URBAN, ConsortiumKind.COUNTY})


def shared_consortia(case: Case) -> tuple[ConsortiumFacts, ...]:
    """Return the consortia of the two types that join performer and viewer at the order."""
    both = {case.source.code, case.viewer.code}
    if None in both:
        return ()
    return tuple(
        consortium
        for consortium in case.consortia
        if consortium.kind in DUTIFUL
        and both <= consortium.members
        and (consortium.valid_from is None or consortium.valid_from <= case.asked_on)
        and (consortium.valid_to is None or case.asked_on < consortium.valid_to)
    )


@rule("R6.2-1")
def is_eligible_by_level(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when the performer is public, or military, and of second level or above.

    Others enter by an evaluation (R6.2-2) or, if private, by listing (R6.2-4). A listed
    institution that has none of these ways is noted for the audit; the list decides the advice.
    """
    source = case.source
    because = {"level": source.level, "ownership": source.ownership, "listed": source.listed}
    answer = Answer(
        "R6.2-1", rule_set, because, ("6.2/least_level",), ("RD-6.2-MIL", "RD-6.2-LIST")
    )
    if source.level is None or source.ownership is None:
        return answer.unknown("level or ownership", effect=None)
    if source.ownership is Ownership.PRIVATE:
        return answer.does_not_apply("private: by listing (R6.2-4)")
    if is_of_least_level(source.level, rule_set):
        return answer.passes()
    if _evaluated(case, rule_set):
        return answer.does_not_apply("below the second level: by evaluation (R6.2-2)")
    return answer.notes("NOT_ELIGIBLE_BY_LEVEL", _audit(source))


@rule("R6.2-2")
def is_evaluated(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when a performer below the second level has passed an evaluation that counts.

    It must hold on the examination day and come from a centre of prefecture rank or higher; a
    miss by a listed institution is noted for the audit.
    """
    source = case.source
    because = {
        "level": source.level,
        "ranks": [entry.centre_rank for entry in case.qualifications or ()],
        "examined": case.prior.exam_day,
    }
    numbers = ("6.2/least_level", "6.2/evaluation_rank")
    answer = Answer("R6.2-2", rule_set, because, numbers, ("RD-6.2-LIST",))
    if source.level is None:
        return answer.unknown("level", effect=None)
    if is_of_least_level(source.level, rule_set):
        return answer.does_not_apply("second level or above")
    evaluated = _evaluated(case, rule_set)
    if evaluated is None:
        return answer.unknown("qualifications or exam_end", effect=None)
    if evaluated:
        return answer.passes()
    return answer.notes("NOT_EVALUATED", _audit(source))


def _audit(source: Party) -> Severity:
    return Severity.MAJOR if source.listed else Severity.INFO


def _evaluated(case: Case, rule_set: RuleSet) -> bool | None:
    day = case.prior.exam_day
    if case.qualifications is None or day is None:
        return None
    least = CentreRank(rule_set.text("6.2/evaluation_rank"))
    return any(
        entry.state is QualificationState.PASSED
        and entry.is_valid_on(day)
        and _reaches(entry, least)
        for entry in case.qualifications
    )


def _reaches(entry: QualificationFacts, least: CentreRank) -> bool:
    return entry.centre_rank is not None and entry.centre_rank.height >= least.height


@rule("R6.2-3")
def is_listed(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when the performer was on the published list on the examination day.

    Data of a list kept elsewhere are announced as old after a day and prove nothing after a week.
    """
    return _listed("R6.2-3", "SOURCE_NOT_LISTED", case.source, case, rule_set)


def _listed(rule_id: str, code: str, party: Party, case: Case, rule_set: RuleSet) -> Finding:
    age = None if party.list_refreshed_at is None else case.on - party.list_refreshed_at
    because = {"institution": party.code, "listed": party.listed, "age of the list": age}
    numbers = ("6.2/list_fresh", "6.2/list_usable")
    answer = Answer(rule_id, rule_set, because, numbers, ("RD-6.2-STALE",))
    if party.listed is None:
        return answer.unknown("listed", code="LIST_UNKNOWN")
    if not _is_younger(age, "6.2/list_usable", rule_set):
        return answer.unknown("a list young enough", code="LIST_STALE")
    if not party.listed:
        return answer.gates(code)
    return answer.passes(code=None if _is_younger(age, "6.2/list_fresh", rule_set) else "LIST_OLD")


def _is_younger(age: timedelta | None, number: str, rule_set: RuleSet) -> bool:
    return age is None or rule_set.number(number).is_met_by(age)


@rule("R6.2-4")
def is_bound_although_private(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass for a private source on the list; leave a private viewer without a duty."""
    source, viewer = case.source.ownership, case.viewer.ownership
    because = {"source": source, "viewer": viewer, "listed": case.source.listed}
    answer = Answer("R6.2-4", rule_set, because, readings=("RD-6.2-PRIVATE",))
    if viewer is None:
        return answer.unknown("ownership of the viewer")
    if viewer is Ownership.PRIVATE:
        return answer.limits("VIEWER_PRIVATE")
    if source is Ownership.PRIVATE:
        return answer.passes(note="社会办医机构经列入名单参照执行")
    return answer.does_not_apply("neither is private")


@rule("R6.2-5")
def is_bound_by_level(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when the viewer has a duty: listed, in force on both sides, and the source not lower."""
    return weightiest(duty(case, rule_set))


def duty(case: Case, rule_set: RuleSet) -> tuple[Finding, ...]:
    """Answer R6.2-5 in its three parts: the viewer, the jurisdictions, the levels."""
    return (
        viewer_is_listed(case, rule_set),
        is_in_force(case, rule_set),
        source_is_not_lower(case, rule_set),
    )


def viewer_is_listed(case: Case, rule_set: RuleSet) -> Finding:
    """Pass when the viewer is on the list; one that is not has no duty."""
    because = {"viewer": case.viewer.code, "listed": case.viewer.listed}
    answer = Answer("R6.2-5", rule_set, because, readings=("RD-6.2-VIEWER",))
    if case.viewer.listed is None:
        return answer.unknown("listed of the viewer")
    return answer.passes() if case.viewer.listed else answer.limits("VIEWER_NOT_LISTED")


def is_in_force(case: Case, rule_set: RuleSet) -> Finding:
    """Pass unless the rule set is known not to bind in the province of either side (D22).

    While no day of entry into force is published, answers are provisional and say so.
    """
    sides = (case.source.province, case.viewer.province)
    provinces = set(Province) if None in sides else {side for side in sides if side}
    binding = {province: _binds(province, case, rule_set) for province in sorted(provinces)}
    answer = Answer("R6.2-5", rule_set, {"in force": binding}, readings=("RD-CONV-JUR",))
    if False in binding.values():
        return answer.limits("NOT_IN_FORCE_BOTH")
    return answer.passes(code="PROVISIONAL" if None in binding.values() else None)


def _binds(province: Province, case: Case, rule_set: RuleSet) -> bool | None:
    stated = case.settings.in_force.get(province)
    if stated is not None:
        return stated
    return rule_set.is_in_force(Jurisdiction(province.value), case.asked_on)


def source_is_not_lower(case: Case, rule_set: RuleSet) -> Finding:
    """Pass when the source's level is at least the viewer's, or a consortium waives the test."""
    source, viewer = case.source.level, case.viewer.level
    answer = Answer(
        "R6.2-5",
        rule_set,
        {"source": source, "viewer": viewer},
        ("6.2/unrated_level",),
        ("RD-6.2-LEVEL", "RD-6.2-VIEWER"),
    )
    if shared_consortia(case):
        return answer.does_not_apply("same consortium (R6.2-6)")
    if source is None or viewer is None:
        return answer.unknown("level")
    if rank_of(source, rule_set) >= rank_of(viewer, rule_set):
        return answer.passes()
    return answer.limits("SOURCE_LEVEL_LOWER")


@rule("R6.2-6")
def is_in_one_consortium(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when an urban or county consortium joins both at the order; it waives the level test."""
    shared = shared_consortia(case)
    because = {"consortia": [consortium.code for consortium in shared]}
    answer = Answer("R6.2-6", rule_set, because, readings=("RD-6.2-CONSORTIUM",))
    if shared:
        return answer.passes(code="SAME_CONSORTIUM")
    if case.source.code is None or case.viewer.code is None:
        return answer.unknown("code of source or viewer", effect=None)
    return answer.does_not_apply("no urban or county consortium joins them")


@rule("R6.2-7")
def is_reported_by_the_listed(case: Case, rule_set: RuleSet, _catalogue: Catalogue) -> Finding:
    """Pass when a reporter elsewhere was on the list on the report day; name both then.

    A reporter that is named is asked about before the report is final: waiting cannot improve it.
    """
    reporter, source = case.source.reporter, case.source
    because = {"performer": source.code, "reporter": None if reporter is None else reporter.code}
    answer = Answer("R6.2-7", rule_set, because, readings=("RD-6.2-REMOTE",))
    if reporter is None or reporter.code is None:
        state = case.prior.report.state
        if state is not None and not state.is_released:
            return answer.does_not_apply("no released report")
        return answer.unknown("reporter")
    if reporter.code == source.code:
        return answer.does_not_apply("reported where it was performed")
    return _listed("R6.2-7", "REPORTER_NOT_LISTED", reporter, case, rule_set)
