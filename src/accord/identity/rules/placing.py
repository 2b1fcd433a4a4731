"""Where a patient belongs among those near it: with whom it is certainly one person, or why not.

Linking by twos is not enough: "equal" does not carry over (曾丽 and 曾莉 both read ZENG LI), so a
patient joins a person only when nothing speaks against any of its members.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from accord.identity.model import Facts, IdState, Same, Verdict
from accord.identity.rules import persons


class Basis(StrEnum):
    """On whose word a pair was decided."""

    PEOPLE = "people"
    SOURCE = "source"


@dataclass(frozen=True)
class Decided:
    """What was decided of a pair of patients."""

    same: bool
    basis: Basis


@dataclass(frozen=True)
class Member:
    """A patient near another one."""

    id: int
    person_id: str
    facts: Facts
    id_state: IdState
    quarantined: bool


@dataclass(frozen=True)
class Placement:
    """Where a patient belongs.

    Attributes:
        with_whom: Ids of those that it certainly is one person with.
        against: Reasons why it cannot be placed; then it stands alone, in quarantine.
        contradicted: Ids of those that it contradicts.
    """

    with_whom: frozenset[int] = frozenset()
    against: tuple[str, ...] = ()
    contradicted: frozenset[int] = frozenset()


_KEPT_APART = ("kept_apart",)


class Group:
    """Patients near each other, and how every two of them compare."""

    def __init__(
        self, members: Iterable[Member], decided: Mapping[tuple[int, int], Decided]
    ) -> None:
        self.members = {member.id: member for member in members}
        self._decided = decided

    def verdict(self, a: int, b: int) -> Verdict:
        """Judge two of them: people's word first, then the source's, then the strong id."""
        decided = self._decided.get((min(a, b), max(a, b)))
        if decided is not None and decided.basis is Basis.PEOPLE:
            if decided.same:
                return Verdict(Same.CERTAIN, ("people",))
            return Verdict(Same.CONTRADICTED, _KEPT_APART)
        linked = decided is not None and decided.same
        one, other = self.members[a].facts, self.members[b].facts
        return persons.compare(one, other, linked_by_source=linked)

    def components(self, ids: Iterable[int]) -> list[frozenset[int]]:
        """Return who certainly belongs together; those in quarantine stand alone."""
        left = set(ids)
        found = []
        while left:
            whole: set[int] = set()
            frontier = {min(left)}
            while frontier:
                one = frontier.pop()
                whole.add(one)
                frontier |= {other for other in left - whole if self._are_tied(one, other)}
            left -= whole
            found.append(frozenset(whole))
        return found

    def _are_tied(self, a: int, b: int) -> bool:
        if self.members[a].quarantined or self.members[b].quarantined:
            return False
        return self.verdict(a, b).same is Same.CERTAIN

    def place(self, subject: int) -> Placement:
        """Say where one of them belongs, by the others as they are."""
        reasons: list[str] = []
        contradicted: set[int] = set()
        near: list[frozenset[int]] = []
        if self.members[subject].id_state is IdState.CONTRADICTS:
            reasons.append("id_contradicts_record")
        for component in self.components(self.members.keys() - {subject}):
            tied = any(self.verdict(subject, each).same is Same.CERTAIN for each in component)
            if tied:
                near.append(component)
            for each in self._who_may_object(component):
                against = self._against(subject, each, tied=tied)
                reasons.extend(against)
                contradicted |= {each} if against else set()
        for place, one in enumerate(near):
            for other in near[:place]:
                if any(self._against(a, b, tied=True) for a in one for b in other):
                    reasons.append("two_persons")
                    contradicted |= one | other
        if reasons:
            return Placement(
                against=tuple(dict.fromkeys(reasons)), contradicted=frozenset(contradicted)
            )
        return Placement(with_whom=frozenset().union(*near))

    def _who_may_object(self, component: frozenset[int]) -> list[int]:
        """Return those whose contradiction counts: a record in quarantine blocks nobody else.

        Otherwise one borrowed card would keep its owner apart from her own examinations.
        """
        return sorted(each for each in component if not self.members[each].quarantined)

    def _against(self, a: int, b: int, *, tied: bool) -> tuple[str, ...]:
        """Return what speaks against two of them being in one person.

        Args:
            a: One of them.
            b: The other.
            tied: Something else puts them into one person; then even less than an equal id counts.
        """
        verdict = self.verdict(a, b)
        if verdict.same is Same.CERTAIN:
            return ()
        if verdict.same is Same.CONTRADICTED:
            # Two whom people keep apart may well stand beside each other.
            return () if verdict.because == _KEPT_APART and not tied else verdict.because
        if not tied:
            return ()
        one, other = self.members[a].facts, self.members[b].facts
        return (*persons.contradictions(one, other), *persons.other_number(one, other))
