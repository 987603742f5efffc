"""The limit of connections to the HTTP door: beyond it a caller hears that nothing was stored, and when to come again.

The server's own limit answers in plain text and without `Retry-After`, which some senders take for a fault of theirs.

Source: reliability-security.md I19; RFC 9110 15.6.4.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.domain.issue import Issue
from gateway.web.problems import told

_FULL: Final = Issue(code="NOT_STORED", location="", text="Too many callers at once. Send the same bytes again.")
_HEADERS: Final = {"Retry-After": "5", "Connection": "close"}


class Crowd:
    """ASGI middleware around the whole application.

    Args:
        app: what it surrounds.
        most: connections that are served at once.
        connections: how many are open now, the caller's own among them.
    """

    def __init__(self, app: ASGIApp, *, most: int, connections: Callable[[], int]) -> None:
        self._app = app
        self._most = most
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - the ASGI call
        if scope["type"] == "http" and self._connections() > self._most:
            await told(Request(scope), HTTPStatus.SERVICE_UNAVAILABLE, _FULL, _HEADERS)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
