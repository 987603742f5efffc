"""HL7 v2.9: the same orders, with their people in PRT."""

import pytest

from gateway.domain.identifiers import OdsCode, Register
from gateway.domain.issue import held, refused
from gateway.domain.prescription import Prescription
from gateway.domain.submission import Outcome, Verdict
from gateway.translate.from_hl7v2.header import VERSIONS
from gateway.translate.to_acknowledgement.hl7v2 import answer
from tests.hl7v2_orders import codes, edited, golden, issues, read, submission

PERSON = "9999991^PRESCRIBER^Casey^^^DR^^^GMC"
PLACE = "RHEUMATOLOGY^^RBA11^^^ODS"
ORDERING = f"PRT|1|AD||OP^Ordering Provider^HL70912|{PERSON}|||{PLACE}"


def modern(*people: str, kind: str = "RDE^O11^RDE_O11", after: str = "ORC", **fields: str) -> str:
    """Give the golden order as 2.9 has it: no ORC-12 and ORC-21, PRT segments after a segment instead."""
    text = edited(golden("S01"), {"MSH-12": "2.9", "MSH-9": kind, "ORC-12": "", "ORC-21": "", **fields})
    lines = text.strip("\n").split("\n")
    at = next(index for index, line in enumerate(lines) if line.startswith(after)) + 1
    return "\n".join([*lines[:at], *people, *lines[at:]]) + "\n"


def prescription(text: str) -> Prescription:
    (order,) = read(text).orders
    assert order.prescription is not None, [issue.code for issue in order.issues]
    return order.prescription


@pytest.mark.parametrize("kind", ["RDE^O11^RDE_O11", "OMP^O09^OMP_O09"])
def test_the_same_order_with_its_people_in_prt_is_the_same_prescription(kind: str) -> None:
    assert prescription(modern(ORDERING, kind=kind)) == prescription(golden("S01"))
    assert read(modern(ORDERING, kind=kind)).unaccounted == ()
    assert not issues(read(modern(ORDERING, kind=kind)))


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_one_reader_reads_every_version_alike(version: str) -> None:
    assert prescription(edited(golden("S01"), {"MSH-12": version})) == prescription(golden("S01"))


@pytest.mark.parametrize("after", ["ORC", "RXE"])
def test_the_prescriber_may_stand_after_the_order_or_its_details(after: str) -> None:
    assert prescription(modern(ORDERING, after=after)).prescriber.ids == prescription(golden("S01")).prescriber.ids


@pytest.mark.parametrize("after", ["PV1", "OBX", "TQ1"])
def test_a_person_beside_anything_else_prescribed_nothing(after: str) -> None:
    assert "PRESCRIBER_REQUIRED" in codes(read(modern(ORDERING, after=after)))


def test_nobody_in_prt_is_nobody() -> None:
    reading = read(modern())
    assert "PRESCRIBER_REQUIRED" in codes(reading)
    assert refused(tuple(issues(reading)))


def test_orc_12_and_prt_must_name_one_person() -> None:
    both = modern(ORDERING, **{"ORC-12": PERSON})
    assert prescription(both).prescriber.ids == prescription(golden("S01")).prescriber.ids
    other = ORDERING.replace("PRESCRIBER^Casey", "OTHER^Person")
    assert "PRESCRIBER_AMBIGUOUS" in codes(read(modern(other, **{"ORC-12": PERSON})))
    assert "PRESCRIBER_AMBIGUOUS" in codes(read(modern(ORDERING, other)))


def test_two_places_of_ordering_are_held() -> None:
    other = ORDERING.replace("RBA11", "RBA12")
    reading = read(modern(other, **{"ORC-21": PLACE}))
    assert "FIELD_NOT_UNDERSTOOD" in codes(reading)
    assert held(tuple(issues(reading)))


def test_the_verifying_pharmacist_is_evidence_only_with_a_time() -> None:
    person = "2099992^VERIFIER^Vic^^^MS^^^GPhC"
    verifying = f"PRT|2|AD||VP|{person}||||||20261005085900+0100"
    without = {"ZHC-17": "", "ZHC-18": ""}
    check = prescription(modern(ORDERING, verifying, **without)).clinical_check
    assert check is not None
    assert [(one.register, one.value) for one in check.by.ids] == [(Register.GPHC, "2099992")]
    timeless = verifying.removesuffix("20261005085900+0100")
    assert prescription(modern(ORDERING, timeless, **without)).clinical_check is None


def test_phone_and_address_come_with_the_ordering_provider() -> None:
    reached = f"{ORDERING}||||||2 Ward Road^^Testville^^TA1 1AB^GBR^B|^WPN^PH^^^^02079460000"
    site = prescription(modern(reached)).prescriber
    assert [one.value for one in site.contacts] == ["02079460000"]
    assert site.organisation is not None
    assert site.organisation.ods == OdsCode("RBA11")
    assert site.organisation.address is not None
    assert site.organisation.address.postcode == "TA1 1AB"


@pytest.mark.parametrize("role", ["EP", "AT", "CP", "RCT"])
def test_who_has_no_bearing_on_the_supply_is_left_out_by_rule(role: str) -> None:
    text = modern(ORDERING, f"PRT|2|AD||{role}|77^SOMEBODY^Else")
    assert prescription(text) == prescription(golden("S01"))
    assert {left.rule.partition(":")[0] for left in read(text).leftovers if left.source.startswith("PRT[2]-5")} == {
        "HL7V2.ignored.PRT"
    }


@pytest.mark.parametrize("role", ["DP", "PH", "ZZ", ""])
def test_a_part_that_may_bear_on_the_supply_is_held(role: str) -> None:
    assert "FIELD_NOT_UNDERSTOOD" in codes(read(modern(ORDERING, f"PRT|2|AD||{role}|77^SOMEBODY^Else")))


@pytest.mark.parametrize("action", ["DE", "UN", "ZZ"])
def test_a_part_that_is_taken_back_is_held(action: str) -> None:
    assert "FIELD_NOT_UNDERSTOOD" in codes(read(modern(ORDERING.replace("|AD|", f"|{action}|"))))


def test_a_cancel_names_who_asks_in_prt() -> None:
    (order,) = read(modern(ORDERING, **{"ORC-1": "CA", "ORC-16": "0001"})).orders
    assert order.change is not None
    assert order.change.by is not None
    assert [one.value for one in order.change.by.ids] == ["9999991"]


@pytest.mark.parametrize("version", ["2.10", "2.9.1", "3.0", "2.2", "2"])
def test_any_other_version_is_refused_by_name(version: str) -> None:
    assert "VERSION_UNSUPPORTED" in codes(read(edited(golden("S01"), {"MSH-12": version})))


def test_the_answer_keeps_to_the_version() -> None:
    text = modern(ORDERING, **{"MSH-15": "", "MSH-16": ""})
    body = answer(submission(text), read(text).envelope, Verdict(outcome=Outcome.TRANSLATED)).body.decode()
    assert body.split("\r")[0].split("|")[11] == "2.9"


@pytest.mark.parametrize(
    "change", [{"MSH-26": "R"}, {"MSH-27": "NOAUTH"}, {"MSH-28": "ask first"}, {"+ARV": "ARV|1|A|DEM"}]
)
def test_handling_that_nothing_here_could_keep_is_held(change: dict[str, str]) -> None:
    reading = read(edited(modern(ORDERING), change))
    assert codes(reading) == {"FIELD_NOT_UNDERSTOOD"}


def test_ordinary_handling_is_no_obstacle() -> None:
    assert not issues(read(modern(ORDERING, **{"MSH-26": "N^normal^CON"})))
