"""What a connection sets for itself on the way to another machine."""

import asyncio
import os
import socket
from types import SimpleNamespace

import pytest
import uvloop

from gateway.store.postgres.connection import _keep_alive


@pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_machine_that_went_without_a_word_is_found_out(make: object) -> None:
    assert callable(make)
    loop: asyncio.AbstractEventLoop = make()

    async def connect() -> None:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        _keep_alive(SimpleNamespace(_transport=transport))
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as same:
            assert same.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000
        transport.close()
        server.close()
        await server.wait_closed()

    loop.run_until_complete(connect())
    loop.close()


def test_a_way_through_the_file_system_needs_none_of_it() -> None:
    one, other = socket.socketpair()
    _keep_alive(SimpleNamespace(_transport=SimpleNamespace(get_extra_info=lambda _: one)))
    one.close()
    other.close()
