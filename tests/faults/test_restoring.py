"""A few of the restore schedules on every run; `python -m tests.faults` lives the rest."""

from tests.faults.restoring import run


def test_a_restore_in_mid_traffic_loses_doubles_and_hides_nothing() -> None:
    """Twelve schedules, those among them that once supplied twice."""
    row = run(range(1, 2), per_seed=12)
    assert row.tried == 12
    assert row.clean, row.faults
