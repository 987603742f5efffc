"""The provider board, one provider's page, and pausing it (console.md 6.5)."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.board import books, outages, pausing, provider_board
from gateway.console.board.provider_board import USUAL_DAYS, Known, Row
from gateway.console.board.provider_book import ProviderBook
from gateway.console.board.provider_facts import facts
from gateway.console.csv_text import csv_response
from gateway.console.figures import charts
from gateway.console.site import Entry, Looker, Site
from gateway.console.words import clock_time
from gateway.domain.books import london_day
from gateway.domain.partner import Provider
from gateway.domain.provider_health import RULES
from gateway.ports.attention import MOST_COUNTED

ENTRIES: Final = (Entry(words="Providers", href="/console/providers", action=Action.READ_PROVIDERS),)
SOON_DAYS: Final = 7
_COLUMNS: Final = (
    "Provider", "ODS code", "Now", "Waiting for an answer", "Still to be sent", "Oldest waits",
    "Answer time today, p50 / p95", "Answer time 30 days before, p50 / p95", "Under 7 days left or not known", "As of",
    "Planned outage",
)  # fmt: skip


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the providers."""
    checked = books.LastCheck()

    async def board(request: Request) -> Response:
        looker = site.looking(request, Action.READ_PROVIDERS)
        await site.note(looker, "view", "providers")
        known = await read(site, looker)
        return site.page(
            request,
            "providers.html",
            rows=await _rows(site, looker, known),
            rules=[(now.value, rule) for now, rule in RULES.items()],
            old=provider_board.age_of(known.standings, known.now),
            as_of=clock_time(known.standings.counted_at or known.now),
            own=looker.tenant is not None,
        )

    async def as_csv(request: Request) -> Response:
        looker = site.looking(request, Action.READ_PROVIDERS)
        await site.note(looker, "download", "providers")
        known = await read(site, looker)
        at = known.standings.counted_at
        return csv_response(
            "providers",
            _COLUMNS,
            [
                (
                    row.name, row.ods, row.standing.word, row.waiting, row.to_send, row.oldest, row.today, row.usual,
                    row.under, at, row.standing.outage,
                )
                for row in await _rows(site, looker, known)
            ],
        )  # fmt: skip

    async def one(request: Request) -> Response:
        looker = site.looking(request, Action.READ_PROVIDERS)
        provider = _provider(site, looker, request)
        await site.note(looker, "view", f"provider {provider.ods}")
        known = await read(site, looker)
        found = provider_board.details(provider.ods, known)
        (row,) = await _rows(site, looker, known, (provider,))
        return site.page(
            request,
            "provider.html",
            row=row,
            found=found,
            facts=facts(provider, site.service(ProviderBook), looker.tenant, site.names, london_day(known.now)),
            picture_svg=_causes(found.causes),
            finding=_finding(found.causes),
            rules=[(now.value, rule) for now, rule in RULES.items()],
            old=provider_board.age_of(known.standings, known.now),
            as_of=clock_time(known.standings.counted_at or known.now),
            may_pause=looker.may(Action.PAUSE),
            outages=outages.listed(provider, known.outages),
            books=checked.words(provider.ods) if looker.may(Action.READ_BOOKS) else (),
            own=looker.tenant is not None,
        )

    return [
        Route("/providers", board, methods=["GET"]),
        Route("/providers.csv", as_csv, methods=["GET"]),
        Route("/providers/{ods}", one, methods=["GET"]),
        *outages.routes(site, lambda looker, request: _provider(site, looker, request)),
        *pausing.routes(site, lambda looker, request: _provider(site, looker, request)),
        *books.routes(site, lambda looker, request: _provider(site, looker, request), checked),
    ]


async def read(site: Site, looker: Looker) -> Known:
    """Read what the board and a provider's page need.

    Raises:
        Unavailable: the store cannot be read.
    """
    now = site.now()
    today = london_day(now)
    days = {"first": today - timedelta(days=USUAL_DAYS), "last": today}
    whole = await site.enquiries.figures(tenant=None, **days)
    backlog = await site.enquiries.backlog(tenant=None)
    known = Known(
        now=now,
        standings=await site.enquiries.counted(),
        own=whole,
        whole=whole,
        own_backlog=backlog,
        whole_backlog=backlog,
        pulses=await site.enquiries.pulses(),
        pauses=await site.enquiries.pauses(),
        outages=await site.enquiries.planned_outages(now=now),
    )
    if looker.tenant is None:
        return known
    own = await site.enquiries.figures(tenant=looker.tenant, **days)
    return replace(known, own=own, own_backlog=await site.enquiries.backlog(tenant=looker.tenant))


async def _rows(
    site: Site, looker: Looker, known: Known, providers: tuple[Provider, ...] | None = None
) -> tuple[Row, ...]:
    shown = providers if providers is not None else site.service(ProviderBook).shown_to(looker.tenant)
    asked = tuple(provider.ods for provider in shown)
    soon = await site.enquiries.running_out(asked, tenant=looker.tenant, days=SOON_DAYS, now=known.now)
    return tuple(_row(looker, provider, known, soon[provider.ods]) for provider in shown)


def _row(looker: Looker, provider: Provider, known: Known, soon: int) -> Row:
    href = f"/console/?provider={provider.ods}&days={SOON_DAYS}" if looker.may(Action.READ_CONSOLE) else ""
    under = f"{MOST_COUNTED} or more" if soon >= MOST_COUNTED else str(soon)
    return replace(provider_board.row(provider, known), under=under, under_href=href if soon else "")


def _provider(site: Site, looker: Looker, request: Request) -> Provider:
    """Give the provider of an address; one that may not be seen looks like one that does not exist (I9)."""
    provider = site.service(ProviderBook).find(request.path_params["ods"], looker.tenant)
    if provider is None:
        raise HTTPException(404)
    return provider


def _causes(causes: tuple[tuple[str, int], ...]) -> str:
    """Draw where the reasons lie; nothing where there are none."""
    if not causes:
        return ""
    told = "One bar of parts; the table under it has the numbers."
    words = charts.Words(name="causes", title=_finding(causes), description=told)
    return charts.stacked_bar(words, [charts.Part(label=cause, count=count) for cause, count in causes])


def _finding(causes: tuple[tuple[str, int], ...]) -> str:
    if not causes:
        return ""
    label, count = max(causes, key=lambda cause: cause[1])
    return f"Where the reasons lie: {label.lower()} for {count:,} of {sum(count for _, count in causes):,}"
