"""The wire shape of CDS Hooks 2.0.1: invariants of the specification, and what a card says."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from accord import standard
from accord.recognition.model import Recommendation, Relation
from accord.reminder import cards
from accord.reminder.cards import Draft, Shown
from accord.reminder.grounds import grounds_of
from accord.reminder.model import Status, Unasked
from unit.reminder.builders import ITEM, make_answer, make_item, make_order, make_prior

GROUNDS = tuple(grounds_of(standard.load("2025-draft")).values())
REQUEST = {
    "resourceType": "ServiceRequest",
    "id": "draft-1",
    "status": "draft",
    "code": {"coding": [{"system": "urn:cyhr:item", "code": "CYHR-094"}]},
}


def shown(**changes):
    given = {
        "base_url": "http://127.0.0.1:8080",
        "subject": "P-1",
        "results": {7: "双肺未见明显异常"},
        "drafts": {ITEM: Draft(REQUEST)},
        "grounds": GROUNDS,
    }
    return Shown(**{**given, **changes})


def card_of(prior, **changes):
    body = cards.response(make_answer(make_item(card=prior)), shown(**changes))
    (card,) = body["cards"]
    return card


def walk(value, path="$"):
    yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            yield from walk(part, f"{path}.{key}")
    elif isinstance(value, list):
        for part in value:
            yield from walk(part, f"{path}[]")


ANSWERS = {
    "duty": make_answer(make_item(card=make_prior())),
    "may": make_answer(
        make_item(card=make_prior(advice=Recommendation.MAY, reason="检查机构级别低于本机构"))
    ),
    "lifted": make_answer(
        make_item(
            card=make_prior(
                advice=Recommendation.MAY, lifted_by=("NR07",), machine_grounds=("NR07",)
            )
        )
    ),
    "bare": make_answer(
        make_item(
            card=make_prior(
                study_uid=None, exam_end=None, ago=None, level=None, report=None, modality=None
            )
        )
    ),
    "quiet": make_answer(make_item(quiet=[make_prior(reason="超过1个月")])),
    "none": make_answer(make_item()),
    "unknown": make_answer(
        make_item(status=Status.NOT_ASKED, unasked=Unasked.ITEM_UNKNOWN, items=()),
        status=Status.NOT_ASKED,
        unasked=Unasked.ITEM_UNKNOWN,
    ),
    "no order": make_answer(status=Status.NOT_ASKED, unasked=Unasked.NO_ORDER),
    "two items": make_answer(
        make_item(card=make_prior()), make_item(id=UUID(int=9), order=make_order(number="O-2"))
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_no_attribute_is_null_or_empty(name):
    body = cards.response(ANSWERS[name], shown())
    assert isinstance(body["cards"], list)
    for path, value in walk(body):
        assert value is not None, path
        if path != "$.cards":
            assert value not in ("", [], {}), path
    json.dumps(body)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_card_keeps_the_invariants_of_the_specification(name):
    for card in cards.response(ANSWERS[name], shown())["cards"]:
        assert UUID(card["uuid"])
        assert 0 < len(card["summary"]) < 140
        assert card["indicator"] in {"info", "warning", "critical"}
        assert card["source"]["label"]
        suggestions = card.get("suggestions", [])
        # cds-resp-1: at most one recommended where at most one may be chosen
        assert sum(bool(each.get("isRecommended")) for each in suggestions) <= 1
        for suggestion in suggestions:
            assert suggestion["label"]
            assert UUID(suggestion["uuid"])
            # cds-resp-7: all actions of a suggestion go together
            assert suggestion.get("actionSelectionBehavior", "all") == "all"
            for action in suggestion["actions"]:
                assert action["type"] in {"create", "update", "delete"}
                # cds-resp-5: every action is described
                assert action["description"]
                # cds-resp-2: a deletion names an id, everything else carries the whole resource
                is_delete = action["type"] == "delete"
                assert ("resourceId" in action) is is_delete
                assert ("resource" in action) is not is_delete
        # cds-resp-3: application context only for SMART links
        for link in card.get("links", []):
            assert link["type"] == "absolute"
            assert "appContext" not in link
            assert link["url"].startswith("http://127.0.0.1:8080/reminder/")
        # cds-resp-4: every reason has words
        assert [reason["code"] for reason in card["overrideReasons"]] == [
            f"NR{number:02d}" for number in range(1, 12)
        ]
        assert all(reason["display"] and reason["system"] for reason in card["overrideReasons"])
        # cds-resp-6: suggestions say how they are chosen
        assert ("selectionBehavior" in card) is bool(suggestions)


def test_a_duty_warns_and_recommends_without_the_word_must():
    card = card_of(make_prior())
    assert card["indicator"] == "warning"
    assert card["suggestions"][0]["isRecommended"] is True
    assert card["summary"].startswith("建议互认：12 天前，成都第一医院已做胸部CT平扫")
    assert "必须" not in json.dumps(card, ensure_ascii=False)


def test_a_choice_informs_and_recommends_nothing():
    card = card_of(make_prior(advice=Recommendation.MAY))
    assert card["indicator"] == "info"
    assert "isRecommended" not in card["suggestions"][0]
    assert card["summary"].startswith("可互认")


def test_a_lifted_duty_is_shown_without_suggestion_or_interruption():
    card = card_of(
        make_prior(advice=Recommendation.MAY, lifted_by=("NR07",), machine_grounds=("NR07",))
    )
    assert card["indicator"] == "info"
    assert "suggestions" not in card
    told = card["extension"][cards.EXTENSION]
    assert told["interrupts"] is False
    assert told["lifted_by"] == ["NR07"]
    assert len(card["links"]) == 2


def test_a_single_item_order_is_deleted_and_cited():
    actions = card_of(make_prior())["suggestions"][0]["actions"]
    assert [action["type"] for action in actions] == ["delete", "create"]
    assert actions[0]["resourceId"] == "ServiceRequest/draft-1"
    document = actions[1]["resource"]
    assert document["resourceType"] == "DocumentReference"
    assert document["custodian"]["display"] == "成都第一医院"
    assert document["context"]["related"][0]["identifier"]["value"] == "urn:oid:2.25.7"


def test_an_order_of_13_and_14_loses_only_13():
    codings = [{"system": "urn:cyhr:item", "code": f"CYHR-{no:03d}"} for no in (13, 14)]
    resource = {**REQUEST, "code": {"coding": codings, "text": "膝关节"}}
    item = make_item(card=make_prior(), items=(13,))
    body = cards.response(
        make_answer(item), shown(drafts={ITEM: Draft(resource, others=("CYHR-014",))})
    )
    action = body["cards"][0]["suggestions"][0]["actions"][0]
    assert action["type"] == "update"
    assert action["resource"]["code"]["coding"] == [codings[1]]
    assert action["resource"]["id"] == "draft-1"
    assert len(resource["code"]["coding"]) == 2


def test_a_draft_without_id_can_only_be_cited():
    resource = {name: part for name, part in REQUEST.items() if name != "id"}
    card = card_of(make_prior(), drafts={ITEM: Draft(resource)})
    assert [action["type"] for action in card["suggestions"][0]["actions"]] == ["create"]


def test_a_very_long_name_still_gives_a_short_summary():
    card = card_of(make_prior(performer="某" * 300))
    assert len(card["summary"]) == 139
    assert card["summary"].endswith("…")


def test_report_text_cannot_act_inside_the_card():
    hostile = "[看](https://evil.example) <img src=x onerror=alert(1)> ![](http://x/y)"
    card = card_of(make_prior(performer="<b>院</b>"), results={7: hostile})
    detail = card["detail"]
    assert "<" not in detail
    assert "://" not in detail
    assert "](" not in detail.replace("\\]\\(", "")
    assert "原报告结论，供参考" in detail


def test_where_performed_and_where_reported_are_both_named():
    prior = make_prior(reported_by="SC-H2", reporter="县人民医院")
    assert "**报告机构** 县人民医院" in card_of(prior)["detail"]


def test_a_quiet_prior_makes_no_card_and_one_line_with_its_reason():
    body = cards.response(ANSWERS["quiet"], shown())
    assert body["cards"] == []
    told = body["extension"][cards.EXTENSION]
    assert told["status"] == "answered"
    assert told["items"][0]["quiet"][0]["reason"] == "超过1个月"


def test_no_priors_tell_nothing_that_varies():
    first = cards.response(make_answer(make_item()), shown())
    other = cards.response(
        make_answer(make_item(id=UUID(int=5)), id=UUID(int=6)), shown(drafts={}, results={})
    )
    assert first == other
    assert first == {
        "cards": [],
        "extension": {
            cards.EXTENSION: {
                "status": "none",
                "items": [{"order": "O-1", "status": "none"}],
            }
        },
    }


@pytest.mark.parametrize("why", Unasked)
def test_what_was_not_asked_says_why(why):
    told = cards.unasked(why)["extension"][cards.EXTENSION]
    assert told["status"] == "not_asked"
    assert told["reason"] == why.value
    assert told["message"]


def test_the_suggestion_keeps_its_id():
    prior = make_prior()
    first = card_of(prior)["suggestions"][0]["uuid"]
    assert first == card_of(replace(prior, relation=Relation.COVERS))["suggestions"][0]["uuid"]
    assert first != str(ITEM)


def test_discovery_offers_order_sign_once():
    (service,) = cards.discovery()["services"]
    assert service["hook"] == "order-sign"
    assert service["id"] == "cyhr-duplicate-imaging"
    assert set(service["prefetch"]) == {"patient", "encounter"}
