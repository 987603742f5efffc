"""A provider in trouble: who is affected, the shortest supply first, and re-routes proposed for many at once.

Each proposal is one prescription's own, behind its own fence, and waits for a second person as any other. Nothing moves
from here; what became of them stands among what waits for a second person, and on each prescription's page. A trust's
people are told which patients and medicines of theirs they are; nobody else is (DECISIONS 0071).

Source: console.md 6.5; domain.md 1.4; reliability-security.md I10.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.acting.reroute import KIND, WHY, proposed
from gateway.console.acting.shape import LONGEST, in_words
from gateway.console.csv_stream import Rows, csv_stream
from gateway.console.csv_text import Cell
from gateway.console.pages import address, named
from gateway.console.site import Form, Looker, Site
from gateway.console.trouble import note_nothing_done
from gateway.console.words import LONDON, STATES, Shown, clock_time, day, inert, nhs_number
from gateway.domain.asking import Seen
from gateway.domain.cover import Cover
from gateway.domain.fence import MOVABLE
from gateway.domain.identifiers import OdsCode
from gateway.domain.labels import worst
from gateway.domain.reroute import HeldPrescription
from gateway.pipeline.reroute import Rerouting
from gateway.ports.attention import Whose

MOST: Final = 200
"""Prescriptions of one page: each is looked at for the days of medicine left. The file has all."""
_PART: Final = 50
"""Of a file, whose names and medicines are in memory at once."""
_COLUMNS: Final = (
    "prescription",
    "orders",
    "status",
    "may be proposed",
    "supplies left",
    "medicine at home ends",
    "re-route proposed",
    "patient",
    "NHS number",
    "medicines",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One prescription that is affected.

    Attributes:
        patient: and `nhs`, of the reader's own trust; empty for anybody else, as are the medicines.
        left: days of medicine left, in words; what is not known is treated as urgent.
        movable: a re-route of it may be proposed; on hold, for one, it may not.
        proposed: a re-route of it waits for a second person.
    """

    held: HeldPrescription
    href: str
    number: str
    orders: str
    state: Shown
    supplies: int
    left: str
    ends: date | None
    movable: bool
    proposed: bool
    patient: str = ""
    nhs: str = ""
    medicines: tuple[str, ...] = ()


def place(provider: OdsCode) -> str:
    """Give the address of the page of who is affected; with `.csv` after it, of the file of them all."""
    return f"/console/providers/{provider}/trouble"


def routes(site: Site) -> list[BaseRoute]:
    """Give the list of who is affected, the list as a file, and what proposes for many."""

    async def affected(request: Request) -> Response:
        looker, ods = await _asked(site, request)
        await site.note(looker, "provider in trouble", str(ods))
        return await _page(site, request, looker, ods, site.typed(request))

    async def as_csv(request: Request) -> Response:
        looker, ods = await _asked(site, request)
        await site.note(looker, "provider in trouble, as a file", str(ods))
        found = [one for one in await site.enquiries.held(provider=ods, tenant=looker.tenant) if one.lines]
        return await csv_stream(f"affected-{str(ods).lower()}", _COLUMNS, _parts(site, looker, found))

    async def propose(request: Request) -> Response:
        looker, ods = await _asked(site, request)
        form = await site.form(request)
        rows, _ = await _rows(site, looker, ods)
        chosen = [row for row in rows if str(row.held.prescription_id) in form.many("prescription")]
        to, wrong = OdsCode.parse(form.one("to")), _wrong(site, ods, form, chosen)
        if wrong or to is None:
            await note_nothing_done(site, looker, "propose re-routes", str(ods))
            return await _page(site, request, looker, ods, form, wrong)
        await site.note(looker, "propose re-routes", str(ods))
        done, reasons = 0, list[str]()
        for row in chosen:
            why = await site.store.propose(
                proposed(
                    row.held.prescription_id,
                    tenant=row.held.tenant,
                    to=to,
                    seen={
                        one.line_id: Seen(state=one.holding.state, epoch=one.holding.epoch) for one in row.held.lines
                    },
                    by=looker.name,
                    reason=f"{in_words(WHY, form.one('code'))}. {form.one('reason')}",
                    token=form.token,
                    now=site.now(),
                )
            )
            done += not why
            reasons += [f"{row.number}: {one}" for one in why]
        if not done:
            await note_nothing_done(site, looker, "propose re-routes", str(ods))
        words = (
            f"{done} of {len(chosen)} re-routes are proposed. Nothing has moved yet: a second person agrees to each."
        )
        return site.to(request, "/console/waiting", " ".join([words, *reasons[:5]]))

    path = "/providers/{ods}/trouble"
    return [
        Route(path, affected, methods=["GET"]),
        Route(path, propose, methods=["POST"]),
        Route(f"{path}.csv", as_csv, methods=["GET"]),
    ]


async def _asked(site: Site, request: Request) -> tuple[Looker, OdsCode]:
    """Give who looks, and which provider is meant: one of the configuration, or one that left it and has something yet.

    Raises:
        HTTPException: 404, there is no such provider, or they may not re-route.
    """
    looker = site.looking(request, Action.REROUTE)
    ods = OdsCode.parse(request.path_params["ods"])
    if ods is None:
        raise HTTPException(404)
    if ods not in site.names and not await site.enquiries.held(provider=ods, tenant=looker.tenant, most=1):
        raise HTTPException(404)
    return looker, ods


async def _rows(site: Site, looker: Looker, provider: OdsCode) -> tuple[list[Row], int]:
    """Give who is affected, the shortest supply first, and how many were found: more than `MOST` are not counted."""
    held = await site.enquiries.held(provider=provider, tenant=looker.tenant, movable=True, most=MOST + 1)
    found = [one for one in held if _moves(one)]
    rows = await _looked_at(site, looker, found[:MOST])
    return sorted(rows, key=lambda row: (row.ends is not None, row.ends or date.max, row.number)), len(found)


async def _looked_at(site: Site, looker: Looker, found: Sequence[HeldPrescription]) -> list[Row]:
    """Find for each how long its medicine lasts, and whether a re-route of it waits."""
    waiting = await site.enquiries.proposals(tenant=looker.tenant, now=site.now(), limit=1000)
    subjects = {one.proposal.subject for one in waiting if one.proposal.kind == KIND}
    covers = await site.enquiries.covers_held([one.key for one in found], tenant=looker.tenant)
    today = site.now().astimezone(LONDON).date()
    return [_row(one, covers.get(one.key, {}), today, waits=str(one.prescription_id) in subjects) for one in found]


def _moves(held: HeldPrescription) -> bool:
    return any(line.holding.state in MOVABLE for line in held.lines)


def _row(held: HeldPrescription, covers: Mapping[UUID, Cover], today: date, *, waits: bool) -> Row:
    ends = [one.ends_on for line, one in covers.items() if line in {each.line_id for each in held.lines}]
    known = [one for one in ends if one is not None]
    first = min(known) if known and len(known) == len(held.lines) else None
    return Row(
        held=held,
        href=address(held.prescription_id),
        number=held.number or "Without a number",
        orders=", ".join(line.order_number for line in held.lines if line.order_number),
        state=STATES[worst(tuple(line.holding.state for line in held.lines))],
        supplies=sum(line.holding.left for line in held.lines),
        left=_left(max(0, (first - today).days), first) if first else "Not known: treat as urgent",
        ends=first,
        movable=_moves(held),
        proposed=waits,
    )


async def _named(site: Site, looker: Looker, rows: Sequence[Row]) -> list[Row]:
    """Add the patient and the medicines for whoever may open each prescription anyway, of its own trust."""
    own = [row.held.key for row in rows if row.held.tenant == looker.tenant]
    found = await site.enquiries.whose(own, tenant=looker.tenant) if own and looker.may(Action.READ_CONSOLE) else {}
    return [_with(row, found[row.held.key]) if row.held.key in found else row for row in rows]


def _with(row: Row, whose: Whose) -> Row:
    return replace(
        row,
        patient=inert(whose.patient_name) or "The patient's name could not be read",
        nhs=nhs_number(whose.nhs_number),
        medicines=tuple(dict.fromkeys(inert(one) for one in whose.medicines)),
    )


async def _parts(site: Site, looker: Looker, found: Sequence[HeldPrescription]) -> AsyncIterator[Rows]:
    for first in range(0, len(found), _PART):
        rows = await _looked_at(site, looker, found[first : first + _PART])
        yield [_cells(row) for row in await _named(site, looker, rows)]


def _cells(row: Row) -> tuple[Cell, ...]:
    return (
        row.number,
        row.orders,
        row.state.label,
        "yes" if row.movable else "no",
        row.supplies,
        row.ends or "",
        "yes" if row.proposed else "no",
        row.patient,
        row.nhs,
        "; ".join(row.medicines),
    )


def _left(days: int, ends: date) -> str:
    return f"{days} day{'s' * (days != 1)}, none from {day(ends)}"


def _choices(site: Site, provider: OdsCode) -> list[tuple[str, str]]:
    others = site.service(Rerouting).providers()
    return [(str(one.ods), named(one.ods, site.names)) for one in others if one.ods != provider]


def _wrong(site: Site, provider: OdsCode, form: Form, chosen: list[Row]) -> dict[str, str]:
    """Give what is not answered, with what to do about it."""
    wrong = {}
    if not chosen:
        wrong["prescription"] = "Choose at least one prescription"
    if form.one("to") not in {value for value, _ in _choices(site, provider)}:
        wrong["to"] = "Choose which provider is to have them"
    if form.one("registered") != "yes":
        wrong["registered"] = "Confirm that the patients are registered there, or register them first"
    if form.one("code") not in {option.value for option in WHY.options}:
        wrong["code"] = WHY.wrong
    if not 0 < len(form.one("reason")) <= LONGEST:
        wrong["reason"] = f"Give a reason of up to {LONGEST} characters"
    return wrong


async def _page(  # noqa: PLR0917 - what a page is made from
    site: Site, request: Request, looker: Looker, provider: OdsCode, form: Form, wrong: dict[str, str] | None = None
) -> Response:
    found, total = await _rows(site, looker, provider)
    rows = await _named(site, looker, found)
    told = wrong or {}
    return site.page(
        request,
        "trouble.html",
        422 if told else 200,
        provider=named(provider, site.names),
        path=place(provider),
        rows=rows,
        total=total,
        most=MOST,
        chosen=form.many("prescription"),
        choices=_choices(site, provider),
        reasons=[(option.value, option.words) for option in WHY.options],
        typed={name: form.one(name) for name in ("to", "registered", "code", "reason")},
        wrong=told,
        as_of=clock_time(site.now()),
    )
