"""Storing over the web (STOW-RS): parts stream to disk as they come, each with its own result."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from accord.archive import reasons, service
from accord.archive.errors import QueryInvalid
from accord.archive.model import Reason, Result, StoreOutcome, Way
from accord.archive.multipart import Event, Parser, PartBegins, PartData, media_type
from accord.kit.access import Actor
from accord.kit.blobs import BlobStore, Staged
from accord.kit.db import Database
from accord.kit.errors import Unsupported
from accord.kit.settings import Settings

DICOM: Final = "application/dicom"
MULTIPART: Final = "multipart/related"
BATCH: Final = 16
MOST_PARTS: Final = 20_000
REASON_CREATOR: Final = "ACCORD REASON"


@dataclass(frozen=True)
class Intake:
    """Where the parts of a body go, and whose they are."""

    database: Database
    blobs: BlobStore
    settings: Settings
    actor: Actor
    study_uid: str | None


@dataclass(frozen=True)
class Answer:
    """Status and DICOM JSON of the answer."""

    status: int
    body: dict[str, Any]


async def take_in(
    intake: Intake, content_type: str, chunks: AsyncIterator[bytes]
) -> list[StoreOutcome]:
    """Store the parts of a body and say what became of each, in order.

    What was stored before the body broke off stays stored; the part that broke off leaves nothing.

    Raises:
        Unsupported: The body is not multipart/related of application/dicom.
        QueryInvalid: It is not multipart as declared.
        StorageFull: There is no room.
    """
    name, parameters = media_type(content_type)
    if name != MULTIPART or parameters.get("type", DICOM).lower() != DICOM:
        raise Unsupported("请求应为 multipart/related; type=application/dicom。")
    parser = Parser(parameters.get("boundary", ""))
    taker = _Taker(intake)
    try:
        async for chunk in chunks:
            for event in parser.feed(chunk):
                await taker.take(event)
        parser.finish()
        await taker.keep()
    finally:
        taker.close()
    return taker.outcomes


class _Taker:
    """Turns the events of the parser into stored objects."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        actor = intake.actor
        self._sender = service.Sender(Way.STOW, actor.institution, actor)
        self._bounds = service.bounds_of(intake.settings)
        self._staged: Staged | None = None
        self._refusal: Reason | None = None
        self._waiting: list[service.Prepared] = []
        self._parts = 0
        self.outcomes: list[StoreOutcome] = []

    async def take(self, event: Event) -> None:
        if isinstance(event, PartBegins):
            self._begin(event)
        elif isinstance(event, PartData):
            self._write(event.data)
        else:
            await self._end()

    async def keep(self) -> None:
        """Index what is waiting; its results are then in `outcomes`."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self.outcomes += await run_in_threadpool(self._keep, waiting)

    def close(self) -> None:
        """Discard a part that broke off."""
        if self._staged is not None:
            self._staged.discard()
            self._staged = None

    def _begin(self, event: PartBegins) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise QueryInvalid(f"一次请求最多 {MOST_PARTS} 个对象，请分批上传。")
        self._refusal = None if event.media_type in (DICOM, "") else Reason.NOT_DICOM
        self._staged = self._intake.blobs.stage()

    def _write(self, data: bytes) -> None:
        assert self._staged is not None  # noqa: S101 - the parser begins a part before its data
        if self._refusal is not None:
            return
        if self._staged.size + len(data) > self._intake.settings.max_object_size:
            self._refusal = Reason.TOO_LARGE
            return
        self._staged.write(data)

    async def _end(self) -> None:
        staged, self._staged = self._staged, None
        assert staged is not None  # noqa: S101 - see above
        if self._refusal is not None:
            staged.discard()
            await self.keep()  # results stand in the order of the parts
            self.outcomes.append(service.refused(self._refusal))
            return
        self._waiting.append(await run_in_threadpool(self._prepare, staged))
        if len(self._waiting) >= BATCH:
            await self.keep()

    def _prepare(self, staged: Staged) -> service.Prepared:
        with staged:
            return service.prepare_file(
                staged,
                self._sender,
                blobs=self._intake.blobs,
                bounds=self._bounds,
                study_uid=self._intake.study_uid,
            )

    def _keep(self, waiting: Sequence[service.Prepared]) -> list[StoreOutcome]:
        with self._intake.database.begin() as conn:
            return service.keep(conn, waiting)


def answer(outcomes: Sequence[StoreOutcome], base: str) -> Answer:
    """Return the Store Instances Response (PS3.18 10.5.3): 200, 202 with failures, 409 with none.

    An object kept aside is durable but cannot be retrieved: it carries a warning and no address.
    """
    body: dict[str, Any] = {}
    taken, failed, nameless = [], [], []
    for outcome in outcomes:
        item = _item(outcome, base)
        if outcome.result is not Result.REFUSED:
            taken.append(item)
        elif outcome.sop_uid is not None:
            failed.append(item)
        else:
            nameless.append(item)
    studies = {o.study_uid for o in outcomes if _is_stored(o)}
    if len(studies) == 1:
        body["00081190"] = {"vr": "UR", "Value": [f"{base}/studies/{studies.pop()}"]}
    # Failed, referenced and other failures.
    for tag, items in (("00081198", failed), ("00081199", taken), ("0008119A", nameless)):
        if items:
            body[tag] = {"vr": "SQ", "Value": items}
    if outcomes and all(_is_stored(outcome) for outcome in outcomes):
        return Answer(200, body)
    return Answer(202 if taken else 409, body)


def _is_stored(outcome: StoreOutcome) -> bool:
    return outcome.result in (Result.STORED, Result.ALREADY_STORED)


def _item(outcome: StoreOutcome, base: str) -> dict[str, Any]:
    item: dict[str, Any] = {}
    if outcome.code is not None:
        item["00090010"] = {"vr": "LO", "Value": [REASON_CREATOR]}
        item["00091001"] = {"vr": "LO", "Value": [outcome.code.value]}
        item["00091002"] = {"vr": "LT", "Value": [outcome.sentence]}
    if outcome.sop_class is not None:
        item["00081150"] = {"vr": "UI", "Value": [outcome.sop_class]}
    if outcome.sop_uid is not None:
        item["00081155"] = {"vr": "UI", "Value": [outcome.sop_uid]}
    if _is_stored(outcome):
        place = f"/studies/{outcome.study_uid}/series/{outcome.series_uid}"
        url = f"{base}{place}/instances/{outcome.sop_uid}"
        item["00081190"] = {"vr": "UR", "Value": [url]}
    elif outcome.result is Result.KEPT_ASIDE:
        item["00081196"] = {"vr": "US", "Value": [reasons.status(outcome)]}
    else:
        item["00081197"] = {"vr": "US", "Value": [reasons.status(outcome)]}
    return item
