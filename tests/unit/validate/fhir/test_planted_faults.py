"""The faults of libraries.md 1, planted one at a time in a published homecare order and in one of our own."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.config.profiles import fhir_checker
from gateway.validate.fhir.finding import Level
from gateway.wire import strict_json
from tests.unit.validate.fhir.eps_examples import FOLDER, HOMECARE_ORDER

GOLDEN = Path(__file__).parents[3] / "golden" / "to_fhir" / "order.json"
ORDERS = {"ours": GOLDEN, **({"published": HOMECARE_ORDER} if FOLDER.exists() else {})}

Message = dict[str, Any]


def one(message: Message, kind: str) -> Message:
    return next(e["resource"] for e in message["entry"] if e["resource"]["resourceType"] == kind)  # type: ignore[no-any-return]


def line(message: Message) -> Message:
    return one(message, "MedicationRequest")


def extension(element: Message, ending: str) -> Message:
    return next(e for e in element["extension"] if e["url"].endswith(ending))  # type: ignore[no-any-return]


def add(message: Message, name: str, value: object) -> None:
    message[name] = value


def without_extension(element: Message, ending: str) -> None:
    element["extension"].remove(extension(element, ending))


Plant = Callable[[Message], object]
PLANTED: dict[str, tuple[Plant, str]] = {
    # the ten kinds of libraries.md 1
    "missing: a required element": (lambda m: line(m).pop("subject"), "cardinality"),
    "missing: the status": (lambda m: line(m).pop("status"), "cardinality"),
    "type: a string where an object belongs": (lambda m: line(m).update(subject="Patient/1"), "ele-1"),
    "type: a string where a number belongs": (
        lambda m: line(m)["dispenseRequest"]["quantity"].update(value="28"), "format"),
    "binding: no such status": (lambda m: line(m).update(status="banana"), "binding"),
    "binding: no such gender": (lambda m: one(m, "Patient").update(gender="F"), "binding"),
    "reference: to nothing": (
        lambda m: line(m)["subject"].update(reference="urn:uuid:00000000-0000-4000-8000-000000000000"), "reference"),
    "reference: to the wrong type": (
        lambda m: line(m)["subject"].update(reference=m["entry"][0]["fullUrl"]), "reference"),
    "date: a day that is not in the calendar": (lambda m: one(m, "Patient").update(birthDate="1999-02-30"), "format"),
    "unknown: an element": (lambda m: line(m).update(dosageInstructions="x"), "unknown-element"),
    "cardinality: one where an array belongs": (
        lambda m: line(m).update(dosageInstruction=line(m)["dosageInstruction"][0]), "cardinality"),
    "cardinality: an array where one is allowed": (lambda m: line(m).update(intent=["order"]), "binding"),
    "invariant: a period without its unit": (
        lambda m: line(m)["dosageInstruction"][0].update(timing={"repeat": {"period": Decimal("1.0")}}), "tim-2"),
    "invariant: two entries with one id": (
        lambda m: m["entry"][1].update(fullUrl=m["entry"][2]["fullUrl"]), "bdl-7"),
    "profile: the prescription type is missing": (
        lambda m: without_extension(line(m), "DM-PrescriptionType"), "slicing|cardinality"),
    "profile: fixed status": (lambda m: line(m).update(status="on-hold"), "fixed"),
    "profile: intent that is no order": (lambda m: line(m).update(intent="plan"), "eps-5.2 intent"),
    "slicing: no NHS number among the identifiers": (
        lambda m: one(m, "Patient").update(identifier=[{"system": "https://example.org", "value": "1"}]), "slicing"),
    "slicing: two NHS numbers": (
        lambda m: one(m, "Patient")["identifier"].append(copy.deepcopy(one(m, "Patient")["identifier"][0])), "slicing"),
    # further faults of the profiles
    "profile: an extension with a value of another type": (
        lambda m: extension(line(m), "DM-PrescriptionType").update(valueCoding=None) or
        add(extension(line(m), "DM-PrescriptionType"), "valueString", "1201"), "profile"),
    "profile: a known extension where it may not stand": (
        lambda m: one(m, "Patient").update(
            extension=[copy.deepcopy(extension(line(m), "DM-PrescriptionType"))]), "extension"),
    "profile: no long-form prescription id": (
        lambda m: line(m)["groupIdentifier"].pop("extension"), "cardinality"),
    "profile: another system for the prescription number": (
        lambda m: line(m)["groupIdentifier"].update(system="https://example.org"), "fixed"),
    "profile: a dispensing site that is none": (
        lambda m: extension(line(m)["dispenseRequest"], "PerformerSiteType")["valueCoding"].update(code="P9"),
        "binding"),
    "profile: a course of therapy that is none": (
        lambda m: line(m)["courseOfTherapyType"]["coding"][0].update(code="seasonal"), "binding"),
    "profile: substitution in a type that is not allowed": (
        lambda m: line(m).update(substitution={"allowedCodeableConcept": {"text": "x"}}), "profile"),
    "profile: no patient": (
        lambda m: m["entry"].remove(next(e for e in m["entry"] if e["resource"]["resourceType"] == "Patient")),
        "slicing"),
    "identifier: an NHS number with a wrong digit": (
        lambda m: one(m, "Patient")["identifier"][0].update(value="9449304107"), "identifier"),
    "identifier: a prescription number with a wrong character": (
        lambda m: line(m)["groupIdentifier"].update(value="A0548B-A99968-451486"), "identifier"),
    "identifier: a drug code with a wrong digit": (
        lambda m: line(m)["medicationCodeableConcept"]["coding"][0].update(code="317972001"), "identifier"),
    "modifierExtension": (
        lambda m: line(m).update(modifierExtension=[{"url": "https://example.org", "valueBoolean": True}]),
        "modifierExtension"),
}  # fmt: skip


def order(name: str) -> Message:
    value = strict_json.loads(ORDERS[name].read_bytes())
    assert isinstance(value, dict)
    return value


def rules(message: Message) -> set[str]:
    return {one.rule for one in fhir_checker().check(message) if one.level is Level.ERROR}


@pytest.mark.parametrize("name", ORDERS)
def test_the_order_is_clean_before_anything_is_planted(name: str) -> None:
    assert rules(order(name)) == set()


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_fault_is_caught(name: str, case: str) -> None:
    plant, rule = PLANTED[case]
    message = order(name)
    plant(message)
    assert rules(message) & set(rule.split("|"))


def test_an_unknown_extension_is_a_warning() -> None:
    message = order("ours")
    line(message)["extension"].append({"url": "https://example.org/new", "valueString": "x"})
    (found,) = (one for one in fhir_checker().check(message) if one.rule == "extension")
    assert found.level is Level.WARNING
    assert found.expression.startswith("Bundle.entry[1].resource.extension[")


def test_no_finding_repeats_a_value_of_the_message() -> None:
    message = order("ours")
    one(message, "Patient").update(gender="SECRET", birthDate="SECRET", address="SECRET")
    line(message).update(status="SECRET", intent="SECRET", groupIdentifier={"system": "SECRET", "value": "SECRET"})
    found = fhir_checker().check(message)
    assert found
    assert "SECRET" not in json.dumps([(one.text, one.rule, one.expression) for one in found])
