"""The process dies at steps of its own code, and what it leaves is whole."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.faults import failpoints
from tests.faults.table import Row


def _tried(seeds: range, per_seed: int) -> Row:
    # in a process of its own: the points are planted for good
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(failpoints.run, seeds, per_seed=per_seed).result()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing() -> None:
    row = _tried(range(1, 2), 60)
    assert row.clean, row.faults
    assert row.tried >= 50
