"""Repeat patterns, dates and timing statements: each form and the one thing it means."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from gateway.domain.prescription import Bounds, Duration, TimeUnit, Timing
from gateway.translate.from_hl7v2.moments import LONDON, ambiguous, parse
from gateway.translate.from_hl7v2.patterns import PHRASES, contradicts, pattern
from tests.hl7v2_orders import codes, edited, golden, read

Row = tuple[str, int, int, TimeUnit]
REPEATS: list[Row] = [
    ("QD", 1, 1, TimeUnit.DAY),
    ("BID", 2, 1, TimeUnit.DAY),
    ("TID", 3, 1, TimeUnit.DAY),
    ("QID", 4, 1, TimeUnit.DAY),
    ("5ID", 5, 1, TimeUnit.DAY),
    ("QOD", 1, 2, TimeUnit.DAY),
    ("Q30S", 1, 30, TimeUnit.SECOND),
    ("Q3M", 1, 3, TimeUnit.MINUTE),
    ("Q6H", 1, 6, TimeUnit.HOUR),
    ("Q2D", 1, 2, TimeUnit.DAY),
    ("Q4W", 1, 4, TimeUnit.WEEK),
    ("Q3L", 1, 3, TimeUnit.MONTH),
]


@pytest.mark.parametrize(("code", "frequency", "period", "unit"), REPEATS)
def test_a_pattern_has_one_meaning(code: str, frequency: int, period: int, unit: TimeUnit) -> None:
    found = pattern(code)
    assert found is not None
    assert (found.frequency, found.period, found.unit) == (frequency, Decimal(period), unit)


@pytest.mark.parametrize(("code", "when"), [("QAM", "MORN"), ("QPM", "EVE"), ("QHS", "HS")])
def test_a_named_part_of_the_day_is_once_a_day(code: str, when: str) -> None:
    found = pattern(code)
    assert found is not None
    assert (found.frequency, found.when, found.by_day_part) == (1, (when,), True)


@pytest.mark.parametrize(("code", "period", "day"), [("Q1J1", 1, "mon"), ("QJ7", 1, "sun"), ("Q2J3", 2, "wed")])
def test_a_weekday_follows_j(code: str, period: int, day: str) -> None:
    found = pattern(code)
    assert found is not None
    assert (found.period, found.unit, found.day_of_week) == (Decimal(period), TimeUnit.WEEK, (day,))


@pytest.mark.parametrize(
    "code",
    ["", "BD", "OD", "TDS", "QDS", "qd", "QM", "QL", "QS", "Q0D", "Q1J8", "Q1J13", "AC", "QSHIFT", "U 0 8", "٢ID"],
)
def test_what_is_not_in_the_table_has_no_meaning(code: str) -> None:
    assert pattern(code) is None


def test_prn_joins_a_pattern_and_keeps_its_reason() -> None:
    found = pattern("Q6H PRN")
    assert found is not None
    assert (found.as_needed, found.unit) == (True, TimeUnit.HOUR)
    pain = pattern("PRNpain")
    assert pain is not None
    assert (pain.as_needed, pain.reason, pain.frequency) == (True, "pain", None)
    assert pattern("BD PRN") is None


@pytest.mark.parametrize("code", ["PRNQ6H", "PRN Q6H", "Q6H PRN"])
def test_a_frequency_after_prn_is_how_often_and_no_reason(code: str) -> None:
    found = pattern(code)
    assert found is not None
    assert (found.as_needed, found.reason, found.frequency, found.period) == (True, "", 1, 6)
    assert found.unit is TimeUnit.HOUR


@pytest.mark.parametrize(
    "code", ["PRNQ4-6H", "PRN BD", "PRNTDS", "PRN at night", "PRN NOCTE", "QD PRNQ6H", "QD PRN Q6H", "PRN2"]
)
def test_what_looks_like_a_frequency_is_not_read_as_the_reason_of_prn(code: str) -> None:
    assert pattern(code) is None


def test_every_phrase_stands_for_a_pattern_and_contradicts_another() -> None:
    for phrase, code in PHRASES.items():
        assert pattern(code) is not None
        assert not contradicts(phrase, code)
        assert contradicts(phrase, "Q11W")
    assert not contradicts("whenever", "QD")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20261019", datetime(2026, 10, 18, 23, tzinfo=UTC)),
        ("20261119", datetime(2026, 11, 19, tzinfo=UTC)),
        ("202610190930", datetime(2026, 10, 19, 8, 30, tzinfo=UTC)),
        ("20261019093015.25", datetime(2026, 10, 19, 8, 30, 15, 250000, tzinfo=UTC)),
        ("20261019093015+0000", datetime(2026, 10, 19, 9, 30, 15, tzinfo=UTC)),
        ("20261019093015-0500", datetime(2026, 10, 19, 14, 30, 15, tzinfo=UTC)),
    ],
)
def test_a_time_is_london_time_unless_it_says_otherwise(text: str, expected: datetime) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "202610",
        "20260230",
        "2026101909",
        "202610192400",
        "20261301",
        "20260329013000",
        "20261019+9900",
        "٢٠٢٦1019",
    ],
)
def test_what_does_not_exist_is_no_time(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20261025013000", True), ("20261025013000+0000", False), ("20261025030000", False), ("20261025", False)],
)
def test_the_repeated_hour_is_ambiguous_only_without_a_zone(text: str, expected: bool) -> None:  # noqa: FBT001
    found = parse(text)
    assert found is not None
    assert ambiguous(text, found) is expected
    assert parse("20261025013000") == datetime(2026, 10, 25, 1, 30, tzinfo=LONDON)


def _timings(changes: dict[str, str]) -> list[Timing | None]:
    prescription = read(edited(golden("S01"), changes)).orders[0].prescription
    assert prescription is not None
    return [dosage.timing for dosage in prescription.lines[0].dosages]


WEEK = {"frequency": 1, "period": Decimal(1), "period_unit": TimeUnit.WEEK}
PLAIN = {"TQ1-7": "", "TQ1-8": ""}


@pytest.mark.parametrize(
    ("changes", "bounds"),
    [
        ({}, None),
        ({"TQ1-7": "20261019"}, Bounds(start=date(2026, 10, 19))),
        ({"TQ1-7": "20261019", "TQ1-6": "7^d"}, Bounds(start=date(2026, 10, 19), end=date(2026, 10, 25))),
        ({"TQ1-7": "20261019", "TQ1-6": "2^wk"}, Bounds(start=date(2026, 10, 19), end=date(2026, 11, 1))),
        ({"TQ1-7": "20260131", "TQ1-6": "1^mo"}, Bounds(start=date(2026, 1, 31), end=date(2026, 2, 27))),
        ({"TQ1-6": "6^mo"}, Bounds(duration=Duration(value=Decimal(6), unit=TimeUnit.MONTH))),
        ({"TQ1-7": "20261018233000+0000"}, Bounds(start=date(2026, 10, 19))),
    ],
)
def test_start_duration_and_end_are_joined(changes: dict[str, str], bounds: Bounds | None) -> None:
    assert _timings({**PLAIN, **changes}) == [Timing(**WEEK, bounds=bounds)]  # type: ignore[arg-type]


def test_morning_and_evening_merge_into_twice_a_day() -> None:
    expected = Timing(frequency=2, period=Decimal(1), period_unit=TimeUnit.DAY, when=("MORN", "EVE"))
    assert _timings({**PLAIN, "TQ1-3": "QAM~QPM"}) == [expected]


def test_other_repetitions_are_dosages_that_apply_together() -> None:
    text = edited(golden("S01"), {**PLAIN, "TQ1-3": "Q1J1~Q2J4"})
    prescription = read(text).orders[0].prescription
    assert prescription is not None
    dosages = prescription.lines[0].dosages
    assert [dosage.sequence for dosage in dosages] == [1, 1]
    assert [dosage.timing.day_of_week for dosage in dosages if dosage.timing] == [("mon",), ("thu",)]


@pytest.mark.parametrize(("join", "sequences"), [("S", [1, 2]), ("A", [1, 1])])
def test_a_join_says_in_turn_or_together(join: str, sequences: list[int]) -> None:
    text = edited(golden("S01"), {"TQ1-12": join, "+TQ1": "TQ1|2||Q2W"})
    prescription = read(text).orders[0].prescription
    assert prescription is not None
    assert [dosage.sequence for dosage in prescription.lines[0].dosages] == sequences


def test_clock_times_length_and_count_are_read() -> None:
    found = _timings({**PLAIN, "TQ1-3": "BID", "TQ1-4": "0800~2030", "TQ1-13": "30^min", "TQ1-14": "6"})
    assert found == [
        Timing(
            frequency=2,
            period=Decimal(1),
            period_unit=TimeUnit.DAY,
            time_of_day=(time(8), time(20, 30)),
            administer_over=Duration(value=Decimal(30), unit=TimeUnit.MINUTE),
            count=6,
        )
    ]


def test_once_is_one_time() -> None:
    assert _timings({**PLAIN, "TQ1-3": "Once"}) == [Timing(count=1)]


def test_the_older_timing_field_says_the_same() -> None:
    older = _timings({"TQ1": "", "RXE-1": "^Q1W^^20261019^20270405^R"})
    assert older == _timings({})
    assert _timings({"TQ1": "", "RXE-1": "^Q1W^W2^20261019^^R"}) == [
        Timing(**WEEK, bounds=Bounds(start=date(2026, 10, 19), end=date(2026, 11, 1)))  # type: ignore[arg-type]
    ]


def test_a_duration_with_an_end_alone_is_held_for_no_element_has_both() -> None:
    reading = read(edited(golden("S01"), {"TQ1-7": "", "TQ1-6": "14^d"}))
    assert "TIMING_CONFLICT" in codes(reading)
