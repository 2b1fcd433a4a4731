"""Acknowledgements in the original mode: MSH, MSA and, where something is wrong, ERR."""

import hashlib
from typing import Final

from accord.intake.errors import Fault
from accord.intake.message import Head
from accord.intake.model import Verdict
from accord.kit import clock

OLD: Final = "2.3.1"  # ERR-1 only; from 2.5 on ERR-2 to ERR-8
NEW: Final = "2.5.1"
WORDS: Final = {
    100: "Segment sequence error", 101: "Required field missing", 102: "Data type error",
    103: "Table value not found", 104: "Value too long", 200: "Unsupported message type",
    201: "Unsupported event code", 202: "Unsupported processing id",
    203: "Unsupported version id", 204: "Unknown key identifier", 205: "Duplicate key identifier",
    207: "Application internal error",
}  # fmt: skip
LONGEST_ID: Final = 20


def acknowledge(head: Head, verdict: Verdict, fault: Fault | None = None) -> bytes:
    """Return the acknowledgement of a message, in its character set and the form of its version.

    Versions before 2.5 are answered as 2.3.1, all others as 2.5.1. Without a known character set
    the answer is UTF-8.
    """
    charset = head.charset or "utf-8"
    declared = {"ascii": "ASCII", "utf-8": "UNICODE UTF-8", "gb18030": "GB 18030-2000"}[charset]
    if charset == "ascii" and fault is not None:
        charset, declared = "utf-8", "UNICODE UTF-8"  # the sentence is Chinese
    is_old = head.version.startswith(("2.1", "2.2", "2.3", "2.4"))
    event = head.kind.partition("^")[2]
    kind = f"ACK^{event if event.isalnum() else ''}^ACK"
    at = clock.now().astimezone(clock.LOCAL)
    own_id = hashlib.sha256(f"{head.application}^{head.facility}^{head.control_id}".encode())
    msh = [
        "MSH", "^~\\&", "ACCORD", "ACCORD", _escaped(head.application), _escaped(head.facility),
        f"{at:%Y%m%d%H%M%S%z}", "", kind, own_id.hexdigest()[:LONGEST_ID],
        head.processing if head.processing in {"P", "T", "D"} else "P",
        OLD if is_old else NEW, "", "", "", "", "", declared,
    ]  # fmt: skip
    msa = ["MSA", verdict.value, _escaped(head.control_id)]
    if fault is not None and is_old:
        msa.append(_escaped(fault.sentence[:60]))
    lines = ["|".join(msh), "|".join(msa)]
    if fault is not None:
        lines.append(_error(fault, is_old=is_old))
    return ("\r".join(lines) + "\r").encode(charset)


def _error(fault: Fault, *, is_old: bool) -> str:
    place = fault.place
    where = [place.segment, str(place.number), str(place.field or "")] if place else []
    words = WORDS[fault.error]
    if is_old:
        code = f"{fault.error}&{words}&HL70357"
        return "|".join(["ERR", "^".join([*(where or ["", "", ""]), code])])
    located = "^".join(where).rstrip("^")
    code = f"{fault.error}^{words}^HL70357"
    return "|".join(["ERR", "", located, code, "E", "", "", "", _escaped(fault.sentence[:200])])


def _escaped(text: str) -> str:
    """Return text that holds no delimiter and no framing byte."""
    replaced = text.replace("\\", "\\E\\")
    for char, code in (("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        replaced = replaced.replace(char, f"\\{code}\\")
    return "".join(max(char, " ") for char in replaced)
