"""Codes that are not known, and what counts beside a trust's file."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.config.load import load
from gateway.domain.code_map import (
    ApprovedEntry,
    MapKind,
    UnknownCode,
    entries_in,
    entry_of,
    maps_version,
    with_approved,
)
from gateway.domain.coding import SNOMED, UCUM, Coding
from gateway.domain.identifiers import OdsCode
from gateway.domain.trace import TraceRow

RBA = OdsCode("RBA")
TRUST = load(None).trusts[RBA]
SYRINGE = Coding(system=SNOMED, code="3318611000001103", display="pre-filled disposable injection")
TABLET = Coding(system=SNOMED, code="428673006", display="tablet")


def approved(code: str, target: Coding = SYRINGE, number: int = 3, text: str = "") -> ApprovedEntry:
    unknown = UnknownCode(kind=MapKind.UNIT, code=code, text=text, system="99LOC")
    return ApprovedEntry(
        number=number,
        trust=RBA,
        code_id=unknown.id_at(RBA),
        entry=entry_of(number, unknown, target, ("one", "two")),
        proposed_by="one",
        approved_by="two",
        reason="The label.",
        approved_at=datetime(2026, 10, 5, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("unknown", "can"),
    [
        (UnknownCode(kind=MapKind.DRUG, code="MTX10", text="x", system="99LOC"), True),
        (UnknownCode(kind=MapKind.DRUG, code="", text="Humira pen"), False),
        (UnknownCode(kind=MapKind.DRUG, code="15517911000001104", system=SNOMED), False),
        (UnknownCode(kind=MapKind.UNIT, code="mcg", system=UCUM), False),
        (UnknownCode(kind=MapKind.TIMING, code="every other Monday"), True),
        (UnknownCode(kind=MapKind.CANCEL_REASON, code="WRONG"), False),
    ],
)
def test_only_a_trusts_own_code_can_be_given_a_meaning(unknown: UnknownCode, can: bool) -> None:  # noqa: FBT001 - a case
    assert unknown.can_be_mapped is can


def test_text_and_system_are_part_of_what_a_code_is() -> None:
    code = UnknownCode(kind=MapKind.DRUG, code="42", text="40 mg", system="99LOC")
    others = (
        replace(code, text="80 mg"),
        replace(code, system="L"),
        replace(code, kind=MapKind.UNIT),
        replace(code, code="4"),
    )
    ids = {one.id_at(RBA) for one in (code, *others)} | {code.id_at(OdsCode("RZA"))}
    assert len(ids) == 6
    assert replace(code, location="RXE[2]-2").id_at(RBA) == code.id_at(RBA)


def test_an_approved_entry_is_found_beside_those_of_the_file() -> None:
    trust = with_approved(TRUST, [approved("PFX9")])
    found = trust.entry("unit", "PFX9", "", "99LOC")
    assert found is not None
    assert found.how == "table:trust-codes@v3"
    assert trust.entry("unit", "PFS", "", "99LOC") is not None
    assert TRUST.entry("unit", "PFX9", "", "99LOC") is None


def test_where_the_file_leads_elsewhere_neither_counts() -> None:
    trust = with_approved(TRUST, [approved("PFS", TABLET)])
    assert trust.entry("unit", "PFS", "", "99LOC") is None


def test_where_the_file_says_the_same_the_code_is_read() -> None:
    trust = with_approved(TRUST, [approved("PFS")])
    assert trust.entry("unit", "PFS", "", "99LOC") is not None


def test_the_version_of_a_trusts_maps_moves_with_its_entries() -> None:
    versions = [
        maps_version(with_approved(TRUST, entries))
        for entries in ([], [approved("A")], [approved("A"), approved("B", number=4)], [approved("B", number=4)])
    ]
    assert versions[0] == ""
    assert len(set(versions)) == 4


def test_a_trace_names_the_entries_it_was_read_by_once_each() -> None:
    rows = [
        TraceRow("a", "", "", how, "", "")
        for how in ("table:trust-codes@v3", "copy", "table:trust-codes", "table:trust-codes@v3", "table:trust-codes@v7")
    ]
    assert entries_in(rows) == ("v3", "v7")
