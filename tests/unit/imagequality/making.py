"""Headers of small series for the checks, written frame by frame."""

from dataclasses import replace

from accord import catalogue
from accord.imagequality import files
from accord.imagequality.model import Asked, Frame, Kind, Picture, Series, Study
from accord.imagequality.runner import judge
from accord.imagequality.views import SeriesView, tolerances

TERMS = files.terms()
CATALOGUE = catalogue.load("2025-draft")
TOLERANCES = tolerances(TERMS)
LOSSLESS = "1.2.840.10008.1.2.4.80"
CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"


def frame(at, instance, *, x=0.0, y=0.0, plane="axial", **parts):
    """A slice at a place along the patient axis of its plane."""
    row, column, position = {
        "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (x, y, at)),
        "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (at, x, y)),
        "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (x, at, y)),
    }[plane]
    told = {
        "sop_uid": f"1.2.{instance}",
        "instance": instance,
        "position": position,
        "row": row,
        "column": column,
        "rows": 512,
        "columns": 512,
        "spacing": (0.7, 0.7),
        "thickness_mm": 5.0,
        "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
    }
    return Frame(**(told | parts))


def frames(places, **parts):
    """Slices at these places, numbered as they come."""
    return [frame(at, number, **parts) for number, at in enumerate(places, start=1)]


def series(made, *, uid="1", modality="CT", **parts):
    """A series of one object a frame."""
    told = {"syntax": LOSSLESS, "patient_id": "P1", "accession": "A1", "body_part": "CHEST"} | parts
    return Series(
        uid,
        tuple(
            Picture(
                sop_uid=f"{uid}.{one.sop_uid}",
                sop_class=CT_CLASS,
                kind=told.get("kind", Kind.IMAGE),
                study_uid="9",
                series_uid=uid,
                modality=modality,
                frames=(replace(one, sop_uid=f"{uid}.{one.sop_uid}"),),
                **{name: value for name, value in told.items() if name != "kind"},
            )
            for one in made
        ),
    )


def view(*made, **parts):
    """The view of a series of these frames."""
    return SeriesView(series(list(made), **parts), TERMS)


def judged(*made, item=None, order=None):
    """What the checks say about a study of these series."""
    wanted = CATALOGUE.by_no(item) if item else None
    return judge(Study("9", tuple(made)), Asked(wanted, order), TERMS, CATALOGUE)


def verdicts(answer, uid=None):
    """Verdict by check, of the study or of one series."""
    found = answer.findings if uid is None else answer.series[uid]
    return {one.check: one.verdict.value for one in found}


def found(answer, check, uid=None):
    """What one check measured."""
    told = answer.findings if uid is None else answer.series[uid]
    return next(one for one in told if one.check == check)
