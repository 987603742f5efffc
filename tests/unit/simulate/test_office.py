"""The people of the office act on what the alerts say, through the command line, and say of a doubt what they heard."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from gateway.simulate.behaviours import BEHAVIOURS
from gateway.simulate.folder import choose_addresses
from gateway.simulate.office import Office
from gateway.simulate.world import PROFILES

PRESCRIPTION = "2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7001"


class Rehearsed(Office):
    """Writes down what would be run; `alerts` is what the gateway would list."""

    def rehearse(self, *alerts: dict[str, object]) -> None:
        self.alerts = alerts
        self.ran: list[tuple[str, ...]] = []

    async def _gateway(self, *words: str) -> tuple[int, str]:
        self.ran.append(words)
        if words[0] == "alerts":
            return 0, json.dumps(self.alerts)
        if words[0] == "operator":
            return 0, f"secret of {words[2]}\n"
        return 0, json.dumps({"counts": {"at once": 2}})


def office(folder: Path, tally: Counter[str], *alerts: dict[str, object]) -> Rehearsed:
    addresses = choose_addresses(PROFILES, BEHAVIOURS)
    one = Rehearsed(data=folder, config=folder, addresses=addresses, providers={}, source=Random(1), tally=tally)
    one.rehearse(*alerts)
    return one


def alert(kind: str) -> dict[str, object]:
    return {"id": 7, "kind": kind, "prescription": PRESCRIPTION, "line": "l", "text": ""}


async def test_the_first_person_appoints_the_second(tmp_path: Path) -> None:
    one = office(tmp_path, Counter())
    await one.open()
    first, second = one.ran
    assert "--by" not in first
    assert second[-2:] == ("--by", first[2])


async def test_what_no_provider_has_never_arrived(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()
    one = office(tmp_path, tally, alert("line-uncertain"))
    await one.work()
    assert one.ran[1][:3] == ("resolve", PRESCRIPTION, "never-arrived")
    assert tally == {"doubts resolved": 1}


@pytest.mark.parametrize("kind", ["line-rejected", "overdue", "change-awaits-ruling"])
async def test_something_is_done_about_what_a_person_can_end(tmp_path: Path, kind: str) -> None:
    one = office(tmp_path, Counter(), alert(kind))
    await one.work()
    assert len(one.ran) == 2
    assert one.ran[1][0] in {"reroute", "close", "alert", "rule"}
    assert "--reason" in one.ran[1]


@pytest.mark.parametrize("kind", ["line-held", "answer-unexpected"])
async def test_what_only_its_trust_can_mend_is_left_alone(tmp_path: Path, kind: str) -> None:
    one = office(tmp_path, Counter(), alert(kind))
    await one.work()
    assert [words[0] for words in one.ran] == ["alerts"]


async def test_a_reroute_is_by_two_people_and_is_counted(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()
    one = office(tmp_path, tally)
    await one.close_for_the_day()
    words = one.ran[0]
    assert words[words.index("--by") + 1] != words[words.index("--and") + 1]
    assert tally["re-routed"] == 2
