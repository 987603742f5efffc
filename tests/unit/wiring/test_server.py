"""The HTTP server ends as soon as it is told to, and meanwhile looks no oftener than the Date header wants."""

import asyncio
import time
from email.utils import parsedate_to_datetime

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.wiring.doors import Server, open_socket


async def _empty(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class _Counted(Server):
    looks = 0

    async def on_tick(self, counter: int) -> bool:
        self.looks += 1
        return await super().on_tick(counter)


def _server() -> _Counted:
    return _Counted(uvicorn.Config(_empty, lifespan="off", log_config=None))


async def _asked(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_stop_is_heard_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.wiring.doors._DATE_SECONDS", 3600.0)
    server, taken = _server(), open_socket("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    assert b"204" in await _asked(taken.getsockname()[1])
    server.stop()
    async with asyncio.timeout(60):
        await serving


async def test_a_server_told_to_stop_before_it_began_ends() -> None:
    server = _server()
    server.stop()
    async with asyncio.timeout(60):
        await server.serve(sockets=[open_socket("127.0.0.1", 0)])


async def test_the_date_of_an_answer_is_renewed_and_nothing_else_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.wiring.doors._DATE_SECONDS", 0.5)
    server, taken = _server(), open_socket("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    begun = time.monotonic()
    await asyncio.sleep(2)
    answer = await _asked(taken.getsockname()[1])
    lasted = time.monotonic() - begun
    dated = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"date: "))
    age = time.time() - parsedate_to_datetime(dated[6:].decode()).timestamp()
    assert age < lasted + 1
    assert 2 <= server.looks <= lasted / 0.5 + 2
    server.stop()
    await serving
