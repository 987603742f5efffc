"""From the providers' journals alone: whose hands a line was in, and what was handed over more than once."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.simulate.custody import follow_hands, supplied_twice
from gateway.simulate.journal import Arrived, GaveUp, Journal, ProviderEntry, Supplied

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def arrived(provider: str, second: int, item: str = "a", *replaces: str, repeat: bool = False) -> Arrived:
    return Arrived(
        provider=provider,
        message=f"{provider}{second}",
        items=(item,),
        names=(),
        replaces=replaces,
        sealed=True,
        repeat=repeat,
        behaviour="",
        at=NOW + timedelta(seconds=second),
    )


def gave_up(provider: str, second: int, item: str = "a") -> GaveUp:
    return GaveUp(provider=provider, message="", item=item, at=NOW + timedelta(seconds=second))


def supplied(issue: int, of: int, provider: str = "VNE51", item: str = "a") -> Supplied:
    return Supplied(provider=provider, item=item, issue=issue, of=of, at=NOW)


def journals(*entries: ProviderEntry) -> list[Journal[ProviderEntry]]:
    """Give each provider its own journal, in whatever order the entries come."""
    out: dict[str, Journal[ProviderEntry]] = {}
    for entry in entries:
        assert not hasattr(entry, "what")
        out.setdefault(getattr(entry, "provider", ""), Journal()).write(entry)
    return list(out.values())


@pytest.mark.parametrize(
    ("entries", "wrongs"),
    [
        ((arrived("ONE", 1),), 0),
        ((arrived("ONE", 1), arrived("ONE", 2, repeat=True)), 0),
        ((arrived("ONE", 1), gave_up("ONE", 2), arrived("TWO", 3)), 0),
        ((arrived("TWO", 3), gave_up("ONE", 2), arrived("ONE", 1)), 0),
        ((arrived("ONE", 1), arrived("TWO", 2), gave_up("ONE", 3)), 1),
        ((arrived("ONE", 1), arrived("TWO", 2)), 1),
        ((arrived("ONE", 1), arrived("TWO", 2, "b", "a")), 1),
        ((arrived("ONE", 1), gave_up("ONE", 2), arrived("TWO", 3, "b", "a")), 0),
    ],
)
def test_a_line_is_in_one_hand_at_a_time(entries: tuple[ProviderEntry, ...], wrongs: int) -> None:
    assert len(follow_hands(journals(*entries)).wrongs) == wrongs


def test_who_has_a_line_at_the_end_is_told() -> None:
    custody = follow_hands(journals(arrived("ONE", 1), gave_up("ONE", 2), arrived("TWO", 3)))
    assert list(custody.holders(["a", "never-seen"])) == ["TWO has a"]


@pytest.mark.parametrize(
    ("made", "twice"),
    [
        ([supplied(1, 2), supplied(2, 2), supplied(1, 1, item="b")], ()),
        ([supplied(1, 2), supplied(1, 2)], ("a",)),
        ([supplied(1, 2), supplied(2, 2), supplied(2, 2, "VNCEL")], ("a",)),
        ([supplied(1, 3), supplied(1, 2, "VNCEL"), supplied(2, 2, "VNCEL")], ()),
        ([supplied(1, 3), supplied(2, 3), supplied(1, 2, "VNCEL")], ("a",)),
    ],
    ids=["all once", "one twice", "twice by two", "the rest by another", "the rest counted wrong"],
)
def test_a_supply_handed_over_twice_is_found_whoever_did_it(made: list[ProviderEntry], twice: tuple[str, ...]) -> None:
    assert supplied_twice(journals(*made)) == twice
