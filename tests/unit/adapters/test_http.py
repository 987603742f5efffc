"""The shared client: limits, and connections kept only where that is safe."""

import asyncio

from aiohttp import web

from adapters._http import MOST_OCTETS, Poster, Reply
from gateway.destination import InDoubt, Transmission, TryLater
from gateway.domain.identifiers import OdsCode, derived_id
from gateway.domain.partner import Environment, Provider


def _provider(url: str, *, repeats: bool) -> Provider:
    ods = OdsCode.parse("VNE51")
    assert ods is not None
    return Provider(
        ods=ods,
        name="Example",
        environment=Environment.TEST,
        adapter="x",
        endpoint=url,
        recognises_repeats=repeats,
        answers_within_seconds=5.0,
    )


_SENT = Transmission(message_id=derived_id("m"), octets=b"{}", content_type="application/json", attempt=1)


async def _serve(body: bytes, headers: dict[str, str], peers: list[object]) -> tuple[web.AppRunner, str]:
    async def take(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response(body=body, headers=headers)

    application = web.Application()
    application.router.add_post("/", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"


async def _post(body: bytes, headers: dict[str, str], *, repeats: bool = False) -> tuple[list[object], Reply | object]:
    peers: list[object] = []
    runner, url = await _serve(body, headers, peers)
    poster = Poster(_provider(url, repeats=repeats), accept="application/json")
    first = await poster.post(_SENT, {})
    await poster.post(_SENT, {})
    await poster.close()
    await runner.cleanup()
    return peers, first


async def test_what_went_wrong_is_said_in_words_and_named_for_the_log() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    poster = Poster(_provider(f"http://127.0.0.1:{port}/", repeats=False), accept="application/json")
    closed = await poster.post(_SENT, {})
    assert closed == InDoubt(
        reason="no answer: the connection was closed without an answer", failure="ServerDisconnectedError"
    )
    server.close()
    await server.wait_closed()
    away = await poster.post(_SENT, {})
    assert away == TryLater(
        reason="no connection: nothing takes connections at the address", failure="ClientConnectorError"
    )
    await poster.close()


async def test_a_body_up_to_the_limit_is_read_and_a_longer_one_is_doubt() -> None:
    _, whole = await _post(b"x" * MOST_OCTETS, {})
    assert isinstance(whole, Reply)
    assert len(whole.body) == MOST_OCTETS
    _, longer = await _post(b"x" * (MOST_OCTETS + 1), {})
    assert isinstance(longer, InDoubt)


async def test_a_connection_is_kept_only_for_a_provider_that_recognises_repeats() -> None:
    peers, _ = await _post(b"", {}, repeats=False)
    assert len(set(peers)) == 2
    peers, _ = await _post(b"", {}, repeats=True)
    assert len(set(peers)) == 1


async def test_a_wait_is_read_in_seconds_only_and_within_reason() -> None:
    for header, expected in {"5": 5.0, "Mon, 02 Nov 2026 09:00:00 GMT": None, "-1": None, "9" * 20: 3600.0}.items():
        _, reply = await _post(b"", {"Retry-After": header})
        assert isinstance(reply, Reply)
        assert reply.retry_after_seconds == expected
