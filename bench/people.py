"""Invented patients and prescribers, drawn wide: no two of a run share a name, an address or a telephone number.

The simulated trusts need a dozen families; a measurement needs thousands, because what is read twice is cheaper the
second time. Nobody here exists: NHS numbers are from the range reserved for testing, postcodes from areas that Royal
Mail has not given out, telephone numbers from the range reserved for drama.
"""

from dataclasses import replace
from datetime import date
from random import Random

from gateway.simulate.people import Person, Prescriber, invent_person

_HEADS = (
    "AL",
    "BRAD",
    "COR",
    "DUN",
    "ELL",
    "FAR",
    "GOR",
    "HAR",
    "KIR",
    "LANG",
    "MER",
    "NOR",
    "PEN",
    "ROTH",
    "STAN",
    "WY",
)
_TAILS = ("BOROUGH", "BY", "COMBE", "DALE", "FIELD", "FORD", "HURST", "LEY", "MERE", "SHAW", "STEAD", "TON", "WICK")
_GIVEN = ("An", "Bel", "Cle", "Dor", "Ed", "Fen", "Gil", "Hil", "Jo", "Kat", "Lin", "Mar", "Nor", "Ol", "Ros", "Win")
_ENDS = ("a", "ard", "bert", "cia", "da", "ena", "frid", "ica", "ma", "na", "ric", "sin", "ta", "well", "wyn", "ya")
_WAYS = ("Avenue", "Close", "Crescent", "Gardens", "Lane", "Rise", "Road", "Street", "View", "Way")
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


def draw_person(source: Random, *, today: date) -> Person:
    """Draw one adult patient."""
    town = _town(source)
    return replace(
        invent_person(source, today=today),
        given=_given(source),
        family=_family(source),
        house=f"{source.randrange(1, 400)} {_town(source).title()} {source.choice(_WAYS)}",
        town=town.title(),
        county=f"{source.choice(_HEADS).title()}shire",
        postcode=f"QZ{source.randrange(1, 99)} {source.randrange(1, 10)}{_letter(source)}{_letter(source)}",
        hospital_number=f"{_letter(source)}{source.randrange(10**6, 10**7)}",
    )


def draw_prescriber(source: Random) -> Prescriber:
    """Draw one doctor; the number has the right form."""
    return Prescriber(gmc=f"{source.randrange(10**6, 10**7)}", family=_family(source), given=_given(source))


def _family(source: Random) -> str:
    return f"{_town(source)}{source.choice(('', '', 'S', 'SON', 'MAN', '-' + _town(source)))}"


def _town(source: Random) -> str:
    return source.choice(_HEADS) + source.choice(_TAILS)


def _given(source: Random) -> str:
    return source.choice(_GIVEN) + source.choice(_ENDS)


def _letter(source: Random) -> str:
    return source.choice(_LETTERS)
