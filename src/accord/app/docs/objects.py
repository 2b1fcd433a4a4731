"""What the archive takes, keeps aside and refuses: syntaxes, reasons with status, SOP classes."""

from collections.abc import Iterator
from pathlib import Path

from pydicom.uid import UID, UID_dictionary

from accord import standard
from accord.app.docs.markdown import code, page, table
from accord.archive import codecs, reasons, service
from accord.archive.model import Reason, Result, StoreOutcome
from accord.archive.receive import negotiation

_LEGEND = """\
The tables behind the [conformance statement](dicom.md), from the code itself."""

_SYNTAXES = """\
*Offered* syntaxes are accepted on DIMSE, in this order: of those that a sender proposes for a
presentation context the first one here is used, so that an object comes as it is kept at its
source, and lossy only where nothing else is proposed. By STOW-RS and `accord import` every transfer
syntax of the standard is taken. *Lossless* is what table `7.1/transfer_syntaxes` of the rule set
says (R7.1-0); images in any other syntax are kept aside. *Decoded* frames can be shown and given
uncompressed; other ones only as they are stored."""

_REASONS = """\
The code stands in findings, in `accord import --json` and in the answer of STOW-RS (private block
`ACCORD REASON`); the words are the Error Comment of C-STORE, cut after 64 characters. A reason
that keeps an object aside refuses it where the object does not even say which one it is
(no readable SOP Class and Instance UID)."""


def objects(_root: Path) -> str:
    """Return the page of syntaxes, reasons and SOP classes."""
    classes = negotiation.storage_classes()
    return page(
        "What is taken, kept aside, refused",
        _LEGEND,
        "## Transfer syntaxes",
        _SYNTAXES,
        table(("UID", "name", "offered", "lossless", "decoded"), _syntaxes()),
        "## Reasons",
        _REASONS,
        table(
            ("code", "becomes", "status", "words for engineers", "words for screens"),
            map(_reason, Reason),
        ),
        "## Storage SOP classes",
        f"{len(classes)} classes, retired ones included; beside them Verification (C-ECHO).",
        table(("UID", "name"), ((code(uid), UID(uid).name) for uid in sorted(classes, key=_parts))),
    )


def _syntaxes() -> Iterator[tuple[str, ...]]:
    lossless = service.lossless_syntaxes(standard.published().version)
    offered = negotiation.syntaxes(lossless)
    known = [uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"]
    for uid in (*offered, *(one for one in known if one not in offered)):
        answers = (uid in offered, uid in lossless, codecs.can_decode(uid))
        yield code(uid), UID(uid).name, *("yes" if one else "" for one in answers)


def _reason(reason: Reason) -> tuple[str, ...]:
    words = reasons.WORDS[reason]
    result = Result.KEPT_ASIDE if is_kept_aside(reason) else Result.REFUSED
    status = reasons.status(StoreOutcome(result, reason))
    return (
        code(reason.value),
        result.value.replace("_", " "),
        code(f"0x{status:04X}"),
        words.english,
        words.chinese,
    )


def is_kept_aside(reason: Reason) -> bool:
    """Say whether a reason keeps an object aside, as its words tell the sender."""
    return "kept aside" in reasons.WORDS[reason].english


def _parts(uid: str) -> tuple[int, ...]:
    return tuple(map(int, uid.split(".")))
