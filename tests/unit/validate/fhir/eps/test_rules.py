"""Each rule of eps.md 5, broken once in our own order, or in the smallest resource that shows it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from gateway.validate.fhir.eps.rules import HOLD, HOLD_REASON, RULES, check_rules
from gateway.validate.fhir.finding import Level
from tests.unit.validate.fhir.test_planted_faults import extension, line, one, order

Message = dict[str, Any]
SECOND = "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b0aa"
GMP = {"system": "https://fhir.hl7.org.uk/Id/gmp-number", "value": "G8000000"}
GMC = {"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "7654321"}
REPEATS = "continuous-repeat-dispensing"


def broken(message: Message) -> set[str]:
    return {finding.rule for finding in check_rules(message) if finding.level is Level.ERROR}


def twice(message: Message) -> Message:
    """Give the message a second line like the first, under its own number."""
    second = copy.deepcopy(line(message))
    second["identifier"][0]["value"] = "5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b0aa"
    message["entry"].insert(2, {"fullUrl": SECOND, "resource": second})
    return second


def repeated(message: Message) -> Message:
    first = line(message)
    first["courseOfTherapyType"]["coding"][0].update(code=REPEATS)
    first["dispenseRequest"].update(
        numberOfRepeatsAllowed=5,
        validityPeriod={"start": "2026-10-05"},
        expectedSupplyDuration={"value": 28, "unit": "day", "system": "http://unitsofmeasure.org", "code": "d"},
    )
    return first["dispenseRequest"]  # type: ignore[no-any-return]


def primary(message: Message) -> Message:
    extension(line(message), "PrescriptionType")["valueCoding"].update(code="0101")
    return message


ORDER: dict[str, tuple[Callable[[Message], object], str]] = {
    "a plan": (lambda m: line(m).update(intent="plan"), "eps-5.2 intent"),
    "two forms of medication": (lambda m: line(m).update(medicationReference={"reference": "x"}), "eps-5.2 medication"),
    "a telecom without use": (lambda m: one(m, "Organization").update(telecom=[{"value": "1"}]), "eps-5.2 telecom"),
    "a telecom without value": (lambda m: one(m, "Organization").update(telecom=[{"use": "work"}]), "eps-5.2 telecom"),
    "a practitioner by identifier": (
        lambda m: one(m, "PractitionerRole").update(practitioner={"identifier": GMC}), "eps-5.2 practitioner"),
    "an organisation by identifier": (
        lambda m: one(m, "PractitionerRole").update(organization={"identifier": GMC}), "eps-5.2 organization"),
    "a service by identifier": (
        lambda m: one(m, "PractitionerRole").update(healthcareService=[{"identifier": GMC}]),
        "eps-5.2 healthcareService"),
    "a role without its profile id": (
        lambda m: one(m, "PractitionerRole").update(identifier=[GMC]), "eps-5.2 role profile"),
    "a line that is not active": (lambda m: line(m).update(status="draft"), "eps-5.3 status"),
    "two lines of one number": (
        lambda m: twice(m)["identifier"][0].update(value=line(m)["identifier"][0]["value"].upper()),
        "eps-5.3 identifier"),
    "two prescription numbers": (lambda m: twice(m)["groupIdentifier"].update(value="x"), "eps-5.3 groupIdentifier"),
    "two categories": (lambda m: twice(m).update(category=[]), "eps-5.3 category"),
    "two times of signing": (lambda m: twice(m).update(authoredOn="2026-01-01"), "eps-5.3 authoredOn"),
    "two patients": (lambda m: twice(m).update(subject={"reference": "x"}), "eps-5.3 subject"),
    "two requesters": (lambda m: twice(m).update(requester={"reference": "x"}), "eps-5.3 requester"),
    "two performers": (
        lambda m: twice(m)["dispenseRequest"].update(performer={"reference": "x"}), "eps-5.3 performer"),
    "two validities": (
        lambda m: twice(m)["dispenseRequest"].update(validityPeriod={"end": "2026-12-01"}), "eps-5.3 validityPeriod"),
    "two types": (
        lambda m: extension(twice(m), "PrescriptionType")["valueCoding"].update(code="1204"),
        "eps-5.3 extension PrescriptionType"),
    "no directions": (lambda m: line(m).update(dosageInstruction=[]), "eps-5.3 dosage"),
    "directions out of order": (
        lambda m: line(m).update(dosageInstruction=[{"text": "a"}, {"text": "b", "sequence": 2}]), "eps-5.3 sequence"),
    "a service in primary care": (
        lambda m: one(primary(m), "PractitionerRole").update(healthcareService=[{"reference": "x"}]),
        "eps-5.3 primary care"),
    "no parent in primary care": (lambda m: one(primary(m), "Organization").pop("partOf"), "eps-5.3 primary care"),
    "a requester who is no role": (
        lambda m: line(m)["requester"].update(reference=m["entry"][0]["fullUrl"]), "eps-5.3 requester"),
    "a requester without organisation": (
        lambda m: one(m, "PractitionerRole").pop("organization"), "eps-5.3 organization"),
    "a GMP number": (lambda m: one(m, "Practitioner")["identifier"].append(GMP), "eps-5.3 gmp-number"),
    "repeats without validity": (lambda m: repeated(m).pop("validityPeriod"), "eps-5.3 validityPeriod"),
    "repeats without days": (lambda m: repeated(m).pop("expectedSupplyDuration"), "eps-5.3 expectedSupplyDuration"),
    "repeats without their number": (lambda m: repeated(m).pop("numberOfRepeatsAllowed"), "eps-5.7 repeats"),
    "no professional code": (lambda m: one(m, "Practitioner").update(identifier=[]), "eps-5.7 professional code"),
    "two professional codes": (
        lambda m: one(m, "Practitioner").update(identifier=[GMC, GMC]), "eps-5.7 professional code"),
    "acute and repeat dispensing": (
        lambda m: twice(m)["courseOfTherapyType"]["coding"][0].update(code=REPEATS), "eps-5.7 course"),
    "days in weeks": (lambda m: repeated(m)["expectedSupplyDuration"].update(code="wk"), "eps-5.7 duration"),
    "more than a year": (lambda m: repeated(m)["expectedSupplyDuration"].update(value=400), "eps-5.8 duration"),
    "an event that is none": (
        lambda m: one(m, "MessageHeader")["eventCoding"].update(code="prescription-ordre"), "eps-5.1 event"),
}  # fmt: skip


def test_our_order_breaks_no_rule() -> None:
    assert broken(order("ours")) == set()


@pytest.mark.parametrize("case", ORDER)
def test_a_rule_of_an_order_is_broken_and_told(case: str) -> None:
    plant, rule = ORDER[case]
    message = order("ours")
    plant(message)
    assert rule in broken(message)


def test_a_mix_of_acute_and_continuous_is_one_course() -> None:
    message = order("ours")
    first = line(message)["courseOfTherapyType"]["coding"][0]
    other = {"acute": "continuous", "continuous": "acute"}[first["code"]]
    twice(message)["courseOfTherapyType"]["coding"][0].update(code=other)
    assert "eps-5.7 course" not in broken(message)


def as_event(event: str, *resources: Message) -> Message:
    system = "https://fhir.nhs.uk/CodeSystem/message-event"
    header = {"resourceType": "MessageHeader", "eventCoding": {"system": system, "code": event}}
    return {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [{"fullUrl": f"urn:{index}", "resource": one} for index, one in enumerate([header, *resources])],
    }


def as_hold(code: str, *resources: Message) -> Message:
    """Make an update that asks for a hold or a release."""
    message = as_event("prescription-order-update", *resources)
    message["entry"][0]["resource"]["reason"] = {"coding": [{"system": HOLD_REASON, "code": code}]}
    return message


LINE = {"resourceType": "MedicationRequest", "status": "active", "requester": {"reference": "urn:1"}}
ROLE = {
    "resourceType": "PractitionerRole",
    "practitioner": {"reference": "urn:9"},
    "organization": {"reference": "urn:9"},
}
ITEM = {"resourceType": "MedicationDispense", "whenHandedOver": "2026-10-05", "performer": []}
CONTAINED = {"resourceType": "PractitionerRole", "id": "performer", "practitioner": {"reference": "x"}}
AUTHORITY = "https://fhir.nhs.uk/StructureDefinition/Extension-ODS-OrganisationRelationships"
RETURN = {"resourceType": "Task", "for": {}, "focus": {}, "intent": "order", "status": "rejected"}
WITHDRAW = {**RETURN, "status": "in-progress"}
OTHERS: dict[str, tuple[Message, str]] = {
    "a cancel of nothing": (as_event("prescription-order-update", ROLE), "eps-5.4 line"),
    "a cancel of two": (as_event("prescription-order-update", ROLE, LINE, LINE), "eps-5.4 line"),
    "a cancel that is active": (as_event("prescription-order-update", ROLE, LINE), "eps-5.4 status"),
    "a cancel without reason": (as_event("prescription-order-update", ROLE, LINE), "eps-5.4 statusReason"),
    "a hold of nothing": (as_hold("hold", ROLE), "eps-hold line"),
    "a hold of two": (as_hold("hold", ROLE, LINE, LINE), "eps-hold line"),
    "a hold that is active": (as_hold("hold", ROLE, LINE), "eps-hold status"),
    "a release that is on hold": (as_hold("release", ROLE, {**LINE, "status": "on-hold"}), "eps-hold status"),
    "two hand-overs": (
        as_event("dispense-notification", ITEM, {**ITEM, "whenHandedOver": "2026-10-06"}), "eps-5.5 whenHandedOver"),
    "no performer": (as_event("dispense-notification", ITEM), "eps-5.5 performer"),
    "a contained role with references": (
        as_event("dispense-notification", {**ITEM, "contained": [CONTAINED]}), "eps-5.5 practitioner"),
    "no authority": (as_event("dispense-notification", ITEM, {"resourceType": "Organization"}), "eps-5.5 authority"),
    "an authority without code": (
        as_event("dispense-notification", {"resourceType": "Organization", "extension": [{"url": AUTHORITY}]}),
        "eps-5.5 authority"),
    "a return without contained requester": (RETURN, "eps-5.6 requester"),
    "a return without reason": (RETURN, "eps-5.6 reason"),
    "a return that is a plan": ({**RETURN, "intent": "plan"}, "eps-5.6 intent"),
    "a withdrawal without its code": (WITHDRAW, "eps-5.6 code"),
    "a release without owner": (
        {"resourceType": "Parameters", "parameter": [{"name": "agent", "resource": {}}]}, "eps-5.6 owner"),
    "a release whose agent has no telephone": (
        {"resourceType": "Parameters", "parameter": [{"name": "agent", "resource": {}}]}, "eps-5.6 telecom"),
    "a claim without insurance": ({"resourceType": "Claim"}, "eps-5.6 insurance"),
    "a claim for another authority": ({"resourceType": "Claim", "insurance": [{}]}, "eps-5.6 coverage"),
    "a claim without endorsement": ({"resourceType": "Claim"}, "eps-5.6 endorsement"),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_a_rule_of_another_message_is_broken_and_told(case: str) -> None:
    resource, rule = OTHERS[case]
    assert rule in broken(resource)


@pytest.mark.parametrize(("asked", "status"), [("hold", "on-hold"), ("release", "active")])
def test_a_hold_or_release_of_one_line_keeps_the_rules_of_its_kind(asked: str, status: str) -> None:
    found = broken(as_hold(asked, ROLE, {**LINE, "status": status}))
    assert not {rule for rule in found if rule.startswith(("eps-hold", "eps-5.4"))}


def test_every_message_of_the_dialect_has_its_rules() -> None:
    assert set(RULES) == {
        "prescription-order",
        "prescription-order-update",
        HOLD,
        "prescription-order-response",
        "dispense-notification",
    }
