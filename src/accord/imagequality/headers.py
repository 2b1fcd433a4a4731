"""Turn a header in the DICOM JSON model into a `Picture` with its frames; values in, values out.

Multi-frame objects keep positions in functional groups, the shared ones first, then each frame's
own. What is malformed reads as absent: the checks then say that they could not judge.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Final

from accord.archive.facts import (
    PERFORMED_START,
    STUDY_MOMENT,
    acquired_at,
    code_of,
    content_at,
    moment_of,
    names,
    nested,
    numbers,
    whole,
)
from accord.archive.header import Element, Elements, first_text
from accord.imagequality.model import Frame, Kind, Picture, Vector

CAPTURE_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.7",)
LOSSY_FLAG: Final = "00282110"
NOT_LOSSY: Final = (None, "", "00")
LOSSY_DERIVATION: Final = "113040"
COLOUR_OF_JPEG: Final = ("YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT")
SHARED: Final = "52009229"
PER_FRAME: Final = "52009230"
FRAME_TYPES: Final = ("00189226", "00189329")
Words = Mapping[str, Mapping[str, tuple[str, ...]]]

# Attributes that tell apart pictures of one place, of classic objects and of frames.
_CLASSIC: Final = {
    "echo": "00180081",
    "echo number": "00180086",
    "inversion": "00180082",
    "flip": "00181314",
    "b-value": "00189087",
    "gradient": "00189089",
    "time point": "00200100",
    "trigger": "00181060",
    "energy": "00180060",
    "kernel": "00181210",
}
_FUNCTIONAL: Final = {
    "echo": (("00189114",), "00189082"),
    "b-value": (("00189117",), "00189087"),
    "gradient": (("00189117", "00189076"), "00189089"),
    "time point": (("00209111",), "00209128"),
    "acquisition": (("00209111",), "00209156"),
    "stack": (("00209111",), "00209056"),
    "trigger": (("00189118",), "00209153"),
    "component": (("00189226",), "00089208"),
    "kernel": (("00189314",), "00181210"),
}


def picture_of(
    elements: Mapping[str, Element],
    *,
    syntax: str,
    has_pixels: bool,
    words: Words,
    bits_least: float,
    damage: str | None = None,
) -> Picture:
    """Return what a header says of its object.

    Args:
        elements: The DICOM JSON model of the header.
        syntax: Transfer syntax UID.
        has_pixels: Whether the object carries pixels.
        words: Our lists of words (limits.yaml).
        bits_least: Bits that CT and MR acquire at least.
        damage: Why the object could not be read whole.
    """
    sop_class = first_text(elements, "00080016") or ""
    return Picture(
        sop_uid=first_text(elements, "00080018") or "",
        sop_class=sop_class,
        kind=kind_of(sop_class, has_pixels=has_pixels),
        study_uid=first_text(elements, "0020000D") or "",
        series_uid=first_text(elements, "0020000E") or "",
        modality=(first_text(elements, "00080060") or "").strip().upper(),
        syntax=syntax,
        lossy_flag=first_text(elements, LOSSY_FLAG),
        lossy_traces=lossy_traces(elements, words["lossy"]["words"], bits_least),
        damage=damage,
        patient_id=first_text(elements, "00100020"),
        accession=first_text(elements, "00080050"),
        started_at=acquired_at(elements)
        or content_at(elements)
        or moment_of(elements, PERFORMED_START)
        or moment_of(elements, STUDY_MOMENT),
        series_number=whole(elements, "00200011"),
        description=first_text(elements, "0008103E") or "",
        protocol=first_text(elements, "00181030") or "",
        body_part=first_text(elements, "00180015"),
        laterality=first_text(elements, "00200060"),
        contrast_agent=first_text(elements, "00180010")
        or first_text(nested(elements, "00180012"), "00080104"),
        contrast_at=moment_of(elements, ("", ("00080022", "00181042"))),
        frame_of_reference=first_text(elements, "00200052"),
        kernel=first_text(elements, "00181210"),
        is_volume_acquisition=first_text(elements, "00180023") == "3D",
        frames=frames_of(elements, words["views"]) if has_pixels else (),
    )


def kind_of(sop_class: str, *, has_pixels: bool) -> Kind:
    """Return whether an object is an image, a capture of a screen or film, or a document."""
    if any(sop_class == one or sop_class.startswith(f"{one}.") for one in CAPTURE_CLASSES):
        return Kind.CAPTURE
    return Kind.IMAGE if has_pixels else Kind.DOCUMENT


def lossy_traces(
    elements: Mapping[str, Element], words: tuple[str, ...], bits_least: float
) -> tuple[str, ...]:
    """Return signs that pixels went through an irreversible step which the flag does not tell."""
    traces: list[str] = []
    if first_text(elements, LOSSY_FLAG) in NOT_LOSSY:
        traces += [tag for tag in ("00282112", "00282114") if first_text(elements, tag) is not None]
    if code_of(elements, "00089215") == LOSSY_DERIVATION:
        traces.append("00089215")
    told = (first_text(elements, "00082111") or "").casefold()
    if any(word in told for word in words) and "lossless" not in told.replace(" ", ""):
        traces.append("00082111")
    if first_text(elements, "00280004") in COLOUR_OF_JPEG:
        traces.append("00280004")
    bits = whole(elements, "00280101")
    is_original = "ORIGINAL" in names(elements, "00080008")
    if (
        first_text(elements, "00080060") in {"CT", "MR"}
        and is_original
        and bits is not None
        and bits < bits_least
    ):
        traces.append("00280101")
    return tuple(traces)


def frames_of(
    elements: Mapping[str, Element], views: Mapping[str, tuple[str, ...]]
) -> tuple[Frame, ...]:
    """Return the frames of an object; one without functional groups is one frame."""
    own = elements.get(PER_FRAME, {}).get("Value") or []
    if not own:
        return (_classic(elements, views),)
    shared = nested(elements, SHARED)
    base = _classic(elements, views)
    return tuple(
        _functional(base, shared, frame if isinstance(frame, dict) else {}, number)
        for number, frame in enumerate(own, start=1)
    )


def view_of(stated: tuple[str, ...], views: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the catalogue's word for the first stated view that it knows."""
    for value in stated:
        for view, spellings in views.items():
            if value.strip().upper() in spellings:
                return view
    return None


def _classic(elements: Mapping[str, Element], views: Mapping[str, tuple[str, ...]]) -> Frame:
    row, column = _directions(numbers(elements, "00200037"))
    dimensions = {
        name: _values(elements, tag) for name, tag in _CLASSIC.items() if elements.get(tag)
    }
    stated = tuple(
        one
        for one in (code_of(elements, "00540220"), first_text(elements, "00185101"))
        if one is not None
    )
    return Frame(
        sop_uid=first_text(elements, "00080018") or "",
        instance=whole(elements, "00200013"),
        position=_vector(numbers(elements, "00200032")),
        row=row,
        column=column,
        rows=whole(elements, "00280010"),
        columns=whole(elements, "00280011"),
        spacing=_pair(numbers(elements, "00280030") or numbers(elements, "00181164")),
        thickness_mm=_first_number(elements, "00180050"),
        image_type=tuple(value.upper() for value in names(elements, "00080008")),
        acquisition=whole(elements, "00200012"),
        acquired_at=acquired_at(elements) or content_at(elements),
        dimensions=dimensions,
        laterality=first_text(elements, "00200062") or first_text(elements, "00200060"),
        view=view_of(stated, views),
        stated_view=stated[0] if stated else None,
    )


def _functional(base: Frame, shared: Elements, own: Elements, number: int) -> Frame:
    def group(*tags: str) -> Elements:
        return nested(own, *tags) or nested(shared, *tags)

    row, column = _directions(numbers(group("00209116"), "00200037"))
    measures = group("00289110")
    content = group("00209111")
    types = next((told for tag in FRAME_TYPES if (told := names(group(tag), "00089007"))), ())
    dimensions = {
        name: value
        for name, (chain, tag) in _FUNCTIONAL.items()
        if (value := _values(group(*chain), tag)) is not None
    }
    return Frame(
        sop_uid=base.sop_uid,
        number=number,
        instance=base.instance,
        position=_vector(numbers(group("00209113"), "00200032")),
        row=row,
        column=column,
        rows=base.rows,
        columns=base.columns,
        spacing=_pair(numbers(measures, "00280030")),
        thickness_mm=_first_number(measures, "00180050"),
        image_type=tuple(value.upper() for value in types) or base.image_type,
        acquisition=whole(content, "00209156"),
        acquired_at=moment_of(content, ("00189074", ("", ""))),
        dimensions=dimensions,
        in_volume=True,
        laterality=first_text(group("00209071"), "00209072") or base.laterality,
        view=base.view,
        stated_view=base.stated_view,
    )


def _values(elements: Mapping[str, Element], tag: str) -> str | None:
    values = elements.get(tag, {}).get("Value")
    return "\\".join(str(value) for value in values) if values else None


def _first_number(elements: Mapping[str, Element], tag: str) -> float | None:
    values = numbers(elements, tag)
    return values[0] if values and isfinite(values[0]) and values[0] > 0 else None


def _vector(values: tuple[float, ...]) -> Vector | None:
    if len(values) != 3 or not all(isfinite(value) for value in values):  # noqa: PLR2004 - x, y, z
        return None
    return (values[0], values[1], values[2])


def _directions(values: tuple[float, ...]) -> tuple[Vector | None, Vector | None]:
    """Return row and column direction; nothing where they are no directions."""
    row, column = _vector(values[:3]), _vector(values[3:])
    if row is None or column is None or not any(row) or not any(column):
        return None, None
    return row, column


def _pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    if len(values) != 2 or not all(isfinite(value) and value > 0 for value in values):  # noqa: PLR2004
        return None
    return (values[0], values[1])
