"""In whose hands each line is, and what was handed over of it: from the providers' journals alone.

Source: reliability-security.md I2, I10.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.simulate.journal import Arrived, GaveUp, Journal, ProviderEntry, Supplied


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """Who had what.

    Attributes:
        hands: by line id, the providers that have it at the end, or have supplied all of it.
        wrongs: a line that came to one provider while another had it, or had the line it takes the place of.
    """

    hands: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    wrongs: list[str] = field(default_factory=list)

    def holders(self, items: Iterable[str]) -> Iterator[str]:
        """Say of each provider that still has one of these lines, that it has."""
        for item in sorted(items):
            for provider in sorted(self.hands.get(item, ())):
                yield f"{provider} has {item}"


def follow_hands(journals: Iterable[Journal[ProviderEntry]]) -> Custody:
    """Go through what came to whom and what was given up, in the order in which it happened."""
    custody = Custody()
    for entry in sorted(_moves(journals), key=lambda one: one.at):
        if isinstance(entry, GaveUp):
            custody.hands[entry.item].discard(entry.provider)
            continue
        for item in entry.items:
            others = custody.hands[item] - {entry.provider}
            custody.wrongs.extend(f"{item} came to {entry.provider} while {one} had it" for one in sorted(others))
            custody.hands[item].add(entry.provider)
        for item in entry.replaces:
            custody.wrongs.extend(
                f"what replaces {item} came to {entry.provider} while {one} had it"
                for one in sorted(custody.hands.get(item, ()))
            )
    return custody


def _moves(journals: Iterable[Journal[ProviderEntry]]) -> Iterator[Arrived | GaveUp]:
    for journal in journals:
        yield from (one for one in journal.all(Arrived) if not one.repeat)
        yield from journal.all(GaveUp)


def supplied_twice(journals: Sequence[Journal[ProviderEntry]]) -> tuple[str, ...]:
    """Give the line ids of which one supply was handed over more than once, by whichever providers.

    A provider that is given the rest of a line counts from one again. Its first supply is the one after those that the
    earlier provider made: of three ordered at first and two ordered now, the second.
    """
    made = [one for journal in journals for one in journal.all(Supplied)]
    ordered: dict[str, int] = defaultdict(int)
    for one in made:
        ordered[one.item] = max(ordered[one.item], one.of)
    handed_over = Counter((one.item, ordered[one.item] - one.of + one.issue) for one in made)
    return tuple(sorted({item for (item, _), times in handed_over.items() if times > 1}))
