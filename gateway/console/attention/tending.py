"""What waits for whoever runs the gateway: what, where, since when, by when, and what is done about it.

They see no patient: of a prescription its opaque id, whose it is, who has it and where it stands. What a trust's people
wrote down about it is theirs, and is not shown here.

Source: console.md 3 (operator), 6.1, 6.11; DECISIONS 0059.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console import pages
from gateway.console.attention.attention_words import Row, named, row_of
from gateway.console.attention.home import watch_words
from gateway.console.attention.note_words import NoteShown, note_of
from gateway.console.attention.work import TENDED_PATH, Desk, acting, item_of
from gateway.console.attention.work_acts import CALL, CLOSE, HAND_OVER
from gateway.console.in_force.told import told_of
from gateway.console.site import Entry, Looker, Names, Site
from gateway.console.whole_number import page_number
from gateway.console.words import STATES, clock_time
from gateway.domain.alert_kinds import about
from gateway.domain.notice import alert_of
from gateway.ports.attention import DEEPEST, PAGE, Attention, WorkItem, WorkNote

ENTRIES: Final = (Entry(words="The gateway", href=TENDED_PATH, action=Action.TEND),)
_NO_SUCH: Final = "No item has this reference. It looks like 001J-42: check it, and read it back on the telephone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where on the list a page is; addresses are empty where there is nothing."""

    words: str
    earlier: str
    later: str


def routes(site: Site) -> list[BaseRoute]:
    """Give the list, the page of an item, its acts, and the way from a reference to it."""

    async def every(request: Request) -> Response:
        looker = site.looking(request, Action.TEND)
        await site.note(looker, "view", "gateway items")
        return await _list(request, site, looker)

    async def find(request: Request) -> Response:
        """Lead from the reference that stands in a notice to its item."""
        looker = site.looking(request, Action.TEND)
        typed = request.query_params.get("reference", "").strip()
        await site.note(looker, "search by reference", "gateway items")
        alert = alert_of(typed)
        if alert is None or await _item(site, looker, alert) is None:
            return await _list(request, site, looker, typed=typed, fault=_NO_SUCH)
        return site.to(request, f"{TENDED_PATH}/{alert}")

    async def one(request: Request) -> Response:
        looker = site.looking(request, Action.TEND)
        found = await item_of(site, _DESK, looker, request)
        alert, now = found.alert or 0, site.now()
        await site.note(looker, "view", f"alert {alert}")
        known = about(found.kind)
        notes = await site.enquiries.work_notes(alert, tenant=None)
        return site.page(
            request,
            "gateway_item.html",
            row=_row(found, looker, site.names, now),
            number=alert,
            home=TENDED_PATH,
            runbook=known.runbook,
            commands=known.commands,
            closed=clock_time(found.closed_at) if found.closed_at else "",
            put_off=clock_time(found.snoozed_until) if found.snoozed_until and found.snoozed_until > now else "",
            notes=[_note(note, found, looker, now) for note in notes],
            told=await told_of(site, looker, alert, now),
            acts=() if found.closed_at else _DESK.acts,
        )

    return [
        Route("/gateway", every, methods=["GET"]),
        Route("/gateway/find", find, methods=["GET"]),
        *acting(site, _DESK, Action.TEND),
        Route("/gateway/{alert:int}", one, methods=["GET"]),
    ]


async def _item(site: Site, _: Looker, alert: int) -> WorkItem | None:
    return await site.enquiries.tended_item(alert)


async def _list(request: Request, site: Site, looker: Looker, *, typed: str = "", fault: str = "") -> Response:
    now, mine = site.now(), request.query_params.get("whose") == "mine"
    page = page_number(request.query_params.get("page", ""), last=DEEPEST // PAGE)
    first = (page - 1) * PAGE
    found = await site.enquiries.tended(taken_by=looker.name if mine else "", first=first, size=PAGE, now=now)
    return site.page(
        request,
        "gateway_items.html",
        422 if fault else 200,
        watch=await watch_words(site, now),
        paused=[pages.paused(one, site.names, now) for one in await site.enquiries.pauses()],
        rows=[_row(one, looker, site.names, now) for one in found.rows if isinstance(one, WorkItem)],
        count=f"more than {DEEPEST:,}" if found.more else f"{found.total:,}",
        mine=mine,
        home=TENDED_PATH,
        paging=_paging(found, page, mine=mine),
        checked=clock_time(now),
        typed=typed,
        faults=[(fault, "#reference")] if fault else [],
    )


def _row(item: WorkItem, looker: Looker, names: Names, now: datetime) -> Row:
    """Give an item in words, with where it is."""
    row, line = row_of(item, looker, names, now), item.opaque
    if line is None:
        where: Sequence[tuple[str, str]] = (("Trust", named(item.tenant, names)),) if item.tenant else ()
    else:
        where = (
            ("Prescription", str(line.prescription_id)),
            ("Where it stands", f"{STATES[line.state].label}, since {clock_time(line.entered_at)}"),
            ("Trust", named(line.tenant, names)),
            ("Provider", named(line.provider, names) if line.provider else "Not chosen"),
        )
    place = f"To be seen to {row.soon}." if row.soon else ""
    return replace(row, href=f"{TENDED_PATH}/{item.alert}", where=tuple(where), place=place)


def _note(note: WorkNote, item: WorkItem, looker: Looker, now: datetime) -> NoteShown:
    """Give one note; what others wrote down about a prescription may name a patient, and is left to its trust."""
    shown = note_of(note, now)
    if item.opaque is None or note.by == looker.name or note.kind in {"taken", "handed over"}:
        return shown
    told = {"call": "logged a call", "reminded": "reminded somebody", "put off": "put it off"}
    return replace(shown, what=f"{note.by} {told[note.kind]}", words="What was written stands on the trust's own page.")


def _paging(found: Attention, page: int, *, mine: bool) -> Paging:
    last = (found.total + PAGE - 1) // PAGE
    first = (page - 1) * PAGE
    rows = f"Rows {first + 1:,} to {first + len(found.rows):,} of {found.total:,}." if found.rows else ""
    return Paging(
        words=rows,
        earlier=_address(page - 1, mine=mine) if page > 1 else "",
        later=_address(page + 1, mine=mine) if page < last else "",
    )


def _address(page: int, *, mine: bool) -> str:
    return f"{TENDED_PATH}?{'whose=mine&' if mine else ''}page={page}"


_DESK: Final = Desk(
    path=TENDED_PATH,
    home=TENDED_PATH,
    item=_item,
    row=_row,
    acts=(CALL, HAND_OVER, CLOSE),
    may=Action.TEND,
    called="gateway item",
)
