"""C-FIND as an old PACS asks: findscu of dcmtk, and pynetdicom."""

import subprocess
import time
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom.dimse_messages import C_CANCEL_RQ, C_FIND_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_CANCEL, C_FIND
from pynetdicom.dsutils import encode
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind as PatientRoot,
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind as StudyRoot,
)

from integration.archive.conftest import AE_TITLE, OTHER_TITLE, Listening
from integration.archive.test_dimse import EXPLICIT, IMPLICIT, send, status_of
from support.builders import make_study


def find(
    listening: Listening, *, root: str = StudyRoot, syntax: str = EXPLICIT, title=AE_TITLE, **keys
) -> tuple[list[Dataset], int]:
    """Return what is found and the final status."""
    asked = Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    asked.QueryRetrieveLevel = keys.pop("level")
    for keyword, value in keys.items():
        setattr(asked, keyword, value)
    association = listening.associate((root, syntax), ae_title=title)
    answers = list(association.send_c_find(asked, root))
    association.release()
    pending, final = answers[:-1], answers[-1][0].Status
    assert {status.Status for status, _ in pending} <= {0xFF00, 0xFF01}
    return [data for _, data in pending], final


@pytest.fixture
def studies(listening):
    """A CT with a Chinese name and two series, a film of another patient."""
    ct = make_study(slices=3, seed="one")
    for one in ct:
        one.SpecificCharacterSet = "GB18030"
        one.PatientName = "Zhang^San=张^三"
        one.PatientID = "P1"
    film = make_study(modality="DR", body="hand", seed="two")
    for one in film:
        one.PatientID = "P2"
    statuses = {answer.Status for answer in send(listening, *ct, *film)}
    assert statuses == {0}
    return ct, film


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_study_is_found_by_its_chinese_name_and_told_in_utf8(listening, studies, syntax):
    ct, _ = studies
    (found,), status = find(
        listening,
        syntax=syntax,
        level="STUDY",
        PatientName="*张^三",
        StudyInstanceUID="",
        ModalitiesInStudy="",
        NumberOfStudyRelatedInstances=None,
        StudyDate="",
    )
    assert status == 0
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert str(found.PatientName) == "Zhang^San=张^三"
    assert found.StudyInstanceUID == ct[0].StudyInstanceUID
    assert found.ModalitiesInStudy == "CT"
    assert found.NumberOfStudyRelatedInstances == 3
    assert found.StudyDate == ct[0].StudyDate
    assert found.RetrieveAETitle == "ACCORD"


def test_every_level_is_found_below_the_one_above(listening, studies):
    ct, film = studies
    patients, _ = find(listening, root=PatientRoot, level="PATIENT", PatientID="")
    assert sorted(one.PatientID for one in patients) == ["P1", "P2"]
    of_patient, _ = find(
        listening, root=PatientRoot, level="STUDY", PatientID="P2", StudyInstanceUID=""
    )
    assert [one.StudyInstanceUID for one in of_patient] == [film[0].StudyInstanceUID]
    series, _ = find(
        listening,
        level="SERIES",
        StudyInstanceUID=ct[0].StudyInstanceUID,
        SeriesInstanceUID="",
        Modality="",
        NumberOfSeriesRelatedInstances=None,
    )
    assert [one.SeriesInstanceUID for one in series] == [ct[0].SeriesInstanceUID]
    assert (series[0].Modality, series[0].NumberOfSeriesRelatedInstances) == ("CT", 3)
    images, status = find(
        listening,
        level="IMAGE",
        StudyInstanceUID=ct[0].StudyInstanceUID,
        SeriesInstanceUID=ct[0].SeriesInstanceUID,
        SOPInstanceUID="",
        InstanceNumber=None,
    )
    assert status == 0
    assert {one.SOPInstanceUID for one in images} == {one.SOPInstanceUID for one in ct}
    assert [one.InstanceNumber for one in images] == sorted(one.InstanceNumber for one in ct)


def test_another_institution_finds_nothing(listening, studies):
    assert find(listening, title=OTHER_TITLE, level="STUDY", StudyInstanceUID="") == ([], 0)
    assert find(
        listening, title=OTHER_TITLE, root=PatientRoot, level="PATIENT", PatientID="P1"
    ) == ([], 0)


def test_key_that_is_not_matched_is_told_by_the_status(listening, studies):
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.ProtocolName, asked.StudyInstanceUID = "STUDY", "chest", ""
    association = listening.associate((StudyRoot, EXPLICIT))
    statuses = [status.Status for status, _ in association.send_c_find(asked, StudyRoot)]
    association.release()
    assert statuses == [0xFF01, 0xFF01, 0x0000]


@pytest.mark.parametrize(
    ("root", "keys", "status"),
    [
        (StudyRoot, {"level": "PATIENT", "PatientID": ""}, 0xA900),
        (StudyRoot, {"level": "ROOM"}, 0xA900),
        (StudyRoot, {"level": "SERIES", "SeriesInstanceUID": ""}, 0xA900),
        (StudyRoot, {"level": "IMAGE", "StudyInstanceUID": "1.2", "SOPInstanceUID": ""}, 0xA900),
        (PatientRoot, {"level": "STUDY", "StudyInstanceUID": ""}, 0xA900),
        (PatientRoot, {"level": "STUDY", "PatientID": "*"}, 0xA900),
        (StudyRoot, {"level": "STUDY", "PatientName": "*a" * 20}, 0xC000),
    ],
)
def test_identifier_that_does_not_fit_is_refused(listening, root, keys, status):
    assert find(listening, root=root, **keys) == ([], status)


def test_identifier_that_is_none_is_refused_and_the_association_goes_on(listening):
    association = listening.associate((StudyRoot, EXPLICIT))
    request = C_FIND()
    request.MessageID, request.Priority, request.AffectedSOPClassUID = 1, 2, StudyRoot
    request.Identifier = BytesIO(b"\xff" * 100_000)
    assert status_of(association, request) == 0xA900
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", ""
    assert [s.Status for s, _ in association.send_c_find(asked, StudyRoot)] == [0]
    association.release()


def on_the_wire(context: int, *messages: DIMSEMessage) -> bytes:
    """Return the PDUs of messages."""
    pdus = b""
    for message in messages:
        for values in message.encode_msg(context, 16 * 1024):
            pdu = P_DATA_TF()
            pdu.from_primitive(values)
            pdus += pdu.encode()
    return pdus


def test_query_that_is_cancelled_with_it_ends_at_once(listening):
    send(listening, *(make_study(slices=1, matrix=16, seed=f"many {n}")[0] for n in range(20)))
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", ""
    query = C_FIND()
    query.MessageID, query.Priority, query.AffectedSOPClassUID = 7, 2, StudyRoot
    query.Identifier = BytesIO(encode(asked, False, True))
    cancel = C_CANCEL()
    cancel.MessageIDBeingRespondedTo = 7
    asking, cancelling = C_FIND_RQ(), C_CANCEL_RQ()
    asking.primitive_to_message(query)
    cancelling.primitive_to_message(cancel)
    association = listening.associate((StudyRoot, EXPLICIT))
    association._reactor_checkpoint.clear()
    while not association._is_paused:
        time.sleep(0.01)
    context = association.accepted_contexts[0].context_id
    association.dul.socket.socket.sendall(on_the_wire(context, asking, cancelling))
    statuses = []
    while not statuses or statuses[-1] == 0xFF00:
        statuses.append(association.dimse.get_msg(block=True)[1].Status)
    association._reactor_checkpoint.set()
    assert statuses == [0xFE00]
    assert [s.Status for s, _ in association.send_c_find(asked, StudyRoot)][-1] == 0x0000
    association.release()


@pytest.mark.dcmtk
def test_findscu_finds_a_study(listening, studies, tmp_path):
    ct, _ = studies
    answers = tmp_path / "answers"
    answers.mkdir()
    subprocess.run(
        [
            "findscu", "-S", "-aet", AE_TITLE, "-aec", "ACCORD", "-X", "-od", str(answers),
            "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID=P1", "-k", "PatientName",
            "-k", "StudyInstanceUID", "127.0.0.1", str(listening.port),
        ],
        check=True, timeout=60,
    )  # fmt: skip
    (match,) = answers.iterdir()
    found = dcmread(match, force=True)
    assert found.StudyInstanceUID == ct[0].StudyInstanceUID
    assert str(found.PatientName) == "Zhang^San=张^三"


@pytest.mark.dcmtk
def test_findscu_cancels_after_two(listening):
    objects = [make_study(slices=1, matrix=16, seed=f"many {n}")[0] for n in range(300)]
    send(listening, *objects)
    told = subprocess.run(
        [
            "findscu", "-S", "-v", "-aet", AE_TITLE, "-aec", "ACCORD", "--cancel", "2",
            "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID",
            "127.0.0.1", str(listening.port),
        ],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    words = told.stdout + told.stderr
    assert "Received Final Find Response (Cancel" in words
    assert 2 <= words.count("(Pending)") < 300
