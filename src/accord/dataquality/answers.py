"""One way to write a finding of clauses 5 to 7, so that outcome and effect always go together.

A failed gate shuts the advice; a gate that could not be evaluated acts as a limit unless its rule
says otherwise (RD-CONV-EFFECT).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accord.standard.model import Effect, Finding, Outcome, RuleSet, Severity

Facts = Mapping[str, object]
_MISSED = (
    Outcome.NO_VERDICT,
    Outcome.NOT_APPLICABLE,
    Outcome.PASS,
    Outcome.NOT_EVALUABLE,
    Outcome.DATA_ERROR,
    Outcome.FAIL,
)
_WEIGHT = {Effect.GATE: 4, Effect.LIMIT: 3, Effect.SOURCE: 2, Effect.NOTE: 1, None: 0}


@dataclass(slots=True)  # not frozen: it lives for one line, and an order waits for dozens of them
class Answer:
    """A rule about to answer: the facts it used, the numbers it compared, the readings it took."""

    rule: str
    rule_set: RuleSet
    because: Facts
    numbers: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()

    def passes(
        self,
        *,
        code: str | None = None,
        note: str | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """Answer that the rule is met, perhaps with a remark."""
        effect = Effect.NOTE if code or note else None
        return self._finding(Outcome.PASS, effect, code, severity, note)

    def gates(self, code: str, *, outcome: Outcome = Outcome.FAIL) -> Finding:
        """Answer that the rule is not met and nothing is recognised."""
        return self._finding(outcome, Effect.GATE, code, self._severity())

    def limits(self, code: str, *, severity: Severity | None = None) -> Finding:
        """Answer that the rule is not met and no duty remains."""
        return self._finding(Outcome.FAIL, Effect.LIMIT, code, severity)

    def tells_source(self, code: str, severity: Severity = Severity.MAJOR) -> Finding:
        """Answer that the source has a non-conformity that leaves the advice as it is."""
        return self._finding(Outcome.FAIL, Effect.SOURCE, code, severity)

    def notes(self, code: str, severity: Severity) -> Finding:
        """Answer that the rule is not met, for the record only."""
        return self._finding(Outcome.FAIL, Effect.NOTE, code, severity)

    def unknown(
        self, *missing: str, effect: Effect | None = Effect.LIMIT, code: str | None = None
    ) -> Finding:
        """Answer that a fact is missing."""
        because = {**self.because, "missing": list(missing)}
        return self._finding(Outcome.NOT_EVALUABLE, effect, code, because=because)

    def impossible(self, code: str, effect: Effect = Effect.SOURCE) -> Finding:
        """Answer that the facts cannot all be right: not passed, and a case for a clock check."""
        return self._finding(Outcome.DATA_ERROR, effect, code, self._severity())

    def does_not_apply(self, why: str) -> Finding:
        """Answer that the rule does not ask about this case."""
        because = {**self.because, "why": why}
        return self._finding(Outcome.NOT_APPLICABLE, None, None, because=because)

    def _severity(self) -> Severity:
        return self.rule_set.rule(self.rule).severity

    def _finding(
        self,
        outcome: Outcome,
        effect: Effect | None,
        code: str | None,
        severity: Severity | None = None,
        note: str | None = None,
        because: Facts | None = None,
    ) -> Finding:
        return Finding(
            self.rule,
            outcome,
            self.because if because is None else because,
            effect=effect,
            severity=severity,
            code=code,
            numbers={key: self.rule_set.number(key).value for key in self.numbers},
            readings=self.readings,
            note=note,
        )


def weightiest(findings: Iterable[Finding]) -> Finding:
    """Return the finding that does most to the advice; of equal ones what was missed or unknown."""
    return max(findings, key=lambda one: (_WEIGHT[one.effect], _MISSED.index(one.outcome)))
