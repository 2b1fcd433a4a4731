"""Publish the lists: read the registry, write and sign a numbered folder, leave a trace."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection

from accord import catalogue, standard
from accord.disclosure import folder
from accord.disclosure.errors import NoPublication
from accord.disclosure.folder import Verified
from accord.disclosure.model import (
    Listing,
    Publication,
    PublishedAuthority,
    PublishedInstitution,
    PublishedItem,
    PublishedList,
    Right,
)
from accord.disclosure.signing import PUBLIC_NAME, PublicKey, open_signing_key
from accord.kit import audit, clock
from accord.kit.access import Actor
from accord.kit.settings import Settings
from accord.mark.rules import BOTH_PROVINCES, WHOLE_COUNTRY, has_sufficient_rank
from accord.registry import service as registry
from accord.registry.model import (
    Institution,
    InstitutionList,
    Qualification,
    QualificationState,
)
from accord.standard.model import RuleSet

OWNERSHIP_WORDS: Final = {"public": "公立", "military": "军队", "private": "社会办医"}


@dataclass(frozen=True)
class Published:
    """What came of a publication.

    Attributes:
        place: The numbered folder.
        is_new: False when the one in force already says the same on the same day.
    """

    verified: Verified
    place: Path
    is_new: bool


def publish(conn: Connection, settings: Settings, actor: Actor, root: Path) -> Published:
    """Publish the lists as they stand today.

    The folder is durable before the audit entry is written; a second publication of the same
    words on the same day changes nothing.

    Args:
        conn: The transaction that reads the registry and keeps the audit entry.
        settings: Names the rule set and the folder of keys.
        actor: Who publishes.
        root: The publication folder.

    Raises:
        Tampered: What was published before is no longer what was signed.
    """
    key = open_signing_key(settings.keys_dir)
    with folder.writing(root):
        before = _newest(root, key.public)
        number = before.publication.number + 1 if before else 1
        new = collect(conn, standard.load(settings.rule_set), number)
        if before and replace(before.publication, number=number) == replace(
            new, published_at=before.publication.published_at
        ):
            return Published(before, folder.place(root, number - 1), is_new=False)
        place = folder.write(root, new, key, before.hash if before else None)
        (root / PUBLIC_NAME).write_bytes(key.public.pem)
        verified = folder.verify(place, key.public)
    audit.record(
        conn,
        actor,
        action="disclosure.published",
        subject=f"publication:{number}",
        detail={
            "manifest": verified.hash,
            "institutions": len(new.institutions),
            "items": len(new.items),
            "key": key.public.fingerprint,
        },
    )
    return Published(verified, place, is_new=True)


def _newest(root: Path, key: PublicKey) -> Verified | None:
    try:
        return folder.verify_all(root, key)[-1]
    except NoPublication:
        return None


def collect(conn: Connection, rules: RuleSet, number: int) -> Publication:
    """Return what the registry says today, as a publication of that number."""
    day = clock.today()
    items = catalogue.load(rules.version)
    lists = tuple(
        each
        for each in registry.lists(conn)
        if each.published_at is not None and each.published_at <= clock.now()
    )
    institutions = _institutions(conn, rules, {each.id for each in lists}, day)
    authorities = _authorities(
        conn, [*(each.authority for each in lists), *(each.authority for each in institutions)]
    )
    return Publication(
        number=number,
        day=day,
        published_at=clock.now(),
        title=rules.title,
        rule_set=rules.version,
        status=rules.status.value,
        catalogue=items.version,
        authorities=authorities,
        lists=tuple(_list(each) for each in lists),
        items=tuple(
            PublishedItem(
                item.no, item.code, item.name, item.modality.value, item.anatomy, item.family
            )
            for item in items.items
        ),
        institutions=institutions,
        next_due=day + relativedelta(months=rules.months("10.3/published_every")),
        jurisdictions=tuple(
            dict.fromkeys([*(each.jurisdiction for each in authorities), rules.jurisdiction.value])
        ),
    )


def _list(found: InstitutionList) -> PublishedList:
    if found.published_at is None:
        raise ValueError(f"list {found.id} is a draft")
    return PublishedList(
        found.id, found.title, found.authority, found.jurisdiction.value, found.published_at
    )


def _authorities(conn: Connection, codes: Iterable[str]) -> tuple[PublishedAuthority, ...]:
    found = [registry.find_authority(conn, code) for code in sorted(set(codes))]
    return tuple(
        PublishedAuthority(each.code, each.name, each.province, each.jurisdiction.value)
        for each in found
        if each is not None
    )


def _institutions(
    conn: Connection, rules: RuleSet, list_ids: set[str], day: date
) -> tuple[PublishedInstitution, ...]:
    listings: defaultdict[str, list[Listing]] = defaultdict(list)
    for entry in registry.entry_periods(conn, day):
        if entry.list_id in list_ids:
            listings[entry.institution].append(
                Listing(entry.valid_from, entry.valid_to, entry.list_id)
            )
    held: defaultdict[str, list[Qualification]] = defaultdict(list)
    for each in registry.qualification_periods(conn, day):
        held[each.institution].append(each)
    known = {each.code: each for each in registry.institutions(conn, day)}
    centre_name = _CentreNames(conn, day)
    return tuple(
        _institution(
            institution,
            tuple(periods),
            tuple(
                _right(rules, each, centre_name.of(each))
                for each in held[code]
                if _counts(rules, each, institution)
            ),
        )
        for code, periods in sorted(listings.items())
        if (institution := known.get(code) or _last_known(conn, code, periods)) is not None
    )


def _counts(rules: RuleSet, held: Qualification, institution: Institution) -> bool:
    """Say whether a qualification may be shown: a pass by too low a centre is none (R6.4-2)."""
    if held.state is not QualificationState.PASSED:
        return True
    return has_sufficient_rank(held, institution.level, rules) is True


def _last_known(conn: Connection, code: str, periods: list[Listing]) -> Institution | None:
    """Return an institution that is registered no more as it stood when it was last listed."""
    days = [period.last_day for period in periods if period.last_day is not None]
    return registry.find_institution(conn, code, max(days)) if days else None


class _CentreNames:
    """Names of QC centres, each as it was on the last day of what it stands behind."""

    def __init__(self, conn: Connection, day: date) -> None:
        self._conn = conn
        self._day = day
        self._known: dict[tuple[str, date], str] = {}

    def of(self, held: Qualification) -> str:
        """Return the name of the centre behind a qualification, its code where it has none."""
        if not held.centre:
            return ""
        key = (held.centre, min(held.last_day or self._day, self._day))
        if key not in self._known:
            centre = registry.find_centre(self._conn, *key)
            self._known[key] = centre.name if centre else held.centre
        return self._known[key]


def _right(rules: RuleSet, held: Qualification, centre: str) -> Right:
    covered = registry.families(rules.version).items_of(held.scope_kind, held.scope_value)
    return Right(
        held.valid_from,
        held.valid_to,
        tuple(sorted(covered - held.revoked_items)),
        mark_text(rules, held.mark_scope),
        held.state.value,
        held.basis.value,
        centre,
        held.notice,
    )


def mark_text(rules: RuleSet, scope: str) -> str:
    """Return the text that goes with a scope: the printed one wherever 川渝 lies inside it."""
    if scope in {WHOLE_COUNTRY, BOTH_PROVINCES}:
        return rules.text("6.4/mark")
    return f"{scope}HR"


def _institution(
    found: Institution, listings: tuple[Listing, ...], rights: tuple[Right, ...]
) -> PublishedInstitution:
    return PublishedInstitution(
        code=found.code,
        name=found.name,
        campus=found.campus,
        province=found.province,
        area=found.area,
        level=found.level.value,
        grade=found.grade,
        ownership=OWNERSHIP_WORDS[found.ownership.value],
        authority=found.authority,
        listings=listings,
        rights=rights,
    )
