"""The FHIR check: a small message of our own, and one fault planted at a time."""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from gateway.validate.fhir.checker import FhirChecker
from gateway.validate.fhir.compile import RESOURCES
from gateway.validate.fhir.finding import Level, operation_outcome
from gateway.wire import strict_json

ROOT = Path(__file__).parents[4]
SHARED = ROOT / "../shared/eps-examples"
TABLE = json.loads((resources.files("fhir_profiles") / "r4-4.0.1.json").read_text())
CHECKER = FhirChecker(TABLE)

Message = dict[str, Any]
ORDER, PATIENT = "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b001", "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b002"
NOBODY = "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7bfff"
PERSON = "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b003"

REPEAT = "Bundle.entry[1].resource.dosageInstruction[0].timing.repeat"


def message() -> Message:
    return {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": "2026-10-05T09:15:00+01:00",
        "entry": [
            {
                "fullUrl": "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b000",
                "resource": {
                    "resourceType": "MessageHeader",
                    "eventCoding": {
                        "system": "https://fhir.nhs.uk/CodeSystem/message-event",
                        "code": "prescription-order",
                    },
                    "source": {"endpoint": "https://example.nhs.uk"},
                    "focus": [{"reference": ORDER}],
                },
            },
            {
                "fullUrl": ORDER,
                "resource": {
                    "resourceType": "MedicationRequest",
                    "contained": [{"resourceType": "Organization", "id": "home", "name": "Example Homecare"}],
                    "status": "active",
                    "intent": "order",
                    "medicationCodeableConcept": {"text": "Methotrexate"},
                    "subject": {"reference": PATIENT},
                    "requester": {"reference": PERSON},
                    "authoredOn": "2026-10-05",
                    "dosageInstruction": [
                        {
                            "text": "once a week",
                            "timing": {"repeat": {"frequency": 1, "period": Decimal("1.0"), "periodUnit": "wk"}},
                            "doseAndRate": [
                                {"doseQuantity": {"value": 10, "system": "http://unitsofmeasure.org", "code": "mg"}}
                            ],
                        }
                    ],
                    "dispenseRequest": {"performer": {"reference": "#home"}},
                },
            },
            {
                "fullUrl": PATIENT,
                "resource": {
                    "resourceType": "Patient",
                    "birthDate": "1979-04-12",
                    "gender": "female",
                    "name": [{"family": "TESTPATIENT", "given": ["Aoife", None], "_given": [None, {"id": "middle"}]}],
                },
            },
            {"fullUrl": PERSON, "resource": {"resourceType": "Practitioner", "name": [{"family": "PRESCRIBER"}]}},
        ],
    }  # fmt: skip


def header(bundle: Message) -> Message:
    return bundle["entry"][0]["resource"]  # type: ignore[no-any-return]


def order(bundle: Message) -> Message:
    return bundle["entry"][1]["resource"]  # type: ignore[no-any-return]


def person(bundle: Message) -> Message:
    return bundle["entry"][2]["resource"]  # type: ignore[no-any-return]


def repeat(bundle: Message) -> Message:
    return order(bundle)["dosageInstruction"][0]["timing"]["repeat"]  # type: ignore[no-any-return]


def test_a_clean_message_has_no_finding() -> None:
    assert CHECKER.check(message()) == ()


Plant = Callable[[Message], object]
FAULTS: dict[str, tuple[Plant, str, str]] = {
    "a required element is missing": (
        lambda b: order(b).pop("subject"),
        "Bundle.entry[1].resource.subject", "cardinality"),
    "a required choice is missing": (
        lambda b: order(b).pop("medicationCodeableConcept"),
        "Bundle.entry[1].resource.medication", "cardinality"),
    "two types of one choice": (
        lambda b: order(b).update(medicationReference={"display": "x"}),
        "Bundle.entry[1].resource", "choice"),
    "an array where one is allowed": (
        lambda b: order(b).update(subject=[{"reference": PATIENT}]),
        "Bundle.entry[1].resource.subject", "ele-1"),
    "one where an array belongs": (
        lambda b: person(b).update(name={"family": "x"}),
        "Bundle.entry[2].resource.name", "cardinality"),
    "an empty array": (lambda b: person(b).update(name=[]), "Bundle.entry[2].resource.name", "cardinality"),
    "an empty string": (
        lambda b: header(b)["source"].update(name=""), "Bundle.entry[0].resource.source.name", "format"),
    "a status that is no status": (
        lambda b: order(b).update(status="banana"),
        "Bundle.entry[1].resource.status", "binding"),
    "a gender that is no gender": (
        lambda b: person(b).update(gender="F"), "Bundle.entry[2].resource.gender", "binding"),
    "a number as a string": (
        lambda b: repeat(b).update(frequency="1"),
        REPEAT + ".frequency", "format"),
    "a frequency of nought": (
        lambda b: repeat(b).update(frequency=0),
        REPEAT + ".frequency", "format"),
    "true as a number": (
        lambda b: repeat(b).update(frequency=True),
        REPEAT + ".frequency", "format"),
    "a day that is not in the calendar": (
        lambda b: person(b).update(birthDate="1999-02-30"),
        "Bundle.entry[2].resource.birthDate", "format"),
    "a time without its zone": (
        lambda b: b.update(timestamp="2026-10-05T09:15:00"),
        "Bundle.timestamp", "format"),
    "an unknown element": (
        lambda b: order(b).update(dosageInstructions=[]),
        "Bundle.entry[1].resource.dosageInstructions", "unknown-element"),
    "a period without its unit": (
        lambda b: repeat(b).pop("periodUnit"),
        REPEAT, "tim-2"),
    "times of day with events": (
        lambda b: repeat(b).update(timeOfDay=["08:00:00"], when=["HS"]),
        REPEAT, "tim-10"),
    "an extension with neither value nor extensions": (
        lambda b: order(b).update(extension=[{"url": "https://example.nhs.uk/x"}]),
        "Bundle.entry[1].resource.extension[0]", "ext-1"),
    "an unknown modifier extension": (
        lambda b: order(b).update(modifierExtension=[{"url": "https://x", "valueBoolean": True}]),
        "Bundle.entry[1].resource.modifierExtension[0]", "modifierExtension"),
    "a reference to nothing": (
        lambda b: order(b)["subject"].update(reference=NOBODY),
        "Bundle.entry[1].resource.subject", "reference"),
    "a reference to the wrong type": (
        lambda b: order(b)["subject"].update(reference=PERSON),
        "Bundle.entry[1].resource.subject", "reference"),
    "a local reference to nothing": (
        lambda b: order(b)["dispenseRequest"]["performer"].update(reference="#away"),
        "Bundle.entry[1].resource.dispenseRequest.performer", "ref-1"),
    "a contained resource nobody refers to": (
        lambda b: order(b).pop("dispenseRequest"),
        "Bundle.entry[1].resource.contained[0]", "dom-3"),
    "no header first": (lambda b: b["entry"].append(b["entry"].pop(0)), "Bundle", "bdl-12"),
    "a full URL twice": (lambda b: b["entry"][2].update(fullUrl=PERSON), "Bundle", "bdl-7"),
    "a request in a message": (
        lambda b: b["entry"][2].update(request={"method": "POST", "url": "Patient"}),
        "Bundle", "bdl-3"),
    "a resource of a type not checked here": (
        lambda b: b["entry"][3]["resource"].update(resourceType="Basic"),
        "Bundle.entry[3].resource", "resourceType"),
    "a resource without a type": (
        lambda b: b["entry"][3]["resource"].pop("resourceType"),
        "Bundle.entry[3].resource", "resourceType"),
    "a null where no companion speaks": (
        lambda b: person(b)["name"][0].pop("_given"),
        "Bundle.entry[2].resource.name[0].given[1]", "format"),
    "a companion of the wrong length": (
        lambda b: person(b)["name"][0].update(_given=[None]),
        "Bundle.entry[2].resource.name[0]._given", "cardinality"),
    "a narrative with a script": (
        lambda b: person(b).update(text={"status": "generated", "div": "<div><script>x</script></div>"}),
        "Bundle.entry[2].resource.text.div", "format"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_where_it_stands(name: str) -> None:
    plant, expression, rule = FAULTS[name]
    bundle = copy.deepcopy(message())
    plant(bundle)
    found = {(finding.expression, finding.rule) for finding in CHECKER.check(bundle)}
    assert (expression, rule) in found


def test_every_fault_is_reported_not_only_the_first() -> None:
    bundle = message()
    order(bundle).update(status="banana", intent="banana")
    assert len(CHECKER.check(bundle)) == 2


def test_an_unknown_type_is_not_supported_and_never_a_success() -> None:
    (finding,) = CHECKER.check({"resourceType": "Basic"})
    assert (finding.code, finding.level) == ("not-supported", Level.ERROR)


def test_a_dangling_provenance_target_is_a_warning_that_says_so() -> None:
    bundle = message()
    bundle["entry"].append(
        {
            "fullUrl": "urn:uuid:5b1c2ee6-1cb7-4b0f-9f1a-3a5d60c7b004",
            "resource": {
                "resourceType": "Provenance",
                "target": [{"reference": NOBODY}],
                "recorded": "2026-10-05T09:15:00Z",
                "agent": [{"who": {"reference": PERSON}}],
            },
        }
    )
    (finding,) = CHECKER.check(bundle)
    assert finding.level is Level.WARNING


def test_no_finding_repeats_a_value_of_the_resource() -> None:
    bundle = message()
    person(bundle).update(gender="SECRET", birthDate="SECRET")
    outcome = json.dumps(operation_outcome(CHECKER.check(bundle)))
    assert "SECRET" not in outcome


def test_the_outcome_of_the_check_is_itself_clean() -> None:
    bundle = message()
    order(bundle).pop("subject")
    assert CHECKER.check(operation_outcome(CHECKER.check(bundle))) == ()
    assert CHECKER.check(operation_outcome(())) == ()


def test_the_table_names_its_source_and_covers_every_type() -> None:
    assert TABLE["provenance"]["definitions"] == "FHIR R4 4.0.1"
    assert set(RESOURCES) == set(TABLE["resources"])
    assert set(RESOURCES) <= set(TABLE["types"])


@pytest.mark.skipif(not SHARED.exists(), reason="the published EPS examples are not beside this checkout")
def test_published_homecare_orders_have_no_structural_error() -> None:
    orders = sorted(SHARED.glob("homecare/**/*Process-Request-Send-200_OK.json"))
    assert orders
    for path in orders:
        resource = strict_json.loads(path.read_bytes())
        assert isinstance(resource, dict)
        assert [f for f in CHECKER.check(resource) if f.level is Level.ERROR] == [], path.name
