"""What is configured of each provider, and who may see it; handed in by wiring."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.destination import Promises
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider
from gateway.domain.routing import RouteRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBook:
    """The providers in force, the routes that lead to them, and what the adapter of each promises."""

    providers: Mapping[OdsCode, Provider]
    routes: tuple[RouteRow, ...]
    promises: Mapping[OdsCode, Promises]

    def shown_to(self, tenant: OdsCode | None) -> tuple[Provider, ...]:
        """Give the providers that somebody may see: a provider itself alone, anybody else all; by name."""
        own = self.providers.get(tenant) if tenant is not None else None
        found = (own,) if own is not None else self.providers.values()
        return tuple(sorted(found, key=lambda provider: (provider.name.casefold(), provider.ods.value)))

    def find(self, ods: str, tenant: OdsCode | None) -> Provider | None:
        """Give a provider, if there is one and it may be seen."""
        return next((one for one in self.shown_to(tenant) if one.ods.value == ods), None)

    def routes_to(self, provider: OdsCode, tenant: OdsCode | None) -> tuple[RouteRow, ...]:
        """Give the routes that lead to a provider: of a trust's person, those that could be its own."""
        seen = {None, tenant} if tenant is not None and tenant not in self.providers else None
        return tuple(row for row in self.routes if row.provider == provider and (seen is None or row.trust in seen))
