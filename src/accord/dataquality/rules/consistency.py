"""Clause 7.1.2: what the images say and what the report says is one examination of one person."""

from collections.abc import Iterator
from datetime import date

from dateutil.relativedelta import relativedelta

from accord.dataquality.answers import Answer
from accord.dataquality.model import ReportState, StudyEvidence
from accord.identity.names import NameMatch, equal_names
from accord.standard import rule
from accord.standard.model import Finding, RuleSet, Severity

RULE = "R7.1.2"
READINGS = ("RD-7.1.2-COMPARE", "RD-7.1.2-NAME", "RD-7.1.2-BIRTH")
COMPARED = (
    ("id_number", "ID_NUMBER_DIFFERS"),
    ("patient_id", "PATIENT_ID_DIFFERS"),
    ("study_uid", "STUDY_UID_DIFFERS"),
    ("accession", "ACCESSION_DIFFERS"),
    ("modality", "MODALITY_DIFFERS"),
    ("item", "ITEM_DIFFERS"),
    ("body_part", "BODY_PART_DIFFERS"),
    ("examined_on", "EXAM_DAY_DIFFERS"),
)
KNOWN_SEXES = ("M", "F")


@rule(RULE)
def is_consistent(evidence: StudyEvidence, rule_set: RuleSet) -> Finding:
    """Pass when header and report contradict each other in nothing that both state.

    What one side does not carry is not compared, but a person id and the accession number or
    study UID must stand on both. A report exists exactly where images do; while it is not
    written, there is nothing to compare.
    """
    contradictions = list(dict.fromkeys(_contradictions(evidence)))
    name = equal_names(evidence.header.name, evidence.stated.name)
    because: dict[str, object] = {"contradictions": contradictions, "name": name}
    answer = Answer(RULE, rule_set, because, readings=READINGS)
    if not evidence.objects:
        return answer.gates("NO_IMAGES") if _is_written(evidence) else answer.unknown("images")
    if evidence.report is None:
        return answer.unknown("report")
    if not _is_written(evidence):
        return answer.does_not_apply("the report is not written yet")
    if contradictions:
        return answer.gates(contradictions[0])
    return _without_contradiction(evidence, answer, name)


def _without_contradiction(evidence: StudyEvidence, answer: Answer, name: NameMatch) -> Finding:
    if not _share_keys(evidence):
        return answer.unknown("person id and accession or study UID on both sides")
    if name is NameMatch.NOT_A_READING:
        return answer.tells_source("NAME_IS_NO_READING")
    if _is_derived(evidence):
        return answer.passes(code="BIRTHDATE_DERIVED", severity=Severity.MINOR)
    return answer.passes()


def _is_written(evidence: StudyEvidence) -> bool:
    return evidence.report not in {None, ReportState.NONE, ReportState.PRELIMINARY}


def _contradictions(evidence: StudyEvidence) -> Iterator[str]:
    """Give the codes of all contradictions, those of the person first."""
    header, stated = evidence.header, evidence.stated
    for field, code in COMPARED:
        if _differ(getattr(header, field), getattr(stated, field)):
            yield code
    if _birth_differs(evidence):
        yield "BIRTH_DATE_DIFFERS"
    if header.sex in KNOWN_SEXES and stated.sex in KNOWN_SEXES and header.sex != stated.sex:
        yield "SEX_DIFFERS"
    name = equal_names(header.name, stated.name)
    if name is NameMatch.DIFFERENT or (
        name is NameMatch.NOT_A_READING and not _is_the_same_person_and_study(evidence)
    ):
        yield "NAME_DIFFERS"
    sides = {header.side, stated.side, evidence.order_side, evidence.item_side} - {None}
    if len(sides) > 1:
        yield "SIDE_CONTRADICTS"


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _is_the_same_person_and_study(evidence: StudyEvidence) -> bool:
    """Say whether id number, accession and study UID all stand on both sides and agree."""
    header, stated = evidence.header, evidence.stated
    return all(
        one is not None and one == other
        for one, other in (
            (header.id_number, stated.id_number),
            (header.accession, stated.accession),
            (header.study_uid, stated.study_uid),
        )
    )


def _share_keys(evidence: StudyEvidence) -> bool:
    header, stated = evidence.header, evidence.stated
    person = (header.patient_id and stated.patient_id) or (header.id_number and stated.id_number)
    study = (header.accession and stated.accession) or (header.study_uid and stated.study_uid)
    return bool(person and study)


def _birth_differs(evidence: StudyEvidence) -> bool:
    return _differ(evidence.header.birth_date, evidence.stated.birth_date) and not _is_derived(
        evidence
    )


def _is_derived(evidence: StudyEvidence) -> bool:
    """Say whether the header's birth date was worked out from an age, of the same year."""
    born, stated = evidence.header.birth_date, evidence.stated.birth_date
    if born is None or stated is None or born == stated or born.year != stated.year:
        return False
    return _is_first_of_january(born) or _is_whole_years_before(born, evidence.examined_on)


def _is_first_of_january(day: date) -> bool:
    return (day.month, day.day) == (1, 1)


def _is_whole_years_before(born: date, examined: date | None) -> bool:
    if examined is None:
        return False
    return born == examined - relativedelta(years=examined.year - born.year)
