"""The end of a prescription's validity, which comes at midnight: the gateway's own code, a year from now."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from gateway.domain.acts import Expiring, Expiry
from gateway.settings import read_settings
from gateway.wiring.acting import Desk, desk
from tests.browser.running import Running

_TRUST = "RBA"
_LATER = timedelta(days=366)


def let_one_expire(gateway: Running) -> None:
    """End a prescription of Example Trust that no provider has, as if it had waited until it was no longer valid."""
    with ThreadPoolExecutor(1) as beside:  # the browser's own loop runs in this thread
        beside.submit(asyncio.run, _end_one(gateway.data)).result()


async def _end_one(data: Path) -> None:
    config = data / "config"
    secrets = {f"GATEWAY_SECRET_{file.stem}": "not used here" for file in (config / "providers").iterdir()}
    with patch.dict(os.environ, secrets):
        async with desk(read_settings(data=data, config=config)) as at:
            one = await _one(at)
            expiry = Expiry(key=one.key, line_id=one.line_id, seen=one.state)
            assert await at.store.expire(expiry, now=at.clock.now() + _LATER)


async def _one(at: Desk) -> Expiring:
    """Give one that nobody has, waiting for the first."""
    for _ in range(60):
        for one in await at.enquiries.expiring(now=at.clock.now() + _LATER):
            if one.tenant.value == _TRUST and one.holder is None and one.state.value == "HELD":
                return one
        await asyncio.sleep(1)
    raise AssertionError("no prescription of that trust is held")
