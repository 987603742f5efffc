"""Several orders that make one prescription."""

import pytest

from tests.hl7v2_orders import codes, edited, golden, read


def _two(first: str, second: str) -> str:
    """Give two orders of one group, written then."""
    whole = edited(golden("S01"), {"ORC-9": first, "RXE-32": ""})
    order = whole[whole.index("ORC|") :]
    return whole + edited(order, {"ORC-2": "RX7002^RBA", "ORC-9": second})


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [
        ("20261005091000+0100", "20261005175900+0100", False),
        ("20261005003000+0100", "20261004234500+0000", False),
        ("20261005091000+0100", "20261001091000+0100", True),
        ("20261001", "20261005091000+0100", True),
    ],
    ids=["one day", "one day in London", "an earlier day", "a later day"],
)
def test_orders_of_one_prescription_are_written_on_one_day(first: str, second: str, held: bool) -> None:  # noqa: FBT001 - a column
    assert ("FIELD_NOT_UNDERSTOOD" in codes(read(_two(first, second)))) is held


def test_orders_of_one_day_bear_the_first_time() -> None:
    prescription = read(_two("20261005175900+0100", "20261005091000+0100")).orders[0].prescription
    assert prescription is not None
    assert prescription.authored.isoformat() == "2026-10-05T09:10:00+01:00"
    assert len(prescription.lines) == 2
