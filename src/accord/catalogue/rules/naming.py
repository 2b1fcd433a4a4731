"""Clause 7.2: what a name of an examination must state, and the code it is given."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from accord.catalogue.names.conforming import Form
from accord.standard import rule
from accord.standard.model import Effect, Finding, Outcome, RuleSet, Severity


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """A name as an institution uses it.

    Attributes:
        name: As it is written; nothing where no name is known.
        form: The four parts it states.
        approved: An approved mapping to the catalogue exists.
        code: Its code of WS/T 364.8, if it has one.
        table: The codes of the loaded table; nothing while none is loaded.
    """

    name: str | None
    form: Form
    approved: bool = False
    code: str | None = None
    table: Collection[str] | None = None


@rule("R7.2-1")
def states_four_parts(evidence: NameEvidence, rule_set: RuleSet) -> Finding:
    """Pass when the name states category, part, protocol and position, or is mapped.

    A printed name of the annex always conforms (D9). Position is asked of plain films alone and
    never added (RD-7.2-POSITION). A local name may differ once its mapping is approved.
    """
    del rule_set
    readings = ("RD-7.2-POSITION",)
    because = {"name": evidence.name, "missing parts": list(evidence.form.missing)}
    if evidence.name is None:
        missing = {"missing": "name"}
        return Finding("R7.2-1", Outcome.NOT_EVALUABLE, missing, readings=readings)
    if evidence.form.conforms:
        return Finding("R7.2-1", Outcome.PASS, because, readings=readings)
    if evidence.approved:
        return Finding("R7.2-1", Outcome.PASS, because, code="NAME_IS_MAPPED", readings=readings)
    return Finding(
        "R7.2-1",
        Outcome.FAIL,
        because,
        effect=Effect.SOURCE,
        severity=Severity.MAJOR,
        code="NAME_NOT_MAPPED",
        readings=readings,
    )


@rule("R7.2-2")
def has_technique_code(evidence: NameEvidence, rule_set: RuleSet) -> Finding:
    """Pass when the code stands in the loaded table; without one its form is tested alone.

    All zeros mean not yet coded, which is no miss (RD-7.2-CODE).
    """
    form, not_coded = rule_set.text("7.2/code_form"), rule_set.text("7.2/not_coded")
    loaded = evidence.table is not None
    because = {"code": evidence.code, "table loaded": loaded}
    numbers = {"7.2/code_form": form, "7.2/not_coded": not_coded}
    readings = ("RD-7.2-CODE",)
    if evidence.code is None or evidence.code == not_coded:
        outcome, code = Outcome.NOT_EVALUABLE, "NOT_YET_CODED"
    elif re.fullmatch(form, evidence.code) is None:
        outcome, code = Outcome.FAIL, "CODE_HAS_NO_FORM"
    elif evidence.table is not None and evidence.code not in evidence.table:
        outcome, code = Outcome.FAIL, "CODE_NOT_IN_TABLE"
    else:
        return Finding("R7.2-2", Outcome.PASS, because, numbers=numbers, readings=readings)
    failed = outcome is Outcome.FAIL
    return Finding(
        "R7.2-2",
        outcome,
        because,
        effect=Effect.SOURCE if failed else None,
        severity=Severity.MINOR if failed else None,
        code=code,
        numbers=numbers,
        readings=readings,
    )
