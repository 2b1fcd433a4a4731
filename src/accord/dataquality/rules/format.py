"""Clause 7.1: uploaded in a lossless DICOM format."""

from collections.abc import Iterable, Mapping

from accord.dataquality.answers import Answer
from accord.dataquality.model import ObjectKind, Objects, StudyEvidence
from accord.standard import rule
from accord.standard.model import Finding, RuleSet

RULE = "R7.1-0"
READINGS = ("RD-7.1-FORMAT",)
TABLE = "7.1/transfer_syntaxes"
ONCE_LOSSY = "01"
FLAGS = (None, "", "00", ONCE_LOSSY)


@rule(RULE)
def is_lossless(evidence: StudyEvidence, rule_set: RuleSet) -> Finding:
    """Pass when every image came in a lossless syntax and was never lossy before.

    The lossy flag wins over the syntax: once lossy, always lossy. Documents are exempt, and
    captures of a film alone are not the examination (`SC_ONLY`, K7).
    """
    images = [objects for objects in evidence.objects if objects.kind is not ObjectKind.DOCUMENT]
    answer = Answer(RULE, rule_set, {"objects": _shown(images)}, readings=READINGS)
    if not images:
        return answer.unknown("objects")
    if all(objects.kind is ObjectKind.CAPTURE for objects in images):
        return answer.gates("SC_ONLY")
    if any(objects.lossy == ONCE_LOSSY for objects in images):
        return answer.gates("LOSSY_MARKED")
    rows = {row["uid"]: row for row in rule_set.table(TABLE).rows}
    verdicts = {_verdict(objects, rows, rule_set) for objects in images}
    for code in ("LOSSY_SYNTAX", "SYNTAX_UNKNOWN", "LOSSY_FLAG_UNREADABLE"):
        if code in verdicts:
            return answer.gates(code)
    if "missing" in verdicts:
        return answer.unknown("transfer syntax")
    notes = sorted({rows[objects.syntax].get("note", "") for objects in images} - {""})
    return answer.passes(note="；".join(notes) or None)


def _verdict(objects: Objects, rows: Mapping[str, Mapping[str, str]], rule_set: RuleSet) -> str:
    if objects.syntax is None:
        return "missing"
    if objects.lossy not in FLAGS:
        return "LOSSY_FLAG_UNREADABLE"
    row = rows.get(objects.syntax)
    if row is None:
        return "SYNTAX_UNKNOWN"
    if row["outcome"] == "pass":
        return "pass"
    proven = row["kind"] == "maybe_lossy" and objects.reversible
    return "pass" if proven and rule_set.is_on("accept_proven_reversible") else "LOSSY_SYNTAX"


def _shown(images: Iterable[Objects]) -> list[dict[str, object]]:
    return [
        {"syntax": objects.syntax, "lossy": objects.lossy, "count": objects.count}
        for objects in images
    ]
