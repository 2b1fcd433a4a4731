"""Looking at images without WebGL: an entry page that chooses, and a page of PNG frames.

The pages work as plain links; a small script adds wheel, keys and reading ahead. The mark is
drawn beside the pixels, never into them, and only where the study is entitled (R6.4-3).
"""

import json
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.templating import Jinja2Templates
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from accord.archive import api as archive_api
from accord.archive import service as archive
from accord.archive.examine import is_uid
from accord.archive.header import first_text
from accord.archive.model import Instance, StudyFacts
from accord.kit.access import OPEN, Actor
from accord.kit.errors import Forbidden, Invalid, NotFound, Unauthenticated
from accord.kit.http import Transaction

HERE: Final = Path(__file__).parent
STATIC: Final = {
    "frames.css": "text/css; charset=utf-8",
    "frames.js": "text/javascript; charset=utf-8",
    "open.js": "text/javascript; charset=utf-8",
}
MOST_STUDIES: Final = 8
MOST_FRAMES: Final = 5000
HAN: Final = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003ffff]")
SEX_WORDS: Final = {"M": "男", "F": "女", "O": "其他"}


@dataclass(frozen=True)
class Preset:
    """A window that CT is usually looked at through, in Hounsfield units."""

    name: str
    center: int
    width: int

    @property
    def value(self) -> str:
        """As the address of a rendered frame writes it."""
        return f"{self.center},{self.width},linear"


PRESETS: Final = (
    Preset("软组织", 40, 400),
    Preset("肺", -600, 1500),
    Preset("骨", 480, 2500),
    Preset("脑", 40, 80),
    Preset("肝", 90, 150),
)

templates = Jinja2Templates(HERE / "templates")


def _reader(request: Request) -> Actor:
    """Return who looks, or send them to the login and back."""
    try:
        actor: Actor = request.app.state.gate.authenticate(request)
    except Unauthenticated:
        back = f"{request.url.path}?{request.url.query}"
        address = "/login?" + urlencode({"next": back})
        raise HTTPException(303, "请先登录。", headers={"location": address}) from None
    if not actor.may(archive_api.READ):
        raise Forbidden("您的岗位没有此项权限。", permission=archive_api.READ)
    return actor


_reader.__dict__["permission"] = archive_api.READ

Reader = Annotated[Actor, Depends(_reader)]
Studies = Annotated[str, Query(alias="StudyInstanceUIDs", max_length=600)]


def add(router: APIRouter) -> None:
    """Add the pages to the router of the viewer, before its catch-all."""
    router.get("/pages/{name}", include_in_schema=False, dependencies=[OPEN])(static)
    router.get("/open", include_in_schema=False)(open_page)
    router.get("/frames", include_in_schema=False)(frames_page)


def static(name: str) -> FileResponse:
    """Serve the style and the scripts of these pages."""
    if name not in STATIC:
        raise NotFound("没有这个文件。")
    return FileResponse(
        HERE / "static" / "frames" / name,
        media_type=STATIC[name],
        headers={"cache-control": "no-cache"},
    )


def study_uids(text: str) -> list[str]:
    """Return the UIDs of an address, in order, each once.

    Raises:
        Invalid: There is none, there are too many, or one cannot be a UID.
    """
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found or len(found) > MOST_STUDIES or not all(map(is_uid, found)):
        raise Invalid(f"地址中应有 1 至 {MOST_STUDIES} 个检查的 StudyInstanceUID。")
    return found


def open_page(request: Request, _actor: Reader, studies: Studies = "") -> HTMLResponse:
    """Lead to the viewer where the browser has WebGL2, else to the frames."""
    uids = study_uids(studies)
    return templates.TemplateResponse(
        request,
        "open.html",
        {
            "viewer": _viewer_address(uids),
            "frames": "/viewer/frames?" + urlencode({"StudyInstanceUIDs": ",".join(uids)}),
        },
    )


def _viewer_address(uids: list[str]) -> str:
    query = {"StudyInstanceUIDs": ",".join(uids), "lng": "zh"}
    if len(uids) > 1:
        query["hangingProtocolId"] = "compare"
    return "/viewer/viewer?" + urlencode(query)


@dataclass(frozen=True)
class Frame:
    """One frame of an instance."""

    sop_uid: str
    number: int

    @property
    def place(self) -> str:
        """Where it lies below the instances of its series."""
        return f"{self.sop_uid}/frames/{self.number}"


@dataclass(frozen=True)
class Series:
    """The frames of a series in the order of looking through them.

    Attributes:
        is_cut: It has more frames than are listed.
    """

    study_uid: str
    uid: str
    modality: str
    description: str
    frames: tuple[Frame, ...]
    is_cut: bool = False

    @property
    def root(self) -> str:
        """Where its instances lie."""
        return f"/dicom-web/studies/{self.study_uid}/series/{self.uid}/instances"

    def picture(self, place: int, *, window: str = "", viewport: str = "") -> str:
        """Return the address of a rendered frame, counted from 1."""
        query = {"accept": "image/png", "window": window, "viewport": viewport}
        kept = {name: value for name, value in query.items() if value}
        return f"{self.root}/{self.frames[place - 1].place}/rendered?{urlencode(kept)}"

    @property
    def thumbnail(self) -> str:
        """A small picture from its middle."""
        return self.picture((len(self.frames) + 1) // 2, viewport="96,96")


@dataclass(frozen=True)
class Study:
    """A study as the page shows it."""

    uid: str
    facts: StudyFacts
    mark: str | None
    series: tuple[Series, ...]

    @property
    def person(self) -> str:
        """Name, sex and birth date: who compares images must see whose they are."""
        sex = SEX_WORDS.get(self.facts.sex or "", "")
        birth = self.facts.birth_date.isoformat() if self.facts.birth_date else ""
        parts = (readable_name(self.facts.patient_name), sex, birth)
        return " ".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """Day and description."""
        day = self.facts.study_date_time.strftime("%Y-%m-%d") if self.facts.study_date_time else ""
        return " ".join(part for part in (day, self.facts.study_description or "") if part)


def readable_name(name: str | None) -> str:
    """Write a DICOM name as people do: the part in Han characters where there is one."""
    parts = (name or "").split("=")
    chosen = next((part for part in parts if HAN.search(part)), parts[0])
    return ("" if HAN.search(chosen) else " ").join(part for part in chosen.split("^") if part)


def series_of(instances: list[Instance]) -> tuple[Series, ...]:
    """Group what has pixels by series, in order of number; what has none is not shown."""
    groups: dict[str, list[Instance]] = {}
    for instance in instances:
        if instance.pixels is not None:
            groups.setdefault(instance.series_uid, []).append(instance)
    return tuple(map(_series, sorted(groups.values(), key=_rank)))


def _rank(group: list[Instance]) -> tuple[int, str]:
    number = first_text(group[0].header, "00200011") or ""
    return (int(number) if number.isdecimal() else 0, group[0].series_uid)


def _series(instances: list[Instance]) -> Series:
    first = instances[0]
    every = (
        Frame(instance.sop_uid, number)
        for instance in instances
        for number in range(1, instance.frames + 1)
    )
    # A header may promise two thousand million frames.
    frames = tuple(islice(every, MOST_FRAMES + 1))
    return Series(
        first.study_uid,
        first.series_uid,
        first_text(first.header, "00080060") or "",
        first_text(first.header, "0008103E") or "",
        frames[:MOST_FRAMES],
        is_cut=len(frames) > MOST_FRAMES,
    )


def _study(request: Request, conn: Connection, actor: Actor, uid: str) -> Study:
    instances = archive_api.open_study(request, conn, actor, uid)
    facts = archive.study_facts(conn, uid)
    if facts is None:
        raise NotFound("没有这个检查的影像。")
    mark: str | None = request.app.state.study_mark(conn, uid)
    return Study(uid, facts, mark, series_of(instances))


def frames_page(
    request: Request,
    conn: Transaction,
    actor: Reader,
    studies: Studies = "",
    series: Annotated[str, Query(max_length=64)] = "",
    frame: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    window: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """Show one frame of one series, with the way to all others."""
    uids = study_uids(studies)
    shown = [_study(request, conn, actor, uid) for uid in uids]
    every = [(study, each) for study in shown for each in study.series]
    if not every:
        raise NotFound("这个检查没有可显示的图像。")
    study, chosen = next((pair for pair in every if pair[1].uid == series), every[0])
    presets = PRESETS if chosen.modality == "CT" else ()
    window = window if window in {preset.value for preset in presets} else ""
    place = min(frame, len(chosen.frames))
    view = View(uids, chosen, place, window)
    return templates.TemplateResponse(
        request,
        "frames.html",
        {
            "studies": shown,
            "study": study,
            "series": chosen,
            "view": view,
            "presets": presets,
            "frames": json.dumps(
                [f"{each.sop_uid}/frames/{each.number}" for each in chosen.frames]
            ),
            "viewer": "/viewer/viewer?"
            + urlencode({"StudyInstanceUIDs": ",".join(uids), "lng": "zh"}),
        },
    )


@dataclass(frozen=True)
class View:
    """What is on the screen, and the addresses of what could be."""

    uids: list[str]
    series: Series
    place: int
    window: str

    @property
    def picture(self) -> str:
        """Address of the frame on the screen."""
        return self.series.picture(self.place, window=self.window)

    def at(
        self, place: int | None = None, *, series: str | None = None, window: str | None = None
    ) -> str:
        """Return the address of this page with another frame, series or window."""
        stays = series is None
        query = {
            "StudyInstanceUIDs": ",".join(self.uids),
            "series": self.series.uid if series is None else series,
            "frame": str(place or (self.place if stays else 1)),
            "window": (self.window if stays else "") if window is None else window,
        }
        return "?" + urlencode({name: value for name, value in query.items() if value})
