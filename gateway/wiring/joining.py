"""How this node is joined to others: by the server that `GATEWAY_REDIS_URL` names, or not at all.

The library is an extra that need not be installed, so what knows it is imported when it is asked for, and here alone.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError
from gateway.joining.together import Together
from gateway.ports.joining import Joining
from gateway.settings import Settings

_NOT_INSTALLED: Final = "GATEWAY_REDIS_URL: joining nodes needs the extra `homecare-gateway[redis]`"


def join(settings: Settings, configuration: Configuration, *, tell: Callable[[bool], None]) -> Joining:
    """Give this node's view of the others, not yet started.

    Args:
        settings: as read.
        configuration: whose gateway it is: nodes of another gateway, or of another environment, share nothing with it.
        tell: told at every change whether the server is there.

    Raises:
        ConfigurationError: the address may not be used, or the library is not installed.
    """
    if settings.redis_url is None:
        return Together().node("alone")
    try:
        from gateway.joining.over_redis import Joined  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(_NOT_INSTALLED) from None
    return Joined(
        settings.redis_url.get_secret_value(),
        gateway=f"{configuration.organisation}-{configuration.environment}",
        node=f"node-{uuid4().hex[:12]}",
        tell=tell,
    )


def why_not_joined(settings: Settings, configuration: Configuration) -> str:
    """Look once whether the server can be used, and give what is wrong with it; empty if nothing is.

    Raises:
        ConfigurationError: as `join`.
    """
    joined = join(settings, configuration, tell=lambda _: None)
    return asyncio.run(_looked(joined))


async def _looked(joined: Joining) -> str:
    await joined.start()
    why = joined.trouble
    await joined.close()
    return why
