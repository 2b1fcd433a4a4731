"""What must hold for every local name, however it is written (issue: names to items, safely)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accord import catalogue
from accord.catalogue.model import Contrast, Item, Modality, Side
from accord.catalogue.names import matcher
from accord.catalogue.names.model import Answer, Kind, Query
from accord.catalogue.names.variants import CONTRASTS, VIEWS, words_for

MATCHER = matcher.load()
KNOWN = catalogue.load()
ITEMS = KNOWN.items
SIDED = [item for item in ITEMS if item.laterality in {Side.LEFT, Side.RIGHT}]
SCANS = [item for item in ITEMS if item.contrast is not Contrast.NOT_APPLICABLE]
WORDS = {
    item.no: [word for word in words_for(MATCHER.lexicon, item) if not word.isascii()]
    for item in ITEMS
}
DICOM = {Modality.DR: "DX", Modality.CT: "CT", Modality.MR: "MR"}
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def modality_of(item: Item) -> str:
    return "MG" if item.anatomy == "乳腺" else DICOM[item.modality]


@st.composite
def pieces(draw: st.DrawFn, items: list[Item] | tuple[Item, ...] = ITEMS) -> tuple[Item, list[str]]:
    """Return an item and the Chinese words of a name for it, without a side."""
    item = draw(st.sampled_from(items))
    words = [draw(st.sampled_from(WORDS[item.no]))]
    if item.modality is not Modality.DR:
        words.append(item.modality.value)
        words.append(draw(st.sampled_from(CONTRASTS[item.contrast][True])))
    if item.projections:
        words.append(draw(st.sampled_from(VIEWS[item.projections][True])))
    if item.age_group is not None:
        words.append("婴幼儿")
    return item, words


def match(name: str, item: Item, **fields: str) -> Answer:
    return MATCHER.match(Query(name, modality_of(item), **fields))


def same(one: Answer, other: Answer) -> bool:
    return (one.kind, set(one.items), one.more) == (other.kind, set(other.items), other.more)


@QUICK
@given(pieces(SIDED))
def test_a_side_word_changes_only_the_side(made: tuple[Item, list[str]]) -> None:
    item, words = made
    without = match("（".join([words[0], ""]).rstrip("（") + " ".join(words[1:]), item)
    left, right = (match(f"{side}{words[0]}{' '.join(words[1:])}", item) for side in "左右")
    assert without.kind is Kind.AMBIGUOUS
    assert left.parts.anatomy == right.parts.anatomy == without.parts.anatomy
    assert left.parts.contrast == right.parts.contrast == without.parts.contrast
    assert left.parts.projections == right.parts.projections == without.parts.projections
    assert {*left.items, *right.items} <= set(without.items)


@QUICK
@given(pieces(SIDED), st.sampled_from(["{}{}", "{}侧{}", "（{}）{}", "{} {}"]))
def test_exchanging_left_and_right_exchanges_the_item(
    made: tuple[Item, list[str]], written: str
) -> None:
    item, words = made
    rest = " ".join(words[1:])
    left = match(f"{written.format('左', words[0])}{rest}", item)
    right = match(f"{written.format('右', words[0])}{rest}", item)
    assert left.kind is right.kind is Kind.ITEM
    twin = KNOWN.by_no(left.items[0])
    other = KNOWN.by_no(right.items[0])
    assert twin is not None
    assert other is not None
    assert (twin.laterality, other.laterality) == (Side.LEFT, Side.RIGHT)
    assert (twin.anatomy, twin.contrast, twin.projections) == (
        other.anatomy,
        other.contrast,
        other.projections,
    )


@QUICK
@given(
    pieces(SCANS), st.sampled_from(["增强", "强化", "+增强", "增强扫描", " C+", " with contrast"])
)
def test_enhancement_never_yields_a_plain_item(made: tuple[Item, list[str]], word: str) -> None:
    item, words = made
    side = {Side.LEFT: "左", Side.RIGHT: "右", Side.BOTH: "双侧"}.get(item.laterality, "")
    answer = match(f"{side}{''.join(words)}{word}", item)
    given_items = [KNOWN.by_no(no) for no in answer.items]
    assert all(found is None or found.contrast is not Contrast.PLAIN for found in given_items)


@QUICK
@given(pieces(), st.randoms(use_true_random=False))
def test_order_does_not_matter(made: tuple[Item, list[str]], chance: object) -> None:
    item, words = made
    shuffled = list(words)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert same(match("|".join(words), item), match("|".join(shuffled), item))


@QUICK
@given(
    pieces(),
    st.sampled_from(["", " ", "　", "  ", "\t"]),
    st.sampled_from(["", "()", "（）", "【】"]),
)
def test_spaces_width_case_and_brackets_do_not_matter(
    made: tuple[Item, list[str]], blank: str, bracket: str
) -> None:
    item, words = made
    plain = match("（" + "）（".join(words) + "）", item)
    around = [f"{bracket[0]}{word}{bracket[1]}" if bracket else f"（{word}）" for word in words]
    spaced = blank.join(around)
    wide = spaced.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    for written in (spaced, wide, spaced.lower(), spaced.upper()):
        assert same(match(written, item), plain), written


@QUICK
@given(pieces(SIDED))
def test_a_header_of_the_other_side_is_never_overruled(made: tuple[Item, list[str]]) -> None:
    item, words = made
    answer = match(f"左{words[0]}{' '.join(words[1:])}", item, laterality="R")
    assert answer.kind is not Kind.ITEM
    assert "side" in answer.contradictions


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from(["", "CT", "DX", "MR", "MG", "US", "??"]),
    st.text(max_size=20),
)
def test_any_text_gets_one_of_the_five_answers(name: str, modality: str, field: str) -> None:
    answer = MATCHER.match(
        Query(name, modality, body_part=field, study_description=field, laterality=field)
    )
    assert answer.kind in set(Kind)
    assert 0.0 <= answer.confidence <= 1.0
    assert all(KNOWN.by_no(no) is not None for no in answer.items)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(sorted(term.text for term in MATCHER.lexicon.terms())), max_size=8))
def test_known_words_in_any_heap_never_raise(words: list[str]) -> None:
    for modality in ("CT", "DX", ""):
        answer = MATCHER.match(Query("".join(words), modality))
        assert answer.because or answer.kind is Kind.ITEM


@pytest.mark.parametrize("item", SCANS, ids=lambda item: str(item.no))
def test_plain_and_enhanced_names_never_meet(item: Item) -> None:
    answer = match(item.name, item)
    found = KNOWN.by_no(answer.items[0])
    assert found is not None
    assert found.contrast is item.contrast


@QUICK
@given(pieces(), st.sampled_from(["蹲位", "某某位", "龘", "靐齉", "zzqx"]))
def test_a_word_that_nobody_knows_never_leaves_an_item(
    made: tuple[Item, list[str]], word: str
) -> None:
    item, words = made
    side = {Side.LEFT: "左", Side.RIGHT: "右", Side.BOTH: "双侧"}.get(item.laterality, "")
    answer = match(f"{side}{''.join(words)} {word}", item)
    assert answer.kind is not Kind.ITEM
    assert answer.parts.unread
