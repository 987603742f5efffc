"""FHIR dosages: read whole, or refused with the place of every fault."""

from datetime import date

import pytest

from gateway.domain.coding import Coding
from gateway.domain.errors import Refusal
from gateway.domain.prescription import AsNeeded, Bounds, Dosage, Timing
from gateway.domain.quantity import Quantity, lexeme
from gateway.translate.from_fhir.dosage_list import dosages
from gateway.wire.strict_json import loads


def _issues(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refusal:
        dosages([loads(text.encode())], "Dosage")
    return [(issue.code, issue.location) for issue in refusal.value.issues]


def _one(text: str) -> Dosage:
    return dosages([loads(text.encode())])[0]


def test_a_decimal_keeps_its_digits() -> None:
    read = _one('{"doseAndRate": [{"doseQuantity": {"value": 0.50, "unit": "milligram"}}]}')
    assert isinstance(read.dose, Quantity)
    assert lexeme(read.dose.value) == "0.50"


def test_a_midnight_in_summer_is_that_day_in_london() -> None:
    read = _one('{"timing": {"repeat": {"boundsPeriod": {"start": "2026-10-19T00:00:00+01:00"}}}}')
    assert read.timing == Timing(bounds=Bounds(start=date(2026, 10, 19)))


_FAULTS = {
    "an unknown member": ('{"dose": 5}', "FIELD_NOT_UNDERSTOOD", "Dosage[0].dose"),
    "an extension": (
        '{"text": "x", "extension": [{"url": "u"}]}',
        "FIELD_NOT_UNDERSTOOD",
        "Dosage[0].extension[0].url",
    ),
    "a modifier": (
        '{"text": "x", "modifierExtension": [{"url": "u"}]}',
        "EXTENSION_NOT_UNDERSTOOD",
        "Dosage[0].modifierExtension[0].url",
    ),
    "a dose of nought": (
        '{"doseAndRate": [{"doseQuantity": {"value": 0, "unit": "mg"}}]}',
        "VALUE_INVALID",
        "Dosage[0].doseAndRate[0].doseQuantity.value",
    ),
    "a comparator": (
        '{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg", "comparator": "<"}}]}',
        "FIELD_NOT_UNDERSTOOD",
        "Dosage[0].doseAndRate[0].doseQuantity.comparator",
    ),
    "two doses": (
        '{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg"}}, {"doseQuantity": {"value": 2, "unit": "mg"}}]}',
        "DOSE_CONFLICT",
        "Dosage[0].doseAndRate",
    ),
    "a dose said in two ways": (
        '{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg"}, "doseRange": {"low": {"value": 1}}}]}',
        "DOSE_CONFLICT",
        "Dosage[0].doseAndRate[0]",
    ),
    "a unit and code that differ": (
        '{"timing": {"repeat": {"boundsDuration": {"value": 1, "unit": "week", "code": "d"}}}}',
        "TIMING_CONFLICT",
        "Dosage[0].timing.repeat.boundsDuration.unit",
    ),
    "an unknown day": (
        '{"timing": {"repeat": {"dayOfWeek": ["someday"]}}}',
        "VALUE_INVALID",
        "Dosage[0].timing.repeat.dayOfWeek[0]",
    ),
    "half a frequency": (
        '{"timing": {"repeat": {"frequency": 1.5}}}',
        "VALUE_INVALID",
        "Dosage[0].timing.repeat.frequency",
    ),
    "a month for a day": (
        '{"timing": {"event": ["2026-11"]}}',
        "VALUE_INVALID",
        "Dosage[0].timing.event[0]",
    ),
    "a dose date with a time": (
        '{"timing": {"event": ["2026-11-02T09:00:00Z"]}}',
        "FIELD_NOT_UNDERSTOOD",
        "Dosage[0].timing.event[0]",
    ),
    "a day that does not exist": (
        '{"timing": {"event": ["2026-02-30"]}}',
        "VALUE_INVALID",
        "Dosage[0].timing.event[0]",
    ),
    "no object": ("7", "STRUCTURE_INVALID", "Dosage[0]"),
}


@pytest.mark.parametrize("fault", _FAULTS.values(), ids=_FAULTS)
def test_a_fault_is_named_at_its_place(fault: tuple[str, str, str]) -> None:
    text, code, location = fault
    assert (code, location) in _issues(text)


def test_every_fault_is_told_at_once() -> None:
    told = _issues('{"sequence": "1", "timing": {"repeat": {"frequency": 0, "period": -1}}}')
    assert len({location for _, location in told}) == 3


def test_several_dosages_without_a_sequence_are_held() -> None:
    with pytest.raises(Refusal) as refusal:
        dosages(loads(b'[{"sequence": 1, "text": "a"}, {"text": "b"}]'))
    assert [issue.code for issue in refusal.value.issues] == ["TIMING_JOIN_MISSING"]


def test_a_sequence_is_kept() -> None:
    assert [
        read.sequence for read in dosages(loads(b'[{"sequence": 2, "text": "a"}, {"sequence": 1, "text": "b"}]'))
    ] == [
        2,
        1,
    ]


def test_several_coded_reasons_for_use_are_all_read() -> None:
    codings = '[{"system": "s", "code": "1", "display": "Nausea"}, {"system": "s", "code": "2", "display": "Vomiting"}]'
    read = _one(f'{{"asNeededCodeableConcept": {{"coding": {codings}}}}}')
    assert read.as_needed == AsNeeded(
        reasons=(
            Coding(system="s", code="1", display="Nausea"),
            Coding(system="s", code="2", display="Vomiting"),
        )
    )
