"""Whatever the power takes with it, no promise is among it; and this would be seen if it were."""

import pytest

from gateway.store.sqlite import connection as sqlite_connection
from tests.faults import power_loss


def test_no_power_loss_takes_a_promised_commit_or_half_of_one() -> None:
    row = power_loss.run(range(6), per_day=200)
    assert row.clean, row.faults
    assert row.tried == 1200


def test_half_hearted_synchronisation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite_connection._SETTINGS, "synchronous", 1)
    row = power_loss.run(range(1), per_day=60)
    assert row.lost > 0
