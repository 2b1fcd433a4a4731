"""Identity in the headers (K1): one patient in a study, the accession of its order."""

from accord.imagequality.checks.contract import Declared, StudyCheck
from accord.imagequality.model import Measured, Verdict
from accord.imagequality.views import StudyView

TAGS = ("00100020", "00080050")


def measure(view: StudyView) -> Measured:
    """Fail on another accession than the order's, or two patient ids; names are never compared."""
    pictures = [picture for one in view.study.series for picture in one.pictures]
    patients = {picture.patient_id for picture in pictures} - {None}
    accessions = {picture.accession for picture in pictures} - {None}
    ordered = view.asked.order.accession if view.asked.order else None
    if ordered is not None and accessions and accessions != {ordered}:
        return Measured(
            verdict=Verdict.FAIL,
            zh="影像检查号与申请检查号不一致。",
            en="the accession number is not the order's",
            value=len(accessions - {ordered}),
            unit="count",
            tags=TAGS,
            suggestion="请核对影像是否归入了错误的检查。",
            critical="K1",
        )
    if len(patients) > 1:
        return Measured(
            verdict=Verdict.FAIL,
            zh=f"同一检查内有 {len(patients)} 个患者编号。",
            en=f"{len(patients)} patient ids in one study",
            value=len(patients),
            unit="count",
            tags=TAGS,
            suggestion="请核对是否混入其他患者的影像。",
        )
    if len(accessions) > 1:
        return Measured(
            verdict=Verdict.UNCERTAIN,
            zh=f"同一检查内有 {len(accessions)} 个检查号。",
            en=f"{len(accessions)} accession numbers in one study",
            value=len(accessions),
            unit="count",
            tags=TAGS,
            suggestion="请核对检查是否合并了多个申请。",
        )
    if not patients:
        return Measured(
            verdict=Verdict.NOT_EVALUABLE,
            zh="影像头无患者编号。",
            en="no patient id in the headers",
            tags=TAGS,
        )
    return Measured(
        verdict=Verdict.PASS,
        zh="检查内患者编号与检查号一致。",
        en="one patient, one accession number",
        value=1,
        unit="count",
        tags=TAGS,
    )


CHECK = StudyCheck(
    Declared(
        id="study.identity",
        clauses=("7.3.1.1", "7.3.2.1", "7.3.3.1"),
        criteria=("K1",),
        title="患者与检查号一致",
    ),
    lambda view: bool(view.imaging),
    measure,
)
