"""One publication of the lists (R6.2-3, R10.3-1): who is listed, for what, on which days.

Nothing here can hold a word about a patient. Periods are half-open days; screens show the last
day that counts. A publication carries the periods it knew, so that it answers for past days too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final


@dataclass(frozen=True)
class Period:
    """Half-open days; an open end is None."""

    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        """Say whether the day lies inside."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def last_day(self) -> date | None:
        """The last day that counts; None for an open end."""
        return None if self.valid_to is None else self.valid_to - timedelta(days=1)


@dataclass(frozen=True)
class PublishedAuthority:
    """A health commission that answers for rows of the publication."""

    code: str
    name: str
    province: str
    jurisdiction: str


@dataclass(frozen=True)
class PublishedList:
    """A list of institutions as its authority published it."""

    id: str
    title: str
    authority: str
    jurisdiction: str
    published_at: datetime


@dataclass(frozen=True)
class PublishedItem:
    """An item of the catalogue in force."""

    no: int
    code: str
    name: str
    modality: str
    region: str
    family: str


@dataclass(frozen=True)
class Listing(Period):
    """A period on a list."""

    list_id: str = ""


@dataclass(frozen=True)
class Right(Period):
    """A period in which an institution is qualified for items.

    Attributes:
        items: Numbers of the items, what was revoked already left out.
        mark: Text of the mark that goes with it, such as 川渝 HR.
        state: `passed`, `suspended` or `revoked`; only the first is a right.
        basis: `inspection` or `transitional`.
        centre: Name of the QC centre behind it; empty for a transitional one.
        notice: Named notice of a transitional one.
    """

    items: tuple[int, ...] = ()
    mark: str = ""
    state: str = "passed"
    basis: str = "inspection"
    centre: str = ""
    notice: str = ""


@dataclass(frozen=True)
class PublishedInstitution:
    """An institution with its periods on the lists and its rights."""

    code: str
    name: str
    campus: str
    province: str
    area: str
    level: str
    grade: str
    ownership: str
    authority: str
    listings: tuple[Listing, ...] = ()
    rights: tuple[Right, ...] = ()

    @property
    def title(self) -> str:
        """Name with the campus."""
        return f"{self.name}（{self.campus}）" if self.campus else self.name

    def is_listed_on(self, day: date) -> bool:
        """Say whether a published list names it on that day."""
        return any(listing.covers(day) for listing in self.listings)

    def rights_for(self, item: int, day: date) -> tuple[Right, ...]:
        """Return the rights of that day for an item, whatever their state."""
        return tuple(right for right in self.rights if item in right.items and right.covers(day))


STATE_WORDS: Final = {"passed": "有效", "suspended": "暂停", "revoked": "已撤销"}
BASIS_WORDS: Final = {"inspection": "线下质量抽查合格", "transitional": "过渡期认定"}


class Verdict(StrEnum):
    """Whether an institution is entitled to carry the mark for an item on a day."""

    ENTITLED = "entitled"
    NOT_ENTITLED = "not_entitled"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why, in one word for machines and one sentence for people."""

    QUALIFIED = "qualified"
    NOT_LISTED = "not_listed"
    NOT_QUALIFIED = "not_qualified"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    UNKNOWN_INSTITUTION = "unknown_institution"
    UNKNOWN_ITEM = "unknown_item"


@dataclass(frozen=True)
class Answer:
    """The verdict with its reason and the right it rests on."""

    verdict: Verdict
    reason: Reason
    institution: PublishedInstitution | None = None
    item: PublishedItem | None = None
    right: Right | None = None


@dataclass(frozen=True)
class ItemRight:
    """What an institution may do with one item on a day, as the pages show it."""

    item: PublishedItem
    mark: str
    last_day: date | None
    right: Right


@dataclass(frozen=True)
class Publication:
    """One numbered publication.

    Attributes:
        day: Local day it speaks for; rights that begin later are not in it.
        next_due: Day by which the next one must follow (R10.3-1); None where unset.
        status: Status of the rule set, such as `draft`.
    """

    number: int
    day: date
    published_at: datetime
    title: str
    rule_set: str
    status: str
    catalogue: str
    authorities: tuple[PublishedAuthority, ...]
    lists: tuple[PublishedList, ...]
    items: tuple[PublishedItem, ...]
    institutions: tuple[PublishedInstitution, ...]
    next_due: date | None = None
    jurisdictions: tuple[str, ...] = field(default=())

    @cached_property
    def item_of(self) -> dict[int, PublishedItem]:
        """Items by number."""
        return {item.no: item for item in self.items}

    @cached_property
    def institution_of(self) -> dict[str, PublishedInstitution]:
        """Institutions by code."""
        return {institution.code: institution for institution in self.institutions}

    @cached_property
    def authority_of(self) -> dict[str, PublishedAuthority]:
        """Authorities by code."""
        return {authority.code: authority for authority in self.authorities}

    def answer(self, institution_code: str, item_no: int, day: date) -> Answer:
        """Say whether the institution is entitled to the mark for the item on that day.

        A day after the publication is answered by what is known now; whoever asks must say so.
        """
        institution = self.institution_of.get(institution_code)
        item = self.item_of.get(item_no)
        if institution is None or item is None:
            reason = Reason.UNKNOWN_ITEM if institution else Reason.UNKNOWN_INSTITUTION
            return Answer(Verdict.UNKNOWN, reason, institution, item)
        if not institution.is_listed_on(day):
            return Answer(Verdict.NOT_ENTITLED, Reason.NOT_LISTED, institution, item)
        rights = institution.rights_for(item.no, day)
        passed = next((right for right in rights if right.state == "passed"), None)
        if passed is not None:
            return Answer(Verdict.ENTITLED, Reason.QUALIFIED, institution, item, passed)
        for state, reason in (
            ("suspended", Reason.SUSPENDED),
            ("revoked", Reason.REVOKED),
        ):
            held = next((right for right in rights if right.state == state), None)
            if held is not None:
                return Answer(Verdict.NOT_ENTITLED, reason, institution, item, held)
        return Answer(Verdict.NOT_ENTITLED, Reason.NOT_QUALIFIED, institution, item)

    def is_entitled(self, institution_code: str, item_no: int, day: date) -> bool:
        """Say whether `answer` is a yes."""
        return self.answer(institution_code, item_no, day).verdict is Verdict.ENTITLED

    def item_rights(self, institution: PublishedInstitution, day: date) -> tuple[ItemRight, ...]:
        """Return what an institution is entitled to on a day, by item number, one line an item.

        Of several rights for one item the one that lasts longest is shown.
        """
        if not institution.is_listed_on(day):
            return ()
        best: dict[int, Right] = {}
        for right in institution.rights:
            if right.state != "passed" or not right.covers(day):
                continue
            for number in right.items:
                if number in self.item_of and _outlasts(right, best.get(number)):
                    best[number] = right
        return tuple(
            ItemRight(self.item_of[number], right.mark, right.last_day, right)
            for number, right in sorted(best.items())
        )

    def find(
        self, *, words: str = "", item: int | None = None, province: str = "", day: date
    ) -> tuple[PublishedInstitution, ...]:
        """Return the listed institutions of a day that fit, in the order of the publication.

        Args:
            words: Parts of name, campus, area or code, separated by spaces; all must occur.
            item: Only institutions entitled for this item.
            province: Only this province.
            day: The day asked.
        """
        return tuple(
            institution
            for institution in self.institutions
            if institution.is_listed_on(day)
            and (not province or institution.province == province)
            and _has_words(institution, words)
            and (
                item is None or self.answer(institution.code, item, day).verdict is Verdict.ENTITLED
            )
        )

    def provinces(self) -> tuple[str, ...]:
        """Return the provinces that occur, in order of appearance."""
        return tuple(dict.fromkeys(institution.province for institution in self.institutions))


def _outlasts(right: Right, other: Right | None) -> bool:
    if other is None:
        return True
    if other.valid_to is None:
        return False
    return right.valid_to is None or right.valid_to > other.valid_to


def _has_words(institution: PublishedInstitution, words: str) -> bool:
    texts = (institution.name, institution.campus, institution.area, institution.code)
    return all(any(word in text.casefold() for text in texts) for word in words.casefold().split())


@dataclass(frozen=True)
class Change:
    """What a publication says differently from the one before it."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    more_items: tuple[str, ...]
    fewer_items: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.added or self.removed or self.more_items or self.fewer_items)


def compare(new: Publication, old: Publication) -> Change:
    """Return which institutions and which items of theirs came and went, each on its own day."""
    now, then = _entitlements(new), _entitlements(old)
    both = now.keys() & then.keys()
    return Change(
        _titles(new, now.keys() - then.keys()),
        _titles(old, then.keys() - now.keys()),
        _titles(new, (code for code in both if now[code] - then[code])),
        _titles(new, (code for code in both if then[code] - now[code])),
    )


def _entitlements(publication: Publication) -> dict[str, frozenset[int]]:
    day = publication.day
    return {
        institution.code: frozenset(
            line.item.no for line in publication.item_rights(institution, day)
        )
        for institution in publication.institutions
        if institution.is_listed_on(day)
    }


def _titles(publication: Publication, codes: Iterable[str]) -> tuple[str, ...]:
    wanted = set(codes)
    return tuple(
        institution.title for institution in publication.institutions if institution.code in wanted
    )
