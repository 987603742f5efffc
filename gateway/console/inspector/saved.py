"""Filters of the list of messages that a person keeps under names of their own (console.md 6.7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.access.policy import Action
from gateway.console.site import Looker, Site
from gateway.console.words import inert
from gateway.ports.filters import MOST, SavedFilter

LONGEST: Final = 40
_LIST: Final = "/console/messages"
_UNNAMED: Final = f"The filter was not kept: give it a name of at most {LONGEST} characters."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One filter, as the list offers it: `shown` can do no harm on a page, `name` is what it is called."""

    name: str
    shown: str
    href: str


async def kept(site: Site, looker: Looker) -> tuple[Kept, ...]:
    """Give the filters that this person keeps, by name."""
    filters = await site.enquiries.saved_filters(looker.name)
    return tuple(Kept(name=one.name, shown=inert(one.name), href=f"{_LIST}?{one.query}") for one in filters)


def routes(site: Site, address_of: Callable[[Mapping[str, str]], str]) -> list[BaseRoute]:
    """Give the addresses of keeping and forgetting.

    Args:
        site: what pages share.
        address_of: gives the address of the list for what an address asks, without anything that is no filter.
    """

    async def keep(request: Request) -> Response:
        looker = site.looking(request, Action.READ_MESSAGES)
        form = await site.form(request)
        await site.note(looker, "keep a filter", "messages")
        address = address_of(dict(parse_qsl(form.one("query"))))
        name = form.one("filter_name")
        if not name or len(name) > LONGEST:
            return site.to(request, address, _UNNAMED)
        one = SavedFilter(name=name, query=address.partition("?")[2])
        done = await site.store.save_filter(looker.name, one, now=site.now())
        said = f"The filter “{inert(name)}” is kept for you."
        full = f"The filter was not kept: you have {MOST}. Forget one first."
        return site.to(request, address, said if done else full)

    async def forget(request: Request) -> Response:
        looker = site.looking(request, Action.READ_MESSAGES)
        form = await site.form(request)
        await site.note(looker, "forget a filter", "messages")
        name = form.one("filter_name")
        done = await site.store.forget_filter(looker.name, name)
        return site.to(request, _LIST, f"The filter “{inert(name)}” is forgotten." if done else "There was none.")

    return [
        Route("/messages/filters", keep, methods=["POST"]),
        Route("/messages/filters/forget", forget, methods=["POST"]),
    ]
