"""All SQL of data quality."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH, distinct_on

from accord.dataquality.tables import study_evaluation
from accord.kit.db import Prepared, Read, ask
from accord.standard.model import Effect, Finding, Outcome, Severity

BATCH = 2_000
"""Evaluations read at once for the figures of an institution."""

ONLY_THESE = "$[*] ? (@.rule == $rules[*])"
"""Findings of the given rules, in their order, as a path of PostgreSQL."""


@dataclass(frozen=True)
class Evaluation:
    """The findings about one examination, as they were told on one day.

    Attributes:
        basis: What was read to tell them.
        fingerprint: Hash of the rule set that applied.
    """

    examination: int
    basis: str
    rule_set: str
    fingerprint: str
    findings: tuple[Finding, ...]
    evaluated_at: datetime


@dataclass(frozen=True)
class Measured:
    """What was found about one examination, for figures over many.

    Attributes:
        findings: By rule.
        groups: Filled and applicable elements of each field group.
    """

    examination: int
    modality: str | None
    findings: Mapping[str, Finding]
    groups: Mapping[str, Sequence[int]]


def add(conn: Connection, evaluation: Evaluation, evidence: Mapping[str, Any]) -> None:
    """Keep an evaluation beside the earlier ones."""
    conn.execute(
        insert(study_evaluation).values(
            examination=evaluation.examination,
            basis=evaluation.basis,
            rule_set=evaluation.rule_set,
            fingerprint=evaluation.fingerprint,
            evidence=evidence,
            findings=[finding.as_dict() for finding in evaluation.findings],
            evaluated_at=evaluation.evaluated_at,
        )
    )


def newest(
    conn: Connection, examinations: Collection[int], *, rules: Collection[str] | None = None
) -> dict[int, Evaluation]:
    """Return the newest evaluation of each examination that has one.

    With `rules`, only their findings are read: the answer at order time carries no others.
    """
    return ask(conn, newest_of(examinations, rules=rules)) if examinations else {}


def _newest(findings: Any) -> Select[Any]:
    table = study_evaluation
    return (
        select(
            table.c.examination,
            table.c.basis,
            table.c.rule_set,
            table.c.fingerprint,
            findings,
            table.c.evaluated_at,
        )
        .ext(distinct_on(table.c.examination))
        .where(table.c.examination == any_(bindparam("examinations", type_=ARRAY(BigInteger))))
        .order_by(table.c.examination, table.c.id.desc())
    )


_NEWEST = Prepared(_newest(study_evaluation.c.findings))
_NEWEST_OF_RULES = Prepared(
    _newest(
        func.jsonb_path_query_array(
            study_evaluation.c.findings,
            cast(bindparam("path", type_=Text), JSONPATH),
            cast(bindparam("rules", type_=Text), JSONB),
        ).label("findings")
    )
)


def newest_of(
    examinations: Collection[int], *, rules: Collection[str] | None = None
) -> Read[dict[int, Evaluation]]:
    """Ask what `newest` returns, for a question that goes together with others."""
    values: dict[str, Any] = {"examinations": list(examinations)}
    if rules is None:
        return Read(_NEWEST, values, _evaluations)
    values |= {"path": ONLY_THESE, "rules": json.dumps({"rules": sorted(rules)})}
    return Read(_NEWEST_OF_RULES, values, _evaluations)


def _evaluations(rows: Sequence[Any]) -> dict[int, Evaluation]:
    return {
        row.examination: Evaluation(
            row.examination,
            row.basis,
            row.rule_set,
            row.fingerprint,
            _findings(row.findings),
            row.evaluated_at,
        )
        for row in rows
    }


def measured(conn: Connection, examinations: Sequence[int]) -> Iterator[Measured]:
    """Give what the newest evaluation of each examination found, a batch at a time."""
    table = study_evaluation
    for begin in range(0, len(examinations), BATCH):
        rows = conn.execute(
            select(
                table.c.examination,
                table.c.findings,
                table.c.evidence["modality"].astext.label("modality"),
                table.c.evidence["groups"].label("groups"),
            )
            .ext(distinct_on(table.c.examination))
            .where(table.c.examination.in_(examinations[begin : begin + BATCH]))
            .order_by(table.c.examination, table.c.id.desc())
        )
        for row in rows:
            findings = {one.rule: one for one in _findings(row.findings)}
            yield Measured(row.examination, row.modality, findings, row.groups or {})


def count(conn: Connection, examination: int) -> int:
    """Return how many evaluations an examination has."""
    table = study_evaluation
    rows = conn.execute(select(table.c.id).where(table.c.examination == examination))
    return len(rows.all())


def _findings(kept: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            rule=entry["rule"],
            outcome=Outcome(entry["outcome"]),
            because=entry["because"],
            effect=Effect(entry["effect"]) if "effect" in entry else None,
            severity=Severity(entry["severity"]) if "severity" in entry else None,
            code=entry.get("code"),
            numbers=entry.get("numbers", {}),
            readings=tuple(entry.get("readings", ())),
            note=entry.get("note"),
        )
        for entry in kept
    )
