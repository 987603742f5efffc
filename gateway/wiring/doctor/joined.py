"""The server that joins this node to others, where one is set."""

from collections.abc import Iterator

from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError
from gateway.settings import Settings
from gateway.wiring.doctor.finding import Finding, good, look, wrong
from gateway.wiring.joining import why_not_joined

_ALONE = "each node goes by what it sees itself, and finds work when it polls; nothing is lost"


def joined(settings: Settings, configuration: Configuration) -> Iterator[Finding]:
    """Look whether the server can be used. Nodes do without it, so its absence is for working hours."""
    check = "joined nodes"
    if settings.redis_url is None:
        return
    try:
        why = why_not_joined(settings, configuration)
    except ConfigurationError as error:
        yield from (
            wrong(check, fault, "Correct the environment: the gateway would not start.") for fault in error.faults
        )
        return
    if why:
        yield look(check, f"the server of GATEWAY_REDIS_URL cannot be used ({why}): {_ALONE}", _DO.get(why, _LOOK))
        return
    yield good(check, "the server that joins the nodes answers")


_LOOK = "See that it runs, that this machine may reach it, and that it is not full; nothing in it need be kept."
_DO = {"AuthenticationError": "Correct the user and password in GATEWAY_REDIS_URL."}
