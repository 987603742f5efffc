"""Invented patients and prescribers, drawn from a seeded source.

NHS numbers are from the range reserved for testing (999) with a valid check digit; telephone numbers are from the range
reserved for drama. Nobody here exists.

Source: NHS Data Dictionary, NHS NUMBER (modulus 11); eps.md 3.2.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

_FAMILIES = (
    "SAMPLETON",
    "TESTBURY",
    "O'EXAMPLE",
    "MOCKHURST",
    "FICTIONLEY",
    "DUMMINGTON",
    "PLACEHOLDE",
    "DRAFTWELL",
    "TRIALGATE",
    "SPECIMENT",
    "MADE-UPTON",
    "NOBODYSON",
)
_FEMALE = ("Aoife", "Bethan", "Chlo\u00eb", "Deborah", "Ewa", "Farah", "Grace", "Zo\u00eb")
_MALE = ("Arthur", "Bilal", "Connor", "Dafydd", "Emeka", "Jos\u00e9", "Kwame", "Ruairi")
_STREETS = ("Example Street", "Sample Lane", "Test Road", "Placeholder Avenue", "Draft Close", "Mock Crescent")
_TOWNS = (
    ("Testville", "Testshire", "TA1 1AA"),
    ("Sampleford", "Testshire", "TA2 3BB"),
    ("Mockington", "Exampleshire", "EX4 5CC"),
)
_PRESCRIBERS = (
    ("9999991", "PRESCRIBER", "Casey"),
    ("9999983", "SIGNWELL", "Morgan"),
    ("9999975", "ORDERLEY", "Robin"),
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Person:
    """A patient who does not exist."""

    nhs_number: str
    hospital_number: str
    prefix: str
    given: str
    family: str
    born: date
    sex: str
    """`female` or `male`."""
    house: str
    town: str
    county: str
    postcode: str
    mobile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescriber:
    """A doctor who does not exist; `gmc` is an invented number of the right form."""

    gmc: str
    family: str
    given: str


def nhs_number(nine: str) -> str | None:
    """Give the ten-digit number that begins with `nine` digits; None where modulus 11 leaves no valid check digit."""
    remainder = sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
    check = (11 - remainder) % 11
    return None if check == 10 else f"{nine}{check}"  # noqa: PLR2004 - ten is the value that has no digit


def broken(number: str) -> str:
    """Give the number with a check digit that is wrong, as a slip of one key makes it."""
    return number[:9] + str((int(number[9]) + 1) % 10)


def invent_person(source: Random, *, today: date) -> Person:
    """Draw one adult patient."""
    female = source.random() < 0.5  # noqa: PLR2004 - a coin
    town, county, postcode = source.choice(_TOWNS)
    return Person(
        nhs_number=_number(source),
        hospital_number=f"HC{source.randrange(100_000, 1_000_000)}",
        prefix="MS" if female else "MR",
        given=source.choice(_FEMALE if female else _MALE),
        family=source.choice(_FAMILIES),
        born=today - timedelta(days=source.randrange(19 * 366, 88 * 365)),
        sex="female" if female else "male",
        house=f"{source.randrange(1, 200)} {source.choice(_STREETS)}",
        town=town,
        county=county,
        postcode=postcode,
        mobile=f"07700900{source.randrange(1000):03d}",
    )


def invent_prescriber(source: Random) -> Prescriber:
    """Draw one of a few prescribers."""
    gmc, family, given = source.choice(_PRESCRIBERS)
    return Prescriber(gmc=gmc, family=family, given=given)


def _number(source: Random) -> str:
    while True:
        number = nhs_number(f"999{source.randrange(1_000_000):06d}")
        if number is not None:
            return number
