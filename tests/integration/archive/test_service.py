"""Indexing, settling and the facts of a study."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from accord.app import importing
from accord.archive import codecs, service, store
from accord.archive.model import Result, StudyBegun, StudySettled
from accord.kit import clock, events
from accord.kit import store as kit_store
from accord.kit.access import Actor
from accord.kit.errors import Invalid
from support.builders import encoded, make_study


def put(site, *files: bytes, institution: str | None = "CQ-A") -> list:
    """Take in files, each in a transaction of its own, and return the outcomes."""
    outcomes = []
    for file in files:
        with site.database.begin() as conn:
            outcomes.append(
                service.receive(
                    conn,
                    site.sender(institution),
                    BytesIO(file),
                    blobs=site.blobs,
                    bounds=service.bounds_of(site.settings),
                    largest=site.settings.max_object_size,
                )
            )
    return outcomes


def told(kind: type) -> list:
    """Return the list to which events of a kind are added from now on."""
    heard: list = []
    events.subscribe(kind, lambda _conn, event: heard.append(event))
    return heard


def test_lossy_study_is_kept_aside_with_a_finding_and_has_facts_all_the_same(site):
    (ds,) = make_study(slices=1, lossy=True)
    (outcome,) = put(site, encoded(ds))
    assert outcome.result is Result.KEPT_ASIDE
    with site.database.begin() as conn:
        facts = service.study_facts(conn, ds.StudyInstanceUID)
        (finding,) = store.findings_of(conn, ds.StudyInstanceUID)
    assert facts.stored == 0
    assert facts.kept_aside == 1
    assert facts.syntaxes[0].lossy_flag == "01"
    assert finding.code.startswith("lossy")


def test_kept_aside_object_never_blocks_a_later_clean_one(site):
    (ds,) = make_study(slices=1)
    file = encoded(ds)
    cut, clean = put(site, file[:-100], file)
    assert (cut.result, clean.result) == (Result.KEPT_ASIDE, Result.STORED)


def test_same_object_with_another_file_meta_is_already_stored(site):
    (ds,) = make_study(slices=1)
    other = dcmread(BytesIO(encoded(ds)))
    other.file_meta.SourceApplicationEntityTitle = "ELSEWHERE"
    buffer = BytesIO()
    other.save_as(buffer)
    outcomes = put(site, encoded(ds), buffer.getvalue())
    assert [o.result for o in outcomes] == [Result.STORED, Result.ALREADY_STORED]


def test_same_thing_kept_aside_twice_is_one_thing(site):
    (ds,) = make_study(slices=1, lossy=True)
    put(site, encoded(ds), encoded(ds))
    assert sum(site.kept_aside(ds.StudyInstanceUID).values()) == 1


def test_one_batch_may_hold_two_objects_of_one_uid(site):
    (ds,) = make_study(slices=1)
    other = dcmread(BytesIO(encoded(ds)))
    other.PatientComments = "changed"
    bounds = service.bounds_of(site.settings)
    prepared = []
    for one in (ds, ds, other):
        with site.blobs.stage() as staged:
            staged.write(encoded(one))
            prepared.append(
                service.prepare_file(staged, site.sender(), blobs=site.blobs, bounds=bounds)
            )
    with site.database.begin() as conn:
        outcomes = service.keep(conn, prepared)
    assert [o.result.value for o in outcomes] == ["stored", "already_stored", "kept_aside"]


def test_quiet_study_settles_once_and_anew_after_another_object(site):
    first, second = make_study(slices=2)
    begun, settled = told(StudyBegun), told(StudySettled)
    start = datetime(2026, 11, 24, 8, tzinfo=UTC)
    quiet = timedelta(seconds=60)

    def settle(seconds: int) -> int:
        with clock.freeze(start + timedelta(seconds=seconds)), site.database.begin() as conn:
            return service.settle(conn, quiet)

    with clock.freeze(start):
        put(site, encoded(first))
    assert [settle(30), settle(61), settle(70)] == [0, 1, 0]
    with clock.freeze(start + timedelta(seconds=80)):
        put(site, encoded(second))
    with clock.freeze(start + timedelta(seconds=85)):
        put(site, encoded(second))  # already stored: the study stays as quiet as it was
    assert [settle(120), settle(141)] == [0, 1]
    uid = first.StudyInstanceUID
    assert [event.study_uid for event in begun] == [uid]
    assert [event.study_uid for event in settled] == [uid, uid]
    with site.database.begin() as conn:
        facts = service.study_facts(conn, uid)
    assert facts.first_received_at == start
    assert facts.last_received_at == start + timedelta(seconds=80)
    assert facts.settled_at == start + timedelta(seconds=141)


def test_facts_of_a_study_are_those_of_its_headers(site):
    study = make_study(slices=3)
    put(site, *map(encoded, study))
    with site.database.begin() as conn:
        facts = service.study_facts(conn, study[0].StudyInstanceUID)
        found = service.studies_of_accession(conn, "CQ-A", study[0].AccessionNumber)
    assert found == [study[0].StudyInstanceUID]
    assert facts.institution == "CQ-A"
    assert facts.patient_id == study[0].PatientID
    assert facts.patient_name == str(study[0].PatientName)
    assert facts.modalities == ("CT",)
    assert facts.stored == 3
    assert facts.device.manufacturer == study[0].Manufacturer
    assert facts.elements["KVP"] == study[0].KVP
    assert facts.exam_start <= facts.exam_end <= facts.last_received_at
    (series,) = facts.series
    assert (series.instances, series.body_part) == (3, study[0].BodyPartExamined)
    assert facts.syntaxes[0].count == 3


def test_patient_that_differs_within_a_study_is_a_finding(site):
    first, second = make_study(slices=2)
    second.PatientID = "SOMEBODY-ELSE"
    outcomes = put(site, encoded(first), encoded(second))
    assert [o.result for o in outcomes] == [Result.STORED, Result.STORED]
    with site.database.begin() as conn:
        (finding,) = store.findings_of(conn, first.StudyInstanceUID)
    assert finding.code == service.PATIENT_DIFFERS


def test_study_that_nobody_here_knows_has_no_facts(site):
    with site.database.begin() as conn:
        assert service.study_facts(conn, "1.2.3") is None


def test_object_larger_than_the_limit_is_refused_and_leaves_nothing(site):
    small = site.settings.model_copy(update={"max_object_size": 1000})
    (file,) = map(encoded, make_study(slices=1))
    with site.database.begin() as conn:
        outcome = service.receive(
            conn,
            site.sender(),
            BytesIO(file),
            blobs=site.blobs,
            bounds=service.bounds_of(small),
            largest=small.max_object_size,
        )
    assert outcome.code.value == "too_large"
    assert site.files() == []


def test_import_for_an_institution_that_nobody_registered_is_refused(site, tmp_path):
    with pytest.raises(Invalid, match="NOWHERE"):
        list(
            importing.import_paths(
                site.settings, site.database, [tmp_path], "NOWHERE", Actor.process("test")
            )
        )


def test_import_takes_folders_in_path_order_and_tells_of_each_file(site, tmp_path):
    folder = tmp_path / "disc"
    (folder / "b").mkdir(parents=True)
    files = [encoded(ds) for ds in make_study(slices=2)]
    (folder / "b" / "2").write_bytes(files[0])
    (folder / "a.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    (folder / "c").write_bytes(files[1])
    taken = list(
        importing.import_paths(
            site.settings, site.database, [folder], "CQ-A", Actor.process("test")
        )
    )
    assert [one.path.name for one in taken] == ["a.zip", "2", "c"]
    assert [one.as_dict()["outcome"] for one in taken] == ["refused", "stored", "stored"]
    assert importing.counts(taken) == {
        "stored": 2, "already_stored": 0, "kept_aside": 0, "refused": 1,
    }  # fmt: skip


def test_pydicom_decodes_by_our_decoder():
    assert "1.2.840.10008.1.2.4.70" in codecs.register()
    plain, packed = (
        dcmread(BytesIO(encoded(make_study(slices=1, syntax=syntax)[0]))).pixel_array
        for syntax in ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80")
    )
    assert (plain == packed).all()


def test_study_imported_for_nobody_is_the_first_hospitals_that_sends_of_it(site):
    first, second = make_study(slices=2)
    put(site, encoded(first), institution=None)
    begun = told(StudyBegun)
    outcomes = put(site, encoded(second)) + put(site, encoded(first))
    assert [o.result for o in outcomes] == [Result.STORED, Result.ALREADY_STORED]
    assert begun == [StudyBegun(first.StudyInstanceUID, "CQ-A")]
    with site.database.begin() as conn:
        owners = {each.institution for each in service.instances(conn, first.StudyInstanceUID)}
        assert service.study_facts(conn, first.StudyInstanceUID).institution == "CQ-A"
        audited = kit_store.read_audit(conn, subject=f"study:{first.StudyInstanceUID}")
    assert owners == {"CQ-A"}
    assert "archive.study.adopted" in [entry["action"] for entry in audited]
    second.SOPInstanceUID = generate_uid()
    (late,) = put(site, encoded(second), institution="CQ-B")
    assert late.result is Result.KEPT_ASIDE


def test_the_same_object_alone_is_enough_to_own_what_was_imported_for_nobody(site):
    (ds,) = make_study(slices=1)
    put(site, encoded(ds), institution=None)
    (outcome,) = put(site, encoded(ds))
    assert outcome.result is Result.ALREADY_STORED
    with site.database.begin() as conn:
        assert service.study_facts(conn, ds.StudyInstanceUID).institution == "CQ-A"


def test_study_imported_for_nobody_stays_so_for_another_patient(site):
    first, second = make_study(slices=2)
    put(site, encoded(first), institution=None)
    second.PatientID = "ANOTHER"
    (outcome,) = put(site, encoded(second))
    assert outcome.result is Result.KEPT_ASIDE
    with site.database.begin() as conn:
        assert service.study_facts(conn, first.StudyInstanceUID).institution is None
