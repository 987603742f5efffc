"""Who is told outside the console, and who was: a page of the rules, and words for an item's page (console.md 6.11).

That somebody was told is not that somebody knows: only taking the item stops the ladder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.pages import named
from gateway.console.site import Looker, Names, Site
from gateway.console.words import clock_time, when
from gateway.domain.alert import Soon
from gateway.domain.escalation import Circle, Contact, Patience
from gateway.domain.notice import Channel, NoticeState, reference
from gateway.domain.notice_rules import NOBODY, NoticeRules
from gateway.enquiries import has_stopped
from gateway.ports.notices import NOTIFIER, NoticeCounts, NoticeView

NOBODY_TOLD: Final = "Nobody is told outside this page."
_SILENCE_SECONDS: Final = 120.0
_LATE: Final = timedelta(minutes=5)
_HOUR: Final = 60
_WAYS: Final = {Channel.MAIL: "e-mail", Channel.WEBHOOK: "webhook"}
_STATES: Final = {
    NoticeState.DUE: "has not left yet",
    NoticeState.CLAIMED: "is being sent",
    NoticeState.SENT: "sent; nobody is known to have read it",
    NoticeState.SPENT: "did not leave, and was given up",
    NoticeState.DROPPED: "not sent: no longer needed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRow:
    """One notice, in words."""

    at: str
    ago: str
    who: str
    how: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldItem:
    """What the page of an item says of who was told.

    Attributes:
        reference: what the item is called on the telephone.
        rows: oldest first.
        words: said where nobody was told.
    """

    reference: str
    rows: tuple[ToldRow, ...]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRow:
    """One rung of a ladder: who stands on it, and by which ways."""

    name: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircleRow:
    """One circle, in words."""

    name: str
    hours: str
    rungs: tuple[RungRow, ...]
    waits: tuple[str, ...]


async def told_of(site: Site, looker: Looker, alert: int, now: datetime) -> ToldItem:
    """Give who was told of an item."""
    found = await site.enquiries.notices_of(alert, tenant=looker.tenant)
    words = "Nobody has been told outside this page yet." if rules_of(site).tells else NOBODY_TOLD
    return ToldItem(reference=reference(alert), rows=tuple(_row(one, now) for one in found), words=words)


def rules_of(site: Site) -> NoticeRules:
    """Give the rules that wiring handed in; nobody is told without."""
    found = site.services.get(NoticeRules)
    return found if isinstance(found, NoticeRules) else NOBODY


def routes(site: Site) -> list[BaseRoute]:
    """Give the address of the rules."""
    rules = rules_of(site)
    site.offer("told_outside", "" if rules.tells else NOBODY_TOLD)

    async def notices(request: Request) -> Response:
        looker = site.looking(request, Action.READ_SETTINGS)
        await site.note(looker, "view", "notices")
        now = site.now()
        counts = await site.enquiries.notice_counts(now=now)
        beaten = await site.enquiries.last_beat(NOTIFIER) if rules.tells else None
        return site.page(
            request,
            "notices.html",
            version=rules.version,
            tells=rules.tells,
            ways=" and ".join(_WAYS[channel] for channel in rules.channels),
            circles=[_circle(one, site.names) for one in _seen(rules, looker)],
            stopped=rules.tells and has_stopped(beaten, now=now, allowed_seconds=_SILENCE_SECONDS),
            beaten=f"{clock_time(beaten)}, {when(beaten, now)}" if beaten else "never",
            leaving=_leaving(counts, now),
        )

    return [Route("/notices", notices, methods=["GET"])]


def _seen(rules: NoticeRules, looker: Looker) -> Sequence[Circle]:
    """Give the circles that somebody may see: of the own trust, or all."""
    return [one for one in rules.circles if looker.tenant is None or one.trust == looker.tenant]


def _row(view: NoticeView, now: datetime) -> ToldRow:
    return ToldRow(
        at=clock_time(view.written_at),
        ago=when(view.written_at, now),
        who=f"{view.person}, {view.rung}",
        how=_WAYS[view.channel],
        state=f"{_STATES[view.state]}{f' ({view.said})' if view.state is NoticeState.SPENT and view.said else ''}",
    )


def _circle(circle: Circle, names: Names) -> CircleRow:
    return CircleRow(
        name=named(circle.trust, names) if circle.trust else "The gateway itself",
        hours=f"{circle.hours.opens:%H:%M} to {circle.hours.closes:%H:%M}, London time, on working days",
        rungs=tuple(
            RungRow(name=rung.value, people=tuple(_person(one) for one in circle.people[rung])) for rung in circle.rungs
        ),
        waits=tuple(_wait(soon, circle.patience[soon]) for soon in Soon),
    )


def _person(contact: Contact) -> str:
    ways = {Channel.MAIL: contact.mail, Channel.WEBHOOK: contact.webhook}
    return f"{contact.name}, by {' and '.join(_WAYS[channel] for channel, address in ways.items() if address)}"


def _wait(soon: Soon, patience: Patience) -> str:
    minutes = patience.wait // timedelta(minutes=1)
    span = f"{minutes} min" if minutes < _HOUR or minutes % _HOUR else f"{minutes // _HOUR} h"
    hours = "day and night" if patience.always else "of these hours"
    return f"To be seen to {soon}: the next person is told after {span} {hours}"


def _leaving(counts: NoticeCounts, now: datetime) -> tuple[str, ...]:
    found = []
    if counts.waiting and counts.since is not None:
        stands = "they do not leave" if now - counts.since > _LATE else "they are on their way"
        found.append(f"{counts.waiting} to be sent, the oldest written {when(counts.since, now)}: {stands}.")
    if counts.spent:
        found.append(f"{counts.spent} did not leave in the last seven days, and were given up.")
    return tuple(found)
