"""The outer face as `accord disclose` runs it, in a real Chromium, with no database anywhere."""

import os
import socket
import subprocess
from datetime import date
from urllib.parse import quote

import httpx
import pytest

from accord.disclosure.model import Right
from support.browsing import faint_texts, page
from support.processes import ACCORD, wait_until
from support.publications import CT, make_institution, make_publication, publish

pytestmark = [pytest.mark.browser, pytest.mark.processes]

OVER = Right(date(2026, 1, 1), date(2026, 2, 1), (13,), "川渝 HR", "suspended")
PAGES = [
    "/",
    "/?item=94",
    "/?q=nothing",
    "/items",
    "/institutions/CQ001",
    "/verify/?institution=CQ001&item=94&day=2026-10-01",
    "/verify/?institution=CQ001&item=1&day=2026-10-01",
    f"/verify/?institution={quote('示范')}&item=1&day=2026-10-01",
    "/history",
    "/nowhere",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A running `accord disclose` that knows one folder and a port."""
    folder = tmp_path_factory.mktemp("outer")
    many = tuple(make_institution(f"CQ{n:03d}", rights=(CT, OVER)) for n in range(1, 30))
    root = publish(
        folder / "publication",
        make_publication(1, many[:10]),
        make_publication(2, many, next_due=date(2099, 1, 1)),
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*ACCORD, "disclose", "--publication", str(root)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "ACCORD_DATA_DIR": str(folder / "nothing here"),
            "ACCORD_OUTER_PORT": str(port),
        },
    )
    base = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return httpx.get(f"{base}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        assert wait_until(answers, within=60)
        yield base
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert not (folder / "nothing here").exists()


@pytest.fixture(scope="module")
def browser():
    with page(webgl=False, javascript=True) as (opened, seen):
        yield opened, seen


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", PAGES)
def test_page_fits_the_screen_and_is_readable(address, browser, path, width):
    opened, seen = browser
    opened.set_viewport_size({"width": width, "height": 844})
    opened.goto(address + path)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert faint_texts(opened) == []
    assert opened.locator("h1").count() == 1
    assert seen.outside(address) == []
    assert seen.complaints == []


def test_contrast_check_sees_a_faint_text(browser):
    opened, _ = browser
    opened.goto("about:blank")
    opened.set_content("<p style='color:#999'>faint</p><p style='color:#333'>plain</p>")
    assert [text.split()[1] for text in faint_texts(opened)] == ["faint"]


def test_every_control_of_the_search_has_a_label(address, browser):
    opened, _ = browser
    for path in ("/", "/items", "/verify/"):
        opened.goto(address + path)
        for control in opened.locator("input, select").all():
            assert opened.locator(f"label[for={control.get_attribute('id')}]").count() == 1


def test_first_tab_offers_to_skip_to_the_content(address, browser):
    opened, _ = browser
    opened.goto(address)
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"


def test_search_and_verification_work_by_keyboard(address, browser):
    opened, _ = browser
    opened.goto(f"{address}/verify/")
    opened.fill("#institution", "CQ001")
    opened.select_option("#item", "94")
    opened.fill("#day", "2026-10-01")
    opened.press("#institution", "Enter")
    assert opened.locator(".answer.yes").count() == 1


def test_print_leaves_out_what_paper_cannot_use(address, browser):
    opened, _ = browser
    opened.goto(f"{address}/institutions/CQ001")
    opened.emulate_media(media="print")
    assert opened.locator("nav").first.is_hidden()
    assert opened.locator("table").first.is_visible()
    opened.emulate_media(media="screen")
