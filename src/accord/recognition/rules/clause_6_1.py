"""Clause 6.1: images of DR, CT and MRI, by what the device is."""

from dataclasses import dataclass

from accord.catalogue import Catalogue
from accord.catalogue.model import Modality
from accord.dataquality.answers import Answer
from accord.recognition.lists import lists
from accord.recognition.model import Case
from accord.recognition.relation import prior_subjects
from accord.registry.model import DeviceKind
from accord.standard import rule
from accord.standard.model import Finding, RuleSet

RULE = "R6.1-1"
MAMMOGRAPHY = frozenset({"MG"})
PROJECTION = frozenset({"CR", "DX"})
BY_TAG = {"CT": DeviceKind.CT, "MR": DeviceKind.MR, "MG": DeviceKind.MG}


@dataclass(frozen=True, slots=True)
class _Seen:
    """Kind of the device, and whether it was only assumed from the images."""

    kind: DeviceKind | None
    assumed: bool = False


@rule(RULE)
def is_in_scope(case: Case, rule_set: RuleSet, catalogue: Catalogue) -> Finding:
    """Pass when the device that made the study is a DR, CT or MR device.

    The registry decides; without an entry the images do: a filled plate sign makes a CR reader,
    any other plain film is taken for DR with a note. Fluoroscopy counts only as a single frame of
    a registered DRF device with a DR item.
    """
    seen = _seen(case)
    because = {
        "kind": seen.kind,
        "modality": case.prior.modality,
        "plate signs": case.prior.plate_signs,
    }
    answer = Answer(RULE, rule_set, because, readings=("RD-6.1-CR",))
    if seen.kind is None and case.prior.modality is None:
        return answer.unknown("device kind", "modality")
    inside = _is_inside(seen.kind, case, rule_set, catalogue)
    if inside is None:
        return answer.unknown("items or number of frames")
    if not inside:
        return answer.gates("OUT_OF_SCOPE")
    return answer.passes(code="DEVICE_KIND_ASSUMED" if seen.assumed else None)


def _seen(case: Case) -> _Seen:
    prior, device = case.prior, case.device
    if device.kind is not None:
        return _Seen(device.kind)
    if prior.modality in PROJECTION:
        shows_plate = prior.plate_signs or device.model in lists().cr_readers
        if prior.cr_object and shows_plate:
            return _Seen(DeviceKind.CR_READER)
        return _Seen(DeviceKind.DR_PANEL, assumed=True)
    return _Seen(None if prior.modality is None else BY_TAG.get(prior.modality))


def _is_inside(
    kind: DeviceKind | None, case: Case, rule_set: RuleSet, catalogue: Catalogue
) -> bool | None:
    match kind:
        case DeviceKind.DR_PANEL | DeviceKind.CT | DeviceKind.MR:
            return True
        case DeviceKind.CR_READER:
            return rule_set.is_on("accept_cr_reader")
        case DeviceKind.MG:
            return _is_mammography(case, catalogue)
        case DeviceKind.DRF:
            return _is_plain_film(case, catalogue)
        case _:
            return False


def _is_mammography(case: Case, catalogue: Catalogue) -> bool | None:
    subjects = prior_subjects(case.prior, catalogue)
    if not subjects:
        return None
    return all(
        subject.item is not None and subject.item.codes.dicom_modalities == MAMMOGRAPHY
        for subject in subjects
    )


def _is_plain_film(case: Case, catalogue: Catalogue) -> bool | None:
    subjects = prior_subjects(case.prior, catalogue)
    if not subjects or case.prior.single_frame is None:
        return None
    return case.prior.single_frame and all(
        subject.item is not None and subject.key.modality is Modality.DR for subject in subjects
    )
