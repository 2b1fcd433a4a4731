from collections.abc import Iterator

import pytest

from accord.standard import RULES, answers, rule
from accord.standard.answers import where
from accord.standard.errors import AnsweredTwice, UnknownName
from accord.standard.model import Finding, Outcome


@pytest.fixture(autouse=True)
def own_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """An empty register, so that a test neither meets nor leaves real answers."""
    kept = dict(RULES)
    answers._answers.clear()
    yield answers._answers
    answers._answers.clear()
    answers._answers.update(kept)


def is_recent(days: int) -> Finding:
    return Finding("R6.5-1", Outcome.PASS, {"days": days})


def is_near(days: int) -> Finding:
    return Finding("R6.5-1", Outcome.FAIL, {"days": days})


def test_registers_the_function_and_returns_it_unchanged() -> None:
    assert rule("R6.5-1")(is_recent) is is_recent
    assert RULES["R6.5-1"](3).because == {"days": 3}


def test_an_id_the_text_does_not_have_fails() -> None:
    with pytest.raises(UnknownName, match=r"no rule R6\.5-9"):
        rule("R6.5-9")


def test_a_second_answer_fails_and_names_both() -> None:
    rule("R6.5-1")(is_recent)
    with pytest.raises(AnsweredTwice, match=r"is_recent and by .*is_near"):
        rule("R6.5-1")(is_near)
    assert RULES["R6.5-1"] is is_recent


def test_a_module_imported_again_answers_again() -> None:
    rule("R6.5-1")(is_recent)
    rule("R6.5-1")(is_recent)
    assert list(RULES) == ["R6.5-1"]


def test_nobody_else_writes_into_the_register() -> None:
    with pytest.raises(TypeError):
        RULES["R6.5-1"] = is_recent


def test_names_the_function() -> None:
    assert where(is_recent).endswith("test_answers.is_recent")
