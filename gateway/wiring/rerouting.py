"""Re-routes from the command line: a desk with the configuration's adapters and the seal, beside a running gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.domain.errors import ConfigurationError
from gateway.enquiries import Enquiries
from gateway.pipeline.reroute import Rerouting
from gateway.settings import Settings
from gateway.store.keys import load_or_make
from gateway.wiring.acting import desk
from gateway.wiring.around import surroundings


@asynccontextmanager
async def rerouting(settings: Settings) -> AsyncIterator[tuple[Rerouting, Enquiries]]:
    """Open a data folder for re-routes, and let it go afterwards.

    Raises:
        ConfigurationError: the configuration or the key is wrong, or the folder holds no store.
        Unavailable: the store cannot be opened.
    """
    if not settings.data.is_dir():
        raise ConfigurationError(f"data folder {settings.data}: holds no store")
    async with desk(settings) as at:
        around = surroundings(at.configuration, settings.reference_folder)
        keys = load_or_make(settings.data, development=settings.in_development)
        sealer = keys.seal(at.configuration.organisation)
        try:
            yield (
                Rerouting(store=at.store, enquiries=at.enquiries, sealer=sealer, around=around, clock=at.clock),
                at.enquiries,
            )
        finally:
            for destination in around.destinations.values():
                with suppress(Exception):  # plug-in code; the process is ending
                    await destination.close()
