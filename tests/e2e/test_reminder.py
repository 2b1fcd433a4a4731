"""The physician at the keyboard: a real Chromium, the real application, images of a real upload."""

import time

import pytest

from accord.app.demo.region import login_of
from accord.app.web import create_app
from accord.record import service as record
from accord.reminder import store
from accord.reminder.model import Looked, Outcome
from support.browsing import faint_texts, page
from support.processes import wait_until
from support.reminding import PASSWORD, item_of, loaded_site
from support.viewing import serving

pytestmark = pytest.mark.browser

SMALL = {"width": 1366, "height": 768}  # the screen of a ward
VIEWER = "DEMO-CQ04"
OTHER = "DEMO-CQ03"
PAUSE = 700  # milliseconds; a key that decides wants 600 without typing
SOON = 20_000
DRAWN = "document.querySelector('.thumb img').naturalWidth > 0"


@pytest.fixture(scope="module")
def place(server, tmp_path_factory):
    """The loaded site and its address."""
    with loaded_site(server, tmp_path_factory.mktemp("reminder-e2e")) as site:
        app = create_app(site.settings, site.database)
        with serving(app) as origin:
            yield site, origin
        lane = getattr(app.state, "reminder_lane", None)
        if lane is not None:
            lane.close()


def ready(site, person, viewer, item):
    """Let an order wait at a hospital and return its number."""
    with site.database.begin() as conn:
        order = site.order(site.visit(conn, person, viewer), item)
        record.put_order(conn, site.his(viewer), order)
    return order.number


def state(site, item):
    with site.database.begin() as conn:
        return store.state_of(conn, item)


def log_in(opened, origin, viewer, then="/reminder/order"):
    """Ask for a page, be sent to the login, and type name and password."""
    opened.set_viewport_size(SMALL)
    opened.goto(f"{origin}{then}")
    opened.focus("input[name=login]")
    opened.keyboard.type(login_of(viewer, "doctor"))
    opened.keyboard.press("Tab")
    opened.keyboard.type(PASSWORD)
    opened.keyboard.press("Enter")
    opened.wait_for_url(f"{origin}{then}")


def sign(opened, number):
    """Sign a waiting order by keyboard and return the id of its reminder item."""
    button = opened.locator(f'button[name=order][value="{number}"]')
    button.focus()
    opened.keyboard.press("Enter")
    opened.wait_for_selector(".card h1")
    return opened.url.rpartition("/")[2]


def press(opened, *keys):
    """Press keys with the pause of somebody who means it."""
    for key in keys:
        opened.wait_for_timeout(PAUSE)
        opened.keyboard.press(key)


def test_look_and_accept_with_two_keys(place):
    site, origin = place
    number = ready(site, "p30", VIEWER, 1)
    with page() as (opened, seen):
        log_in(opened, origin, VIEWER)
        item = sign(opened, number)
        assert opened.evaluate("document.activeElement === document.body")
        assert wait_until(lambda: opened.evaluate(DRAWN))  # the policy forbids wait_for_function
        for button in ("#look", "#accept button", "#refuse"):
            box = opened.locator(button).bounding_box()
            assert box["y"] + box["height"] <= SMALL["height"]
        assert faint_texts(opened) == []

        with opened.expect_popup() as popup:
            press(opened, "Enter")
        popup.value.wait_for_url(f"{origin}/viewer/**", timeout=SOON)
        popup.value.close()
        opened.bring_to_front()
        press(opened, "1")
        opened.wait_for_selector(".citation", timeout=SOON)
        assert "检查机构：青衣县白马镇中心卫生院" in opened.inner_text(".citation")
        assert "未调阅影像" not in opened.inner_text(".done")
        assert faint_texts(opened) == []

        opened.click("text=返回检查申请")
        assert "已采用原结果" in opened.inner_text("table")
    found = state(site, item)
    assert found.in_force.outcome is Outcome.ACCEPTED
    assert not found.in_force.unseen
    assert Looked.IMAGES in {look.what for look in found.looks}
    (citation,) = found.citations
    assert citation.result == "心、肺、膈未见明显异常。"
    assert seen.complaints == []
    assert seen.outside(origin) == []
    assert not any(failure.startswith("5") for failure in seen.failures)


def test_another_refuses_with_three_keys_and_informs_with_one(place):
    site, origin = place
    number = ready(site, "p14", OTHER, 1)
    with page() as (opened, _):
        log_in(opened, origin, OTHER)
        item = sign(opened, number)
        press(opened, "2")
        opened.wait_for_selector(".grounds.open")
        assert faint_texts(opened) == []
        press(opened, "1", "2")
        opened.wait_for_selector("#informing", timeout=SOON)
        assert "因病情变化，难以反映当前病情（新症状）" in opened.inner_text(".done")
        press(opened, "1")
        opened.wait_for_selector(".told", timeout=SOON)
    found = state(site, item)
    assert [(one.code, one.pick) for one in found.last.grounds] == [("NR01", "新症状")]
    (notice,) = found.notices
    assert notice.necessity == "因病情变化，难以反映当前病情（新症状）"
    assert notice.informer == login_of(OTHER, "doctor")


@pytest.mark.parametrize("keys", ["1", "211", "12211", "q1w2e3"])
def test_keys_typed_in_passing_decide_nothing(place, keys):
    site, origin = place
    with site.database.begin() as conn:
        item = item_of(site.duty(conn))
    with page() as (opened, _):
        log_in(opened, origin, VIEWER, f"/reminder/{item}")
        opened.wait_for_timeout(PAUSE)
        # Somebody is in the middle of typing when the reminder takes the keys.
        opened.keyboard.press("x")
        opened.keyboard.type(keys, delay=60)
        opened.wait_for_timeout(PAUSE)
        assert opened.locator(".done").count() == 0
    assert state(site, item).decisions == ()


def test_escape_closes_and_the_order_proceeds(place):
    site, origin = place
    with site.database.begin() as conn:
        item = item_of(site.duty(conn))
    with page() as (opened, _):
        log_in(opened, origin, VIEWER, f"/reminder/{item}")
        press(opened, "2", "Escape")
        assert opened.locator(".grounds.open").count() == 0
        press(opened, "Escape")
        opened.wait_for_url(f"{origin}/reminder/closed")
        assert "医嘱照常进行" in opened.inner_text("h1")
    assert state(site, item).decisions == ()


def test_the_written_ground_is_typed_and_sent_with_enter(place):
    site, origin = place
    with site.database.begin() as conn:
        item = item_of(site.duty(conn))
    with page() as (opened, _):
        log_in(opened, origin, VIEWER, f"/reminder/{item}")
        press(opened, "2", "w")
        opened.keyboard.type("需要与术前定位一并评估1234")
        opened.keyboard.press("Enter")
        opened.wait_for_selector(".done", timeout=SOON)
    (ground,) = state(site, item).last.grounds
    assert (ground.code, ground.text) == ("NR11", "需要与术前定位一并评估1234")


def test_without_javascript_everything_is_a_link_or_a_form(place):
    site, origin = place
    number = ready(site, "p30", VIEWER, 1)
    with page(javascript=False) as (opened, seen):
        log_in(opened, origin, VIEWER)
        item = sign(opened, number)
        opened.click("text=看原报告全文")
        assert "影像所见" in opened.inner_text(".report")
        opened.click("text=返回提醒")
        opened.click("text=加重")
        assert "不采用，仍做检查" in opened.inner_text(".done")
        opened.click("text=已告知患者本人")
        assert "已告知：本人" in opened.inner_text(".done")
        opened.click("text=撤销（5 分钟内）")
        opened.click("text=采用原结果")
        assert "引用记录" in opened.inner_text(".citation")
        assert seen.complaints == []
    outcomes = [each.outcome for each in state(site, item).decisions]
    assert outcomes == [Outcome.REJECTED, Outcome.WITHDRAWN, Outcome.ACCEPTED]


def test_the_page_answers_while_a_person_waits(place):
    site, origin = place
    with site.database.begin() as conn:
        item = item_of(site.duty(conn))
    with page() as (opened, _):
        log_in(opened, origin, VIEWER, f"/reminder/{item}")
        begun = time.monotonic()
        opened.reload(wait_until="domcontentloaded")
        assert opened.locator(".badge").inner_text() == "建议互认"
        assert time.monotonic() - begun < SOON / 1000
