"""MLLP framing, strictly: bytes in, whole messages out, or the first breach. No sockets here.

A block is 0B, the message, 1C 0D. Bytes outside a block, a block inside a block and a 1C without its 0D are
breaches: where a frame ends is never guessed, for a wrong guess makes two prescriptions of one.

Source: HL7 MLLP release 2; reliability-security.md H01 to H07.
"""

START = b"\x0b"
END = b"\x1c"
RETURN = b"\r"


class FrameViolation(Exception):
    """The peer broke the framing; the connection is to be closed.

    Attributes:
        code: FRAME_INVALID or TOO_LARGE, of the table of issue codes.
        text: what is wrong.
        head: what arrived of the message, for an answer; may be empty.
    """

    def __init__(self, code: str, text: str, head: bytes = b"") -> None:
        super().__init__(text)
        self.code, self.text, self.head = code, text, head


def frame(message: bytes) -> bytes:
    """Wrap one message in a block."""
    return START + message + END + RETURN


class FrameDecoder:
    """Cuts a stream into messages.

    Args:
        limit: the longest message, in bytes. No more than this and one chunk is ever kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 1
        self._breach: FrameViolation | None = None

    @property
    def pending(self) -> bool:
        """Whether a block has begun and not ended."""
        return bool(self._buffer)

    @property
    def begun(self) -> bytes:
        """What has arrived of the message whose block has not ended."""
        return bytes(self._buffer[1:])

    def feed(self, octets: bytes) -> list[bytes]:
        """Take what arrived and give the messages it completed.

        Messages before a breach are given first; the breach is raised by the next call.

        Raises:
            FrameViolation: now, and at every later call.
        """
        if self._breach:
            raise self._breach
        self._buffer += octets
        messages: list[bytes] = []
        try:
            while (message := self._next()) is not None:
                messages.append(message)
        except FrameViolation as breach:
            self._breach = breach
            self._buffer.clear()
            if not messages:
                raise
        return messages

    def _next(self) -> bytes | None:
        """Cut one message off the front, or None while it has no end yet."""
        buffer = self._buffer
        if not buffer:
            return None
        if buffer[0] != START[0]:
            head = bytes(buffer[: self._limit]) if buffer.startswith(b"MSH") else b""  # a message that lacks its block
            raise FrameViolation("FRAME_INVALID", "Bytes stand outside an MLLP block; a block begins with 0B.", head)
        end = buffer.find(END, self._searched)
        nested = buffer.find(START, self._searched, end if end >= 0 else len(buffer))
        length = (end if end >= 0 else len(buffer)) - 1
        if nested >= 0:
            raise self._violation("FRAME_INVALID", "0B stands inside an MLLP block.", nested)
        if length > self._limit:
            raise self._violation("TOO_LARGE", f"A message may have {self._limit} bytes.", self._limit)
        if end < 0 or end + 1 == len(buffer):
            self._searched = end if end >= 0 else len(buffer)
            return None
        if buffer[end + 1] != RETURN[0]:
            raise self._violation("FRAME_INVALID", "1C must be followed by 0D and ends the block.", end)
        if len(buffer) > end + 2 and buffer[end + 2] != START[0]:
            raise self._violation("FRAME_INVALID", "Bytes follow the end of an MLLP block.", end)
        message = bytes(buffer[1:end])
        del buffer[: end + 2]
        self._searched = 1
        return message

    def _violation(self, code: str, text: str, end: int) -> FrameViolation:
        return FrameViolation(code, text, bytes(self._buffer[1:end]))
