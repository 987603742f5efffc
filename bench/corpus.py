"""The messages of a measurement: as many as wanted, no two of which say the same.

They are written with the simulated trusts' templates, in the dialects the doors take, for patients, prescribers,
products, doses and supplies drawn wide. None has a flaw, so that each is read, checked, sealed, sent and acknowledged:
the dearest way through the gateway, and nearly everybody's.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from random import Random

from bench.formulary import formulary
from bench.people import draw_person, draw_prescriber
from gateway.simulate.channels import PATHS
from gateway.simulate.messages import MEDIA_TYPES, Style, compose
from gateway.simulate.world import NAMES
from gateway.simulate.written import Written, write_prescriptions

ORDER_NUMBER = "RX"
"""How the order numbers of simulated trusts begin."""
_NO_FLAW_IN = 10**9


class Door(StrEnum):
    """Where a message goes in."""

    MLLP = "mllp"
    HL7V2 = "hl7v2"
    XML = "xml"
    FHIR = "fhir"


STYLES: dict[Door, tuple[Style, ...]] = {
    Door.MLLP: (Style.V2_ENHANCED, Style.V2_ORIGINAL),
    Door.HL7V2: (Style.V2_OMP, Style.V2_ORIGINAL),
    Door.XML: (Style.XML,),
    Door.FHIR: (Style.FHIR,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A trust, its system and the site where it prescribes."""

    trust: str
    system: str
    site: str


_FIRST: dict[Door, Sender] = {
    Door.MLLP: Sender(trust="RBA", system="EPMA", site="RBA11"),
    Door.HL7V2: Sender(trust="RZA", system="NORTHEPR", site="RZA01"),
    Door.XML: Sender(trust="RZB", system="ExampleEPMA", site="RZB01"),
    Door.FHIR: Sender(trust="RZC", system="ExampleEPR", site="RZC01"),
}
_TRUSTS_AT_A_DOOR = 12


def senders(door: Door) -> tuple[Sender, ...]:
    """Give the trusts at a door: one of the demonstration's, and others like it under codes of their own."""
    first = _FIRST[door]
    letter = "QTVW"[list(Door).index(door)]
    codes = (f"R{letter}{chr(ord('A') + number)}" for number in range(_TRUSTS_AT_A_DOOR - 1))
    return (first, *(Sender(trust=code, system=first.system, site=f"{code}01") for code in codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to send.

    Attributes:
        trust: that sends it.
        key: what the provider finds in what it gets: the trust's order number, or of a FHIR order the line's id.
        path: and `media_type`: where and as what it is posted; MLLP has neither.
    """

    trust: str
    key: str
    octets: bytes = field(repr=False)
    path: str
    media_type: str


def messages(door: Door, *, seed: int, tag: str, providers: tuple[str, ...], now: datetime) -> Iterator[Message]:
    """Write messages for a door without end; equal arguments write equal messages.

    Args:
        door: decides format and senders.
        seed: of everything that is drawn.
        tag: keeps the order numbers of different runs on the same data apart; letters and digits.
        providers: those that are named, in turns.
        now: prescriptions were written in the three days before.
    """
    source = Random(f"{seed} {door} {tag}")  # noqa: S311 - a measurement; repeatable on purpose
    written = {
        sender: write_prescriptions(
            source, trust=sender.trust, run=tag, flaws=(), providers=providers, now=now, flawed_in=_NO_FLAW_IN
        )
        for sender in senders(door)
    }
    for style in itertools.cycle(STYLES[door]):
        for sender, plain in written.items():
            wide = _widened(next(plain), source, now=now)
            octets = compose(wide, style, system=sender.system, site=sender.site, names=NAMES)
            yield Message(
                trust=sender.trust,
                key=str(wide.item) if style is Style.FHIR else wide.key,
                octets=_varied(octets, source),
                path=PATHS[style],
                media_type=MEDIA_TYPES[style],
            )


def _widened(written: Written, source: Random, *, now: datetime) -> Written:
    medicine = source.choice(formulary())
    return replace(
        written,
        medicine=medicine,
        patient=draw_person(source, today=now.date()),
        prescriber=draw_prescriber(source),
        supplies=source.randint(1, int(medicine.most_supplies)),
    )


def _varied(octets: bytes, source: Random) -> bytes:
    """Vary what the templates fix: the weight, the registration, and who checked it."""
    weight = f"{source.randrange(420, 1400) / 10:.1f}".encode()
    registration = f"HCREG-{source.randrange(10**4, 10**6)}".encode()
    return octets.replace(b"72.5", weight).replace(b"HCREG-5521", registration)
