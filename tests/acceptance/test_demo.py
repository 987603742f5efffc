"""`gateway demo`, whole: the books balance, nothing is lost or supplied twice, and every behaviour was met."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.simulate.behaviours import BEHAVIOURS
from gateway.simulate.demo import run
from gateway.simulate.follow_ups import Deed
from gateway.simulate.world import PROFILES
from gateway.simulate.written import Flaw

FIELDS = (
    "submitted",
    "accepted",
    "refused",
    "held",
    "sent",
    "acknowledged",
    "rejected",
    "delivered",
    "closed",
    "open",
    "alerted",
    "lost",
    "double_supplied",
    "seconds",
)


def entries(data: Path, party: str) -> list[dict[str, object]]:
    files = sorted((data / "journals").glob(f"{party}-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def balanced(books: dict[str, float]) -> None:
    assert tuple(books) == FIELDS
    assert books["submitted"] == books["accepted"] + books["refused"]
    assert books["held"] <= books["accepted"]
    assert books["accepted"] == books["delivered"] + books["closed"] + books["open"]
    assert books["open"] == books["alerted"]
    assert books["lost"] == books["double_supplied"] == 0


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_hundred_prescriptions_end_in_balanced_books_with_every_behaviour_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(headless=True, prescriptions=200, seed=7, chaos=False, as_json=True, data=tmp_path)
    out, err = capsys.readouterr()
    assert code == 0, err
    books = json.loads(out)
    balanced(books)
    assert books["submitted"] == 200
    assert books["seconds"] > 0
    for name in ("refused", "held", "sent", "acknowledged", "rejected", "delivered", "alerted"):
        assert books[name] > 0, name
    _every_behaviour_was_met(tmp_path)


def _every_behaviour_was_met(data: Path) -> None:
    trusts, providers = entries(data, "trust"), entries(data, "provider")
    arrivals = [entry for entry in providers if entry["entry"] == "Arrived"]
    said = [entry for entry in providers if entry["entry"] == "Said"]
    assert {entry["behaviour"] for entry in arrivals} == {behaviour.name for behaviour in BEHAVIOURS.values()}
    assert all(entry["sealed"] for entry in arrivals)
    assert any(entry["repeat"] for entry in arrivals), "no message in doubt was sent again"
    assert {entry["word"] for entry in said} == {"accepted", "rejected", "queried", "delivered"}
    assert any(entry["repeat"] for entry in said), "no answer was sent twice"
    assert not [entry for entry in said if entry["provider"] == "VN6XW"], "the silent provider spoke"
    answers = [entry for entry in trusts if entry["entry"] == "Answered"]
    without_visitors = [one for one in PROFILES.values() if not one.for_visitors]
    assert {entry["flaw"] for entry in answers} == {
        Flaw.NONE,
        *(flaw for one in without_visitors for flaw in one.flaws),
    }
    assert any(entry["later"] for entry in answers), "no application answer came afterwards"
    told = {entry["entry"] for entry in trusts}
    assert "Told" in told, "no trust was told of a provider's decision"
    assert "Surprise" not in told


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_bad_day_ends_in_balanced_books_with_nothing_lost_and_nothing_supplied_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(headless=True, prescriptions=120, seed=11, chaos=True, as_json=True, data=tmp_path)
    out, err = capsys.readouterr()
    assert code == 0, err
    books = json.loads(out)
    balanced(books)
    assert books["submitted"] == 120
    assert books["delivered"] > 0
    _everything_went_wrong(tmp_path, err)


def _everything_went_wrong(data: Path, told: str) -> None:
    """The day was bad. What a follow-up met when it came is a matter of time, and not the same on every machine."""
    assert '"event":"started"' in (data / "gateway.log").read_text()
    for word in ("killed", "silent", "down"):
        assert word in told
    trusts, providers = entries(data, "trust"), entries(data, "provider")
    followed = {entry["deed"] for entry in trusts if entry["entry"] == "Followed"}
    assert followed
    assert followed <= {deed.value for deed in Deed}
    assert {entry["wanted"] for entry in providers if entry["entry"] == "Asked"} <= {"cancel", "hold", "release"}
    said = {entry["word"] for entry in providers if entry["entry"] == "Said"}
    assert {"accepted", "rejected", "delivered"} <= said


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_command_prints_one_json_object_and_nothing_else() -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--headless", "--prescriptions", "12", "--seed", "3", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    balanced(json.loads(ended.stdout))


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_an_interrupt_lets_everything_settle_and_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--prescriptions", "400", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        answered = tmp_path / "journals" / "trust-RZC.jsonl"
        while not (answered.exists() and "Answered" in answered.read_text()):
            assert demo.poll() is None
            time.sleep(0.2)
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=90)
    assert demo.returncode == 0, out
    assert "The books balance" in out
    log = (tmp_path / "gateway.log").read_text()
    assert '"event":"stopping"' in log
