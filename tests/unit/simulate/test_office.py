"""The people of the office act on what the alerts say, through the command line, and say of a doubt what they heard."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest

from gateway.simulate import office as module
from gateway.simulate.behaviours import BEHAVIOURS
from gateway.simulate.folder import choose_addresses
from gateway.simulate.office import Office
from gateway.simulate.world import PROFILES

PRESCRIPTION = "2c9f2f3e-5d0b-4d6a-8a54-0f6f2d1b7001"


def read(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


class Rehearsed(Office):
    """Writes down what would be run; `alerts` is what the gateway would list."""

    def rehearse(self, *alerts: dict[str, object]) -> None:
        self.alerts = alerts
        self.ran: list[tuple[str, ...]] = []

    def providers_are(self, **providers: object) -> None:
        self._providers = providers  # type: ignore[assignment] - only what the office asks them

    async def _gateway(self, *words: str) -> tuple[int, str]:
        self.ran.append(words)
        if words[0] == "reconcile":
            self.compared = read(words[-1])
            return 2, ""
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


class Late:
    """A provider that has one line, and says that it got two."""

    def has(self, item: str) -> bool:
        return item == "theirs"

    def listed(self) -> tuple[str, ...]:
        return ("one", "two")


async def test_a_late_line_of_one_trust_is_asked_back_from_who_has_it(tmp_path: Path) -> None:
    late = alert("overdue") | {"line": "theirs", "prescription": "p-theirs"}
    one = office(tmp_path, Counter(), alert("line-held") | {"line": "theirs"}, alert("overdue"), late)
    one.providers_are(VN6XW=Late())
    await one.ask_back("VN6XW", "VNE51", tenant="RBA")
    asked, moved = one.ran
    assert asked[-2:] == ("--tenant", "RBA")
    assert moved[:4] == ("reroute", "p-theirs", "--to", "VNE51")
    assert "--and" in moved


async def test_who_has_nothing_late_is_asked_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BETWEEN_LOOKS", 0.0)
    one = office(tmp_path, Counter(), alert("overdue"))
    one.providers_are(VN6XW=Late())
    await one.ask_back("VN6XW", "VNE51", tenant="RBA")
    assert {words[0] for words in one.ran} == {"alerts"}


async def test_a_list_of_what_a_provider_says_it_got_is_compared(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()
    one = office(tmp_path, tally)
    one.providers_are(VDEM2=Late())
    await one.compare_lists("VDEM2", day=date(2026, 11, 22))
    assert one.ran[0][:6] == ("reconcile", "--list", "VDEM2", "--day", "2026-11-22", "--theirs")
    assert one.compared == "id,epoch\none,1\ntwo,1\n"
    assert tally["lists that differ"] == 1


async def test_a_reroute_is_by_two_people_and_is_counted(tmp_path: Path) -> None:
    tally: Counter[str] = Counter()
    one = office(tmp_path, tally)
    await one.close_for_the_day()
    words = one.ran[0]
    assert words[words.index("--by") + 1] != words[words.index("--and") + 1]
    assert tally["re-routed"] == 2
