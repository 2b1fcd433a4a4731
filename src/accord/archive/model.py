"""What the archive knows: received objects, what became of them, and the facts of a study.

Every value here was read from the header when the object was indexed; no file is opened again to
answer a question about a study.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from accord.kit.blobs import Blob


class Way(StrEnum):
    """How an object came in."""

    DIMSE = "dimse"
    STOW = "stow"
    IMPORT = "import"


class Result(StrEnum):
    """What became of an object that was sent."""

    STORED = "stored"
    ALREADY_STORED = "already_stored"
    KEPT_ASIDE = "kept_aside"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why an object was kept aside or refused; the code of its finding."""

    LOSSY_SYNTAX = "lossy_syntax"
    LOSSY_MARKED = "lossy_marked"
    SAME_UID_OTHER_BYTES = "same_uid_other_bytes"
    STUDY_OF_ANOTHER_INSTITUTION = "study_of_another_institution"
    NO_FILE_META = "no_file_meta"
    NO_TRANSFER_SYNTAX = "no_transfer_syntax"
    TRUNCATED = "truncated"
    PIXELS_INCOMPLETE = "pixels_incomplete"
    NO_STUDY_UID = "no_study_uid"

    NOT_DICOM = "not_dicom"
    UNREADABLE = "unreadable"
    UNKNOWN_SYNTAX = "unknown_syntax"
    NO_SOP_UID = "no_sop_uid"
    BAD_UID = "bad_uid"
    UID_MISMATCH = "uid_mismatch"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    INFLATES_TOO_FAR = "inflates_too_far"
    MEDIA_DIRECTORY = "media_directory"
    COMPRESSED_FILE = "compressed_file"
    WRONG_STUDY = "wrong_study"


@dataclass(frozen=True)
class StoreOutcome:
    """What became of one object.

    Attributes:
        result: Stored, already stored, kept aside or refused.
        code: Why, when it is not plainly stored.
        sentence: What the sender can do about it.
        sop_uid: The object's SOP Instance UID, where it has a valid one.
        sop_class: Its SOP Class UID, where known.
        study_uid: Its study, where known.
        series_uid: Its series, where known.
    """

    result: Result
    code: Reason | None = None
    sentence: str | None = None
    sop_uid: str | None = None
    sop_class: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None


@dataclass(frozen=True)
class Pixels:
    """Where and how the pixels of an instance lie.

    Attributes:
        offset: First byte of the pixel data's value, in the (inflated) data set.
        length: Bytes of a native value; None for an encapsulated one.
        big_endian: Native words are big endian.
    """

    offset: int
    length: int | None
    big_endian: bool = False


@dataclass(frozen=True)
class Instance:
    """An indexed object.

    Attributes:
        blob: The whole object as it was received.
        head: Bytes before its data set.
        pixels: Where its pixels lie in the (inflated) data set.
        header: The DICOM JSON model of its header.
    """

    sop_uid: str
    study_uid: str
    series_uid: str
    institution: str | None
    sop_class: str
    syntax: str
    number: int | None
    frames: int
    blob: Blob
    head: int
    pixels: Pixels | None
    header: Mapping[str, Any] = field(repr=False)
    received_at: datetime


@dataclass(frozen=True)
class Device:
    """The device that a header names.

    Attributes:
        manufacturer: (0008,0070).
        model: (0008,1090).
        serial: (0018,1000).
        plate_type: (0018,1260), e.g. of a CR reader.
        plate_id: (0018,1004).
        detector_type: (0018,7004).
        detector_id: (0018,700A).
    """

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    plate_type: str | None = None
    plate_id: str | None = None
    detector_type: str | None = None
    detector_id: str | None = None


@dataclass(frozen=True)
class SeriesFacts:
    """What the headers of one series say; values of its first instance, counts of all."""

    series_uid: str
    modality: str | None
    number: int | None
    description: str | None
    protocol: str | None
    body_part: str | None
    laterality: str | None
    image_laterality: str | None
    view_position: str | None
    view_code: str | None
    contrast_agent: str | None
    sop_class: str
    instances: int
    frames: int
    image_type: tuple[str, ...] = ()
    orientation: tuple[float, ...] = ()
    position: str | None = None
    slice_thickness: float | None = None
    cassette_orientation: str | None = None


@dataclass(frozen=True)
class SyntaxCount:
    """How many instances came in one transfer syntax with one lossy flag."""

    transfer_syntax: str
    lossy_flag: str | None
    count: int


@dataclass(frozen=True)
class StudyFacts:
    """What the archive says about one study.

    Attributes:
        study_uid: Study Instance UID.
        institution: Code of the institution that sent it first; None when nobody vouched.
        exam_start: Earliest acquisition.
        exam_end: Latest acquisition: the start of the periods of 7.1.1 (RD-7.1.1-START).
        settled_at: When it counted as complete; None while objects still arrive.
        syntaxes: Of the stored instances, or of the kept-aside lossy ones when none is stored.
        kept_aside: Objects of this study that are kept aside, by reason.
        stored: Instances that are stored; 0 when every object was kept aside.
        elements: Keyword to value, from the first image (the C-table of 7.1.3).
        series: In order of series number.
    """

    study_uid: str
    institution: str | None
    patient_id: str | None
    issuer: str | None
    patient_name: str | None
    sex: str | None
    birth_date: date | None
    other_ids: tuple[str, ...]
    accession: str | None
    study_description: str | None
    requested_procedure: str | None
    study_date_time: datetime | None
    exam_start: datetime | None
    exam_end: datetime | None
    first_received_at: datetime
    last_received_at: datetime
    settled_at: datetime | None
    modalities: tuple[str, ...]
    sop_classes: tuple[str, ...]
    syntaxes: tuple[SyntaxCount, ...]
    kept_aside: int
    kept_aside_reasons: Mapping[str, int]
    stored: int
    device: Device
    institution_name: str | None
    station: str | None
    referring: str | None
    performing: str | None
    operators: tuple[str, ...]
    elements: Mapping[str, Any] = field(repr=False)
    series: tuple[SeriesFacts, ...]


@dataclass(frozen=True)
class StudyBegun:
    """Event: the first object of a study was stored."""

    study_uid: str
    institution: str


@dataclass(frozen=True)
class StudySettled:
    """Event: no object of this study arrived for the quiet time."""

    study_uid: str
    institution: str
