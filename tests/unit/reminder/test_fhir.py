"""FHIR R4 in, as hospitals really send it; R5 and nonsense are refused with a sentence."""

import json
from datetime import UTC, datetime

import pytest

from accord.kit.errors import Invalid
from accord.kit.settings import Settings
from accord.record.model import Measure, Urgency
from accord.reminder import hooks
from accord.reminder.errors import NotR4, PrefetchMissing
from accord.reminder.fhir import read_order, read_orders

AT = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
SETTINGS = Settings()


def request(**changes):
    given = {
        "resourceType": "ServiceRequest",
        "id": "sr-1",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": "urn:his:item", "code": "CT01"}], "text": "胸部CT平扫"},
    }
    return {**given, **changes}


def bundle(*resources):
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def call(*resources, **changes):
    given = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "http://169.254.169.254/latest",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "P-1",
            "encounterId": "V-1",
            "draftOrders": bundle(*resources),
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "P-1"},
            "encounter": {"resourceType": "Encounter", "id": "V-1"},
        },
    }
    return {**given, **changes}


def read(body):
    return hooks.read_call(json.dumps(body).encode(), SETTINGS)


def items(body):
    return [order for order, _ in hooks._order_items(read(body), "V-1", AT)]


def test_a_draft_order_becomes_an_order_item():
    (order,) = items(
        call(
            request(
                priority="stat",
                bodySite=[{"coding": [{"code": "7771000"}]}],
                reasonCode=[{"text": "咳嗽"}],
            )
        )
    )
    assert (order.number, order.item_text, order.item_code) == ("sr-1", "胸部CT平扫", "CT01")
    assert (order.side, order.purpose, order.urgency) == ("L", "咳嗽", Urgency.STAT)
    assert (order.visit, order.patient_id) == ("V-1", "P-1")


def test_an_empty_coding_asks_nothing():
    assert items(call(request(code={"coding": [{}]}))) == []
    assert items(call(request(code=None))) == []
    assert items(call()) == []


def test_two_items_in_one_order_are_two_order_items():
    codes = [{"system": "urn:cyhr:item", "code": f"CYHR-{no:03d}"} for no in (13, 14)]
    orders = items(call(request(code={"coding": codes})))
    assert [order.item_code for order in orders] == ["CYHR-013", "CYHR-014"]


def test_a_drug_and_a_revoked_order_are_passed_over():
    drug = {"resourceType": "MedicationRequest", "id": "m"}
    assert items(call(drug, request(status="revoked"))) == []


def test_an_order_that_is_no_imaging_is_passed_over():
    lab = request(category=[{"coding": [{"code": "108252007"}]}])
    imaging = request(id="sr-2", category=[{"coding": [{"code": "363679005"}]}])
    assert [order.number for order in items(call(lab, imaging))] == ["sr-2"]


def test_surgery_among_the_drafts_is_a_planned_measure():
    surgery = request(id="op", category=[{"coding": [{"code": "387713003"}]}])
    (order,) = items(call(surgery, request()))
    assert order.planned_measure is Measure.SURGERY


@pytest.mark.parametrize(
    ("site", "side"),
    [
        ({"text": "右膝"}, "R"),
        ({"text": "双膝"}, "B"),
        ({"text": "左右膝"}, None),
        ({"coding": [{"code": "51440002"}]}, "B"),
        ({"text": "膝"}, None),
    ],
)
def test_the_side_is_read_only_where_it_is_plain(site, side):
    (order,) = items(call(request(bodySite=[site])))
    assert order.side == side


def test_the_shape_of_r5_is_refused_with_a_sentence():
    with pytest.raises(NotR4, match="R5 的 CodeableReference"):
        read_order(request(code={"concept": {"text": "CT"}}))


@pytest.mark.parametrize(
    "orders",
    [{}, {"resourceType": "Patient"}, {"resourceType": "Bundle", "entry": {}}],
)
def test_draft_orders_that_are_no_bundle_are_refused(orders):
    with pytest.raises(NotR4, match="Bundle"):
        read_orders(orders)


def test_too_many_orders_are_refused():
    with pytest.raises(NotR4, match="50"):
        read_orders(bundle(*(request(id=f"sr-{no}") for no in range(51))))


def test_a_wrongly_typed_order_names_the_place():
    with pytest.raises(NotR4, match=r"bodySite"):
        read_order(request(bodySite="left"))


@pytest.mark.parametrize(
    "prefetch",
    [
        None,
        {},
        {"encounter": {"resourceType": "Encounter", "id": "V-1"}},
        {"patient": {"resourceType": "OperationOutcome", "issue": []}},
    ],
)
def test_a_missing_patient_is_a_failed_precondition(prefetch):
    with pytest.raises(PrefetchMissing):
        read(call(request(), prefetch=prefetch))
    assert PrefetchMissing.status == 412


def test_an_encounter_that_could_not_be_fetched_leaves_the_context():
    called = read(
        call(
            request(),
            prefetch={
                "patient": {"resourceType": "Patient", "identifier": [{"value": "MRN9"}]},
                "encounter": {"resourceType": "OperationOutcome"},
            },
        )
    )
    assert called.visits == ("V-1",)
    assert called.patient_ids == ("P-1", "MRN9")


def test_a_patient_asked_for_and_not_found_is_taken_by_the_context():
    assert read(call(request(), prefetch={"patient": None})).patient_ids == ("P-1",)


@pytest.mark.parametrize(
    "changes",
    [
        {"hook": "order-select"},
        {"hookInstance": "not a uuid"},
        {"context": {}},
        {"prefetch": []},
        {"prefetch": {"patient": {"resourceType": "Group"}}},
    ],
)
def test_what_is_no_call_of_this_hook_is_refused(changes):
    with pytest.raises(Invalid):
        read(call(request(), **changes))


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_text_that_no_database_keeps_is_refused(text):
    with pytest.raises(Invalid):
        read(call(request(code={"text": f"CT{text}"})))


def test_escaped_signs_that_can_be_kept_are_taken():
    (order,) = items(call(request(code={"text": "CT 🙂 \\u0000"})))
    assert order.item_text == "CT 🙂 \\u0000"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b'"x"'])
def test_what_is_no_json_object_is_refused(body):
    with pytest.raises(Invalid):
        hooks.read_call(body, SETTINGS)
