"""What names mean: sides, contrast, views, parts, techniques, fees, fields (R6.3-2, D6–D9, D14)."""

import json

import pytest

from accord.catalogue.names import matcher
from accord.catalogue.names.model import Answer, Kind, Query

MATCHER = matcher.load()


def match(name: str = "", modality: str = "", **fields: str) -> Answer:
    return MATCHER.match(Query(name, modality, **fields))


@pytest.mark.parametrize(
    ("name", "modality", "item"),
    [
        ("左膝关节正侧位", "DX", 13),
        ("膝关節正側位（右）", "CR", 14),
        ("ＫＮＥＥ　ＬＴ　ＡＰ／ＬＡＴ", "DX", 13),
        ("R膝AP/LAT", "DX", 14),
        ("Knie links ap/lat", "DX", 13),
        ("胸片", "DX", 1),
        ("CXR PA/LAT", "DX", 2),
        ("新生儿胸部正位", "DX", 3),
        ("双髋正位", "DX", 12),
        ("腰骶椎正侧位", "DX", 44),
        ("骶尾骨侧位", "DX", 39),
        ("左髌骨侧轴位", "DX", 59),
        ("左髌骨正侧位", "DX", 66),
        ("齿状突张口位", "DX", 27),
        ("LUMBAR SPINE OBLIQUES", "DX", 29),
        ("腹部站立前后位", "DX", 24),
        ("右乳CC+MLO", "MG", 64),
        ("双乳钼靶", "MG", 62),
        ("头颅CT平扫+增强", "CT", 103),
        ("CT HEAD W/O CONTRAST", "CT", 92),
        ("鼻旁窦CT平扫", "CT", 67),
        ("L4/5、L5/S1椎间盘CT", "CT", 97),
        ("双侧髋关节CT平扫+三维", "CT", 87),
        ("右髋CT", "CT", 98),
        ("全腹部CT增强", "CT", 108),
        ("双侧肾上腺增强CT", "CT", 109),
        ("颅脑磁共振（3.0T）平扫", "MR", 116),
        ("ANKLE RT MRI C+", "MR", 134),
        ("左侧膝关节磁振造影", "MR", 122),
        ("骶髂关节MRI", "MR", 141),
    ],
)
def test_a_name_of_one_item_is_that_item(name: str, modality: str, item: int) -> None:
    answer = match(name, modality)
    assert (answer.kind, answer.items) == (Kind.ITEM, (item,)), answer.because


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("鼻窦CT增强", "CT"),
        ("颈椎CT平扫+增强", "CT"),
        ("肾上腺CT平扫", "CT"),
        ("垂体动态增强MRI", "MR"),
        ("左髋关节MRI", "MR"),
        ("右手正位", "DX"),
        ("左足正侧位", "DX"),
        ("床旁胸部正位", "DX"),
        ("胸部卧位正位", "DX"),
        ("双侧髋关节蛙式位", "DX"),
        ("HIP-RT(AP, LAT)", "DX"),
        ("骶骨侧位", "DX"),
        ("KUB", "DX"),
        ("头颅MRA", "MR"),
        ("肺动脉CTA", "CT"),
        ("冠脉造影", "XA"),
        ("腹部彩超", "US"),
        ("CT引导下穿刺活检", "CT"),
        ("双乳断层融合摄影", "MG"),
        ("静脉肾盂造影", "DX"),
    ],
)
def test_a_real_examination_outside_the_list_gets_no_item(name: str, modality: str) -> None:
    answer = match(name, modality)
    assert (answer.kind, answer.items) == (Kind.OUT_OF_CATALOGUE, ())
    assert answer.because


@pytest.mark.parametrize(
    ("name", "modality", "candidates"),
    [
        ("膝关节正侧位", "DX", {13, 14}),
        ("左/右膝关节正侧位", "DX", {13, 14}),
        ("患侧膝关节正侧位", "DX", {13, 14}),
        ("儿童胸部正位", "DX", {3, 1}),
        ("腹部平片", "DX", {24, 25}),
        ("颈椎五位", "DX", {19, 26, 27, 38}),
        ("中耳乳突CT", "CT", {69, 70}),
        ("腹部CT增强", "CT", {105, 108}),
        ("腰骶椎CT平扫", "CT", {97, 73}),
        ("CT PELVIS", "CT", {85, 86}),
        ("髋关节MRI", "MR", {121}),
        ("CT增强扫描", "CT", set()),
        ("胸部CT平扫或增强", "CT", {94, 107}),
    ],
)
def test_what_a_name_does_not_say_is_ambiguous(
    name: str, modality: str, candidates: set[int]
) -> None:
    answer = match(name, modality)
    assert (answer.kind, set(answer.items)) == (Kind.AMBIGUOUS, candidates)


@pytest.mark.parametrize(
    ("name", "modality", "items", "more"),
    [
        ("双膝关节正侧位", "DX", {13, 14}, ()),
        ("左、右膝关节正侧位", "DX", {13, 14}, ()),
        ("颈椎正侧双斜位", "DX", {19, 26}, ()),
        ("腰椎六位片", "DX", {21, 28, 29}, ()),
        ("左手正侧斜位", "DX", {10}, ("extra_views",)),
        ("右肩关节正位+Y位", "DX", {5}, ("extra_views",)),
        ("XR ANKLE MINIMUM 3 VIEWS RIGHT", "DX", {16}, ("extra_views",)),
        ("胸部+上腹部CT平扫", "CT", {94, 83}, ()),
        ("胸腹盆CT增强", "CT", {107, 108, 106}, ()),
        ("胸部CT平扫+上腹部CT增强", "CT", {94, 105}, ()),
        ("全腹部CT平扫", "CT", {83, 84}, ()),
        ("头颅MR平扫+DWI", "MR", {116}, ("extra_scan",)),
        ("颈、胸、腰椎MRI平扫", "MR", {118, 119, 120}, ()),
        ("全脊柱MRI增强", "MR", {127, 128, 129}, ()),
    ],
)
def test_an_order_of_several_items_names_those_it_covers(
    name: str, modality: str, items: set[int], more: tuple[str, ...]
) -> None:
    answer = match(name, modality)
    assert (answer.kind, set(answer.items), answer.more) == (Kind.MULTIPLE, items, more)


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("胶片费", "DX"),
        ("CT增强加收", "CT"),
        ("CT三维重建", "CT"),
        ("碘海醇注射液100ml", "CT"),
        ("CT诊断报告", "CT"),
        ("影像资料刻录(光盘)", "CT"),
        ("防护铅衣使用费", "DX"),
    ],
)
def test_a_charge_is_no_examination(name: str, modality: str) -> None:
    assert match(name, modality).kind is Kind.NOT_AN_EXAM


def test_an_addition_to_a_scan_changes_nothing():
    assert match("颈椎CT平扫+三维重建", "CT").items == (95,)
    assert match("胸部CT平扫（不出片）", "CT").items == (94,)


def test_what_is_upgraded_is_not_what_was_ordered():
    assert match("胸片升级肺部CT", "CT").items == (94,)


@pytest.mark.parametrize(
    ("name", "fields", "contradiction"),
    [
        ("左膝关节正侧位", {"modality": "DX", "laterality": "R"}, "side"),
        ("左肩MRI", {"modality": "MR", "laterality": "R"}, "side"),
        ("左足正斜", {"modality": "DX", "study_description": "FOOT RT"}, "side"),
        ("头颅MR平扫", {"modality": "MR", "contrast_agent": "GADOVIST"}, "contrast"),
        ("头颅CT平扫", {"modality": "MR"}, "modality"),
        ("左膝关节CT", {"modality": "CT", "body_part": "CHEST"}, "part"),
    ],
)
def test_a_contradiction_is_named_and_never_decided(
    name: str, fields: dict[str, str], contradiction: str
) -> None:
    answer = match(name, **fields)
    assert answer.kind is Kind.AMBIGUOUS
    assert answer.contradictions == (contradiction,)
    assert any("矛盾" in reason for reason in answer.because)


def test_fields_say_what_the_name_does_not():
    assert match("膝关节正侧位", "DX", laterality="R").items == (14,)
    assert match("腹部正位片", "DX", series_description="ABDOMEN ERECT").items == (24,)
    assert match("头颅MRI", "MR", contrast_agent="GADOVIST").items == (126,)
    assert match("胸部正位", "DX", view_position="AP").kind is Kind.OUT_OF_CATALOGUE


def test_an_agent_field_that_says_none_is_no_agent():
    assert match("头颅CT平扫", "CT", contrast_agent="NONE").items == (92,)


@pytest.mark.parametrize(
    ("fields", "item"),
    [
        ({"modality": "CT", "body_part": "NECK", "study_description": "Spine^C_Spine (Adult)"}, 95),
        ({"modality": "CT", "body_part": "HEAD", "study_description": "Head^Sinus (Adult)"}, 67),
        (
            {
                "modality": "CT",
                "body_part": "KNEE",
                "laterality": "R",
                "study_description": "LowerExtremities^Knee (Adult)",
            },
            89,
        ),
        (
            {
                "modality": "MR",
                "body_part": "SHOULDER",
                "laterality": "L",
                "series_description": "pd_fs_cor_obl",
            },
            135,
        ),
        ({"modality": "MR", "body_part": "LSPINE", "series_description": "t2_tse_sag"}, 120),
        (
            {"modality": "DX", "body_part": "HAND", "view_position": "PA\\RLO", "laterality": "R"},
            11,
        ),
        ({"modality": "DX", "body_part": "CHEST", "view_position": "PA\\LL"}, 2),
    ],
)
def test_protocol_names_of_vendors_are_read(fields: dict[str, str], item: int) -> None:
    answer = match(**fields)
    assert (answer.kind, answer.items) == (Kind.ITEM, (item,)), answer.because


def test_an_unknown_word_makes_an_item_ambiguous():
    answer = match("左膝关节正侧位甲乙丙", "DX")
    assert answer.kind is Kind.AMBIGUOUS
    assert answer.items == (13,)
    assert answer.confidence < MATCHER.table.least


def test_a_slip_of_one_letter_is_read():
    assert match("LEFT HUMEROSS AP LAT", "DX").items == (53,)


def test_a_slip_between_two_known_words_is_not_guessed():
    # One letter away from tspine as well as from lspine and cspine.
    assert match("xspine AP LAT", "DX").items == ()


def test_an_item_code_names_the_item_unless_the_name_contradicts():
    assert MATCHER.match(Query("胸部CT平扫", "CT", code="CYHR-094")).items == (94,)
    against = MATCHER.match(Query("左膝关节正侧位", "DX", code="CYHR-014"))
    assert (against.kind, against.items) == (Kind.AMBIGUOUS, (13, 14))


def test_parts_are_told_with_the_answer():
    parts = match("左膝关节负重正侧位+三维", "DX").parts
    assert parts.anatomy == ("膝关节",)
    assert parts.laterality == "L"
    assert parts.projections == {"FRONT", "LAT"}
    assert parts.modifiers == ("weight_bearing",)
    assert parts.add_ons == ("三维",)


@pytest.mark.parametrize(
    "name", ["", "   ", "？？？", "\u0000\u0007", "a" * 10_000, "左" * 10_000, "()" * 50]
)
def test_hostile_names_are_answered_and_never_raise(name: str) -> None:
    answer = match(name, "CT")
    assert answer.kind in {Kind.AMBIGUOUS, Kind.OUT_OF_CATALOGUE}
    assert answer.items == ()


@pytest.mark.parametrize(
    ("name", "modality", "kind", "items"),
    [
        ("CT NECK OR THYROID", "CT", Kind.ITEM, {112}),
        ("CT ORBIT SELLA OR EAR WITHOUT CONTRAST", "CT", Kind.AMBIGUOUS, {72, 69}),
        ("MRI ORBIT OR WRIST", "MR", Kind.OUT_OF_CATALOGUE, set()),
        ("XR FEMUR 1 VIEW LEFT", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("XR SHOULDER 1 VIEW LEFT", "DX", Kind.AMBIGUOUS, {4}),
        ("头颅MR DWI平扫", "MR", Kind.MULTIPLE, {116}),
        ("头颅MRA+头颅MRI平扫", "MR", Kind.MULTIPLE, {116}),
        ("头颅MR DWI", "MR", Kind.OUT_OF_CATALOGUE, set()),
        ("鼻骨CT平扫+鼻部CT平扫", "CT", Kind.ITEM, {93}),
        ("颈腰椎正侧位", "DX", Kind.MULTIPLE, {19, 21}),
        ("颈腰椎侧位", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("腰椎斜位", "DX", Kind.AMBIGUOUS, {29}),
        ("Lumbar spine AP, LAT and OBL", "DX", Kind.MULTIPLE, {21, 29}),
        ("腹部侧位", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("腹部立位侧位", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("腹部俯卧位", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("双膝关节两位", "DX", Kind.MULTIPLE, {13, 14}),
        ("双手两位", "DX", Kind.AMBIGUOUS, {10, 11, 55, 56}),
        ("XR KNEE 2 OR MORE VIEWS LEFT", "DX", Kind.AMBIGUOUS, {13}),
        ("XR KNEE 2+ VIEWS LEFT", "DX", Kind.AMBIGUOUS, {13}),
        ("新生儿胸部侧位", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("新生儿胸部正侧位", "DX", Kind.MULTIPLE, {3}),
        ("儿童胸部侧位", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("甲状腺CT平扫或增强", "CT", Kind.OUT_OF_CATALOGUE, set()),
        ("中耳CT增强", "CT", Kind.OUT_OF_CATALOGUE, set()),
        ("XR BOTH KNEES 3 VIEWS", "DX", Kind.MULTIPLE, {13, 14}),
        ("XR KNEE 3 VIEWS", "DX", Kind.AMBIGUOUS, {13, 14}),
        ("左膝正侧位升级", "DX", Kind.ITEM, {13}),
        ("左膝正侧位 L", "DX", Kind.ITEM, {13}),
        ("胸部斜位 3 VIEWS", "DX", Kind.OUT_OF_CATALOGUE, set()),
        ("左膝、踝关节正侧位", "DX", Kind.MULTIPLE, {13, 15}),
        ("膝、踝关节正侧位（左）", "DX", Kind.MULTIPLE, {13, 15}),
        ("左膝正侧位+踝正侧位", "DX", Kind.MULTIPLE, {13}),
        ("左膝+右踝+肘正侧位", "DX", Kind.MULTIPLE, {13, 16}),
        ("颈椎正侧位+齿状突", "DX", Kind.MULTIPLE, {19}),
        ("C-SPINE AP/LAT/ODONTOID", "DX", Kind.MULTIPLE, {19, 27}),
        ("齿状突正侧位", "DX", Kind.AMBIGUOUS, {19}),
        ("急腹症系列", "DX", Kind.MULTIPLE, {1, 24, 25}),
        ("双乳正位", "MG", Kind.OUT_OF_CATALOGUE, set()),
        ("胸11-腰1椎体正侧位", "DX", Kind.ITEM, {43}),
        ("头颅CT", "US", Kind.OUT_OF_CATALOGUE, set()),
        ("头颅", "", Kind.AMBIGUOUS, {36, 92, 116}),
        ("头颅平扫", "", Kind.AMBIGUOUS, {92, 116}),
        ("头颅正侧位", "", Kind.ITEM, {36}),
        ("胸片", "", Kind.ITEM, {1}),
        ("头颅CT平扫+颈椎MRI平扫", "", Kind.MULTIPLE, {92, 118}),
        ("头颅CT平扫+颈椎MRI平扫", "CT", Kind.AMBIGUOUS, {92, 95}),
    ],
)
def test_turns_of_speech(name: str, modality: str, kind: Kind, items: set[int]) -> None:
    answer = match(name, modality)
    assert (answer.kind, set(answer.items)) == (kind, items), answer.because


def test_a_field_says_which_part_of_a_wide_one_is_meant():
    assert match("脊柱MRI平扫", "MR", body_part="LSPINE").items == (120,)
    assert match("CT LOWER EXTREMITY LEFT", "CT", body_part="KNEE").items == (91,)


def test_sides_of_several_parts_are_held_against_the_header():
    name = "左膝CT平扫+右踝CT平扫"
    assert match(name, "CT", laterality="L\\R").items == (91, 102)
    assert match(name, "CT", laterality="L").contradictions == ("side",)


def test_a_mixed_modality_field_is_read_as_the_one_with_items():
    assert match("头颅平扫", "CT\\SR").items == (92,)
    assert match("头颅平扫", "CT\\US").items == (92,)


def test_a_plain_study_description_contradicts_an_agent():
    answer = match("胸部CT", "CT", study_description="CT CHEST W/O", contrast_agent="IOHEXOL")
    assert answer.contradictions == ("contrast",)
    assert set(answer.items) == {94, 107}


def test_a_code_that_is_no_item_says_nothing():
    assert MATCHER.match(Query("胸部CT平扫", "CT", code="CYHR-999")).items == (94,)


def test_all_queries_are_answered_in_order():
    names = ["胸片", "KUB", "胶片费"]
    kinds = [one.kind for one in MATCHER.match_all(Query(name, "DX") for name in names)]
    assert kinds == [Kind.ITEM, Kind.OUT_OF_CATALOGUE, Kind.NOT_AN_EXAM]
    assert MATCHER.ways(Query("长" * 500)) == ("too long",)
    assert match("胸片", "DX").item == 1
    assert match("KUB", "DX").item is None


def test_an_answer_is_one_json_object():
    shown = match("左膝关节正侧位", "DX").as_dict()
    assert json.loads(json.dumps(shown))["parts"]["projections"] == ["FRONT", "LAT"]
