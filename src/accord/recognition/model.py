"""A case: every fact that decides whether a past examination answers an order; and the advice.

A case has twelve parts, each a frozen dataclass. `None` means unknown, never "no". Periods are
half-open local days. Every fact is as of the day that the rule asks about: of the performer on the
examination day, of the reporter on the report day, of the viewer at the moment of asking (R6.2-7).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator

from accord.catalogue.model import Contrast, Modality, Side
from accord.dataquality.model import ReportState, StudyEvidence
from accord.kit.clock import LOCAL, local_day
from accord.record.model import Measure, Purpose, VisitKind
from accord.registry.model import (
    Basis,
    CentreRank,
    ConsortiumKind,
    DeviceKind,
    Level,
    Ownership,
    QualificationState,
    ScopeKind,
)
from accord.standard.model import Finding, as_json


def _as_local(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)


Moment = Annotated[datetime, AfterValidator(_as_local)]
"""A moment; one written without time zone is local time."""


class Part:
    """A part of a case; unknown keys are refused where one is read from outside."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}


class TakenSide(StrEnum):
    """A side that was ordered or acquired."""

    LEFT = "L"
    RIGHT = "R"
    BOTH = "B"


class Province(StrEnum):
    """One of the two provinces."""

    CHONGQING = "重庆"
    SICHUAN = "四川"


class Position(StrEnum):
    """How the patient is placed (RD-6.3-MOD)."""

    STANDING = "standing"
    SUPINE = "supine"
    PRONE = "prone"
    WEIGHT_BEARING = "weight_bearing"
    BEDSIDE = "bedside"


class Procedure(StrEnum):
    """What happened to the patient between examination and order (RD-6.3-FOLLOWUP)."""

    SURGERY = "surgery"
    REDUCTION = "reduction"
    CAST = "cast"
    DRAIN = "drain"
    CHEMOTHERAPY = "chemotherapy"


class Check(StrEnum):
    """What an image check says."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNCERTAIN = "uncertain"


class Grade(StrEnum):
    """Concluded grade of the images (RD-7.3-GRADE)."""

    TOP = "top"
    MIDDLE = "middle"
    LOW = "low"
    WASTE = "waste"


@dataclass(frozen=True, kw_only=True)
class Outside(Part):
    """Key of an examination that is none of the items of the list.

    Args:
        modality: DR, CT or MR.
        anatomy: Canonical part of the body.
        laterality: Side it names.
        contrast: Plain, enhanced, or without such a part.
        projections: Views of a plain film.
    """

    modality: Modality
    anatomy: str
    laterality: Side = Side.NONE
    contrast: Contrast = Contrast.NOT_APPLICABLE
    projections: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Planned(Part):
    """A major measure that is planned.

    Args:
        kind: Surgery, transfusion, intervention or another one.
        on: Day for which it is planned; unknown days count as soon.
    """

    kind: Measure
    on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Done(Part):
    """Something done to the patient.

    Args:
        kind: What was done.
        on: Day on which it was done.
    """

    kind: Procedure
    on: date


@dataclass(frozen=True, kw_only=True)
class OrderFacts(Part):
    """The order item that is asked about.

    Args:
        item: 序号 of the ordered item; unknown where the local name is not mapped yet.
        outside: Key of an ordered examination outside the list; then `item` is unknown.
        side: Side the order names where its item names none.
        positions: Positions the order names beyond its item.
        manoeuvres: Manoeuvres it names: stress, traction, an angle of flexion.
        phases: Contrast phases it asks for.
        techniques: Techniques it names: thin_slices, a kernel, 3d, fat_suppression.
        text: Words of the order, searched for the words of the follow-up list.
        department: Ordering department.
        visit: Kind of the visit.
        triage: Triage level of an emergency visit, 1 the most urgent.
        green_channel: Whether the visit runs by the green channel.
        purpose: Why the person is seen.
        follow_up: Whether the order is flagged as a follow-up.
        preoperative: Whether the order is flagged as pre-operative.
        diagnoses: ICD-10 codes of the order, for the list of fast-changing diseases.
        planned: Major measures that are planned.
        done: Procedures since the prior examination, as far as they are known.
    """

    item: int | None = None
    outside: Outside | None = None
    side: TakenSide | None = None
    positions: tuple[Position, ...] = ()
    manoeuvres: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    text: str | None = None
    department: str | None = None
    visit: VisitKind | None = None
    triage: int | None = None
    green_channel: bool | None = None
    purpose: Purpose | None = None
    follow_up: bool | None = None
    preoperative: bool | None = None
    diagnoses: tuple[str, ...] = ()
    planned: tuple[Planned, ...] = ()
    done: tuple[Done, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportFacts(Part):
    """The report of the prior examination.

    Args:
        state: How far it is; unknown is not the same as `none`.
        released_at: When it was released to the clinician.
        urgent: Whether its order was STAT or of an emergency visit; fixes the limit (7.1.1).
        difficult: Whether it is a special item or was flagged 疑难 in time.
    """

    state: ReportState | None = None
    released_at: Moment | None = None
    urgent: bool | None = None
    difficult: bool = False


@dataclass(frozen=True, kw_only=True)
class PriorFacts(Part):
    """The past examination.

    Args:
        items: 序号 of the items it is; unknown where its name is not mapped yet.
        outside: Key of an examination outside the list; then `items` is empty.
        modality: DICOM modality of its images, a hint only.
        cr_object: Whether its objects are of the CR image class.
        plate_signs: Whether a plate id, cassette or exposures on the plate are filled.
        single_frame: Whether its images have one frame each.
        exam_start: Start of acquisition.
        exam_end: End of acquisition, where the window starts.
        age: Completed years of the patient on the examination day.
        side: Side that was acquired, by header or report.
        views: Views that were acquired; unknown means those of its item.
        positions: Positions that header or report state; unknown means those of its item.
        manoeuvres: Manoeuvres it states.
        phases: Contrast phases it has.
        techniques: Techniques it states.
        non_contrast_series: Whether a series without contrast covers the region.
        marker_check: What the check of the side marker says.
        department: Department that ordered it.
        settled: Whether its images have stopped arriving.
        announced: Number of images that were announced.
        received: Number of images that were received.
        report: Its report.
        withdrawn: Whether the study or its report was withdrawn.
        grade: Concluded grade of its images; none is no fault.
        confirmed_defects: Critical defects (K1–K10) confirmed by a reviewer.
        machine_defects: Critical defects found by machine alone.
        marks: Texts of marks read on image or report.
        evidence: What its sources say, for the rules of clause 7.1.
        measured: Findings of clause 7.1 that were kept about it; used in place of the evidence.
    """

    items: tuple[int, ...] | None = None
    outside: Outside | None = None
    modality: str | None = None
    cr_object: bool | None = None
    plate_signs: bool | None = None
    single_frame: bool | None = None
    exam_start: Moment | None = None
    exam_end: Moment | None = None
    age: int | None = None
    side: TakenSide | None = None
    views: frozenset[str] | None = None
    positions: tuple[Position, ...] | None = None
    manoeuvres: tuple[str, ...] | None = None
    phases: tuple[str, ...] | None = None
    techniques: tuple[str, ...] | None = None
    non_contrast_series: bool | None = None
    marker_check: Check | None = None
    department: str | None = None
    settled: bool | None = None
    announced: int | None = None
    received: int | None = None
    report: ReportFacts = ReportFacts()
    withdrawn: bool | None = None
    grade: Grade | None = None
    confirmed_defects: tuple[str, ...] = ()
    machine_defects: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    evidence: StudyEvidence | None = None
    measured: tuple[Finding, ...] | None = None

    @property
    def exam_day(self) -> date | None:
        """Local day on which acquisition ended."""
        return None if self.exam_end is None else local_day(self.exam_end)


@dataclass(frozen=True, kw_only=True)
class Party(Part):
    """An institution in its role here, as of the day that counts for the role.

    Args:
        code: Its code.
        licence_holder: Code of the holder of the licence; unknown means itself.
        level: 三级, 二级, 一级 or 未定级.
        ownership: public, military or private.
        province: 重庆 or 四川.
        area: City, district or county.
        listed: Whether it stands on the published list.
        list_refreshed_at: When a list kept elsewhere was last taken over; none for one kept here.
    """

    code: str | None = None
    licence_holder: str | None = None
    level: Level | None = None
    ownership: Ownership | None = None
    province: Province | None = None
    area: str | None = None
    listed: bool | None = None
    list_refreshed_at: Moment | None = None

    @property
    def holder(self) -> str | None:
        """Code of who holds the licence."""
        return self.licence_holder or self.code


@dataclass(frozen=True, kw_only=True)
class Source(Party):
    """Who performed the prior examination, and who reported it.

    Args:
        reporter: Who reported it, where that is known; the same code as the performer's means
            that it was reported where it was performed.
    """

    reporter: Party | None = None


@dataclass(frozen=True, kw_only=True)
class ConsortiumFacts(Part):
    """A consortium.

    Args:
        code: Its code.
        kind: urban, county or specialist; only the first two carry a duty.
        members: Codes of its members at the moment of asking.
        all_items: Whether it recognises items outside the list too.
        valid_from: First day on which it is active.
        valid_to: First day on which it is active no more.
    """

    code: str
    kind: ConsortiumKind
    members: frozenset[str] = frozenset()
    all_items: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class QualificationFacts(Part):
    """A qualification of the performer.

    Args:
        scope_kind: item, family or modality.
        scope_value: Item number, family such as CT-胸, or modality.
        mark_scope: Territory of the mark: 全国, 川渝, 四川, 重庆, an area, or a consortium.
        state: passed, suspended or revoked, within the period.
        basis: inspection or transitional.
        centre_rank: Rank of the QC centre behind it.
        valid_from: First day; a suspension has a period of its own that begins on its day.
        valid_to: First day on which it no longer holds.
        revoked_items: Items taken out of its scope.
    """

    scope_kind: ScopeKind
    scope_value: str
    mark_scope: str
    state: QualificationState
    valid_from: date
    valid_to: date | None = None
    basis: Basis = Basis.INSPECTION
    centre_rank: CentreRank | None = None
    revoked_items: frozenset[int] = frozenset()

    def is_valid_on(self, day: date) -> bool:
        """Say whether the period contains the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, kw_only=True)
class DeviceFacts(Part):
    """The device that made the images, by the registry.

    Args:
        registered: Whether the registry knows its serial number at the performer; unknown where
            the images state no serial number.
        kind: DR_PANEL, CR_READER, DRF, MG, CT or MR.
        model: Model name, for the list of CR readers.
        acceptance_passed: Whether its acceptance test was passed.
        test_passed: Result of the last test before the examination.
        test_from: First day for which that test speaks.
        test_to: First day for which it speaks no more.
        registry_complete: Whether the performer's registry of devices is declared complete.
    """

    registered: bool | None = None
    kind: DeviceKind | None = None
    model: str | None = None
    acceptance_passed: bool | None = None
    test_passed: bool | None = None
    test_from: date | None = None
    test_to: date | None = None
    registry_complete: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Licence(Part):
    """The licence of a person who took part, by the registry of staff.

    Args:
        registered: Whether the registry knows the person; unknown where no name was given.
        valid_from: First day of the licence.
        valid_to: First day on which it no longer holds.
        scope_fits: Whether its scope covers the act.
    """

    registered: bool | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    scope_fits: bool | None = None


@dataclass(frozen=True, kw_only=True)
class StaffFacts(Part):
    """Who took part.

    Args:
        technologist: Who acquired the images, at the performer.
        author: Who wrote the report, at the reporter.
        verifier: Who verified it, at the reporter.
        performer_complete: Whether the performer's registry of staff is declared complete.
        reporter_complete: Whether the reporter's is.
    """

    technologist: Licence | None = None
    author: Licence | None = None
    verifier: Licence | None = None
    performer_complete: bool | None = None
    reporter_complete: bool | None = None


@dataclass(frozen=True, kw_only=True)
class CatalogueFacts(Part):
    """Versions of the list of items.

    Args:
        at_exam: Version in force on the examination day.
        at_order: Version in force at the moment of asking.
    """

    at_exam: str | None = None
    at_order: str | None = None


@dataclass(frozen=True, kw_only=True)
class Window(Part):
    """A window of its own for an item or a version.

    Args:
        unit: months or days.
        value: How many.
    """

    unit: str
    value: int


@dataclass(frozen=True, kw_only=True)
class SiteChoices(Part):
    """Choices of the site; unknown means as the rule set and its switches say.

    Args:
        accept_cr_reader: Whether CR plate readers are in scope.
        accept_proven_reversible: Whether a syntax that may be lossy passes when proven reversible.
        gate_study_completeness: Whether a study below the completeness rate is shut out.
        whole_abdomen_contains_pelvis: Whether 全腹部 contains 盆腔.
        window: Window in place of the rule set's.
        in_force: By province, whether the rule set is in force there at the moment of asking.
    """

    accept_cr_reader: bool | None = None
    accept_proven_reversible: bool | None = None
    gate_study_completeness: bool | None = None
    whole_abdomen_contains_pelvis: bool | None = None
    window: Window | None = None
    in_force: Mapping[Province, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class IdentityFacts(Part):
    """Whether the order's patient and the prior's are one person (R-ID-1).

    Args:
        certain: True by a certain link of the platform, false where people must look.
        because: By what it is certain, or why it is not.
    """

    certain: bool | None = None
    because: str | None = None


@dataclass(frozen=True, kw_only=True)
class Case(Part):
    """An order item, a past examination, and all that decides between them.

    Args:
        order: The order item.
        prior: The past examination.
        source: Who performed and reported the prior.
        viewer: Who asks.
        consortia: Consortia of which the source or the viewer is a member.
        qualifications: Qualifications of the performer.
        device: Device that made the images.
        staff: People who made images and report.
        catalogue: Versions of the list of items.
        settings: Choices of the site.
        identity: Whether both patients are one person.
        on: Moment of the evaluation at its stage.
    """

    order: OrderFacts
    prior: PriorFacts
    source: Source
    viewer: Party
    consortia: tuple[ConsortiumFacts, ...] = ()
    qualifications: tuple[QualificationFacts, ...] | None = None
    device: DeviceFacts = DeviceFacts()
    staff: StaffFacts = StaffFacts()
    catalogue: CatalogueFacts = CatalogueFacts()
    settings: SiteChoices = SiteChoices()
    identity: IdentityFacts = IdentityFacts()
    on: Moment

    @property
    def asked_on(self) -> date:
        """Local day of the evaluation."""
        return local_day(self.on)


class Relation(StrEnum):
    """How a prior answers an order item (RD-6.3-MATCH)."""

    EQUAL = "EQUAL"
    COVERS = "COVERS"
    PARTIAL = "PARTIAL"
    SIMILAR = "SIMILAR"
    NONE = "NONE"


class Recommendation(StrEnum):
    """What the engine advises (RD-CONV-ADVICE); screens say 建议互认 and 可互认."""

    MUST = "RECOGNISE_MUST"
    MAY = "RECOGNISE_MAY"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"


NO_CARD: Final = frozenset({"REPORT_PENDING", "ARRIVING", "FOLLOW_UP"})


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What the engine advises about one order item and one prior, with every reason.

    Args:
        advice: Must, may, or not eligible.
        relation: How the prior answers the order; none where identity is not certain.
        findings: The findings of all rules, in the decision order.
        grounds: Grounds (NR01–NR11) that the machine found.
        lifted_by: Those that lowered must to may; empty where it was may anyway.
        readings: Readings of the text that were used.
        rule_set: Version of the rule set.
        fingerprint: Hash of the rule set as it applied.
        catalogue: Version of the catalogue.
        evaluated_at: Moment for which it was evaluated.
    """

    advice: Recommendation
    relation: Relation | None
    findings: tuple[Finding, ...]
    grounds: tuple[str, ...]
    lifted_by: tuple[str, ...]
    readings: tuple[str, ...]
    rule_set: str
    fingerprint: str
    catalogue: str
    evaluated_at: datetime

    @property
    def codes(self) -> frozenset[str]:
        """Codes of all findings."""
        return frozenset(finding.code for finding in self.findings if finding.code)

    @property
    def shows_card(self) -> bool:
        """Say whether the pair is shown as a card and not only on the quiet list (R6.6-1)."""
        fits = self.relation in {Relation.EQUAL, Relation.COVERS}
        allowed = self.advice is not Recommendation.NOT_ELIGIBLE
        return fits and allowed and not self.codes & NO_CARD

    @property
    def interrupts(self) -> bool:
        """Say whether the card may interrupt; one with a machine-found ground never does."""
        return self.shows_card and not self.grounds

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `accord decide --json` prints."""
        return {
            "advice": self.advice.value,
            "relation": self.relation and self.relation.value,
            "lifted_by": list(self.lifted_by),
            "findings": [
                {
                    "rule": finding.rule,
                    "outcome": finding.outcome.value,
                    "effect": finding.effect and finding.effect.value,
                    "code": finding.code,
                    "because": as_json(finding.because),
                }
                for finding in self.findings
            ],
            "grounds": list(self.grounds),
            "readings": list(self.readings),
        }
