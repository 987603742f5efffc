"""How this node is joined to others: by the server that `GATEWAY_REDIS_URL` names, or not at all.

The library is an extra that need not be installed, so what knows it is imported when it is asked for, and here alone.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import structlog

from gateway.config.configuration import Configuration
from gateway.domain.errors import ConfigurationError
from gateway.joining.together import Together
from gateway.ports.joining import Joining
from gateway.settings import Settings
from gateway.telemetry import Metrics

_log = structlog.get_logger("joining")

_QUIET_SECONDS: Final = 60.0
_NOT_INSTALLED: Final = "GATEWAY_REDIS_URL: joining nodes needs the extra `homecare-gateway[redis]`"


def join(settings: Settings, configuration: Configuration, *, tell: Callable[[str], None]) -> Joining:
    """Give this node's view of the others, not yet started.

    Args:
        settings: as read.
        configuration: whose gateway it is: nodes of another gateway, or of another environment, share nothing with it.
        tell: told at every change what is wrong with the server; nothing where it is there.

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


class Teller:
    """Tells the log and the metrics whether the server is there; the log once a minute at most, for it may flap.

    Args:
        metrics: of this node.
        monotonic: seconds that never go back.
    """

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics, self._monotonic = metrics, monotonic
        self._quiet_until = float("-inf")
        self._said = ""

    def __call__(self, trouble: str) -> None:
        """Take note of what is wrong; nothing where it is there."""
        self._metrics.joined(not trouble)
        if trouble and self._monotonic() >= self._quiet_until:
            self._quiet_until = self._monotonic() + _QUIET_SECONDS
            self._said = trouble
            _log.warning("joining_away", error=trouble)
        elif not trouble and self._said:
            self._said = ""
            _log.info("joining_there")


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
