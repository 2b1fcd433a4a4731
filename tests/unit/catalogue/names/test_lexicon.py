"""The lexicon's files: what they must hold, how a site adds to them, what a change can move."""

from dataclasses import replace

import pytest

from accord.catalogue.names import lexicon, matcher
from accord.catalogue.names.changes import Snapshot, between, snapshot
from accord.catalogue.names.errors import BrokenLexicon
from accord.catalogue.names.model import Kind, Query
from accord.catalogue.names.parser import parse
from accord.catalogue.names.scanning import is_one_slip
from accord.catalogue.names.text import fold, tokens

LEXICON = lexicon.load()
GRAMMAR = "fuse: []\npromote: {}\n"
KNEE = "膝关节: {terms: '膝, knee'}\n"


def read(*sources: tuple[str, str]) -> lexicon.Lexicon:
    return lexicon.read([("grammar.yaml", GRAMMAR), *sources])


def test_words_of_a_later_file_are_added_to_the_entry():
    both = read(("parts.yaml", KNEE), ("parts.yaml", "膝关节: {terms: 膝头, DR: out}\n"))
    assert {term.text for term in both.entries["膝关节"].terms} == {"膝", "knee", "膝头"}
    assert both.entries["膝关节"].get("DR") == "out"


def test_a_word_of_two_parts_is_refused():
    with pytest.raises(BrokenLexicon, match="膝"):
        read(("parts.yaml", KNEE + "髌骨: {terms: 膝}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "entries"),
        ("膝: 1", "terms"),
        (": [", "parts.yaml"),
        ("膝: {in: 腿, terms: 膝}", "腿"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(BrokenLexicon, match=message):
        read(("parts.yaml", text))


def test_an_entry_without_a_category_is_refused():
    with pytest.raises(BrokenLexicon, match="费用"):
        read(("words.yaml", "费用: {terms: 费}"))


def test_a_part_lies_in_every_larger_one():
    assert LEXICON.lies_in("髌骨", "下肢")
    assert not LEXICON.lies_in("膝关节", "髌骨")
    assert LEXICON.region("手指") == "上肢"


def test_words_that_were_added_for_labelled_names_are_marked():
    grown = {term.text for term in LEXICON.terms() if term.grown}
    assert grown
    assert grown.isdisjoint({"膝关节", "knee", "平扫"})


def test_a_word_can_be_taken_away():
    without = LEXICON.without({"膝 关 节"})
    assert parse("左膝关节", without).part_words != parse("左膝关节", LEXICON).part_words


@pytest.mark.parametrize(
    ("typed", "word", "is_slip"),
    [
        ("anlkle", "ankle", True),
        ("humreus", "humerus", True),
        ("mandiable", "mandible", True),
        ("pelvys", "pelvis", True),
        ("knee", "wrist", False),
        ("humerous", "humeri", False),
        ("reuhmus", "humerus", False),
    ],
)
def test_one_slip_is_one_letter_or_one_exchange(typed: str, word: str, is_slip: bool) -> None:
    assert is_one_slip(typed, word) is is_slip


def test_width_case_and_traditional_characters_fold_to_one_form():
    assert fold("ＣＴ　頭顱") == fold("ct 头颅") == "ct 头颅"
    assert fold("Schädel") == "schadel"
    assert fold("左\u200b膝") == "左膝"


def test_joints_of_words_are_dropped_and_brackets_stay_as_borders():
    assert tokens(fold("C-Spine (AP)")) == ["c", "spine", "|", "ap", "|"]


def test_a_word_does_not_reach_over_a_bracket():
    assert parse("CT(胸)骨窗", LEXICON).groups[0].part == "胸部"


def changed(*sources: tuple[str, str]) -> Snapshot:
    return snapshot(read(*sources))


def test_a_new_word_moves_only_names_that_hold_it():
    old, new = (
        changed(("parts.yaml", KNEE)),
        changed(("parts.yaml", "膝关节: {terms: '膝, knee, 波棱盖'}\n")),
    )
    change = between(old, new)
    assert change.can_move(["左波棱盖CT"], {"膝关节"}, ())
    assert not change.can_move(["左膝CT"], {"膝关节"}, ())
    assert change.can_move(["左膝某某"], {"膝关节"}, ("某",))


def test_a_changed_line_moves_every_name_that_used_the_entry():
    old, new = (
        changed(("parts.yaml", KNEE)),
        changed(("parts.yaml", "膝关节: {terms: '膝, knee', CT: out}\n")),
    )
    change = between(old, new)
    assert change.can_move(["左膝CT"], {"膝关节"}, ())
    assert not change.can_move(["胸部CT"], {"胸部"}, ())


def test_a_changed_grammar_can_move_every_name():
    old = snapshot(read(("parts.yaml", KNEE)))
    new = snapshot(lexicon.read([("grammar.yaml", "fuse: []\n"), ("parts.yaml", KNEE)]))
    assert between(old, new).can_move(["胸部CT"], (), ())


def test_a_snapshot_survives_as_json():
    old = snapshot(LEXICON)
    assert Snapshot.of_dict(old.as_dict()) == old
    assert not between(old, snapshot(LEXICON)).entries


def test_a_state_of_the_lexicon_has_a_name_of_its_own():
    one, other = snapshot(LEXICON), snapshot(LEXICON.without({"膝 关 节"}))
    assert one.fingerprint == snapshot(LEXICON).fingerprint
    assert one.fingerprint != other.fingerprint


def test_a_part_that_lies_in_itself_is_its_own_region():
    ring = read(("parts.yaml", "甲: {terms: 甲, in: 乙}\n乙: {terms: 乙, in: 甲}\n"))
    assert ring.ancestors["甲"] == ("乙", "甲")


@pytest.mark.parametrize(
    ("word", "name", "modality"),
    [
        ("颈 胸 段", "颈胸段正侧位", "DX"),
        ("胸 骨", "胸骨CT", "CT"),
        ("股 骨 头", "双侧股骨头MRI", "MR"),
        ("全 腹", "全腹CT增强", "CT"),
        ("pelvic bone", "CT PELVIC BONE", "CT"),
        ("c +", "头颅CT C+", "CT"),
        ("左 / 右", "左/右膝关节正侧位", "DX"),
        ("平 扫 / 增 强", "胸部CT平扫/增强", "CT"),
    ],
)
def test_what_stays_of_a_name_without_its_word_is_no_item(
    word: str, name: str, modality: str
) -> None:
    known = matcher.load()
    lacking = replace(known, lexicon=known.lexicon.without({word}))
    answer = lacking.match(Query(name=name, modality=modality))
    assert answer.kind not in {Kind.ITEM, Kind.MULTIPLE}, answer.because


@pytest.mark.parametrize("word", ["不 含 增 强", "without contrast"])
def test_a_negation_before_enhancement_is_plain_without_a_word_of_its_own(word: str) -> None:
    known = matcher.load()
    lacking = replace(known, lexicon=known.lexicon.without({word}))
    name = "头颅MRI(不含增强)" if word.startswith("不") else "MRI BRAIN WITHOUT CONTRAST"
    assert lacking.match(Query(name=name, modality="MR")).item == 116


def test_a_slip_never_becomes_a_word_that_tells_nothing() -> None:
    answer = matcher.load().match(Query(name="CT sinus cheekk", modality="CT"))
    assert answer.item is None
