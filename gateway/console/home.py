"""The first page: what needs attention, the counts, and the newest prescriptions (console.md 6.1)."""

from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console import pages
from gateway.console.site import Entry, SignedOut, Site
from gateway.enquiries import WATCH, has_stopped
from gateway.wire.strict_json import dumps

ENTRIES: Final = (Entry(words="Needs attention", href="/console/"),)
_NEWEST: Final = 25
_ALERTS: Final = 20


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the first page."""

    async def home(request: Request) -> Response:
        looker = site.looking(request)
        await site.note(looker, "view", "home")
        now = site.now()
        alerts = await site.enquiries.open_alerts(tenant=looker.tenant, limit=_ALERTS + 1)
        latest = await site.enquiries.latest(tenant=looker.tenant, limit=_NEWEST)
        return site.page(
            request,
            "home.html",
            books=await site.enquiries.books(),
            watch=await _watch(site, now),
            paused=[pages.paused(pause, site.names, now) for pause in await site.enquiries.pauses()],
            alerts=[pages.alarm(alert, now) for alert in alerts[:_ALERTS]],
            more_alerts=len(alerts) > _ALERTS,
            latest=[pages.listed(found, site.names) for found in latest],
        )

    async def books(request: Request) -> Response:
        """Give the counts of distinct prescriptions (brief 5)."""
        if not site.looking(request).may(Action.READ_BOOKS):
            raise SignedOut
        return Response(dumps({**await site.enquiries.books()}), 200, {"Cache-Control": "no-store"}, "application/json")

    return [Route("/", home, methods=["GET"]), Route("/books.json", books, methods=["GET"])]


async def _watch(site: Site, now: datetime) -> str:
    """Say what is wrong with the watch; empty if nothing is."""
    last = await site.enquiries.last_beat(WATCH)
    stopped = has_stopped(last, now=now, allowed_seconds=site.frame.watch_seconds)
    return pages.watch_stopped(last, now) if stopped else ""
