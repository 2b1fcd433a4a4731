"""Who may enter the demo: accounts with random passwords, system keys, and `demo.json`."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from accord.app.accounts import put_person, put_system
from accord.app.demo import papers
from accord.app.demo.people import PEOPLE
from accord.app.demo.phantoms import uid
from accord.app.demo.region import BY_CODE, HOSPITALS, accounts, ae_title, login_of
from accord.app.demo.stories import READY_ORDERS, SCENES, ReadyOrder
from accord.app.up import addresses
from accord.kit.access import Actor
from accord.kit.errors import CannotRun
from accord.kit.settings import Settings

LOADER: Final = Actor.process("demo")
FILE: Final = "demo.json"
SYSTEM_KIND: Final = "engine"
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_LENGTH: Final = 12


@dataclass(frozen=True)
class People:
    """What was given out: password by login, key by system."""

    passwords: Mapping[str, str]
    keys: Mapping[str, str]


def system_code(institution: str) -> str:
    """Return the code of the system that speaks for a hospital: `his.cq02`."""
    return login_of(institution, "his")


def give(conn: Connection, settings: Settings, *, fresh: bool) -> People:
    """Give every account a password and every system a key.

    Those of an earlier loading stay as long as `demo.json` tells them.
    """
    kept = None if fresh else _kept(settings)
    if kept is not None:
        return kept
    length = max(_LENGTH, settings.password_length)
    passwords = {account.login: _password(length) for account in accounts()}
    for account in accounts():
        put_person(
            conn,
            LOADER,
            account.login,
            account.display,
            passwords[account.login],
            least_length=settings.password_length,
        )
    keys = {
        system_code(hospital.code): put_system(
            conn,
            LOADER,
            system_code(hospital.code),
            f"{hospital.short}信息系统",
            kind=SYSTEM_KIND,
            institution=hospital.code,
        )
        for hospital in HOSPITALS
    }
    return People(passwords, keys)


def _password(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _kept(settings: Settings) -> People | None:
    try:
        told = json.loads((settings.data_dir / FILE).read_text())
        passwords = {each["login"]: each["password"] for each in told["accounts"]}
        keys = {each["code"]: each["key"] for each in told["systems"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    complete = passwords.keys() == {account.login for account in accounts()}
    return People(passwords, keys) if complete else None


def write(settings: Settings, day: date, people: People) -> Path:
    """Write `demo.json`, readable by its owner alone."""
    place = settings.data_dir / FILE
    fresh = place.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(told(settings, day, people), file, ensure_ascii=False, indent=1)
    fresh.rename(place)
    return place


def told(settings: Settings, day: date, people: People) -> dict[str, Any]:
    """Return what `demo.json` tells."""
    return {
        "day": day.isoformat(),
        "addresses": dict(addresses(settings)),
        "accounts": [
            {
                "login": account.login,
                "password": people.passwords[account.login],
                "name": account.display,
                "role": account.role.value,
                "institution": account.institution,
                "authority": account.authority,
            }
            for account in accounts()
        ],
        "systems": [
            {
                "code": system_code(hospital.code),
                "institution": hospital.code,
                "key": people.keys[system_code(hospital.code)],
            }
            for hospital in HOSPITALS
        ],
        "ae_titles": {hospital.code: ae_title(hospital.code) for hospital in HOSPITALS},
        "institutions": {hospital.code: hospital.name for hospital in HOSPITALS},
        "ready_orders": [_ready(ready, settings) for ready in READY_ORDERS],
    }


def describe(settings: Settings) -> list[str]:
    """Return the lines that tell a person how to enter the demo.

    Raises:
        CannotRun: No demo was loaded here.
    """
    place = settings.data_dir / FILE
    if not place.exists():
        raise CannotRun(f"There is no demo in {settings.data_dir}: run `accord demo load` first.")
    demo = json.loads(place.read_text())
    lines = [f"{'login':16} {'password':14} who"]
    lines += [
        f"{each['login']:16} {each['password']:14} {each['name']} ({each['role']})"
        for each in demo["accounts"]
    ]
    lines += ["", f"{'order':28} {'physician':14} {'advice':16} what it shows"]
    lines += [
        f"{each['order']:28} {each['physician']:14} {each['advice'] or '-':16} {each['title']}"
        for each in demo["ready_orders"]
    ]
    return [*lines, "", f"system keys and AE titles: {place}"]


def _ready(ready: ReadyOrder, settings: Settings) -> dict[str, Any]:
    scene = next(scene for scene in SCENES if scene.key == ready.prior)
    study = uid("study", scene.key)
    return {
        "key": ready.key,
        "title": ready.title,
        "institution": ready.viewer,
        "physician": login_of(ready.viewer, "doctor"),
        "visit": papers.visit_number(ready),
        "patient_id": PEOPLE[ready.person].local_id(ready.viewer),
        "order": papers.order_number(ready),
        "item": ready.item,
        "prior_study": study,
        "prior_institution": BY_CODE[scene.at].name,
        "advice": ready.promise.advice or None,
        "relation": ready.promise.relation or None,
        "code": ready.promise.code or None,
        "lifted_by": ready.promise.lifted_by or None,
        "page": f"{settings.inner_url}/reminder/order",
        "viewer": f"{settings.inner_url}/viewer/open?StudyInstanceUIDs={study}",
    }
