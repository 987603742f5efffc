"""What a change of the partners would do, asked of every open line before anybody makes it (console.md 6.10; I23)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from gateway.config.configuration import Configuration
from gateway.console.in_force.settings_book import SettingsBook
from gateway.console.pages import named
from gateway.console.site import Names
from gateway.console.words import STATES
from gateway.domain.identifiers import OdsCode
from gateway.domain.orphans import Orphan, Standing, orphans
from gateway.domain.routing import RoutingTable


class Change(StrEnum):
    """What would be done with a provider."""

    INACTIVE = "inactive"
    GONE = "gone"


WORDS = {
    Change.INACTIVE: "were no longer active: nothing new is sent to it",
    Change.GONE: "were taken out of the configuration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Lines that would be left without a way on."""

    lines: int
    trust: str
    state: str
    why: str
    act: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a change would do.

    Attributes:
        lines: open lines without a way on; `looked`: how many were looked at.
        routes: what becomes of new prescriptions that name no provider, in words.
    """

    question: str
    lines: int
    looked: int
    left: tuple[Left, ...]
    routes: tuple[str, ...]


def what_if(
    book: SettingsBook, provider: OdsCode, change: Change, standing: Iterable[Standing], names: Names
) -> Outcome:
    """Judge a change against open lines; nothing is changed."""
    groups = tuple(standing)
    before = book.configuration
    found = orphans(groups, book.reach(_changed(before, provider, change)), book.reach(before))
    return Outcome(
        question=f"If {named(provider, names)} {WORDS[change]}",
        lines=sum(one.standing.lines for one in found),
        looked=sum(one.lines for one in groups),
        left=tuple(_left(one, names) for one in found),
        routes=tuple(_routes(before, provider, names)),
    )


def _changed(configuration: Configuration, provider: OdsCode, change: Change) -> Configuration:
    providers = dict(configuration.routing.providers)
    if change is Change.GONE:
        del providers[provider]
    else:
        providers[provider] = replace(providers[provider], active=False)
    table = RoutingTable(rows=configuration.routing.rows, providers=MappingProxyType(providers))
    return replace(configuration, routing=table)


def _left(orphan: Orphan, names: Names) -> Left:
    return Left(
        lines=orphan.standing.lines,
        trust=named(orphan.standing.tenant, names),
        state=STATES[orphan.standing.state].label,
        why=orphan.why,
        act=orphan.act,
    )


def _routes(configuration: Configuration, provider: OdsCode, names: Names) -> Iterable[str]:
    """Say of which trusts new prescriptions that name no provider would be held."""
    for row in configuration.routing.rows:
        if row.provider == provider:
            whose = f"of {named(row.trust, names)}" if row.trust else "of every trust"
            besides = _besides(row.scheme, row.product, row.registration_prefix)
            yield f"New prescriptions {whose}{besides} would be held."


def _besides(scheme: str, product: str, registration: str) -> str:
    parts = [f"paid for by the scheme {scheme}"] if scheme else []
    parts += [f"of product {product}"] if product else []
    parts += [f"registered as {registration}…"] if registration else []
    return f" {', '.join(parts)}" if parts else " that name no provider"
