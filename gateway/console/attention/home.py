"""The first page: what needs attention, most dangerous first (console.md 6.1)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console import pages
from gateway.console.attention.attention_query import REASON_NAMES, address, from_start, read
from gateway.console.attention.attention_words import Row, brief_of, group_of, line_of, named, row_of
from gateway.console.board.provider_book import ProviderBook
from gateway.console.csv_stream import Rows, csv_stream
from gateway.console.site import HOME, Entry, Looker, SignedOut, Site
from gateway.console.words import when
from gateway.domain.calendar import LONDON
from gateway.enquiries import WATCH, has_stopped
from gateway.ports.attention import (
    DEEPEST,
    MOST_COUNTED,
    PAGE,
    Attention,
    AttentionQuery,
    Places,
    SilentProvider,
    WorkItem,
)
from gateway.wire.strict_json import dumps

ENTRIES: Final = (Entry(words="Needs attention", href=HOME),)
LIST: Final = "/console/attention.csv"
MOST_EXPORTED: Final = 1000
"""Rows of one file: each is read whole."""
_PART: Final = 100
"""Of them in memory at once."""
_NEWEST: Final = 10
_COLUMNS: Final = (
    "row",
    "reason",
    "state",
    "act by",
    "last day",
    "days left",
    "how known",
    "patient",
    "NHS number",
    "birth date",
    "medicine",
    "directions",
    "provider",
    "trust",
    "prescription",
    "order",
    "taken by",
    "waits since",
    "text",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice of a filter."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters as they are set, and what they can be set to."""

    mine: bool
    providers: tuple[Choice, ...]
    reasons: tuple[Choice, ...]
    days: str
    silent: str
    set: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where on the list a page is; addresses are empty where there is nothing."""

    words: str
    earlier: str
    later: str
    file: str


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of the first page."""

    async def home(request: Request) -> Response:
        looker = site.looking(request)
        await site.note(looker, "view", "home")
        now, query = site.now(), read(request.query_params, looker)
        found = await site.enquiries.needs_attention(tenant=looker.tenant, query=query, now=now)
        count = await site.enquiries.attention_count(tenant=looker.tenant, now=now)
        return site.page(
            request,
            "home.html",
            watch=await watch_words(site, now),
            paused=[pages.paused(one, site.names, now) for one in await site.enquiries.pauses()],
            rows=[_row(row, site, looker, now) for row in found.rows],
            count=count_words(count),
            filters=_filters(query, site),
            paging=_paging(found, query),
            empty=await _empty(site, looker, query, now) if not found.rows else (),
            may_work=looker.may(Action.WORK),
            back=address(query),
            books=await site.enquiries.books() if looker.may(Action.READ_BOOKS) else {},
            latest=[
                pages.listed(one, site.names)
                for one in await site.enquiries.latest(tenant=looker.tenant, limit=_NEWEST)
            ],
        )

    async def file(request: Request) -> Response:
        """Give the list as a file, with the filters of the page."""
        looker = site.looking(request)
        await site.note(looker, "download", "needs attention")
        query = replace(from_start(read(request.query_params, looker)), size=MOST_EXPORTED, grouped=False)
        now = site.now()
        found = await site.enquiries.attention_places(tenant=looker.tenant, query=query, now=now)
        name = f"needs-attention-first-{MOST_EXPORTED}" if found.more else "needs-attention"
        return await csv_stream(name, _COLUMNS, _parts(found, site, looker, now))

    async def books(request: Request) -> Response:
        """Give the counts of distinct prescriptions (brief 5)."""
        if not site.looking(request).may(Action.READ_BOOKS):
            raise SignedOut
        return Response(dumps({**await site.enquiries.books()}), 200, {"Cache-Control": "no-store"}, "application/json")

    return [
        Route("/", home, methods=["GET"]),
        Route("/attention.csv", file, methods=["GET"]),
        Route("/books.json", books, methods=["GET"]),
    ]


def count_words(count: int) -> str:
    """Give a count as the navigation shows it."""
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count)


def _row(row: WorkItem | SilentProvider, site: Site, looker: Looker, now: datetime) -> Row:
    if isinstance(row, SilentProvider):
        return group_of(row, site.names, now)
    return row_of(row, looker, site.names, now)


async def watch_words(site: Site, now: datetime) -> str:
    """Say what is wrong with the watch; empty if nothing is."""
    last = await site.enquiries.last_beat(WATCH)
    stopped = has_stopped(last, now=now, allowed_seconds=site.frame.watch_seconds)
    return pages.watch_stopped(last, now) if stopped else ""


async def _empty(site: Site, looker: Looker, query: AttentionQuery, now: datetime) -> tuple[str, ...]:
    """Say that nothing is on the list, and what proves that the list is alive (console.md 6.1)."""
    checked = f"Checked {now.astimezone(LONDON):%H:%M:%S}."
    if query.narrows or query.first:
        return ("Nothing on the list fits these filters.", f"Clear them to see the whole list. {checked}")
    alive = await site.enquiries.aliveness(tenant=looker.tenant)
    many = f"More than {alive.open:,}" if alive.open >= DEEPEST else f"{alive.open:,}"
    opened = f"{many} prescription{'s are' if alive.open != 1 else ' is'} open"
    oldest = alive.oldest_unanswered
    waits = f"the oldest unanswered was sent {when(oldest, now)}" if oldest else "none waits for a provider's answer"
    return ("Nothing needs attention.", f"{opened}; {waits}. {checked}")


def _filters(query: AttentionQuery, site: Site) -> Filters:
    book = site.services.get(ProviderBook)
    known = book.providers if isinstance(book, ProviderBook) else site.names
    providers = sorted(((ods, name) for ods, name in site.names.items() if ods in known), key=lambda pair: pair[1])
    return Filters(
        mine=bool(query.taken_by),
        providers=tuple(
            Choice(value=str(ods), words=f"{name} ({ods})", chosen=ods == query.provider) for ods, name in providers
        ),
        reasons=tuple(
            Choice(value=name, words=reason.value, chosen=reason is query.reason)
            for name, reason in REASON_NAMES.items()
        ),
        days="" if query.days_under is None else str(query.days_under),
        silent=f"Only what the silence of {named(query.silent_of, site.names)} explains." if query.silent_of else "",
        set=query.narrows,
    )


def _paging(found: Attention, query: AttentionQuery) -> Paging:
    page, last = query.first // PAGE + 1, (found.total + PAGE - 1) // PAGE
    total = f"more than {DEEPEST:,} rows; narrow the list to see them all" if found.more else f"{found.total:,} rows"
    rows = len(found.rows)
    words = f"Rows {query.first + 1:,} to {query.first + rows:,} of {total}." if rows else ""
    return Paging(
        words=words,
        earlier=address(query, page=page - 1) if page > 1 else "",
        later=address(query, page=page + 1) if page < last else "",
        file=address(from_start(query), path=LIST),
    )


async def _parts(found: Places, site: Site, looker: Looker, now: datetime) -> AsyncIterator[Rows]:
    """Give the rows that the list had at one moment, as they stand when each part is read, but what is over by then."""
    number = 1
    for first in range(0, len(found.rows), _PART):
        part = found.rows[first : first + _PART]
        read = await site.enquiries.attention_rows(part, tenant=looker.tenant, speaks_at=found.speaks_at)
        still = [item for item in read if item.closed_at is None]
        yield _cells(still, number, site, looker, now)
        number += len(still)


def _cells(
    rows: Sequence[WorkItem], begins: int, site: Site, looker: Looker, now: datetime
) -> Iterable[tuple[str | int | datetime | None, ...]]:
    today = now.astimezone(LONDON).date()
    for number, item in enumerate(rows, begins):
        row, line = brief_of(item, looker, now), item.line
        shown = line_of(line, item.reason, site.names, now) if line else None
        yield (
            number,
            row.reason,
            shown.state.label if shown else "",
            row.act_by,
            item.standing.last_day.isoformat() if item.standing.last_day else None,
            line.cover.days_left(today) if line else None,
            line.cover.grade.value if line else "",
            shown.patient if shown else "",
            shown.nhs if shown else "",
            line.birth_date if line else "",
            row.heading,
            shown.directions if shown else "",
            shown.provider if shown else "",
            shown.trust if shown else "",
            shown.number if shown else "",
            shown.order_number if shown else "",
            row.taken_by,
            item.standing.since,
            row.text,
        )
