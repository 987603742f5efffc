"""The console: three pages for people, and the counts for the operator's tools.

Nobody changes anything here; the pages say what is known, how, and when it was last true. Every view leaves an audit
leaf before it is shown.

Source: console.md; brief D15, D16.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Final, Protocol
from urllib.parse import parse_qs
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gateway.access.directory import Directory
from gateway.access.policy import Action, allow
from gateway.access.principal import Principal
from gateway.console import pages
from gateway.console.seek import LONGEST, seek
from gateway.console.sessions import Session, Sessions
from gateway.domain.errors import Unavailable
from gateway.domain.identifiers import OdsCode, parse_uuid
from gateway.enquiries import WATCH, Enquiries, has_stopped
from gateway.wire.strict_json import dumps

_HOME: Final = "/console/"
_COOKIE: Final = "console_session"
_MOST_FORM_BYTES: Final = 4096
_NEWEST: Final = 25
_ALERTS: Final = 20

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}


class Notes(Protocol):
    """Where readings are noted."""

    async def note_access(self, *, principal: str, action: str, subject: str, now: datetime) -> None:
        """Write an audit leaf; raises `Unavailable`, and then nothing is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page says of where it is.

    Attributes:
        organisation: who operates the gateway, in words.
        environment: live or test.
        development: whether to say on every page that this is a development gateway (D15).
        watch_seconds: how long ago deadlines may have been looked at last.
    """

    organisation: str
    environment: str
    development: bool
    watch_seconds: float = 60.0


class SignedOut(Exception):
    """Nobody we know is looking."""


def create_console(
    *,
    enquiries: Enquiries,
    notes: Notes,
    directory: Directory,
    sessions: Sessions,
    frame: Frame,
    names: Mapping[OdsCode, str],
    now: Callable[[], datetime],
) -> list[BaseRoute]:
    """Build the console, and give its routes for the application it is part of: everything under `/console`.

    Args:
        enquiries: what is read.
        notes: the store, for audit leaves of readings.
        directory: for an operator's tool that shows its token.
        sessions: the browsers let in.
        frame: what every page says of where it is.
        names: what each trust and provider is called.
        now: the clock.
    """
    console = Console(
        enquiries=enquiries,
        notes=notes,
        directory=directory,
        sessions=sessions,
        frame=frame,
        names=names,
        now=now,
    )
    app = Starlette(
        routes=[
            Route("/", console.home, methods=["GET"]),
            Route("/enter/{code}", console.enter, methods=["GET"]),
            Route("/leave", console.leave, methods=["POST"]),
            Route("/links", console.links, methods=["POST"]),
            Route("/search", console.search, methods=["POST"]),
            Route("/results/{key}", console.results, methods=["GET"]),
            Route("/prescriptions/{prescription_id}", console.prescription, methods=["GET"]),
            Route("/books.json", console.books, methods=["GET"]),
            Route("/static/console.css", console.style, methods=["GET"]),
        ],
        exception_handlers={
            SignedOut: console.signed_out,
            HTTPException: console.problem,
            Unavailable: console.unavailable,
        },
    )
    return [Route(_HOME.rstrip("/"), console.arrive, methods=["GET"]), Mount(_HOME.rstrip("/"), app)]


class Console:
    """The pages; see `create_console`."""

    def __init__(
        self,
        *,
        enquiries: Enquiries,
        notes: Notes,
        directory: Directory,
        sessions: Sessions,
        frame: Frame,
        names: Mapping[OdsCode, str],
        now: Callable[[], datetime],
    ) -> None:
        self._enquiries = enquiries
        self._notes = notes
        self._directory = directory
        self._sessions = sessions
        self._frame = frame
        self._names = names
        self._now = now
        self._templates = pages.templates()
        self._css = resources.files("gateway.console").joinpath("static/console.css").read_bytes()
        self._css_tag = f'"{hashlib.sha256(self._css).hexdigest()[:16]}"'

    async def arrive(self, _: Request) -> Response:
        """Lead to the first page."""
        return RedirectResponse(_HOME, 307, _HEADERS)

    async def home(self, request: Request) -> Response:
        """Show what needs attention, the counts, and the newest prescriptions."""
        caller = self._looking(request)
        await self._note(caller, "view", "home")
        now = self._now()
        alerts = await self._enquiries.open_alerts(tenant=None, limit=_ALERTS + 1)
        latest = await self._enquiries.latest(tenant=None, limit=_NEWEST)
        return self._page(
            request,
            "home.html",
            books=await self._enquiries.books(),
            watch=await self._watch(now),
            paused=[pages.paused(pause, self._names, now) for pause in await self._enquiries.pauses()],
            alerts=[pages.alarm(alert, now) for alert in alerts[:_ALERTS]],
            more_alerts=len(alerts) > _ALERTS,
            latest=[pages.listed(found, self._names) for found in latest],
        )

    async def _watch(self, now: datetime) -> str:
        """Say what is wrong with the watch; empty if nothing is."""
        last = await self._enquiries.last_beat(WATCH)
        return (
            pages.watch_stopped(last, now)
            if has_stopped(last, now=now, allowed_seconds=self._frame.watch_seconds)
            else ""
        )

    async def search(self, request: Request) -> Response:
        """Take the search box, and lead to a page whose address says nothing of what was sought (D16)."""
        session = self._session(request)
        if session is None:
            raise SignedOut
        sought = (await self._form(request, session)).get("q", "").strip()
        if not sought or len(sought) > LONGEST or not sought.isprintable():
            return self._page(request, "results.html", 422, sought=None, rows=[], searched="")
        return RedirectResponse(f"/console/results/{session.remember(sought)}", 303, _HEADERS)

    async def results(self, request: Request) -> Response:
        """Show what a search of this session finds now."""
        session = self._session(request)
        caller = self._looking(request)
        text = session.searches.get(request.path_params["key"]) if session else None
        if text is None:
            raise HTTPException(404)
        sought = await seek(text, self._enquiries)
        ids = " ".join(str(found.prescription_id) for found in sought.found)
        await self._note(caller, f"search by {sought.kind}", ids or "nothing found")
        return self._page(
            request,
            "results.html",
            sought=sought,
            rows=[pages.listed(found, self._names) for found in sought.found],
            searched=text,
        )

    async def prescription(self, request: Request) -> Response:
        """Show one prescription: what, who, where it is, who holds it, and what happened."""
        caller = self._looking(request)
        prescription_id: UUID | None = parse_uuid(request.path_params["prescription_id"])
        view = await self._enquiries.prescription(prescription_id, tenant=None) if prescription_id else None
        await self._note(caller, "view", str(prescription_id) if view else "unknown prescription")
        if view is None:
            raise HTTPException(404)
        return self._page(request, "prescription.html", **pages.prescription(view, self._names, self._now()))

    async def enter(self, request: Request) -> Response:
        """Let a browser in by a link that works once."""
        secret = self._sessions.enter(request.path_params["code"])
        if secret is None:
            return self._page(request, "signed_out.html", 403, used=True)
        await self._notes.note_access(principal="operator", action="enter", subject="console", now=self._now())
        response = RedirectResponse(_HOME, 303, _HEADERS)
        response.set_cookie(
            _COOKIE, secret, path="/console", httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return response

    async def leave(self, request: Request) -> Response:
        """End the session."""
        session = self._session(request)
        if session is None:
            raise SignedOut
        await self._form(request, session)
        self._sessions.leave(request.cookies[_COOKIE])
        return RedirectResponse(_HOME, 303, _HEADERS)

    async def links(self, request: Request) -> Response:
        """Give an operator's tool, by its token, a link for a browser."""
        if not allow(self._by_token(request), Action.READ_CONSOLE, None):
            raise SignedOut
        return Response(dumps({"path": self._sessions.link()}), 201, _HEADERS, "application/json")

    async def books(self, request: Request) -> Response:
        """Give the counts of distinct prescriptions (brief 5)."""
        caller = self._by_token(request) or self._looking(request)
        if not allow(caller, Action.READ_BOOKS, None):
            raise SignedOut
        return Response(dumps({**await self._enquiries.books()}), 200, _HEADERS, "application/json")

    async def style(self, request: Request) -> Response:
        """Give the style sheet."""
        headers = {**_HEADERS, "ETag": self._css_tag, "Cache-Control": "max-age=300"}
        if request.headers.get("if-none-match") == self._css_tag:
            return Response(status_code=304, headers=headers)
        return Response(self._css, 200, headers, "text/css")

    async def signed_out(self, request: Request, _: Exception) -> Response:
        """Say how to get in."""
        return self._page(request, "signed_out.html", 401, used=False)

    async def problem(self, request: Request, error: Exception) -> Response:
        """Say that there is nothing here; the same for what is not ours to show (I9)."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self._page(request, "problem.html", status, status=status)

    async def unavailable(self, request: Request, _: Exception) -> Response:
        """Say that the store is away, and that this says nothing of any prescription."""
        return self._page(request, "problem.html", 503, status=503)

    def _session(self, request: Request) -> Session | None:
        secret = request.cookies.get(_COOKIE)
        return self._sessions.find(secret) if secret else None

    def _by_token(self, request: Request) -> Principal | None:
        return self._directory.authenticate(request.headers.get("authorization"))

    def _looking(self, request: Request) -> Principal:
        session = self._session(request)
        caller = session.principal if session else self._by_token(request)
        if caller is None or not allow(caller, Action.READ_CONSOLE, None):
            raise SignedOut
        request.state.principal = caller
        return caller

    async def _note(self, caller: Principal, action: str, subject: str) -> None:
        await self._notes.note_access(
            principal=caller.name, action=f"console {action}", subject=subject, now=self._now()
        )

    async def _form(self, request: Request, session: Session) -> dict[str, str]:
        """Read a form of this session.

        Raises:
            HTTPException: 403 without its token (CSRF), 413, 415.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            raise HTTPException(415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_FORM_BYTES:
                raise HTTPException(413)
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
        if fields.get("csrf") != [session.csrf]:
            raise HTTPException(403)
        return {name: values[0] for name, values in fields.items()}

    def _page(self, request: Request, template: str, status_code: int = 200, /, **values: object) -> Response:
        session = self._session(request)
        body = self._templates.get_template(template).render(
            frame=self._frame, now=self._now(), csrf=session.csrf if session else "", **values
        )
        return Response(body, status_code, _HEADERS, "text/html; charset=utf-8")
