"""Where the trusts are told things after the first answer: over MLLP, or over HTTP in their own format."""

import asyncio
import json
import xml.etree.ElementTree as ET
from typing import Protocol

from aiohttp import web

from gateway.simulate.mllp_line import listen
from gateway.simulate.trusts import Trust


class Listener(Protocol):
    """Something that can be closed."""

    async def close(self) -> None:
        """Stop listening."""


async def listen_mllp(trust: Trust, host: str, port: int) -> Listener:
    """Open a trust's MLLP listener."""
    return _Mllp(await listen(host, port, trust.hear))


async def listen_http(trust: Trust, host: str, port: int) -> Listener:
    """Open a trust's HTTP listener at `/news`."""

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if body.startswith(b"MSH"):
            return web.Response(body=trust.hear(body), content_type="application/hl7-v2")
        try:
            about = _about_xml(body) if body.lstrip().startswith(b"<") else _about_fhir(body)
        except (ValueError, KeyError, ET.ParseError):
            return web.Response(status=400)
        trust.be_told(about, body)
        return web.Response(status=202)

    application = web.Application(client_max_size=1 << 20)
    application.router.add_post("/news", take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return _Http(runner)


class _Mllp:
    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    async def close(self) -> None:
        self._server.close()


class _Http:
    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner

    async def close(self) -> None:
        await self._runner.cleanup()


def _about_xml(body: bytes) -> str:
    """Give what a Receipt is about: the message it answers."""
    root = ET.fromstring(body)  # noqa: S314 - from the gateway, on loopback
    return root.get("inReplyTo") or root.get("messageId") or ""


def _about_fhir(body: bytes) -> str:
    """Give what a response message is about."""
    header = json.loads(body, parse_float=str)["entry"][0]["resource"]
    return str(header["response"]["identifier"])
