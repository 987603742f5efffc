"""PID-11: which of a patient's addresses is meant, and its lines."""

import pytest

from gateway.domain.prescription import Address
from tests.hl7v2_orders import codes, edited, golden, issues, read

_HERE = "2 New Street^^Testville^^BB1 1BB^GBR^H"


def _address(text: str) -> Address:
    order = read(edited(golden("S01"), {"PID-11": text})).orders[0]
    assert order.prescription is not None
    return order.prescription.patient.address


def _codes(text: str) -> set[str]:
    return codes(read(edited(golden("S01"), {"PID-11": text})))


@pytest.mark.parametrize(
    "other",
    [
        "1 Old Street^^Testville^^AA1 1AA^GBR^BA",
        "1 Old Street^^Testville^^AA1 1AA^GBR^BR",
        "1 Old Street^^Testville^^AA1 1AA^GBR^H^^^^^20100101&20150101",
        "1 Old Street^^Testville^^AA1 1AA^GBR^H^^^^^^20100101^20150101",
        "1 Old Street^^Testville^^AA1 1AA^GBR^C",
    ],
    ids=["bad address", "residence at birth", "ended before 2.5", "ended from 2.5 on", "temporary"],
)
def test_the_current_home_is_taken_wherever_it_stands(other: str) -> None:
    assert _address(f"{other}~{_HERE}").lines == ("2 New Street",)
    assert _address(f"{_HERE}~{other}").lines == ("2 New Street",)
    assert "DELIVERY_ADDRESS_UNUSABLE" not in _codes(f"{other}~{_HERE}")


@pytest.mark.parametrize(
    "only",
    [
        "1 Old Street^^Testville^^AA1 1AA^GBR^BA",
        "1 Old Street^^Testville^^AA1 1AA^GBR^H^^^^^^20100101^20261004",
    ],
)
def test_an_address_nobody_lives_at_is_held(only: str) -> None:
    assert "DELIVERY_ADDRESS_UNUSABLE" in _codes(only)


@pytest.mark.parametrize(
    ("end", "is_current"),
    [
        ("20261005", True),
        ("202610", True),
        ("2026", True),
        ("99991231", True),
        ("20261004", False),
        ("202609", False),
        ("2025", False),
        ("17991231", False),
        ("00010101", False),
        ("next year", False),
    ],
)
def test_an_address_is_current_until_its_end_and_not_if_nobody_can_read_that(end: str, is_current: bool) -> None:  # noqa: FBT001
    said = _codes(f"1 Old Street^^T^^AA1 1AA^GBR^H^^^^^^20100101^{end}")
    assert ("DELIVERY_ADDRESS_UNUSABLE" not in said) is is_current


@pytest.mark.parametrize(
    ("second", "differs"),
    [
        ("3 New Street^^Testville^^BB1 1BB^GBR^H", True),
        ("2 New Street^^Testville^^BB1 1BC^GBR^H", True),
        ("2 NEW ST^^TESTVILLE^^bb11bb^GBR^HOME", False),
    ],
)
def test_two_current_homes_that_differ_are_held(second: str, differs: bool) -> None:  # noqa: FBT001 - a column
    assert ("DELIVERY_ADDRESS_UNUSABLE" in _codes(f"{_HERE}~{second}")) is differs


@pytest.mark.parametrize(
    ("street", "lines"),
    [
        ("2 New Street&New Street&2", ("2 New Street", "Flat 3")),
        ("&New Street&2", ("2", "New Street", "Flat 3")),
        ("The Old Mill&New Street&2", ("The Old Mill", "New Street", "2", "Flat 3")),
        ("22 New Street&&2", ("22 New Street", "2", "Flat 3")),
    ],
)
def test_a_street_written_whole_and_in_parts_is_written_once(street: str, lines: tuple[str, ...]) -> None:
    assert _address(f"{street}^Flat 3^Testville^^BB1 1BB^GBR^H").lines == lines


def test_the_reason_says_where_and_what_to_send() -> None:
    found = issues(read(edited(golden("S01"), {"PID-11": f"{_HERE}~3 New Street^^T^^BB1 1BB^GBR^H"})))
    said = [issue for issue in found if issue.code == "DELIVERY_ADDRESS_UNUSABLE"]
    assert [(issue.location, "deliver to" in issue.text) for issue in said] == [("PID[1]-11", True)]
