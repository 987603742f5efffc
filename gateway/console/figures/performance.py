"""The figures of the service: a page, a file and a list behind each number, for a month or the last 30 days.

Source: console.md 6.6; domain.md 2.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.board.provider_board import age_of
from gateway.console.board.provider_book import ProviderBook
from gateway.console.csv_text import csv_response
from gateway.console.figures import performance_data as data
from gateway.console.figures import performance_pictures as pictures
from gateway.console.figures import performance_shown as shown
from gateway.console.figures.performance_figures import RECENT, Period, months, period_of
from gateway.console.site import HEADERS, Entry, Looker, Site
from gateway.console.words import clock_time
from gateway.domain.books import bounds, london_day
from gateway.domain.deadline import Urgency
from gateway.domain.service_figures import DEFINITION, LIMITS, Outcome
from gateway.ports.board import Figure, ItemsWanted, ItemView, Standings

ENTRIES: Final = (Entry(words="Performance", href="/console/performance", action=Action.READ_PERFORMANCE),)
MOST_LISTED: Final = 500
MOST_IN_FILE: Final = 5000
ITEM_COLUMNS: Final = ("Medicine", "Prescription", "Id", "Trust", "Provider", "What became of it", "Sent")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read for one period.

    Attributes:
        came_in: whether what came in is among the figures: a provider knows only of what was sent to it.
    """

    looker: Looker
    period: Period
    figures: Sequence[Figure]
    standings: Standings
    now: datetime
    came_in: bool

    @property
    def scope(self) -> str:
        """Whose figures these are: an ODS code, or all."""
        return str(self.looker.tenant or "all")


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the figures."""

    async def page(request: Request) -> Response:
        read = await _read(site, request, "view")
        may_list = read.looker.may(Action.READ_CONSOLE)
        found = shown.shown(read.figures, read.period, site.names, lists=may_list, came_in=read.came_in)
        return site.page(
            request,
            "performance.html",
            found=found,
            pictures=pictures.pictures(read.figures, read.period, site.names),
            period=read.period,
            recent=RECENT,
            months=[(month, f"{datetime.strptime(month, '%Y-%m'):%B %Y}") for month in _months(read)],  # noqa: DTZ007
            early=await _early(site, read),
            old=age_of(read.standings, read.now),
            as_of=clock_time(read.standings.counted_at or read.now),
            since=read.standings.since,
            own=read.looker.tenant is not None,
            definition=DEFINITION,
            provider_columns=shown.PROVIDER_COLUMNS,
            day_columns=shown.DAY_COLUMNS,
        )

    async def as_csv(request: Request) -> Response:
        read = await _read(site, request, "download")
        found = list(data.observations(read.figures, read.period, came_in=read.came_in))
        rows = data.rows(found, read.period, scope=read.scope, counted=read.standings.counted_at)
        return csv_response(f"performance-{read.period.key}", data.HEADER, rows)

    async def as_json(request: Request) -> Response:
        read = await _read(site, request, "download")
        found = list(data.observations(read.figures, read.period, came_in=read.came_in))
        body = data.document(found, read.period, scope=read.scope, counted=read.standings.counted_at)
        return Response(body, 200, HEADERS, "application/json")

    async def items(request: Request) -> Response:
        period, outcome, listed = await _listed(site, request, "view", MOST_LISTED)
        return site.page(
            request,
            "performance_items.html",
            heading=shown.LISTS[outcome][0],
            file=f"/console/performance/{period.key}/{outcome}.csv",
            rows=[shown.item(one, site.names) for one in listed[:MOST_LISTED]],
            more=len(listed) > MOST_LISTED,
            most=MOST_LISTED,
            most_in_file=MOST_IN_FILE,
            period=period,
            as_of=clock_time(site.now()),
        )

    async def items_csv(request: Request) -> Response:
        period, outcome, listed = await _listed(site, request, "download", MOST_IN_FILE)
        if len(listed) > MOST_IN_FILE:
            raise HTTPException(404)  # a file that looks whole and is not would be worse than none
        rows = [
            (
                one.medicine, one.number, str(one.prescription_id), str(one.tenant), str(one.provider),
                shown.STANDS[one.outcome], one.since,
            )
            for one in listed
        ]  # fmt: skip
        return csv_response(f"performance-{period.key}-{outcome}", ITEM_COLUMNS, rows)

    return [
        Route("/performance", page, methods=["GET"]),
        Route("/performance.csv", as_csv, methods=["GET"]),
        Route("/performance.json", as_json, methods=["GET"]),
        Route("/performance/{period}.csv", as_csv, methods=["GET"]),
        Route("/performance/{period}.json", as_json, methods=["GET"]),
        Route("/performance/{period}", page, methods=["GET"]),
        Route("/performance/{period}/{outcome}.csv", items_csv, methods=["GET"]),
        Route("/performance/{period}/{outcome}", items, methods=["GET"]),
    ]


async def _listed(site: Site, request: Request, how: str, most: int) -> tuple[Period, str, tuple[ItemView, ...]]:
    """Read the list behind a number: the period, the list's name, and its items, at most one more than `most`.

    Raises:
        HTTPException: 404, there is no such period or list, or patients may not be seen.
        SignedOut: nobody we know looks.
        Unavailable: the store cannot be read.
    """
    looker = site.looking(request, Action.READ_PERFORMANCE)
    outcome, period = request.path_params["outcome"], _period(site, request)
    if not looker.may(Action.READ_CONSOLE) or outcome not in shown.LISTS:
        raise HTTPException(404)
    await site.note(looker, how, f"performance {period.key} {outcome}")
    first, before = bounds(period.first)[0], bounds(period.last)[1]
    wanted = ItemsWanted(outcomes=shown.LISTS[outcome][1], first=first, before=before, limit=most + 1)
    return period, outcome, await site.enquiries.items(wanted, tenant=looker.tenant)


async def _read(site: Site, request: Request, how: str) -> _Read:
    """Read what a page or a file needs.

    Raises:
        HTTPException: 404, there is no such period, or it has not begun, or these may not be seen.
        SignedOut: nobody we know looks.
        Unavailable: the store cannot be read.
    """
    looker = site.looking(request, Action.READ_PERFORMANCE)
    period = _period(site, request)
    await site.note(looker, how, f"performance {period.key}")
    figures = await site.enquiries.figures(tenant=looker.tenant, first=period.first, last=period.last)
    standings = await site.enquiries.counted()
    return _Read(
        looker=looker,
        period=period,
        figures=figures,
        standings=standings,
        now=site.now(),
        came_in=looker.tenant not in site.service(ProviderBook).providers,
    )


def _period(site: Site, request: Request) -> Period:
    period = period_of(request.path_params.get("period", RECENT), london_day(site.now()))
    if period is None:
        raise HTTPException(404)
    return period


def _months(read: _Read) -> list[str]:
    return months(read.standings.since, london_day(read.now))


async def _early(site: Site, read: _Read) -> int:
    """Count the items without a decision whose time is not over yet; at most `MOST_LISTED` and one more."""
    first = max(bounds(read.period.first)[0], read.now - LIMITS[Urgency.ROUTINE])
    wanted = ItemsWanted(
        outcomes=frozenset({Outcome.WAITING, Outcome.NOT_KNOWN}),
        first=first,
        before=min(bounds(read.period.last)[1], read.now + timedelta(seconds=1)),
        limit=MOST_LISTED + 1,
    )
    return len(await site.enquiries.items(wanted, tenant=read.looker.tenant)) if wanted.first < wanted.before else 0
