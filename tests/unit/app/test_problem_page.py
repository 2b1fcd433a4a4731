"""What a person sees when something fails, and what a program gets."""

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from accord.app import problems
from accord.kit.errors import Forbidden
from accord.kit.http import BodyGuard, install_error_handlers
from support.asgi import Asker

SECRET = "王示宁 510199"


@pytest.fixture
def asker() -> Asker:
    app = FastAPI()
    install_error_handlers(app, problems.page)

    @app.get("/broken")
    def broken() -> None:
        raise ValueError(SECRET)

    @app.get("/refused")
    def refused() -> None:
        raise Forbidden('不可以<script>alert("x")</script>')

    @app.post("/form")
    def form() -> None:
        return None

    app.add_middleware(BodyGuard, largest=100, deepest=3)
    return Asker(app, "http://inner")


def ask(asker: Asker, method: str, path: str, accept: str, **options):
    return asker.request(method, path, headers={"accept": accept}, **options)


def test_unexpected_error_is_a_page_without_its_words(asker):
    answer = ask(asker, "GET", "/broken", "text/html")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "系统出现错误" in answer.text
    assert 'href="/"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert SECRET not in answer.text


def test_unexpected_error_of_a_program_is_json_and_its_place_is_logged(asker):
    with capture_logs() as said:
        answer = ask(asker, "GET", "/broken", "application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    (entry,) = said
    assert (entry["error"], entry["path"]) == ("ValueError", "/broken")
    assert "test_problem_page.py" in entry["where"]
    assert SECRET not in str(entry)


def test_expected_error_is_a_page_and_its_sentence_is_escaped(asker):
    answer = ask(asker, "GET", "/refused", "text/html")
    assert answer.status_code == 403
    assert "没有权限" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("accept", "kind"), [("text/html,*/*", "text/html"), ("*/*", "application/json")]
)
def test_body_that_is_refused_before_the_route_answers_in_kind(asker, accept, kind):
    answer = ask(asker, "POST", "/form", accept, content=b"x" * 101)
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith(kind)


def test_face_without_a_page_answers_json_to_everybody():
    app = FastAPI()
    install_error_handlers(app)
    answer = ask(Asker(app, "http://inner"), "GET", "/nowhere", "text/html")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
