"""The exchange that the store's contract tests run on: once for each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.domain.custody import CUSTODY
from tests.contract.store_engines import ENGINES, TRUST, Clock, Exchange


@pytest.fixture(params=sorted(ENGINES))
async def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Exchange]:
    """Give an empty store of each engine, with its clock; one trust is told of what becomes of its orders."""
    clock = Clock()
    opened = ENGINES[request.param](tmp_path, clock, frozenset({TRUST}), CUSTODY)
    yield Exchange(opened, clock)
    await opened.close()
