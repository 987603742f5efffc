"""Planned outages of a provider: written down when it tells us, shown on the board, and told the day before.

One person may do it, for it changes nothing that is sent (console.md 6.10).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.board.provider_board import outage_words
from gateway.console.site import Form, Looker, Site
from gateway.console.trouble import note_nothing_done
from gateway.console.whole_number import whole_number
from gateway.console.words import LONDON, inert, short_time
from gateway.domain.errors import Unavailable
from gateway.domain.partner import Provider
from gateway.ports.outages import Outage, PlannedOutage

LONGEST: Final = 500
_EXAMPLE: Final = "2026-11-24 20:00"
_FAR: Final = timedelta(days=366)
_MOMENTS: Final = {"begins": "begins", "ends": "ends"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One planned outage on its provider's page; `href` is where it is withdrawn."""

    words: str
    href: str


def listed(provider: Provider, outages: Sequence[PlannedOutage]) -> tuple[Listed, ...]:
    """Give the planned outages of a provider, the soonest first."""
    return tuple(
        Listed(words=told(one.outage), href=f"/console/providers/{provider.ods}/outages/{one.number}")
        for one in outages
        if one.outage.provider == provider.ods
    )


def told(outage: Outage) -> str:
    """Say from when till when, what was said, and who was told."""
    span = f"{short_time(outage.begins)} to {short_time(outage.ends)}"
    return f"{span}: {inert(outage.note)} Written down by {outage.by}, {short_time(outage.at)}."


def routes(site: Site, provider_of: Callable[[Looker, Request], Provider]) -> list[BaseRoute]:
    """Give the addresses of the two acts.

    Args:
        site: what pages share.
        provider_of: gives the provider of an address, or raises 404.
    """

    async def ask(request: Request) -> Response:
        looker = site.looking(request, Action.PAUSE)
        provider = provider_of(looker, request)
        await site.note(looker, "plan outage page", f"provider {provider.ods}")
        return _page(site, request, provider, site.typed(request))

    async def plan(request: Request) -> Response:
        looker = site.looking(request, Action.PAUSE)
        provider = provider_of(looker, request)
        form = await site.form(request)
        moments, faults = _read(form, site.now())
        if faults:
            await note_nothing_done(site, looker, "plan outage", f"provider {provider.ods}")
            return _page(site, request, provider, form, faults=faults, status=422)
        begins, ends = moments
        outage = Outage(
            provider=provider.ods, begins=begins, ends=ends, note=form.one("reason"), by=looker.name, at=site.now()
        )
        try:
            new = await site.store.plan_outage(outage)
        except Unavailable:
            return _page(site, request, provider, form, unknown=True, status=503)
        words = outage_words(outage, site.now())
        said = "is written down" if new else "was written down before, and stands"
        return site.to(request, f"/console/providers/{provider.ods}", f"{words} {said}. Nothing is paused by it.")

    async def ask_away(request: Request) -> Response:
        looker = site.looking(request, Action.PAUSE)
        provider = provider_of(looker, request)
        one = await _of(site, provider, request)
        await site.note(looker, "withdraw outage page", f"provider {provider.ods}")
        return _page(site, request, provider, site.typed(request), planned=one)

    async def away(request: Request) -> Response:
        looker = site.looking(request, Action.PAUSE)
        provider = provider_of(looker, request)
        one = await _of(site, provider, request)
        form = await site.form(request)
        faults = _reason_fault(form)
        if faults:
            await note_nothing_done(site, looker, "withdraw outage", f"provider {provider.ods}")
            return _page(site, request, provider, form, planned=one, faults=faults, status=422)
        withdraw = partial(site.store.withdraw_outage, one.number, provider=provider.ods, by=looker.name)
        try:
            stood = await withdraw(reason=form.one("reason"), now=site.now())
        except Unavailable:
            return _page(site, request, provider, form, planned=one, unknown=True, status=503)
        said = "The planned outage is withdrawn." if stood else "It was withdrawn already. Nothing was done."
        return site.to(request, f"/console/providers/{provider.ods}", said)

    return [
        Route("/providers/{ods}/outages", ask, methods=["GET"]),
        Route("/providers/{ods}/outages", plan, methods=["POST"]),
        Route("/providers/{ods}/outages/{number}", ask_away, methods=["GET"]),
        Route("/providers/{ods}/outages/{number}", away, methods=["POST"]),
    ]


def _page(
    site: Site,
    request: Request,
    provider: Provider,
    form: Form,
    *,
    planned: PlannedOutage | None = None,
    faults: Sequence[tuple[str, str]] = (),
    unknown: bool = False,
    status: int = 200,
) -> Response:
    return site.page(
        request,
        "provider_outage.html",
        status,
        name=provider.name,
        ods=str(provider.ods),
        planned=told(planned.outage) if planned is not None else "",
        fields=[(name, f"When it {words}", form.one(name)) for name, words in _MOMENTS.items()],
        example=_EXAMPLE,
        reason=form.one("reason"),
        faults=[{"text": text, "href": f"#{name}"} for name, text in faults],
        wrong=dict(faults),
        unknown=unknown,
    )


async def _of(site: Site, provider: Provider, request: Request) -> PlannedOutage:
    """Give the outage of an address; one that is over, withdrawn or another's looks like one that does not exist."""
    number = whole_number(request.path_params["number"])
    planned = await site.enquiries.planned_outages(now=site.now())
    found = next((one for one in planned if one.number == number and one.outage.provider == provider.ods), None)
    if found is None:
        raise HTTPException(404)
    return found


def _read(form: Form, now: datetime) -> tuple[tuple[datetime, datetime], list[tuple[str, str]]]:
    """Read from when till when; what is wrong, field by field."""
    found: dict[str, datetime] = {}
    faults: list[tuple[str, str]] = []
    for name, words in _MOMENTS.items():
        moment = _moment(form.one(name))
        if moment is None:
            faults.append((name, f"Give when it {words} as day and time in London, for example {_EXAMPLE}"))
        else:
            found[name] = moment
    begins, ends = found.get("begins", now), found.get("ends", now)
    if not faults and ends <= begins:
        faults.append(("ends", "It must end after it begins"))
    if not faults and ends <= now:
        faults.append(("ends", "It is over already"))
    years = [name for name, moment in found.items() if abs(moment - now) > _FAR]
    if not faults and years:
        faults.append((years[0], f"That is more than a year from now: check the year, for example {_EXAMPLE}"))
    return (begins, ends), [*faults, *_reason_fault(form)]


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=LONDON) if moment.tzinfo is None and len(text) > len("2026-11-24") else None


def _reason_fault(form: Form) -> list[tuple[str, str]]:
    reason = form.one("reason")
    if not reason:
        return [("reason", "Say who told us, and what")]
    return [("reason", f"Use {LONGEST} characters or fewer")] if len(reason) > LONGEST else []
