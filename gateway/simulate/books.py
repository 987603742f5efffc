"""The reckoning at the end: what was lost, what was supplied twice, and whether the counts agree.

Loss and double supply are judged from the simulators' journals and from what the gateway publicly says of each
prescription. The gateway's own tables are not asked.

Source: brief 5 (`gateway demo`); reliability-security.md I1, I2, I24.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.simulate.journal import Answered, Arrived, Journal, ProviderEntry, Supplied, Surprise, TrustEntry
from gateway.simulate.standing import POSITIVE, Standing
from gateway.simulate.written import Written

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
        surprises: anything else that a correct gateway does not do.
        answers: the trusts' own count of what they were answered.
    """

    lost: tuple[str, ...]
    double_supplied: tuple[str, ...]
    surprises: tuple[str, ...]
    answers: Mapping[Standing, int]


def standings(journal: Journal[TrustEntry]) -> dict[str, Standing]:
    """Give where each prescription of a trust stands by the last answer it got."""
    return {answer.key: answer.reply.standing for answer in journal.all(Answered)}


def promised(journal: Journal[TrustEntry]) -> set[str]:
    """Give the prescriptions the gateway may not lose: answered positively, and not refused afterwards."""
    return {key for key, standing in standings(journal).items() if standing in POSITIVE}


def arrived(journals: Iterable[Journal[ProviderEntry]]) -> set[str]:
    """Give every identifier of every line that reached a provider."""
    return {name for journal in journals for one in journal.all(Arrived) for name in (*one.items, *one.names)}


def supplied_twice(journals: Iterable[Journal[ProviderEntry]]) -> tuple[str, ...]:
    """Give the line ids of which the same supply was handed over more than once, by whichever providers."""
    handed_over = Counter((one.item, one.issue) for journal in journals for one in journal.all(Supplied))
    return tuple(sorted({item for (item, _), times in handed_over.items() if times > 1}))


def reckon(
    trusts: Sequence[tuple[Sequence[Written], Journal[TrustEntry]]],
    providers: Sequence[Journal[ProviderEntry]],
    places: Mapping[str, Place],
) -> Reckoning:
    """Judge a run.

    Args:
        trusts: what each prescribed, with its journal.
        providers: their journals.
        places: by the trust's own number, where the gateway publicly says each prescription is.
    """
    there = arrived(providers)
    lost = []
    answers: Counter[Standing] = Counter()
    for prescriptions, journal in trusts:
        answers.update(standings(journal).values())
        kept = promised(journal)
        lost += [
            written.key
            for written in prescriptions
            if written.key in kept
            and written.key not in there
            and str(written.item) not in there
            and not places.get(written.key, NOWHERE).reported
        ]
    told = [surprise for _, journal in trusts for surprise in journal.all(Surprise)]
    told += [surprise for journal in providers for surprise in journal.all(Surprise)]
    return Reckoning(
        lost=tuple(lost),
        double_supplied=supplied_twice(providers),
        surprises=tuple(f"{surprise.key} {surprise.what}".strip() for surprise in told),
        answers=answers,
    )


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
