"""Which item an examination is: sources agree, are silent, or contradict each other."""

from datetime import UTC, datetime

import pytest

from accord import catalogue
from accord.archive.model import Device, SeriesFacts, StudyFacts
from accord.record.items import is_national, items_of_order, match_items
from accord.record.model import Order, Report, ReportStatus

KNOWN = catalogue.load()
AT = datetime(2026, 3, 1, tzinfo=UTC)


def order(**what: object) -> Order:
    given = {"item_text": "", **what}
    return Order(number="1", visit="1", patient_id="1", ordered_at=AT, **given)


def report(item_text: str) -> Report:
    return Report(number="1", performed_by="A", status=ReportStatus.FINAL, item_text=item_text)


def items(given: Order | None, told: Report | None = None, **aliases: int) -> tuple[int, ...]:
    known = {("A", catalogue.fold(name)): item for name, item in aliases.items()}
    return match_items(KNOWN, "A", known, order=given, report=told, facts=None).items


def test_the_printed_name_of_an_item_is_that_item():
    assert items(order(item_text="胸部站立后前位摄影")) == (1,)


def test_an_approved_local_name_is_its_item():
    assert items(order(item_text="胸片正位"), 胸片正位=1) == (1,)


def test_an_alias_of_another_institution_does_not_count():
    other = {("B", catalogue.fold("套餐甲")): 1}
    matched = match_items(
        KNOWN, "A", other, order=order(item_text="套餐甲"), report=None, facts=None
    )
    assert matched.items == ()
    assert "尚未映射" in matched.because


def test_two_sources_that_agree_give_one_item():
    name = KNOWN.by_no(13).name
    assert items(order(item_text=name, item_code="CYHR-013"), report(name)) == (13,)


def test_left_against_right_gives_no_item():
    matched = match_items(
        KNOWN,
        "A",
        {},
        order=order(item_text=KNOWN.by_no(13).name),
        report=report(KNOWN.by_no(14).name),
        facts=None,
    )
    assert matched.items == ()
    assert "矛盾" in matched.because


@pytest.mark.parametrize(
    ("code", "national"), [("CYHR-013", True), ("cyhr-013", True), ("13", False), ("DR013", False)]
)
def test_a_number_of_the_hospital_is_no_code_of_the_catalogue(code, national):
    assert is_national(code) is national
    assert bool(items(order(item_text="本院项目", item_code=code))) is national


def series(uid: str, description: str | None, **what: object) -> SeriesFacts:
    given = dict.fromkeys(
        (
            "protocol",
            "body_part",
            "laterality",
            "image_laterality",
            "view_position",
            "view_code",
            "contrast_agent",
        )
    )
    given |= {"modality": "CT", "number": 1, "sop_class": "1", "instances": 1, "frames": 1}
    return SeriesFacts(series_uid=uid, description=description, **{**given, **what})


def facts(*held: SeriesFacts, description: str | None = None, modality: str = "CT") -> StudyFacts:
    nothing = dict.fromkeys(
        (
            "patient_id",
            "issuer",
            "patient_name",
            "sex",
            "birth_date",
            "accession",
            "requested_procedure",
            "study_date_time",
            "exam_start",
            "exam_end",
            "settled_at",
            "institution_name",
            "station",
            "referring",
            "performing",
        )
    )
    return StudyFacts(
        study_uid="1.2",
        institution="A",
        other_ids=(),
        study_description=description,
        first_received_at=AT,
        last_received_at=AT,
        modalities=(modality,),
        sop_classes=(),
        syntaxes=(),
        kept_aside=0,
        kept_aside_reasons={},
        stored=len(held),
        device=Device(),
        operators=(),
        elements={},
        series=held,
        **nothing,
    )


def matched(given: Order | None, study: StudyFacts | None, **aliases: int):
    known = {("A", catalogue.fold(name)): item for name, item in aliases.items()}
    return match_items(KNOWN, "A", known, order=given, report=None, facts=study)


def test_the_series_of_a_study_are_its_items():
    study = facts(series("1", "Chest 5.0"), series("2", "Upper Abdomen 5.0"))
    found = matched(order(item_text="胸部+上腹部CT平扫"), study)
    assert set(found.items) == {94, 83}
    assert found.series == {94: ("1",), 83: ("2",)}
    assert found.hints == ()


def test_what_was_ordered_and_not_imaged_is_a_hint():
    found = matched(order(item_text="胸部+上腹部CT平扫"), facts(series("1", "Chest 5.0")))
    assert found.items == (94,)
    assert "漏扫" in found.hints[0]


def test_what_was_imaged_and_not_ordered_is_a_hint():
    study = facts(series("1", "Chest 5.0"), series("2", "Upper Abdomen 5.0"))
    found = matched(order(item_text="胸部CT平扫"), study)
    assert set(found.items) == {94, 83}
    assert "多扫" in found.hints[0]


def test_another_part_than_ordered_gives_no_item_and_a_hint():
    found = matched(order(item_text="头颅CT平扫"), facts(series("1", "Lumbar spine")))
    assert found.items == ()
    assert "错扫" in found.hints[0]


def test_a_header_of_the_other_side_gives_no_item():
    study = facts(series("1", "Knee", laterality="R"))
    found = matched(order(item_text="左膝关节CT平扫"), study)
    assert found.items == ()
    assert "侧别" in found.because
    assert "错扫" in found.hints[0]


def test_an_agent_in_the_header_of_a_plain_order_gives_no_item():
    found = matched(
        order(item_text="胸部CT平扫"), facts(series("1", "Chest", contrast_agent="IOHEXOL"))
    )
    assert found.items == ()
    assert "平扫与增强" in found.because


def test_images_alone_are_an_item():
    assert matched(None, facts(series("1", "5.0"), description="CT Head")).items == (92,)


def test_series_without_images_say_nothing():
    study = facts(series("1", "Chest"), series("2", "CT Head", modality="SR"))
    assert matched(None, study).items == (94,)


def test_an_alias_against_the_images_gives_no_item():
    study = facts(series("1", "Knee", laterality="R"), description="膝套餐")
    assert matched(None, study, 膝套餐=91).items == ()
    assert matched(None, study, 膝套餐=89).items == (89,)


def ordered(given: Order, **aliases: int) -> tuple[int, ...]:
    known = {("A", catalogue.fold(name)): item for name, item in aliases.items()}
    return items_of_order(KNOWN, "A", known, given)


def test_an_order_is_read_by_code_by_alias_or_by_its_words():
    assert ordered(order(item_text="随便", item_code="CYHR-094")) == (94,)
    assert ordered(order(item_text="套餐甲"), 套餐甲=94) == (94,)
    assert ordered(order(item_text="套餐甲", item_code="A77"), a77=94) == (94,)
    assert ordered(order(item_text="膝关节CT平扫", side="L")) == (91,)
    assert ordered(order(item_text="膝关节CT平扫")) == ()


def test_a_code_of_the_hospital_never_crosses_the_name():
    assert ordered(order(item_text="左膝关节检查CT", item_code="A77"), a77=89) == (91,)
    assert ordered(order(item_text="左膝关节套餐", item_code="A77"), a77=89) == ()
