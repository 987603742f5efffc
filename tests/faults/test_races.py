"""Of two at the same moment one wins; and one that does not look again is found out."""

import pytest

from gateway.store.sql import cancels
from tests.contract.store_engines import ENGINES
from tests.faults import races


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("seed", [1, 2])
def test_of_two_at_the_same_moment_one_wins(engine: str, seed: int) -> None:
    row = races.run(range(seed, seed + 1), per_seed=3 * len(races.KINDS), engine=engine)
    assert row.clean, row.faults


def test_a_cancel_that_does_not_look_again_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancels, "_as_seen", lambda *_: True)
    assert any(fault for seed in range(1, 9) for fault in races.try_seed(seed, 2 * len(races.KINDS)))
