"""The door for people: every page of the console, one module a page, listed once here.

Source: console.md; brief D15, D16.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import ModuleType
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gateway.access.directory import Directory
from gateway.access.policy import Action
from gateway.console import about
from gateway.console.acting import acts, waiting
from gateway.console.attention import home, tending, work
from gateway.console.auditing import audit_page
from gateway.console.board import providers, trouble
from gateway.console.codes import held_codes
from gateway.console.entering import role, sign_in
from gateway.console.entering.getting_in import signed_out
from gateway.console.entering.sessions import Sessions
from gateway.console.entering.visits import Visits
from gateway.console.figures import performance
from gateway.console.forms import returned
from gateway.console.in_force import settings, told
from gateway.console.inspector import messages
from gateway.console.living import live
from gateway.console.prescription import prescription
from gateway.console.screening import screening
from gateway.console.searching import finding
from gateway.console.site import (
    HEADERS,
    HOME,
    Entry,
    Frame,
    Looker,
    Names,
    Notes,
    SentBefore,
    SignedOut,
    Site,
    visit_of,
)
from gateway.console.staff import people
from gateway.domain.errors import Unavailable
from gateway.enquiries import Enquiries

_PAGES: Final[tuple[ModuleType, ...]] = (
    home,
    tending,
    work,
    finding,
    prescription,
    providers,
    performance,
    acts,
    waiting,
    trouble,
    screening,
    held_codes,
    messages,
    audit_page,
    people,
    settings,
    sign_in,
    role,
    about,
    live,
    told,
)
"""Each gives its `routes(site)`, and its `ENTRIES` of the navigation if it has any, in the order they are shown."""


_TWICE: Final = {
    True: "This was sent more than once, and was done once.",
    False: "This was sent more than once. It was not done a second time; look below for what came of the first.",
}


def create_console(
    *,
    enquiries: Enquiries,
    notes: Notes,
    directory: Directory,
    sessions: Sessions,
    frame: Frame,
    names: Names,
    now: Callable[[], datetime],
    services: Mapping[type, object] | None = None,
) -> list[BaseRoute]:
    """Build the console, and give its routes for the application it is part of: everything under `/console`.

    Args:
        enquiries: what is read.
        notes: the store: audit leaves of readings, and acts.
        directory: for an operator's tool that shows its token.
        sessions: the browsers let in.
        frame: what every page says of where it is.
        names: what each trust and provider is called.
        now: the clock.
        services: what single pages need beyond these, by class.
    """
    entries: list[Entry] = [entry for page in _PAGES for entry in getattr(page, "ENTRIES", ())]
    site = Site(
        enquiries=enquiries,
        store=notes,
        directory=directory,
        sessions=sessions,
        frame=frame,
        names=names,
        now=now,
        services=services,
        entries=tuple(entries),
    )
    app = Starlette(
        routes=[
            *(route for page in _PAGES for route in page.routes(site)),
            Route("/static/{name:path}", site.assets.give, methods=["GET"]),
        ],
        exception_handlers=_problems(site),
        middleware=[Middleware(Visits, site=site)],
    )
    return [Route(HOME.rstrip("/"), _arrive, methods=["GET"]), Mount(HOME.rstrip("/"), app)]


async def _arrive(_: Request) -> Response:
    """Lead to the first page."""
    return RedirectResponse(HOME, 307, HEADERS)


def _problems(
    site: Site,
) -> dict[int | type[Exception], Callable[[Request, Exception], Response | Awaitable[Response]]]:
    """Give the pages of what went wrong."""

    async def out(request: Request, _: Exception) -> Response:
        return signed_out(site, request, 401, kept=await site.keep_form(request))

    def problem(request: Request, error: Exception) -> Response:
        """Say that there is nothing here; the same for what is not ours to show (I9)."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        session = visit_of(request).session if request.url.path == HOME else None
        looker = Looker(principal=session.principal, session=session) if session else None
        if looker is not None and not looker.may(Action.READ_CONSOLE):
            return site.to(request, site.first_page(looker))
        return site.page(request, "problem.html", status, status=status)

    async def unavailable(request: Request, _: Exception) -> Response:
        """Say that the store is away, that this says nothing of any prescription, and what became of what was sent."""
        sent = await returned(request, site.cookie.of(request))
        return site.page(request, "problem.html", 503, status=503, sent=sent)

    async def sent_before(request: Request, error: Exception) -> Response:
        """Lead to where the form led when it was first sent; what was said of that is not said over."""
        if not isinstance(error, SentBefore):
            return site.to(request, HOME)
        now = await site.sessions.peek(site.cookie.of(request))  # the first of two clicks may have said it meanwhile
        told = error.known and now is not None and now.notice
        return site.to(request, error.path, "" if told else _TWICE[error.known])

    return {SentBefore: sent_before, SignedOut: out, HTTPException: problem, Unavailable: unavailable}
