"""A structured dosage in words: every part that was stated, and none that was not."""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest

from gateway.console.prescription.dose_words import duration, parts, supplies
from gateway.domain.prescription import AsNeeded, Bounds, Dosage, Duration, MaxDose, Range, Rate, TimeUnit, Timing
from gateway.domain.quantity import Quantity
from gateway.translate.timing_words import EVENT_WORDS
from tests.factories import MILLIGRAM, SYRINGE, dosage, line


def amount(value: str) -> Quantity:
    return Quantity(value=Decimal(value), unit=MILLIGRAM)


def lasting(value: str, unit: TimeUnit) -> Duration:
    return Duration(value=Decimal(value), unit=unit)


def of(**change: object) -> dict[str, str]:
    return dict(parts(replace(Dosage(), **change)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        (Timing(frequency=1, period=Decimal(1), period_unit=TimeUnit.WEEK), "Once a week"),
        (Timing(frequency=2, period=Decimal(1), period_unit=TimeUnit.DAY), "Twice a day"),
        (Timing(frequency=3, period=Decimal(1), period_unit=TimeUnit.HOUR), "3 times an hour"),
        (Timing(frequency=1, period=Decimal(4), period_unit=TimeUnit.WEEK), "Once every 4 weeks"),
        (Timing(frequency=1, frequency_max=2, period=Decimal(1), period_unit=TimeUnit.DAY), "1 to 2 times a day"),
        (
            Timing(frequency=1, period=Decimal(4), period_max=Decimal(6), period_unit=TimeUnit.HOUR),
            "Once every 4 to 6 hours",
        ),
        (Timing(period=Decimal(4), period_unit=TimeUnit.WEEK), "Number of times not stated every 4 weeks"),
        (Timing(frequency=2), "Twice"),
        (Timing(frequency_max=3, period=Decimal(1), period_unit=TimeUnit.DAY), "Up to 3 times a day"),
        (Timing(frequency=1, period_max=Decimal(8), period_unit=TimeUnit.HOUR), "Once every up to 8 hours"),
        (Timing(frequency=1, period=Decimal(2)), "Once every 2 (unit not stated)"),
    ],
)
def test_how_often_is_said_and_never_guessed(timing: Timing, words: str) -> None:
    assert of(timing=timing)["How often"] == words


def test_amounts_keep_their_digits_and_open_ends_are_said() -> None:
    assert of(dose=amount("0.50"))["Dose"] == "0.50 milligrams"
    assert of(dose=Range(low=amount("10"), high=amount("20")))["Dose"] == "10 milligrams to 20 milligrams"
    assert of(dose=Range(high=amount("20")))["Dose"] == "Up to 20 milligrams"
    assert of(dose=Range(low=amount("20")))["Dose"] == "From 20 milligrams"
    assert of(rate=Rate(amount=amount("5"), per=Quantity(value=Decimal(1), unit=SYRINGE)))["Rate"].startswith("5 ")


def test_everything_else_that_is_stated_is_shown() -> None:
    shown = of(
        as_needed=AsNeeded(),
        max_per_period=MaxDose(amount=amount("40"), within=lasting("24", TimeUnit.HOUR)),
        patient_instruction="Rotate\u202e sites",
        timing=Timing(
            day_of_week=("mon", "thu"),
            time_of_day=(time(8, 30),),
            when=("HS",),
            on_dates=(date(2026, 10, 5),),
            bounds=Bounds(start=date(2026, 10, 5), duration=lasting("6", TimeUnit.MONTH)),
        ),
    )
    assert shown["As required"] == "Yes, no reason stated"
    assert shown["At most"] == "40 milligrams in 24 hours"
    assert shown["On"] == "Monday, Thursday"
    assert shown["At"] == "08:30"
    assert shown["When"] == "before sleep"
    assert shown["For how long"] == "from 5 Oct 2026 for 6 months"
    assert shown["For the patient"] == "Rotate[U+202E] sites"
    assert "Dose" not in shown


@pytest.mark.parametrize("code", sorted(EVENT_WORDS))
def test_every_moment_of_the_day_is_said_as_the_message_to_the_provider_says_it(code: str) -> None:
    assert of(timing=Timing(when=(code,)))["When"] == EVENT_WORDS[code]


def test_a_highest_value_that_stands_alone_is_not_left_out() -> None:
    shown = of(
        timing=Timing(
            administer_over_max=lasting("2", TimeUnit.HOUR),
            count_max=6,
            time_of_day=(time(8, 30, 15),),
            bounds=Bounds(duration_high=lasting("1", TimeUnit.MONTH)),
        )
    )
    assert shown["Over"] == "up to 2 hours"
    assert shown["Number of doses"] == "up to 6"
    assert shown["At"] == "08:30:15"
    assert shown["For how long"] == "for up to 1 month"


def test_a_dosage_in_words_alone_has_no_parts() -> None:
    assert parts(Dosage(text="As directed")) == ()
    assert parts(dosage())


def test_supplies_are_counted() -> None:
    assert supplies(line(total_supplies=1)) == "1 supply"
    assert supplies(line(interval=lasting("4", TimeUnit.WEEK))) == "6 supplies, one every 4 weeks"
    assert duration(lasting("1", TimeUnit.DAY)) == "1 day"
