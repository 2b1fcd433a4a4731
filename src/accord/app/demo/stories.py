"""What happened in the demo region, and the orders that wait to be placed.

A scene is one examination with its report; a ready order is one line for a physician to try,
together with the advice it promises. Tests load the region and hold every promise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from accord.app.demo.phantoms import SOUND, Planted
from accord.kit.clock import LOCAL, local_day
from accord.record.model import Measure, Purpose, Urgency, VisitKind


@dataclass(frozen=True)
class Kind:
    """A kind of examination: its item of the catalogue and how the phantom is set up."""

    item: int
    modality: str
    body: str
    part: str
    diagnosis: str
    purpose: str
    complaint: str
    department: str
    side: str = ""
    views: tuple[str, ...] = ()
    contrast: bool = False
    slices: int = 0


_CHEST = ("胸部", "咳嗽待查", "了解肺部及纵隔情况", "咳嗽咳痰1周，无发热", "呼吸内科")
_HEAD = ("头部", "头晕待查", "了解颅内有无出血或占位", "头晕头痛3天", "神经内科")
_BELLY = ("上腹部", "上腹痛待查", "了解肝胆胰脾情况", "上腹部隐痛2周", "消化内科")
_HAND = ("手", "手部疼痛待查", "了解骨质及关节间隙", "双手晨僵1月，以指间关节为主", "风湿免疫科")
_KNEE = ("膝关节", "膝关节疼痛待查", "了解骨质及关节间隙", "上下楼膝部疼痛半年", "骨科")
_LUMBAR = ("腰椎", "腰痛待查", "了解椎间盘及椎管情况", "腰痛伴下肢麻木3月", "骨科")
_NECK = ("颈椎", "颈椎病待查", "了解椎间盘及脊髓情况", "颈肩痛伴手麻2月", "骨科")

KINDS: Final[Mapping[str, Kind]] = {
    "ct-head": Kind(92, "CT", "head", *_HEAD, slices=22),
    "ct-chest": Kind(94, "CT", "chest", *_CHEST, slices=28),
    "ct-chest-ce": Kind(107, "CT", "chest", *_CHEST, contrast=True, slices=14),
    "ct-abdomen": Kind(83, "CT", "abdomen", *_BELLY, slices=22),
    "ct-abdomen-ce": Kind(105, "CT", "abdomen", *_BELLY, contrast=True, slices=14),
    "dr-chest": Kind(1, "DR", "chest", *_CHEST, views=("PA",)),
    "dr-chest-2": Kind(2, "DR", "chest", *_CHEST, views=("PA", "LAT")),
    "dr-hand-l": Kind(10, "DR", "hand", *_HAND, side="L", views=("PA", "OBL")),
    "dr-hand-r": Kind(11, "DR", "hand", *_HAND, side="R", views=("PA", "OBL")),
    "dr-hands": Kind(56, "DR", "hand", *_HAND, side="B", views=("PA", "OBL")),
    "dr-knee-l": Kind(13, "DR", "knee", *_KNEE, side="L", views=("AP", "LAT")),
    "dr-knee-r": Kind(14, "DR", "knee", *_KNEE, side="R", views=("AP", "LAT")),
    "mr-head": Kind(116, "MR", "head", *_HEAD, slices=12),
    "mr-lumbar": Kind(120, "MR", "lumbar", *_LUMBAR, slices=11),
    "mr-cervical": Kind(118, "MR", "cervical", *_NECK, slices=11),
}

# How hospitals call these items in their own systems; each is mapped by an approved alias.
LOCAL_NAMES: Final[Mapping[int, tuple[str, ...]]] = {
    92: ("头颅CT平扫", "CT头部(平扫)", "颅脑CT普通平扫"),
    94: ("胸部CT平扫", "CT肺部平扫", "胸部CT普通平扫"),
    107: ("胸部CT增强", "CT胸部增强扫描", "胸部CT平扫+增强"),
    83: ("上腹部CT平扫", "肝胆胰脾CT平扫", "CT上腹(平扫)"),
    105: ("上腹部CT增强", "肝胆胰脾CT平扫+增强", "CT上腹(增强)"),
    1: ("胸部正位(DR)", "DR胸部后前位", "胸片正位"),
    2: ("胸部正侧位(DR)", "DR胸部正侧位", "胸片正侧位"),
    10: ("左手正斜位(DR)", "DR左手正斜位", "左手正位+斜位"),
    11: ("右手正斜位(DR)", "DR右手正斜位", "右手正位+斜位"),
    56: ("双手正斜位(DR)", "DR双手正斜位", "双手正位+斜位"),
    13: ("左膝关节正侧位(DR)", "DR左膝正侧位", "左膝正侧位片"),
    14: ("右膝关节正侧位(DR)", "DR右膝正侧位", "右膝正侧位片"),
    116: ("头颅MRI平扫", "MR颅脑平扫", "颅脑磁共振平扫"),
    120: ("腰椎MRI平扫", "MR腰椎(平扫)", "腰椎磁共振平扫"),
    118: ("颈椎MRI平扫", "MR颈椎(平扫)", "颈椎磁共振平扫"),
}


def local_name(institution: str, item: int) -> str:
    """Return what that hospital calls an item."""
    names = LOCAL_NAMES[item]
    return names[sum(map(ord, institution)) % len(names)]


def local_code(item: int) -> str:
    """Return the code of an item in the hospitals' own systems; it means nothing outside."""
    return f"YN{item:04d}"


@dataclass(frozen=True)
class Wording:
    """The text of a report and whether it says that something was found."""

    findings: str
    impression: str
    positive: bool = False
    critical: bool = False


_NORMAL_HAND = "诸掌指骨及腕骨骨质连续，未见骨折及骨质破坏，关节间隙正常，软组织未见异常。"
_NORMAL_KNEE = "膝关节诸骨骨质连续，关节间隙正常，髌骨位置正常，周围软组织未见肿胀。"
_WORDINGS: Final[Mapping[tuple[str, str], Wording]] = {
    ("ct-head", ""): Wording(
        "脑实质密度未见异常，灰白质分界清楚；脑室、脑池形态大小正常，中线结构居中；颅骨骨质连续。",
        "颅脑CT平扫未见明显异常。",
    ),
    ("ct-head", "haemorrhage"): Wording(
        "右侧基底节区见类圆形高密度影，范围约2.6cm×3.8cm，CT值约65HU，周围见低密度水肿带；"
        "脑室系统未见积血，中线结构无明显移位。",
        "右侧基底节区脑出血。",
        positive=True,
        critical=True,
    ),
    ("ct-chest", ""): Wording(
        "双肺纹理走行正常，肺野内未见结节及渗出影；气管及支气管通畅；纵隔内未见肿大淋巴结；"
        "双侧胸腔未见积液。",
        "胸部CT平扫未见明显异常。",
    ),
    ("ct-chest", "nodule"): Wording(
        "右肺上叶见一实性结节，大小约1.3cm×1.2cm，边缘较光整；余肺未见异常密度影；纵隔未见"
        "肿大淋巴结。",
        "右肺上叶实性结节，建议结合临床随访。",
        positive=True,
    ),
    ("ct-chest", "pneumonia"): Wording(
        "右肺下叶见片状磨玻璃影及实变影，边界模糊；余肺纹理正常；双侧胸腔未见积液。",
        "右肺下叶炎症。",
        positive=True,
    ),
    ("ct-abdomen", ""): Wording(
        "肝脏大小形态正常，实质密度均匀；胆囊不大，壁不厚；胰腺、脾脏及双肾未见异常密度影。",
        "上腹部CT未见明显异常。",
    ),
    ("ct-abdomen", "cyst"): Wording(
        "肝右叶见类圆形水样低密度影，直径约2.9cm，边界清楚，增强后无强化；余实质密度均匀。",
        "肝右叶囊肿。",
        positive=True,
    ),
    ("dr-chest", ""): Wording(
        "双肺野清晰，肺纹理走行正常，双侧肺门不大；心影大小形态正常；双侧膈面光整，肋膈角锐利。",
        "心、肺、膈未见明显异常。",
    ),
    ("dr-chest", "pneumonia"): Wording(
        "右肺中下野见斑片状模糊影，边界不清；心影不大；双侧肋膈角锐利。",
        "右肺中下野炎症可能，建议治疗后复查。",
        positive=True,
    ),
    ("dr-chest", "nodule"): Wording(
        "右肺中野见一结节影，直径约1.6cm，边缘尚清；余肺野清晰；心影不大。",
        "右肺中野结节，建议CT检查。",
        positive=True,
    ),
    ("dr-hand", ""): Wording(_NORMAL_HAND, "手部诸骨未见明显异常。"),
    ("dr-knee", ""): Wording(_NORMAL_KNEE, "膝关节诸骨未见明显异常。"),
    ("dr-knee", "osteophyte"): Wording(
        "膝关节边缘骨质增生，髁间隆突变尖，内侧关节间隙稍变窄；未见骨折征象。",
        "膝关节退行性改变。",
        positive=True,
    ),
    ("mr-head", ""): Wording(
        "脑实质信号未见异常，DWI未见弥散受限；脑室脑池大小形态正常，中线结构居中。",
        "颅脑MRI平扫未见明显异常。",
    ),
    ("mr-head", "infarct"): Wording(
        "左侧放射冠见片状长T1长T2信号，FLAIR及DWI呈高信号，范围约1.8cm×2.4cm。",
        "左侧放射冠急性脑梗死。",
        positive=True,
        critical=True,
    ),
    ("mr-lumbar", ""): Wording(
        "腰椎序列规整，诸椎体信号未见异常；椎间盘信号及形态正常，椎管不窄；脊髓圆锥位置正常。",
        "腰椎MRI平扫未见明显异常。",
    ),
    ("mr-lumbar", "disc"): Wording(
        "腰椎生理曲度存在；L4/5椎间盘T2信号减低，向后突出，硬膜囊受压；余椎间盘未见突出。",
        "L4/5椎间盘变性并突出。",
        positive=True,
    ),
    ("mr-cervical", ""): Wording(
        "颈椎序列规整，诸椎体及椎间盘信号未见异常；颈髓形态信号正常，椎管不窄。",
        "颈椎MRI平扫未见明显异常。",
    ),
}


def wording(kind: str, finding: str) -> Wording:
    """Return the report's text for a kind of examination and what is wrong."""
    words = kind.removesuffix("-ce").removesuffix("-2").removesuffix("-l").removesuffix("-r")
    return _WORDINGS[words.replace("hands", "hand"), finding]


# ------------------------------------------------------------------ what happened
FINAL: Final = "final"
PENDING: Final = "pending"
EMERGENCY: Final = "emergency"
UNVERIFIED: Final = "unverified"


@dataclass(frozen=True)
class Scene:
    """One examination that happened: who, where, what, when, and how it was reported.

    Attributes:
        days: Local days before the day of loading; 0 needs `hours`.
        hours: Hours before the moment of loading, in place of days.
        report: Final, pending (none yet), emergency (a signed 急诊报告 only), or unverified
            (final but nobody verified it: an element that is hard-required is missing).
        reported_by: Who reports, if not the performer (基层检查、上级诊断).
        written: Name in the header as the modality writes it; the person's own by default.
    """

    person: str
    kind: str
    at: str
    days: int = 0
    hours: float = 0
    finding: str = ""
    report: str = FINAL
    reported_by: str = ""
    urgency: Urgency = Urgency.ROUTINE
    planted: Planted = SOUND
    written: str = ""
    note: str = ""

    @property
    def key(self) -> str:
        """Name of the scene: the seed of its pictures and UIDs."""
        return f"{self.person}/{self.at}/{self.kind}"

    def started_at(self, day: date, now: datetime) -> datetime:
        """Return when the examination began, for a demo loaded on `day` at `now`."""
        if self.hours:
            started = now - timedelta(hours=self.hours)
            # None runs over midnight: its day would depend on the minute of loading.
            same_day = local_day(started) == local_day(started + timedelta(hours=1))
            return started if same_day else started - timedelta(hours=1)
        minutes = sum(map(ord, self.key)) * 7 % 360  # somewhere in the working day
        morning = datetime.combine(day - timedelta(days=self.days), time(9), LOCAL)
        return morning + timedelta(minutes=minutes)


def _d(code: str) -> str:
    return f"DEMO-{code}"


STAT: Final = Urgency.STAT
SCENES: Final = (
    # The priors of the ready orders, in their order.
    Scene("p01", "ct-chest", _d("SC01"), 6, finding="nodule"),
    Scene("p02", "mr-head", _d("CQ01"), 9, finding="infarct"),
    Scene("p03", "ct-head", _d("CQ02"), 4),
    Scene("p04", "ct-chest", _d("CQ01"), 5, finding="pneumonia"),
    Scene("p05", "dr-chest", _d("CQ01"), hours=2.5, report=PENDING),
    Scene("p06", "ct-head", _d("SC01"), 2, finding="haemorrhage", urgency=STAT),
    Scene("p07", "dr-chest", _d("CQ01"), 3),
    Scene("p08", "ct-abdomen", _d("CQ01"), 45, finding="cyst"),
    Scene("p09", "dr-chest", _d("SC06"), 5),
    Scene("p10", "dr-knee-l", _d("CQ03"), 7, finding="osteophyte"),
    Scene("p11", "dr-chest", _d("CQ02"), 8, note="平板DR以CR对象类别发送"),
    Scene("p12", "ct-chest-ce", _d("SC01"), 10, finding="nodule"),
    Scene("p13", "dr-hands", _d("CQ01"), 6),
    Scene("p14", "dr-chest", _d("CQ04"), 3, finding="pneumonia", reported_by=_d("CQ03")),
    Scene("p15", "dr-chest-2", _d("CQ04"), 4, reported_by=_d("CQ03")),
    Scene("p16", "mr-head", _d("CQ02"), 5),
    Scene("p17", "ct-head", _d("SC01"), 6),
    Scene("p18", "ct-chest", _d("CQ03"), 4, report=UNVERIFIED),
    Scene("p19", "dr-knee-r", _d("CQ01"), 12, finding="osteophyte"),
    Scene("p20", "ct-chest", _d("SC01"), 8),
    Scene("p21", "ct-head", _d("SC03"), 6),
    Scene("p22", "dr-chest", _d("CQ01"), 5, finding="nodule"),
    Scene("p23", "dr-chest", _d("CQ05"), 5, reported_by=_d("CQ03"), note="CR阅读器"),
    Scene("p24", "mr-head", _d("SC01"), 7),
    Scene("p25", "ct-chest", _d("CQ02"), 6, planted=Planted(other_name="汤错名")),
    Scene("p26", "dr-knee-l", _d("CQ01"), 9, finding="osteophyte"),
    Scene("p27", "ct-abdomen", _d("SC01"), 5),
    Scene("p28", "ct-abdomen-ce", _d("CQ03"), 8, finding="cyst"),
    Scene("p29", "mr-lumbar", _d("SC04"), 7, finding="disc", written="ZENG^LISHE"),
    Scene("p30", "dr-chest", _d("SC05"), 6),
    Scene("p31", "ct-chest", _d("SC01"), 8),
    Scene("p31", "dr-chest-2", _d("SC02"), 20, finding="nodule"),
    Scene("p31", "ct-abdomen", _d("CQ01"), 70),
    Scene("p31", "mr-head", _d("SC04"), 12),
    Scene("p32", "ct-head", _d("CQ02"), hours=5, report=EMERGENCY, urgency=STAT),
    Scene("p33", "ct-chest", _d("CQ06"), 5, planted=Planted(lossy=True)),
    # The rest of the region's month.
    Scene("p34", "dr-chest", _d("CQ01-2"), 1),
    Scene("p35", "ct-chest", _d("SC02"), 2, finding="nodule"),
    Scene("p36", "dr-knee-r", _d("SC02"), 3, finding="osteophyte"),
    Scene("p37", "ct-chest-ce", _d("SC01"), 4),
    Scene("p37", "dr-chest", _d("SC05"), 15),
    Scene("p38", "mr-lumbar", _d("SC02"), 5),
    Scene("p38", "dr-knee-l", _d("SC03"), 6),
    Scene("p39", "ct-head", _d("CQ03"), 7, urgency=STAT),
    Scene("p39", "dr-hand-r", _d("CQ01"), 11),
    Scene("p40", "mr-cervical", _d("CQ01"), 8),
    Scene("p40", "dr-chest", _d("CQ03"), 9),
    Scene("p41", "dr-hand-l", _d("SC01"), 10),
    Scene("p41", "dr-chest", _d("CQ06"), 13),
    Scene("p42", "ct-abdomen-ce", _d("SC04"), 11, finding="cyst"),
    Scene("p42", "dr-chest-2", _d("SC03"), 16),
    Scene("p43", "mr-cervical", _d("SC04"), 12),
    Scene("p43", "dr-hands", _d("SC02"), 14),
    Scene("p44", "ct-head", _d("SC02"), 13),
    Scene("p44", "dr-knee-r", _d("CQ04"), 18, reported_by=_d("CQ03")),
    Scene("p34", "ct-abdomen", _d("SC04"), 21),
    Scene("p35", "mr-head", _d("SC02"), 22),
    Scene("p36", "dr-hand-r", _d("CQ03"), 23),
    Scene("p01", "dr-knee-l", _d("SC03"), 24, finding="osteophyte"),
    Scene("p02", "mr-lumbar", _d("CQ01"), 25),
    Scene("p03", "dr-chest", _d("CQ04"), 26, reported_by=_d("CQ03")),
    Scene("p04", "dr-hand-l", _d("CQ02"), 27),
    Scene("p05", "ct-head", _d("CQ03"), 28),
    Scene("p06", "dr-chest-2", _d("SC03"), 29),
    Scene("p07", "dr-knee-r", _d("CQ02"), 31),
    Scene("p08", "dr-chest", _d("CQ01"), 33),
)


@dataclass(frozen=True)
class Guest:
    """A real image that pydicom carries, with the paper it comes with; it is no item of ours."""

    file: str
    called: str
    part: str
    words: Wording


_OPEN_DATA: Final = "公开样例影像，仅用于核对收图、索引和调阅，不作诊断。"
GUESTS: Final = (
    Guest(
        "CT_small.dcm", "腹部CT（样例影像）", "腹部", Wording("腹部CT单层，缩小矩阵。", _OPEN_DATA)
    ),
    Guest("MR_small.dcm", "头部MR（样例影像）", "头部", Wording("MR单层，缩小矩阵。", _OPEN_DATA)),
    Guest(
        "examples_overlay.dcm",
        "肝脏MR增强（样例影像）",
        "腹部",
        Wording("肝脏MR单层，带叠加层。", _OPEN_DATA),
    ),
    Guest(
        "J2K_pixelrep_mismatch.dcm",
        "头部CT（样例影像）",
        "头部",
        Wording("头部CT单层，JPEG 2000无损压缩。", _OPEN_DATA),
    ),
    Guest(
        "693_J2KI.dcm", "头部CT（有损样例影像）", "头部", Wording("有损压缩的CT单层。", _OPEN_DATA)
    ),
)


# ------------------------------------------------------------------ what may be ordered
@dataclass(frozen=True)
class Promise:
    """What the answer to a ready order will say about the prior.

    Attributes:
        advice: The advice, or empty where nothing of the prior may be shown.
        relation: The relation, where one is asked at all.
        code: A code that one of the findings carries.
        lifted_by: The ground that the machine finds.
    """

    advice: str
    relation: str = ""
    code: str = ""
    lifted_by: str = ""

    @property
    def card(self) -> bool:
        """Whether it is shown as a card (R6.6-1): equal or covering, reported, no follow-up."""
        fits = self.relation in {"EQUAL", "COVERS"} and self.advice in {MUST, MAY}
        return fits and self.code != "REPORT_PENDING" and self.lifted_by != "NR02"


@dataclass(frozen=True)
class ReadyOrder:
    """An order that waits at a workstation, and the advice that it promises.

    Attributes:
        viewer: Institution whose physician orders.
        prior: Person, kind and place of the scene that the promise is about.
        item: What is ordered, by its number in the catalogue.
        certain: Whether the viewer's record of the person has an id; without, nothing matches.
    """

    key: str
    title: str
    viewer: str
    prior: str
    item: int
    promise: Promise
    visit: VisitKind = VisitKind.OUTPATIENT
    triage: int | None = None
    purpose: Purpose = Purpose.CARE
    urgency: Urgency = Urgency.ROUTINE
    follow_up: bool = False
    planned: Measure | None = None
    certain: bool = True

    @property
    def person(self) -> str:
        """Key of the person."""
        return self.prior.partition("/")[0]


MUST: Final = "RECOGNISE_MUST"
MAY: Final = "RECOGNISE_MAY"
NOT: Final = "NOT_ELIGIBLE"

READY_ORDERS: Final = (
    ReadyOrder(
        "must",
        "外省三级医院一周内胸部CT：建议互认",
        _d("CQ02"),
        "p01/DEMO-SC01/ct-chest",
        94,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "must-same-level",
        "同级医院颅脑MRI：建议互认",
        _d("SC01"),
        "p02/DEMO-CQ01/mr-head",
        116,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "may-lower-level",
        "下级医院头颅CT：可互认",
        _d("SC01"),
        "p03/DEMO-CQ02/ct-head",
        92,
        Promise(MAY, "EQUAL"),
    ),
    ReadyOrder(
        "may-private-viewer",
        "社会办医机构开单：可互认",
        _d("CQ06"),
        "p04/DEMO-CQ01/ct-chest",
        94,
        Promise(MAY, "EQUAL"),
    ),
    ReadyOrder(
        "pending-report",
        "影像已到、报告未出",
        _d("CQ02"),
        "p05/DEMO-CQ01/dr-chest",
        1,
        Promise(MAY, "EQUAL", "REPORT_PENDING"),
    ),
    ReadyOrder(
        "emergency",
        "急诊接诊：不受互认限制",
        _d("CQ03"),
        "p06/DEMO-SC01/ct-head",
        92,
        Promise(MAY, "EQUAL", lifted_by="NR07"),
        visit=VisitKind.EMERGENCY,
        triage=2,
        urgency=STAT,
    ),
    ReadyOrder(
        "own-hospital",
        "本院（另一院区）近期检查",
        _d("CQ01-2"),
        "p07/DEMO-CQ01/dr-chest",
        1,
        Promise(NOT, "", "OWN_PRIOR"),
    ),
    ReadyOrder(
        "past-window",
        "超过1个月的检查",
        _d("SC02"),
        "p08/DEMO-CQ01/ct-abdomen",
        83,
        Promise(NOT, "EQUAL", "OUT_OF_WINDOW"),
    ),
    ReadyOrder(
        "unlisted-source",
        "检查机构不在互认名单",
        _d("SC03"),
        "p09/DEMO-SC06/dr-chest",
        1,
        Promise(NOT, "EQUAL", "SOURCE_NOT_LISTED"),
    ),
    ReadyOrder(
        "wrong-side",
        "左膝已查，本次开右膝",
        _d("CQ02"),
        "p10/DEMO-CQ03/dr-knee-l",
        14,
        Promise(NOT, "NONE"),
    ),
    ReadyOrder(
        "panel-sends-cr",
        "平板DR以CR类别发送：仍属DR",
        _d("CQ03"),
        "p11/DEMO-CQ02/dr-chest",
        1,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "covers-contrast",
        "增强检查含平扫期：包含平扫",
        _d("CQ03"),
        "p12/DEMO-SC01/ct-chest-ce",
        94,
        Promise(MUST, "COVERS"),
    ),
    ReadyOrder(
        "covers-side",
        "双手已查，本次开左手",
        _d("SC03"),
        "p13/DEMO-CQ01/dr-hands",
        10,
        Promise(MUST, "COVERS"),
    ),
    ReadyOrder(
        "consortium",
        "医共体内卫生院拍片、县医院报告：建议互认",
        _d("CQ03"),
        "p14/DEMO-CQ04/dr-chest",
        1,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "township-outside",
        "医共体外看卫生院的片子：可互认",
        _d("CQ02"),
        "p15/DEMO-CQ04/dr-chest-2",
        2,
        Promise(MAY, "EQUAL"),
    ),
    ReadyOrder(
        "not-qualified",
        "对方该项目未通过质控",
        _d("CQ03"),
        "p16/DEMO-CQ02/mr-head",
        116,
        Promise(NOT, "EQUAL", "ITEM_NOT_QUALIFIED"),
    ),
    ReadyOrder(
        "uncertain-identity",
        "本次就诊未登记证件号：不显示任何既往检查",
        _d("CQ02"),
        "p17/DEMO-SC01/ct-head",
        92,
        Promise(""),
        certain=False,
    ),
    ReadyOrder(
        "hard-element-missing",
        "报告缺审核医师",
        _d("CQ02"),
        "p18/DEMO-CQ03/ct-chest",
        94,
        Promise(NOT, "EQUAL", "HARD_ELEMENT_MISSING"),
    ),
    ReadyOrder(
        "follow-up",
        "术后复查：不适用互认提醒",
        _d("SC01"),
        "p19/DEMO-CQ01/dr-knee-r",
        14,
        Promise(MAY, "EQUAL", lifted_by="NR02"),
        follow_up=True,
    ),
    ReadyOrder(
        "before-surgery",
        "拟行手术：不受互认限制",
        _d("SC02"),
        "p20/DEMO-SC01/ct-chest",
        94,
        Promise(MAY, "EQUAL", lifted_by="NR03"),
        visit=VisitKind.INPATIENT,
        planned=Measure.SURGERY,
    ),
    ReadyOrder(
        "scope-outside",
        "对方只有省内互认标识",
        _d("CQ03"),
        "p21/DEMO-SC03/ct-head",
        92,
        Promise(MAY, "EQUAL", "SCOPE_OUTSIDE"),
    ),
    ReadyOrder(
        "partial-views",
        "只有正位，本次开正侧位",
        _d("SC03"),
        "p22/DEMO-CQ01/dr-chest",
        2,
        Promise(MAY, "PARTIAL"),
    ),
    ReadyOrder(
        "cr-reader",
        "CR阅读器：不在DR范围",
        _d("CQ03"),
        "p23/DEMO-CQ05/dr-chest",
        1,
        Promise(NOT, "", "OUT_OF_SCOPE"),
    ),
    ReadyOrder(
        "similar-modality",
        "已做颅脑MRI，本次开头颅CT",
        _d("CQ03"),
        "p24/DEMO-SC01/mr-head",
        92,
        Promise(NOT, "SIMILAR"),
    ),
    ReadyOrder(
        "name-conflict",
        "影像与报告姓名不一致",
        _d("CQ03"),
        "p25/DEMO-CQ02/ct-chest",
        94,
        Promise(NOT, "EQUAL", "NAME_DIFFERS"),
    ),
    ReadyOrder(
        "appraisal",
        "伤残鉴定：不受互认限制",
        _d("SC01"),
        "p26/DEMO-CQ01/dr-knee-l",
        13,
        Promise(MAY, "EQUAL", lifted_by="NR09"),
        purpose=Purpose.DISABILITY,
    ),
    ReadyOrder(
        "plain-for-enhanced",
        "只有平扫，本次开增强",
        _d("CQ01"),
        "p27/DEMO-SC01/ct-abdomen",
        105,
        Promise(MAY, "PARTIAL"),
    ),
    ReadyOrder(
        "suspended",
        "对方该项目资格暂停中",
        _d("CQ02"),
        "p28/DEMO-CQ03/ct-abdomen-ce",
        105,
        Promise(NOT, "EQUAL", "QUALIFICATION_SUSPENDED"),
    ),
    ReadyOrder(
        "national-mark",
        "军队医院、全国互认标识：建议互认",
        _d("CQ01"),
        "p29/DEMO-SC04/mr-lumbar",
        120,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "first-level",
        "同为一级、经地市质控合格：建议互认",
        _d("CQ04"),
        "p30/DEMO-SC05/dr-chest",
        1,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "many-priors",
        "一张卡片，其余列入既往清单",
        _d("CQ02"),
        "p31/DEMO-SC01/ct-chest",
        94,
        Promise(MUST, "EQUAL"),
    ),
    ReadyOrder(
        "emergency-report",
        "仅有急诊报告",
        _d("CQ03"),
        "p32/DEMO-CQ02/ct-head",
        92,
        Promise(MAY, "EQUAL", "REPORT_PENDING"),
    ),
    ReadyOrder(
        "lossy-source",
        "对方上传有损压缩影像",
        _d("CQ02"),
        "p33/DEMO-CQ06/ct-chest",
        94,
        Promise(NOT, "EQUAL", "LOSSY_MARKED"),
    ),
)
