"""The coded tables: every row is read as it says, and a code without a row has no meaning."""

import pytest

from gateway.domain.identifiers import Register
from gateway.domain.issue import Effect
from gateway.translate.cancel_reasons import reason_of
from gateway.translate.maps.rules import FHIR, HL7V2, XML
from gateway.translate.maps.tables import Row, rows, table
from tests.hl7v2_orders import codes, edited, golden, issues, read

PLACES = {
    "gender": ("PID-8", "{}", "patient.gender"),
    "HL70485": ("TQ1-9", "{}", "lines[0].priority"),
    "HL70128": ("AL1-4", "{}", "allergies[0].criticality"),
    "HL70085": ("OBX-11", "{}", "observations[0].status"),
    "address-use": ("PID-11", "1 Example Street^^Testville^^TA1 1AA^^{}", "patient.address.use"),
    "zhc-tier": ("ZHC-3", "{}", "homecare.tier"),
    "zhc-funding": ("ZHC-8", "{}", "homecare.funding"),
    "zhc-place": ("ZHC-9", "{}", "homecare.delivery.place"),
    "zhc-nurse": ("ZHC-12", "{}", "homecare.nurse_service"),
    "zhc-kind": ("ZHC-20", "{}", "homecare.kind"),
    "zhc-truth": ("ZHC-10", "{}", "homecare.delivery.cold_chain"),
    "time-units": ("ZHC-4", "4^{}", "homecare.delivery.frequency.unit"),
}
"""Where a message shows each table: the field, how the code is written there, and what it becomes."""

OTHERWISE = {"contact-use", "prescription-type", "cancel-reason"}
"""Tables that no trace row shows by themselves; each has its own test below."""


@pytest.mark.parametrize(
    "row", [row for row in rows() if row.table in PLACES], ids=lambda row: f"{row.table}-{row.code}"
)
def test_a_code_is_read_as_its_row_says(row: Row) -> None:
    place, written, target = PLACES[row.table]
    reading = read(edited(golden("S01"), {place: written.format(row.code)}))
    (traced,) = [one for one in reading.orders[0].trace if one.target == target]
    assert (traced.raw, traced.result) == (row.code, row.means)
    assert traced.transform == f"table:{row.table}"


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_code_without_a_row_has_no_meaning(name: str) -> None:
    place, written, target = PLACES[name]
    reading = read(edited(golden("S01"), {place: written.format("QQ")}))
    assert [one for one in reading.orders[0].trace if one.target == target] == []
    if name not in {"HL70128", "HL70085", "address-use"}:  # beside the order: left out by a rule, and shown as such
        assert any(issue.effect is not Effect.WARN for issue in issues(reading)), codes(reading)


@pytest.mark.parametrize("row", [row for row in rows() if row.table == "contact-use"], ids=lambda row: row.code)
def test_the_use_of_a_phone_is_read_as_its_row_says(row: Row) -> None:
    reading = read(edited(golden("S01"), {"PID-14": f"^{row.code}^PH^^^^01632960123"}))
    prescription = reading.orders[0].prescription
    assert prescription is not None
    assert prescription.patient.contacts[-1].use == row.means


NUMBERS = {"GMC": "9999991", "CONSULTANT": "C9999991", "NMC": "12A3456E", "GPhC": "2099991"}


@pytest.mark.parametrize("row", [row for row in rows() if row.table == "prescription-type"], ids=lambda row: row.code)
def test_the_type_of_a_prescription_follows_the_register(row: Row) -> None:
    assert row.code in set(Register)
    written = f"{NUMBERS[row.code]}^PRESCRIBER^Casey^^^DR^^^{row.code}"
    (traced,) = [
        one for one in read(edited(golden("S01"), {"ORC-12": written})).orders[0].trace if one.target == "type_code"
    ]
    assert (traced.transform, traced.result) == ("table:prescription-type", row.means)


@pytest.mark.parametrize("row", [row for row in rows() if row.table == "cancel-reason"], ids=lambda row: row.code)
def test_a_reason_is_read_as_its_row_says(row: Row) -> None:
    reason = reason_of(row.code)
    assert reason is not None
    assert (reason.code, reason.display) == (row.code, row.means)


def test_every_table_is_shown_and_every_row_cites_where_it_is_laid_down() -> None:
    assert {row.table for row in rows()} == {*PLACES, *OTHERWISE}
    assert all(row.citation for row in rows())
    for name in {row.table for row in rows()}:
        assert table(name)


def test_there_is_no_table_without_rows() -> None:
    with pytest.raises(KeyError):
        table("absent")


_MADE = {
    "HL70162", "HL70335", "HL70528", "code-systems", "contact-element", "identifier-systems", "local-id-systems",
    "none-known", "partners", "products", "trust-codes", "unit-words", "units", "weekdays",
}  # fmt: skip
"""Tables of the reference release, of the configuration and of the formats, which do not stand in this folder."""


def test_every_table_that_a_rule_names_is_one_that_there_is() -> None:
    named = {
        how.removeprefix("table:")
        for rules in (HL7V2, XML, FHIR)
        for rule in rules.rows
        for how in rule.transforms
        if how.startswith("table:")
    }
    assert named <= {*_MADE, *{row.table for row in rows()}}
