"""Every installed adapter against a real server that behaves, misbehaves and lies.

A new adapter is tested by being installed; an adapter whose contract differs in what success looks like states it in
`CONTRACTS` below.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from uuid import UUID

import pytest
from aiohttp import web

from gateway.destination import (
    CONTRACT_VERSION,
    Destination,
    InDoubt,
    Promises,
    Refused,
    Rendered,
    Taken,
    Transmission,
    TransmitOutcome,
    TryLater,
    Unrecognised,
)
from gateway.domain.acknowledgement import Acknowledgement
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Environment, Provider
from gateway.wire.strict_json import dumps
from tests import factories

_MESSAGE = UUID("0d3f1c52-6a7e-4f4e-9f0b-7a1b2c3d4e5f")
_ITEM = "a54219b8-f741-4c47-b662-e4f8dfa49ab6"
_OTHER = "11111111-6a7e-4f4e-9f0b-7a1b2c3d4e5f"
_FHIR = "application/fhir+json"

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Contract:
    """How one adapter's provider speaks.

    Attributes:
        inline: a complete answer to `message` about the item, accepting it; and its media type.
        refusal: a body that refuses, with status 422.
        unknown_words: answers well formed but for one word nobody agreed on.
    """

    media_type: str
    inline: Callable[[str], bytes]
    refusal: bytes
    unknown_words: dict[str, bytes]


def _sandbox(message: str = str(_MESSAGE), **change: object) -> bytes:
    said = {"answer": "a1", "message": message, "item": _ITEM, "status": "accepted"} | change
    return dumps(said)  # type: ignore[arg-type]


def _fhir(message: str = str(_MESSAGE), *, code: str = "ok", event: str = "prescription-order-response") -> bytes:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-event", "code": event},
        "response": {"identifier": message, "code": code},
    }
    return dumps(
        {
            "resourceType": "Bundle",
            "identifier": {"value": "b1"},
            "type": "message",
            "entry": [{"resource": header}],  # type: ignore[dict-item]
        }
    )


def _outcome_resource(severity: str, code: str = "invalid") -> bytes:
    return dumps({"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]})


CONTRACTS: dict[str, Contract] = {
    "sandbox": Contract(
        media_type="application/json",
        inline=_sandbox,
        refusal=b'{"refused": "not one of ours"}',
        unknown_words={
            "a new status": _sandbox(status="fine"),
            "a status in capitals": _sandbox(status="ACCEPTED"),
            "an extra member": _sandbox(urgent=True),
            "an amount in words": _sandbox(status="delivered", amount="two"),
        },
    ),
    "fhir_push": Contract(
        media_type=_FHIR,
        inline=_fhir,
        refusal=_outcome_resource("error"),
        unknown_words={
            "a new response code": _fhir(code="fine"),
            "a new event": _fhir(event="prescription-thanks"),
            "no Bundle": _outcome_resource("information"),
        },
    ),
}


@dataclass(kw_only=True)
class Server:
    """A provider's system on loopback: serves as told, and keeps what it got."""

    serve: Serve
    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return await self.serve(request)


@asynccontextmanager
async def _server(serve: Serve) -> AsyncIterator[Server]:
    server = Server(serve=serve)
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", server.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/messages"
    try:
        yield server
    finally:
        await runner.cleanup()


def _provider(adapter: str, url: str) -> Provider:
    ods = OdsCode.parse("VNE51")
    assert ods is not None
    return Provider(
        ods=ods,
        name="Example",
        environment=Environment.TEST,
        adapter=adapter,
        endpoint=url,
        token="a-token",
        answers_within_seconds=1.0,
    )


def _transmission(octets: bytes = b'{"resourceType":"Bundle"}') -> Transmission:
    return Transmission(message_id=_MESSAGE, octets=octets, content_type=_FHIR, attempt=1)


def _says(
    status: int, body: bytes = b"", media_type: str = "application/json", headers: dict[str, str] | None = None
) -> Serve:
    async def serve(_: web.Request) -> web.StreamResponse:
        kind = {"Content-Type": media_type} if body else {}
        return web.Response(status=status, body=body, headers={**kind, **(headers or {})})

    return serve


async def _cuts(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _cuts_midway(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"answer": ')
    assert request.transport is not None
    request.transport.abort()
    return response


async def _sleeps(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response(status=202)


async def _never_ends(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


_DOUBTFUL: dict[str, Serve] = {
    "an empty 200": _says(200),
    "a 200 with a page": _says(200, b"<html>Welcome to the Wi-Fi</html>", "text/html"),
    "a 202 with a page": _says(202, b"<html>Taken!</html>", "text/html"),
    "a 204": _says(204),
    "a 200 with broken JSON": _says(200, b'{"answer":'),
    "a 200 with JSON nobody agreed on": _says(200, b'{"status": "accepted"}'),
    "a 200 with an OperationOutcome error": _says(200, _outcome_resource("error"), _FHIR),
    "a 422 that says it has one": _says(422, _outcome_resource("error", "duplicate"), _FHIR),
    "a 400 that names the EPS code": _says(400, _outcome_resource("error", "DUPLICATE_PRESCRIPTION_ID"), _FHIR),
    "a 409": _says(409),
    "a 400 without a reason": _says(400),
    "a 400 page": _says(400, b"<html>Bad</html>", "text/html"),
    "a 500": _says(500),
    "a 502 page": _says(502, b"<html>Bad gateway</html>", "text/html"),
    "a 504": _says(504),
    "a redirect": _says(301, headers={"Location": "/elsewhere"}),
    "a temporary redirect": _says(307, headers={"Location": "/elsewhere"}),
    "a compressed body": _says(200, b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "a connection cut after sending": _cuts,
    "a connection cut within the answer": _cuts_midway,
    "no answer in time": _sleeps,
    "a body without end": _never_ends,
}
_LATER: dict[str, Serve] = {
    "a 503": _says(503),
    "a 503 page": _says(503, b"<html>Maintenance</html>", "text/html"),
    "a 429": _says(429, headers={"Retry-After": "7"}),
}


def _adapter(name: str, url: str) -> Destination:
    entry = next(entry for entry in entry_points(group="gateway.adapters") if entry.name == name)
    made: Destination = entry.load()(_provider(name, url))
    return made


async def _transmit(name: str, serve: Serve) -> tuple[TransmitOutcome, Server]:
    async with _server(serve) as server:
        adapter = _adapter(name, server.url)
        try:
            async with asyncio.timeout(5):
                return await adapter.transmit(_transmission()), server
        finally:
            await adapter.close()


NAMES = sorted(entry.name for entry in entry_points(group="gateway.adapters"))
each_adapter = pytest.mark.parametrize("name", NAMES)


def test_every_installed_adapter_is_exercised() -> None:
    assert set(CONTRACTS) == set(NAMES)


@each_adapter
async def test_a_message_that_is_taken_leaves_byte_for_byte_and_once(name: str) -> None:
    outcome, server = await _transmit(name, _says(202))
    assert isinstance(outcome, Taken)
    assert [body for _, body in server.got] == [_transmission().octets]
    headers = server.got[0][0]
    assert headers["content-type"] == _FHIR
    assert headers["authorization"] == "Bearer a-token"


@each_adapter
async def test_an_inline_answer_to_this_message_is_read(name: str) -> None:
    contract = CONTRACTS[name]
    outcome, _ = await _transmit(name, _says(200, contract.inline(str(_MESSAGE)), contract.media_type))
    assert isinstance(outcome, Taken)
    assert outcome.evidence
    assert outcome.acknowledgement is not None
    assert outcome.acknowledgement.correlation == _MESSAGE


@each_adapter
async def test_an_inline_answer_to_another_message_proves_nothing(name: str) -> None:
    contract = CONTRACTS[name]
    outcome, _ = await _transmit(name, _says(200, contract.inline(_OTHER), contract.media_type))
    assert isinstance(outcome, InDoubt)


@each_adapter
async def test_a_refusal_of_the_message_is_a_refusal(name: str) -> None:
    contract = CONTRACTS[name]
    outcome, _ = await _transmit(name, _says(422, contract.refusal, contract.media_type))
    assert isinstance(outcome, Refused)
    assert outcome.reason


@each_adapter
@pytest.mark.parametrize("serve", _LATER.values(), ids=_LATER)
async def test_a_busy_provider_is_tried_later(name: str, serve: Serve) -> None:
    outcome, server = await _transmit(name, serve)
    assert isinstance(outcome, TryLater)
    assert len(server.got) == 1


@each_adapter
async def test_the_wait_a_provider_asks_for_is_kept(name: str) -> None:
    outcome, _ = await _transmit(name, _LATER["a 429"])
    assert isinstance(outcome, TryLater)
    assert outcome.after_seconds == 7.0


@each_adapter
@pytest.mark.parametrize("url", ["http://127.0.0.1:1/messages", "http://no-such-host.invalid/messages"])
async def test_a_provider_that_cannot_be_reached_is_tried_later(name: str, url: str) -> None:
    adapter = _adapter(name, url)
    try:
        assert isinstance(await adapter.transmit(_transmission()), TryLater)
    finally:
        await adapter.close()


@each_adapter
@pytest.mark.parametrize("serve", _DOUBTFUL.values(), ids=_DOUBTFUL)
async def test_whatever_is_not_in_the_contract_leaves_doubt(name: str, serve: Serve) -> None:
    outcome, server = await _transmit(name, serve)
    assert isinstance(outcome, InDoubt)
    assert len(server.got) == 1, "nothing is sent twice, and redirects are not followed"


@each_adapter
async def test_two_messages_at_once_get_each_their_own_outcome(name: str) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        return web.Response(status=202 if await request.read() == b"one" else 503)

    async with _server(serve) as server:
        adapter = _adapter(name, server.url)
        one, two = await asyncio.gather(
            adapter.transmit(_transmission(b"one")), adapter.transmit(_transmission(b"two"))
        )
        await adapter.close()
    assert isinstance(one, Taken)
    assert isinstance(two, TryLater)


@each_adapter
async def test_closing_before_or_after_use_is_harmless(name: str) -> None:
    adapter = _adapter(name, "http://127.0.0.1:1/messages")
    await adapter.close()
    await adapter.close()


@each_adapter
def test_the_promises_are_of_this_contract(name: str) -> None:
    adapter = _adapter(name, "http://127.0.0.1:1/messages")
    assert isinstance(adapter.promises, Promises)
    assert adapter.promises.contract == CONTRACT_VERSION
    assert adapter.name == name
    assert adapter.promises.formats


@each_adapter
def test_what_is_carried_or_not_is_said_at_once_and_purely(name: str) -> None:
    adapter = _adapter(name, "http://127.0.0.1:1/messages")
    prescription = factories.prescription()
    before = replace(prescription)
    assert {issue.code for issue in adapter.cannot_carry(prescription)} <= {"PROVIDER_CANNOT_CARRY"}
    rendered = adapter.render(prescription, b"{}")
    assert rendered == adapter.render(prescription, b"{}")
    assert rendered is None or (isinstance(rendered, Rendered) and rendered.content_type in adapter.promises.formats)
    assert prescription == before


@each_adapter
def test_a_callback_is_read(name: str) -> None:
    read = _adapter(name, "http://127.0.0.1:1/").read_acknowledgement({}, CONTRACTS[name].inline(str(_MESSAGE)))
    assert isinstance(read, Acknowledgement)
    assert not read.issues
    assert read.id
    assert read.correlation == _MESSAGE
    assert read.reports


_NOT_ANSWERS = {
    "nothing": b"",
    "a page": b"<html></html>",
    "half an object": b'{"answer"',
    "a list": b"[]",
    "a number": b"7",
    "not UTF-8": b'{"answer": "\xff"}',
    "a member twice": b'{"answer": "a", "answer": "b"}',
    "nested without end": b"[" * 100_000,
}


@each_adapter
@pytest.mark.parametrize("body", _NOT_ANSWERS.values(), ids=_NOT_ANSWERS)
def test_what_is_no_answer_is_unrecognised_and_says_why(name: str, body: bytes) -> None:
    read = _adapter(name, "http://127.0.0.1:1/").read_acknowledgement({}, body)
    assert isinstance(read, Unrecognised)
    assert read.issues


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param(name, body, id=f"{name}: {words}")
        for name, contract in CONTRACTS.items()
        for words, body in contract.unknown_words.items()
    ],
)
def test_an_unknown_word_is_an_issue_and_never_a_success(name: str, body: bytes) -> None:
    read = _adapter(name, "http://127.0.0.1:1/").read_acknowledgement({}, body)
    assert read.issues
