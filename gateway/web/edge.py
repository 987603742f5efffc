"""What is true of every request, whatever its address: a correlation id, safe headers, one log line, no traceback.

Source: brief D16; reliability-security.md 4.4 (W04, W09, W14) and I8.
"""

import re
import time
import uuid
from http import HTTPStatus
from urllib.parse import unquote_plus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.domain.errors import BrokenOff
from gateway.domain.identifiers import NhsNumber, parse_uuid
from gateway.domain.issue import Issue
from gateway.telemetry import Metrics
from gateway.web import problems

_NHS_NUMBER = re.compile(r"(?<![0-9A-Za-z])(\d{3})[ -]?(\d{3})[ -]?(\d{4})(?![0-9A-Za-z])", re.ASCII)
_TOKEN = re.compile(r"(?:^|&)(?:access_)?token=", re.IGNORECASE)

_MOST_HEADERS, _HEADER_BYTES = 100, 49_152
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

_log = structlog.get_logger("web")


class Edge:
    """ASGI middleware around the whole application.

    Args:
        app: what it surrounds.
        hosts: names this gateway answers to; empty for any, behind a proxy that has checked.
        metrics: where every answer is counted.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], metrics: Metrics) -> None:
        self._app = app
        self._hosts = hosts
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - the ASGI call
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        correlation = _correlation(Headers(scope=scope))
        scope.setdefault("state", {})["correlation"] = correlation
        status = 0

        async def decorated(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-ID"] = correlation
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._answer(scope, receive, decorated)
        except ClientDisconnect:
            _log.info("client_gone", correlation_id=correlation, route=_route(scope))
            return
        except BrokenOff:
            _log.warning("broken_off", correlation_id=correlation, route=_route(scope), error="Unavailable")
            status = HTTPStatus.SERVICE_UNAVAILABLE.value  # as it is counted: the caller was told another before
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, its text may hold patient data
            _log.error("fault", correlation_id=correlation, route=_route(scope), error=type(error).__name__)
            if not status:
                await problems.unexpected(Request(scope), correlation)(scope, receive, decorated)
        self._note(scope, correlation, status, time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_much = _fault_of_headers(scope)
        issue = too_much or self._fault_of_address(scope)
        if issue is None:
            await self._app(scope, receive, send)
        else:
            await problems.told(Request(scope), 431 if too_much else 400, issue)(scope, receive, send)

    def _fault_of_address(self, scope: Scope) -> Issue | None:
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or (self._hosts and _without_port(hosts[0]) not in self._hosts):
            return Issue(code="REQUEST_INVALID", location="", text="The Host header does not name this gateway.")
        query = scope["query_string"].decode("latin-1")
        if _TOKEN.search(query) or _names_a_patient(query):
            text = "The address holds what no address may hold: an NHS number or a token."
            return Issue(code="PATIENT_DATA_IN_ADDRESS", location="", text=text)
        return None

    def _note(self, scope: Scope, correlation: str, status: int, seconds: float) -> None:
        principal = scope["state"].get("principal")
        route = _route(scope)
        self._metrics.answered(route, status, seconds)
        _log.info(
            "answered",
            correlation_id=correlation,
            method=scope["method"],
            route=route,
            status=status,
            principal=principal.name if principal else "",
            milliseconds=round(seconds * 1000, 1),
        )


def _fault_of_headers(scope: Scope) -> Issue | None:
    """Turn away more header than any request needs; a detached signature with its certificates fits (W09)."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    if len(headers) <= _MOST_HEADERS and sum(len(name) + len(value) for name, value in headers) <= _HEADER_BYTES:
        return None
    text = f"Send at most {_MOST_HEADERS} header fields, of {_HEADER_BYTES} bytes together."
    return Issue(code="REQUEST_INVALID", location="", text=text)


def _correlation(headers: Headers) -> str:
    """Take the caller's own correlation id when it is a UUID; any other text could hold anything."""
    given = parse_uuid(headers.get("x-correlation-id", ""))
    return str(given or uuid.uuid4())


def _names_a_patient(query: str) -> bool:
    if not query:
        return False
    candidates = _NHS_NUMBER.findall(unquote_plus(query))
    return any(NhsNumber.parse("".join(parts)) for parts in candidates)


def _without_port(host: str) -> str:
    name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.lower()


def _route(scope: Scope) -> str:
    """The address as the route table has it, with no value in it."""
    return str(getattr(scope.get("route"), "path", "unknown"))
