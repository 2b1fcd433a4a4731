"""HL7 v2 messages of an invented hospital, and a sender that speaks MLLP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

START, END = b"\x0b", b"\x1c\r"


def segment(name: str, fields: dict[int, str]) -> str:
    """Return a segment from its fields by number."""
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


_PID = {
    1: "1", 3: "P-1^^^HIS^PI~509901198503070026^^^^NI", 5: "林^测安", 7: "19850307", 8: "F",
    13: "13800000000",
}  # fmt: skip
_OBR = {1: "1", 2: "R-1", 3: "A-1", 4: "CT94^胸部CT平扫^L^CYHR-094^胸部CT平扫^CYHR"}
_RESULT = {
    7: "20261121140000", 22: "20261121144500", 24: "CT", 25: "F", 32: "1&郑&测", 33: "2&吴&测",
}  # fmt: skip
PID = segment("PID", _PID)
PV1 = segment("PV1", {1: "1", 2: "O", 3: "呼吸内科", 19: "V-1", 44: "20261121133000"})
_ORC = {
    1: "NW", 2: "R-1", 3: "A-1", 9: "20261121134000", 10: "^登^记", 12: "7^周^测",
    15: "20261121134200", 17: "R^呼吸内科",
}  # fmt: skip
ORC = segment("ORC", _ORC)
OBR = segment("OBR", {**_OBR, 13: "咳嗽两周", 24: "CT", 31: "^排除肺炎", 34: "3&技&师"})
RESULT = segment("OBR", {**_OBR, **_RESULT})
FINDINGS = "OBX|1|FT|59776-5^影像所见^LN||双肺纹理清晰\\.br\\未见实变。||||||F"
IMPRESSION = "OBX|2|FT|19005-8^诊断意见^LN||胸部CT平扫未见异常。|||N|||F"


def pid(**changes: str) -> str:
    """Return the PID of P-1 with other fields, as `pid(_3="P-2")`."""
    return segment("PID", _PID | {int(name[1:]): value for name, value in changes.items()})


def result(**changes: str) -> str:
    """Return the OBR of the report with other fields."""
    told = _OBR | _RESULT | {int(name[1:]): value for name, value in changes.items()}
    return segment("OBR", told)


def msh(
    kind: str,
    control_id: str,
    *,
    version: str = "2.5.1",
    charset: str = "UNICODE UTF-8",
    sender: str = "HIS|CQA",
    processing: str = "P",
) -> str:
    """Return an MSH segment."""
    return (
        f"MSH|^~\\&|{sender}|ACCORD|ACCORD|20261121134500+0800||{kind}|{control_id}|{processing}"
        f"|{version}||||||{charset}"
    )


def message(*segments: str, encoding: str = "utf-8") -> bytes:
    """Return segments as the bytes of a message."""
    return ("\r".join(segments) + "\r").encode(encoding)


def adt(control_id: str, event: str = "A04", **options: str) -> bytes:
    """Return a registration of the patient P-1 and the visit V-1."""
    return message(
        msh(f"ADT^{event}^ADT_A01", control_id, **options), "EVN||20261121133000", PID, PV1
    )


def omg(control_id: str) -> bytes:
    """Return the order R-1 with the accession A-1."""
    timing = "TQ1|1||||||20261121140000||S^STAT"
    return message(msh("OMG^O19^OMG_O19", control_id), PID, PV1, ORC, timing, OBR)


def oru(control_id: str, *, pid: str = PID, result: str = RESULT) -> bytes:
    """Return the final report of the accession A-1."""
    return message(msh("ORU^R01^ORU_R01", control_id), pid, ORC, result, FINDINGS, IMPRESSION)


def fields_of(answer: bytes, encoding: str = "utf-8") -> dict[str, list[str]]:
    """Return the fields of an acknowledgement by segment."""
    lines = answer.decode(encoding).rstrip("\r").split("\r")
    return {line[:3]: line.split("|") for line in lines}


class Line:
    """A connection of a hospital's interface engine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def send(self, raw: bytes) -> bytes:
        """Send a message and return its acknowledgement."""
        self.socket.sendall(START + raw + END)
        return self.receive()

    def receive(self) -> bytes:
        """Return the next acknowledgement; empty when the connection was ended."""
        received = b""
        while not received.endswith(END):
            more = self.socket.recv(65_536)
            if not more:
                return b""
            received += more
        assert received.startswith(START)
        return received[1:-2]

    def is_ended(self) -> bool:
        """Say whether the other side has ended the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


@contextmanager
def connected(port: int) -> Iterator[Line]:
    """Connect, and hang up at the end."""
    line = Line(port)
    try:
        yield line
    finally:
        line.socket.close()
