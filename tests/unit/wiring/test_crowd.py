"""Who comes when the door is full hears it in its own format, and when to come again."""

import asyncio

import aiohttp
import pytest
from starlette.responses import PlainTextResponse

from gateway.wiring.crowd import Crowd
from tests.doors import served


@pytest.mark.parametrize(
    ("path", "mark"), [("/hl7v2", b"MSA|AR"), ("/FHIR/R4/$process-message", b"OperationOutcome"), ("/xml", b"<")]
)
async def test_beyond_the_limit_a_caller_is_told_when_to_come_again(path: str, mark: bytes) -> None:
    open_now = 3
    crowd = Crowd(PlainTextResponse("in"), most=2, connections=lambda: open_now)
    async with served(crowd) as address, aiohttp.ClientSession() as client:
        async with client.post(address + path, data=b"x") as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
            assert mark in await response.read()
        open_now = 2
        await asyncio.sleep(0)
        async with client.post(address + path, data=b"x") as response:
            assert (response.status, await response.text()) == (200, "in")
