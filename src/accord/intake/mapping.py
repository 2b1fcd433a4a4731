"""What a message says in the words of the record: patient, visit, orders, reports, a merge.

Element for element by the HL7 column of the field table of 7.1.3. A field that is empty or `""`
says nothing and leaves what is kept. Nothing is invented: a needed element that is missing is a
fault.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from accord.identity.model import PatientRecord, parse_id_type
from accord.intake.errors import (
    REQUIRED_MISSING,
    SEGMENT_SEQUENCE,
    TABLE_VALUE,
    UNSUPPORTED_EVENT,
    UNSUPPORTED_PROCESSING,
    UNSUPPORTED_TYPE,
    UNSUPPORTED_VERSION,
    Fault,
    Place,
)
from accord.intake.message import Head, Message, Segment
from accord.record.model import OrderStatus, ReportStatus, Urgency, VisitKind

VERSIONS: Final = frozenset({"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6"})
NATIONAL: Final = "CYHR-"
STUDY_UID_CODES: Final = frozenset({"113014", "110180"})  # DCM: DICOM Study; Study Instance UID

_CLASSES: Final[Mapping[str, VisitKind]] = {
    "O": VisitKind.OUTPATIENT, "R": VisitKind.OUTPATIENT,
    "I": VisitKind.INPATIENT, "B": VisitKind.INPATIENT,
    "E": VisitKind.EMERGENCY, "T": VisitKind.CHECKUP,
}  # fmt: skip
_CONTROLS: Final[Mapping[str, OrderStatus]] = {
    "NW": OrderStatus.PLACED, "XO": OrderStatus.PLACED, "SC": OrderStatus.PLACED,
    "RE": OrderStatus.PLACED, "OK": OrderStatus.PLACED,
    "CA": OrderStatus.WITHDRAWN, "OC": OrderStatus.WITHDRAWN, "DC": OrderStatus.WITHDRAWN,
}  # fmt: skip
_PRIORITIES: Final[Mapping[str, Urgency]] = {
    "S": Urgency.STAT, "A": Urgency.ROUTINE, "R": Urgency.ROUTINE, "P": Urgency.ROUTINE,
    "C": Urgency.ROUTINE, "T": Urgency.ROUTINE,
}  # fmt: skip
_RESULTS: Final[Mapping[str, ReportStatus]] = {
    "P": ReportStatus.PRELIMINARY, "R": ReportStatus.PRELIMINARY, "F": ReportStatus.FINAL,
    "C": ReportStatus.AMENDED, "X": ReportStatus.WITHDRAWN,
}  # fmt: skip
_COMPLETIONS: Final[Mapping[str, ReportStatus]] = {
    "DI": ReportStatus.PRELIMINARY, "DO": ReportStatus.PRELIMINARY, "IN": ReportStatus.PRELIMINARY,
    "IP": ReportStatus.PRELIMINARY, "PA": ReportStatus.PRELIMINARY,
    "AU": ReportStatus.FINAL, "LA": ReportStatus.FINAL,
}  # fmt: skip
_SEXES: Final[Mapping[str, str]] = {
    "M": "M", "F": "F", "O": "O", "A": "O", "U": "U", "N": "U",
}  # fmt: skip
_FINDINGS: Final = frozenset(
    {"59776-5", "18782-3", "GDT", "121070", "FINDINGS", "影像所见", "检查所见", "所见"}
)
_IMPRESSION: Final = frozenset(
    {"19005-8", "IMP", "121073", "IMPRESSION", "诊断意见", "检查结论", "诊断", "印象", "结论"}
)


@dataclass(frozen=True)
class Content:
    """What a message brings, in the order in which it is to be taken over.

    Attributes:
        patient: The patient as PID says; None when it has only the id.
        visit: Fields of a `Visit` that PV1 tells; may lack what a new visit needs.
        is_admission: PV1 is what the message is about.
        prior: The id that is merged into that of the patient (A40).
        orders: Fields of each `Order` that are told.
        reports: Fields of each `Report`, likewise.
    """

    local_id: str
    patient: PatientRecord | None = field(repr=False)
    visit: Mapping[str, Any] | None = None
    is_admission: bool = False
    prior: str | None = None
    orders: Sequence[Mapping[str, Any]] = field(repr=False, default=())
    reports: Sequence[Mapping[str, Any]] = field(repr=False, default=())


def check_head(head: Head) -> None:
    """Refuse what this site never takes.

    Raises:
        Fault: Type, event, processing id or version are not supported.
    """
    kinds = {each.partition("^")[0] for each in KINDS}
    if head.kind not in KINDS:
        known = head.kind.partition("^")[0] in kinds
        error = UNSUPPORTED_EVENT if known else UNSUPPORTED_TYPE
        raise Fault(error, Place("MSH", 1, 9), "不接收此类消息")
    if head.processing != "P":
        raise Fault(
            UNSUPPORTED_PROCESSING, Place("MSH", 1, 11), "只接收生产消息（P），不接收测试或培训消息"
        )
    if head.version not in VERSIONS:
        raise Fault(
            UNSUPPORTED_VERSION, Place("MSH", 1, 12), "支持的版本为2.3至2.6，建议2.3.1或2.5.1"
        )


def understand(message: Message, institution: str) -> Content:
    """Return what a message of an institution says.

    Raises:
        Fault: Something that is needed is missing or cannot be read; it says where.
    """
    pid = message.needed("PID")
    local_id = _local_id(pid)
    patient = _patient(pid, local_id, institution)
    kind, _, event = message.head.kind.partition("^")
    visit = _visit(message, pid, local_id)
    if event == "A40":
        prior = message.needed("MRG").needed(1, "被合并的患者编号")
        return Content(local_id, patient, prior=prior)
    if kind == "ADT":
        if event in {"A01", "A04"} and visit is None:
            raise Fault(REQUIRED_MISSING, Place("PV1", 1, 19), "缺少就诊号")
        if patient is None:
            raise Fault(REQUIRED_MISSING, pid.place(5), "缺少患者姓名")
        return Content(local_id, patient, visit if event != "A31" else None, is_admission=True)
    if kind in {"ORM", "OMG", "OMI"}:
        orders = tuple(_orders(message, local_id, visit))
        return Content(local_id, patient, visit, orders=orders)
    identity = _identity(pid, local_id)
    reports = _document(message, identity) if kind == "MDM" else _results(message, identity)
    return Content(local_id, patient=None, reports=tuple(reports))


KINDS: Final = frozenset(
    {
        "ADT^A01", "ADT^A04", "ADT^A08", "ADT^A31", "ADT^A40",
        "ORM^O01", "OMG^O19", "OMI^O23", "ORU^R01", "MDM^T02",
    }
)  # fmt: skip


def patient_of(message: Message) -> str | None:
    """Return the local id of a message's patient where that can be read."""
    pid = message.first("PID")
    try:
        return _local_id(pid) if pid is not None else None
    except Fault:
        return None


# --- patient and visit --------------------------------------------------------------------------


def _local_id(pid: Segment) -> str:
    """Return the hospital's own id: the first of PID-3 that is not the number of a document."""
    for components in pid.repetitions(3):
        number = pid.part(components)
        if number is not None and _id_type(pid.part(components, 5)) is None:
            return number
    raise Fault(REQUIRED_MISSING, pid.place(3), "缺少院内患者号")


def _id_type(text: str | None) -> str | None:
    if text is None:
        return None
    if text.upper() == "SS":
        return "NI"  # what PID-19 has carried since 2.3.1 is the citizen's number here
    try:
        return parse_id_type(text).value
    except ValueError:
        return None


def _patient(pid: Segment, local_id: str, institution: str) -> PatientRecord | None:
    born = pid.day(7, "出生日期")
    sex = _sex(pid)
    name = _name(pid)
    if name is None:
        return None
    id_type, id_number = _document_number(pid)
    return PatientRecord(
        institution,
        local_id,
        name,
        sex or "U",
        born,
        id_type,
        id_number,
        phone=pid.text(13) or pid.text(13, 12),
    )


def _document_number(pid: Segment) -> tuple[str | None, str | None]:
    for components in pid.repetitions(3):
        kind = _id_type(pid.part(components, 5))
        if kind is not None and pid.part(components):
            return kind, pid.part(components)
    number = pid.text(19)
    return ("resident_card", number) if number else (None, None)


def _name(pid: Segment) -> str | None:
    """Return the name; of several the one in Chinese characters."""
    names = []
    for components in pid.repetitions(5):
        family, given = pid.part(components, 1), pid.part(components, 2)
        further = pid.part(components, 3)
        joined = [part for part in (family, given, further) if part]
        if joined:
            is_han = any("\u3400" <= char <= "\u9fff" for char in "".join(joined))
            names.append((not is_han, ("" if is_han else " ").join(joined)))
    return min(names, key=lambda each: each[0])[1] if names else None


def _sex(pid: Segment) -> str | None:
    text = pid.text(8)
    if text is None:
        return None
    if text.upper() not in _SEXES:
        raise Fault(TABLE_VALUE, pid.place(8), "性别须为M、F、O、U、A或N")
    return _SEXES[text.upper()]


def _visit(message: Message, pid: Segment, local_id: str) -> dict[str, Any] | None:
    pv1 = message.first("PV1")
    if pv1 is None:
        return None
    number = pv1.text(19) or pid.text(18)
    if number is None:
        return None
    letter = pv1.needed(2, "就诊类别")
    if letter.upper() not in _CLASSES:
        raise Fault(
            TABLE_VALUE,
            pv1.place(2),
            "就诊类别须为O、R（门诊）、I、B（住院）、E（急诊）或T（体检）",
        )
    event = message.first("EVN")
    opened = pv1.moment(44, "入院或就诊时间")
    if opened is None and event is not None and message.head.kind in {"ADT^A01", "ADT^A04"}:
        opened = event.moment(6, "事件发生时间") or event.moment(2, "事件登记时间")
    return _told(
        number=number,
        patient_id=local_id,
        kind=_CLASSES[letter.upper()],
        opened_at=opened,
        department=pv1.text(3),
        closed_at=pv1.moment(45, "出院时间"),
    )


def _told(**fields: Any) -> dict[str, Any]:
    """Return the fields that are told."""
    return {name: value for name, value in fields.items() if value is not None}


# --- orders -------------------------------------------------------------------------------------


@dataclass
class _Group:
    """An OBR with the ORC before it and what follows it."""

    orc: Segment | None
    obr: Segment
    others: list[Segment] = field(default_factory=list)

    def first(self, name: str) -> Segment | None:
        return next((each for each in self.others if each.name == name), None)


def _groups(message: Message) -> list[_Group]:
    groups: list[_Group] = []
    orc: Segment | None = None
    before: list[Segment] = []
    for segment in message.segments:
        if segment.name == "ORC":
            orc, before = segment, []
        elif segment.name == "OBR":
            groups.append(_Group(orc, segment, before))
            before = []
        elif groups and groups[-1].orc is orc:
            groups[-1].others.append(segment)
        else:
            before.append(segment)  # TQ1 of OMG and OMI stands between ORC and OBR
    return groups


def _orders(
    message: Message, local_id: str, visit: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    groups = _groups(message)
    if not groups:
        raise Fault(SEGMENT_SEQUENCE, Place("OBR"), "缺少OBR段")
    seen: set[str] = set()
    for group in groups:
        order = _order(message, group, local_id, visit)
        if order["number"] in seen:
            raise Fault(TABLE_VALUE, group.obr.place(2), "同一消息内的申请单号重复")
        seen.add(order["number"])
        yield order


def _order(
    message: Message, group: _Group, local_id: str, visit: Mapping[str, Any] | None
) -> dict[str, Any]:
    orc, obr = group.orc, group.obr
    if orc is None:
        raise Fault(SEGMENT_SEQUENCE, Place("ORC"), "OBR之前缺少ORC段")
    control = orc.needed(1, "医嘱控制码").upper()
    if control not in _CONTROLS:
        raise Fault(TABLE_VALUE, orc.place(1), "医嘱控制码须为NW、XO、SC、RE、OK、CA、OC或DC")
    number = obr.text(2) or orc.text(2)
    if number is None:
        raise Fault(REQUIRED_MISSING, orc.place(2), "缺少申请单号")
    is_new = control == "NW"
    ordered_at = orc.moment(9, "申请时间") if is_new else None
    if is_new and ordered_at is None:
        raise Fault(REQUIRED_MISSING, orc.place(9), "缺少申请时间")
    if is_new and visit is None:
        raise Fault(REQUIRED_MISSING, Place("PV1", 1, 19), "缺少就诊号")
    code, name = _item(obr)
    if is_new and name is None:
        raise Fault(REQUIRED_MISSING, obr.place(4), "缺少申请项目")
    return _told(
        number=number,
        visit=visit["number"] if visit else None,
        patient_id=local_id,
        item_text=name,
        item_code=code,
        ordered_at=ordered_at,
        department=orc.text(17, 2) or orc.text(17),
        physician=_person(orc, 12) or _person(obr, 16),
        diagnosis=_diagnosis(message),
        purpose=obr.text(31, 2) or obr.text(31),
        complaint=obr.text(13),
        urgency=_urgency(group),
        registration=_registration(group) or None,
        status=_CONTROLS[control],
    )


def _item(obr: Segment) -> tuple[str | None, str | None]:
    """Return code and name: the national code where one is given, the hospital's own name."""
    own, name = obr.text(4), obr.text(4, 2)
    codes = (own, obr.text(4, 4), obr.text(4, 5))
    national = next((code for code in codes if code and code.upper().startswith(NATIONAL)), None)
    return national or own, name or obr.text(4, 5) or own


def _person(segment: Segment, number: int) -> str | None:
    """Return the name of an XCN, else its id."""
    family, given = segment.text(number, 2), segment.text(number, 3)
    name = "".join(part for part in (family, given) if part)
    if name and name.isascii():
        name = " ".join(part for part in (family, given) if part)
    return name or segment.text(number)


def _diagnosis(message: Message) -> str | None:
    told = [
        each.text(3, 2) or each.text(4) or each.text(3)
        for each in message.segments
        if each.name == "DG1"
    ]
    return "；".join(one for one in told if one) or None


def _urgency(group: _Group) -> Urgency | None:
    timing = group.first("TQ1")
    places = [(timing, 9, 1)] if timing else []
    if group.orc is not None:
        places.append((group.orc, 7, 6))
    places += [(group.obr, 27, 6), (group.obr, 5, 1)]
    for segment, number, component in places:
        text = segment.text(number, component)
        if text is not None:
            letter = text.upper()
            if letter == "STAT":
                letter = "S"
            if letter not in _PRIORITIES:
                raise Fault(TABLE_VALUE, segment.place(number), "紧急程度须为S、A、R、P、C或T")
            return _PRIORITIES[letter]
    return None


def _registration(group: _Group) -> dict[str, Any]:
    """Return what is told of the registration (C3)."""
    orc, obr = group.orc, group.obr
    imaging, study = group.first("IPC"), group.first("ZDS")
    timing = group.first("TQ1")
    uid = (imaging.text(3) if imaging else None) or (study.text(1) if study else None)
    scheduled = timing.moment(7, "预约时间") if timing else None
    return _told(
        accession=(imaging.text(1) if imaging else None)
        or obr.text(3)
        or (orc.text(3) if orc else None)
        or obr.text(18),
        study_uid=uid,
        registered_at=orc.moment(15, "登记时间") if orc else None,
        scheduled_at=scheduled or obr.moment(36, "预约时间"),
        department=obr.text(24, 2),
        device=imaging.text(7) if imaging else None,
        registrar=_person(orc, 10) if orc else None,
        technologist=_observer(obr, 34),
    )


def _observer(obr: Segment, number: int) -> str | None:
    """Return the name of an NDL: family and given are subcomponents of its first component."""
    family, given = obr.text(number, 1, 2), obr.text(number, 1, 3)
    name = "".join(part for part in (family, given) if part)
    if name.isascii() and family and given:
        name = f"{family} {given}"
    return name or _person(obr, number)


# --- reports ------------------------------------------------------------------------------------


def _identity(pid: Segment, local_id: str) -> dict[str, Any]:
    return _told(
        patient_id=local_id,
        patient_name=_name(pid),
        patient_sex=_sex(pid),
        patient_birth_date=pid.day(7, "出生日期"),
    )


def _results(message: Message, identity: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    groups = _groups(message)
    if not groups:
        raise Fault(SEGMENT_SEQUENCE, Place("OBR"), "缺少OBR段")
    for group in groups:
        obr = group.obr
        letter = obr.needed(25, "报告状态").upper()
        if letter not in _RESULTS:
            raise Fault(TABLE_VALUE, obr.place(25), "报告状态须为P、R、F、C或X")
        number = obr.text(3) or obr.text(2)
        if number is None:
            raise Fault(REQUIRED_MISSING, obr.place(3), "缺少检查号")
        status = _RESULTS[letter]
        released = obr.moment(22, "报告时间")
        is_told = status in {ReportStatus.FINAL, ReportStatus.AMENDED}
        if is_told and released is None:
            raise Fault(REQUIRED_MISSING, obr.place(22), "缺少报告时间")
        registration = _registration(group)
        code, name = _item(obr)
        yield {
            **identity,
            **_told(
                number=number,
                status=status,
                accession=registration.get("accession"),
                study_uid=registration.get("study_uid") or _study_uid(group.others),
                item_text=name or code,
                modality=obr.text(24),
                examined_on=obr.day(7, "检查时间"),
                author=_observer(obr, 33) or _observer(obr, 32),
                verifier=_observer(obr, 32),
                authored_at=released,
                verified_at=released if is_told else None,
                released_at=released if is_told else None,
                **_said(group.others, obr.place(), status),
            ),
        }


def _study_uid(segments: Sequence[Segment]) -> str | None:
    for segment in segments:
        if segment.name == "OBX" and segment.text(3) in STUDY_UID_CODES:
            return segment.text(5)
    return None


def _document(message: Message, identity: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    txa = message.needed("TXA")
    completion = txa.needed(17, "文档完成状态").upper()
    if completion not in _COMPLETIONS:
        raise Fault(TABLE_VALUE, txa.place(17), "文档完成状态须为DI、DO、IN、IP、PA、AU或LA")
    status = _COMPLETIONS[completion]
    if (txa.text(19) or "").upper() in {"CA", "OB"}:
        status = ReportStatus.WITHDRAWN
    released = txa.moment(22, "签署时间", 15) or txa.moment(8, "修改时间")
    released = released or txa.moment(7, "转录时间") or txa.moment(6, "产生时间")
    groups = _groups(message)
    obr = groups[0].obr if groups else None
    is_told = status is ReportStatus.FINAL
    if is_told and released is None:
        raise Fault(REQUIRED_MISSING, txa.place(22), "缺少签署时间")
    accession = (txa.text(15) or (obr.text(3) if obr else None)) or None
    following = [each for each in message.segments if each.name in {"OBX", "NTE"}]
    yield {
        **identity,
        **_told(
            number=txa.needed(12, "文档编号"),
            status=status,
            accession=accession,
            study_uid=_study_uid(following),
            item_text=_item(obr)[1] if obr else None,
            author=_person(txa, 9),
            verifier=_person(txa, 10) or _person(txa, 22),
            authored_at=txa.moment(6, "产生时间") or released,
            verified_at=released if is_told else None,
            released_at=released if is_told else None,
            **_said(following, txa.place(), status),
        ),
    }


def _said(segments: Sequence[Segment], at: Place, status: ReportStatus) -> dict[str, Any]:
    """Return findings, impression and flags of the OBX of one report."""
    findings: list[str] = []
    impression: list[str] = []
    flags: set[str] = set()
    notes: list[str] = []
    for segment in segments:
        if segment.name == "NTE" and segment.text(3):
            notes.append(segment.unescaped(segment.raw(3)))
        if segment.name != "OBX" or (segment.text(2) or "").upper() not in {"TX", "FT", "ST", ""}:
            continue
        wanted = _part_of_report(segment)
        if wanted is None:
            continue
        lines = segment.raw(5).split(segment.delimiters.repetition)
        text = "\n".join(segment.unescaped(line) for line in lines).strip()
        if text:
            (findings if wanted == "findings" else impression).append(text)
        if wanted == "impression":
            flags |= {
                flag
                for parts in segment.repetitions(8)
                if (flag := segment.part(parts)) is not None
            }
    if not findings and not impression and status is not ReportStatus.WITHDRAWN:
        raise Fault(
            TABLE_VALUE,
            at,
            "其后没有可识别的影像所见或诊断意见：OBX-3须为59776-5或GDT（所见）、19005-8或IMP（意见）",
        )
    return _told(
        findings="\n".join(findings) or None,
        impression="\n".join(impression) or None,
        positive=_positive(flags),
        critical=True if flags & {"AA", "HH", "LL"} else None,
        amends="\n".join(notes)[:400] or None if status is ReportStatus.AMENDED else None,
    )


def _part_of_report(obx: Segment) -> str | None:
    """Say what part an OBX is, by code, suffix (`24558-9&IMP`) or name of OBX-3."""
    names = {obx.text(3), obx.text(3, 1, 2), obx.text(3, 2), obx.text(3, 4), obx.text(3, 5)}
    folded = {name.upper() for name in names if name}
    if folded & _IMPRESSION:
        return "impression"
    return "findings" if folded & _FINDINGS else None


def _positive(flags: set[str]) -> bool | None:
    if flags & {"A", "AA", "POS", "HH", "LL"}:
        return True
    return False if flags & {"N", "NEG"} else None
