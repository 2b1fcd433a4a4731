"""The lists of clause 6 name only what exists."""

from accord import catalogue
from accord.catalogue.model import Modality
from accord.recognition.explain import word, words
from accord.recognition.lists import lists, relations

ANATOMIES = {item.anatomy for item in catalogue.load().items}


def anatomies(modality):
    return {item.anatomy for item in catalogue.load().items if item.modality is modality}


def test_near_pairs_are_two_parts_of_the_catalogue_in_their_modality():
    for modality, pairs in relations().near.items():
        for pair in pairs:
            assert len(pair) == 2
            assert pair <= anatomies(modality), (modality, pair)


def test_table_s_pairs_two_parts_that_occur_in_different_modalities():
    by_modality = [anatomies(modality) for modality in Modality]
    for pair in relations().similar:
        assert len(pair) == 2
        first, second = pair
        assert any(
            first in one and second in other
            for one in by_modality
            for other in by_modality
            if one is not other
        ), pair


def test_a_whole_and_its_parts_are_in_the_catalogue():
    for entry in relations().contained:
        assert {entry.whole, *entry.parts} <= ANATOMIES


def test_views_that_are_accepted_are_known_tokens():
    tokens = {view for item in catalogue.load().items for view in item.projections} | {"AP"}
    for view, accepted in relations().accepts.items():
        assert view in tokens
        assert accepted <= tokens
    assert relations().accepted("LAT") == {"LAT"}


def test_the_counts_of_pairs_are_those_of_the_readings():
    counts = {modality.value: len(pairs) for modality, pairs in relations().near.items()}
    assert counts == {"DR": 11, "CT": 13, "MR": 2}
    assert len(relations().near_views) == 1
    assert len(relations().similar) == 22


def test_the_lists_of_the_qc_centres_are_filled():
    assert "复查" in lists().follow_up_words
    assert "I63" in lists().fast_changing


def test_no_word_of_the_screens_says_must():
    assert "必须" not in str(words())


def test_a_code_without_words_speaks_for_itself():
    assert word("codes", "BRAND_NEW") == "BRAND_NEW"
