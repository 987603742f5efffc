"""A pharmacist's acts on the command line that need the seal: a desk with the adapters and the key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from gateway.pipeline.pharmacy import Pharmacy
from gateway.settings import Settings
from gateway.store.keys import load_or_make
from gateway.wiring.acting import Desk, desk
from gateway.wiring.around import surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A desk with a pharmacy behind it."""

    desk: Desk
    pharmacy: Pharmacy


@asynccontextmanager
async def counter(settings: Settings) -> AsyncIterator[Counter]:
    """Open a data folder for a pharmacist's act, and let it go afterwards.

    Raises:
        ConfigurationError: the configuration or the key is wrong, or the folder holds no store.
        Unavailable: the store cannot be opened.
    """
    async with desk(settings) as at:
        around = surroundings(at.configuration, settings.reference_folder)
        keys = load_or_make(settings.data, development=settings.in_development)
        sealer = keys.seal(at.configuration.organisation)
        pharmacy = Pharmacy(store=at.store, enquiries=at.enquiries, sealer=sealer, around=around, clock=at.clock)
        try:
            yield Counter(desk=at, pharmacy=pharmacy)
        finally:
            for destination in around.destinations.values():
                with suppress(Exception):  # plug-in code; the process is ending
                    await destination.close()
