"""`accord names`: local names to items, their score on a labelled list, and why (design.md 6)."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accord.catalogue.names.intake import Row, Table
    from accord.catalogue.names.model import Answer
    from accord.catalogue.names.scoring import Labelled

OUT = ("row", "predicted_no", "predicted_kind", "items", "confidence", "because")

TableFile = Annotated[Path, typer.Argument(help="CSV or Excel, with a first line of columns.")]
OutFile = Annotated[Path, typer.Option("--out", help="CSV to write, one row for each row read.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
HeldOut = Annotated[
    bool, typer.Option("--held-out", help="Add the scores on name families that are held out.")
]
Fit = Annotated[
    Path | None, typer.Option("--fit", help="Write the confidence table fitted on this list.")
]

names = typer.Typer(no_args_is_help=True, help="Local names of examinations and their items.")


def add(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(names, name="names")


@names.command()
def match(table: TableFile, out: OutFile, *, as_json: Json = False) -> None:
    """Match every name of a table; a faulty row is named, answered as ambiguous, and passed by."""
    import csv
    from collections import Counter

    from accord.catalogue.names import matcher

    read = _read(table)
    answers = [None if row.faults else matcher.load().match(row.query) for row in read.rows]
    lines = [_line(row, answer) for row, answer in zip(read.rows, answers, strict=True)]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, OUT)
        writer.writeheader()
        writer.writerows(lines)
    faults = [{"row": one.row, "line": one.line, "fault": one.sentence} for one in read.faults]
    counts = Counter(str(line["predicted_kind"]) for line in lines)
    if as_json:
        summary = {"rows": len(lines), "counts": dict(counts), "faults": faults}
        print(json.dumps(summary, ensure_ascii=False, indent=2))
        return
    for fault in faults:
        print(f"{table.name}: line {fault['line']}: {fault['fault']}", file=sys.stderr)
    print(", ".join(f"{kind} {number}" for kind, number in sorted(counts.items())))


@names.command()
def score(
    labelled: TableFile, *, held_out: HeldOut = False, fit: Fit = None, as_json: Json = False
) -> None:
    """Score the matcher on a labelled list; ends with 1 when a bar is missed."""
    from accord import catalogue
    from accord.catalogue.names import matcher, scoring

    rows = _labelled(_read(labelled))
    matching = matcher.load()
    answers = list(matching.match_all(row.query for row in rows))
    found = scoring.score(rows, answers, catalogue.load())
    figures = found.as_dict()
    figures["folds"] = _folds(rows)
    if held_out:
        figures["held_out"] = _held_out(rows)
    missed = scoring.missed_bars(found, figures)
    figures["missed"] = missed
    if fit is not None:
        _fit(rows, fit)
    if as_json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_figures(figures)))
    if missed:
        raise typer.Exit(1)


@names.command()
def explain(
    name: Annotated[str, typer.Argument(help="The local name; empty when only fields are known.")],
    modality: Annotated[str, typer.Option(help="DICOM Modality.")] = "",
    body_part: Annotated[str, typer.Option(help="Body Part Examined.")] = "",
    view_position: Annotated[str, typer.Option(help="View Position.")] = "",
    laterality: Annotated[str, typer.Option(help="Laterality.")] = "",
    study_description: Annotated[str, typer.Option(help="Study Description.")] = "",
    series_description: Annotated[str, typer.Option(help="Series Description.")] = "",
    protocol: Annotated[str, typer.Option(help="Protocol Name.")] = "",
    contrast_agent: Annotated[str, typer.Option(help="Contrast/Bolus Agent.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Explain one name: parts, answer, reasons, confidence, and the conforming form (R7.2-1)."""
    from accord import catalogue
    from accord.catalogue.names import conforming, matcher
    from accord.catalogue.names.model import Query

    query = Query(
        name=name,
        modality=modality,
        body_part=body_part,
        view_position=view_position,
        laterality=laterality,
        study_description=study_description,
        series_description=series_description,
        protocol=protocol,
        contrast_agent=contrast_agent,
    )
    answer = matcher.load().match(query)
    known = catalogue.load()
    items = [item for no in answer.items if (item := known.by_no(no))]
    form = conforming.judge(name, known)
    shown = answer.as_dict() | {
        "names": [item.name for item in items],
        "conforms": form.conforms,
        "missing": list(form.missing),
        "conforming_names": [conforming.form_of(item) for item in items],
    }
    if as_json:
        print(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    print(f"{answer.kind.value} {answer.confidence:.3f}")
    for item in items:
        print(f"  {item.no} {item.name}  [{conforming.form_of(item)}]")
    for reason in answer.because:
        print(f"  {reason}")
    for part, value in answer.parts.as_dict().items():
        if value not in (None, [], "none"):
            print(f"  {part}: {value if isinstance(value, str) else ', '.join(map(str, value))}")  # type: ignore[call-overload]


def _read(path: Path) -> "Table":
    from accord.catalogue.names.intake import MOST_BYTES, read_table
    from accord.kit.errors import Invalid

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}.") from error
    return read_table(content)


def _line(row: "Row", answer: "Answer | None") -> dict[str, object]:
    if answer is None:
        because = f"第{row.line}行：{'；'.join(row.faults)}"
        return dict(zip(OUT, (row.row, "", "ambiguous", "", "0.000", because), strict=True))
    return {
        "row": row.row,
        "predicted_no": answer.item or "",
        "predicted_kind": answer.kind.value,
        "items": "|".join(map(str, answer.items)),
        "confidence": f"{answer.confidence:.3f}",
        "because": "；".join(answer.because),
    }


def _labelled(table: "Table") -> "list[Labelled]":
    from accord.catalogue.names import scoring
    from accord.kit.errors import Invalid

    rows = []
    for row in table.rows:
        cells = row.cells
        if "expected_kind" not in cells:
            raise Invalid(f"Line {row.line}: no expected_kind.")
        try:
            label = scoring.read_label(
                cells.get("expected_no", ""), cells["expected_kind"], cells.get("note", "")
            )
        except ValueError as error:
            raise Invalid(f"Line {row.line}: {error}.") from error
        rows.append(scoring.Labelled(row.row, row.query, label))
    return rows


def _folds(rows: "Sequence[Labelled]") -> dict[str, object]:
    from accord.catalogue.names import calibration

    return calibration.cross_validated(rows).as_dict()


def _held_out(rows: "Sequence[Labelled]") -> dict[str, object]:
    from accord.catalogue.names import heldout

    return heldout.check(rows).as_dict()


def _fit(rows: "Sequence[Labelled]", path: Path) -> None:
    from accord.catalogue.names import calibration

    path.write_text(calibration.as_yaml(calibration.fit(rows)), encoding="utf-8")


def _figures(figures: dict[str, object]) -> list[str]:
    return [
        f"{name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in figures.items()
        if value not in ([], {})
    ]
