"""Clause 6.4: the item of the performer is qualified, inside the scope of the mark.

Marks that were read on image or report need a qualification of their scope (R6.4-3).
"""

import unicodedata
from collections.abc import Iterable

from accord.catalogue import Catalogue
from accord.dataquality.answers import Answer
from accord.mark.rules import BOTH_PROVINCES, WHOLE_COUNTRY, covering, has_sufficient_rank
from accord.recognition.model import Case, Province, QualificationFacts
from accord.recognition.relation import Related, relate
from accord.recognition.rules.clause_6_6 import is_own_prior
from accord.registry.model import QualificationState, ScopeKind
from accord.standard import rule
from accord.standard.model import Effect, Finding, RuleSet

RULE = "R6.4-2"
NUMBERS = ("6.2/least_level", "6.4/qualification_rank", "6.4/qualification_rank_below")
READINGS = ("RD-6.4-QUAL", "RD-6.4-SCOPE", "RD-CONV-PERIOD")


@rule(RULE)
def is_qualified(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the performer was qualified for the item on the examination day, for the viewer.

    The qualification must be passed, in force, backed by a centre of sufficient rank, or by a
    notice while transitional, and not revoked for this item. One whose scope does not contain the
    viewer shows the prior without a duty. A suspension has its own period, so examinations before
    it keep the right.
    """
    return is_qualified_for(relate(case, rule_set, catalogue), case, rule_set, catalogue)


def is_qualified_for(
    related: Related | None, case: Case, rule_set: RuleSet, catalogue: Catalogue
) -> Finding:
    """Answer R6.4-2 where the relation is known already."""
    day = case.prior.exam_day
    entries = _covering(related, case, catalogue)
    because = {
        "examined": day,
        "covering": [_shown(entry) for entry in entries or ()],
        "viewer": case.viewer.province,
    }
    answer = Answer(RULE, rule_set, because, NUMBERS, READINGS)
    if is_own_prior(case):
        return answer.does_not_apply("own prior")
    if entries is None:
        return answer.unknown("qualifications or item")
    if day is None:
        # On no day more than all that were passed are in force: what they lack, any day lacks.
        passed = [entry for entry in entries if entry.state is QualificationState.PASSED]
        at_best = _of_those_in_force(passed, case, answer)
        return at_best if at_best.effect is Effect.GATE else answer.unknown("exam_end")
    return _of_those_in_force([entry for entry in entries if entry.is_valid_on(day)], case, answer)


def _of_those_in_force(entries: list[QualificationFacts], case: Case, answer: Answer) -> Finding:
    if any(entry.state is QualificationState.SUSPENDED for entry in entries):
        return answer.gates("QUALIFICATION_SUSPENDED")
    passed = [entry for entry in entries if entry.state is QualificationState.PASSED]
    if not passed:
        return answer.gates("ITEM_NOT_QUALIFIED")
    sufficient = [
        has_sufficient_rank(entry, case.source.level, answer.rule_set) for entry in passed
    ]
    strong = [entry for entry, enough in zip(passed, sufficient, strict=True) if enough]
    if not strong:
        if None in sufficient:
            return answer.unknown("level or rank of the centre")
        return answer.gates("CENTRE_RANK_TOO_LOW")
    if any(contains_viewer(entry.mark_scope, case) for entry in strong):
        return answer.passes()
    return answer.limits("SCOPE_OUTSIDE")


def _covering(
    related: Related | None, case: Case, catalogue: Catalogue
) -> list[QualificationFacts] | None:
    """Return the qualifications whose scope covers the prior's item, whatever their days."""
    if case.qualifications is None:
        return None
    if related is not None and related.item is None and case.prior.outside is not None:
        modality = case.prior.outside.modality
        return [
            entry
            for entry in case.qualifications
            if entry.scope_kind is ScopeKind.MODALITY and entry.scope_value == modality
        ]
    number = related.item if related is not None else next(iter(case.prior.items or ()), None)
    if number is None:
        return None
    return covering(case.qualifications, number, catalogue)


def contains_viewer(scope: str, case: Case) -> bool:
    """Say whether the territory of a mark contains the viewer (RD-6.4-SCOPE)."""
    viewer = case.viewer
    if scope == WHOLE_COUNTRY:
        return True
    if scope == BOTH_PROVINCES:
        return viewer.province is not None
    if scope in set(Province):
        return viewer.province == scope
    return scope == viewer.area or scope in _consortia_of(viewer.code, case)


def _consortia_of(code: str | None, case: Case) -> Iterable[str]:
    return {entry.code for entry in case.consortia if code in entry.members}


def _shown(entry: QualificationFacts) -> dict[str, object]:
    return {
        "scope": entry.scope_value,
        "mark": entry.mark_scope,
        "state": entry.state,
        "basis": entry.basis,
        "rank": entry.centre_rank,
        "from": entry.valid_from,
        "to": entry.valid_to,
    }


MISUSE = "R6.4-3"
MARK_WORD = "hr"
WIDER = {
    WHOLE_COUNTRY: frozenset({WHOLE_COUNTRY}),
    BOTH_PROVINCES: frozenset({WHOLE_COUNTRY, BOTH_PROVINCES}),
    **{
        province.value: frozenset({WHOLE_COUNTRY, BOTH_PROVINCES, province.value})
        for province in Province
    },
}
"""Scopes of qualifications that entitle to the mark of a scope (RD-6.4-SCOPE)."""


@rule(MISUSE)
def marks_are_entitled(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when every mark read on image or report has a qualification of its scope behind it.

    Several items in one study need one each. A misuse is the source's; what the study is worth is
    for R6.4-2 to say.
    """
    read = [scope for text in case.prior.marks if (scope := scope_of_mark(text, case)) is not None]
    day, rights, items = case.prior.exam_day, case.qualifications, case.prior.items
    because = {"marks": read, "examined": day, "items": items}
    answer = Answer(MISUSE, rule_set, because, ("6.4/mark",), ("RD-6.4-TEXT", "RD-6.4-SCOPE"))
    if not read:
        return answer.does_not_apply("no mark was read on image or report")
    if day is None or rights is None or not items:
        return answer.unknown("qualifications, items or exam_end", effect=None)
    in_force = [right for right in rights if right.is_valid_on(day)]
    for scope in read:
        entitling = [
            right
            for right in in_force
            if right.mark_scope in WIDER.get(scope, {WHOLE_COUNTRY, BOTH_PROVINCES, scope})
            and right.state is QualificationState.PASSED
            and has_sufficient_rank(right, case.source.level, rule_set)
        ]
        if not all(covering(entitling, item, catalogue) for item in items):
            return answer.tells_source("MARK_UNENTITLED", rule_set.rule(MISUSE).severity)
    return answer.passes()


def scope_of_mark(text: str, case: Case) -> str | None:
    """Return the scope of a mark as it is printed; a text of no registered scope is no mark.

    Read after NFKC, without case and spaces, so `川渝HR` and `川渝 ｈｒ` are the mark.
    """
    folded = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    scope = folded.removesuffix(MARK_WORD)
    registered = {*WIDER, *(right.mark_scope for right in case.qualifications or ())}
    return scope if scope != folded and scope in registered else None
