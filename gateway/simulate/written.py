"""Prescriptions as a simulated prescriber writes them, before any format: seeded, so that a run can be repeated.

A share is flawed on purpose, as real ones are. The flaws and the providers are dealt from a shuffled deck rather than
drawn by chance, so that a run of a few dozen already meets every one of them.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TypeVar

from gateway.simulate.formulary import Medicine, medicines
from gateway.simulate.people import Person, Prescriber, invent_person, invent_prescriber


class Flaw(StrEnum):
    """What is wrong with a prescription, and so what a correct gateway must answer (`EXPECTED`)."""

    NONE = "none"
    NHS_NUMBER = "nhs-number"
    """Its check digit is wrong."""
    DRUG_UNKNOWN = "drug-unknown"
    """A well-formed dm+d code that no release holds."""
    CONTROLLED = "controlled"
    """A Schedule 2 drug, which only the national service may carry."""
    DOSE_TWICE = "dose-twice"
    """Two doses that differ (HL7 v2 can say it twice)."""
    LEVEL_WRONG = "level-wrong"
    """A generic product called a supplier's product (the trust XML states the level)."""
    FORM_AS_UNIT = "form-as-unit"
    """A dose form's code where a unit's belongs, as published FHIR examples have it."""
    PROVIDER_UNKNOWN = "provider-unknown"
    UNIT_LOCAL = "unit-local"
    """A unit by a code of the trust's own that nobody has given a meaning (HL7 v2)."""
    SIGNER_UNKNOWN = "signer-unknown"
    """Well signed, under an authority of which nothing is known here (`signing`)."""


class Fate(StrEnum):
    """What should become of it."""

    SENT = "sent"
    HELD = "held"
    REFUSED = "refused"


EXPECTED: dict[Flaw, tuple[Fate, str]] = {
    Flaw.NONE: (Fate.SENT, ""),
    Flaw.NHS_NUMBER: (Fate.REFUSED, "NHSNO_CHECK_DIGIT"),
    Flaw.DRUG_UNKNOWN: (Fate.HELD, "DRUG_UNKNOWN"),
    Flaw.CONTROLLED: (Fate.REFUSED, "CD_SCHEDULE_NOT_ALLOWED"),
    Flaw.DOSE_TWICE: (Fate.HELD, "DOSE_CONFLICT"),
    Flaw.LEVEL_WRONG: (Fate.HELD, "PRODUCT_LEVEL_MISMATCH"),
    Flaw.FORM_AS_UNIT: (Fate.HELD, "UNIT_UNMAPPED"),
    Flaw.PROVIDER_UNKNOWN: (Fate.HELD, "PROVIDER_UNKNOWN"),
    Flaw.UNIT_LOCAL: (Fate.HELD, "UNIT_UNMAPPED"),
    Flaw.SIGNER_UNKNOWN: (Fate.HELD, "SIGNATURE_UNVERIFIED"),
}
"""Each flaw, what should follow, and the issue code that must be among the reasons (empty: any)."""

UNKNOWN_PROVIDER = "VNOBODY"
Card = TypeVar("Card", bound=str)

CONTROLLED = Medicine(
    code="42014311000001106",
    level="VMP",
    display="Methylphenidate 10mg tablets",
    dose="10",
    unit="milligram",
    ucum="mg",
    method_code="419652001",
    method="Take",
    route_code="26643006",
    route="Oral route",
    v2_repeat="BID",
    times="2",
    period="1",
    period_unit="d",
    quantity="56",
    supply_unit="tablet",
    supply_unit_code="428673006",
    interval="4",
    interval_unit="wk",
    days="28",
    most_supplies="1",
    directions="Take 10mg TWICE a day",
    cold_chain="N",
)
NOT_IN_ANY_RELEASE = "999901000001103"
"""Passes the check digit and has a concept's partition, and is no concept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One prescription of one line.

    Attributes:
        key: the trust's own name for it, unique in a run; also the order number.
        message: the control id it is sent under.
        provider: the provider it names; empty where the trust leaves it to the route.
        supplies: how many times it is to be supplied, counting the first.
        item: line id, where the format lets the trust give one; `prescription` likewise.
    """

    key: str
    trust: str
    group: str
    message: uuid.UUID
    prescription: uuid.UUID
    item: uuid.UUID
    patient: Person
    prescriber: Prescriber
    medicine: Medicine
    supplies: int
    authored: datetime
    first_needed: date
    provider: str
    flaw: Flaw

    @property
    def refills(self) -> int:
        """How HL7 v2 and FHIR count: the supplies after the first."""
        return self.supplies - 1


def write_prescriptions(
    source: Random,
    *,
    trust: str,
    run: str,
    flaws: tuple[Flaw, ...],
    providers: tuple[str, ...],
    now: datetime,
    flawed_in: int = 6,
) -> Iterator[Written]:
    """Write prescriptions for one trust without end.

    Args:
        source: seeded; equal seeds write equal prescriptions.
        trust: ODS code.
        run: keeps order numbers of different runs apart.
        flaws: those this trust's format can have; one prescription in `flawed_in` has one of them, in turn.
        providers: those it may name; an empty code leaves the choice to the route.
        now: the moment the run starts; prescriptions were written in the three days before.
        flawed_in: how many prescriptions there are to each flawed one.
    """
    flaw_deck, provider_deck = _deal(source, flaws), _deal(source, providers)
    number = 0
    while True:
        number += 1
        flaw = next(flaw_deck) if number % flawed_in == 0 else Flaw.NONE
        provider = UNKNOWN_PROVIDER if flaw is Flaw.PROVIDER_UNKNOWN else next(provider_deck)
        yield _write(source, trust=trust, run=run, number=number, flaw=flaw, provider=provider, now=now)


def _deal(source: Random, cards: tuple[Card, ...]) -> Iterator[Card]:
    while True:
        deck = list(cards)
        source.shuffle(deck)
        yield from deck


def _write(source: Random, *, trust: str, run: str, number: int, flaw: Flaw, provider: str, now: datetime) -> Written:
    medicine = CONTROLLED if flaw is Flaw.CONTROLLED else source.choice(medicines())
    authored = (now - timedelta(minutes=source.randrange(5, 3 * 24 * 60))).replace(microsecond=0)
    return Written(
        key=f"RX{trust}{run}{number:05d}",
        trust=trust,
        group=f"GRP{trust}{run}{number:05d}",
        message=_uuid(source),
        prescription=_uuid(source),
        item=_uuid(source),
        patient=invent_person(source, today=now.date()),
        prescriber=invent_prescriber(source),
        medicine=medicine,
        supplies=source.randint(1, int(medicine.most_supplies)),
        authored=authored,
        first_needed=authored.date() + timedelta(days=14),
        provider=provider,
        flaw=flaw,
    )


def _uuid(source: Random) -> uuid.UUID:
    return uuid.UUID(int=source.getrandbits(128), version=4)
