"""Who may enter the demo: accounts with random passwords, system keys, and `demo.json`."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from accord.app.accounts import put_person, put_system
from accord.app.demo import kept, papers
from accord.app.demo.kept import FILE
from accord.app.demo.people import PEOPLE
from accord.app.demo.phantoms import uid
from accord.app.demo.region import BY_CODE, HOSPITALS, accounts, ae_title, login_of
from accord.app.demo.stories import READY_ORDERS, SCENES, ReadyOrder
from accord.app.up import addresses
from accord.kit.access import Actor
from accord.kit.settings import Settings

LOADER: Final = Actor.process("demo")
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
    earlier = None if fresh else _kept(settings)
    if earlier is not None:
        return earlier
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
    return kept.write(settings, told(settings, day, people))


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
