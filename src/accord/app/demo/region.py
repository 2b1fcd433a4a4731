"""The demo region as data: hospitals, ties, rights, devices and people who work there.

Every name, number and person is invented. Days count back from the day of loading, so that the
demo stays fresh. Nothing here touches a database; `load` sends it through the services.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

from accord.kit.clock import LOCAL
from accord.registry.model import (
    Basis,
    CentreRank,
    ConsortiumKind,
    DeviceKind,
    Level,
    Ownership,
    Profession,
    RoleName,
    TestKind,
)
from accord.standard.model import Jurisdiction

Row = dict[str, Any]

PREFIX: Final = "DEMO-"
CQ: Final = Jurisdiction.CHONGQING
SC: Final = Jurisdiction.SICHUAN
AUTHORITY: Final = {CQ: "DEMO-WJW-CQ", SC: "DEMO-WJW-SC"}
PROVINCE: Final = {CQ: CQ.value, SC: SC.value}
IN_FULL: Final = {CQ: "重庆市", SC: "四川省"}
PROVINCIAL: Final = {CQ: "DEMO-QC-CQ", SC: "DEMO-QC-SC"}
PREFECTURE_SC: Final = "DEMO-QC-JIAZHOU"
BOTH_PROVINCES: Final = "川渝"


@dataclass(frozen=True)
class Hospital:
    """One institution in one line: the rest of its rows follow from this."""

    code: str
    name: str
    short: str
    level: Level
    grade: str
    ownership: Ownership
    place: Jurisdiction
    area: str
    machines: str
    listed: bool = True
    complete: bool = True
    holder: str = ""
    campus: str = ""


THIRD, SECOND, FIRST, UNRATED = Level.THIRD, Level.SECOND, Level.FIRST, Level.UNRATED
PUBLIC, MILITARY, PRIVATE = Ownership.PUBLIC, Ownership.MILITARY, Ownership.PRIVATE

HOSPITALS: Final = (
    Hospital(
        "DEMO-CQ01", "重庆市嘉陵第一医院", "嘉陵", THIRD, "甲等", PUBLIC, CQ, "嘉陵区", "CT DR MR"
    ),
    Hospital(
        "DEMO-CQ01-2",
        "重庆市嘉陵第一医院",
        "两江院区",
        THIRD,
        "甲等",
        PUBLIC,
        CQ,
        "两江区",
        "DR",
        holder="DEMO-CQ01",
        campus="两江院区",
    ),
    Hospital(
        "DEMO-CQ02",
        "重庆市滨江区人民医院",
        "滨江",
        SECOND,
        "甲等",
        PUBLIC,
        CQ,
        "滨江区",
        "CT DRC MR",
    ),
    Hospital("DEMO-CQ03", "巴渝县人民医院", "巴渝", SECOND, "甲等", PUBLIC, CQ, "巴渝县", "CT DR"),
    Hospital("DEMO-CQ04", "巴渝县石桥镇卫生院", "石桥", FIRST, "甲等", PUBLIC, CQ, "巴渝县", "DR"),
    Hospital("DEMO-CQ05", "巴渝县云溪乡卫生院", "云溪", UNRATED, "", PUBLIC, CQ, "巴渝县", "CR"),
    Hospital("DEMO-CQ06", "重庆山城和美医院", "和美", SECOND, "", PRIVATE, CQ, "嘉陵区", "CT DR"),
    Hospital(
        "DEMO-SC01", "四川省锦江第一医院", "锦江", THIRD, "甲等", PUBLIC, SC, "锦江区", "CT DR MR"
    ),
    Hospital(
        "DEMO-SC02", "嘉州市人民医院", "嘉州", THIRD, "乙等", PUBLIC, SC, "嘉州市", "CT DR MR"
    ),
    Hospital("DEMO-SC03", "青衣县人民医院", "青衣", SECOND, "乙等", PUBLIC, SC, "青衣县", "CT DR"),
    Hospital(
        "DEMO-SC04", "锦城示范陆军医院", "锦城", THIRD, "甲等", MILITARY, SC, "锦江区", "CT MR"
    ),
    Hospital("DEMO-SC05", "青衣县白马镇中心卫生院", "白马", FIRST, "", PUBLIC, SC, "青衣县", "DR"),
    Hospital(
        "DEMO-SC06",
        "锦江仁和综合门诊部",
        "仁和",
        UNRATED,
        "",
        PRIVATE,
        SC,
        "锦江区",
        "DR",
        listed=False,
        complete=False,
    ),
)
BY_CODE: Final = {hospital.code: hospital for hospital in HOSPITALS}

# Who may carry the mark for what: scope kind and value, and what differs from the usual grant.
_GRANTS: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("DEMO-CQ01", "modality:DR modality:CT modality:MR", {}),
    ("DEMO-CQ01-2", "family:DR-胸", {}),
    ("DEMO-CQ02", "family:DR-胸 family:DR-四肢肌骨 family:CT-头颈颌面 family:CT-胸", {}),
    ("DEMO-CQ03", "family:DR-胸 family:DR-四肢肌骨 family:CT-头颈颌面 family:CT-胸", {}),
    ("DEMO-CQ03", "family:CT-腹盆", {"suspended": "现场复查发现增强期相不规范，整改中"}),
    ("DEMO-CQ04", "family:DR-胸 family:DR-四肢肌骨", {}),
    ("DEMO-CQ05", "family:DR-胸", {}),
    ("DEMO-CQ06", "family:CT-胸 family:DR-胸", {}),
    ("DEMO-SC01", "modality:DR modality:CT modality:MR", {}),
    ("DEMO-SC02", "modality:CT family:MR-头颈 family:MR-脊柱 family:DR-胸 family:DR-四肢肌骨", {}),
    (
        "DEMO-SC03",
        "family:DR-胸 family:DR-四肢肌骨",
        {"transitional": "过渡期认定通知（示范）第1号"},
    ),
    ("DEMO-SC03", "family:CT-胸", {}),
    ("DEMO-SC03", "family:CT-头颈颌面", {"scope": "四川"}),
    ("DEMO-SC04", "modality:CT modality:MR", {"scope": "全国"}),
    ("DEMO-SC05", "item:1 item:2", {"prefecture": "yes"}),
)


STANDS_FOR: Final = timedelta(days=420)
"""How long the region has stood on the day of loading."""


def region(day: date) -> dict[str, list[Row]]:
    """Return the rows of an import of the registry, as it stands when loaded on `day`."""
    since = day - STANDS_FOR
    inspections, qualifications, steps = _rights(day)
    return {
        "authorities": [
            {
                "code": AUTHORITY[place],
                "name": f"{IN_FULL[place]}卫生健康委员会（示范）",
                "province": PROVINCE[place],
                "jurisdiction": place.value,
            }
            for place in (CQ, SC)
        ],
        "centres": [
            {
                "code": code,
                "name": name,
                "rank": rank.value,
                "province": PROVINCE[place],
                "authority": AUTHORITY[place],
                "valid_from": since,
            }
            for code, name, rank, place in _CENTRES
        ],
        "institutions": [_institution(hospital, since) for hospital in HOSPITALS],
        "consortia": [
            {
                "code": code,
                "name": name,
                "kind": kind.value,
                "authority": AUTHORITY[place],
                "valid_from": since,
                "members": list(members),
            }
            for code, name, kind, place, members in _CONSORTIA
        ],
        "devices": [row for hospital in HOSPITALS for row in _devices(hospital, day)],
        "staff": [row for hospital in HOSPITALS for row in _staff(hospital, since)],
        "lists": [_list(place, since) for place in (CQ, SC)],
        "inspections": inspections,
        "qualifications": qualifications,
        "steps": steps,
        "posts": [account.post(since) for account in accounts()],
        "ae_titles": [
            {"title": ae_title(h.code), "institution": h.code, "valid_from": since}
            for h in HOSPITALS
        ],
    }


def ae_title(institution: str) -> str:
    """Return the calling AE title that speaks for a hospital."""
    return institution.replace("-", "")


_CENTRES: Final = (
    (PROVINCIAL[CQ], "重庆市放射影像质控中心（示范）", CentreRank.PROVINCIAL, CQ),
    (PROVINCIAL[SC], "四川省放射影像质控中心（示范）", CentreRank.PROVINCIAL, SC),
    (PREFECTURE_SC, "嘉州市放射影像质控中心（示范）", CentreRank.PREFECTURE, SC),
)


def _institution(hospital: Hospital, since: date) -> Row:
    row = {
        "code": hospital.code,
        "name": hospital.name,
        "ownership": hospital.ownership.value,
        "province": PROVINCE[hospital.place],
        "area": hospital.area,
        "authority": AUTHORITY[hospital.place],
        "campus": hospital.campus,
        "licence_holder": hospital.holder,
        "registry_complete": hospital.complete,
        "radiology_licence": f"示放证字{hospital.code[5:]}号",
        "valid_from": since,
    }
    # A campus without a level of its own has that of its holder (RD-6.2-WORDS).
    return row if hospital.holder else {**row, "level": hospital.level.value + hospital.grade}


def _list(place: Jurisdiction, since: date) -> Row:
    return {
        "id": f"DEMO-LIST-{place.name}",
        "title": f"{IN_FULL[place]}影像检查互认机构名单（示范）",
        "authority": AUTHORITY[place],
        "published_at": datetime.combine(since, time(9), LOCAL),
        "entries": [h.code for h in HOSPITALS if h.listed and h.place is place],
    }


_CONSORTIA: Final = (
    (
        "DEMO-YGT-BAYU",
        "巴渝县紧密型县域医共体",
        ConsortiumKind.COUNTY,
        CQ,
        ("DEMO-CQ03", "DEMO-CQ04", "DEMO-CQ05"),
    ),
    (
        "DEMO-JT-JIALING",
        "嘉陵紧密型城市医疗集团",
        ConsortiumKind.URBAN,
        CQ,
        ("DEMO-CQ01", "DEMO-CQ01-2", "DEMO-CQ02", "DEMO-CQ06"),
    ),
    (
        "DEMO-LM-XIONGTONG",
        "川渝胸痛专科联盟（示范）",
        ConsortiumKind.SPECIALIST,
        SC,
        ("DEMO-SC01", "DEMO-CQ02", "DEMO-CQ03"),
    ),
)


@dataclass(frozen=True)
class Machine:
    """A make of device that the region uses."""

    kind: DeviceKind
    maker: str
    model: str
    standard: str
    sends: str
    room: str
    cannot_send: frozenset[str] = frozenset()

    @property
    def licensed(self) -> bool:
        """Whether it needs a 大型医用设备配置许可."""
        return self.kind in {DeviceKind.CT, DeviceKind.MR}


MACHINES: Final = {
    "CT": Machine(DeviceKind.CT, "渝光影像", "YG-CT 64", "WS 519-2019", "CT", "CT01"),
    "MR": Machine(DeviceKind.MR, "蜀磁医疗", "SC-MR 1.5", "WS/T 263-2006", "MR", "MR01"),
    "DR": Machine(DeviceKind.DR_PANEL, "渝光影像", "YG-DR 43", "WS 76-2020", "DX", "DR01"),
    # A panel whose console writes the old object class: still DR (RD-6.1-CR).
    "DRC": Machine(DeviceKind.DR_PANEL, "江北光电", "JB-Panel 17", "WS 76-2020", "CR", "DR02"),
    "CR": Machine(
        DeviceKind.CR_READER, "旧影", "JY-CR 30", "WS 76-2020", "CR", "CR01", frozenset({"C5.10"})
    ),
}


def machine_of(hospital: Hospital, modality: str) -> Machine:
    """Return the make of device with which that hospital does CT, MR or DR."""
    wanted = {"DR": ("DR", "DRC", "CR")}.get(modality, (modality,))
    found = [name for name in hospital.machines.split() if name in wanted]
    return MACHINES[found[0]]


def serial_of(hospital: Hospital, machine: Machine) -> str:
    """Return the serial number that its headers carry."""
    return f"{hospital.code[5:]}-{machine.room}"


def _devices(hospital: Hospital, day: date) -> list[Row]:
    return [_device(hospital, MACHINES[name], day) for name in hospital.machines.split()]


def _device(hospital: Hospital, machine: Machine, day: date) -> Row:
    year = timedelta(days=365)
    accepted, tested = day - timedelta(days=400), day - timedelta(days=150)
    tests = [
        {
            "kind": kind.value,
            "passed": True,
            "tested_on": on,
            "valid_from": on,
            "valid_to": on + year,
            "standard": machine.standard,
            "report_number": f"{kind.value}-{hospital.code[5:]}",
        }
        for kind, on in ((TestKind.ACCEPTANCE, accepted), (TestKind.STATE, tested))
    ]
    return {
        "id": f"{hospital.code}-{machine.room}",
        "institution": hospital.code,
        "serial": serial_of(hospital, machine),
        "kind": machine.kind.value,
        "manufacturer": machine.maker,
        "model": machine.model,
        "cannot_send": sorted(machine.cannot_send),
        "review_on": day + timedelta(days=200) if machine.cannot_send else None,
        "configuration_licence": "示配证字001号" if machine.licensed else "",
        "valid_from": accepted,
        "tests": tests,
    }


_SURNAMES: Final = "林周吴郑冯陈褚卫蒋沈韩杨朱秦"


def staff_name(hospital: Hospital, post: int) -> str:
    """Return the name of the technologist (0), the author (1) or the verifier (2) there."""
    surname = _SURNAMES[HOSPITALS.index(hospital) % len(_SURNAMES)]
    return surname + ("技安", "影明", "审正")[post]


def _staff(hospital: Hospital, since: date) -> list[Row]:
    posts = (
        ("T01", Profession.TECHNOLOGIST, "放射技术"),
        ("P01", Profession.PHYSICIAN, "医学影像和放射治疗专业"),
        ("P02", Profession.PHYSICIAN, "医学影像和放射治疗专业"),
    )
    return [
        {
            "institution": hospital.code,
            "code": code,
            "name": staff_name(hospital, index),
            "profession": profession.value,
            "licence": f"示{hospital.code[5:]}{code}",
            "scope": scope,
            "valid_from": since,
        }
        for index, (code, profession, scope) in enumerate(posts)
    ]


def _rights(day: date) -> tuple[list[Row], list[Row], list[Row]]:
    """Return inspections, the qualifications that rest on them, and what was suspended since."""
    inspections: list[Row] = []
    qualifications: list[Row] = []
    steps: list[Row] = []
    for code, scopes, special in _GRANTS:
        for scope in scopes.split():
            qualification, inspection = _right(BY_CODE[code], scope, special, day)
            qualifications.append(qualification)
            if inspection:
                inspections.append(inspection)
            if "suspended" in special:
                steps.append(
                    {
                        "qualification": qualification["id"],
                        "step": "suspend",
                        "from_day": day - timedelta(days=20),
                        "because": special["suspended"],
                    }
                )
    return inspections, qualifications, steps


def _right(
    hospital: Hospital, scope: str, special: dict[str, str], day: date
) -> tuple[Row, Row | None]:
    kind, value = scope.split(":")
    since = day - timedelta(days=300)
    subject = {"institution": hospital.code, "scope_kind": kind, "scope_value": value}
    row: Row = {
        **subject,
        "id": f"{hospital.code}-{value}",
        "mark_scope": special.get("scope", BOTH_PROVINCES),
        "valid_from": since,
    }
    if "transitional" in special:
        return {
            **row,
            "basis": Basis.TRANSITIONAL.value,
            "notice": special["transitional"],
            "list_hash": sha256(special["transitional"].encode()).hexdigest(),
            "valid_to": since + timedelta(days=360),
        }, None
    centre = PREFECTURE_SC if "prefecture" in special else PROVINCIAL[hospital.place]
    inspection = {
        **subject,
        "id": f"{row['id']}-JC",
        "centre": centre,
        "concluded_on": since - timedelta(days=10),
        "passed": True,
        "signatures": [f"{CENTRE_LOGIN[centre]}.{number}" for number in (1, 2)],
        "report_number": f"XC-{hospital.code[5:]}-{value}",
    }
    return {
        **row,
        "basis": Basis.INSPECTION.value,
        "centre": centre,
        "inspection": inspection["id"],
        "valid_to": day + timedelta(days=430),
    }, inspection


# ------------------------------------------------------------------ accounts
CENTRE_LOGIN: Final = {
    PROVINCIAL[CQ]: "qc.cq",
    PROVINCIAL[SC]: "qc.sc",
    PREFECTURE_SC: "qc.jiazhou",
}
TRAVELLING: Final = ("DEMO-CQ03", "DEMO-SC02")
"""Where one physician sees patients; an account for each, since a post has one place."""


@dataclass(frozen=True)
class Account:
    """A person who may log in, and the one post they hold."""

    login: str
    display: str
    role: RoleName
    institution: str | None = None
    authority: str | None = None

    def post(self, since: date) -> Row:
        """Return the post as an import takes it."""
        return {
            "login": self.login,
            "role": self.role.value,
            "institution": self.institution,
            "authority": self.authority,
            "valid_from": since,
        }


_ROLES: Final = (
    (RoleName.PHYSICIAN, "doctor", "接诊医师", None),
    (RoleName.RADIOLOGIST, "reader", "影像诊断医师", {"DEMO-CQ01", "DEMO-CQ03", "DEMO-SC01"}),
    (RoleName.DEPARTMENT, "dept", "放射科质控员", {"DEMO-CQ01", "DEMO-CQ03", "DEMO-SC03"}),
    (RoleName.PATIENT_ADMIN, "front", "患者主索引管理员", {"DEMO-CQ02", "DEMO-SC01"}),
)


def login_of(code: str, word: str) -> str:
    """Return a login at a hospital: `doctor.cq02`."""
    return f"{word}.{code.removeprefix(PREFIX).lower()}"


def accounts() -> tuple[Account, ...]:
    """Return the people who may log in."""
    found = [
        Account(
            login_of(hospital.code, word),
            f"{hospital.short}{words}",
            role,
            institution=hospital.code,
        )
        for hospital in HOSPITALS
        for role, word, words, only in _ROLES
        if only is None or hospital.code in only
    ]
    found += [
        Account(
            login_of(code, "doctor.li"),
            f"李多点（{BY_CODE[code].short}）",
            RoleName.PHYSICIAN,
            institution=code,
        )
        for code in TRAVELLING
    ]
    found += [
        Account(f"{login}.{number}", f"质控专家{number}", RoleName.QC_CENTRE, authority=centre)
        for centre, login in CENTRE_LOGIN.items()
        for number in (1, 2)
    ]
    found += [
        Account(login, f"{IN_FULL[place]}卫生健康委", RoleName.HEALTH_AUTHORITY, authority=code)
        for (place, code), login in zip(AUTHORITY.items(), ("wjw.cq", "wjw.sc"), strict=True)
    ]
    found += [
        Account("admin", "平台管理员", RoleName.ADMINISTRATOR, authority=AUTHORITY[CQ]),
        Account("auditor", "审计员", RoleName.AUDITOR, authority=AUTHORITY[CQ]),
    ]
    return tuple(found)
