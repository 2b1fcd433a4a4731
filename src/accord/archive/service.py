"""Receiving and reading images: the use cases of the archive.

An object is durable before it is indexed and indexed before it is acknowledged: `prepare_*` makes
its bytes durable, `keep` writes the rows, and the caller answers the sender once its transaction
has committed. A crash in between leaves bytes that nothing points at, never a row without bytes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, Row

from accord import standard
from accord.archive import facts, reasons, store
from accord.archive.errors import NoSuchImages
from accord.archive.examine import (
    Bounds,
    Examined,
    Refusal,
    examine_data_set,
    examine_file,
)
from accord.archive.header import Element, Limits, first_text
from accord.archive.model import (
    Device,
    Instance,
    Reason,
    Result,
    SeriesFacts,
    StoreOutcome,
    StudyBegun,
    StudyFacts,
    StudySettled,
    SyntaxCount,
    Way,
)
from accord.kit import audit, clock, events
from accord.kit.access import Actor
from accord.kit.blobs import CHUNK, Blob, BlobStore, Staged
from accord.kit.errors import TooLarge
from accord.kit.settings import Settings

LOSSLESS_OUTCOME: Final = "pass"
SYNTAX_TABLE: Final = "7.1/transfer_syntaxes"
CHARSET_GUESSED: Final = "charset_guessed"
PATIENT_DIFFERS: Final = "patient_differs_in_study"

Header = Mapping[str, Element]


@dataclass(frozen=True)
class Sender:
    """Who sends, as far as we know.

    Attributes:
        way: How the object comes.
        institution: Code of the sending institution; None when nobody vouches for one.
        actor: Login, system or calling AE title, for the audit trail.
        ae_title: Calling AE title, for the file meta of what came over the network.
    """

    way: Way
    institution: str | None
    actor: Actor
    ae_title: str = ""


@dataclass(frozen=True)
class Kept:
    """Where the bytes of an object are.

    Attributes:
        blob: The whole object as it was received.
        head: Bytes before its data set.
        blobs: The store that keeps it.
    """

    blob: Blob
    head: int
    blobs: BlobStore


@dataclass(frozen=True)
class Prepared:
    """An object whose bytes are durable and whose rows are still to be written; or a refusal."""

    sender: Sender
    found: Examined | Refusal
    kept: Kept | None
    received_at: datetime


@lru_cache(maxsize=8)
def lossless_syntaxes(rule_set: str) -> frozenset[str]:
    """Return the transfer syntaxes that a rule set calls lossless (R7.1-0)."""
    rows = standard.load(rule_set).table(SYNTAX_TABLE).rows
    return frozenset(str(row["uid"]) for row in rows if row["outcome"] == LOSSLESS_OUTCOME)


def bounds_of(settings: Settings) -> Bounds:
    """Return the limits of this site."""
    return Bounds(
        lossless=lossless_syntaxes(settings.rule_set),
        header=Limits(settings.max_nesting, settings.max_header_elements, settings.max_header_size),
        inflated=settings.max_inflated_size,
    )


# -- receiving ----------------------------------------------------------------------------------


def receive(
    conn: Connection,
    sender: Sender,
    stream: BinaryIO | Iterable[bytes],
    *,
    blobs: BlobStore,
    bounds: Bounds,
    largest: int,
) -> StoreOutcome:
    """Take in one DICOM file; it is stored when the caller's transaction has committed.

    Raises:
        StorageFull: There is no room; nothing stays behind.
    """
    with blobs.stage() as staged:
        try:
            fill(staged, stream, largest)
        except TooLarge:
            return refused(Reason.TOO_LARGE)
        prepared = prepare_file(staged, sender, blobs=blobs, bounds=bounds)
    return keep(conn, [prepared])[0]


def fill(staged: Staged, stream: BinaryIO | Iterable[bytes], largest: int) -> None:
    """Write a stream into a staged file.

    Raises:
        TooLarge: It is larger than `largest` bytes.
    """
    chunks = iter(lambda: stream.read(CHUNK), b"") if hasattr(stream, "read") else stream
    for chunk in chunks:
        if staged.size + len(chunk) > largest:
            raise TooLarge(reasons.sentence(Reason.TOO_LARGE))
        staged.write(chunk)


def prepare_file(
    staged: Staged,
    sender: Sender,
    *,
    blobs: BlobStore,
    bounds: Bounds,
    study_uid: str | None = None,
) -> Prepared:
    """Judge a staged DICOM file and make it durable unless it is refused.

    Args:
        staged: The whole file.
        sender: Who sends it.
        blobs: Where it is kept, and a deflated one is inflated.
        bounds: Limits of this site.
        study_uid: The study it must belong to, when the address names one.
    """
    now = clock.now()
    with staged.mapped() as data:
        found = examine_file(data, bounds, blobs.stage)
        if isinstance(found, Examined) and study_uid not in (None, found.study_uid):
            found = Refusal(Reason.WRONG_STUDY, found.sop_uid, found.sop_class)
        if isinstance(found, Refusal):
            return Prepared(sender, found, None, now)
    return Prepared(sender, found, Kept(staged.keep(), found.head.length, blobs), now)


@dataclass(frozen=True)
class Claims:
    """What a sender on the network says about an object before its data set."""

    syntax: str
    sop_class: str
    sop_uid: str


def prepare_data_set(
    staged: Staged,
    head: int,
    sender: Sender,
    claims: Claims,
    *,
    blobs: BlobStore,
    bounds: Bounds,
) -> Prepared:
    """Judge a data set that came over the network and make it durable unless it is refused.

    Args:
        staged: Preamble and file meta of ours, then the data set as it came.
        head: Bytes before the data set.
        sender: Who sends it.
        claims: What the sender says it is.
        blobs: Where it is kept.
        bounds: Limits of this site.
    """
    now = clock.now()
    with staged.mapped() as data, data[head:] as body:
        found = examine_data_set(
            body,
            syntax=claims.syntax,
            sop_class=claims.sop_class,
            sop_uid=claims.sop_uid,
            bounds=bounds,
        )
        if isinstance(found, Refusal):
            return Prepared(sender, found, None, now)
    return Prepared(sender, found, Kept(staged.keep(), head, blobs), now)


def keep(conn: Connection, several: Sequence[Prepared]) -> list[StoreOutcome]:
    """Index prepared objects and say what became of each, in order.

    A second object with the UID of one of the same batch is compared with it like any other.
    """
    outcomes = keep_where_known(conn, several)
    waiting = {n: several[n] for n in range(len(several)) if n not in outcomes}
    while waiting:
        batch: dict[str, int] = {}
        for number, prepared in waiting.items():
            if isinstance(prepared.found, Refusal):
                outcomes[number] = _refused(prepared.found)
            elif prepared.found.aside is not None:
                outcomes[number] = _put_aside(conn, prepared, prepared.found.aside)
            else:
                batch.setdefault(prepared.found.sop_uid, number)
        turn = {number: waiting[number] for number in batch.values()}
        outcomes |= _store(conn, turn)
        waiting = {n: waiting[n] for n in waiting if n not in outcomes}
    return [outcomes[number] for number in range(len(several))]


def keep_where_known(conn: Connection, several: Sequence[Prepared]) -> dict[int, StoreOutcome]:
    """Index the objects about which there is nothing to decide; return what became of those.

    That is nearly every object of a study after its first one. It takes a single statement, so
    that it may run on a connection that commits each by itself.
    """
    batch: dict[str, int] = {}
    for number, prepared in enumerate(several):
        found = prepared.found
        if isinstance(found, Examined) and found.aside is None and not found.header.guessed_text:
            batch.setdefault(found.sop_uid, number)
    rows = [
        _instance_values(several[number])
        | {"patient_id": _examined(several[number]).header.text("00100020")}
        for number in batch.values()
    ]
    added = store.add_where_known(conn, rows)
    return {
        number: _outcome(Result.STORED, _examined(several[number]))
        for sop_uid, number in batch.items()
        if sop_uid in added
    }


def refused(reason: Reason, sop_uid: str | None = None) -> StoreOutcome:
    """Return the outcome of an object that is not taken."""
    return _refused(Refusal(reason, sop_uid))


def _refused(refusal: Refusal) -> StoreOutcome:
    return StoreOutcome(
        Result.REFUSED,
        refusal.reason,
        reasons.sentence(refusal.reason),
        refusal.sop_uid,
        refusal.sop_class,
    )


def _store(conn: Connection, turn: Mapping[int, Prepared]) -> dict[int, StoreOutcome]:
    """Store clean objects of different UIDs, or keep aside what contradicts the archive."""
    outcomes: dict[int, StoreOutcome] = {}
    known = store.known_instances(conn, [_examined(p).sop_uid for p in turn.values()])
    fresh = {}
    _adopt(conn, turn.values())
    for number, prepared in turn.items():
        stored = known.get(_examined(prepared).sop_uid)
        if stored is None:
            fresh[number] = prepared
        else:
            outcomes[number] = _meet(conn, prepared, stored)
    begun, owners = _places(conn, fresh.values())
    for number, prepared in list(fresh.items()):
        owner = owners[str(_examined(prepared).study_uid)]
        if owner.institution != prepared.sender.institution:
            outcomes[number] = _put_aside(conn, prepared, Reason.STUDY_OF_ANOTHER_INSTITUTION)
            del fresh[number]
    rows = _unique(map(_series_values, fresh.values()), "study_uid", "series_uid")
    missing = [row for row in rows if row["series_uid"] not in owners[row["study_uid"]].series]
    store.begin_series(conn, missing)
    added = store.add_instances(conn, [_instance_values(p) for p in fresh.values()])
    lost = store.known_instances(
        conn, [u for p in fresh.values() if (u := _examined(p).sop_uid) not in added]
    )
    latest: dict[str, datetime] = {}
    for number, prepared in fresh.items():
        examined = _examined(prepared)
        if examined.sop_uid not in added:  # another process stored it a moment ago
            outcomes[number] = _meet(conn, prepared, lost[examined.sop_uid])
            continue
        outcomes[number] = _outcome(Result.STORED, examined)
        study_uid = str(examined.study_uid)
        latest[study_uid] = max(latest.get(study_uid, prepared.received_at), prepared.received_at)
        _note_findings(conn, prepared, owners[study_uid])
    store.touch_studies(conn, latest)
    _announce(conn, begun, fresh.values())
    return outcomes


def _adopt(conn: Connection, several: Iterable[Prepared]) -> None:
    """Give the studies that were imported for nobody to the hospital that sends them now.

    The first hospital owns a study; what was imported without one waits for it. Its object has
    to name the patient as the study does.
    """
    offered = {str(_examined(p).study_uid): p for p in several if p.sender.institution}
    if not offered:
        return
    owners = store.owners_of(conn, offered)
    for study_uid, owner in sorted(owners.items()):
        sender = offered[study_uid].sender
        patient_id = first_text(_examined(offered[study_uid]).header.elements, "00100020")
        if owner.institution is not None or sender.institution is None:
            continue
        if store.adopt_study(conn, study_uid, sender.institution, patient_id):
            audit.record(
                conn,
                sender.actor,
                action="archive.study.adopted",
                subject=f"study:{study_uid}",
                detail={"institution": sender.institution, "way": sender.way.value},
            )
            events.publish(conn, StudyBegun(study_uid, sender.institution))


def _places(
    conn: Connection, several: Iterable[Prepared]
) -> tuple[set[str], dict[str, store.Owner]]:
    """Return the studies that begin now, and whose every study is."""
    objects = list(several)
    series_uids = {str(_examined(prepared).series_uid) for prepared in objects}
    studies = _unique(map(_study_values, objects), "study_uid")
    owners = store.owners_of(conn, [row["study_uid"] for row in studies], series_uids)
    new = [row for row in studies if row["study_uid"] not in owners]
    if not new:
        return set(), owners
    begun = store.begin_studies(conn, new)
    # Another process may have begun one of them a moment ago, for another institution.
    owners |= store.owners_of(conn, [row["study_uid"] for row in new], series_uids)
    return begun, owners


def _announce(conn: Connection, begun: set[str], several: Iterable[Prepared]) -> None:
    senders = {str(_examined(p).study_uid): p.sender for p in several}
    for study_uid in sorted(begun & senders.keys()):
        sender = senders[study_uid]
        audit.record(
            conn,
            sender.actor,
            action="archive.study.begun",
            subject=f"study:{study_uid}",
            detail={"institution": sender.institution, "way": sender.way.value},
        )
        if sender.institution is not None:
            events.publish(conn, StudyBegun(study_uid, sender.institution))


def _meet(conn: Connection, prepared: Prepared, stored: store.Known) -> StoreOutcome:
    """Compare an object with the one stored under its UID."""
    examined, kept = _examined(prepared), prepared.kept
    assert kept is not None  # noqa: S101 - only refusals have no bytes
    if examined.head.syntax == stored.syntax and _is_same(kept, stored):
        return _outcome(Result.ALREADY_STORED, examined)
    return _put_aside(conn, prepared, Reason.SAME_UID_OTHER_BYTES)


def _is_same(kept: Kept, stored: store.Known) -> bool:
    """Say whether two objects have the same data set; their file meta may differ."""
    if kept.blob.sha256 == stored.blob.sha256:
        return True
    if kept.blob.length - kept.head != stored.blob.length - stored.head:
        return False
    with (
        kept.blobs.mapped(kept.blob) as ours,
        kept.blobs.mapped(stored.blob) as theirs,
        ours[kept.head :] as our_data,
        theirs[stored.head :] as their_data,
    ):
        return our_data == their_data


def _put_aside(conn: Connection, prepared: Prepared, reason: Reason) -> StoreOutcome:
    examined, sender = _examined(prepared), prepared.sender
    number = store.add_kept_aside(
        conn,
        _object_values(prepared)
        | {
            "reason": reason.value,
            "study_uid": examined.study_uid,
            "series_uid": examined.series_uid,
            "institution": sender.institution,
        },
    )
    if number is not None:
        store.add_finding(
            conn,
            {
                "code": reason.value,
                "study_uid": examined.study_uid,
                "sop_uid": examined.sop_uid,
                "institution": sender.institution,
                "kept_aside": number,
                "detail": {"way": sender.way.value, "syntax": examined.head.syntax},
                "found_at": prepared.received_at,
            },
        )
        audit.record(
            conn,
            sender.actor,
            action="archive.object.kept_aside",
            subject=f"instance:{examined.sop_uid}",
            detail={"institution": sender.institution, "reason": reason.value},
        )
    return _outcome(Result.KEPT_ASIDE, examined, reason)


def _note_findings(conn: Connection, prepared: Prepared, owner: store.Owner) -> None:
    """Note what is odd about a stored object without speaking against it."""
    examined = _examined(prepared)
    codes = [CHARSET_GUESSED] if examined.header.guessed_text else []
    if examined.header.text("00100020") != owner.patient_id:
        codes.append(PATIENT_DIFFERS)
    for code in codes:
        store.add_finding(
            conn,
            {
                "code": code,
                "study_uid": examined.study_uid,
                "sop_uid": examined.sop_uid,
                "institution": prepared.sender.institution,
                "kept_aside": None,
                "detail": {},
                "found_at": prepared.received_at,
            },
        )


def _outcome(result: Result, examined: Examined, reason: Reason | None = None) -> StoreOutcome:
    return StoreOutcome(
        result,
        reason,
        reasons.sentence(reason) if reason else None,
        examined.sop_uid,
        examined.sop_class,
        examined.study_uid,
        examined.series_uid,
    )


def _examined(prepared: Prepared) -> Examined:
    assert isinstance(prepared.found, Examined)  # noqa: S101 - refusals are sorted out before
    return prepared.found


def _unique(rows: Iterable[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    return list({tuple(row[key] for key in keys): row for row in rows}.values())


# -- rows ---------------------------------------------------------------------------------------


def _study_values(prepared: Prepared) -> dict[str, Any]:
    header = _examined(prepared).header.elements
    return {
        "study_uid": _examined(prepared).study_uid,
        "institution": prepared.sender.institution,
        "patient_id": first_text(header, "00100020"),
        "issuer": first_text(header, "00100021"),
        "patient_name": first_text(header, "00100010"),
        "sex": first_text(header, "00100040"),
        "birth_date": facts.day_of(first_text(header, "00100030")),
        "accession": first_text(header, "00080050"),
        "description": first_text(header, "00081030"),
        "study_date": facts.day_of(first_text(header, "00080020")),
        "study_time": first_text(header, "00080030"),
        "study_id": first_text(header, "00200010"),
        "referring": first_text(header, "00080090"),
        "first_received_at": prepared.received_at,
        "last_received_at": prepared.received_at,
    }


def _series_values(prepared: Prepared) -> dict[str, Any]:
    header = _examined(prepared).header.elements
    return {
        "study_uid": _examined(prepared).study_uid,
        "series_uid": _examined(prepared).series_uid,
        "modality": first_text(header, "00080060"),
        "number": facts.whole(header, "00200011"),
        "description": first_text(header, "0008103E"),
        "body_part": first_text(header, "00180015"),
        "station": first_text(header, "00081010"),
        "performed_date": facts.day_of(first_text(header, "00400244")),
        "performed_time": first_text(header, "00400245"),
    }


def _object_values(prepared: Prepared) -> dict[str, Any]:
    """Return the columns that a stored object and one kept aside share."""
    examined, kept = _examined(prepared), prepared.kept
    assert kept is not None  # noqa: S101 - only refusals have no bytes
    blob = kept.blob
    return {
        "sop_uid": examined.sop_uid,
        "sop_class": examined.sop_class,
        "syntax": examined.head.syntax,
        "lossy_flag": examined.lossy_flag,
        "blob_store": blob.store,
        "blob_key": blob.key,
        "blob_offset": blob.offset,
        "blob_length": blob.length,
        "sha256": blob.sha256,
        "head_length": kept.head,
        "header": dict(examined.header.elements),
        "acquired_at": facts.acquired_at(examined.header.elements),
        "content_at": facts.content_at(examined.header.elements),
        "way": prepared.sender.way.value,
        "received_at": prepared.received_at,
    }


def _instance_values(prepared: Prepared) -> dict[str, Any]:
    examined = _examined(prepared)
    pixels = examined.header.pixels
    return _object_values(prepared) | {
        "study_uid": examined.study_uid,
        "series_uid": examined.series_uid,
        "institution": prepared.sender.institution,
        "number": facts.whole(examined.header.elements, "00200013"),
        "frames": min(max(examined.header.number("00280008") or 1, 1), 2**31 - 1),
        "has_pixels": pixels is not None,
        "pixel_offset": pixels.offset if pixels else None,
        "pixel_length": pixels.length if pixels else None,
    }


# -- settling -----------------------------------------------------------------------------------


def settle(conn: Connection, quiet: timedelta) -> int:
    """Settle the studies that received nothing for so long, tell of each, return how many."""
    now = clock.now()
    settled = store.settle(conn, quiet_since=now - quiet, at=now)
    for study_uid, institution in sorted(settled):
        if institution is not None:
            events.publish(conn, StudySettled(study_uid, institution))
    return len(settled)


# -- reading ------------------------------------------------------------------------------------


def studies_of_accession(conn: Connection, institution: str, accession: str) -> list[str]:
    """Return the studies that an institution sent under an accession number."""
    return store.studies_of_accession(conn, institution, accession)


def count_instances(conn: Connection) -> int:
    """Count the instances of all studies."""
    return store.count_instances(conn)


def arrivals(conn: Connection, study_uid: str) -> dict[str, datetime]:
    """Return when the last instance of each series of a study was received."""
    return store.arrivals_of(conn, study_uid)


def instances(
    conn: Connection, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
) -> list[Instance]:
    """Return the instances of a study, of a series, or the one instance.

    Raises:
        NoSuchImages: There is none.
    """
    found = store.find_instances(conn, study_uid, series_uid, sop_uid)
    if not found:
        raise NoSuchImages("没有这个检查的影像。")
    return found


def study_facts(conn: Connection, study_uid: str) -> StudyFacts | None:
    """Return what the headers of a study say; None when nothing of it is here.

    When every object of it is lossy and so kept aside, the facts are those of the objects kept
    aside, with `stored` 0: the gate of R7.1-0 then has something to answer about.
    """
    study = store.find_study(conn, study_uid)
    if study is None:
        return _facts_of_kept_aside(conn, study_uid)
    firsts = store.first_of_each_series(conn, study_uid)
    images: list[Header] = [row.header for row in firsts if row.has_pixels]
    image = (images or [row.header for row in firsts] or [{}])[0]
    return _facts(
        conn,
        study,
        image,
        series=tuple(_series_facts(row) for row in firsts),
        moments=store.moments_of(conn, study_uid),
        syntaxes=store.syntaxes_of(conn, study_uid),
    )


def _facts_of_kept_aside(conn: Connection, study_uid: str) -> StudyFacts | None:
    aside = store.first_kept_aside(conn, study_uid)
    if aside is None:
        return None
    return _facts(
        conn,
        aside,
        aside.header,
        series=(),
        moments=store.moments_of(conn, study_uid, aside=True),
        syntaxes=store.syntaxes_of(conn, study_uid, aside=True),
    )


def _facts(
    conn: Connection,
    row: Row[Any],
    image: Header,
    *,
    series: tuple[SeriesFacts, ...],
    moments: Row[Any],
    syntaxes: Sequence[Row[Any]],
) -> StudyFacts:
    start, end = _exam_times(image, moments)
    aside = store.kept_aside_of(conn, row.study_uid)
    modality = first_text(image, "00080060")
    found = [facts_.modality for facts_ in series if facts_.modality]
    return StudyFacts(
        study_uid=row.study_uid,
        institution=row.institution,
        patient_id=first_text(image, "00100020"),
        issuer=first_text(image, "00100021"),
        patient_name=first_text(image, "00100010"),
        sex=first_text(image, "00100040"),
        birth_date=facts.day_of(first_text(image, "00100030")),
        other_ids=_other_ids(image),
        accession=first_text(image, "00080050"),
        study_description=first_text(image, "00081030"),
        requested_procedure=first_text(image, "00321060"),
        study_date_time=facts.moment_of(image, facts.STUDY_MOMENT),
        exam_start=start,
        exam_end=end,
        first_received_at=moments.first_received or row.first_received_at,
        last_received_at=moments.last_received or row.last_received_at,
        settled_at=getattr(row, "settled_at", None),
        modalities=_ranked(found) or ((modality,) if modality else ()),
        sop_classes=_ranked([facts_.sop_class for facts_ in series]),
        syntaxes=tuple(SyntaxCount(s.syntax, s.lossy_flag, s.total) for s in syntaxes),
        kept_aside=sum(aside.values()),
        kept_aside_reasons=aside,
        stored=moments.total if series else 0,
        device=_device(image),
        institution_name=first_text(image, "00080080"),
        station=first_text(image, "00081010"),
        referring=first_text(image, "00080090"),
        performing=first_text(image, "00081050"),
        operators=facts.names(image, "00081070"),
        elements=facts.by_keyword(image),
        series=series,
    )


def _exam_times(image: Header, moments: Row[Any]) -> tuple[datetime | None, datetime | None]:
    """Return start and end of the examination (RD-7.1.1-START)."""
    performed_end = facts.moment_of(image, facts.PERFORMED_END)
    end = moments.last_acquired or performed_end or moments.last_content
    start = (
        moments.first_acquired
        or facts.moment_of(image, facts.PERFORMED_START)
        or moments.first_content
        or facts.moment_of(image, facts.STUDY_MOMENT)
    )
    if start is not None and end is not None and start > end:
        start = end
    return start, end


def _ranked(values: Sequence[str]) -> tuple[str, ...]:
    """Return the values without repetition, the most frequent first."""
    return tuple(value for value, _ in Counter(values).most_common())


def _other_ids(header: Header) -> tuple[str, ...]:
    items = header.get("00101002", {}).get("Value") or []
    coded = [first_text(item, "00100020") for item in items if isinstance(item, dict)]
    return tuple(text for text in (*facts.names(header, "00101000"), *coded) if text)


def _device(header: Header) -> Device:
    return Device(
        manufacturer=first_text(header, "00080070"),
        model=first_text(header, "00081090"),
        serial=first_text(header, "00181000"),
        plate_type=first_text(header, "00181260"),
        plate_id=first_text(header, "00181004"),
        detector_type=first_text(header, "00187004"),
        detector_id=first_text(header, "0018700A"),
    )


def _series_facts(row: Row[Any]) -> SeriesFacts:
    header: Header = row.header
    thickness = facts.numbers(header, "00180050")
    return SeriesFacts(
        series_uid=row.series_uid,
        modality=first_text(header, "00080060"),
        number=row.number,
        description=first_text(header, "0008103E"),
        protocol=first_text(header, "00181030"),
        body_part=first_text(header, "00180015"),
        laterality=first_text(header, "00200060"),
        image_laterality=first_text(header, "00200062"),
        view_position=first_text(header, "00185101"),
        view_code=facts.code_of(header, "00540220"),
        contrast_agent=first_text(header, "00180010"),
        sop_class=row.sop_class,
        instances=row.instances,
        frames=row.frames,
        image_type=facts.names(header, "00080008"),
        orientation=facts.numbers(header, "00200037"),
        position=first_text(header, "00185100"),
        slice_thickness=thickness[0] if thickness else None,
        cassette_orientation=first_text(header, "00181402"),
    )
