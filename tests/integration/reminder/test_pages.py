"""The pages over HTTP without JavaScript: who may open them, what they show, what forms do."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from accord.kit import clock
from accord.record import service as record
from accord.record import store as record_store
from accord.record.model import ReportStatus
from accord.reminder import service, store
from accord.reminder.model import Looked, Outcome
from support.reminding import item_of

VIEWER = "DEMO-CQ04"


@pytest.fixture
def item(site):
    with site.database.begin() as conn:
        return item_of(site.duty(conn))


@pytest.fixture
def doctor(client):
    client.log_in(VIEWER)
    return client


def page_of(doctor, item, **query):
    answer = doctor.get(f"/reminder/{item}", params=query)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def fields(html, action):
    """Return the hidden fields of the first form with that action."""
    form = re.search(
        rf'<form method="post" action="{re.escape(action)}".*?</form>', html, re.DOTALL
    )
    assert form, action
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.group()))


def send(doctor, html, action, **more):
    """Send a form as a browser does: with its hidden fields and no header of ours."""
    csrf = doctor.headers.pop("x-csrf-token", None)
    try:
        return doctor.post(action, data={**fields(html, action), **more})
    finally:
        if csrf:
            doctor.headers["x-csrf-token"] = csrf


def state(site, item):
    with site.database.begin() as conn:
        return store.state_of(conn, item)


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(client, item):
    answer = client.get(f"/reminder/{item}?examination=1")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next=%2Freminder%2F{item}%3Fexamination%3D1"


def test_a_physician_of_another_institution_finds_nothing(client, item):
    client.log_in("DEMO-CQ02")
    for path in ("", "/images", "/report", "/thumbnail"):
        assert client.get(f"/reminder/{item}{path}").status_code == 404


def test_a_refusal_is_a_page_with_a_sentence(doctor):
    for path, status, words in (
        (f"/reminder/{uuid4()}", 404, "没有这条提醒"),
        ("/reminder/not-an-id", 400, "地址或表单不完整"),
    ):
        answer = doctor.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert words in unescape(answer.text)


def test_a_system_opens_no_page(site, client, item):
    headers = {"authorization": f"Bearer {site.keys[VIEWER]}"}
    assert client.get(f"/reminder/{item}", headers=headers).status_code == 403


def test_the_page_shows_what_where_when_and_evidence(doctor, item):
    html = page_of(doctor, item)
    for words in (
        "建议互认",
        "天前已有建议互认的同类检查",
        "青衣县白马镇中心卫生院",
        "一级",
        "检查日质控合格",
        "原报告结论，供参考",
        "心、肺、膈未见明显异常",
        "川渝 HR",
        "R6.5-1",
        "看图像",
        "采用原结果",
        "不采用，仍要做",
    ):
        assert words in html, words
    assert "必须" not in html
    assert "autofocus" not in html


def test_nothing_inline_and_a_strict_policy(doctor, item):
    answer = doctor.get(f"/reminder/{item}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|<style| on\w+=| style=", answer.text)


def test_images_stand_before_the_text(doctor, item):
    html = page_of(doctor, item)
    assert html.index('class="half image"') < html.index('class="half text"')


def test_seeing_the_page_is_no_look_at_the_images(site, doctor, item):
    page_of(doctor, item)
    assert [look.what for look in state(site, item).looks] == [Looked.PAGE]


def test_opening_images_and_report_are_looks(site, doctor, item):
    images = doctor.get(f"/reminder/{item}/images")
    assert images.status_code == 303
    assert images.headers["location"].startswith("/viewer/open?StudyInstanceUIDs=")
    report = doctor.get(f"/reminder/{item}/report")
    assert "影像所见" in report.text
    assert [look.what for look in state(site, item).looks] == [Looked.IMAGES, Looked.REPORT]


def test_the_thumbnail_is_a_rendered_picture_of_the_study(doctor, item):
    answer = doctor.get(f"/reminder/{item}/thumbnail")
    assert answer.status_code == 303
    picture = doctor.get(answer.headers["location"], headers={"accept": "image/png,*/*"})
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/")


def test_an_acceptance_by_form_writes_the_citation(site, doctor, item):
    html = page_of(doctor, item)
    answer = send(doctor, html, f"/reminder/{item}/accept")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/reminder/{item}")
    html = page_of(doctor, item)
    assert "已采用原结果" in html
    assert "未调阅影像" in html
    assert "检查机构：青衣县白马镇中心卫生院" in html
    assert f'action="/reminder/{item}/accept"' not in html
    assert len(state(site, item).citations) == 1


def test_an_acceptance_is_undone_by_form(site, doctor, item):
    send(doctor, page_of(doctor, item), f"/reminder/{item}/accept")
    send(doctor, page_of(doctor, item), f"/reminder/{item}/withdraw")
    html = page_of(doctor, item)
    assert "已撤销" in html
    assert f'action="/reminder/{item}/accept"' in html
    assert state(site, item).in_force is None


def test_one_press_refuses_with_ground_and_pick_and_one_tick_informs(site, doctor, item):
    refuse = f"/reminder/{item}/refuse"
    send(doctor, page_of(doctor, item), refuse, choice="NR01:加重")
    html = page_of(doctor, item)
    assert "因病情变化，难以反映当前病情（加重）" in html
    send(doctor, html, f"/reminder/{item}/informed")
    html = page_of(doctor, item)
    assert "已告知：本人" in html
    (notice,) = state(site, item).notices
    assert notice.purpose == "了解肺部情况"


def test_further_grounds_go_along(site, doctor, item):
    html = page_of(doctor, item)
    send(
        doctor,
        html,
        f"/reminder/{item}/refuse",
        choice="NR01:加重",
        also=["NR07", "NR05:图文不符"],
    )
    codes = [ground.code for ground in state(site, item).last.grounds]
    assert codes == ["NR01", "NR07", "NR05"]


def test_what_is_missing_is_said_and_nothing_is_kept(site, doctor, item):
    html = page_of(doctor, item)
    answer = send(doctor, html, f"/reminder/{item}/refuse", choice="NR11", text="太短")
    assert answer.status_code == 400
    assert "至少 10 个字" in unescape(answer.text)
    assert state(site, item).decisions == ()


def test_a_duty_offers_no_refusal_without_ground(doctor, item):
    html = page_of(doctor, item)
    assert "NOT_USED" not in html
    answer = send(doctor, html, f"/reminder/{item}/refuse", choice="NOT_USED")
    assert answer.status_code == 400


def test_a_choice_is_refused_without_ground(site, client):
    with site.database.begin() as conn:
        item = item_of(site.choice(conn))
    client.log_in("DEMO-CQ02")
    html = page_of(client, item)
    assert "可互认" in html
    assert "检查机构级别低于本机构" in html
    send(client, html, f"/reminder/{item}/refuse", choice="NOT_USED")
    assert state(site, item).last.outcome is Outcome.NOT_USED


def test_a_form_without_the_csrf_value_is_refused(site, doctor, item):
    del doctor.headers["x-csrf-token"]
    for act in ("accept", "defer", "refuse", "withdraw", "informed"):
        answer = doctor.post(f"/reminder/{item}/{act}", data={"csrf_token": "wrong"})
        assert answer.status_code == 403, act
    assert state(site, item).decisions == ()


def test_a_late_withdrawal_asks_for_a_ground_on_the_page(site, doctor, item):
    send(doctor, page_of(doctor, item), f"/reminder/{item}/accept")
    at = state(site, item).last.at
    with clock.freeze(at + timedelta(minutes=6)):
        html = page_of(doctor, item)
        assert "撤销，须选择一项理由" in html
        answer = send(doctor, html, f"/reminder/{item}/withdraw", choice="NR06:其他")
        assert answer.status_code == 303
    assert state(site, item).last.is_refusal


def test_a_critical_value_and_an_amendment_are_told_in_red(site, doctor, item):
    with site.database.begin() as conn:
        kept = store.find_item(conn, item, VIEWER)
        report = record.find_examination(conn, kept.item.card.examination).report
        changed = replace(
            report.content, status=ReportStatus.AMENDED, critical=True, amends="补充左肺结节"
        )
        record_store.put(conn, report.institution, changed, actor="test")
    try:
        html = page_of(doctor, item)
        alarms = re.findall(r'<p class="alarm" role="alert">([^<]*)</p>', html)
        assert alarms == ["原报告标有危急值，请先查看", "原报告发布后有修订：补充左肺结节"]
    finally:
        with site.database.begin() as conn:
            record_store.put(conn, report.institution, report.content, actor="test")


def test_the_quiet_list_gives_each_prior_its_reason_and_way(site, doctor):
    with site.database.begin() as conn:
        visit = site.visit(conn, "p30", VIEWER)
        (item,) = site.ask(conn, VIEWER, site.order(visit, 13)).items
    html = page_of(doctor, item.id)
    assert "没有提醒卡片" in html
    assert "不是类似检查" in html
    examination = item.quiet[0].examination
    chosen = page_of(doctor, item.id, examination=examination)
    assert "仅供参考" in chosen
    send(doctor, chosen, f"/reminder/{item.id}/accept")
    assert state(site, item.id).citations[0].study_uid == item.quiet[0].study_uid


def test_the_id_of_a_reminder_leads_to_its_item(site, doctor):
    with site.database.begin() as conn:
        answer = site.duty(conn)
    seen = doctor.get(f"/reminder/{answer.id}")
    assert seen.headers["location"] == f"/reminder/{item_of(answer)}"
    assert doctor.get(f"/reminder/{uuid4()}").status_code == 404


def test_what_the_workstation_reported_is_shown_for_confirmation(site, doctor, item):
    with site.database.begin() as conn:
        store.add_feedback(conn, item, "his", "accepted", clock.now(), {"suggestions": ["x"]})
    assert "医生工作站回传“采用”" in page_of(doctor, item)


def test_orders_wait_and_are_signed_into_a_reminder(site, doctor):
    with site.database.begin() as conn:
        visit = site.visit(conn, "p30", VIEWER)
        orders = [site.order(visit, 1), site.order(visit, 13)]
        for order in orders:
            record.put_order(conn, site.his(VIEWER), order)
        nobody = site.visit(conn, "p33", VIEWER)
        empty = site.order(nobody, 1)
        record.put_order(conn, site.his(VIEWER), empty)
    html = unescape(doctor.get("/reminder/order").text)
    assert all(order.number in html for order in [*orders, empty])
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', html).group(1)
    form = {"csrf_token": csrf, "visit": visit.number}
    signed = doctor.post(
        "/reminder/order", data={**form, "order": [order.number for order in orders]}
    )
    page = doctor.get(signed.headers["location"])
    assert "本次共 2 项" in page.text
    none = doctor.post(
        "/reminder/order",
        data={"csrf_token": csrf, "visit": nobody.number, "order": empty.number},
    )
    assert none.headers["location"] == "/reminder/order?told=none"
    assert "没有可供互认或参考的既往检查" in doctor.get(none.headers["location"]).text
    assert "已提醒，未决定" in doctor.get("/reminder/order").text
    wrong = doctor.post(
        "/reminder/order",
        data={"csrf_token": csrf, "visit": visit.number, "order": empty.number},
    )
    assert wrong.status_code == 404


def test_closing_lets_the_order_proceed(doctor):
    assert "医嘱照常进行" in doctor.get("/reminder/closed").text


@pytest.mark.parametrize("name", ["reminder.css", "reminder.js"])
def test_style_and_script_are_open_files_of_ours(client, name):
    answer = client.get(f"/reminder/static/{name}")
    assert answer.status_code == 200
    assert client.get("/reminder/static/..%2fpages.py").status_code == 404


def test_the_cited_study_stays_open_to_the_institution(site, doctor, item):
    send(doctor, page_of(doctor, item), f"/reminder/{item}/accept")
    with site.database.begin() as conn:
        kept = store.find_item(conn, item, VIEWER)
        assert service.was_shown(conn, VIEWER, kept.item.card.study_uid)
        assert store.is_cited(conn, VIEWER, kept.item.card.study_uid)
