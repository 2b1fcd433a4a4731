"""Which function answers which rule.

A rule of the text that a computer can answer has exactly one function, marked `@rule("R6.5-1")`.
An id the text does not have, or a second answer, fails when the module is imported.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from accord.standard.errors import AnsweredTwice, UnknownName
from accord.standard.files import rule_ids
from accord.standard.model import Finding

Answer = Callable[..., Finding]
AnswerT = TypeVar("AnswerT", bound=Answer)

_answers: dict[str, Answer] = {}

RULES: Mapping[str, Answer] = MappingProxyType(_answers)
"""Every function that answers a rule, by rule id; filled as the rule modules are imported."""


def rule(rule_id: str) -> Callable[[AnswerT], AnswerT]:
    """Register a pure function as the answer to a rule of the text, and return it unchanged."""
    if rule_id not in rule_ids():
        raise UnknownName(f"The standard has no rule {rule_id}.", rule=rule_id)

    def register(answer: AnswerT) -> AnswerT:
        earlier = _answers.get(rule_id)
        if earlier is not None and where(earlier) != where(answer):
            raise AnsweredTwice(
                f"{rule_id} is answered by {where(earlier)} and by {where(answer)}.", rule=rule_id
            )
        _answers[rule_id] = answer
        return answer

    return register


def where(answer: Answer) -> str:
    """Return the dotted name of a function that answers a rule."""
    return f"{answer.__module__}.{answer.__qualname__}"
