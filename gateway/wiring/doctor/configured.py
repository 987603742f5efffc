"""The configuration folder: is it right, does it fit the open lines, and is it the one in force?"""

import asyncio
from collections.abc import Iterator
from datetime import datetime

from gateway.config.calendar_check import calendar_concerns
from gateway.config.configuration import Configuration
from gateway.config.load import load
from gateway.config.reference import reference_in_force
from gateway.config.reference_check import concerns
from gateway.config.trust_maps import code_faults
from gateway.domain.errors import ConfigurationError, Unavailable
from gateway.domain.orphans import Orphan
from gateway.settings import Settings, variables
from gateway.wiring.build import SystemClock
from gateway.wiring.doctor.finding import Finding, good, look, wrong
from gateway.wiring.standing import orphaned
from gateway.wiring.storing import open_enquiries

_DO = "Correct it; `gateway config check` lists every fault. A gateway that runs keeps what it has; it would not start."


def read(settings: Settings) -> tuple[Configuration | None, list[Finding]]:
    """Read the configuration folder, and say what is wrong where it cannot be."""
    try:
        configuration = load(settings.config, environ=variables())
        settings.refuse_unsafe(configuration.environment)
    except ConfigurationError as error:
        return None, [wrong("configuration", fault, _DO) for fault in error.faults]
    return configuration, []


def configured(settings: Settings, configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Look at a configuration that could be read: its codes, its tables, its partners, and who depends on it."""
    try:
        reference = reference_in_force(settings.reference_folder, configuration.environment)
    except ConfigurationError as error:
        yield from (
            wrong("reference data", fault, "Load a release: gateway reference load FOLDER") for fault in error.faults
        )
        return
    faults = tuple(code_faults(configuration.trusts.values(), reference))
    yield from (wrong("configuration", fault, _DO) for fault in faults)
    told = (*concerns(configuration, reference, now.date()), *calendar_concerns(configuration.deadlines, now.date()))
    for one in told:
        grade = wrong if one.grave else look
        yield grade("configuration", one.text, f"See docs/runbooks/{one.kind}.md.")
    if not faults and not told:
        yield good("configuration", f"version {configuration.version}, reference data {reference.release}")


def in_force(settings: Settings, configuration: Configuration) -> Iterator[Finding]:
    """Compare the folder with what is in force in the store, and with the lines that depend on it."""
    try:
        found, stands = asyncio.run(_judged(settings, configuration))
    except Unavailable:
        return  # said of the store already
    for one in found:
        yield wrong(
            "open lines", f"{one}", "Put the partner or deadline back: a start on this configuration is refused."
        )
    if stands is not None and stands != configuration.digest:
        say = "the folder is not what the gateway last started with"
        yield look(
            "in force", say, "It takes effect at the next start: gateway config check, then restart in quiet hours."
        )


async def _judged(settings: Settings, configuration: Configuration) -> tuple[tuple[Orphan, ...], str | None]:
    enquiries = open_enquiries(settings)
    try:
        stands = await enquiries.configuration_in_force()
        found, _ = await orphaned(configuration, enquiries, SystemClock())
    finally:
        await enquiries.close()
    return found, stands[0] if stands is not None else None
