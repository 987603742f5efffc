"""A configuration against the open lines of a store: what it would orphan, and putting it in force (I23, D12)."""

from gateway.config.configuration import Configuration
from gateway.domain.deadline import Urgency
from gateway.domain.errors import ConfigurationError
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.orphans import Orphan, Reach, orphans
from gateway.enquiries import Enquiries
from gateway.ports.clock import Clock
from gateway.ports.store import Store


def reach(configuration: Configuration, clock: Clock) -> Reach:
    """Give what a configuration lets the gateway reach."""
    now = clock.now()
    tokens = {one.principal.tenant for one in configuration.credentials if one.principal.tenant is not None}
    return Reach(
        environment=configuration.environment,
        trusts=configuration.trusts,
        providers=configuration.routing.providers,
        callers=frozenset({*tokens, *configuration.certificates.values()}),
        untimed=frozenset(
            state
            for state in LineState
            if state not in {*TERMINAL, LineState.FULFILLED}
            and any(configuration.deadlines.limit(state, urgency, now) is None for urgency in Urgency)
        ),
    )


async def orphaned(
    configuration: Configuration, enquiries: Enquiries, clock: Clock, *, before: Configuration | None = None
) -> tuple[tuple[Orphan, ...], int]:
    """Give what a configuration would orphan, and how many open lines were looked at.

    Raises:
        Unavailable: the store cannot be read.
    """
    standing = await enquiries.standing()
    found = orphans(standing, reach(configuration, clock), reach(before, clock) if before is not None else None)
    return found, sum(one.lines for one in standing)


async def adopt(configuration: Configuration, store: Store, enquiries: Enquiries, clock: Clock) -> None:
    """Put a configuration in force, with the lead times it states, or refuse it.

    One that is in force already is not looked at again.

    Raises:
        ConfigurationError: it would orphan open lines; each kind with its count, ids and what to do first.
        Unavailable: the store is away.
    """
    present = await enquiries.configuration_in_force()
    if present is None or present[0] != configuration.digest:
        found, lines = await orphaned(configuration, enquiries, clock)
        if found:
            raise ConfigurationError(*map(str, found))
        await store.adopt_configuration(configuration.digest, configuration.version, checked_lines=lines)
    stated = {one.ods: one.lead_time for one in configuration.routing.providers.values() if one.lead_time is not None}
    await store.keep_lead_times(stated, now=clock.now())  # always: a release before keeps none
