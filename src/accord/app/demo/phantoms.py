"""Make DICOM examinations of invented people, whole or with exactly one planted defect.

The pictures come from `anatomy`; here they get the headers a good scanner would write: the order,
the patient, the exposure and the geometry. The same words give the same bytes on every machine:
UIDs are 2.25 numbers derived from the examination's seed.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from accord.app.demo import anatomy, films
from accord.kit.clock import LOCAL

EXPLICIT: Final = "1.2.840.10008.1.2.1"
RLE: Final = "1.2.840.10008.1.2.5"
JPEG_LS: Final = "1.2.840.10008.1.2.4.80"
JPEG_2000: Final = "1.2.840.10008.1.2.4.90"
JPEG_2000_LOSSY: Final = "1.2.840.10008.1.2.4.91"
LOSSLESS: Final = (EXPLICIT, JPEG_LS, RLE, JPEG_2000)
DERIVATION_LOSSY: Final = "J2K 10:1"

SOP_CLASS: Final = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
}
VIEWS: Final = {  # token of the catalogue: ViewPosition, SNOMED CT code, meaning
    "PA": ("PA", "272479007", "postero-anterior"),
    "AP": ("AP", "399348003", "antero-posterior"),
    "LAT": ("LL", "399067008", "lateral"),
    "OBL": ("", "399182000", "oblique"),
}
PARTS: Final = {  # BodyPartExamined, SNOMED CT code, meaning
    "head": ("HEAD", "69536005", "Head"),
    "chest": ("CHEST", "816094009", "Chest"),
    "abdomen": ("ABDOMEN", "818981001", "Abdomen"),
    "hand": ("HAND", "85562004", "Hand"),
    "knee": ("KNEE", "72696002", "Knee"),
    "lumbar": ("LSPINE", "122496007", "Lumbar spine"),
    "cervical": ("CSPINE", "122494005", "Cervical spine"),
}


@dataclass(frozen=True)
class Patient:
    """An invented person; `name` is written as the header shall carry it."""

    name: str = "陈测雨"
    sex: str = "F"
    born: date = date(1968, 4, 12)
    patient_id: str = "P000001"
    issuer: str = "DEMO"
    national_id: str = ""
    phone: str = "000-00000000"
    weight_kg: float = 62.0


@dataclass(frozen=True)
class Device:
    """What took the pictures; `object_kind` is what it sends, which need not be what it is.

    `plate` is the plate id of a CR reader; a panel has none.
    """

    manufacturer: str = "渝影示范"
    model: str = "Demo CT 64"
    serial: str = "DEMO-CT-001"
    station: str = "CT01"
    object_kind: str = ""
    field_t: float = 1.5
    exposure_index: bool = True
    plate: str = ""


@dataclass(frozen=True)
class Place:
    """The hospital as its headers call it."""

    code: str = "DEMO01"
    name: str = "示范医院"
    department: str = "放射科"
    technologist: str = "技师甲"


@dataclass(frozen=True)
class Request:
    """The order behind the examination, as the modality worklist brought it."""

    number: str = "R000001"
    ordered_at: datetime | None = None
    item: str = ""
    item_code: str = ""
    department: str = "内科"
    physician: str = "医师甲"
    diagnosis: str = ""
    purpose: str = ""
    history: str = ""
    priority: str = "ROUTINE"


@dataclass(frozen=True)
class Planted:
    """The one thing that is wrong; everything else stays as it should be.

    Attributes:
        gap_at: Number of the slice (1 = first) that is left out of the first series.
        lossy: Pixels went through an irreversible codec and say so.
        wrong_side: The header names the other side; the lead marker and the anatomy do not.
        missing: Keyword of an element that every object lacks.
        other_name: The patient's name in the header, contradicting the order and the report.
    """

    gap_at: int | None = None
    lossy: bool = False
    wrong_side: bool = False
    missing: str | None = None
    other_name: str | None = None

    def __post_init__(self) -> None:
        planted = [v for v in vars(self).values() if v not in (None, False)]
        if len(planted) > 1:
            raise ValueError("plant one defect at a time")


SOUND: Final = Planted()
START: Final = datetime(2026, 3, 2, 9, 30, tzinfo=LOCAL)


@dataclass(frozen=True)
class Exam:
    """All that one examination is made of."""

    modality: str
    body: str
    seed: str = "1"
    slices: int = 0
    matrix: int = 0
    contrast: bool = False
    side: str = ""
    views: tuple[str, ...] = ()
    inverted: bool = False
    finding: str = ""
    syntax: str = EXPLICIT
    charset: str = "ISO_IR 192"
    started_at: datetime = START
    accession: str = "A000001"
    patient: Patient = field(default_factory=Patient)
    device: Device | None = None
    place: Place = field(default_factory=Place)
    request: Request = field(default_factory=Request)
    planted: Planted = SOUND

    @property
    def study_uid(self) -> str:
        """UID of the study: the seed's own, whatever else changes."""
        return uid("study", self.seed)

    @property
    def build(self) -> anatomy.Build:
        """The body: one person keeps theirs over all examinations."""
        return anatomy.Build(self.patient.patient_id + self.patient.national_id, self.finding)


@dataclass
class _Series:
    """One series while it is being made."""

    number: int
    description: str
    attributes: dict[str, Any]
    pictures: Iterator[tuple[npt.NDArray[np.uint16], dict[str, Any]]]
    starts_after: timedelta = timedelta()
    bits: int = 12


def uid(*words: object) -> str:
    """Return the UID that belongs to these words."""
    digest = sha256("|".join(map(str, words)).encode()).digest()[:16]
    return f"2.25.{uuid.UUID(bytes=digest, version=5).int}"


def make_study(*, modality: str, body: str, **what: Any) -> list[Dataset]:
    """Return the objects of one examination in the order they were acquired.

    Takes the fields of `Exam` by name; leaves out nothing and breaks nothing but what
    `planted` says.
    """
    return list(generate(Exam(modality=modality, body=body, **what)))


def generate(exam: Exam) -> Iterator[Dataset]:
    """Yield the objects of an examination one by one."""
    exam = _with_defaults(exam)
    for series in _MAKERS[exam.modality](exam):
        yield from _objects(exam, series)


def encoded(dataset: Dataset) -> bytes:
    """Return the object as a DICOM file."""
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


# ------------------------------------------------------------------ defaults
_SLICES: Final = {"head": 24, "chest": 36, "abdomen": 28}
_DEVICES: Final = {
    "CT": Device(),
    "MR": Device(model="Demo MR 1.5T", serial="DEMO-MR-001", station="MR01"),
    "DR": Device(model="Demo DR 43", serial="DEMO-DR-001", station="DR01", object_kind="DX"),
}
_VIEWS: Final = {"chest": ("PA",), "hand": ("PA", "OBL"), "knee": ("AP", "LAT")}


def _with_defaults(exam: Exam) -> Exam:
    device = exam.device or _DEVICES[exam.modality]
    if not device.object_kind:
        device = replace(device, object_kind="DX" if exam.modality == "DR" else exam.modality)
    slices = exam.slices or _SLICES.get(exam.body, 11)
    views = exam.views or _VIEWS.get(exam.body, ())
    gap = exam.planted.gap_at
    if gap is not None and not 1 < gap < slices:
        raise ValueError("a slice is only missed between two others")
    if exam.planted.wrong_side and exam.side not in {"L", "R"}:
        raise ValueError("a wrong side needs a side")
    return replace(exam, device=device, slices=slices, views=views)


# ------------------------------------------------------------------ CT
@dataclass(frozen=True)
class _CtProtocol:
    """How a region is scanned: the phantom's stretch, field of view, exposure, kernel."""

    top: float
    bottom: float
    fov_mm: float
    matrix: int
    kvp: float
    milliamps: int
    ctdi: float
    noise_hu: float
    kernel: str
    windows: tuple[tuple[float, float], ...]
    draw: Callable[[anatomy.Plane, anatomy.Build, dict[str, float]], anatomy.Array]
    name: str


def _head_ct(plane: anatomy.Plane, build: anatomy.Build, values: dict[str, float]) -> anatomy.Array:
    return anatomy.head(plane, build, values, texture=2.0)


_CT: Final = {
    "head": _CtProtocol(
        72,
        -46,
        230,
        320,
        120,
        260,
        52.0,
        5.0,
        "H31s",
        ((40, 90), (500, 2000)),
        _head_ct,
        "头颅常规",
    ),
    "chest": _CtProtocol(
        126,
        -132,
        370,
        384,
        120,
        165,
        8.6,
        15.0,
        "B50f",
        ((40, 400), (-600, 1500)),
        anatomy.chest,
        "胸部常规",
    ),
    "abdomen": _CtProtocol(
        88,
        -104,
        360,
        320,
        120,
        210,
        12.4,
        13.0,
        "B31f",
        ((50, 350),),
        anatomy.abdomen,
        "上腹部常规",
    ),
}
_PHASES: Final = (("plain", "平扫", 0), ("arterial", "动脉期", 28), ("venous", "静脉期", 65))
_THICKNESS_MM: Final = 5.0


def _ct(exam: Exam) -> Iterator[_Series]:
    protocol = _CT[exam.body]
    phases = _PHASES if exam.contrast else _PHASES[:1]
    for number, (phase, words, delay) in enumerate(phases, start=1):
        starts = timedelta(minutes=4 * (number > 1), seconds=40 * number + delay)
        injected = exam.started_at + starts - timedelta(seconds=delay)
        attributes: dict[str, Any] = {
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "PatientPosition": "HFS",
            "ProtocolName": protocol.name + ("增强" if exam.contrast else ""),
            "KVP": protocol.kvp,
            "XRayTubeCurrent": protocol.milliamps,
            "ExposureTime": 500,
            "Exposure": protocol.milliamps // 2,
            "CTDIvol": protocol.ctdi,
            "ConvolutionKernel": protocol.kernel,
            "SpiralPitchFactor": 1.0,
            "GantryDetectorTilt": 0,
            "RescaleIntercept": -1024,
            "RescaleSlope": 1,
            "RescaleType": "HU",
            "WindowCenter": [c for c, _ in protocol.windows],
            "WindowWidth": [w for _, w in protocol.windows],
            "SliceThickness": _THICKNESS_MM,
            "SpacingBetweenSlices": _THICKNESS_MM,
        }
        if phase != "plain":
            attributes |= {
                "ContrastBolusAgent": "碘海醇 350 mgI/ml",
                "ContrastBolusRoute": "IV",
                "ContrastBolusVolume": 80,
                "ContrastBolusStartTime": injected.strftime("%H%M%S"),
            }
        yield _Series(number, words, attributes, _ct_slices(exam, protocol, phase), starts)


def _ct_slices(
    exam: Exam, protocol: _CtProtocol, phase: str
) -> Iterator[tuple[npt.NDArray[np.uint16], dict[str, Any]]]:
    matrix = exam.matrix or protocol.matrix
    spacing = round(protocol.fov_mm / matrix, 4)
    values = anatomy.phase_values(phase)
    rng = anatomy.randomness(exam.seed, exam.body, phase)
    levels = np.linspace(protocol.top, protocol.bottom, exam.slices)
    for index, level in enumerate(levels):
        plane = anatomy.Plane.axial(float(level), matrix, spacing)
        picture = protocol.draw(plane, exam.build, values)
        picture = picture + protocol.noise_hu * anatomy.noise(picture.shape, rng)
        stored = np.clip(np.rint(picture + 1024), 0, 4095).astype(np.uint16)
        yield (
            stored,
            _geometry("axial", matrix, spacing, -index * _THICKNESS_MM) | {"AcquisitionNumber": 1},
        )


def _geometry(plane: str, matrix: int, spacing: float, place: float) -> dict[str, Any]:
    half = round((matrix - 1) / 2 * spacing, 4)
    if plane == "axial":
        position, orientation = [-half, -half, round(place, 4)], [1, 0, 0, 0, 1, 0]
    else:
        position, orientation = [round(place, 4), -half, half], [0, 1, 0, 0, 0, -1]
    return {
        "ImagePositionPatient": position,
        "ImageOrientationPatient": orientation,
        "SliceLocation": round(place, 4),
        "PixelSpacing": [spacing, spacing],
    }


# ------------------------------------------------------------------ MR
@dataclass(frozen=True)
class _MrSequence:
    """One sequence: weighting, plane, timing."""

    name: str
    weighting: str
    plane: str
    tr_ms: float
    te_ms: float
    ti_ms: float | None
    thickness_mm: float
    gap_mm: float
    extra: dict[str, Any] = field(default_factory=dict)


_SPIN: Final = {
    "ScanningSequence": "SE",
    "SequenceVariant": "SK",
    "EchoTrainLength": 9,
    "FlipAngle": 150,
}
_HEAD_SEQUENCES: Final = (
    _MrSequence("T1WI 轴位", "T1", "axial", 480, 11, None, 5.5, 1.1, _SPIN),
    _MrSequence("T2WI 轴位", "T2", "axial", 4200, 98, None, 5.5, 1.1, _SPIN),
    _MrSequence(
        "T2 FLAIR 轴位",
        "FLAIR",
        "axial",
        8000,
        110,
        2300,
        5.5,
        1.1,
        _SPIN | {"ScanningSequence": ["SE", "IR"]},
    ),
    _MrSequence(
        "DWI b1000 轴位",
        "DWI",
        "axial",
        3600,
        82,
        None,
        5.5,
        1.1,
        {
            "ScanningSequence": "EP",
            "SequenceVariant": "NONE",
            "FlipAngle": 90,
            "EchoTrainLength": 96,
            "DiffusionBValue": 1000.0,
        },
    ),
    _MrSequence("T1WI 矢状位", "T1", "sagittal", 460, 11, None, 5.0, 1.0, _SPIN),
)
_SPINE_SEQUENCES: Final = (
    _MrSequence("T1WI 矢状位", "T1", "sagittal", 520, 10, None, 4.0, 0.4, _SPIN),
    _MrSequence("T2WI 矢状位", "T2", "sagittal", 3200, 102, None, 4.0, 0.4, _SPIN),
    _MrSequence("T2WI 轴位", "T2", "axial", 3400, 98, None, 4.0, 0.4, _SPIN),
)
_COILS: Final = {"head": "HeadNeck20", "lumbar": "Spine32", "cervical": "HeadNeck20"}
_MR_FULL: Final = 1000.0


def _mr(exam: Exam) -> Iterator[_Series]:
    device = exam.device or _DEVICES["MR"]
    sequences = _HEAD_SEQUENCES if exam.body == "head" else _SPINE_SEQUENCES
    for number, sequence in enumerate(sequences, start=1):
        attributes: dict[str, Any] = {
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
            "PatientPosition": "HFS",
            "ProtocolName": sequence.name,
            "MRAcquisitionType": "2D",
            "ScanOptions": "",
            "RepetitionTime": sequence.tr_ms,
            "EchoTime": sequence.te_ms,
            "MagneticFieldStrength": device.field_t,
            "ImagingFrequency": round(42.577 * device.field_t, 3),
            "ReceiveCoilName": _COILS[exam.body],
            "SliceThickness": sequence.thickness_mm,
            "SpacingBetweenSlices": sequence.thickness_mm + sequence.gap_mm,
            "PixelBandwidth": 130,
            "NumberOfAverages": 2,
            "EchoNumbers": 1,
            "WindowCenter": 480,
            "WindowWidth": 960,
            **sequence.extra,
        }
        if sequence.ti_ms is not None:
            attributes["InversionTime"] = sequence.ti_ms
        starts = timedelta(minutes=3 * number)
        yield _Series(number, sequence.name, attributes, _mr_slices(exam, sequence), starts)


def _mr_slices(
    exam: Exam, sequence: _MrSequence
) -> Iterator[tuple[npt.NDArray[np.uint16], dict[str, Any]]]:
    matrix = exam.matrix or 256
    fov = {"head": 230.0, "lumbar": 290.0, "cervical": 230.0}[exam.body]
    if sequence.plane == "axial" and exam.body == "lumbar":
        fov = 350.0  # the whole width of the trunk, no wrap
    spacing = round(fov / matrix, 4)
    values = {k: v * _MR_FULL for k, v in anatomy.MR_SIGNAL[sequence.weighting].items()}
    rng = anatomy.randomness(exam.seed, exam.body, sequence.name)
    step = sequence.thickness_mm + sequence.gap_mm
    for index in range(exam.slices):
        # Axial from head to foot, sagittal from the patient's left to right (R7.3-5).
        place = ((exam.slices - 1) / 2 - index) * step
        plane: anatomy.Plane
        if sequence.plane == "axial":
            # The field of a head study starts at the vertex: its middle lies above the skull base.
            height = place * (20 / exam.slices) + (14 if exam.body == "head" else 0)
            plane = anatomy.Plane.axial(height, matrix, spacing)
        else:
            place += step / 2 if exam.slices % 2 and exam.body == "head" else 0
            plane = anatomy.Plane.sagittal(place, matrix, spacing)
        if exam.body == "head":
            picture = anatomy.head(plane, exam.build, values, texture=0.03 * _MR_FULL)
        else:
            picture = anatomy.spine(plane, exam.build, values, part=exam.body)
        picture = picture * _coil(plane, exam.body)
        # Magnitude of two noisy channels: Rician, as in every magnitude picture.
        level = 0.014 * _MR_FULL
        real = picture + level * anatomy.noise(picture.shape, rng)
        other = level * anatomy.noise(picture.shape, rng)
        stored = np.clip(np.rint(np.hypot(real, other)), 0, 4095).astype(np.uint16)
        yield stored, _geometry(sequence.plane, matrix, spacing, place)


def _coil(plane: anatomy.Plane, body: str) -> anatomy.Array:
    """Return the sensitivity: a spine coil sees what lies on it best, a head coil nearly evenly."""
    x, y = plane.x, plane.y
    if body == "head":
        return np.asarray(1 - 0.14 * np.exp(-((x / 60) ** 2) - ((y / 60) ** 2)), np.float32)
    return np.asarray(np.clip(0.72 + y / 230, 0.3, 1.25), np.float32)


# ------------------------------------------------------------------ DR
@dataclass(frozen=True)
class _FilmProtocol:
    """Panel format, exposure and how dark the picture is printed."""

    rows: int
    columns: int
    spacing_mm: float
    kvp: float
    mas: float
    sid_mm: int
    top: float
    photons: float
    target_index: int

    def scaled(self, columns: int) -> "_FilmProtocol":
        """Return the same panel read out in so many columns; 0 for its own."""
        if not columns:
            return self
        share = columns / self.columns
        spacing = round(self.spacing_mm / share, 4)
        return replace(self, rows=round(self.rows * share), columns=columns, spacing_mm=spacing)


_FILMS: Final = {
    "chest": _FilmProtocol(1230, 1000, 0.35, 120, 3.2, 1800, 4.0, 3000, 320),
    "hand": _FilmProtocol(1250, 1000, 0.2, 52, 2.5, 1100, 1.55, 2600, 400),
    "knee": _FilmProtocol(1400, 1000, 0.2, 64, 6.3, 1100, 4.0, 2600, 380),
}
_FILM_FULL: Final = 16383
_FILM_WORDS: Final = {"PA": "后前位", "AP": "前后位", "LAT": "侧位", "OBL": "斜位"}
_SIDE_WORDS: Final = {"L": "左", "R": "右", "B": "双"}


def _dr(exam: Exam) -> Iterator[_Series]:
    device = exam.device or _DEVICES["DR"]
    film = _FILMS[exam.body].scaled(exam.matrix)
    for number, view in enumerate(exam.views, start=1):
        rng = anatomy.randomness(exam.seed, exam.body, view, "index")
        index = int(film.target_index * 10 ** (rng.uniform(-0.07, 0.07)))
        position, code, meaning = VIEWS[view]
        attributes: dict[str, Any] = {
            "ImageType": ["ORIGINAL", "PRIMARY", ""],
            "ProtocolName": _SIDE_WORDS.get(exam.side, "") + _FILM_WORDS[view],
            "ViewPosition": position,
            "ViewCodeSequence": [_code(code, meaning)],
            "KVP": film.kvp + (8 if view == "LAT" else 0),
            "Exposure": round(film.mas),
            "ExposureInuAs": int(film.mas * 1000),
            "XRayTubeCurrent": 320,
            "ExposureTime": max(1, round(film.mas / 320 * 1000)),
            "DistanceSourceToDetector": film.sid_mm,
            "ImagerPixelSpacing": [film.spacing_mm, film.spacing_mm],
            "PixelSpacing": [film.spacing_mm, film.spacing_mm],
            "DetectorType": "SCINTILLATOR",
            "Grid": "FIXED" if exam.body == "chest" else "NONE",
            "FocalSpots": 0.6,
            "PresentationIntentType": "FOR PRESENTATION",
            "PixelIntensityRelationship": "LOG",
            "PixelIntensityRelationshipSign": 1 if exam.inverted else -1,
            "PresentationLUTShape": "INVERSE" if exam.inverted else "IDENTITY",
            "RescaleIntercept": 0,
            "RescaleSlope": 1,
            "RescaleType": "US",
            "WindowCenter": 8192,
            "WindowWidth": 16384,
            "BurnedInAnnotation": "NO",
            "PatientOrientation": _film_orientation(exam.body, view),
            "CollimatorShape": "RECTANGULAR",
            "CollimatorLeftVerticalEdge": round(9 / film.spacing_mm),
            "CollimatorRightVerticalEdge": film.columns - round(9 / film.spacing_mm),
            "CollimatorUpperHorizontalEdge": round(9 / film.spacing_mm),
            "CollimatorLowerHorizontalEdge": film.rows - round(9 / film.spacing_mm),
        }
        if device.exposure_index:
            deviation = 10 * np.log10(index / film.target_index)
            attributes |= {
                "ExposureIndex": index,
                "TargetExposureIndex": film.target_index,
                "DeviationIndex": f"{deviation:.2f}",
            }
        if device.plate:
            attributes |= {
                "DetectorType": "STORAGE",
                "PlateID": device.plate,
                "PlateType": "PHOSPHOR",
                "CassetteOrientation": "PORTRAIT",
                "CassetteSize": "35CMX43CM",
            }
        words = attributes["ProtocolName"]
        pictures = _film(exam, view, film)
        yield _Series(number, words, attributes, pictures, timedelta(seconds=45 * number), 14)


def _film_orientation(body: str, view: str) -> list[str]:
    if body == "hand":
        return ["L", "H"]
    return ["P", "F"] if view == "LAT" else ["L", "F"]


def _film(
    exam: Exam, view: str, protocol: _FilmProtocol
) -> Iterator[tuple[npt.NDArray[np.uint16], dict[str, Any]]]:
    wide = exam.body == "hand" and exam.side == "B"
    columns = protocol.columns * 2 if wide else protocol.columns
    film = films.Film(protocol.rows, columns, protocol.spacing_mm)
    sides = ("R", "L") if exam.side == "B" else (exam.side or "R",)
    for side in sides:
        _cast(film, exam, view, side, 103.0 if wide else 0.0)
    rng = anatomy.randomness(exam.seed, exam.body, view)
    picture = films.expose(film, rng, photons=protocol.photons, top=protocol.top)
    if exam.inverted:
        picture = 1 - picture
    stored = np.clip(np.rint(picture * _FILM_FULL), 0, _FILM_FULL).astype(np.uint16)
    yield stored, {"AcquisitionNumber": exam.views.index(view) + 1}


def _cast(film: films.Film, exam: Exam, view: str, side: str, apart_mm: float) -> None:
    """Put the body and its lead marker on the panel, the marker where no anatomy is."""
    lateral = view == "LAT"
    if exam.body == "chest":
        films.chest_film(film, exam.build, lateral=lateral)
        letter, where = ("L", (140.0, -184.0)) if lateral else ("R", (-140.0, -184.0))
        films.lead_marker(film, letter, where, 13)
    elif exam.body == "hand":
        # Both hands lie back up, thumbs together, the right hand at the right.
        outward = 1.0 if side == "R" else -1.0
        at = outward * apart_mm
        films.hand_film(film, exam.build, side=side, oblique=view == "OBL", at_mm=at)
        films.lead_marker(film, side, (at + outward * 78, -98), 12)
    else:
        films.knee_film(film, exam.build, side=side, lateral=lateral)
        outward = 1.0 if side == "L" and not lateral else -1.0
        films.lead_marker(film, side, (outward * 80, -120), 12)


_MAKERS: Final[dict[str, Callable[[Exam], Iterator[_Series]]]] = {"CT": _ct, "MR": _mr, "DR": _dr}


# ------------------------------------------------------------------ objects
def _code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _objects(exam: Exam, series: _Series) -> Iterator[Dataset]:
    starts = exam.started_at + series.starts_after
    for index, (pixels, own) in enumerate(series.pictures, start=1):
        if series.number == 1 and index == exam.planted.gap_at:
            continue
        taken = starts + timedelta(milliseconds=120 * index)
        dataset = _header(exam)
        dataset.SeriesInstanceUID = uid("series", exam.seed, series.number)
        dataset.SOPInstanceUID = uid("object", exam.seed, series.number, index)
        dataset.FrameOfReferenceUID = uid("frame", exam.seed)
        dataset.SeriesNumber, dataset.InstanceNumber = series.number, index
        dataset.SeriesDescription = series.description
        dataset.AcquisitionNumber = series.number
        dataset.AcquisitionDateTime = taken.strftime("%Y%m%d%H%M%S.%f")
        for keyword, moment in (("Series", starts), ("Acquisition", taken), ("Content", taken)):
            setattr(dataset, f"{keyword}Date", moment.strftime("%Y%m%d"))
            setattr(dataset, f"{keyword}Time", moment.strftime("%H%M%S.%f"))
        for keyword, value in {**series.attributes, **own}.items():
            setattr(dataset, keyword, value)
        if exam.planted.missing:
            dataset.pop(exam.planted.missing, None)
        _put_pixels(dataset, exam, pixels, series.bits)
        yield dataset


def _header(exam: Exam) -> Dataset:
    device, place, request, patient = (
        exam.device or _DEVICES[exam.modality],
        exam.place,
        exam.request,
        exam.patient,
    )
    part, part_code, part_meaning = PARTS[exam.body]
    local = exam.started_at.astimezone(LOCAL)
    dataset = Dataset()
    dataset.SpecificCharacterSet = exam.charset
    dataset.SOPClassUID = SOP_CLASS[device.object_kind]
    dataset.Modality = device.object_kind
    dataset.StudyInstanceUID = exam.study_uid
    dataset.StudyID = exam.accession[-8:]
    dataset.AccessionNumber = exam.accession
    dataset.StudyDate, dataset.StudyTime = local.strftime("%Y%m%d"), local.strftime("%H%M%S")
    dataset.StudyDescription = request.item
    dataset.InstitutionName = place.name
    dataset.InstitutionalDepartmentName = place.department
    dataset.InstitutionCodeSequence = [_code(place.code, place.name, "99ACCORD")]
    dataset.StationName = device.station
    dataset.Manufacturer = device.manufacturer
    dataset.ManufacturerModelName = device.model
    dataset.DeviceSerialNumber = device.serial
    dataset.SoftwareVersions = "demo-1"
    dataset.OperatorsName = place.technologist
    dataset.PatientName = exam.planted.other_name or patient.name
    dataset.PatientID = patient.patient_id
    dataset.IssuerOfPatientID = patient.issuer
    dataset.PatientSex = patient.sex
    dataset.PatientBirthDate = patient.born.strftime("%Y%m%d")
    years = (
        local.year
        - patient.born.year
        - ((local.month, local.day) < (patient.born.month, patient.born.day))
    )
    dataset.PatientAge = f"{years:03d}Y"
    dataset.PatientWeight = patient.weight_kg
    dataset.PatientTelephoneNumbers = patient.phone
    if patient.national_id:
        other = Dataset()
        other.PatientID, other.TypeOfPatientID = patient.national_id, "TEXT"
        other.IssuerOfPatientID = "身份证"
        dataset.OtherPatientIDsSequence = [other]
    dataset.BodyPartExamined = part
    dataset.AnatomicRegionSequence = [_code(part_code, part_meaning)]
    if exam.side:
        side = {"L": "R", "R": "L"}[exam.side] if exam.planted.wrong_side else exam.side
        dataset.ImageLaterality = side
        if side != "B":
            dataset.Laterality = side
    dataset.LossyImageCompression = "00"
    _request(dataset, request, exam.started_at)
    return dataset


def _request(dataset: Dataset, request: Request, started_at: datetime) -> None:
    ordered = (request.ordered_at or started_at - timedelta(hours=2)).astimezone(LOCAL)
    dataset.PlacerOrderNumberImagingServiceRequest = request.number
    dataset.IssueDateOfImagingServiceRequest = ordered.strftime("%Y%m%d")
    dataset.IssueTimeOfImagingServiceRequest = ordered.strftime("%H%M%S")
    dataset.RequestingService = request.department
    dataset.RequestingPhysician = request.physician
    dataset.ReferringPhysicianName = request.physician
    dataset.RequestedProcedureDescription = request.item
    dataset.RequestedProcedurePriority = request.priority
    if request.item_code:
        dataset.ProcedureCodeSequence = [_code(request.item_code, request.item, "99LOCAL")]
    if request.diagnosis:
        dataset.AdmittingDiagnosesDescription = request.diagnosis
    if request.purpose:
        dataset.ReasonForTheRequestedProcedure = request.purpose
    if request.history:
        dataset.AdditionalPatientHistory = request.history


# ------------------------------------------------------------------ pixels
_RATIO_LOSSY: Final = 10


def _put_pixels(dataset: Dataset, exam: Exam, pixels: npt.NDArray[np.uint16], bits: int) -> None:
    syntax = JPEG_2000_LOSSY if exam.planted.lossy else exam.syntax
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if exam.inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.PixelRepresentation = 0
    if exam.planted.lossy:
        dataset.LossyImageCompression = "01"
        dataset.LossyImageCompressionRatio = _RATIO_LOSSY
        dataset.LossyImageCompressionMethod = "ISO_15444_1"
        dataset.DerivationDescription = DERIVATION_LOSSY
    if syntax == EXPLICIT:
        dataset.PixelData = pixels.astype("<u2").tobytes()
        dataset["PixelData"].VR = "OW"
    else:
        dataset.PixelData = encapsulate([_frame(pixels, syntax, bits)])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID(uid("implementation"))
    meta.ImplementationVersionName = "ACCORD_DEMO"
    dataset.file_meta = meta


def _frame(pixels: npt.NDArray[np.uint16], syntax: str, bits: int) -> bytes:
    if syntax == JPEG_LS:
        frame = imagecodecs.jpegls_encode(pixels, level=0)
    elif syntax == RLE:
        frame = _run_lengths(pixels)
    elif syntax == JPEG_2000:
        frame = imagecodecs.jpeg2k_encode(
            pixels, level=0, codecformat="J2K", reversible=True, bitspersample=bits
        )
    else:
        frame = imagecodecs.jpeg2k_encode(
            pixels, level=42, codecformat="J2K", reversible=False, bitspersample=bits
        )
    return bytes(frame)


def _run_lengths(pixels: npt.NDArray[np.uint16]) -> bytes:
    """Return the RLE frame: one PackBits segment a byte plane, high bytes first (PS3.5 Annex G)."""
    planes = (pixels >> 8, pixels & 0xFF)
    segments = [
        bytes(imagecodecs.packbits_encode(np.ascontiguousarray(plane, np.uint8)))
        for plane in planes
    ]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = [2, 64, 64 + len(segments[0]), *([0] * 13)]
    return np.asarray(starts, "<u4").tobytes() + b"".join(segments)
