"""Certain identity (R-ID-1): when two records are one person for the machine."""

import re
import unicodedata
from datetime import date
from typing import Final

from accord.identity.model import Facts, IdState, PatientRecord, Same, Sex, Verdict
from accord.identity.names import NameMatch, equal_names
from accord.identity.rules import numbers

_NOBODY: Final = re.compile(
    r"(?:无名|无姓名|未知|不详|不明|佚名|无主|身份不明|姓名不详|三无|路人|某某|待查"
    r"|(?:急诊|急救|抢救|外伤)(?:患者|病人|无名)"
    r"|UNKNOWN|UNIDENTIFIED|NONAME|ANONYM|JOHNDOE|JANEDOE|DOEJOHN|DOEJANE)"
)
_NOT_IN_NAMES: Final = re.compile(r"[\W_]+")


def is_unidentified(name: str) -> bool:
    """Say whether a name says that nobody knows who it is; such a record is never anyone's."""
    folded = _NOT_IN_NAMES.sub("", unicodedata.normalize("NFKC", name).upper())
    return not folded or folded.isdecimal() or _NOBODY.match(folded) is not None


def facts_of(record: PatientRecord, today: date) -> Facts:
    """Return what a record is compared by; only a verified number is a strong id."""
    number = numbers.judge(record, today)
    strong = number.state is IdState.VERIFIED
    return Facts(
        name=record.name,
        sex=Sex(record.sex),
        birth_date=record.birth_date,
        key=number.key if strong else None,
        kind=number.kind if strong else None,
    )


def is_same_person(a: PatientRecord, b: PatientRecord, today: date) -> Verdict:
    """Judge two records as they came from their sources."""
    return compare(facts_of(a, today), facts_of(b, today))


def compare(a: Facts, b: Facts, *, linked_by_source: bool = False) -> Verdict:
    """Judge by R-ID-1.

    Args:
        a: One record.
        b: The other.
        linked_by_source: Both are of one assigning authority, whose own feed links or merges them.

    Returns:
        `certain` by (a) or (b) of the rule; `contradicted` where a strong id is equal, or the
        source links, and something else speaks against it; else `unproven`.
    """
    if is_unidentified(a.name) or is_unidentified(b.name):
        return Verdict(Same.UNPROVEN, ("unidentified",))
    if linked_by_source:
        against = (*contradictions(a, b), *other_number(a, b))
        return Verdict(Same.CONTRADICTED if against else Same.CERTAIN, against or ("source_links",))
    if a.key is None or a.key != b.key:
        missing = a.key is None or b.key is None
        return Verdict(Same.UNPROVEN, ("no_strong_id" if missing else "ids_differ",))
    against = contradictions(a, b)
    if against:
        return Verdict(Same.CONTRADICTED, against)
    if a.birth_date is None or b.birth_date is None:
        return Verdict(Same.UNPROVEN, ("birth_date_missing",))
    return Verdict(Same.CERTAIN, ("strong_id_equal",))


def contradictions(a: Facts, b: Facts) -> tuple[str, ...]:
    """Return in what two records speak against being one person; what is unknown does not."""
    found = []
    if equal_names(a.name, b.name) in {NameMatch.DIFFERENT, NameMatch.NOT_A_READING}:
        found.append("name_differs")
    if a.birth_date and b.birth_date and a.birth_date != b.birth_date:
        derived = a.birth_date.year == b.birth_date.year and (
            numbers.is_derived(a.birth_date) or numbers.is_derived(b.birth_date)
        )
        found.append("birth_date_derived" if derived else "birth_date_differs")
    if Sex.UNKNOWN not in {a.sex, b.sex} and a.sex is not b.sex:
        found.append("sex_differs")
    return tuple(found)


def other_number(a: Facts, b: Facts) -> tuple[str, ...]:
    """Return that two verified ids of one kind differ, which speaks against any other tie."""
    both = a.key is not None and b.key is not None and a.kind == b.kind
    return ("ids_differ",) if both and a.key != b.key else ()


def may_be_same(a: Facts, b: Facts) -> bool:
    """Say whether people should look: name and birth date equal, and nothing against it.

    Only for their work queue, never for cards or images.
    """
    if is_unidentified(a.name) or is_unidentified(b.name):
        return False
    return (
        a.birth_date is not None
        and a.birth_date == b.birth_date
        and equal_names(a.name, b.name) is NameMatch.EQUAL
        and not contradictions(a, b)
        and not other_number(a, b)
    )
