"""The viewer in a real Chromium on the real server: images drawn, the mark where it belongs."""

import secrets

import pytest
from imagecodecs import png_decode

from accord.app.demo.phantoms import JPEG_2000, JPEG_LS, Request
from accord.app.web import create_app
from accord.kit import store
from accord.kit.access import Actor, hash_password
from accord.kit.db import Database
from accord.kit.settings import Settings
from accord.record import service as record
from accord.registry import service as registry
from support.browsing import faint_texts, page
from support.builders import make_study
from support.region import make_region
from support.viewing import MARK, serving, take_in

pytestmark = pytest.mark.browser

FIRST_IMAGE = 60_000  # milliseconds; software GL on a busy machine


@pytest.fixture(scope="module")
def place(server, tmp_path_factory):
    """A served region: the CT of CQ-A carries the mark, the one of CQ-B does not."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("viewer"))
    name = f"e2e_{secrets.token_hex(6)}"
    database = Database(server.clone(name))
    studies = fill(database, settings)
    with serving(create_app(settings, database)) as origin:
        yield origin, studies
    database.close()
    server.drop(name)


def fill(database, settings):
    """Register the region and its two readers, store both studies, return them by institution."""
    posts = [
        {"login": "doctor.a", "role": "radiologist", "institution": "CQ-A"},
        {"login": "doctor.b", "role": "radiologist", "institution": "CQ-B"},
    ]
    with database.begin() as conn:
        registry.import_region(conn, Actor.process("test"), make_region(posts=posts))
        for post in posts:
            store.put_person(conn, post["login"], post["login"], hash_password("secret"))
    studies = {}
    # Each of these two is decoded in the browser, by a codec of its own.
    for institution, syntax in (("CQ-A", JPEG_LS), ("CQ-B", JPEG_2000)):
        objects = make_study(
            modality="CT",
            body="chest",
            slices=6,
            matrix=96,
            seed=institution,
            syntax=syntax,
            request=Request(item="胸部CT平扫"),
        )
        studies[institution] = take_in(database, settings, institution, objects)
        with database.begin() as conn:
            assert record.join(conn, institution, None, studies[institution])
    return studies


def log_in(opened, origin, login, uid):
    opened.goto(f"{origin}/viewer/open?StudyInstanceUIDs={uid}")
    opened.fill("input[name=login]", login)
    opened.fill("input[name=password]", "secret")
    opened.press("input[name=password]", "Enter")


def is_drawn(opened):
    """Say whether the middle of the screen shows more than a flat ground."""
    middle = png_decode(opened.screenshot())[150:700, 450:1100, :3]
    return int(middle.max()) - int(middle.min()) > 100


@pytest.mark.parametrize(
    ("institution", "login", "marks"), [("CQ-A", "doctor.a", 1), ("CQ-B", "doctor.b", 0)]
)
def test_viewer_draws_the_image_and_the_mark_where_entitled(place, institution, login, marks):
    origin, studies = place
    with page() as (opened, seen):
        log_in(opened, origin, login, studies[institution])
        opened.wait_for_url("**/viewer/viewer?**")
        opened.wait_for_selector("canvas", timeout=FIRST_IMAGE)
        opened.get_by_text("W:").wait_for(timeout=FIRST_IMAGE)
        opened.wait_for_timeout(2000)
        assert is_drawn(opened)
        assert opened.get_by_text(MARK, exact=True).count() == marks
        assert opened.get_by_text("检查", exact=True).count() >= 1, "the interface is Chinese"
        assert seen.outside(origin) == []
        assert [failed for failed in seen.failures if "favicon" not in failed] == []
        assert seen.complaints == []


def test_mark_lies_in_the_upper_right_of_the_picture(place):
    origin, studies = place
    with page() as (opened, _):
        log_in(opened, origin, "doctor.a", studies["CQ-A"])
        opened.wait_for_selector("canvas", timeout=FIRST_IMAGE)
        mark = opened.get_by_text(MARK, exact=True)
        mark.wait_for(timeout=FIRST_IMAGE)
        box, ground = mark.bounding_box(), opened.locator("canvas").first.bounding_box()
        assert box["x"] + box["width"] / 2 > ground["x"] + ground["width"] / 2
        assert box["y"] + box["height"] / 2 <= ground["y"] + ground["height"] / 4


def test_without_webgl_the_frames_are_shown_and_paged_by_keyboard_and_wheel(place):
    origin, studies = place
    with page(webgl=False) as (opened, seen):
        log_in(opened, origin, "doctor.a", studies["CQ-A"])
        opened.wait_for_url("**/viewer/frames?**")
        opened.wait_for_load_state("networkidle")
        assert is_drawn(opened)
        assert opened.get_by_text(MARK, exact=True).count() == 1
        assert faint_texts(opened) == []
        opened.keyboard.press("ArrowDown")
        assert opened.inner_text("#count") == "2 / 6"
        opened.mouse.move(760, 400)
        opened.mouse.wheel(0, 100)
        opened.wait_for_function("document.getElementById('count').textContent === '3 / 6'")
        opened.keyboard.press("End")
        assert opened.inner_text("#count") == "6 / 6"
        opened.wait_for_function("document.getElementById('picture').naturalWidth === 96")
        assert seen.outside(origin) == []
        assert [failed for failed in seen.failures if "favicon" not in failed] == []
        assert seen.complaints == []


def test_without_javascript_the_frames_page_by_links(place):
    origin, studies = place
    with page(webgl=False, javascript=False) as (opened, _):
        log_in(opened, origin, "doctor.a", studies["CQ-A"])
        opened.wait_for_url("**/viewer/frames?**")
        opened.click("#next")
        assert opened.inner_text("#count") == "2 / 6"
        assert is_drawn(opened)


def test_viewer_whose_session_is_over_leads_to_the_login_and_back(place):
    origin, studies = place
    with page() as (opened, _):
        opened.goto(f"{origin}/viewer/viewer?StudyInstanceUIDs={studies['CQ-A']}")
        opened.wait_for_url("**/login?next=**", timeout=FIRST_IMAGE)
        opened.fill("input[name=login]", "doctor.a")
        opened.fill("input[name=password]", "secret")
        opened.press("input[name=password]", "Enter")
        opened.wait_for_url("**/viewer/viewer?**")
        opened.get_by_text(MARK, exact=True).wait_for(timeout=FIRST_IMAGE)
        assert opened.get_by_text(MARK, exact=True).count() == 1
