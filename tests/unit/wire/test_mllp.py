"""MLLP framing: whole messages or a breach, wherever the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.mllp import FrameDecoder, FrameViolation, frame

MESSAGE = b"MSH|^~\\&|EPMA\rPID|1\r"
bodies = st.binary(max_size=40).filter(lambda body: not {0x0B, 0x1C} & set(body))


@given(st.lists(bodies, max_size=4), st.data())
def test_messages_come_out_the_same_wherever_the_stream_is_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, messages))
    decoder, found, rest = FrameDecoder(100), [], stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += decoder.feed(rest[:size])
        rest = rest[size:]
    assert found == messages
    assert not decoder.pending


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"MSH", "FRAME_INVALID"),
        (b"\r" + frame(MESSAGE), "FRAME_INVALID"),
        (b"\x0bMSH\x1cX", "FRAME_INVALID"),
        (b"\x0bMSH\x1c\x0bMSH\x1c\r", "FRAME_INVALID"),
        (b"\x0bMSH|\x0bMSH\x1c\r", "FRAME_INVALID"),
        (b"\x0bMSH|a\x1c\rb\x1c\r", "FRAME_INVALID"),
        (b"\x0b" + b"x" * 101, "TOO_LARGE"),
        (frame(b"x" * 101), "TOO_LARGE"),
    ],
)
def test_a_breach_is_raised_and_stays(stream: bytes, code: str) -> None:
    decoder = FrameDecoder(100)
    for _ in range(2):
        with pytest.raises(FrameViolation) as caught:
            decoder.feed(stream)
        assert caught.value.code == code


def test_messages_before_a_breach_are_given_first() -> None:
    decoder = FrameDecoder(100)
    assert decoder.feed(frame(MESSAGE) + frame(MESSAGE)[:-1] + b"X") == [MESSAGE]
    with pytest.raises(FrameViolation):
        decoder.feed(b"")


def test_a_message_at_the_limit_passes() -> None:
    assert FrameDecoder(10).feed(frame(b"x" * 10)) == [b"x" * 10]


def test_a_stream_without_end_is_dropped_at_the_limit() -> None:
    decoder = FrameDecoder(1000)
    decoder.feed(b"\x0b")
    for _ in range(10):
        assert decoder.feed(b"x" * 100) == []
    with pytest.raises(FrameViolation) as caught:
        decoder.feed(b"x")
    assert len(caught.value.head) <= 1000
    assert not decoder.pending


def test_half_a_message_is_pending() -> None:
    decoder = FrameDecoder(100)
    assert decoder.feed(frame(MESSAGE)[:-1]) == []
    assert decoder.pending
    assert decoder.feed(b"\r") == [MESSAGE]


@pytest.mark.parametrize(("stream", "head"), [(b"MSH|^~\\&|A\r", b"MSH|^~\\&|A\r"), (b"GET / HTTP/1.1\r\n", b"")])
def test_a_message_without_a_block_is_shown_for_its_answer_and_other_bytes_are_not(stream: bytes, head: bytes) -> None:
    with pytest.raises(FrameViolation) as caught:
        FrameDecoder(100).feed(stream)
    assert caught.value.head == head


def test_what_arrived_of_a_block_that_did_not_end_is_known() -> None:
    decoder = FrameDecoder(100)
    decoder.feed(frame(MESSAGE)[:-2])
    assert decoder.begun == MESSAGE
