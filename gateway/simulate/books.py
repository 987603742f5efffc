"""The reckoning at the end: what was lost, what was supplied twice, and whether the counts agree.

Loss and double supply are judged from the simulators' journals and from what the gateway publicly says of each
prescription. The gateway's own tables are not asked.

Source: brief 5 (`gateway demo`); reliability-security.md I1, I2, I24.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.simulate.custody import follow_hands, supplied_twice
from gateway.simulate.follow_ups import Deed
from gateway.simulate.journal import Arrived, Followed, Journal, ProviderEntry, Surprise, TrustEntry
from gateway.simulate.promises import Promise
from gateway.simulate.standing import Standing

COUNTS = (
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
)
"""The counts of distinct prescriptions, in the order in which they are shown."""
_DELIVERED = frozenset({"FULFILLED"})
_CLOSED = frozenset({"CANCELLED", "SUPERSEDED", "EXPIRED", "CLOSED", "REFUSED"})
_WITHDRAWN = frozenset({"CANCELLED", "SUPERSEDED"})
_WITHDRAW = frozenset({Deed.CANCEL, Deed.CHANGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the gateway publicly says one prescription is.

    Attributes:
        states: of its lines.
        alerts: how many open alerts it has.
    """

    states: tuple[str, ...]
    alerts: int

    @property
    def known(self) -> bool:
        """Whether the gateway knows of it at all."""
        return bool(self.states)

    @property
    def reported(self) -> bool:
        """Whether a person has been told that it is not on its way."""
        return "HELD" in self.states or "REJECTED" in self.states or self.alerts > 0

    @property
    def withdrawn(self) -> bool:
        """Whether it is said of every line that it was cancelled, or replaced."""
        return self.known and all(state in _WITHDRAWN for state in self.states)

    @property
    def settled(self) -> bool:
        """Whether every line has ended, or somebody has been told that it has not."""
        return self.known and (self.reported or all(state in _DELIVERED | _CLOSED for state in self.states))


NOWHERE = Place(states=(), alerts=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """What the journals say.

    Attributes:
        lost: prescriptions that were answered positively and that nobody has.
        double_supplied: line ids of which one supply was handed over more than once.
        surprises: anything else that a correct gateway does not do: a line in two hands, a cancel that is said to be
            confirmed while a provider has the line.
        answers: the trusts' own count of what they were answered to their orders; `changes`: to changes of them.
    """

    lost: tuple[str, ...]
    double_supplied: tuple[str, ...]
    surprises: tuple[str, ...]
    answers: Mapping[Standing, int]
    changes: Mapping[Standing, int]


def reckon(
    trusts: Sequence[tuple[Iterable[Promise], Journal[TrustEntry]]],
    providers: Sequence[Journal[ProviderEntry]],
    places: Mapping[str, Place],
) -> Reckoning:
    """Judge a run.

    Args:
        trusts: what each was promised, with its journal.
        providers: their journals.
        places: by control id, where the gateway publicly says the orders of each message are.
    """
    arrivals = [one for journal in providers for one in journal.all(Arrived)]
    custody = follow_hands(providers)
    lost, wrongs = [], list(custody.wrongs)
    answers: Counter[Standing] = Counter()
    changes: Counter[Standing] = Counter()
    for promises, journal in trusts:
        unwanted = {one.key for one in journal.all(Followed) if one.deed in _WITHDRAW}
        for promise in promises:
            (changes if promise.change else answers)[promise.standing] += 1
            place = places.get(promise.message, NOWHERE)
            there = _items(promise, arrivals)
            withdrawn = promise.key in unwanted and (place.withdrawn or _dropped(promise, place, arrivals))
            if promise.made and not there and not place.reported and not withdrawn:
                lost.append(promise.key)
            if place.withdrawn:
                wrongs += [f"{promise.key} is said to be withdrawn, and {who}" for who in custody.holders(there)]
    told = [surprise for _, journal in trusts for surprise in journal.all(Surprise)]
    told += [surprise for journal in providers for surprise in journal.all(Surprise)]
    return Reckoning(
        lost=tuple(lost),
        double_supplied=supplied_twice(providers),
        surprises=(*wrongs, *(f"{surprise.key} {surprise.what}".strip() for surprise in told)),
        answers=answers,
        changes=changes,
    )


def _dropped(promise: Promise, place: Place, arrivals: Sequence[Arrived]) -> bool:
    """Tell whether a change was let go because the order it was to replace, which had arrived, was supplied first."""
    if not promise.change or not _items(replace(promise, change=False), arrivals):
        return False
    ended = set(place.states)
    return bool(ended & _WITHDRAWN and ended & _DELIVERED) and ended <= _WITHDRAWN | _DELIVERED


def _items(promise: Promise, arrivals: Sequence[Arrived]) -> set[str]:
    """Give the line ids under which an order, or the change of one, reached any provider."""
    return {
        item
        for one in arrivals
        if bool(one.replaces) == promise.change and (promise.key in one.names or (promise.item in one.items))
        for item in one.items
    }


def imbalances(books: Mapping[str, int]) -> tuple[str, ...]:
    """Give every equation of brief 5 that the counts do not keep; empty when the books balance."""
    equations = {
        "submitted = accepted + refused": books["submitted"] == books["accepted"] + books["refused"],
        "held is part of accepted": books["held"] <= books["accepted"],
        "accepted = delivered + closed + open": books["accepted"]
        == books["delivered"] + books["closed"] + books["open"],
        "open = alerted": books["open"] == books["alerted"],
    }
    return tuple(words for words, kept in equations.items() if not kept)
