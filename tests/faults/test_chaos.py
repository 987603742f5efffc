"""Two thousand prescriptions on a bad day: `gateway demo --chaos` as the issue asks for it.

The gateway is killed throughout, providers fall silent, go down, cut the line, answer late, twice and crossed; trusts
cancel, hold, release and change; two people re-route. Judged by the simulators' journals.
"""

import json
from pathlib import Path

import pytest

from gateway.simulate.demo import run

SEEDS = (11, 12, 13)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
def test_two_thousand_prescriptions_survive_a_bad_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    code = run(headless=True, prescriptions=2000, seed=seed, chaos=True, as_json=True, data=tmp_path)
    out, err = capsys.readouterr()
    assert code == 0, err
    books = json.loads(out)
    assert books["submitted"] == 2000
    assert books["lost"] == books["double_supplied"] == 0
    assert books["open"] == books["alerted"]
    assert books["accepted"] == books["delivered"] + books["closed"] + books["open"]
    assert "killed" in err
    assert "re-routed" in err
