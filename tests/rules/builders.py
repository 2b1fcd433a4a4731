"""What a row of a rule table means to the rule: the arguments its function is called with."""

from datetime import UTC, date, datetime

from pydantic import TypeAdapter

from accord import catalogue, standard
from accord.app.answers import all_answers
from accord.identity.rules.certainty import TwoRecords
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


def recognition(row):
    """A case, with the switches that it sets itself."""
    case = make_case(row["given"])
    return case, with_choices(_switched(row), case.settings), CATALOGUE


def dataquality(row):
    """The evidence of one study."""
    return make_evidence(row["given"]), _switched(row)


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


BUILDERS = {
    "recognition": recognition,
    "dataquality": dataquality,
    "identity": identity,
    "R6.6-3": citation,
    "R6.6-4": repeat,
}
"""By rule, or by the package that answers."""


def arguments(rule_id, row):
    """Return the arguments for the function that answers a rule."""
    package = ANSWERS[rule_id].__module__.split(".")[1]
    return BUILDERS.get(rule_id, BUILDERS.get(package))(row)
