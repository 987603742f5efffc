"""People: who was let in and in which role, and roles given here until a date (console.md 6.10).

A role comes from the identity provider at each sign-in. What it cannot say is given here: one person proposes, another
agrees (`console/acting/waiting.py`), and it ends by itself. One person alone may end it before: less is safe.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.access.roles import ROLES, Role
from gateway.console.csv_text import csv_response
from gateway.console.entering.entrance import Entrance
from gateway.console.site import Entry, Looker, Names, Site
from gateway.console.staff import giving
from gateway.console.staff.giving import given, where
from gateway.console.staff.granting import KIND, PATH, Wanted, in_words
from gateway.console.words import LONDON, clock_time, day, when
from gateway.domain.person import Seen
from gateway.domain.proposal import Proposal

ENTRIES: Final = (Entry(words="People", href=PATH, action=Action.READ_SETTINGS),)
_MOST: Final = 500
_HEADER: Final = ("name", "reference", "role", "organisation", "first", "last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person in one role."""

    person: str
    name: str
    role: str
    where: str
    first: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """One role that waits for a second person."""

    href: str
    person: str
    name: str
    role: str
    by: str
    until: str


def routes(site: Site) -> list[BaseRoute]:
    """Give the addresses of people."""

    async def people(request: Request) -> Response:
        looker = site.looking(request, Action.READ_SETTINGS)
        await site.note(looker, "view", "people")
        return site.page(request, "people.html", **await _listed(site, looker))

    async def csv(request: Request) -> Response:
        looker = site.looking(request, Action.READ_SETTINGS)
        await site.note(looker, "download", "people")
        found = await site.enquiries.people(tenant=looker.tenant, limit=100_000)
        rows = ((one.person, one.name, one.role, str(one.tenant or ""), one.first_at, one.last_at) for one in found)
        return csv_response("people", _HEADER, rows)

    return [
        Route("/people", people, methods=["GET"]),
        Route("/people.csv", csv, methods=["GET"]),
        *giving.routes(site),
    ]


async def _listed(site: Site, looker: Looker) -> dict[str, object]:
    """Give everything that stands on the page."""
    now, tenant = site.now(), looker.tenant
    seen = await site.enquiries.people(tenant=tenant, limit=_MOST + 1)
    grants = await site.enquiries.grants(tenant=tenant, now=now)
    waiting = await site.enquiries.proposals(tenant=tenant, now=now)
    return {
        "people": [_person(site, one) for one in seen[:_MOST]],
        "more": len(seen) > _MOST,
        "given": [given(site, one) for one in grants],
        "waits": [_waits(site.names, one.proposal) for one in waiting if one.proposal.kind == KIND],
        "changes": looker.may(Action.CHANGE_SETTINGS),
        "roles": [(ROLES[role].words, ROLES[role].sees, ROLES[role].does) for role in Role],
        "by_issuer": (entrance := _entrance(site)) is not None and entrance.issuer is not None,
    }


def _person(site: Site, seen: Seen) -> Person:
    return Person(
        person=seen.person,
        name=seen.name,
        role=ROLES[Role(seen.role)].words if seen.role in set(Role) else seen.role,
        where=where(seen.tenant, site.names),
        first=day(seen.first_at.astimezone(LONDON).date()),
        last=f"{clock_time(seen.last_at)}, {when(seen.last_at, site.now())}",
    )


def _waits(names: Names, proposal: Proposal) -> Waits:
    what = Wanted.of(proposal.payload)
    return Waits(
        href=f"/console/waiting/{proposal.id}",
        person=what.person,
        name=what.name,
        role=in_words(what.post, names),
        by=f"{proposal.by}, {clock_time(proposal.at)}",
        until=clock_time(proposal.expires_at),
    )


def _entrance(site: Site) -> Entrance | None:
    entrance = site.services.get(Entrance)
    return entrance if isinstance(entrance, Entrance) else None
