"""`accord bench names`: names a second on one core, and accuracy beside two simpler ways.

The simpler ways are an exact look-up of the printed names and rapidfuzz's best ratio against them,
as a hospital would write it in an afternoon. Without a labelled list the names are variants of the
141 items, whose only right answer is known.
"""

import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from accord import catalogue
from accord.app.bench.machine import machine, percentile
from accord.catalogue.model import Catalogue, Modality
from accord.catalogue.names import matcher, scoring
from accord.catalogue.names.intake import read_table
from accord.catalogue.names.model import Answer, Kind, Query
from accord.catalogue.names.scoring import Label, Labelled, Score
from accord.catalogue.names.variants import variants
from accord.kit.settings import Settings

PER_MODALITY: Final = 1000
FUZZY_CUT_OFF: Final = 90.0  # of 100; the usual advice for short names
Match = Callable[[Query], Answer]


def run(
    settings: Settings,
    *,
    labelled: Annotated[
        Path | None, typer.Option(help="Labelled names; by default variants of the 141 items.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Least time measured.")] = 3.0,
) -> dict[str, Any]:
    """Measure the matcher of local names."""
    del settings
    known = catalogue.load()
    matching = matcher.load()
    rows = _variants(matching) if labelled is None else _labelled(labelled)
    queries = [row.query for row in rows]
    for query in queries[:200]:
        matching.match(query)
    speed, times = _timed(matching.match, queries, seconds)
    ours = _scored(rows, matching.match, known)
    peer: dict[str, Any] = {}
    ratios: dict[str, Any] = {}
    for name, way in _peers(known).items():
        found = _scored(rows, way, known)
        peer |= _accuracy(name, found) | {f"{name}_names_per_second": _timed(way, queries, 1.0)[0]}
        ratios[f"strict_over_{name}"] = round(ours.strict_rate / max(found.strict_rate, 1e-9), 3)
    return {
        "name": "names",
        "machine": machine(),
        "figures": {
            "rows": len(rows),
            "names_per_second": speed,
            "p50_us": round(percentile(times, 50) * 1e6, 1),
            "p99_us": round(percentile(times, 99) * 1e6, 1),
            **_accuracy("accord", ours),
        },
        "peer": peer,
        "ratios": ratios,
    }


def _variants(matching: matcher.Matcher) -> list[Labelled]:
    made = [one for modality in Modality for one in variants(matching, modality, PER_MODALITY)]
    return [
        Labelled(row, one.query, Label(Kind.ITEM, frozenset({one.item})))
        for row, one in enumerate(made)
    ]


def _labelled(path: Path) -> list[Labelled]:
    table = read_table(path.read_bytes())
    return [
        Labelled(
            row.row,
            row.query,
            scoring.read_label(
                row.cells.get("expected_no", ""),
                row.cells["expected_kind"],
                row.cells.get("note", ""),
            ),
        )
        for row in table.rows
    ]


def _timed(way: Match, queries: Sequence[Query], seconds: float) -> tuple[int, list[float]]:
    """Return names a second of this thread's CPU, and the time of each name."""
    times: list[float] = []
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        for query in queries:
            before = time.perf_counter()
            way(query)
            times.append(time.perf_counter() - before)
    return round(len(times) / (time.thread_time() - begun)), times


def _scored(rows: Sequence[Labelled], way: Match, known: Catalogue) -> Score:
    return scoring.score(rows, [way(row.query) for row in rows], known)


def _accuracy(name: str, found: Score) -> dict[str, Any]:
    return {
        f"{name}_strict": round(found.strict_rate, 4),
        f"{name}_precision": round(found.precision, 4),
        f"{name}_dangerous": sum(found.dangerous.values()),
    }


def _peers(known: Catalogue) -> dict[str, Match]:
    found: dict[str, Match] = {"exact": lambda query: _exact(query, known)}
    if importlib.util.find_spec("rapidfuzz") is not None:
        found["rapidfuzz"] = _fuzzy(known)
    return found


def _exact(query: Query, known: Catalogue) -> Answer:
    item = known.by_name(query.name)
    return Answer(Kind.AMBIGUOUS) if item is None else Answer(Kind.ITEM, (item.no,))


def _fuzzy(known: Catalogue) -> Match:
    from rapidfuzz import fuzz, process  # noqa: PLC0415 - the peer is not always installed

    names = {item.no: catalogue.fold(item.name) for item in known.items}

    def match(query: Query) -> Answer:
        text = catalogue.fold(query.name or query.study_description)
        best = process.extractOne(text, names, scorer=fuzz.WRatio, score_cutoff=FUZZY_CUT_OFF)
        return Answer(Kind.AMBIGUOUS) if best is None else Answer(Kind.ITEM, (best[2],))

    return match
