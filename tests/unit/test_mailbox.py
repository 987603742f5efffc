"""Telling trusts: over MLLP and HTTP, against listeners that behave and misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiohttp import web

from gateway.destination import InDoubt, Refused, Taken, Transmission, TransmitOutcome, TryLater
from gateway.domain.errors import ConfigurationError
from gateway.domain.partner import ReplyChannel
from gateway.mailbox import HttpMailbox, MllpMailbox, by_acknowledgement, mailboxes
from gateway.wire.mllp import frame
from tests import factories

_SENT = b"MSH|^~\\&|GW|X9HGW|EPMA|RBA|20261102090000||OMP^O09^OMP_O09|NEWS1|T|2.5.1\rORC|SC|RX1\r"


def _ack(code: str, about: str = "NEWS1") -> bytes:
    return f"MSH|^~\\&|EPMA|RBA|GW|X9HGW|20261102||ACK|A1|T|2.5.1\rMSA|{code}|{about}\r".encode()


def _news(octets: bytes = _SENT) -> Transmission:
    return Transmission(message_id=UUID(int=1), octets=octets, content_type="application/hl7-v2+er7", attempt=1)


_ACKNOWLEDGED: dict[str, type[TransmitOutcome]] = {
    "AA": Taken,
    "CA": Taken,
    "AR": TryLater,
    "CE": TryLater,
    "AE": Refused,
    "CR": Refused,
    "aa": InDoubt,
    "AX": InDoubt,
    "": InDoubt,
}


@pytest.mark.parametrize(("code", "outcome"), _ACKNOWLEDGED.items())
def test_only_the_six_codes_decide_anything(code: str, outcome: type[TransmitOutcome]) -> None:
    assert isinstance(by_acknowledgement(_ack(code), _SENT), outcome)


@pytest.mark.parametrize(
    "body",
    [_ack("AA", "NEWS2"), _ack("AA", ""), _ack("AA") + b"MSA|AA|NEWS1\r", b"", b"AA", b"MSH|^~\\&|EPMA\r"],
    ids=["another message", "no message", "two verdicts", "nothing", "no message at all", "no verdict"],
)
def test_an_acknowledgement_of_anything_else_proves_nothing(body: bytes) -> None:
    assert isinstance(by_acknowledgement(body, _SENT), InDoubt)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _listener(talk: Talk) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _answers(*answers: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\x1c\r")
            writer.write(answer)
            await writer.drain()
        await reader.read()

    return talk


async def test_news_goes_over_one_connection_one_at_a_time() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(3):
            assert await reader.readuntil(b"\x1c\r") == frame(_SENT)
            await asyncio.sleep(0.01)
            assert not reader._buffer  # type: ignore[attr-defined]  # the next message waits for this answer
            writer.write(frame(_ack("AA")))
        await reader.read()

    async with _listener(talk) as port:
        mailbox = MllpMailbox("127.0.0.1", port)
        outcomes = await asyncio.gather(*(mailbox.transmit(_news()) for _ in range(3)))
        await mailbox.close()
    assert all(isinstance(outcome, Taken) for outcome in outcomes)
    assert connections == 1


_MISBEHAVIOUR = {
    "hangs up": b"",
    "unframed": _ack("AA"),
    "two answers": frame(_ack("AA")) + frame(_ack("AA")),
    "half an answer": frame(_ack("AA"))[:-10],
    "a flood": b"\x0b" + b"x" * 100_000,
}


@pytest.mark.parametrize("answer", _MISBEHAVIOUR.values(), ids=_MISBEHAVIOUR)
async def test_a_listener_that_misbehaves_leaves_doubt(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x1c\r")
        writer.write(answer)
        await writer.drain()

    async with _listener(talk) as port:
        mailbox = MllpMailbox("127.0.0.1", port, answer_seconds=1)
        assert isinstance(await mailbox.transmit(_news()), InDoubt)
        await mailbox.close()


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x1c\r")
        await asyncio.sleep(0.2)
        writer.write(frame(_ack("AA")))
        await reader.read()

    async with _listener(talk) as port:
        mailbox = MllpMailbox("127.0.0.1", port, answer_seconds=0.1)
        first = await mailbox.transmit(_news())
        second = await mailbox.transmit(_news())
        await mailbox.close()
    assert isinstance(first, InDoubt)
    assert isinstance(second, InDoubt)


async def test_a_listener_that_went_away_between_two_messages_is_called_again() -> None:
    async with _listener(_answers(frame(_ack("AA")))) as port:
        mailbox = MllpMailbox("127.0.0.1", port)
        await mailbox.transmit(_news())
        await mailbox.close()
        assert isinstance(await mailbox.transmit(_news()), Taken)
        await mailbox.close()


async def test_a_listener_that_is_not_there_is_tried_later() -> None:
    assert isinstance(await MllpMailbox("127.0.0.1", 1).transmit(_news()), TryLater)


_OVER_HTTP: dict[str, tuple[int, str, bytes, type[TransmitOutcome]]] = {
    "200": (200, "", b"", Taken),
    "204": (204, "", b"", Taken),
    "an HL7 yes": (200, "application/hl7-v2+er7", _ack("AA"), Taken),
    "an HL7 no": (200, "application/hl7-v2+er7", _ack("AE"), Refused),
    "an HL7 yes to another": (200, "application/hl7-v2+er7", _ack("AA", "NEWS2"), InDoubt),
    "a page": (200, "text/html", b"<html></html>", InDoubt),
    "a flood": (200, "text/plain", b"x" * 100_000, InDoubt),
    "a redirect": (302, "", b"", InDoubt),
    "a refusal": (422, "", b"", Refused),
    "no such page": (404, "", b"", TryLater),
    "locked": (401, "", b"", TryLater),
    "busy": (503, "", b"", TryLater),
}


@pytest.mark.parametrize("case", _OVER_HTTP.values(), ids=_OVER_HTTP)
async def test_an_http_answer_means_what_the_table_says(case: tuple[int, str, bytes, type[TransmitOutcome]]) -> None:
    status, kind, body, expected = case
    got: list[tuple[str, bytes]] = []

    async def serve(request: web.Request) -> web.Response:
        got.append((request.headers["Authorization"], await request.read()))
        headers = {"Content-Type": kind} if kind else {}
        return web.Response(status=status, body=body, headers={**headers, "Location": "/elsewhere"})

    application = web.Application()
    application.router.add_post("/{rest:.*}", serve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mailbox = HttpMailbox(f"http://127.0.0.1:{runner.addresses[0][1]}/news", "a-token")
    outcome = await mailbox.transmit(_news())
    await mailbox.close()
    await runner.cleanup()
    assert isinstance(outcome, expected)
    assert got == [("Bearer a-token", _SENT)]


async def test_an_address_that_is_not_there_is_tried_later() -> None:
    mailbox = HttpMailbox("http://127.0.0.1:1/news")
    assert isinstance(await mailbox.transmit(_news()), TryLater)
    await mailbox.close()


def test_only_trusts_that_want_it_have_a_mailbox() -> None:
    quiet = factories.trust(tells=None)
    told = factories.trust(tells=ReplyChannel(kind="mllp", host="127.0.0.1", port=2576))
    assert mailboxes([quiet]) == {}
    assert isinstance(mailboxes([told])[told.ods], MllpMailbox)


@pytest.mark.parametrize(
    "channel", [ReplyChannel(kind="pigeon"), ReplyChannel(kind="mllp", host="h"), ReplyChannel(kind="http")]
)
def test_a_channel_that_leads_nowhere_stops_the_start(channel: ReplyChannel) -> None:
    with pytest.raises(ConfigurationError):
        mailboxes([factories.trust(tells=channel)])
