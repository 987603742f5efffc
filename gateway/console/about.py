"""The pages at the foot of every page: help and status, accessibility, and how things are worked out (console.md 5)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console import pages
from gateway.console.site import Site, visit_of
from gateway.console.words import CANCELS, HELDS, STATES, clock_time, when
from gateway.domain.errors import Unavailable
from gateway.enquiries import WATCH, has_stopped

GRADES: Final = (
    ("Proved", "Signed, or tied to the very message it answers, and kept here as it came."),
    ("Reported", "The provider's system said so, unsigned."),
    ("Stated", "A named person, or the trust's system, told us."),
    ("Derived", "We worked it out, and show how."),
    ("None", "Nobody has said anything."),
)
"""How a thing is known (console.md 4)."""


def _asked(site: Site, request: Request) -> None:
    """See that somebody asks who is let in. While nobody can say who it is, these pages are shown: they name nobody."""
    if not visit_of(request).away:
        site.looking(request, None)


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of these pages."""

    async def help_(request: Request) -> Response:
        _asked(site, request)
        now = site.now()
        try:
            last = await site.enquiries.last_beat(WATCH)
            pauses = await site.enquiries.pauses()
        except Unavailable:
            return site.page(
                request, "help.html", 503, records="Cannot be read now.", watch="Cannot be told now.", paused=[]
            )
        stopped = has_stopped(last, now=now, allowed_seconds=site.frame.watch_seconds)
        looked = f"Looked at {clock_time(last)}, {when(last, now)}." if last else ""
        return site.page(
            request,
            "help.html",
            records="Can be read.",
            watch=pages.watch_stopped(last, now) if stopped else looked,
            paused=[pages.paused(pause, site.names, now) for pause in pauses],
        )

    async def accessibility(request: Request) -> Response:
        _asked(site, request)
        return site.page(request, "accessibility.html")

    async def how(request: Request) -> Response:
        _asked(site, request)
        return site.page(
            request, "how.html", states=[*STATES.values(), *HELDS.values(), *CANCELS.values()], grades=GRADES
        )

    return [
        Route("/help", help_, methods=["GET"]),
        Route("/accessibility", accessibility, methods=["GET"]),
        Route("/how", how, methods=["GET"]),
    ]
