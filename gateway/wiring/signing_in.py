"""Joins the console's way in: who may come by it, and how long they may stay."""

from collections.abc import Callable

from gateway.console.entering.entrance import Entrance, entrance_of
from gateway.console.entering.sessions import Sessions
from gateway.wiring.build import Gateway


def entrance_to(gateway: Gateway) -> Entrance:
    """Make the way into a gateway's console."""
    return entrance_of(
        gateway.configuration.signing_in,
        gateway.configuration.organisations,
        gateway.clock.now,
        development=gateway.settings.in_development,
    )


def sessions_of(gateway: Gateway, announce: Callable[[str], None]) -> Sessions:
    """Make the sessions of a gateway's console, as long as the configuration says; in development they rest longer.

    Args:
        gateway: whose console it is.
        announce: told each new link's path.
    """
    signing_in = gateway.configuration.signing_in
    kept = (gateway.clock.now, gateway.enquiries, gateway.store)
    if gateway.settings.in_development and signing_in.issuer is None:
        return Sessions(*kept, announce=announce)
    return Sessions(*kept, announce=announce, idle=signing_in.idle, absolute=signing_in.absolute)
