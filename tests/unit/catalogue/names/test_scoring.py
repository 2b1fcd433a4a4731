"""What counts as right, as defensible and as dangerous; the confidence that goes with it."""

import pytest

from accord import catalogue
from accord.catalogue.names import calibration, heldout, scoring
from accord.catalogue.names.confidence import Table
from accord.catalogue.names.model import Answer, Kind, Query
from accord.catalogue.names.scoring import Label, Labelled, read_label

KNOWN = catalogue.load()


def item(*numbers: int) -> Answer:
    return Answer(Kind.ITEM if len(numbers) == 1 else Kind.MULTIPLE, numbers)


def test_a_label_is_read_from_its_columns():
    assert read_label("13", "item", "hard") == Label(Kind.ITEM, frozenset({13}))
    assert read_label("", "ambiguous", "13|14; side_conflict") == Label(
        Kind.AMBIGUOUS, frozenset({13, 14})
    )
    label = read_label("94", "item", "alt=out_of_catalogue,107|108; assume_plain; hard")
    assert label.other_kinds == {Kind.OUT_OF_CATALOGUE, Kind.AMBIGUOUS}
    assert label.other_items == (frozenset({107, 108}),)


def test_strict_asks_kind_and_items_and_lenient_takes_what_is_defensible():
    label = read_label("94", "item", "alt=ambiguous,107")
    assert scoring.is_strictly_right(item(94), label)
    assert not scoring.is_strictly_right(item(107), label)
    assert scoring.is_defensible(item(107), label)
    assert scoring.is_defensible(Answer(Kind.AMBIGUOUS, (94,)), label)
    assert not scoring.is_defensible(item(92), label)


@pytest.mark.parametrize(
    ("label", "answer", "danger"),
    [
        (read_label("13", "item", ""), item(14), ("wrong_side",)),
        (read_label("107", "item", ""), item(94), ("plain_for_enhanced",)),
        (read_label("94", "item", ""), item(107), ("enhanced_for_plain",)),
        (read_label("94", "item", ""), item(92), ("wrong_part",)),
        (read_label("", "ambiguous", "13|14"), item(13), ("item_for_ambiguous",)),
        (read_label("", "out_of_catalogue", ""), item(13), ("item_for_out_of_catalogue",)),
        (read_label("", "out_of_catalogue", "alt=13"), item(13), ()),
        (read_label("", "multiple", "13|14"), item(13, 16), ("wrong_part",)),
        (read_label("13", "item", ""), Answer(Kind.AMBIGUOUS, (13, 14)), ()),
    ],
)
def test_dangerous_errors_are_named(label: Label, answer: Answer, danger: tuple[str, ...]) -> None:
    assert scoring.dangers(answer, label, KNOWN) == danger


def rows(*labels: Label) -> list[Labelled]:
    return [Labelled(row, Query(), label) for row, label in enumerate(labels)]


def test_figures_count_every_row_once():
    labels = rows(
        read_label("13", "item", ""),
        read_label("94", "item", "alt=ambiguous"),
        read_label("", "ambiguous", "13|14"),
        read_label("", "out_of_catalogue", ""),
    )
    answers = [item(13), Answer(Kind.AMBIGUOUS), Answer(Kind.AMBIGUOUS, (13, 14)), item(92)]
    found = scoring.score(labels, answers, KNOWN)
    assert (found.strict, found.lenient, found.rows) == (2, 3, 4)
    assert found.dangerous["item_for_out_of_catalogue"] == 1
    assert (found.given, found.given_right, found.precision) == (2, 1, 0.5)
    assert (found.candidates, found.candidates_right) == (1, 1)
    assert found.wrong == (1, 3)
    missed = scoring.missed_bars(found, {})
    assert any("strict" in one for one in missed)
    assert any("item_for_out_of_catalogue" in one for one in missed)


def test_nothing_scored_is_no_success_of_a_rate():
    found = scoring.score([], [], KNOWN)
    assert (found.strict_rate, found.calibration_error) == (0.0, 0.0)


def test_calibration_error_is_the_mean_distance_of_confidence_and_share():
    labels = rows(*[read_label("13", "item", "")] * 4)
    answers = [Answer(Kind.ITEM, (13,), confidence=0.75)] * 3 + [
        Answer(Kind.ITEM, (14,), confidence=0.75)
    ]
    assert scoring.calibration_error(labels, answers) == pytest.approx(0.0)
    sure = [Answer(Kind.ITEM, (14,), confidence=1.0)] * 4
    assert scoring.calibration_error(labels, sure) == pytest.approx(1.0)


def test_an_item_below_the_bar_is_unsure_and_other_answers_are_not():
    table = Table(
        0.9, {"item from name": 0.95, "one unread word": 0.8, "extra_scan": 0.7, "other": 0.9}
    )
    assert not table.is_unsure(Kind.ITEM, ("item from name",))
    assert table.is_unsure(Kind.ITEM, ("item from name", "one unread word"))
    assert table.is_unsure(Kind.MULTIPLE, ("one unread word",))
    assert not table.is_unsure(Kind.MULTIPLE, ("extra_scan",))
    assert not table.is_unsure(Kind.AMBIGUOUS, ("one unread word",))


LIST = [
    ("左膝关节正侧位", "DX", "13", "item"),
    ("右膝关节正侧位", "DX", "14", "item"),
    ("膝关节正侧位", "DX", "", "ambiguous"),
    ("头颅CT平扫", "CT", "92", "item"),
    ("胸部CT增强", "CT", "107", "item"),
    ("头颅CTA", "CT", "", "out_of_catalogue"),
    ("胶片费", "CT", "", "not_an_exam"),
    ("颈椎MRI平扫", "MR", "118", "item"),
    ("腰椎MRI平扫", "MR", "120", "item"),
    ("双侧髋关节MRI平扫", "MR", "121", "item"),
]


def labelled() -> list[Labelled]:
    return [
        Labelled(row, Query(name, modality), read_label(number, kind, ""))
        for row, (name, modality, number, kind) in enumerate(LIST)
    ]


def test_a_fitted_table_keeps_what_is_unsure_by_decision():
    table = calibration.fit(labelled())
    assert table.shares["unread words"] == 0.7
    assert table.shares["item from name"] > 0.95
    assert "item from name" in calibration.as_yaml(table)


def test_five_folds_are_measured_on_rows_the_table_has_not_seen():
    folds = calibration.cross_validated(labelled())
    assert len(folds.errors) == 5
    assert max(folds.errors) <= 0.05
    assert sum(count for _, count, _, _ in folds.reliability) == len(LIST)


def test_held_out_families_are_scored_without_their_own_words():
    found = heldout.check(labelled(), splits=3)
    assert found.strict >= 0.9
    assert found.dangerous == 0
    assert len(found.dropped) == 3
    assert {"without_grown", "without_any", "without_each"} == set(found.as_dict())


def test_a_missed_bar_of_the_folds_or_the_held_out_families_is_told():
    fine = scoring.score(rows(read_label("13", "item", "")), [item(13)], KNOWN)
    assert scoring.missed_bars(fine, {}) == []
    figures = {
        "folds": {"calibration_errors": [0.01, 0.2]},
        "held_out": {"without_grown": {"strict": 0.5, "dangerous": 2}},
    }
    missed = scoring.missed_bars(fine, figures)
    assert len(missed) == 3
    figures["held_out"]["without_each"] = {"dangerous": 1}
    assert "held out dangerous, without each: 1" in scoring.missed_bars(fine, figures)
    assert fine.as_dict()["dangerous_all"] == 0
    good = {
        "folds": {"calibration_errors": [0.0]},
        "held_out": {"without_grown": {"strict": 1.0, "dangerous": 0}},
    }
    assert scoring.missed_bars(fine, good) == []


def test_figures_of_the_folds_are_json():
    shown = calibration.cross_validated(labelled()).as_dict()
    assert {"confidence", "answers", "mean", "right"} == set(shown["reliability"][0])


def test_an_item_of_a_number_that_is_not_there_is_no_other_danger():
    assert scoring.dangers(item(999), read_label("13", "item", ""), KNOWN) == ()
