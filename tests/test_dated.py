"""Messages are moved to yesterday whole: their dates by equally many days, and nothing else of them."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.dated import as_of_yesterday
from tests.unit.translate.from_fhir import orders

GOLDEN = Path(__file__).parent / "golden"
YESTERDAY = datetime.now().astimezone() - timedelta(days=1)
COMPACT = f"{YESTERDAY:%Y%m%d}"
ISO = f"{YESTERDAY:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("20261005", COMPACT),
        ("|20261005|", f"|{COMPACT}|"),
        ("|202610050910+0100|", f"|{COMPACT}0910+0100|"),
        ("|20261005091000+0100|", f"|{COMPACT}091000+0100|"),
        ("|20261005091000-0000^", f"|{COMPACT}091000-0000^"),
        ("<start>2026-10-05</start>", f"<start>{ISO}</start>"),
        ('"2026-10-05"', f'"{ISO}"'),
        ('"2026-10-05T09:10:00+01:00"', f'"{ISO}T09:10:00+01:00"'),
        ('"2026-10-05T08:10:00Z"', f'"{ISO}T08:10:00Z"'),
        ('"2026-10-05T08:10:00.123Z"', f'"{ISO}T08:10:00.123Z"'),
    ],
)
def test_a_date_of_the_day_of_writing_is_yesterday(said: str, then: str) -> None:
    assert as_of_yesterday(said.encode()).decode() == then


@pytest.mark.parametrize(
    "said",
    [
        "|19800101|",
        "|20210412|",
        '"birthDate": "1980-01-01"',
        '"birthDate": "2021-04-12"',
        "|20261005091^code|",
        "|20261005000001103^code|",
        "|3202610051|",
        "|1.20261005|",
        "|20261305|",
        "|20260231|",
        "2026-02-31",
        "dmd-2026-11-16",
        "2026-10-05-1",
        "0b3b43f8-2026-4ea5-9a52-6e0f3c1b0001",
        "20261005-76d8-4ea5-9a52-6e0f3c1b0001",
    ],
)
def test_what_is_no_date_of_the_message_stays(said: str) -> None:
    assert as_of_yesterday(said.encode()).decode() == said


def test_the_days_between_two_dates_stay() -> None:
    first, second = as_of_yesterday(b"20261005|20270405").decode().split("|")
    assert date.fromisoformat(second) - date.fromisoformat(first) == timedelta(days=182)


@pytest.mark.parametrize(
    ("body", "birth"),
    [
        ((GOLDEN / "hl7v2/S01.hl7").read_bytes(), b"|19790412|"),
        ((GOLDEN / "xml/example-new.xml").read_bytes(), b"<DateOfBirth>1979-04-12<"),
        (json.dumps(orders.unsigned()).encode(), b'"birthDate": "1979-04-12"'),
    ],
    ids=["hl7v2", "xml", "fhir"],
)
def test_of_an_order_only_the_dates_move(body: bytes, birth: bytes) -> None:
    moved = as_of_yesterday(body)
    assert len(moved) == len(body)
    assert birth in moved
    assert body.count(b"20261005") == moved.count(COMPACT.encode())
    assert body.count(b"2026-10-05") == moved.count(ISO.encode()), body
