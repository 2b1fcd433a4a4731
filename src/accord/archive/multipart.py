"""multipart/related as DICOMweb uses it: a bounded push parser, and the writer of answers."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Final

from accord.archive.errors import QueryInvalid

LONGEST_HEADER: Final = 8 * 1024
LONGEST_BOUNDARY: Final = 200
MOST_PREAMBLE: Final = 64 * 1024


@dataclass(frozen=True)
class PartBegins:
    """A part begins; its media type in lower case."""

    media_type: str


@dataclass(frozen=True)
class PartData:
    """Some bytes of the part's body."""

    data: bytes


@dataclass(frozen=True)
class PartEnds:
    """The part is complete."""


Event = PartBegins | PartData | PartEnds
# Yields what is complete and returns whether more can be done with the bytes at hand.
Step = Generator[Event, None, bool]


def media_type(header: str) -> tuple[str, dict[str, str]]:
    """Return a media type in lower case and its parameters, their names in lower case."""
    message = Message()
    message["content-type"] = header
    parameters = message.get_params(failobj=[], unquote=True)
    name = parameters[0][0].lower() if parameters else ""
    return name, {key.lower(): value for key, value in parameters[1:]}


class Parser:
    """Splits a body as its bytes arrive; keeps no more than a header of them.

    Args:
        boundary: The boundary of the content type.
    """

    def __init__(self, boundary: str) -> None:
        if not 1 <= len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
            raise QueryInvalid("multipart 的 boundary 无效。")
        self._delimiter = b"\r\n--" + boundary.encode()
        # The first delimiter may stand at the very beginning, without a line before it.
        self._buffer = bytearray(b"\r\n")
        self._state: Callable[[], Step] = self._in_preamble
        self._seen = 0
        self.ended = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """Return what these bytes complete.

        Raises:
            QueryInvalid: The body is not multipart as declared.
        """
        self._buffer += data
        going = True
        while going and not self.ended:
            going = yield from self._state()

    def finish(self) -> None:
        """Check that the body ended where it said it would.

        Raises:
            QueryInvalid: It broke off.
        """
        if not self.ended:
            raise QueryInvalid("multipart 内容在结束标记之前中断。")

    def _in_preamble(self) -> Step:
        yield from ()
        at = self._buffer.find(self._delimiter)
        if at < 0:
            self._seen += len(self._buffer)
            if self._seen > MOST_PREAMBLE:
                raise QueryInvalid("没有找到 multipart 的 boundary。")
            del self._buffer[: max(len(self._buffer) - len(self._delimiter), 0)]
            return False
        del self._buffer[: at + len(self._delimiter)]
        self._state = self._after_delimiter
        return True

    def _after_delimiter(self) -> Step:
        yield from ()
        if len(self._buffer) < 2:  # noqa: PLR2004 - two dashes end the body
            return False
        if self._buffer.startswith(b"--"):
            self.ended = True
            return False
        at = self._buffer.find(b"\r\n")
        if at < 0 or self._buffer[:at].strip():
            if at < 0 and len(self._buffer) <= LONGEST_HEADER:
                return False
            raise QueryInvalid("multipart 的分隔行无效。")
        del self._buffer[:at]  # the line end stays: an empty header is then found at once
        self._state = self._in_header
        return True

    def _in_header(self) -> Step:
        at = self._buffer.find(b"\r\n\r\n")
        if at > LONGEST_HEADER or (at < 0 and len(self._buffer) > LONGEST_HEADER):
            raise QueryInvalid("multipart 的分段头过长。")
        if at < 0:
            return False
        header = bytes(self._buffer[:at]).decode("latin_1")
        # The last line end stays, as the body may be empty and the delimiter follow at once.
        del self._buffer[: at + 2]
        self._state = self._before_body
        yield PartBegins(_content_type(header))
        return True

    def _before_body(self) -> Step:
        if len(self._buffer) < len(self._delimiter):
            return False
        if self._buffer.startswith(self._delimiter):
            del self._buffer[: len(self._delimiter)]
            self._state = self._after_delimiter
            yield PartEnds()
            return True
        del self._buffer[:2]
        self._state = self._in_body
        return True

    def _in_body(self) -> Step:
        at = self._buffer.find(self._delimiter)
        if at >= 0:
            if at:
                yield PartData(bytes(self._buffer[:at]))
            del self._buffer[: at + len(self._delimiter)]
            self._state = self._after_delimiter
            yield PartEnds()
            return True
        sure = len(self._buffer) - len(self._delimiter) + 1
        if sure > 0:
            yield PartData(bytes(self._buffer[:sure]))
            del self._buffer[:sure]
        return False


def _content_type(header: str) -> str:
    for line in header.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-type":
            return media_type(value.strip())[0]
    return ""


@dataclass(frozen=True)
class Part:
    """One part of an answer: its content type and its bytes in pieces."""

    content_type: str
    body: Iterable[bytes]


def write(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """Return the body of a multipart answer, piece by piece."""
    for part in parts:
        yield f"--{boundary}\r\nContent-Type: {part.content_type}\r\n\r\n".encode()
        yield from part.body
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
