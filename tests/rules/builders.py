"""What a row of a rule table means to the rule: the arguments its function is called with."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from pydantic import TypeAdapter

from accord import catalogue, standard
from accord.app.answers import all_answers
from accord.catalogue.names import conforming
from accord.catalogue.rules.naming import NameEvidence
from accord.dataquality.model import Clocks, Life, Statements
from accord.identity.rules.certainty import TwoRecords
from accord.imagequality import files as imagequality_files
from accord.imagequality.evidence import QualityEvidence
from accord.recognition.cases import make_case, make_evidence, merge
from accord.recognition.judge import with_choices
from accord.recognition.model import SiteChoices
from accord.reminder.rules import CitationNote, Repeat

RULE_SET = standard.load("2025-draft")
CATALOGUE = catalogue.load("2025-draft")
ANSWERS = all_answers()

WOMAN = {
    "authority": "A",
    "local_id": "P1",
    "name": "曾丽",
    "sex": "F",
    "birth_date": date(1979, 8, 15),
    "id_type": "resident_card",
    "id_number": "509900197908150023",
}
NOTE = {
    "result": "双肺未见异常",
    "performer": "第一医院",
    "exam_time": datetime(2026, 3, 15, 2, tzinfo=UTC),
    "cited_by": "王医师",
    "cited_at": datetime(2026, 3, 20, 1, tzinfo=UTC),
    "study_uid": "2.25.1",
    "link": "/viewer/?study=2.25.1",
}


def _switched(row):
    return with_choices(RULE_SET, SiteChoices(**row.get("switches", {})))


def _any_switched(row):
    """Switch a reading that no case of recognition sets."""
    return with_choices(RULE_SET, SimpleNamespace(**row.get("switches", {})))


def recognition(row):
    """A case, with the switches that it sets itself."""
    case = make_case(row["given"])
    return case, with_choices(_switched(row), case.settings), CATALOGUE


def dataquality(row):
    """The evidence of one study."""
    return make_evidence(row["given"]), _switched(row)


THIN_CT = {
    "modality": "CT",
    "device_test": True,
    "series": [{"stacks": [[0, -1, -2, -3, -4]], "thickness_mm": 1}],
}
TWO_PLANES = {
    "many_planes": False,
    "series": [
        {"uid": "1", "plane": "axial", "direction": "-z"},
        {"uid": "2", "plane": "sagittal", "direction": "-x"},
    ],
}


def imagequality(row):
    """A sound examination, CT unless the row says MR, before the row changes it."""
    given = row["given"]
    sound = TWO_PLANES if given.get("modality") == "MR" else THIN_CT
    evidence = TypeAdapter(QualityEvidence).validate_python(sound | given)
    return evidence, replace(imagequality_files.terms(), rule_set=_switched(row))


def identity(row):
    """Two records of one woman, before the row changes them."""
    pair = {"one": WOMAN, "other": WOMAN | {"authority": "B", "local_id": "Q1"}}
    given = merge(pair | {"on": date(2026, 3, 20)}, row["given"])
    return TypeAdapter(TwoRecords).validate_python(given), RULE_SET


def citation(row):
    """A complete note, before the row changes it."""
    return CitationNote(**(NOTE | row["given"])), RULE_SET


def repeat(row):
    """A decision that repeats an examination."""
    given = row["given"]
    return Repeat(**(given | {"grounds": tuple(given.get("grounds", ()))})), RULE_SET


CLOCKS = {
    "now": "2026-03-20T08:00:00+08:00",
    "modality": "CT",
    "emergency": False,
    "ordered_at": "2026-03-15T07:00:00+08:00",
    "exam_start": "2026-03-15T07:50:00+08:00",
    "exam_end": "2026-03-15T08:00:00+08:00",
}
MONTH = {"since": "2026-03-01T00:00:00+08:00", "until": "2026-03-04T00:00:00+08:00"}


def clocks(row):
    """The moments of a routine CT that ended at eight, without report and images."""
    return TypeAdapter(Clocks).validate_python(merge(CLOCKS, row["given"])), _any_switched(row)


def statements(row):
    """Exactly what the row states."""
    return TypeAdapter(Statements).validate_python(row["given"]), _switched(row)


def life(row):
    """Three days of a silent institution; `hourly_from` begins heartbeats for so many `hours`."""
    given = dict(row["given"])
    every = given.pop("hourly_from", None)
    if every is not None:
        begin = datetime.fromisoformat(every)
        hours = given.pop("hours")
        given["heartbeats"] = [begin + timedelta(hours=hour) for hour in range(hours)]
    return TypeAdapter(Life).validate_python(merge(MONTH, given)), _switched(row)


def naming(row):
    """A name with the four parts that it states."""
    given = row["given"]
    form = conforming.judge(given["name"] or "", CATALOGUE)
    return NameEvidence(form=form, **given), RULE_SET


BUILDERS = {
    "recognition": recognition,
    "catalogue": naming,
    "dataquality": dataquality,
    "identity": identity,
    "imagequality": imagequality,
    **{f"R7.1.1-{letter}": clocks for letter in "abcdegh"},
    "R7.1.4": statements,
    "R7.1.5": life,
    "R6.6-3": citation,
    "R6.6-4": repeat,
}
"""By rule, or by the package that answers."""


def arguments(rule_id, row):
    """Return the arguments for the function that answers a rule."""
    package = ANSWERS[rule_id].__module__.split(".")[1]
    return BUILDERS.get(rule_id, BUILDERS.get(package))(row)
