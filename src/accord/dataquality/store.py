"""All SQL of data quality."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from accord.dataquality.tables import study_evaluation
from accord.standard.model import Effect, Finding, Outcome, Severity


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


def newest(conn: Connection, examinations: Collection[int]) -> dict[int, Evaluation]:
    """Return the newest evaluation of each examination that has one."""
    if not examinations:
        return {}
    table = study_evaluation
    rows = conn.execute(
        select(
            table.c.examination,
            table.c.basis,
            table.c.rule_set,
            table.c.fingerprint,
            table.c.findings,
            table.c.evaluated_at,
        )
        .ext(distinct_on(table.c.examination))
        .where(table.c.examination.in_(examinations))
        .order_by(table.c.examination, table.c.id.desc())
    )
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
