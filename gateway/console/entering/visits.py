"""Around every page: says who makes the request before it is answered, and keeps what it leaves for the next one."""

from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.site import BY_ITSELF, HOME, Site

_OF_NOBODY: Final = f"{HOME}static/"
_STREAM: Final = f"{HOME}events"


class Visits:
    """What stands between the server and the pages.

    Args:
        app: the pages.
        site: what they share.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope)
        if request.url.path.startswith(_OF_NOBODY):
            await self._app(scope, receive, send)
            return
        asks = BY_ITSELF not in request.headers and request.url.path != _STREAM
        visit = await self._site.sessions.visit(self._site.cookie.of(request), asks=asks)
        request.state.visit = visit

        async def leaving(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._site.sessions.left(visit)
            await send(message)

        await self._app(scope, receive, leaving)
