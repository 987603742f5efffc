"""What stands in a list of results: patients, their prescriptions in three groups, and refused messages.

Nothing is left out in silence: a list that was cut off says so, and too many people are not listed at all.

Source: console.md 6.2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Final

from gateway.console.pages import address, named
from gateway.console.site import Names
from gateway.console.words import (
    CANCELS,
    LONDON,
    Shown,
    born,
    clock_time,
    day,
    inert,
    nhs_number,
    short_time,
    shown_as,
)
from gateway.domain.cancel import CancelState
from gateway.domain.custody import Holder
from gateway.domain.lifecycle import TERMINAL, LineState
from gateway.domain.name_key import name_key
from gateway.domain.prescription import Address, Gender
from gateway.ports.looking_up import MOST_COUNTED, MOST_LISTED, Hit, Hits, RefusedMessage

GENDERS: Final = {Gender.MALE: "Male", Gender.FEMALE: "Female", Gender.OTHER: "Other", Gender.UNKNOWN: "Not known"}
_PAST: Final = TERMINAL | {LineState.FULFILLED}
OPEN, COMING, PAST = "Open", "Coming", "Past"


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """Who a patient is, in words. `restricted` says why there is no address; empty where one may be shown."""

    name: str
    gender: str = ""
    born: str = ""
    nhs_number: str = ""
    digits: str = ""
    address: str = ""
    postcode: str = ""
    restricted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One prescription in a list."""

    href: str
    number: str
    medicines: tuple[str, ...]
    state: Shown
    cancels: tuple[Shown, ...]
    since: str
    provider: str
    next: str
    alerts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Prescriptions of one patient that are open, coming or past."""

    heading: str
    rows: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One patient with what was found of them.

    Attributes:
        alike: this one differs from another of the list by one character: a caution is shown.
    """

    banner: Banner
    groups: tuple[Group, ...]
    count: int
    alike: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """One refused message."""

    href: str
    control_id: str
    received: str
    trust: str
    orders: str
    reasons: tuple[str, ...]


def restricted_words(places: Sequence[str] = ()) -> str:
    """Say that no address is shown, and all that is known of why: the sender's message bears a security label.

    Args:
        places: where in the message, in the sender's notation; none where only that there is one is known.
    """
    at = f" ({', '.join(map(inert, places))})" if places else ""
    return f"Address not shown: the message bears a security label{at}"


def people(hits: Sequence[Hit], names: Names, now: datetime) -> tuple[Person, ...]:
    """Give what was found, patient by patient, in the order they were found."""
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.nhs_number or str(hit.found.prescription_id), []).append(hit)
    alike = _alike(tuple(group[0] for group in found.values()))
    return tuple(
        Person(
            banner=banner(group[0], now),
            groups=_groups(group, names, now),
            count=len(group),
            alike=key in alike,
        )
        for key, group in found.items()
    )


def banner(hit: Hit, now: datetime) -> Banner:
    """Give who a patient is; no address where the record asks for more care."""
    patient = hit.patient
    if patient is None:
        return Banner(
            name="Patient not read", nhs_number=nhs_number(hit.nhs_number) or "not read", digits=hit.nhs_number
        )
    return Banner(
        name=inert(str(patient.name)),
        gender=GENDERS[patient.gender],
        born=born(patient.birth_date.isoformat(), now),
        nhs_number=nhs_number(patient.nhs_number.value),
        digits=patient.nhs_number.value,
        address="" if hit.restricted else address_words(patient.address),
        postcode="" if hit.restricted else patient.address.postcode,
        restricted=restricted_words() if hit.restricted else "",
    )


def address_words(where: Address) -> str:
    """Give an address on one line."""
    parts = (*where.lines, where.city, where.district, where.postcode)
    return inert(", ".join(part for part in parts if part))


def _groups(hits: Iterable[Hit], names: Names, now: datetime) -> tuple[Group, ...]:
    found: dict[str, list[Listed]] = {OPEN: [], COMING: [], PAST: []}
    for hit in hits:
        found[group_of(hit, now)].append(listed(hit, names, now))
    return tuple(Group(heading=heading, rows=tuple(rows)) for heading, rows in found.items() if rows)


def group_of(hit: Hit, now: datetime) -> str:
    """Tell whether a prescription is open, begins later, or is over."""
    if hit.found.state in _PAST:
        return PAST
    begins = hit.valid_from
    return COMING if begins is not None and begins > now.astimezone(LONDON).date() else OPEN


def listed(hit: Hit, names: Names, now: datetime) -> Listed:
    """Give one row."""
    found = hit.found
    return Listed(
        href=address(found.prescription_id),
        number=found.number or "No number: not translated",
        medicines=tuple(map(inert, found.medicines)) or ("Not read: see the issues",),
        state=shown_as(found.state, found.condition, found.held),
        cancels=tuple(CANCELS[state] for state in dict.fromkeys(hit.cancels)),
        since=short_time(hit.since),
        provider=named(found.destination, names),
        next=next_thing(hit, names, now.astimezone(LONDON).date()),
        alerts=found.alerts,
    )


def next_thing(hit: Hit, names: Names, today: date) -> str:
    """Say what is awaited, and of whom: never nothing while it is open, and no delivery before what it waits for."""
    if CancelState.TOO_LATE in hit.cancels:
        return "Reach the patient: too late to cancel"
    if hit.cancels:
        return "Ring the provider: the cancel is not confirmed"
    if hit.next_delivery is not None and hit.holder != Holder.TRUST:
        passed = ": nothing was heard of it" if hit.next_delivery < today else ""
        return f"Delivery {day(hit.next_delivery)}{passed}"
    who = {
        Holder.PROVIDER: named(hit.found.destination, names),
        Holder.TRUST: named(hit.found.tenant, names),
        Holder.GATEWAY: "This gateway",
    }.get(Holder(hit.holder) if hit.holder else Holder.NOBODY)
    if who is None:
        return "Nothing is awaited"
    return f"{who} to act by {short_time(hit.act_by)}" if hit.act_by else f"{who} to act"


def refused_rows(found: Iterable[RefusedMessage], names: Names) -> tuple[RefusedRow, ...]:
    """Give refused messages, each with why."""
    return tuple(
        RefusedRow(
            href=f"/console/messages/in-{one.reference}",
            control_id=one.control_id,
            received=clock_time(one.received_at),
            trust=named(one.tenant, names),
            orders=", ".join(one.orders),
            reasons=tuple(f"{issue.text} {issue.row.advice}" for issue in one.issues),
        )
        for one in found
    )


def cut_off(hits: Hits) -> str:
    """Say that not all are listed; empty where all are."""
    if hits.total <= len(hits.hits):
        return ""
    many = f"More than {MOST_COUNTED:,}" if hits.total >= MOST_COUNTED else f"{hits.total:,}"
    return (
        f"{many} prescriptions were found. Only the newest {MOST_LISTED} are listed here: older ones, open ones too, "
        "may be missing. Search by prescription ID, order number or PO number for one of the others."
    )


def _alike(hits: Sequence[Hit]) -> set[str]:
    """Give the NHS numbers of people who are easily taken for one another: one character differs, or none."""
    close: set[str] = set()
    for one, other in combinations(hits, 2):
        if one.patient is None or other.patient is None:
            continue
        same_day = one.patient.birth_date == other.patient.birth_date
        names = (name_key(str(one.patient.name)), name_key(str(other.patient.name)))
        if (same_day and within_one(*names)) or within_one(one.nhs_number, other.nhs_number):
            close |= {one.nhs_number, other.nhs_number}
    return close


def within_one(one: str, other: str) -> bool:
    """Tell whether two words are the same but for at most one character changed, added, left out or swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return True
    rests = {
        (one[start + 1 :], other[start + 1 :]),
        (one[start:], other[start + 1 :]),
        (one[start + 1 :], other[start:]),
    }
    swapped = one[start : start + 2] == other[start : start + 2][::-1] and one[start + 2 :] == other[start + 2 :]
    return swapped or any(mine == theirs for mine, theirs in rests)
