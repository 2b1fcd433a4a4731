"""Evidence says what the sources say, and nothing more."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from accord import catalogue
from accord.dataquality.evidence import Beside, completed_years, gather, header_side, side_of
from accord.dataquality.model import ObjectKind, ReportState, SourceName, kind_of
from accord.identity.model import IdState, IdType, Patient, Sex
from accord.record.model import (
    Examination,
    Kept,
    Order,
    Preparation,
    Registration,
    Report,
    ReportStatus,
    Visit,
    VisitKind,
)
from accord.registry.model import Device, DeviceKind, Institution, Level, Ownership
from accord.standard.model import Jurisdiction

ITEMS = catalogue.load()
AT = datetime(2026, 3, 15, 2, tzinfo=UTC)
STUDY = {
    "study_uid": "2.25.1",
    "patient_id": "P1",
    "patient_name": "ZENG^LI",
    "sex": "F",
    "birth_date": "1979-08-15",
    "accession": "A1",
    "other_ids": [],
    "modalities": ["CT"],
    "sop_classes": ["1.2.840.10008.5.1.4.1.1.2"],
    "syntaxes": [{"transfer_syntax": "1.2.840.10008.1.2.4.70", "lossy_flag": None, "count": 3}],
    "kept_aside_reasons": {},
    "stored": 3,
    "exam_start": "2026-03-15T01:50:00Z",
    "exam_end": "2026-03-15T02:00:00Z",
    "series": [],
    "elements": {},
}
PLAIN = Examination(
    id=1,
    performed_by="A",
    patient_id="P1",
    study_uid="2.25.1",
    accession="A1",
    items=(94,),
    item_reason="",
    modality="CT",
    exam_start=AT,
    exam_end=AT,
    settled_at=AT,
    reported_by="A",
    report_status=ReportStatus.FINAL,
    released_at=AT,
    withdrawn=False,
    study=STUDY,
)


def series(**what):
    plain = {
        "laterality": None,
        "image_laterality": None,
        "view_position": None,
        "view_code": None,
        "contrast_agent": None,
    }
    return plain | what


def of_study(**changes):
    return gather(replace(PLAIN, study=STUDY | changes), Beside(), ITEMS)


def of_header(**elements):
    return of_study(elements=elements).elements[SourceName.HEADER]


def order(**what):
    given = {
        "number": "O1",
        "visit": "V1",
        "patient_id": "P1",
        "item_text": "胸部CT",
        "ordered_at": AT,
    }
    return Kept("A", 1, AT, Order(**(given | what)))


def report(**what):
    given = {"number": "R1", "performed_by": "A", "status": ReportStatus.FINAL}
    return Kept("A", 1, AT, Report(**(given | what)))


def patient(**what):
    given = {
        "id": 1,
        "person_id": "x",
        "authority": "A",
        "local_id": "P1",
        "name": "曾丽",
        "sex": Sex.FEMALE,
        "birth_date": date(1979, 8, 15),
        "id_type": IdType.RESIDENT_CARD,
        "id_state": IdState.VERIFIED,
        "quarantined": False,
        "version": 1,
        "updated_at": AT,
    }
    return Patient(**(given | what))


@pytest.mark.parametrize(
    ("text", "side"),
    [("L", "L"), ("左", "L"), ("右侧", "R"), ("双", "B"), (" b ", "B"), ("U", None), (None, None)],
)
def test_a_side_is_read_as_it_is_written(text, side):
    assert side_of(text) == side


@pytest.mark.parametrize(
    ("sides", "together"),
    [(["L"], "L"), (["L", "L"], "L"), (["L", "R"], "B"), (["U", None], None), ([], None)],
)
def test_the_sides_of_all_series_are_taken_together(sides, together):
    study = {"series": [series(image_laterality=side) for side in sides]}
    assert header_side(study) == together


def test_the_side_of_a_series_stands_in_for_that_of_the_image():
    assert header_side({"series": [series(laterality="R")]}) == "R"


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", ObjectKind.IMAGE),
        ("1.2.840.10008.5.1.4.1.1.7", ObjectKind.CAPTURE),
        ("1.2.840.10008.5.1.4.1.1.7.4", ObjectKind.CAPTURE),
        ("1.2.840.10008.5.1.4.1.1.77.1.1", ObjectKind.IMAGE),
        ("1.2.840.10008.5.1.4.1.1.88.67", ObjectKind.DOCUMENT),
        ("1.2.840.10008.5.1.4.1.1.104.1", ObjectKind.DOCUMENT),
        ("1.2.840.10008.5.1.4.1.1.11.1", ObjectKind.DOCUMENT),
    ],
)
def test_the_sop_class_says_what_an_object_is(sop_class, kind):
    assert kind_of(sop_class) is kind


@pytest.mark.parametrize(
    ("day", "age"), [(date(2026, 8, 14), 46), (date(2026, 8, 15), 47), (date(2027, 1, 1), 47)]
)
def test_an_age_is_of_completed_years(day, age):
    assert completed_years(date(1979, 8, 15), day) == age


def test_nothing_is_made_up_for_an_examination_without_images():
    bare = replace(PLAIN, study=None, items=(), modality=None, exam_end=None, report_status=None)
    evidence = gather(bare, Beside(), ITEMS)
    assert evidence.objects == ()
    assert evidence.report is ReportState.NONE
    assert evidence.modality is None
    assert evidence.age is None
    assert evidence.region is None
    assert evidence.header.patient_id is None
    told = {name: dict(values) for name, values in evidence.elements.items()}
    assert {value for values in told.values() for value in values.values()} <= {None, ""}


def test_the_item_decides_the_modality_and_without_one_the_tag():
    assert gather(replace(PLAIN, items=(1,)), Beside(), ITEMS).modality == "DR"
    assert gather(replace(PLAIN, items=(), modality="CR"), Beside(), ITEMS).modality == "DR"
    assert gather(replace(PLAIN, items=(), modality="US"), Beside(), ITEMS).modality is None


def test_contrast_is_known_by_item_or_by_header():
    assert gather(replace(PLAIN, items=(107,)), Beside(), ITEMS).enhanced
    assert of_study(series=[series(contrast_agent="碘海醇")]).enhanced
    assert not of_study(series=[series()]).enhanced


@pytest.mark.parametrize(
    ("number", "region"),
    [(94, "other"), (86, "pelvis"), (97, "lumbar"), (87, "hip"), (73, "sacrum")],
)
def test_the_region_of_an_item_is_known(number, region):
    assert gather(replace(PLAIN, items=(number,)), Beside(), ITEMS).region == region


def test_an_item_taken_in_one_pass_is_both_sides_unless_a_source_names_one():
    ears = replace(PLAIN, items=(69,))
    assert gather(ears, Beside(), ITEMS).item_side == "B"
    one = replace(ears, order=order(side="左"))
    assert gather(one, Beside(), ITEMS).item_side is None
    assert gather(one, Beside(), ITEMS).order_side == "L"


def test_an_item_of_open_side_says_none_and_is_paired():
    evidence = gather(replace(PLAIN, items=(98,)), Beside(), ITEMS)
    assert evidence.item_side is None
    assert evidence.paired


def test_captures_alone_are_captures():
    assert of_study(sop_classes=["1.2.840.10008.5.1.4.1.1.7"]).objects[0].kind is ObjectKind.CAPTURE


def test_images_beside_documents_are_images():
    mixed = of_study(sop_classes=["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.67"])
    assert mixed.objects[0].kind is ObjectKind.IMAGE


def test_lossy_objects_kept_aside_beside_stored_ones_make_the_study_lossy():
    evidence = of_study(kept_aside_reasons={"lossy_marked": 2, "same_uid_other_bytes": 1})
    assert [(one.lossy, one.count) for one in evidence.objects] == [(None, 3), ("01", 2)]


def test_other_reasons_to_keep_aside_do_not():
    evidence = of_study(kept_aside_reasons={"same_uid_other_bytes": 1})
    assert len(evidence.objects) == 1


def test_a_header_element_needs_all_its_tags():
    assert "C2.4" not in of_header(PatientID="P1")
    assert of_header(PatientID="P1", IssuerOfPatientID="A")["C2.4"] == "P1 A"


def test_a_header_element_takes_the_first_alternative_that_says_something():
    assert of_header(ReferringPhysicianName="王^医师")["C1.4"] == "王^医师"
    both = of_header(RequestingPhysician="李^医师", ReferringPhysicianName="王^医师")
    assert both["C1.4"] == "李^医师"


def test_parts_of_a_header_element_stand_apart():
    told = of_header(Manufacturer="UIH", ManufacturerModelName="uCT")
    assert told["C5.3"] == ("UIH", "uCT", "")


def test_the_request_attributes_of_the_header_are_read():
    told = of_header(RequestAttributesSequence=[{"ReasonForTheRequestedProcedure": "咳嗽"}])
    assert told["C1.7"] == "咳嗽"


def test_a_code_sequence_is_told_by_its_first_text():
    told = of_header(AnatomicRegionSequence=[{"CodeValue": "816094009", "CodeMeaning": "Chest"}])
    assert told["C7.2"] == "816094009"


def test_an_empty_sequence_says_nothing():
    assert "C7.2" not in of_header(AnatomicRegionSequence=[{}])


def test_view_and_contrast_are_told_by_the_series():
    told = of_study(series=[series(), series(view_code="272479007", contrast_agent="碘海醇")])
    header = told.elements[SourceName.HEADER]
    assert header["C5.6"] == "272479007"
    assert header["C5.15"] == "碘海醇"


def test_the_order_and_its_registration_are_two_sources():
    registration = Registration(accession="A1", registered_at=AT, technologist="王强")
    examination = replace(
        PLAIN,
        order=order(
            diagnosis="咳嗽待查",
            registration=registration,
            preparation=Preparation(identity_checked=True, consent=False, weight_kg=62.5),
        ),
    )
    visit = Visit(number="V1", patient_id="P1", kind=VisitKind.OUTPATIENT, opened_at=AT)
    evidence = gather(examination, Beside(visit=visit), ITEMS)
    told = evidence.elements[SourceName.ORDER]
    assert (told["C1.6"], told["C2.6"]) == ("咳嗽待查", "OUTPATIENT")
    ris = evidence.elements[SourceName.RIS]
    assert (ris["C3.1"], ris["C5.1"], ris["C4.1"]) == ("A1", "王强", "是")
    assert (ris["C4.5"], ris["C4.6"]) == ("", "62.5")
    assert not evidence.booked


def test_a_booked_time_makes_an_examination_a_booked_one():
    examination = replace(PLAIN, order=order(registration=Registration(scheduled_at=AT)))
    assert gather(examination, Beside(), ITEMS).booked


def test_a_registered_number_is_told_by_kind_and_state_never_by_itself():
    evidence = gather(PLAIN, Beside(patient=patient()), ITEMS)
    assert evidence.elements[SourceName.RIS]["C2.5"] == ("resident_card", "verified")
    assert evidence.sex == "F"


@pytest.mark.parametrize("state", [IdState.MISSING, IdState.PLACEHOLDER])
def test_a_number_that_is_none_is_not_told(state):
    evidence = gather(PLAIN, Beside(patient=patient(id_state=state)), ITEMS)
    assert "C2.5" not in evidence.elements[SourceName.RIS]


@pytest.mark.parametrize(("agrees", "equal"), [(True, True), (False, False), (None, True)])
def test_id_numbers_are_compared_without_being_told(agrees, equal):
    examination = replace(PLAIN, report=report(patient_id="P1"))
    evidence = gather(examination, Beside(number_agrees=agrees), ITEMS)
    assert (evidence.header.id_number == evidence.stated.id_number) is equal
    assert (evidence.header.id_number is None) is (agrees is None)


def test_the_report_is_a_source_of_its_own():
    examination = replace(
        PLAIN,
        report=report(
            body_part="胸部",
            author="李明",
            authored_at=AT,
            positive=True,
            critical=False,
            modality="DX",
        ),
    )
    evidence = gather(examination, Beside(), ITEMS)
    told = evidence.elements[SourceName.REPORT]
    assert (told["C7.1"], told["C8.3"], told["C9.1"], told["C9.2"]) == (
        "胸部",
        "李明",
        "阳性",
        "无",
    )
    assert told["C8.5"] == (AT.isoformat(), "")
    assert evidence.stated.modality == "DR"


def test_a_report_that_says_nothing_of_a_finding_leaves_it_open():
    told = gather(replace(PLAIN, report=report()), Beside(), ITEMS).elements[SourceName.REPORT]
    assert "C9.1" not in told
    assert "C9.2" not in told


def test_the_registration_speaks_for_institution_and_device():
    performer = Institution(
        code="A",
        name="第一医院",
        level=Level.THIRD,
        ownership=Ownership.PUBLIC,
        province="重庆",
        authority="W",
        jurisdiction=Jurisdiction.CHONGQING,
        valid_from=date(2020, 1, 1),
    )
    device = Device(
        id="D1",
        institution="A",
        serial="S1",
        kind=DeviceKind.CT,
        authority="W",
        jurisdiction=Jurisdiction.CHONGQING,
        valid_from=date(2020, 1, 1),
        manufacturer="UIH",
        cannot_send=frozenset({"C5.14"}),
        review_on=date(2027, 1, 1),
    )
    evidence = gather(PLAIN, Beside(performer=performer, device=device), ITEMS)
    told = evidence.elements[SourceName.REGISTRATION]
    assert told["C3.5"] == ("A", "第一医院")
    assert told["C3.7"] == "D1"
    assert told["C5.3"] == ("UIH", "", "S1")
    assert (evidence.excused, evidence.excused_until) == ({"C5.14"}, date(2027, 1, 1))


def test_other_ids_of_the_header_are_an_id():
    assert of_study(other_ids=["X1"]).elements[SourceName.HEADER]["C2.5"] == ("other", "X1")
