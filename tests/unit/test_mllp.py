"""The MLLP listener on a real socket; H01 to H07 of the bad-input corpus."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import hl7
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from structlog.testing import capture_logs

from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode
from gateway.domain.issue import Issue
from gateway.domain.submission import Answer, Submission
from gateway.mllp import MllpListener, Peer, by_certificate, by_sending_facility
from gateway.telemetry import Metrics
from tests.doors import NHS_NUMBER, NOW, RBA, RZA

FACILITIES = {"RBA": RBA, "RBA11": RBA, "RZA": RZA}


def message(control_id: str = "M1", facility: str = "RBA", text: str = "x") -> bytes:
    header = rf"MSH|^~\&|EPMA|{facility}|GW|X9HGW|20261122||RDE^O11^RDE_O11|{control_id}|T|2.5.1"
    return f"{header}\rPID|1||{text}\r".encode()


def framed(octets: bytes) -> bytes:
    return b"\x0b" + octets + b"\x1c\r"


class Story:
    """Answers with the control id it read, after a little while."""

    def __init__(self) -> None:
        self.taken: list[Submission] = []
        self.refused: list[Submission] = []
        self.fails: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def receive(self, submission: Submission) -> Answer:
        self.asked.set()
        await self.gate.wait()
        if self.fails:
            raise self.fails
        self.taken.append(submission)
        control_id = submission.body.split(b"|")[9]
        await asyncio.sleep(0.01 if control_id.endswith(b"1") else 0)  # the first is the slowest
        return Answer(body=b"AA " + control_id, content_type="application/hl7-v2+er7", http_status=200)

    async def refuse(self, submission: Submission, issue: Issue) -> Answer:
        if self.fails:
            raise self.fails
        self.refused.append(submission)
        return Answer(body=issue.code.encode(), content_type="application/hl7-v2+er7", http_status=400)


@asynccontextmanager
async def listening(story: Story, **change: Any) -> AsyncIterator[tuple[MllpListener, int]]:
    settings: dict[str, Any] = {
        "tenant_of": by_sending_facility(FACILITIES),
        "now": lambda: NOW,
        "metrics": Metrics(),
        "idle_seconds": 5.0,
        "limit": 4096,
    }
    listener = MllpListener(story.receive, **(settings | change))
    port = await listener.start("127.0.0.1", 0)
    try:
        yield listener, port
    finally:
        await listener.close(drain_seconds=1)


async def exchange(port: int, *chunks: bytes, until_closed: bool = False, **options: Any) -> bytes:
    """Send chunks, each in a write of its own, and give what came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        if not until_closed:
            writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.read(-1)
    except ConnectionResetError:
        return b""
    finally:
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_a_message_is_answered_in_a_frame_and_belongs_to_its_sender() -> None:
    story = Story()
    async with listening(story) as (_, port):
        assert await exchange(port, framed(message(facility="RBA11"))) == framed(b"AA M1")
    (submission,) = story.taken
    assert (submission.tenant, submission.body, submission.received_at) == (RBA, message(facility="RBA11"), NOW)


async def test_several_messages_on_one_connection_are_answered_one_by_one_in_order() -> None:
    story = Story()
    octets = b"".join(framed(message(f"M{number}")) for number in range(1, 6))
    async with listening(story) as (_, port):
        answers = await exchange(port, octets)
    assert answers == b"".join(framed(f"AA M{number}".encode()) for number in range(1, 6))


async def test_a_message_split_at_any_byte_is_the_same_message() -> None:
    story = Story()
    octets = framed(message("M2"))
    async with listening(story) as (_, port):
        for at in range(1, len(octets)):
            assert await exchange(port, octets[:at], octets[at:]) == framed(b"AA M2")
    assert {submission.body for submission in story.taken} == {message("M2")}


async def test_connections_do_not_wait_for_each_other() -> None:
    story = Story()
    async with listening(story) as (_, port):
        silent = await asyncio.open_connection("127.0.0.1", port)
        answers = await asyncio.gather(*(exchange(port, framed(message(f"C{number}"))) for number in range(20)))
        await hang_up(silent[1])
    assert answers == [framed(f"AA C{number}".encode()) for number in range(20)]


@pytest.mark.parametrize(
    ("octets", "negative"),
    [
        (message(), True),
        (b"GET / HTTP/1.1\r\n\r\n", False),
        (b"\r\n" + framed(message()), False),
        (b"\x0b" + message() + b"\x0b" + message("M2") + b"\x1c\r", True),
        (b"\x0b" + b"a" * 5000, False),
        (b"\x0b" + b"a" * 5000 + b"\x1c\r", False),
        (b"\x0b" + message(text="a" * 300_000) + b"\x1c\r", True),
    ],
    ids=[
        "no start",
        "another protocol",
        "bytes before",
        "a frame inside a frame",
        "too large",
        "too large, ended",
        "too large, a message",
    ],
)
async def test_a_breach_of_the_framing_ends_the_connection_and_stores_nothing(octets: bytes, *, negative: bool) -> None:
    story = Story()
    async with listening(story) as (_, port):
        with capture_logs() as logs:
            answer = await exchange(port, octets, until_closed=True)
    assert not story.taken
    assert any(line["event"] == "security" for line in logs)
    assert (b"MSA|AR" in answer) == negative
    assert b"MSA|AA" not in answer


@pytest.mark.parametrize("end", [b"\x1c", b"\x1cX"], ids=["end without return", "end and something else"])
async def test_what_follows_a_broken_end_is_never_taken_for_a_message(end: bytes) -> None:
    story = Story()
    async with listening(story) as (_, port):
        await exchange(port, b"\x0b" + message() + end + framed(message("M2")), until_closed=True)
    assert not story.taken


async def test_messages_before_a_breach_are_answered_and_none_after_it() -> None:
    story = Story()
    async with listening(story) as (_, port):
        answer = await exchange(port, framed(message("M1")) + b"junk" + framed(message("M2")), until_closed=True)
    assert len(story.taken) <= 1
    assert b"M2" not in answer


async def test_a_message_that_never_ends_is_refused_after_a_while_and_not_taken() -> None:
    story = Story()
    async with listening(story, idle_seconds=0.1) as (_, port):
        with capture_logs() as logs:
            answer = await exchange(port, b"\x0b" + message(), until_closed=True)
    assert b"MSA|AR|M1" in answer
    assert b"FRAME_INVALID" in answer
    assert not story.taken
    assert any(line.get("what") == "silent" for line in logs)


async def test_a_sender_who_leaves_in_the_middle_leaves_a_trace_and_no_message() -> None:
    story = Story()
    async with listening(story) as (_, port):
        with capture_logs() as logs:
            answer = await exchange(port, b"\x0b" + message())
    assert b"MSA|AR|M1" in answer
    assert not story.taken
    assert any(line.get("what") == "truncated" for line in logs)


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (b"\x0b" + message(), message()),
        (message(), message()),
        (b"\x0b" + message() + b"\x1cX", message()),
        (b"\x0b" + message(text="a" * 5000), b""),
        (b"\x0b" + message(facility="NOBODY"), None),
        (b"GET / HTTP/1.1\r\n\r\n", None),
    ],
    ids=["cut short", "no frame", "a broken end", "too large", "from nobody we know", "no message"],
)
async def test_what_was_refused_for_its_framing_is_kept_apart_where_the_sender_is_known(
    octets: bytes, kept: bytes | None
) -> None:
    story = Story()
    async with listening(story, refuse=story.refuse) as (_, port):
        await exchange(port, octets)
    assert [one.body for one in story.refused] == ([] if kept is None else [kept])
    assert all((one.too_large is not None) == (kept == b"") for one in story.refused)


async def test_a_full_disk_does_not_take_away_the_answer_to_a_broken_frame() -> None:
    story = Story()
    story.fails = Unavailable("the disk is full")
    async with listening(story, refuse=story.refuse) as (_, port):
        assert b"FRAME_INVALID" in await exchange(port, message())


async def test_when_nothing_was_stored_the_sender_is_told_to_send_it_again_and_may() -> None:
    story = Story()
    story.fails = Unavailable("the disk is full")
    async with listening(story) as (_, port):
        answer = await exchange(port, framed(message("M7")))
    parsed = hl7.parse(answer[1:-2].decode())
    assert str(parsed.segment("MSA")[1]) == "AR"
    assert str(parsed.segment("MSA")[2]) == "M7"
    assert "207" in str(parsed.segment("ERR"))
    assert b"disk" not in answer


async def test_an_unforeseen_error_says_nothing_and_the_connection_goes_on() -> None:
    story = Story()
    story.fails = ValueError(NHS_NUMBER)
    async with listening(story) as (_, port):
        with capture_logs() as logs:
            answer = await exchange(port, framed(message("M7")) + framed(message("M8")))
    assert answer.count(b"MSA|AR") == 2
    assert NHS_NUMBER not in answer.decode() + repr(logs)
    assert any(line.get("error") == "ValueError" for line in logs)


@pytest.mark.parametrize(
    "octets", [message(facility="RXX"), message(facility=""), b"", b"PID|1", b"MSH", b"MSH|", b"\xff" * 20], ids=repr
)
async def test_a_sender_nobody_knows_is_told_so_and_only_a_digest_is_kept(octets: bytes) -> None:
    story = Story()
    async with listening(story) as (_, port):
        with capture_logs() as logs:
            answer = await exchange(port, framed(octets))
    assert b"MSA|AR" in answer
    assert not story.taken
    (event,) = (line for line in logs if line.get("what") == "unknown_sender")
    assert event["digest"] == hashlib.sha256(octets).hexdigest()
    assert event["bytes"] == len(octets)


async def test_separators_are_the_message_s_own() -> None:
    octets = rb"MSH#*~\&#EPMA#RZA*x#GW#X9HGW#20261122##RDE*O11#M1#T#2.5.1" + b"\r"
    assert by_sending_facility(FACILITIES)(Peer(host="127.0.0.1"), octets) == RZA


async def test_a_sender_that_does_not_read_is_not_read_from() -> None:
    story = Story()
    story.gate.clear()
    async with listening(story) as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.set_write_buffer_limits(high=0)
        for number in range(4000):
            writer.write(framed(message(str(number), text="a" * 3000)))
        await asyncio.sleep(0.1)
        assert writer.transport.get_write_buffer_size() > 0
        writer.transport.abort()
        await hang_up(writer)
        story.gate.set()


async def test_one_connection_too_many_is_closed_as_it_opens() -> None:
    story = Story()
    async with listening(story, most_connections=1) as (_, port):
        _, first = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.02)
        assert await exchange(port, framed(message()), until_closed=True) == b""
        await hang_up(first)
        await asyncio.sleep(0.02)
        assert await exchange(port, framed(message())) == framed(b"AA M1")


async def test_a_stop_finishes_the_answer_under_way_and_takes_no_more() -> None:
    story = Story()
    story.gate.clear()
    async with listening(story) as (listener, port):
        asked = asyncio.create_task(exchange(port, framed(message("M9")), until_closed=True))
        idle = asyncio.create_task(exchange(port, until_closed=True))
        await story.asked.wait()
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(listener.close(drain_seconds=5))
        await asyncio.sleep(0.05)
        assert await idle == b""
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", port)
        story.gate.set()
        assert await asked == framed(b"AA M9")
        await stopping


async def test_a_stop_does_not_wait_for_ever() -> None:
    story = Story()
    story.gate.clear()
    async with listening(story) as (listener, port):
        asked = asyncio.create_task(exchange(port, framed(message("M9")), until_closed=True))
        await story.asked.wait()
        async with asyncio.timeout(2):
            await listener.close(drain_seconds=0.1)
        assert await asked == b""


class Authority:
    """A certificate authority with a gateway and two trusts."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.server = self.ca.issue_cert("127.0.0.1")
        self.trusts = {ods: self.ca.issue_cert(f"{ods}.example") for ods in (RBA, RZA)}

    def listening(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.configure_cert(context)
        self.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def calling(self, certificate: trustme.LeafCert | None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if certificate:
            certificate.configure_cert(context)
        return context

    def tenants(self) -> dict[str, OdsCode]:
        return {fingerprint(certificate): ods for ods, certificate in self.trusts.items()}


def fingerprint(certificate: trustme.LeafCert) -> str:
    pem = load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())
    return hashlib.sha256(pem.public_bytes(Encoding.DER)).hexdigest()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def test_with_tls_the_certificate_decides_and_not_the_message(authority: Authority) -> None:
    story = Story()
    tls = {"tls": authority.listening(), "tenant_of": by_certificate(authority.tenants())}
    async with listening(story, **tls) as (_, port):
        for ods, certificate in authority.trusts.items():
            context = authority.calling(certificate)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(framed(message(facility="RZA")))
            assert await reader.readexactly(len(framed(b"AA M1"))) == framed(b"AA M1")
            await hang_up(writer)
            assert story.taken[-1].tenant == ods


async def test_no_sender_can_take_every_connection(authority: Authority) -> None:
    story = Story()
    tls = {"tls": authority.listening(), "tenant_of": by_certificate(authority.tenants()), "most_of_one": 2}
    (_, greedy), (_, other) = authority.trusts.items()
    async with listening(story, **tls) as (_, port):
        held = [
            await asyncio.open_connection("127.0.0.1", port, ssl=authority.calling(certificate))
            for certificate in (greedy, greedy, other)
        ]
        for context, expected in ((authority.calling(greedy), b""), (authority.calling(other), framed(b"AA M1"))):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            with suppress(ConnectionError):
                writer.write(framed(message()))
                assert await reader.read(len(framed(b"AA M1"))) == expected
            await hang_up(writer)
        for _, writer in held:
            await hang_up(writer)
    assert len(story.taken) == 1


async def test_with_tls_a_certificate_of_nobody_we_know_gets_no_message_in(authority: Authority) -> None:
    story = Story()
    stranger = authority.ca.issue_cert("stranger.example")
    tls = {"tls": authority.listening(), "tenant_of": by_certificate(authority.tenants())}
    async with listening(story, **tls) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.calling(stranger))
        writer.write(framed(message()))
        assert b"MSA|AR" in await reader.readuntil(b"\x1c\r")
        await hang_up(writer)
    assert not story.taken


async def read_one(port: int, context: ssl.SSLContext) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(framed(message()))
        return await reader.readexactly(1)
    finally:
        await hang_up(writer)


@pytest.mark.parametrize("foreign", [False, True], ids=["no certificate", "another authority's certificate"])
async def test_with_tls_a_caller_without_a_certificate_of_ours_is_cut_off(
    authority: Authority, *, foreign: bool
) -> None:
    story = Story()
    certificate = trustme.CA().issue_cert("RBA.example") if foreign else None
    tls = {"tls": authority.listening(), "tenant_of": by_certificate(authority.tenants())}
    async with listening(story, **tls) as (_, port):
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await read_one(port, authority.calling(certificate))
    assert not story.taken


async def test_w20_plain_text_at_a_port_with_tls_is_cut_off(authority: Authority) -> None:
    story = Story()
    tls = {"tls": authority.listening(), "tenant_of": by_certificate(authority.tenants())}
    async with listening(story, **tls) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x0bMSH|^~\\&|\x1c\r")
        with suppress(ConnectionError):
            assert b"MSA" not in await asyncio.wait_for(reader.read(), 5)
        await hang_up(writer)
    assert not story.taken


def test_a_listener_whose_tls_does_not_ask_for_a_certificate_is_refused() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ValueError, match="client certificate"):
        MllpListener(Story().receive, tenant_of=by_certificate({}), now=lambda: NOW, metrics=Metrics(), tls=context)


def test_a_message_is_not_taken_at_its_word_when_there_is_a_certificate() -> None:
    assert by_sending_facility(FACILITIES)(Peer(host="x", certificate=b"der"), message()) is None
