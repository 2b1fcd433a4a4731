"""Whether an institution is on a published list on a day (R6.2-3)."""

from collections.abc import Iterable
from datetime import date

from accord.kit.clock import local_day
from accord.registry.model import InstitutionList, ListStatus


def status(
    naming: Iterable[InstitutionList], of_province: Iterable[InstitutionList], on: date
) -> ListStatus:
    """Judge by the lists that name the institution and by all lists of its authority.

    A list counts from the day of its publication; a draft never. With no published list the
    answer is unknown, which is not the same as "not listed".
    """
    named = _newest(naming, on)
    if named is not None:
        return ListStatus(True, named.id, named.published_at, named.refreshed_at)
    newest = _newest(of_province, on)
    if newest is not None:
        return ListStatus(False, newest.id, newest.published_at, newest.refreshed_at)
    return ListStatus(None)


def _newest(lists: Iterable[InstitutionList], on: date) -> InstitutionList | None:
    published = [
        (each.published_at, each)
        for each in lists
        if each.published_at is not None and local_day(each.published_at) <= on
    ]
    return max(published, key=lambda pair: pair[0])[1] if published else None
