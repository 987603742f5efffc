"""The books with a provider: checked when a person asks, for every row is looked at; what was found last is shown.

Source: console.md 6.5; reliability-security.md I20.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.site import Looker, Site
from gateway.console.words import clock_time, day
from gateway.domain.books import Account, Ledger, Side, london_day
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider

MOST_NAMED = 20


@dataclass(slots=True)
class LastCheck:
    """What this node found when it looked last; nothing before anybody asked."""

    ledger: Ledger | None = None
    of: date | None = None
    at: datetime | None = field(default=None)

    def words(self, provider: OdsCode) -> tuple[str, ...]:
        """Say what was found of a provider's day, and of the whole gateway."""
        if self.ledger is None or self.of is None or self.at is None:
            return ("Not checked since this node of the gateway was started.",)
        of_it = [one for one in self.ledger.accounts if one.party == provider and one.side is Side.PROVIDER]
        return (
            f"Checked {clock_time(self.at)}.",
            *(_account(one) for one in of_it),
            *(() if of_it else (f"Nothing was given to it on {day(self.of)}.",)),
            _faults(self.ledger),
        )


def routes(site: Site, provider_of: Callable[[Looker, Request], Provider], last: LastCheck) -> list[BaseRoute]:
    """Give the address of the check.

    Args:
        site: what pages share.
        provider_of: gives the provider of an address, or raises 404.
        last: keeps what is found.
    """

    async def check(request: Request) -> Response:
        looker = site.looking(request, Action.READ_BOOKS)
        provider = provider_of(looker, request)
        await site.form(request)
        await site.note(looker, "check", f"books {provider.ods}")
        now = site.now()
        of = london_day(now) - timedelta(days=1)
        last.ledger, last.of, last.at = await site.enquiries.ledger(day=of, now=now), of, now
        found = (
            "Everything is accounted for." if last.ledger.balances else "Not everything is accounted for: see below."
        )
        return site.to(request, f"/console/providers/{provider.ods}", f"The books were checked. {found}")

    return [Route("/providers/{ods}/books", check, methods=["POST"])]


def _account(one: Account) -> str:
    balanced = "Books balanced" if one.balances else "BOOKS NOT BALANCED"
    return (
        f"{balanced} to 23:59 on {day(one.day)}: {one.accepted:,} given to it that day, {one.terminal:,} of them"
        f" ended, {one.open:,} open, {one.alerted:,} of those with an open alert."
    )


def _faults(ledger: Ledger) -> str:
    """Name what is not accounted for, of the whole gateway."""
    if not ledger.faults:
        return "0 differences in the whole gateway."
    named = "; ".join(f"{fault.what}: {fault.id}" for fault in ledger.faults[:MOST_NAMED])
    more = f"; and {len(ledger.faults) - MOST_NAMED} more" if len(ledger.faults) > MOST_NAMED else ""
    count = len(ledger.faults)
    return f"{count:,} {'difference' if count == 1 else 'differences'} in the whole gateway: {named}{more}."
