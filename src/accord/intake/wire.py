"""Frames of MLLP (HL7 v2 Implementation Guide, appendix C): VT, message, FS, CR; nothing else."""

from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c\r"


class BadFrame(Exception):
    """The bytes are no frame; the connection cannot go on.

    Args:
        sentence: What is wrong, for the answer and the log.
        read: What was read of a message that grew too large; else None.
    """

    def __init__(self, sentence: str, read: bytes | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.read = read


class Frames:
    """Cuts a stream of bytes into messages.

    Args:
        largest: Most bytes of one message.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._buffer = bytearray()
        self._searched = 0

    @property
    def is_empty(self) -> bool:
        """Whether no message has begun."""
        return not self._buffer

    def feed(self, received: bytes) -> None:
        """Take bytes as they come."""
        self._buffer += received

    def take(self) -> bytes | None:
        """Return the next whole message, without its frame; None while it is not whole.

        Raises:
            BadFrame: Bytes stand outside a frame, a frame begins or ends within another, or it
                is too large.
        """
        buffer = self._buffer
        if not buffer:
            return None
        if not buffer.startswith(START):
            raise BadFrame("消息须以VT（0x0B）开始，帧外不得有其他字节")
        end = buffer.find(END[:1], max(self._searched, 1))
        length = (len(buffer) if end < 0 else end) - 1
        if length > self._largest:
            raise BadFrame(f"消息超过{self._largest}字节的上限", bytes(buffer[1:65_536]))
        if buffer.find(START, max(self._searched, 1), None if end < 0 else end) >= 0:
            raise BadFrame("上一条消息没有以FS CR结束", bytes(buffer[1:65_536]))
        if end < 0 or end + 1 == len(buffer):
            self._searched = len(buffer) if end < 0 else end
            return None
        if buffer[end + 1 : end + 2] != END[1:]:
            raise BadFrame("FS（0x1C）之后须为CR（0x0D）", bytes(buffer[1:65_536]))
        message = bytes(buffer[1:end])
        del buffer[: end + 2]
        self._searched = 0
        return message
